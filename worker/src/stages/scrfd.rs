//! Reads SCRFD's answer: scores, box distances and key points on three grids of anchors.

use countersign_shared::domain::{BoundingBox, Point};

use super::detect::{Candidate, output};
use crate::engines::onnx::Tensor;

const STRIDES: [usize; 3] = [8, 16, 32];
const ANCHORS: usize = 2;

/// Every anchor with at least that score. `None` when the tensors are not SCRFD's for a canvas of that size: the
/// outputs are told apart by their shapes, so their names and order don't matter.
pub(super) fn candidates(
    outputs: &[Tensor],
    (width, height): (u32, u32),
    threshold: f32,
) -> Option<Vec<Candidate>> {
    let mut found = Vec::new();
    for stride in STRIDES {
        let (columns, rows) = (width as usize / stride, height as usize / stride);
        let anchors = columns * rows * ANCHORS;
        let output = |width: usize| output(outputs, anchors, width);
        let (scores, distances, points) = (output(1)?, output(4)?, output(10)?);
        for (anchor, score) in scores.iter().enumerate().filter(|(_, score)| **score >= threshold) {
            let cell = anchor / ANCHORS;
            let centre = [(cell % columns * stride) as f64, (cell / columns * stride) as f64];
            let scaled = |value: f32| f64::from(value) * stride as f64;
            let [left, top, right, bottom] = std::array::from_fn(|side| scaled(distances[anchor * 4 + side]));
            found.push(Candidate {
                score: *score,
                bounds: BoundingBox {
                    x: centre[0] - left,
                    y: centre[1] - top,
                    width: left + right,
                    height: top + bottom,
                },
                points: std::array::from_fn(|point| Point {
                    x: centre[0] + scaled(points[anchor * 10 + point * 2]),
                    y: centre[1] + scaled(points[anchor * 10 + point * 2 + 1]),
                }),
            });
        }
    }
    Some(found)
}

#[cfg(test)]
pub(super) mod fake {
    use super::{ANCHORS, STRIDES, Tensor};

    /// SCRFD's outputs for an input of that shape: nothing but one face of 32x32 pixels at a cell of the first grid.
    pub(in crate::stages) fn answer(shape: &[usize], face: Option<(usize, usize, f32)>) -> Vec<Tensor> {
        let mut outputs = Vec::new();
        for width in [1, 4, 10] {
            for stride in STRIDES {
                let (rows, columns) = (shape[2] / stride, shape[3] / stride);
                let mut tensor = Tensor::zeros(&[1, rows * columns * ANCHORS, width]);
                if let (8, Some((column, row, score))) = (stride, face) {
                    let anchor = (row * columns + column) * ANCHORS;
                    let value = if width == 1 { score } else { 2.0 };
                    tensor.values_mut()[anchor * width..(anchor + 1) * width].fill(value);
                    if width == 10 {
                        let points = [-1.0, -1.0, 1.0, -1.0, 0.0, 0.0, -1.0, 1.0, 1.0, 1.0];
                        tensor.values_mut()[anchor * width..(anchor + 1) * width].copy_from_slice(&points);
                    }
                }
                outputs.push(tensor);
            }
        }
        outputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_read_from_its_anchor() {
        let found = candidates(&fake::answer(&[1, 3, 320, 320], Some((5, 3, 0.8))), (320, 320), 0.5)
            .expect("the shapes are SCRFD's");
        let expected = BoundingBox { x: 24.0, y: 8.0, width: 32.0, height: 32.0 };
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].bounds, expected);
        assert_eq!(found[0].points[0], Point { x: 32.0, y: 16.0 });
    }

    #[test]
    fn a_canvas_need_not_be_square() {
        let found = candidates(&fake::answer(&[1, 3, 224, 320], Some((30, 3, 0.8))), (320, 224), 0.5);
        let expected = BoundingBox { x: 224.0, y: 8.0, width: 32.0, height: 32.0 };
        assert_eq!(found.expect("the shapes are SCRFD's")[0].bounds, expected);
    }

    #[test]
    fn a_weak_anchor_is_no_face() {
        assert_eq!(
            candidates(&fake::answer(&[1, 3, 320, 320], Some((5, 3, 0.4))), (320, 320), 0.5),
            Some(vec![])
        );
    }

    #[test]
    fn the_answer_of_another_model_is_refused() {
        assert_eq!(candidates(&[Tensor::zeros(&[1, 512])], (320, 320), 0.5), None);
        assert_eq!(candidates(&fake::answer(&[1, 3, 640, 640], None), (320, 320), 0.5), None);
    }
}
