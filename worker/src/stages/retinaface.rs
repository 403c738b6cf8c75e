//! Reads `RetinaFace`'s answer: boxes, two probabilities and key points of all anchors, those of the finest grid first.

use countersign_shared::domain::{BoundingBox, Point};

use super::detect::{Candidate, output};
use crate::engines::onnx::Tensor;

/// Each grid's stride and the sides of the anchors of a cell, as in FaceX-Zoo and biubug6's `Pytorch_Retinaface`.
const GRIDS: [(usize, [f64; 2]); 3] = [(8, [16.0, 32.0]), (16, [64.0, 128.0]), (32, [256.0, 512.0])];
/// What shifts, in anchors' sides, and the logarithms of sizes were multiplied by in training.
const VARIANCES: (f64, f64) = (0.1, 0.2);

/// Every anchor with at least that probability. `None` when the tensors are not `RetinaFace`'s for a canvas of that size: the
/// outputs are told apart by their shapes, so their names and order don't matter.
pub(super) fn candidates(
    outputs: &[Tensor],
    (width, height): (u32, u32),
    threshold: f32,
) -> Option<Vec<Candidate>> {
    let cells = |stride: usize| (width as usize).div_ceil(stride) * (height as usize).div_ceil(stride);
    let anchors: usize = GRIDS.iter().map(|(stride, sides)| cells(*stride) * sides.len()).sum();
    let output = |width: usize| output(outputs, anchors, width);
    let (boxes, probabilities, points) = (output(4)?, output(2)?, output(10)?);
    let mut found = Vec::new();
    let mut first = 0;
    for (stride, sides) in GRIDS {
        let columns = (width as usize).div_ceil(stride);
        let count = cells(stride) * sides.len();
        let scores = (0..count).map(|index| (index, probabilities[(first + index) * 2 + 1]));
        for (index, score) in scores.filter(|(_, score)| *score >= threshold) {
            let anchor = first + index;
            let (cell, side) = (index / sides.len(), sides[index % sides.len()]);
            let centre = Point {
                x: ((cell % columns) as f64 + 0.5) * stride as f64,
                y: ((cell / columns) as f64 + 0.5) * stride as f64,
            };
            let shifted = |values: &[f32]| Point {
                x: centre.x + f64::from(values[0]) * VARIANCES.0 * side,
                y: centre.y + f64::from(values[1]) * VARIANCES.0 * side,
            };
            let length = |value: f32| side * (f64::from(value) * VARIANCES.1).exp();
            let [middle, size] = [0, 2].map(|at| &boxes[anchor * 4 + at..][..2]);
            let (middle, width, height) = (shifted(middle), length(size[0]), length(size[1]));
            found.push(Candidate {
                score,
                bounds: BoundingBox { x: middle.x - width / 2.0, y: middle.y - height / 2.0, width, height },
                points: std::array::from_fn(|point| shifted(&points[anchor * 10 + point * 2..][..2])),
            });
        }
        first += count;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing but one face at an anchor of the second grid of a canvas of 64x96.
    fn answer(anchor: usize, score: f32) -> Vec<Tensor> {
        let anchors = 2 * (8 * 12 + 4 * 6 + 2 * 3);
        let [mut boxes, mut classes, mut points] =
            [4, 2, 10].map(|width| Tensor::zeros(&[1, anchors, width]));
        let at = 2 * 8 * 12 + anchor;
        boxes.values_mut()[at * 4..][..4].copy_from_slice(&[1.0, -0.5, 5.0 * 2.0_f32.ln(), 0.0]);
        classes.values_mut()[at * 2..][..2].copy_from_slice(&[1.0 - score, score]);
        points.values_mut()[at * 10 + 2..][..2].copy_from_slice(&[0.5, 1.0]);
        vec![boxes, classes, points]
    }

    #[test]
    fn a_face_is_read_from_its_anchor() {
        // The second anchor, of 128 pixels, of the cell in the third row and the second column.
        let found = candidates(&answer(2 * (2 * 4 + 1) + 1, 0.9), (64, 96), 0.5).expect("the shapes are its");
        assert_eq!(found.len(), 1);
        let bounds = found[0].bounds;
        // The cell's centre is at 24, 40; the box is twice as wide as the anchor.
        for (value, expected) in [
            (bounds.x, 24.0 + 12.8 - 128.0),
            (bounds.y, 40.0 - 6.4 - 64.0),
            (bounds.width, 256.0),
            (bounds.height, 128.0),
            (found[0].points[1].x, 24.0 + 6.4),
            (found[0].points[1].y, 40.0 + 12.8),
        ] {
            assert!((value - expected).abs() < 1e-3, "{value} in place of {expected}");
        }
    }

    #[test]
    fn a_weak_anchor_is_no_face() {
        for score in [0.4, f32::NAN] {
            assert_eq!(candidates(&answer(0, score), (64, 96), 0.5), Some(vec![]));
        }
    }

    #[test]
    fn the_answer_of_another_model_is_refused() {
        assert_eq!(candidates(&[Tensor::zeros(&[1, 512])], (64, 96), 0.5), None);
        assert_eq!(candidates(&answer(0, 0.9), (96, 96), 0.5), None);
    }
}
