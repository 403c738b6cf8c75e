//! Reads `YuNet`'s answer: two scores, boxes and key points on three grids, one anchor a cell.

use countersign_shared::domain::{BoundingBox, Point};

use super::detect::Candidate;
use crate::engines::onnx::Tensor;

const STRIDES: [usize; 3] = [8, 16, 32];

/// Every cell with at least that score. `None` when the tensors are not `YuNet`'s for a canvas of that size: the
/// outputs are told apart by their shapes. A face's score is the geometric mean of two outputs, so their order is no
/// matter.
pub(super) fn candidates(
    outputs: &[Tensor],
    (width, height): (u32, u32),
    threshold: f32,
) -> Option<Vec<Candidate>> {
    let mut found = Vec::new();
    for stride in STRIDES {
        let (row, rows) = (width as usize / stride, height as usize / stride);
        let cells = row * rows;
        let of_width = |width: usize| {
            outputs.iter().map(|tensor| (tensor.shape().last(), tensor.values())).filter_map(
                move |(last, values)| {
                    (last == Some(&width) && values.len() == cells * width).then_some(values)
                },
            )
        };
        let mut scores = of_width(1);
        let (face, object) = (scores.next()?, scores.next()?);
        let (boxes, points) = (of_width(4).next()?, of_width(10).next()?);
        for cell in 0..cells {
            let score = (face[cell].clamp(0.0, 1.0) * object[cell].clamp(0.0, 1.0)).sqrt();
            if score < threshold {
                continue;
            }
            let scaled = |value: f32| f64::from(value) * stride as f64;
            let (left, top) = ((cell % row * stride) as f64, (cell / row * stride) as f64);
            let [across, down, width, height] = std::array::from_fn(|at| boxes[cell * 4 + at]);
            let (width, height) = (scaled(width.exp()), scaled(height.exp()));
            found.push(Candidate {
                score,
                bounds: BoundingBox {
                    x: left + scaled(across) - width / 2.0,
                    y: top + scaled(down) - height / 2.0,
                    width,
                    height,
                },
                points: std::array::from_fn(|point| Point {
                    x: left + scaled(points[cell * 10 + point * 2]),
                    y: top + scaled(points[cell * 10 + point * 2 + 1]),
                }),
            });
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `YuNet`'s outputs in its own order: nothing but one face at a cell of the second grid.
    fn answer(side: usize, column: usize, row: usize, scores: [f32; 2]) -> Vec<Tensor> {
        let mut outputs = Vec::new();
        for (index, width) in [1, 1, 4, 10].into_iter().enumerate() {
            for stride in STRIDES {
                let cells = side / stride;
                let mut tensor = Tensor::zeros(&[1, cells * cells, width]);
                if stride == 16 {
                    let cell = row * cells + column;
                    let values = &mut tensor.values_mut()[cell * width..(cell + 1) * width];
                    match width {
                        1 => values.fill(scores[index]),
                        4 => values.copy_from_slice(&[0.5, 0.25, 2.0_f32.ln(), 4.0_f32.ln()]),
                        _ => values.copy_from_slice(&[-0.5, 0.0, 1.5, 0.0, 0.5, 0.5, 0.0, 1.0, 1.0, 1.0]),
                    }
                }
                outputs.push(tensor);
            }
        }
        outputs
    }

    #[test]
    fn a_face_is_read_from_its_cell() {
        let found =
            candidates(&answer(320, 5, 3, [0.9, 0.4]), (320, 320), 0.5).expect("the shapes are YuNet's");
        assert_eq!(found.len(), 1);
        assert!((found[0].score - 0.6).abs() < 1e-6, "the geometric mean: {}", found[0].score);
        let bounds = found[0].bounds;
        // Its centre is half a cell to the right and a quarter down; it is 2 cells wide and 4 high.
        for (value, expected) in
            [(bounds.x, 72.0), (bounds.y, 20.0), (bounds.width, 32.0), (bounds.height, 64.0)]
        {
            assert!((value - expected).abs() < 1e-4, "{bounds:?}");
        }
        assert_eq!(found[0].points[1], Point { x: 104.0, y: 48.0 });
    }

    #[test]
    fn a_weak_cell_is_no_face() {
        assert_eq!(candidates(&answer(320, 5, 3, [0.9, 0.1]), (320, 320), 0.5), Some(vec![]));
    }

    #[test]
    fn the_answer_of_another_model_is_refused() {
        assert_eq!(candidates(&[Tensor::zeros(&[1, 512])], (320, 320), 0.5), None);
        assert_eq!(candidates(&answer(640, 0, 0, [0.0; 2]), (320, 320), 0.5), None);
    }
}
