//! `MiniFASNetV2`, minivision's judge of liveness, from its `PyTorch` file to ONNX.
//!
//! The network is `MiniFASNet` of Silent-Face-Anti-Spoofing: blocks of three convolutions, one by one, in depth, and one by one
//! again, with the channels that pruning has left of each. A normalisation becomes part of what is before it.

use super::ConvertError;
use super::onnx::{Attribute, Graph, Value};
use super::torch::Tensors;

/// Side of the crop.
const SIDE: usize = 80;
/// Attack, bona fide, attack.
const CLASSES: usize = 3;
/// Length of the vector before the classes.
const FEATURES: usize = 128;
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
/// All of the last square.
const LAST: Window = Window { side: 5, padding: 0, ..DEPTH };

/// Writes the network. The same weights give the same bytes, everywhere.
pub fn minifasnet_to_onnx(weights: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut network = Network { weights: Tensors::parse(weights)?, graph: Graph::default() };
    let pixels = At { value: Graph::input(), channels: 3 };
    let mut at = network.bent("conv1", &pixels, &FIRST)?;
    at = network.bent("conv2_dw", &at, &DEPTH)?;
    for (stage, blocks) in STAGES {
        if blocks == 0 {
            at = network.block(stage, &at, &HALVING)?;
        }
        for block in 0..blocks {
            let found = network.block(&format!("{stage}.model.{block}"), &at, &DEPTH)?;
            at.value = network.graph.apply("Add", &[&at.value, &found.value], &[]);
        }
    }
    at = network.bent("conv_6_sep", &at, &POINT)?;
    at = network.straight("conv_6_dw", &at, &LAST)?;
    let logits = network.classes(&at)?;
    Ok(network.graph.finish("minifasnet", &[1, 3, SIDE, SIDE], (&logits, &[1, CLASSES])))
}

struct Network {
    weights: Tensors,
    graph: Graph,
}

/// Somewhere in the network.
struct At {
    value: Value,
    channels: usize,
}

/// A normalisation, as a factor and a shift for each channel.
struct Norm {
    factors: Vec<f64>,
    shifts: Vec<f32>,
}

impl Network {
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

    fn classes(&mut self, at: &At) -> Result<Value, ConvertError> {
        let Norm { factors, shifts } = self.norm("bn")?;
        let features = self.weights.values("module.linear.weight", FEATURES * at.channels)?;
        let features = transposed(&scaled(features, at.channels, &factors), FEATURES);
        let classes = transposed(self.weights.values("module.prob.weight", CLASSES * FEATURES)?, CLASSES);
        let features = self.graph.floats(&[at.channels, FEATURES], &features);
        let shifts = self.graph.floats(&[FEATURES], &shifts);
        let classes = self.graph.floats(&[FEATURES, CLASSES], &classes);
        let flat = self.graph.apply("Flatten", &[&at.value], &[]);
        let found = self.graph.apply("MatMul", &[&flat, &features], &[]);
        let found = self.graph.apply("Add", &[&found, &shifts], &[]);
        Ok(self.graph.apply("MatMul", &[&found, &classes], &[]))
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
mod tests {
    use super::super::onnx::tests::holds;
    use super::super::torch::tests::written;
    use super::*;

    /// A network of two channels throughout: filters of 3 everywhere, a gain of 4 and a variance of 1 everywhere, a bias of 5
    /// and a mean of 1.
    fn weights(leave_out: &str) -> Vec<u8> {
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
        for (name, length) in [("conv1", 2 * 27), ("conv2_dw", 18), ("conv_6_sep", 4), ("conv_6_dw", 50)] {
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
        tensor("linear.weight".to_owned(), 3.0, 2 * FEATURES);
        norm("bn", FEATURES, &mut tensor);
        tensor("prob.weight".to_owned(), 7.0, CLASSES * FEATURES);
        written(&tensors)
    }

    #[test]
    fn a_normalisation_becomes_part_of_what_is_before_it() {
        let file = minifasnet_to_onnx(&weights("")).expect("it is understood");
        let factor = 4.0 / (1.0 + EPSILON).sqrt();
        holds(&file, &[(3.0 * factor) as f32; 2 * FEATURES]);
        holds(&file, &[(5.0 - factor) as f32; FEATURES]);
        holds(&file, &[7.0; CLASSES * FEATURES]);
        holds(&file, &[0.25; 2]);
    }

    #[test]
    fn weights_that_are_not_all_there_are_refused() {
        for name in [
            "conv_4.model.5.project.conv.weight",
            "conv_45.conv.prelu.weight",
            "bn.running_var",
            "prob.weight",
        ] {
            assert!(matches!(minifasnet_to_onnx(&weights(name)), Err(ConvertError::Missing(_))), "{name}");
        }
    }

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
