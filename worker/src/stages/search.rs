//! Faces in a still, however they lie in it: filling the frame, small on a card in a large picture, sideways, upside
//! down.

use std::borrow::Cow;

use countersign_shared::domain::{BoundingBox, Face};
use tokio_util::sync::CancellationToken;

use super::detect::{FaceDetector, whole};
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

/// Looks at the whole picture first; then, only as long as nothing is found, padded, tiled and turned. Turned
/// pictures are tried too when the faces lie on their side or head.
pub fn search<'a>(
    detector: &FaceDetector,
    picture: &'a Picture,
    cancelled: &CancellationToken,
) -> Result<Sighting<'a>, EngineError> {
    let upright = look(detector, picture, Effort::Thorough, cancelled)?;
    if upright.first().is_some_and(stands_upright) {
        return Ok(Sighting { picture: Cow::Borrowed(picture), turn: Turn::None, faces: upright });
    }
    let mut best = Sighting { picture: Cow::Borrowed(picture), turn: Turn::None, faces: upright };
    for turn in [Turn::Quarter, Turn::ThreeQuarters, Turn::Half] {
        let turned = turn.turn(picture);
        let faces = look(detector, &turned, Effort::Usual, cancelled)?;
        if faces.first().is_some_and(stands_upright) && score(&faces) > score(&best.faces) {
            best = Sighting { picture: Cow::Owned(turned), turn, faces };
        }
    }
    Ok(best)
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
fn padded(picture: &Picture) -> BoundingBox {
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

/// Looks again from near at the largest face when it was small on the canvas: its points become as exact as the
/// picture allows.
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
    // From near, the picture must have more pixels to show than the canvas did.
    if bounds.width / shrink >= NARROW || shrink <= 1.0 {
        return Ok(faces);
    }
    let reach = bounds.width.max(bounds.height) * NEAR;
    let region = BoundingBox {
        x: bounds.x + (bounds.width - reach) / 2.0,
        y: bounds.y + (bounds.height - reach) / 2.0,
        width: reach,
        height: reach,
    };
    let near = detector.detect_in(picture, &region, detector.small(), cancelled)?;
    if let Some(same) = near.into_iter().find(|face| super::detect::overlap(&face.bounds, &bounds) > 0.4) {
        faces[0] = same;
    }
    Ok(faces)
}

/// The eyes are above the mouth, and the line through them is nearer to level than to steep.
fn stands_upright(face: &Face) -> bool {
    let [left, right, _, mouth_left, mouth_right] = face.points;
    let down = (mouth_left.y + mouth_right.y - left.y - right.y) / 2.0;
    let across = (mouth_left.x + mouth_right.x - left.x - right.x) / 2.0;
    down > 0.0 && down >= across.abs()
}

fn score(faces: &[Face]) -> f64 {
    faces.first().map_or(0.0, |face| if stands_upright(face) { face.score } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::detect::tests::{face, settings};
    use super::super::scrfd::fake;
    use super::*;
    use crate::engines::onnx::{FakeInference, Tensor};

    fn searched(picture: &Picture, model: &Arc<FakeInference>) -> (Turn, Vec<Face>) {
        let detector = FaceDetector::new(Arc::clone(model) as _, settings()).expect("it can be read");
        let sighting = search(&detector, picture, &CancellationToken::new()).expect("it answers");
        (sighting.turn, sighting.faces)
    }

    /// Sees a face where the first pixel of the canvas is white.
    fn seeing_white(input: &Tensor) -> Vec<Tensor> {
        let side = input.shape()[2];
        fake::answer(side, (input.values()[0] > 0.9).then_some((5, 5, 0.8)))
    }

    #[test]
    fn a_face_that_is_found_at_once_costs_one_look() {
        let model = FakeInference::new(seeing_white);
        let (turn, faces) = searched(&Picture::filled(200, 100, [255; 3]), &model);
        assert_eq!((turn, faces.len(), model.asked().len()), (Turn::None, 1, 1));
    }

    #[test]
    fn a_picture_without_a_face_is_turned_every_way_before_it_is_given_up() {
        let model = FakeInference::new(|input| fake::answer(input.shape()[2], None));
        let (_, faces) = searched(&Picture::filled(2000, 1000, [0; 3]), &model);
        assert!(faces.is_empty());
        assert_eq!(model.asked().len(), 2 + 4 + 3 * 2);
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
    fn a_face_on_its_side_does_not_stand_upright() {
        let upright = face(0.0, 0.0, 100.0, 0.9);
        assert!(stands_upright(&upright));
        for turn in [Turn::Quarter, Turn::Half, Turn::ThreeQuarters] {
            assert!(!stands_upright(&turn.back(&upright, 100.0, 100.0)), "{turn:?}");
        }
    }
}
