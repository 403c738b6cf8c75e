//! Follows a face from frame to frame on a small grey copy of the picture, and says when the detector must look.
//!
//! Every frame is looked at. Between two frames of one scene a face moves little and its patch stays nearly the same
//! up to a shift; another face, a cut or something that comes into view does not pass for that.

mod correlation;
mod grey;

use countersign_shared::domain::BoundingBox;

use self::correlation::Pattern;
use self::grey::{Grey, Patch};
use crate::engines::Picture;

/// Smallest correlation, -1..=1, of a face's patch with the one in the frame before that is the same face moved.
const CORRELATION_MIN: f32 = 0.85;
/// What a step of one grey pixel costs in correlation.
const EFFORT: f32 = 1e-4;
/// How far a face may move in one frame, as a fraction of its width.
const SHIFT_MAX: f64 = 0.15;
/// Mean difference of two frames, of 255, from which they are different scenes.
const SCENE_CHANGE: f32 = 22.0;
/// Difference of a block's mean, of 255, from which something else is there.
const BLOCK_CHANGE: f32 = 24.0;
/// Blocks along the picture's longer side.
const BLOCKS: u32 = 16;
/// Fraction of the blocks outside the face that must change to be worth a look: about a face's size.
const BLOCKS_CHANGED: f32 = 0.05;

/// What to do with a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Look {
    /// Run the detector, and tell the tracker through [`Tracker::detected`].
    DetectNow(Reason),
    /// The faces are those of the frame before; the followed one, if there is one, is here.
    Tracked(Option<BoundingBox>),
}

/// Why the detector must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    First,
    /// The longest time between two detections is over.
    Due,
    SceneChanged,
    FaceChanged,
    /// Outside the face, the picture is no longer what it was at the last detection.
    SomethingNew,
}

impl Reason {
    /// Whether the face that is found may be another one, so that it must be recognised again.
    pub const fn is_jump(self) -> bool {
        matches!(self, Self::First | Self::SceneChanged | Self::FaceChanged)
    }
}

/// Follows at most one face through a clip.
pub struct Tracker {
    /// Seconds.
    detect_every: f64,
    now: Option<Grey>,
    before: Option<Grey>,
    at_detection: Option<Grey>,
    detected_at: f64,
    face: Option<BoundingBox>,
}

impl Tracker {
    /// `detect_every` is the longest time between two detections, in seconds.
    pub const fn new(detect_every: f64) -> Self {
        Self {
            detect_every,
            now: None,
            before: None,
            at_detection: None,
            detected_at: f64::NEG_INFINITY,
            face: None,
        }
    }

    /// Looks at the next frame, `seconds` from the clip's start.
    pub fn look(&mut self, picture: &Picture, seconds: f64) -> Look {
        let recycled = self.before.take().map(|grey| grey.pixels).unwrap_or_default();
        self.before = self.now.replace(Grey::of(picture, recycled));
        let look = self.compare(seconds);
        if let Look::Tracked(face) = look {
            self.face = face;
        }
        look
    }

    /// Takes note of what the detector found in the frame that was looked at last.
    pub fn detected(&mut self, seconds: f64, face: Option<BoundingBox>) {
        self.face = face;
        self.detected_at = seconds;
        self.at_detection.clone_from(&self.now);
    }

    fn compare(&self, seconds: f64) -> Look {
        let (Some(now), Some(before), Some(at_detection)) = (&self.now, &self.before, &self.at_detection)
        else {
            return Look::DetectNow(Reason::First);
        };
        if !now.fits(before) || now.difference(before) > SCENE_CHANGE {
            return Look::DetectNow(Reason::SceneChanged);
        }
        let moved = match self.face.map(|face| follow(before, now, &face)) {
            None => None,
            Some(Some(face)) => Some(face),
            Some(None) => return Look::DetectNow(Reason::FaceChanged),
        };
        if !now.fits(at_detection) || seconds - self.detected_at >= self.detect_every - f64::EPSILON {
            return Look::DetectNow(Reason::Due);
        }
        if changed_outside(at_detection, now, moved.as_ref()) {
            return Look::DetectNow(Reason::SomethingNew);
        }
        Look::Tracked(moved)
    }
}

/// Where the face of the frame before is now; `None` when it is not the same any more.
fn follow(before: &Grey, now: &Grey, face: &BoundingBox) -> Option<BoundingBox> {
    let patch = before.patch(face)?;
    let reach = ((face.width * SHIFT_MAX / before.step as f64).ceil() as isize).max(2);
    let pattern = Pattern::new(before, patch);
    let best = (-reach..=reach)
        .flat_map(|down| (-reach..=reach).map(move |right| (right, down)))
        .filter_map(|(right, down)| {
            let x = patch.x.checked_add_signed(right).filter(|x| x + patch.width <= now.width)?;
            let y = patch.y.checked_add_signed(down).filter(|y| y + patch.height <= now.height)?;
            // Where nothing tells two places apart, the face stayed.
            let effort = EFFORT * (right.abs() + down.abs()) as f32;
            Some((pattern.correlation(now, (x, y)) - effort, right, down))
        })
        .max_by(|one, other| one.0.total_cmp(&other.0))?;
    let (value, right, down) = best;
    let step = before.step as f64;
    (value >= CORRELATION_MIN).then_some(BoundingBox {
        x: face.x + right as f64 * step,
        y: face.y + down as f64 * step,
        ..*face
    })
}

/// Whether, outside the face, enough of the picture is no longer what it was.
fn changed_outside(then: &Grey, now: &Grey, face: Option<&BoundingBox>) -> bool {
    let side = (now.width.max(now.height) / BLOCKS as usize).max(1);
    let mean = |grey: &Grey, patch: Patch| {
        grey.rows(patch).flatten().sum::<f32>() / (patch.width * patch.height) as f32
    };
    let covered = |patch: Patch| {
        face.is_some_and(|face| {
            // Hair, shoulders and shadows move with a face.
            let step = now.step as f64;
            let (x, y) = ((patch.x + side / 2) as f64 * step, (patch.y + side / 2) as f64 * step);
            (x - face.x - face.width / 2.0).abs() < face.width
                && (y - face.y - face.height / 2.0).abs() < face.height
        })
    };
    let (mut outside, mut changed) = (0_u32, 0_u32);
    for y in (0..=now.height.saturating_sub(side)).step_by(side) {
        for x in (0..=now.width.saturating_sub(side)).step_by(side) {
            let patch = Patch { x, y, width: side.min(now.width), height: side.min(now.height) };
            if covered(patch) {
                continue;
            }
            outside += 1;
            changed += u32::from((mean(then, patch) - mean(now, patch)).abs() > BLOCK_CHANGE);
        }
    }
    outside > 0 && changed as f32 / outside as f32 > BLOCKS_CHANGED
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: u32 = 320;
    const HEIGHT: u32 = 240;
    const SIDE: f64 = 80.0;

    /// A textured square on a plain wall, `seed` being who it is.
    fn scene(x: u32, y: u32, seed: u32, wall: u8) -> Picture {
        let mut rgb = Vec::new();
        for row in 0..HEIGHT {
            for column in 0..WIDTH {
                let inside = (x..x + SIDE as u32).contains(&column) && (y..y + SIDE as u32).contains(&row);
                let value = if inside {
                    let cell =
                        ((column - x) / 10 * 7 + (row - y) / 10 * 13 + seed).wrapping_mul(2_654_435_761);
                    (cell >> 24) as u8
                } else {
                    wall
                };
                rgb.extend([value; 3]);
            }
        }
        Picture::new(WIDTH, HEIGHT, rgb).expect("it fits")
    }

    fn face_at(x: u32, y: u32) -> BoundingBox {
        BoundingBox { x: f64::from(x), y: f64::from(y), width: SIDE, height: SIDE }
    }

    fn tracker_on(picture: &Picture, face: Option<BoundingBox>) -> Tracker {
        let mut tracker = Tracker::new(0.2);
        assert_eq!(tracker.look(picture, 0.0), Look::DetectNow(Reason::First));
        tracker.detected(0.0, face);
        tracker
    }

    #[test]
    fn a_face_that_moves_is_followed() {
        let mut tracker = tracker_on(&scene(100, 60, 1, 90), Some(face_at(100, 60)));
        for frame in 1..5 {
            let (x, y) = (100 + frame * 6, 60 + frame * 4);
            let look = tracker.look(&scene(x, y, 1, 90), f64::from(frame) * 0.033);
            let Look::Tracked(Some(bounds)) = look else { panic!("frame {frame}: {look:?}") };
            assert!(
                (bounds.x - f64::from(x)).abs() <= 4.0 && (bounds.y - f64::from(y)).abs() <= 4.0,
                "{bounds:?}"
            );
        }
    }

    #[test]
    fn another_face_in_the_same_place_is_noticed_in_its_first_frame() {
        let mut tracker = tracker_on(&scene(100, 60, 1, 90), Some(face_at(100, 60)));
        assert!(matches!(tracker.look(&scene(100, 60, 1, 90), 0.033), Look::Tracked(Some(_))));
        assert_eq!(tracker.look(&scene(100, 60, 5, 90), 0.066), Look::DetectNow(Reason::FaceChanged));
    }

    #[test]
    fn a_cut_is_noticed_without_any_face() {
        let mut tracker = tracker_on(&Picture::filled(WIDTH, HEIGHT, [40; 3]), None);
        assert_eq!(tracker.look(&Picture::filled(WIDTH, HEIGHT, [41; 3]), 0.033), Look::Tracked(None));
        let look = tracker.look(&Picture::filled(WIDTH, HEIGHT, [140; 3]), 0.066);
        assert_eq!(look, Look::DetectNow(Reason::SceneChanged));
    }

    #[test]
    fn something_new_beside_the_face_is_noticed() {
        let alone = scene(0, 80, 1, 90);
        let mut tracker = tracker_on(&alone, Some(face_at(0, 80)));
        let mut joined = alone.into_rgb();
        for row in 80..140 {
            let from = (row * WIDTH as usize + 230) * 3;
            joined[from..from + 60 * 3].fill(220);
        }
        let joined = Picture::new(WIDTH, HEIGHT, joined).expect("it fits");
        assert_eq!(tracker.look(&joined, 0.033), Look::DetectNow(Reason::SomethingNew));
    }

    #[test]
    fn detection_is_due_when_its_time_is_over() {
        let picture = scene(100, 60, 1, 90);
        let mut tracker = tracker_on(&picture, Some(face_at(100, 60)));
        assert!(matches!(tracker.look(&picture, 0.19), Look::Tracked(Some(_))));
        assert_eq!(tracker.look(&picture, 0.2), Look::DetectNow(Reason::Due));
    }

    #[test]
    fn a_change_of_size_is_a_change_of_scene() {
        let mut tracker = tracker_on(&scene(100, 60, 1, 90), Some(face_at(100, 60)));
        let look = tracker.look(&Picture::filled(64, 48, [90; 3]), 0.033);
        assert_eq!(look, Look::DetectNow(Reason::SceneChanged));
    }

    #[test]
    fn any_size_of_picture_can_be_looked_at() {
        for (width, height) in [(1, 1), (3, 2000), (2000, 3), (161, 1), (959, 541)] {
            let mut tracker = tracker_on(&Picture::filled(width, height, [9; 3]), Some(face_at(0, 0)));
            tracker.look(&Picture::filled(width, height, [9; 3]), 0.01);
        }
    }
}
