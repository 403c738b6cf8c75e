//! A convolutional network that grows layer by layer, from `PyTorch`'s tensors to ONNX. A normalisation becomes part of the
//! convolution before it.

use super::ConvertError;
use super::onnx::{Attribute, Graph, Value};
use super::torch::Tensors;

/// What `PyTorch` adds to a variance before it takes the root.
pub(super) const EPSILON: f64 = 1e-5;

/// How a convolution looks at its input.
pub(super) struct Window {
    pub(super) side: usize,
    pub(super) stride: u64,
    pub(super) padding: u64,
    /// Each channel by itself.
    pub(super) in_depth: bool,
}

pub(super) const POINT: Window = Window { side: 1, stride: 1, padding: 0, in_depth: false };
pub(super) const AROUND: Window = Window { side: 3, padding: 1, ..POINT };
pub(super) const DEPTH: Window = Window { in_depth: true, ..AROUND };
pub(super) const HALVING: Window = Window { stride: 2, ..DEPTH };
pub(super) const FIRST: Window = Window { in_depth: false, ..HALVING };

/// A network that grows, and what it is made of.
pub(super) struct Network {
    pub(super) weights: Tensors,
    pub(super) graph: Graph,
}

/// Somewhere in the network.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) value: Value,
    pub(super) channels: usize,
}

/// A normalisation, as a factor and a shift for each channel.
pub(super) struct Norm {
    pub(super) factors: Vec<f64>,
    pub(super) shifts: Vec<f32>,
}

impl Network {
    pub(super) fn of(weights: &[u8]) -> Result<Self, ConvertError> {
        Ok(Self { weights: Tensors::parse(weights)?, graph: Graph::default() })
    }

    /// Colour pictures.
    pub(super) fn pixels() -> At {
        At { value: Graph::input(), channels: 3 }
    }

    /// A convolution at that place of a sequence, and its normalisation right after it.
    pub(super) fn layer(
        &mut self,
        name: &str,
        place: usize,
        at: &At,
        window: &Window,
    ) -> Result<At, ConvertError> {
        self.normalised(&format!("{name}.{place}"), &format!("{name}.{}", place + 1), at, window)
    }

    /// A convolution and its normalisation, as one.
    pub(super) fn normalised(
        &mut self,
        name: &str,
        norm: &str,
        at: &At,
        window: &Window,
    ) -> Result<At, ConvertError> {
        let Norm { factors, shifts } = self.norm(norm)?;
        let each = window.each(at);
        let filters = self.weights.values(&format!("{name}.weight"), shifts.len() * each)?;
        let filters = scaled(filters, each, &factors);
        Ok(self.convolved(at, (window, shifts.len()), &filters, Some(&shifts)))
    }

    /// A convolution with that many channels and shifts of its own.
    pub(super) fn convolution(
        &mut self,
        name: &str,
        at: &At,
        (window, channels): (&Window, usize),
    ) -> Result<At, ConvertError> {
        let filters = self.weights.values(&format!("{name}.weight"), channels * window.each(at))?.to_vec();
        let shifts = self.weights.values(&format!("{name}.bias"), channels)?.to_vec();
        Ok(self.convolved(at, (window, channels), &filters, Some(&shifts)))
    }

    /// A convolution of so many filters, one after another, and shifts, one for each.
    pub(super) fn convolved(
        &mut self,
        at: &At,
        (window, channels): (&Window, usize),
        filters: &[f32],
        shifts: Option<&[f32]>,
    ) -> At {
        let filters = self.graph.floats(&[channels, window.inputs(at), window.side, window.side], filters);
        let shifts = shifts.map(|shifts| self.graph.floats(&[channels], shifts));
        let attributes = [
            ("strides", Attribute::Integers(&[window.stride; 2])),
            ("pads", Attribute::Integers(&[window.padding; 4])),
            ("group", Attribute::Integer(if window.in_depth { channels as u64 } else { 1 })),
        ];
        let inputs: Vec<&Value> = [&at.value, &filters].into_iter().chain(&shifts).collect();
        At { value: self.graph.apply("Conv", &inputs, &attributes), channels }
    }

    /// What the operator makes of it and of others, channel for channel.
    pub(super) fn then(
        &mut self,
        operator: &str,
        at: &At,
        others: &[&At],
        attributes: &[(&str, Attribute<'_>)],
    ) -> At {
        let inputs: Vec<&Value> = [at].iter().chain(others).map(|at| &at.value).collect();
        At { value: self.graph.apply(operator, &inputs, attributes), channels: at.channels }
    }

    pub(super) fn norm(&self, name: &str) -> Result<Norm, ConvertError> {
        let gains = self.weights.all(&format!("{name}.weight"))?;
        let of = |part: &str| self.weights.values(&format!("{name}.{part}"), gains.len());
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

impl Window {
    /// The channels of a filter.
    const fn inputs(&self, at: &At) -> usize {
        if self.in_depth { 1 } else { at.channels }
    }

    /// The weights of a filter.
    const fn each(&self, at: &At) -> usize {
        self.inputs(at) * self.side * self.side
    }
}

/// Each row of that length times its factor.
pub(super) fn scaled(rows: &[f32], length: usize, factors: &[f64]) -> Vec<f32> {
    rows.iter().enumerate().map(|(at, value)| (f64::from(*value) * factors[at / length]) as f32).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::torch::tests::written;
    use super::EPSILON;

    /// Weights of a network that is made up: filters of 3 everywhere, a gain of 4, a variance of 1, a bias of 5 and a mean of 1.
    pub(in crate::models::convert) struct Made {
        tensors: Vec<(String, Vec<f32>)>,
        left_out: String,
    }

    impl Made {
        /// Without the tensor of that name.
        pub(in crate::models::convert) fn without(name: &str) -> Self {
            Self { tensors: Vec::new(), left_out: name.to_owned() }
        }

        pub(in crate::models::convert) fn tensor(&mut self, name: &str, value: f32, length: usize) {
            if name != self.left_out {
                self.tensors.push((name.to_owned(), vec![value; length]));
            }
        }

        /// That many channels, each with a filter of so many weights.
        pub(in crate::models::convert) fn convolution(
            &mut self,
            name: &str,
            (channels, each): (usize, usize),
        ) {
            self.tensor(&format!("{name}.weight"), 3.0, channels * each);
            self.tensor(&format!("{name}.bias"), 5.0, channels);
        }

        pub(in crate::models::convert) fn norm(&mut self, name: &str, channels: usize) {
            for (part, value) in [("weight", 4.0), ("bias", 5.0), ("running_mean", 1.0), ("running_var", 1.0)]
            {
                self.tensor(&format!("{name}.{part}"), value, channels);
            }
        }

        /// A convolution at that place of a sequence, and its normalisation.
        pub(in crate::models::convert) fn layer(
            &mut self,
            name: &str,
            place: usize,
            (channels, each): (usize, usize),
        ) {
            self.tensor(&format!("{name}.{place}.weight"), 3.0, channels * each);
            self.norm(&format!("{name}.{}", place + 1), channels);
        }

        pub(in crate::models::convert) fn written(&self) -> Vec<u8> {
            written(&self.tensors)
        }
    }

    /// What a gain, a mean and a bias make of a filter, and the shift that is left.
    pub(in crate::models::convert) fn folded() -> [f32; 2] {
        let factor = 4.0 / (1.0 + EPSILON).sqrt();
        [(3.0 * factor) as f32, (5.0 - factor) as f32]
    }
}
