//! `RetinaFace` (Deng et al. 2020) over a `MobileNet` of a quarter of its width, the face detector of FaceX-Zoo (Wang et al. 2021),
//! from its `PyTorch` file to ONNX.

use super::ConvertError;
use super::network::{AROUND, At, DEPTH, FIRST, HALVING, Network, POINT, Window};
use super::onnx::{ANY, Attribute, Value};

/// What is taken from blue, green and red.
const MEAN: [f32; 3] = [104.0, 117.0, 123.0];
/// The share of what is negative that stays.
const LEAK: f32 = 0.1;
/// The blocks of each stage, and at which place of its sequence they begin; a stage ends with a grid on which faces are looked
/// for.
const STAGES: [(&str, usize, &[Window]); 3] = [
    ("body.stage1", 1, &[DEPTH, HALVING, DEPTH, HALVING, DEPTH]),
    ("body.stage2", 0, &[HALVING, DEPTH, DEPTH, DEPTH, DEPTH, DEPTH]),
    ("body.stage3", 0, &[HALVING, DEPTH]),
];
/// The three heads: their names, how many numbers each says of an anchor, and how many anchors a cell has.
const BOXES: (&str, usize) = ("BboxHead", 4);
const CLASSES: (&str, usize) = ("ClassHead", 2);
const POINTS: (&str, usize) = ("LandmarkHead", 10);
const ANCHORS: usize = 2;

/// Writes the network, which takes 0 to 255 in the order blue, green, red, and sides that are multiples of 32. For all anchors,
/// the finest grid first, it gives boxes, two probabilities and points. The same weights give the same bytes, everywhere.
pub(super) fn retinaface_to_onnx(weights: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut network = Network::of(weights)?;
    let mean = At { value: network.graph.floats(&[1, 3, 1, 1], &MEAN), channels: 3 };
    let mut at = network.then("Sub", &Network::pixels(), &[&mean], &[]);
    at = network.leaky("body.stage1.0", 0, &at, &FIRST)?;
    let mut grids = Vec::new();
    for (stage, first, blocks) in STAGES {
        for (block, depth) in blocks.iter().enumerate() {
            let name = format!("{stage}.{}", first + block);
            let seen = network.leaky(&name, 0, &at, depth)?;
            at = network.leaky(&name, 3, &seen, &POINT)?;
        }
        grids.push(at.clone());
    }
    network.pyramid(&mut grids)?;
    for (grid, at) in grids.iter_mut().enumerate() {
        *at = network.context(&format!("ssh{}", grid + 1), at)?;
    }
    let boxes = network.heads(BOXES, &grids)?;
    let classes = network.heads(CLASSES, &grids)?;
    let classes = network.graph.apply("Softmax", &[&classes], &[("axis", Attribute::Integer(2))]);
    let points = network.heads(POINTS, &grids)?;
    let outputs: [(&Value, &[usize]); 3] =
        [(&boxes, &[1, ANY, BOXES.1]), (&classes, &[1, ANY, CLASSES.1]), (&points, &[1, ANY, POINTS.1])];
    Ok(network.graph.finish("retinaface", &[1, 3, ANY, ANY], &outputs))
}

impl Network {
    /// Each grid learns from the coarser one after it.
    fn pyramid(&mut self, grids: &mut [At]) -> Result<(), ConvertError> {
        for (grid, at) in grids.iter_mut().enumerate() {
            *at = self.leaky(&format!("fpn.output{}", grid + 1), 0, at, &POINT)?;
        }
        for grid in (1..grids.len()).rev() {
            let wide = self.doubled(&grids[grid]);
            let sum = self.then("Add", &grids[grid - 1], &[&wide], &[]);
            grids[grid - 1] = self.leaky(&format!("fpn.merge{grid}"), 0, &sum, &AROUND)?;
        }
        Ok(())
    }

    /// Looks three, five and seven cells wide.
    fn context(&mut self, name: &str, at: &At) -> Result<At, ConvertError> {
        let three = self.layer(&format!("{name}.conv3X3"), 0, at, &AROUND)?;
        let wider = self.leaky(&format!("{name}.conv5X5_1"), 0, at, &AROUND)?;
        let five = self.layer(&format!("{name}.conv5X5_2"), 0, &wider, &AROUND)?;
        let widest = self.leaky(&format!("{name}.conv7X7_2"), 0, &wider, &AROUND)?;
        let seven = self.layer(&format!("{name}.conv7x7_3"), 0, &widest, &AROUND)?;
        let channels = three.channels + five.channels + seven.channels;
        let all = self.then("Concat", &three, &[&five, &seven], &[("axis", Attribute::Integer(1))]);
        Ok(At { channels, ..self.then("Relu", &all, &[], &[]) })
    }

    /// What one kind of head says of every anchor of all grids.
    fn heads(&mut self, (name, numbers): (&str, usize), grids: &[At]) -> Result<Value, ConvertError> {
        let mut found = Vec::new();
        for (grid, at) in grids.iter().enumerate() {
            let head = format!("{name}.{grid}.conv1x1");
            let said = self.convolution(&head, at, (&POINT, ANCHORS * numbers))?;
            let order = [("perm", Attribute::Integers(&[0, 2, 3, 1]))];
            let said = self.graph.apply("Transpose", &[&said.value], &order);
            let shape = self.graph.integers(&[0, -1, numbers as i64]);
            found.push(self.graph.apply("Reshape", &[&said, &shape], &[]));
        }
        let found: Vec<&Value> = found.iter().collect();
        Ok(self.graph.apply("Concat", &found, &[("axis", Attribute::Integer(1))]))
    }

    /// Each cell becomes four.
    fn doubled(&mut self, at: &At) -> At {
        let (no_region, factors) =
            (self.graph.floats(&[0], &[]), self.graph.floats(&[4], &[1.0, 1.0, 2.0, 2.0]));
        let attributes = [
            ("mode", Attribute::Text("nearest")),
            ("coordinate_transformation_mode", Attribute::Text("asymmetric")),
            ("nearest_mode", Attribute::Text("floor")),
        ];
        let value = self.graph.apply("Resize", &[&at.value, &no_region, &factors], &attributes);
        At { value, channels: at.channels }
    }

    /// A convolution at that place of a sequence, its normalisation right after it, and less of what is negative.
    fn leaky(&mut self, name: &str, place: usize, at: &At, window: &Window) -> Result<At, ConvertError> {
        let at = self.layer(name, place, at, window)?;
        Ok(self.then("LeakyRelu", &at, &[], &[("alpha", Attribute::Float(LEAK))]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::tests::{Made, folded};
    use super::super::onnx::tests::holds;
    use super::*;

    /// A network of two channels throughout.
    fn without(name: &str) -> Vec<u8> {
        of(27, name)
    }

    /// Its first filters are so long.
    fn of(first_filter: usize, left_out: &str) -> Vec<u8> {
        let mut made = Made::without(left_out);
        made.layer("body.stage1.0", 0, (2, first_filter));
        for (stage, first, blocks) in STAGES {
            for block in first..first + blocks.len() {
                made.layer(&format!("{stage}.{block}"), 0, (2, 9));
                made.layer(&format!("{stage}.{block}"), 3, (2, 2));
            }
        }
        for name in ["fpn.output1", "fpn.output2", "fpn.output3"] {
            made.layer(name, 0, (2, 2));
        }
        for name in ["fpn.merge1", "fpn.merge2"] {
            made.layer(name, 0, (2, 18));
        }
        for grid in 0..3 {
            let context = format!("ssh{}", grid + 1);
            for part in ["conv3X3", "conv5X5_1", "conv5X5_2", "conv7X7_2", "conv7x7_3"] {
                made.layer(&format!("{context}.{part}"), 0, (2, 18));
            }
            for (head, numbers) in [BOXES, CLASSES, POINTS] {
                // What is looked at three, five and seven cells wide.
                made.convolution(&format!("{head}.{grid}.conv1x1"), (ANCHORS * numbers, 6));
            }
        }
        made.written()
    }

    #[test]
    fn the_mean_is_taken_first_and_normalisations_are_folded() {
        let file = retinaface_to_onnx(&without("")).expect("it is understood");
        let [filter, shift] = folded();
        holds(&file, &MEAN);
        holds(&file, &[filter; 2 * 27]);
        holds(&file, &[shift; 2]);
    }

    #[test]
    fn weights_that_are_not_all_there_or_of_another_size_are_refused() {
        for name in ["body.stage3.1.3.weight", "fpn.merge1.1.running_var", "ClassHead.2.conv1x1.bias"] {
            assert!(matches!(retinaface_to_onnx(&without(name)), Err(ConvertError::Missing(_))), "{name}");
        }
        assert!(matches!(retinaface_to_onnx(&of(26, "")), Err(ConvertError::Tensor { .. })));
    }
}
