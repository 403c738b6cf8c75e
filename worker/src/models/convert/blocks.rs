//! What `MobileFaceNet` (Chen et al. 2018) and `MiniFASNet` have in common: blocks of three convolutions, 1x1, depthwise, and
//! 1x1 again, with what is negative made less by a factor for each channel.

use super::ConvertError;
use super::network::{At, DEPTH, FIRST, HALVING, Network, Norm, POINT, Window, scaled};
use super::onnx::Value;

/// The stages and how many blocks that add to their input each has; one without is a block that halves the square.
const STAGES: [(&str, usize); 6] =
    [("conv_23", 0), ("conv_3", 4), ("conv_34", 0), ("conv_4", 6), ("conv_45", 0), ("conv_5", 2)];

impl Network {
    /// All blocks, and last a convolution over the whole of the square of that side that is left.
    pub(super) fn trunk(&mut self, side: usize) -> Result<At, ConvertError> {
        let mut at = self.bent("conv1", &Self::pixels(), &FIRST)?;
        at = self.bent("conv2_dw", &at, &DEPTH)?;
        for (stage, blocks) in STAGES {
            if blocks == 0 {
                at = self.block(stage, &at, &HALVING)?;
            }
            for block in 0..blocks {
                let found = self.block(&format!("{stage}.model.{block}"), &at, &DEPTH)?;
                at = self.then("Add", &at, &[&found], &[]);
            }
        }
        at = self.bent("conv_6_sep", &at, &POINT)?;
        self.straight("conv_6_dw", &at, &Window { side, padding: 0, ..DEPTH })
    }

    /// The vector of that many features, or what it says of that many classes.
    pub(super) fn head(
        &mut self,
        at: &At,
        features: usize,
        classes: Option<usize>,
    ) -> Result<Value, ConvertError> {
        self.weights.values("module.bn.weight", features)?;
        let Norm { factors, shifts } = self.norm("module.bn")?;
        let matrix = self.weights.values("module.linear.weight", features * at.channels)?;
        let matrix = transposed(&scaled(matrix, at.channels, &factors), features);
        let matrix = self.graph.floats(&[at.channels, features], &matrix);
        let shifts = self.graph.floats(&[features], &shifts);
        let classes = match classes {
            Some(count) => {
                let matrix = self.weights.values("module.prob.weight", count * features)?;
                Some(self.graph.floats(&[features, count], &transposed(matrix, count)))
            }
            None => None,
        };
        let flat = self.graph.apply("Flatten", &[&at.value], &[]);
        let found = self.graph.apply("MatMul", &[&flat, &matrix], &[]);
        let found = self.graph.apply("Add", &[&found, &shifts], &[]);
        Ok(match classes {
            Some(classes) => self.graph.apply("MatMul", &[&found, &classes], &[]),
            None => found,
        })
    }

    fn block(&mut self, name: &str, at: &At, depth: &Window) -> Result<At, ConvertError> {
        let wide = self.bent(&format!("{name}.conv"), at, &POINT)?;
        let seen = self.bent(&format!("{name}.conv_dw"), &wide, depth)?;
        self.straight(&format!("{name}.project"), &seen, &POINT)
    }

    /// A convolution, and less of what is negative.
    fn bent(&mut self, name: &str, at: &At, window: &Window) -> Result<At, ConvertError> {
        let At { value, channels } = self.straight(name, at, window)?;
        let slopes = self.weights.values(&format!("module.{name}.prelu.weight"), channels)?;
        let slopes = self.graph.floats(&[channels, 1, 1], slopes);
        Ok(At { value: self.graph.apply("PRelu", &[&value, &slopes], &[]), channels })
    }

    fn straight(&mut self, name: &str, at: &At, window: &Window) -> Result<At, ConvertError> {
        self.normalised(&format!("module.{name}.conv"), &format!("module.{name}.bn"), at, window)
    }
}

/// A matrix of that many rows, its columns as rows.
fn transposed(matrix: &[f32], rows: usize) -> Vec<f32> {
    let columns = matrix.len() / rows;
    (0..matrix.len()).map(|at| matrix[at % rows * columns + at / rows]).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::network::tests::Made;
    use super::*;

    /// A network of two channels throughout; then the heads.
    pub(in crate::models::convert) fn weights(
        (side, features): (usize, usize),
        heads: &[(&str, usize)],
        leave_out: &str,
    ) -> Vec<u8> {
        let mut made = Made::without(&format!("module.{leave_out}"));
        let mut unit = |name: &str, length: usize| {
            made.tensor(&format!("module.{name}.conv.weight"), 3.0, length);
            made.tensor(&format!("module.{name}.prelu.weight"), 0.25, 2);
            made.norm(&format!("module.{name}.bn"), 2);
        };
        for (name, length) in
            [("conv1", 2 * 27), ("conv2_dw", 18), ("conv_6_sep", 4), ("conv_6_dw", 2 * side * side)]
        {
            unit(name, length);
        }
        for (stage, blocks) in STAGES {
            let names: Vec<String> = match blocks {
                0 => vec![stage.to_owned()],
                _ => (0..blocks).map(|block| format!("{stage}.model.{block}")).collect(),
            };
            for name in names {
                for (part, length) in [("conv", 4), ("conv_dw", 18), ("project", 4)] {
                    unit(&format!("{name}.{part}"), length);
                }
            }
        }
        made.tensor("module.linear.weight", 3.0, 2 * features);
        made.norm("module.bn", features);
        for (name, length) in heads {
            made.tensor(&format!("module.{name}"), 7.0, *length);
        }
        made.written()
    }

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
