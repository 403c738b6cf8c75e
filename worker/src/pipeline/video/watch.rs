//! One pass over the frames of a clip: every frame is tracked, and looked at closely when it is time or when something
//! changed.

use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use countersign_shared::config::Sampling;
use countersign_shared::domain::{BoundingBox, Face, LivenessEvidence};
use tokio_util::sync::CancellationToken;

use super::gestures::Gestures;
use crate::engines::{EngineError, Picture};
use crate::pipeline::still::StillStage;
use crate::stages::count::counted;
use crate::stages::detect::overlap;
use crate::stages::embed::Embedding;
use crate::stages::search::{Expected, padded, search};
use crate::stages::track::{Look, Reason, Tracker};
use crate::stages::turn::Turn;

/// A face this narrow on the small canvas is looked for on the large one.
const NARROW: f64 = 56.0;
/// A face that was found is the followed one when they share this much of their boxes.
const SAME_PLACE: f64 = 0.3;
/// Of several faces the followed one stays the meant one while it is at least this wide, against the widest.
const STILL_MEANT: f64 = 0.6;
/// After a jump a face is embedded at once, but not more often than about this: a clip that flickers must not cost more
/// than it is worth. Seconds.
const JUMP_GAP: f64 = 0.1;
/// While no face was found yet, a thorough search is tried this often, in seconds.
const SEARCH_EVERY: f64 = 2.0;

/// What one frame showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    pub(super) seconds: f64,
    /// Faces that count.
    pub(super) num_faces: u32,
    /// Width of the meant face over the frame's; 0 without a face.
    pub(super) ratio: f64,
    /// Frames of one number show what was followed without a jump.
    pub(super) segment: u32,
}

/// A frame that models looked at.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) frame: u32,
    pub(super) seconds: f64,
    pub(super) segment: u32,
    pub(super) num_faces: u32,
    /// As fractions of the frame's width and height.
    pub(super) bounds: Option<BoundingBox>,
    pub(super) embedding: Option<Embedding>,
    pub(super) liveness: Option<LivenessEvidence>,
}

/// Looks at the frames of one clip, in order.
pub(super) struct Watcher<'a> {
    /// The models that look at stills look at frames.
    eyes: &'a StillStage,
    embed_every: f64,
    judge_every: f64,
    cancelled: &'a CancellationToken,
    tracker: Tracker,
    turn: Turn,
    segment: u32,
    num_faces: u32,
    face: Option<BoundingBox>,
    /// The face may have become another one since it was last embedded.
    unrecognised: bool,
    ever_found: bool,
    searched_at: f64,
    embedded_at: f64,
    /// The shortest time to the next embedding.
    embed_gap: f64,
    thorough_at: f64,
    judged_at: f64,
    pub(super) seen: Vec<Seen>,
    pub(super) samples: Vec<Sample>,
    pub(super) gestures: Gestures,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(eyes: &'a StillStage, sampling: &Sampling, cancelled: &'a CancellationToken) -> Self {
        let seconds = |duration: Duration| duration.as_secs_f64();
        Self {
            eyes,
            embed_every: seconds(sampling.embed_every),
            judge_every: seconds(sampling.liveness_every),
            cancelled,
            tracker: Tracker::new(seconds(sampling.detect_every)),
            turn: Turn::None,
            segment: 0,
            num_faces: 0,
            face: None,
            unrecognised: true,
            ever_found: false,
            searched_at: f64::NEG_INFINITY,
            embedded_at: f64::NEG_INFINITY,
            embed_gap: JUMP_GAP,
            thorough_at: f64::NEG_INFINITY,
            judged_at: f64::NEG_INFINITY,
            seen: Vec::new(),
            samples: Vec::new(),
            gestures: Gestures::new(seconds(sampling.landmarks_every)),
        }
    }

    /// Looks at the next frame.
    pub(super) fn see(&mut self, frame: u32, seconds: f64, stored: &Picture) -> Result<(), EngineError> {
        if self.cancelled.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let turned = (self.turn != Turn::None).then(|| self.turn.turn(stored));
        let picture = turned.as_ref().unwrap_or(stored);
        match self.tracker.look(picture, seconds) {
            Look::Tracked(face) if !self.is_due(seconds, face.is_some()) => self.face = face,
            Look::Tracked(_) => self.look_closely(frame, seconds, picture, Reason::Due)?,
            Look::DetectNow(reason) => self.look_closely(frame, seconds, picture, reason)?,
        }
        if let Some(face) = &self.face {
            self.gestures.measure(&self.eyes.landmarks, picture, face, seconds, self.cancelled)?;
        }
        self.seen.push(Seen {
            seconds,
            num_faces: self.num_faces,
            ratio: self.face.map_or(0.0, |face| face.width / f64::from(picture.width())),
            segment: self.segment,
        });
        Ok(())
    }

    fn is_due(&self, seconds: f64, has_face: bool) -> bool {
        has_face
            && (seconds - self.embedded_at >= self.embed_every
                || seconds - self.judged_at >= self.judge_every
                || self.unrecognised && seconds - self.embedded_at >= self.embed_gap)
    }

    fn look_closely(
        &mut self,
        frame: u32,
        seconds: f64,
        picture: &Picture,
        reason: Reason,
    ) -> Result<(), EngineError> {
        let mut faces = self.detect(picture, seconds, reason)?;
        if faces.is_empty() && !self.ever_found && seconds - self.searched_at >= SEARCH_EVERY {
            self.searched_at = seconds;
            let sighting = search(&self.eyes.detector, picture, Expected::Any, self.cancelled)?;
            if sighting.turn != Turn::None {
                // The frames lie on their side without saying so. From the next one on they are turned.
                self.turn = sighting.turn;
                self.ever_found = true;
                self.num_faces = counted(&sighting.faces).len() as u32;
                return Ok(());
            }
            faces = sighting.faces;
        }
        let counted = counted(&faces);
        let meant = self.meant(counted);
        let place = meant.map(|face| face.bounds);
        self.tracker.detected(seconds, place);
        let stayed = match (&self.face, &place) {
            (Some(before), Some(now)) => overlap(before, now) >= SAME_PLACE,
            (None, None) => true,
            _ => false,
        };
        if reason.is_jump() || !stayed {
            self.segment += u32::from(!self.seen.is_empty());
            self.unrecognised = true;
        }
        self.face = place;
        self.num_faces = counted.len() as u32;
        self.ever_found |= place.is_some();
        let (embedding, liveness) = match meant {
            Some(face) => {
                // Whose liveness it is must be known as well.
                let judged = self.judge(picture, face, seconds)?;
                (self.embed(picture, face, seconds, judged.is_some())?, judged)
            }
            None => (None, None),
        };
        if embedding.is_none() && liveness.is_none() && meant.is_some() {
            return Ok(());
        }
        self.samples.push(Sample {
            frame,
            seconds,
            segment: self.segment,
            num_faces: self.num_faces,
            bounds: meant.map(|face| as_fractions(face, self.turn, picture)),
            embedding,
            liveness,
        });
        Ok(())
    }

    /// A quick look where the face was large enough for it, a thorough one where it matters, though not in every frame
    /// of a clip that flickers.
    fn detect(&mut self, picture: &Picture, seconds: f64, reason: Reason) -> Result<Vec<Face>, EngineError> {
        let detector = &self.eyes.detector;
        let matters = reason.is_jump() || reason == Reason::SomethingNew;
        let may_be_thorough = seconds - self.thorough_at >= JUMP_GAP;
        let shrink = |side: u32| f64::from(picture.width().max(picture.height())) / f64::from(side);
        if !(matters && may_be_thorough) {
            let faces = detector.detect(picture, detector.small(), self.cancelled)?;
            let wide = |face: &Face| face.bounds.width / shrink(detector.small()) >= NARROW;
            if !may_be_thorough || faces.first().is_some_and(wide) {
                return Ok(faces);
            }
        }
        self.thorough_at = seconds;
        let faces = detector.detect(picture, detector.large(), self.cancelled)?;
        if !faces.is_empty() || !self.ever_found {
            return Ok(faces);
        }
        detector.detect_in(picture, &padded(picture), detector.large(), self.cancelled)
    }

    /// The followed face while it is among the large ones, else the largest.
    fn meant<'f>(&self, faces: &'f [Face]) -> Option<&'f Face> {
        let largest = faces.first()?;
        let followed = self.face.and_then(|before| {
            faces
                .iter()
                .filter(|face| face.bounds.width >= largest.bounds.width * STILL_MEANT)
                .find(|face| overlap(&face.bounds, &before) >= SAME_PLACE)
        });
        Some(followed.unwrap_or(largest))
    }

    fn embed(
        &mut self,
        picture: &Picture,
        face: &Face,
        seconds: f64,
        wanted: bool,
    ) -> Result<Option<Embedding>, EngineError> {
        let every = if self.unrecognised { self.embed_gap } else { self.embed_every };
        if !wanted && seconds - self.embedded_at < every {
            return Ok(None);
        }
        let embedding = self.eyes.embedder.embed(picture, &face.points, self.cancelled)?;
        self.embedded_at = seconds;
        self.embed_gap = unforeseen_gap(picture);
        self.unrecognised = false;
        Ok(embedding)
    }

    fn judge(
        &mut self,
        picture: &Picture,
        face: &Face,
        seconds: f64,
    ) -> Result<Option<LivenessEvidence>, EngineError> {
        if seconds - self.judged_at < self.judge_every {
            return Ok(None);
        }
        self.judged_at = seconds;
        self.eyes.liveness.judge(picture, &face.bounds, self.cancelled).map(Some)
    }
}

/// Between half and one and a half times [`JUMP_GAP`], as the picture has it: the same for the same clip, but no clip
/// can be cut so that each embedding falls on a frame made for it.
fn unforeseen_gap(picture: &Picture) -> f64 {
    const STEP: usize = 257;
    let mut hasher = DefaultHasher::new();
    picture.rgb().iter().step_by(STEP).for_each(|value| hasher.write_u8(*value));
    JUMP_GAP * (0.5 + hasher.finish() as f64 / u64::MAX as f64)
}

/// The face's box in the frame as it was stored, as fractions of its sides.
fn as_fractions(face: &Face, turn: Turn, picture: &Picture) -> BoundingBox {
    let (width, height) = match turn {
        Turn::None | Turn::Half => (picture.width(), picture.height()),
        Turn::Quarter | Turn::ThreeQuarters => (picture.height(), picture.width()),
    };
    let (width, height) = (f64::from(width), f64::from(height));
    let bounds = turn.back(face, width, height).bounds;
    BoundingBox {
        x: bounds.x / width,
        y: bounds.y / height,
        width: bounds.width / width,
        height: bounds.height / height,
    }
}

#[cfg(test)]
mod tests;
