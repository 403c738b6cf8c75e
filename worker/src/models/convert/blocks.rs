//! What `MobileFaceNet` (Chen et al. 2018) and `MiniFASNet` have in common: blocks of three convolutions, 1x1, depthwise, and
//! 1x1 again, with what is negative made less by a factor for each channel. A normalisation becomes part of what is before it.

use super::ConvertError;
use super::onnx::{Attribute, Graph, Value};
use super::torch::Tensors;

/// What `PyTorch` adds to a variance before it takes the root.
const EPSILON: f64 = 1e-5;

/// The stages and how many blocks that add to their input each has; one without is a block that halves the square.
const STAGES: [(&str, usize); 6] =
    [("conv_23", 0), ("conv_3", 4), ("conv_34", 0), ("conv_4", 6), ("conv_45", 0), ("conv_5", 2)];

/// How a convolution looks at its input.
struct Window {
    side: usize,
    stride: u64,
    padding: u64,
    /// Each channel by itself.
    in_depth: bool,
}

const POINT: Window = Window { side: 1, stride: 1, padding: 0, in_depth: false };
const DEPTH: Window = Window { side: 3, stride: 1, padding: 1, in_depth: true };
const HALVING: Window = Window { stride: 2, ..DEPTH };
const FIRST: Window = Window { in_depth: false, ..HALVING };

/// A network that grows, and what it is made of.
pub(super) struct Network {
    weights: Tensors,
    graph: Graph,
}

/// Somewhere in the network.
pub(super) struct At {
    value: Value,
    channels: usize,
}

/// A normalisation, as a factor and a shift for each channel.
struct Norm {
    factors: Vec<f64>,
    shifts: Vec<f32>,
}

impl Network {
    pub(super) fn of(weights: &[u8]) -> Result<Self, ConvertError> {
        Ok(Self { weights: Tensors::parse(weights)?, graph: Graph::default() })
    }

    /// All blocks, and last a convolution over the whole of the square of that side that is left.
    pub(super) fn trunk(&mut self, side: usize) -> Result<At, ConvertError> {
        let pixels = At { value: Graph::input(), channels: 3 };
        let mut at = self.bent("conv1", &pixels, &FIRST)?;
        at = self.bent("conv2_dw", &at, &DEPTH)?;
        for (stage, blocks) in STAGES {
            if blocks == 0 {
                at = self.block(stage, &at, &HALVING)?;
            }
            for block in 0..blocks {
                let found = self.block(&format!("{stage}.model.{block}"), &at, &DEPTH)?;
                at.value = self.graph.apply("Add", &[&at.value, &found.value], &[]);
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
        let Norm { factors, shifts } = self.norm("bn")?;
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

    /// The file of the whole, which takes colour pictures of that side.
    pub(super) fn finish(self, name: &str, side: usize, output: (&Value, usize)) -> Vec<u8> {
        self.graph.finish(name, &[1, 3, side, side], (output.0, &[1, output.1]))
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

    /// A convolution and its normalisation, as one.
    fn straight(&mut self, name: &str, at: &At, window: &Window) -> Result<At, ConvertError> {
        let Norm { factors, shifts } = self.norm(&format!("{name}.bn"))?;
        let (channels, inputs) = (shifts.len(), if window.in_depth { 1 } else { at.channels });
        let each = inputs * window.side * window.side;
        let filters = self.weights.values(&format!("module.{name}.conv.weight"), channels * each)?;
        let filters: Vec<f32> = scaled(filters, each, &factors);
        let filters = self.graph.floats(&[channels, inputs, window.side, window.side], &filters);
        let shifts = self.graph.floats(&[channels], &shifts);
        let attributes = [
            ("strides", Attribute::Integers(&[window.stride; 2])),
            ("pads", Attribute::Integers(&[window.padding; 4])),
            ("group", Attribute::Integer(if window.in_depth { channels as u64 } else { 1 })),
        ];
        let value = self.graph.apply("Conv", &[&at.value, &filters, &shifts], &attributes);
        Ok(At { value, channels })
    }

    fn norm(&self, name: &str) -> Result<Norm, ConvertError> {
        let gains = self.weights.all(&format!("module.{name}.weight"))?;
        let of = |part: &str| self.weights.values(&format!("module.{name}.{part}"), gains.len());
        let (biases, means, variances) = (of("bias")?, of("running_mean")?, of("running_var")?);
        let factors: Vec<f64> = gains
            .iter()
            .zip(variances)
            .map(|(gain, variance)| f64::from(*gain) / (f64::from(*variance) + EPSILON).sqrt())
            .collect();
        let shifts = biases
            .iter()
            .zip(means.iter().zip(&factors))
            .map(|(bias, (mean, factor))| (f64::from(*bias) - f64::from(*mean) * factor) as f32)
            .collect();
        Ok(Norm { factors, shifts })
    }
}

/// Each row of that length times its factor.
fn scaled(rows: &[f32], length: usize, factors: &[f64]) -> Vec<f32> {
    rows.iter().enumerate().map(|(at, value)| (f64::from(*value) * factors[at / length]) as f32).collect()
}

/// A matrix of that many rows, its columns as rows.
fn transposed(matrix: &[f32], rows: usize) -> Vec<f32> {
    let columns = matrix.len() / rows;
    (0..matrix.len()).map(|at| matrix[at % rows * columns + at / rows]).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::torch::tests::written;
    use super::*;

    /// A network of two channels throughout: filters of 3 everywhere, a gain of 4 and a variance of 1 everywhere, a bias of 5
    /// and a mean of 1; then the heads.
    pub(in crate::models::convert) fn weights(
        (side, features): (usize, usize),
        heads: &[(&str, usize)],
        leave_out: &str,
    ) -> Vec<u8> {
        let mut tensors = Vec::new();
        let mut tensor = |name: String, value: f32, length: usize| {
            if name != leave_out {
                tensors.push((format!("module.{name}"), vec![value; length]));
            }
        };
        let norm = |name: &str, length: usize, tensor: &mut dyn FnMut(String, f32, usize)| {
            for (part, value) in [("weight", 4.0), ("bias", 5.0), ("running_mean", 1.0), ("running_var", 1.0)]
            {
                tensor(format!("{name}.{part}"), value, length);
            }
        };
        let mut unit = |name: &str, length: usize| {
            tensor(format!("{name}.conv.weight"), 3.0, length);
            tensor(format!("{name}.prelu.weight"), 0.25, 2);
            norm(&format!("{name}.bn"), 2, &mut tensor);
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
        tensor("linear.weight".to_owned(), 3.0, 2 * features);
        norm("bn", features, &mut tensor);
        for (name, length) in heads {
            tensor((*name).to_owned(), 7.0, *length);
        }
        written(&tensors)
    }

    /// What a gain, a mean and a bias of [`weights`] make of a filter, and the shift that is left.
    pub(in crate::models::convert) fn folded() -> [f32; 2] {
        let factor = 4.0 / (1.0 + EPSILON).sqrt();
        [(3.0 * factor) as f32, (5.0 - factor) as f32]
    }

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
