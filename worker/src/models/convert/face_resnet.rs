//! dlib's face recogniser, a residual network of 29 layers, from face-api's weights to ONNX.
//!
//! The network is dlib's `dnn_face_recognition_ex`, as face-api's `FaceRecognitionNet` lays it out.

use super::ConvertError;
use super::onnx::{Attribute, Graph, Value};
use super::tensorflow_js::Weights;

/// Side of the aligned face.
const SIDE: usize = 150;
/// Length of the vector.
const DIMENSIONS: usize = 128;
/// What dlib takes off each channel before it divides; folded into the first layer, so that pixels are fed as they are.
const MEAN: [f64; 3] = [122.782, 117.001, 104.298];
const DIVISOR: f64 = 256.0;

/// Writes the network; `manifest` and `weights` are face-api's. The same input gives the same bytes, everywhere.
pub fn face_resnet_to_onnx(manifest: &[u8], weights: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut network = Network { weights: Weights::parse(manifest, weights)?, graph: Graph::default() };
    let mut at = network.stem()?;
    for (blocks, channels) in [(3, 32), (3, 64), (2, 128), (2, 256)] {
        if channels > 32 {
            at = network.reduce(&format!("conv{channels}_down"), &at, channels / 2)?;
        }
        for block in 1..=blocks {
            at.value = network.block(&format!("conv{channels}_{block}"), &at.value)?;
        }
    }
    let at = network.reduce("conv256_down_out", &at, 0)?;
    let Network { weights, mut graph } = network;
    let last = weights.tensor("fc", 2)?;
    let last = graph.floats(&last.shape, &last.values);
    let pooled = graph.apply("GlobalAveragePool", &[&at.value], &[]);
    let flat = graph.apply("Flatten", &[&pooled], &[]);
    let vector = graph.apply("MatMul", &[&flat, &last], &[]);
    Ok(graph.finish("face_resnet", &[1, 3, SIDE, SIDE], &[(&vector, &[1, DIMENSIONS])]))
}

struct Network {
    weights: Weights,
    graph: Graph,
}

/// Somewhere in the network: a square of values.
struct At {
    value: Value,
    side: usize,
}

/// How a convolution steps over its input; what it adds around it.
struct Step {
    stride: u64,
    padding: u64,
}

const WHOLE: Step = Step { stride: 1, padding: 1 };
const HALF: Step = Step { stride: 2, padding: 0 };

impl Network {
    fn stem(&mut self) -> Result<At, ConvertError> {
        let wide = self.convolution("conv32_down", &Graph::input(), &HALF, true)?;
        let wide = self.graph.apply("Relu", &[&wide], &[]);
        let pool =
            [("kernel_shape", Attribute::Integers(&[3, 3])), ("strides", Attribute::Integers(&[2, 2]))];
        let value = self.graph.apply("MaxPool", &[&wide], &pool);
        Ok(At { value, side: halved(halved(SIDE, 7), 3) })
    }

    fn block(&mut self, name: &str, input: &Value) -> Result<Value, ConvertError> {
        let branch = self.branch(name, input, &WHOLE)?;
        let sum = self.graph.apply("Add", &[&branch, input], &[]);
        Ok(self.graph.apply("Relu", &[&sum], &[]))
    }

    /// A block that halves the square; `more` channels of zeros join its input.
    fn reduce(&mut self, name: &str, at: &At, more: i64) -> Result<At, ConvertError> {
        let mut branch = self.branch(name, &at.value, &HALF)?;
        let pool =
            [("kernel_shape", Attribute::Integers(&[2, 2])), ("strides", Attribute::Integers(&[2, 2]))];
        let mut pooled = self.graph.apply("AveragePool", &[&at.value], &pool);
        let side = at.side / 2;
        if halved(at.side, 3) < side {
            let padding = self.graph.integers(&[0, 0, 0, 0, 0, 0, 1, 1]);
            branch = self.graph.apply("Pad", &[&branch, &padding], &[]);
        }
        if more > 0 {
            let padding = self.graph.integers(&[0, 0, 0, 0, 0, more, 0, 0]);
            pooled = self.graph.apply("Pad", &[&pooled, &padding], &[]);
        }
        let sum = self.graph.apply("Add", &[&branch, &pooled], &[]);
        Ok(At { value: self.graph.apply("Relu", &[&sum], &[]), side })
    }

    fn branch(&mut self, name: &str, input: &Value, step: &Step) -> Result<Value, ConvertError> {
        let first = self.convolution(&format!("{name}/conv1"), input, step, false)?;
        let first = self.graph.apply("Relu", &[&first], &[]);
        self.convolution(&format!("{name}/conv2"), &first, &WHOLE, false)
    }

    /// A convolution and the scaling that follows it, as one. `first` takes pixels.
    fn convolution(
        &mut self,
        name: &str,
        input: &Value,
        step: &Step,
        first: bool,
    ) -> Result<Value, ConvertError> {
        let filters = self.weights.tensor(&format!("{name}/conv/filters"), 4)?;
        let [height, width, inputs, outputs] = filters.shape[..] else {
            unreachable!("four dimensions were asked for, this is a bug")
        };
        let vector = |part: &str| -> Result<&[f32], ConvertError> {
            let tensor = self.weights.tensor(&format!("{name}/{part}"), 1)?;
            if tensor.values.len() == outputs && (!first || inputs == MEAN.len()) {
                Ok(&tensor.values)
            } else {
                Err(ConvertError::Tensor { name: format!("{name}/{part}"), fault: "has another length" })
            }
        };
        let (bias, factor, shift) = (vector("conv/bias")?, vector("scale/weights")?, vector("scale/biases")?);
        let mut folded = vec![0.0; filters.values.len()];
        let mut biases: Vec<f64> = bias.iter().copied().map(f64::from).collect();
        // From height, width, inputs, outputs to outputs, inputs, height, width.
        for (at, value) in filters.values.iter().enumerate() {
            let (cell, pair) = (at / (inputs * outputs), at % (inputs * outputs));
            let (source, target) = (pair / outputs, pair % outputs);
            let mut weight = f64::from(*value);
            if first {
                weight /= DIVISOR;
                biases[target] -= weight * MEAN[source];
            }
            folded[(target * inputs + source) * height * width + cell] =
                (weight * f64::from(factor[target])) as f32;
        }
        let biases: Vec<f32> = biases
            .iter()
            .zip(factor.iter().zip(shift))
            .map(|(bias, (factor, shift))| (bias * f64::from(*factor) + f64::from(*shift)) as f32)
            .collect();
        let folded = self.graph.floats(&[outputs, inputs, height, width], &folded);
        let biases = self.graph.floats(&[outputs], &biases);
        let attributes = [
            ("strides", Attribute::Integers(&[step.stride; 2])),
            ("pads", Attribute::Integers(&[step.padding; 4])),
        ];
        Ok(self.graph.apply("Conv", &[input, &folded, &biases], &attributes))
    }
}

/// The side after steps of two with a window of that size, none of it beyond the edge.
const fn halved(side: usize, window: usize) -> usize {
    (side - window) / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::super::onnx::tests::holds;
    use super::*;

    /// A layer `name` of 1x1 filters, from two channels (three for pixels) to one.
    fn weights(inputs: usize) -> Weights {
        let float = |name: &str, shape: &str| {
            format!(r#"{{"name": "layer/{name}", "shape": {shape}, "dtype": "float32"}}"#)
        };
        let manifest = format!(
            r#"[{{"weights": [{}, {}, {}, {}]}}]"#,
            float("conv/filters", &format!("[1, 1, {inputs}, 1]")),
            float("conv/bias", "[1]"),
            float("scale/weights", "[1]"),
            float("scale/biases", "[1]"),
        );
        let filters = [256.0_f32, 512.0, 1024.0];
        let numbers = filters[..inputs].iter().copied().chain([1.0, 2.0, 3.0]);
        let bytes: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
        Weights::parse(manifest.as_bytes(), &bytes).expect("they fit")
    }

    fn written(inputs: usize, first: bool) -> Result<Vec<u8>, ConvertError> {
        let mut network = Network { weights: weights(inputs), graph: Graph::default() };
        let value = network.convolution("layer", &Graph::input(), &WHOLE, first)?;
        Ok(network.graph.finish("test", &[1, inputs, 1, 1], &[(&value, &[1, 1, 1, 1])]))
    }

    #[test]
    fn the_scaling_behind_a_convolution_becomes_part_of_it() {
        let file = written(2, false).expect("it is understood");
        holds(&file, &[512.0, 1024.0]);
        // (x + bias) * factor + shift.
        holds(&file, &[5.0]);
    }

    #[test]
    fn the_first_layer_takes_pixels_as_they_are() {
        let file = written(3, true).expect("it is understood");
        holds(&file, &[2.0, 4.0, 8.0]);
        let mean = 122.782 + 2.0 * 117.001 + 4.0 * 104.298;
        holds(&file, &[((1.0 - mean) * 2.0 + 3.0) as f32]);
        assert!(written(2, true).is_err(), "two channels are no pixels");
    }

    #[test]
    fn weights_that_are_not_all_there_are_refused() {
        let manifest = br#"[{"weights": []}]"#;
        assert!(matches!(face_resnet_to_onnx(manifest, &[]), Err(ConvertError::Missing(_))));
    }
}
