//! Faces in a still, however they lie in it: filling the frame, small on a card in a large picture, sideways, upside
//! down.

use std::borrow::Cow;

use countersign_shared::domain::{BoundingBox, Face};
use tokio_util::sync::CancellationToken;

use super::detect::{FaceDetector, whole};
use super::feed::{reduced, square};
use super::turn::Turn;
use crate::engines::{EngineError, Picture};

/// What a search found, in the picture as it had to be turned.
#[derive(Debug)]
pub struct Sighting<'a> {
    /// The picture in which the faces are upright: the given one, or a turned copy.
    pub picture: Cow<'a, Picture>,
    pub turn: Turn,
    /// In pixels of `picture`, the largest first; empty when there is none.
    pub faces: Vec<Face>,
}

/// Side of a tile as a fraction of the picture's, so that four overlap by a third of a tile.
const TILE: f64 = 0.6;
/// Tiles show more only where the whole picture had to shrink by at least this factor.
const TILE_SHRINK_MIN: f64 = 1.25;
/// A face this narrow on the detector's canvas has points too coarse to align by, and is looked at again from near.
const NARROW: f64 = 48.0;
/// How much of its surroundings a second look shows, in widths of the face.
const NEAR: f64 = 4.0;

/// Upright faces nearly always score more than this; what the detector takes for a face in one that stands on its head
/// hardly ever does (SCRFD never). In between, the picture is tried on its head.
const SURE: f64 = 0.8;
/// A face that scores less than this is tried on its sides too.
const UNSURE: f64 = 0.72;
/// The way down over the way aside, of a face that leans as far as it may.
const LEANING: f64 = 0.7;
/// By how much a turned picture must be the better one.
const CLEARLY: f64 = 0.05;

/// How large a face is likely to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any size, as on a card that fills the picture or lies on a table.
    Any,
    /// Near the camera, as in a selfie: the small canvas is tried first.
    Near,
}

/// From this width on the small canvas, the large one changes no error rate (docs/accuracy.md), and the smallest other face
/// that counts ([`super::count::WIDTH_MIN`]) is wide enough to be found there too.
const NEAR_WIDTH: f64 = 112.0;

/// Looks at the whole picture first; then, only as long as nothing is found, padded and tiled. Turned pictures are
/// tried when nothing was found, when the faces lie on their side, and when it is doubtful which way is up: the
/// detector finds faces that stand on their head, and places eyes and mouth the wrong way round.
pub fn search<'a>(
    detector: &FaceDetector,
    picture: &'a Picture,
    expected: Expected,
    cancelled: &CancellationToken,
) -> Result<Sighting<'a>, EngineError> {
    let mut seen_small = None;
    if expected == Expected::Near {
        let faces = detector.detect(picture, detector.small(), cancelled)?;
        if faces.first().is_some_and(|face| is_plain(detector, picture, face)) {
            return Ok(Sighting { picture: Cow::Borrowed(picture), turn: Turn::None, faces });
        }
        seen_small = (!faces.is_empty()).then(|| upright_score(&faces));
    }
    let faces = look(detector, picture, Effort::Thorough, cancelled)?;
    let (side, turns): (u32, &[Turn]) = match faces.first() {
        Some(face) if stands_upright(face) && face.score >= SURE => (detector.small(), &[]),
        Some(face) if stands_upright(face) && face.score >= UNSURE => (detector.small(), &[Turn::Half]),
        Some(face) if stands_upright(face) => (detector.small(), &TURNS),
        _ => (detector.large(), &TURNS),
    };
    let known = seen_small.filter(|_| side == detector.small());
    let turn = best_turn(detector, (picture, side), (turns, known), cancelled)?;
    if turn == Turn::None {
        return Ok(Sighting { picture: Cow::Borrowed(picture), turn, faces });
    }
    let turned = turn.turn(picture);
    let found = look(detector, &turned, Effort::Usual, cancelled)?;
    // What looked better reduced may look worse in full: a head that is tilted far, and not turned.
    if upright_score(&found) <= upright_score(&faces) {
        return Ok(Sighting { picture: Cow::Borrowed(picture), turn: Turn::None, faces });
    }
    Ok(Sighting { picture: Cow::Owned(turned), turn, faces: found })
}

/// A face on the small canvas that a look at the large one would not change.
fn is_plain(detector: &FaceDetector, picture: &Picture, face: &Face) -> bool {
    let all = whole(picture);
    let shrink = all.width.max(all.height) / f64::from(detector.small());
    stands_upright(face) && face.score >= SURE && face.bounds.width / shrink >= NEAR_WIDTH
}

const TURNS: [Turn; 3] = [Turn::Quarter, Turn::ThreeQuarters, Turn::Half];

/// The turn after which the best face scores clearly higher than as the picture is; tried on a reduced picture. `known` is the
/// score as it is, if that was looked at already.
fn best_turn(
    detector: &FaceDetector,
    (picture, side): (&Picture, u32),
    (turns, known): (&[Turn], Option<f64>),
    cancelled: &CancellationToken,
) -> Result<Turn, EngineError> {
    if turns.is_empty() {
        return Ok(Turn::None);
    }
    let small = reduced(picture, side);
    let as_it_is = match known {
        Some(score) => score,
        None => best_score(detector, &small, side, cancelled)?,
    };
    let mut best = (Turn::None, as_it_is + CLEARLY);
    for turn in turns {
        let score = best_score(detector, &turn.turn(&small), side, cancelled)?;
        if score > best.1 {
            best = (*turn, score);
        }
    }
    Ok(best.0)
}

/// Of the largest face that stands upright, whole or padded; 0 when there is none.
fn best_score(
    detector: &FaceDetector,
    picture: &Picture,
    side: u32,
    cancelled: &CancellationToken,
) -> Result<f64, EngineError> {
    let mut faces = detector.detect(picture, side, cancelled)?;
    if faces.is_empty() {
        faces = detector.detect_in(picture, &padded(picture), side, cancelled)?;
    }
    Ok(upright_score(&faces))
}

/// Of the largest face, if that stands upright; else 0.
fn upright_score(faces: &[Face]) -> f64 {
    faces.first().filter(|face| stands_upright(face)).map_or(0.0, |face| face.score)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// Whole and padded.
    Usual,
    /// Also in tiles.
    Thorough,
}

fn look(
    detector: &FaceDetector,
    picture: &Picture,
    effort: Effort,
    cancelled: &CancellationToken,
) -> Result<Vec<Face>, EngineError> {
    let side = detector.large();
    let mut faces = detector.detect(picture, side, cancelled)?;
    if faces.is_empty() {
        faces = detector.detect_in(picture, &padded(picture), side, cancelled)?;
    }
    if faces.is_empty() && effort == Effort::Thorough {
        faces = in_tiles(detector, picture, side, cancelled)?;
    }
    sharpen(detector, picture, faces, cancelled)
}

/// The picture and half its size on each side: the detector misses faces that fill the frame.
pub fn padded(picture: &Picture) -> BoundingBox {
    let BoundingBox { width, height, .. } = whole(picture);
    BoundingBox { x: -width / 2.0, y: -height / 2.0, width: width * 2.0, height: height * 2.0 }
}

fn in_tiles(
    detector: &FaceDetector,
    picture: &Picture,
    side: u32,
    cancelled: &CancellationToken,
) -> Result<Vec<Face>, EngineError> {
    let all = whole(picture);
    if all.width.max(all.height) < f64::from(side) * TILE_SHRINK_MIN {
        return Ok(Vec::new());
    }
    let mut faces = Vec::new();
    for (across, down) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let tile = BoundingBox {
            x: across * (1.0 - TILE) * all.width,
            y: down * (1.0 - TILE) * all.height,
            width: TILE * all.width,
            height: TILE * all.height,
        };
        faces.extend(detector.detect_in(picture, &tile, side, cancelled)?);
    }
    Ok(detector.merge(faces))
}

/// Looks again at the largest face: from near when it was small on the canvas, so that its points become as exact as the picture
/// allows, and on the small canvas when it was too large for them.
fn sharpen(
    detector: &FaceDetector,
    picture: &Picture,
    mut faces: Vec<Face>,
    cancelled: &CancellationToken,
) -> Result<Vec<Face>, EngineError> {
    let all = whole(picture);
    let shrink = all.width.max(all.height) / f64::from(detector.large());
    let Some(largest) = faces.first() else { return Ok(faces) };
    let bounds = largest.bounds;
    let shown = bounds.width / shrink;
    // From near, the picture must have more pixels to show than the canvas did.
    let region = if shown < NARROW && shrink > 1.0 {
        square(&bounds, NEAR)
    } else if detector.is_too_wide(shown) {
        all
    } else {
        return Ok(faces);
    };
    let near = detector.detect_in(picture, &region, detector.small(), cancelled)?;
    if let Some(same) = near.into_iter().find(|face| super::detect::overlap(&face.bounds, &bounds) > 0.4) {
        faces[0] = same;
    }
    Ok(faces)
}

/// The eyes are above the mouth, and the way from them to it leans by no more than 55 degrees: a head that leans by 55 in a
/// picture that is not turned is more likely than one that leans by 35 in a picture that is.
fn stands_upright(face: &Face) -> bool {
    let [left, right, _, mouth_left, mouth_right] = face.points;
    let down = (mouth_left.y + mouth_right.y - left.y - right.y) / 2.0;
    let across = (mouth_left.x + mouth_right.x - left.x - right.x) / 2.0;
    down > 0.0 && down >= LEANING * across.abs()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign_shared::domain::Point;

    use super::super::detect::Canvases;
    use super::super::detect::tests::{face, settings};
    use super::super::scrfd::fake;
    use super::*;
    use crate::engines::onnx::{FakeInference, Tensor};
    use crate::models::task::Detector;

    fn searched(picture: &Picture, model: &Arc<FakeInference>) -> (Turn, Vec<Face>) {
        let detector =
            FaceDetector::new(Arc::clone(model) as _, settings(), Canvases::Square).expect("it can be read");
        let sighting =
            search(&detector, picture, Expected::Any, &CancellationToken::new()).expect("it answers");
        (sighting.turn, sighting.faces)
    }

    /// Sees a face where the first pixel of the canvas is white.
    fn seeing_white(input: &Tensor) -> Vec<Tensor> {
        fake::answer(input.shape(), (input.values()[0] > 0.9).then_some((5, 5, 0.9)))
    }

    #[test]
    fn a_face_that_is_found_at_once_costs_one_look() {
        let model = FakeInference::new(seeing_white);
        let (turn, faces) = searched(&Picture::filled(200, 100, [255; 3]), &model);
        assert_eq!((turn, faces.len(), model.asked().len()), (Turn::None, 1, 1));
    }

    #[test]
    fn a_near_face_costs_a_small_look_and_another_one_a_large_look_too() {
        for (times, sides) in [(4.0, vec![320]), (3.0, vec![320, 640])] {
            let model = FakeInference::new(move |input| {
                let mut outputs = fake::answer(input.shape(), Some((9, 9, 0.9)));
                let places = outputs.iter_mut().filter(|output| output.shape().last() != Some(&1));
                places.for_each(|output| output.values_mut().iter_mut().for_each(|value| *value *= times));
                outputs
            });
            let detector = FaceDetector::new(Arc::clone(&model) as _, settings(), Canvases::Square);
            let (detector, picture) = (detector.expect("it can be read"), Picture::filled(320, 320, [0; 3]));
            search(&detector, &picture, Expected::Near, &CancellationToken::new()).expect("it answers");
            let asked: Vec<usize> = model.asked().iter().map(|shape| shape[2]).collect();
            assert_eq!(asked, sides, "a face of {} pixels", 32.0 * times);
        }
    }

    #[test]
    fn a_face_too_wide_for_the_large_canvas_is_looked_at_on_the_small_one_too() {
        // The same face in either look: 64 pixels of the large canvas, 32 of the small one, on which it scores more.
        let model = FakeInference::new(|input| {
            let (times, score) = if input.shape()[2] == 640 { (2, 0.85) } else { (1, 0.95) };
            let mut outputs = fake::answer(input.shape(), Some((5 * times, 5 * times, score)));
            let places = outputs.iter_mut().filter(|output| output.shape().last() != Some(&1));
            places.for_each(|output| {
                output.values_mut().iter_mut().for_each(|value| *value *= times as f32);
            });
            outputs
        });
        for (widest, looks, score) in [(70, 1, 0.85), (60, 2, 0.95)] {
            let before = model.asked().len();
            let settings = Detector { widest: Some(widest), ..settings() };
            let detector = FaceDetector::new(Arc::clone(&model) as _, settings, Canvases::Square);
            let (detector, picture) = (detector.expect("it can be read"), Picture::filled(640, 640, [0; 3]));
            let found = search(&detector, &picture, Expected::Any, &CancellationToken::new());
            let faces = found.expect("it answers").faces;
            assert_eq!((model.asked().len() - before, faces.len()), (looks, 1), "at most {widest}");
            assert!((faces[0].score - score).abs() < 1e-6, "at most {widest}: {}", faces[0].score);
        }
    }

    #[test]
    fn a_picture_without_a_face_is_turned_every_way_before_it_is_given_up() {
        let model = FakeInference::new(|input| fake::answer(input.shape(), None));
        let (_, faces) = searched(&Picture::filled(2000, 1000, [0; 3]), &model);
        assert!(faces.is_empty());
        assert_eq!(model.asked().len(), 2 + 4 + 4 * 2);
    }

    #[test]
    fn a_sideways_face_is_found_in_the_turned_picture() {
        let (width, height) = (640_u32, 640_u32);
        // White only at the bottom left, which a quarter turn brings to the top left.
        let rgb = (0..width * height)
            .flat_map(|at| [if at / width > 600 && at % width < 40 { 255 } else { 0 }; 3])
            .collect();
        let model = FakeInference::new(seeing_white);
        let (turn, faces) = searched(&Picture::new(width, height, rgb).expect("the buffer fits"), &model);
        assert_eq!((turn, faces.len()), (Turn::Quarter, 1));
    }

    #[test]
    fn a_doubtful_face_gives_way_to_a_better_one_on_its_head() {
        // White only at the bottom right; what is seen at the top left as it is scores little.
        let rgb = (0..640 * 640).flat_map(|at| [if at / 640 > 600 && at % 640 > 600 { 255 } else { 0 }; 3]);
        let picture = Picture::new(640, 640, rgb.collect()).expect("the buffer fits");
        let model = FakeInference::new(|input| {
            let white = input.values()[0] > 0.9;
            fake::answer(input.shape(), Some((5, 5, if white { 0.85 } else { 0.6 })))
        });
        let (turn, faces) = searched(&picture, &model);
        assert_eq!((turn, faces.len()), (Turn::Half, 1));
        let side = |side: usize| model.asked().iter().filter(|shape| shape[2] == side).count();
        assert_eq!((side(640), side(320)), (2, 4), "doubts are settled on the small canvas");
    }

    #[test]
    fn a_face_that_looks_worse_turned_in_full_stays_as_it_is() {
        // White only at the bottom right, as above; on the large canvas, what is on its head scores less.
        let rgb = (0..640 * 640).flat_map(|at| [if at / 640 > 600 && at % 640 > 600 { 255 } else { 0 }; 3]);
        let picture = Picture::new(640, 640, rgb.collect()).expect("the buffer fits");
        let model = FakeInference::new(|input| {
            let (side, white) = (input.shape()[2], input.values()[0] > 0.9);
            let score = match (side, white) {
                (640, true) => 0.51,
                (640, false) => 0.75,
                (_, true) => 0.7,
                (_, false) => 0.55,
            };
            fake::answer(input.shape(), Some((5, 5, score)))
        });
        let (turn, faces) = searched(&picture, &model);
        assert_eq!((turn, faces[0].score > 0.7), (Turn::None, true));
    }

    #[test]
    fn a_face_may_lean_but_not_lie() {
        for (degrees, may) in [(0.0, true), (50.0, true), (-50.0, true), (60.0, false), (-60.0, false)] {
            let mut leaning = face(0.0, 0.0, 100.0, 0.9);
            let (sine, cosine) = f64::to_radians(degrees).sin_cos();
            leaning.points = leaning
                .points
                .map(|Point { x, y }| Point { x: x * cosine - y * sine, y: x * sine + y * cosine });
            assert_eq!(stands_upright(&leaning), may, "{degrees}");
        }
    }

    #[test]
    fn a_face_on_its_side_does_not_stand_upright() {
        let upright = face(0.0, 0.0, 100.0, 0.9);
        assert!(stands_upright(&upright));
        for turn in [Turn::Quarter, Turn::Half, Turn::ThreeQuarters] {
            assert!(!stands_upright(&turn.back(&upright, 100.0, 100.0)), "{turn:?}");
        }
    }
}
