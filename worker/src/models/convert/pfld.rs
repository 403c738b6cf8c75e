//! `PFLD` (Guo et al. 2019) over a `MobileNetV3`, the landmark model of FaceX-Zoo (Wang et al. 2021), from its `PyTorch` file to
//! ONNX. It answers as `InsightFace`'s 2d106det does: the same 106 points in the same order, in -1..=1 of the crop.

use super::ConvertError;
use super::network::{AROUND, At, Network, POINT, Window};
use super::onnx::{Attribute, Value};

/// Side of the crop.
const SIDE: usize = 112;

/// A block's depthwise window and stride, whether channels are weighed, and which bend it has.
struct Block(&'static str, usize, u64, bool, Bend);

#[derive(Clone, Copy)]
enum Bend {
    Relu,
    HardSwish,
}
use Bend::{HardSwish, Relu};

const BLOCKS: [Block; 12] = [
    Block("conv_bn2", 3, 1, false, Relu),
    Block("conv3_1", 3, 2, false, Relu),
    Block("block3_2", 3, 1, false, Relu),
    Block("block3_3", 5, 2, true, Relu),
    Block("block3_4", 5, 1, true, Relu),
    Block("block3_5", 5, 1, true, Relu),
    Block("conv4_1", 3, 2, false, Relu),
    Block("conv5_1", 3, 1, false, HardSwish),
    Block("block5_2", 3, 1, true, HardSwish),
    Block("block5_3", 3, 1, true, HardSwish),
    Block("block5_4", 3, 1, true, HardSwish),
    Block("conv6_1", 3, 1, false, HardSwish),
];

/// Last come a convolution that halves the square and one over all that is left of it, with so many channels.
const HALF: (Window, usize) = (Window { stride: 2, ..AROUND }, 32);
const WHOLE: (Window, usize) = (Window { side: 7, ..POINT }, 128);

/// For each point of 2d106det, the same one here: found by where both models see the points of 198 faces of LFW. The farthest
/// pair is 1.8 pixels of an aligned face apart, the median over the faces, and no other pairing is nearer.
const ORDER: [usize; 106] = [
    16, 0, 9, 10, 11, 12, 13, 14, 15, 1, 2, 3, 4, 5, 6, 7, 8, 32, 23, 22, 21, 20, 19, 18, 17, 31, 30, 29, 28,
    27, 26, 25, 24, 72, 104, 66, 73, 71, 74, 70, 68, 67, 69, 33, 41, 40, 38, 39, 34, 35, 37, 36, 84, 93, 103,
    95, 94, 101, 91, 92, 102, 90, 98, 86, 85, 96, 97, 88, 89, 100, 99, 87, 51, 52, 53, 55, 56, 57, 58, 59,
    60, 65, 64, 63, 62, 61, 54, 81, 105, 75, 82, 80, 83, 79, 77, 76, 78, 50, 49, 48, 47, 46, 42, 43, 44, 45,
];

/// Writes the network, which takes 0 to 1 in the order blue, green, red. The same weights give the same bytes, everywhere.
pub(super) fn pfld_to_onnx(weights: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut network = Network::of(weights)?;
    let mut at = network.layer("conv_bn1", 0, &Network::pixels(), &AROUND)?;
    at = network.bend(&at, HardSwish);
    for block in &BLOCKS {
        at = network.bottleneck(block, &at)?;
    }
    let half = network.convolution("conv7", &at, (&HALF.0, HALF.1))?;
    let whole = network.convolution("conv8", &half, (&WHOLE.0, WHOLE.1))?;
    let [at, half] = [at, half].map(|at| network.then("GlobalAveragePool", &at, &[], &[]));
    let channels = at.channels + half.channels + whole.channels;
    let all = network.then("Concat", &at, &[&half, &whole], &[("axis", Attribute::Integer(1))]);
    let points = network.points(&At { channels, ..all })?;
    Ok(network.graph.finish("pfld", &[1, 3, SIDE, SIDE], &[(&points, &[1, ORDER.len() * 2])]))
}

impl Network {
    /// Wider, depthwise, narrower; added to what came in where that is of the same size.
    fn bottleneck(
        &mut self,
        Block(name, side, stride, weighed, bend): &Block,
        at: &At,
    ) -> Result<At, ConvertError> {
        let name = format!("{name}.conv");
        let depth = Window { side: *side, stride: *stride, padding: *side as u64 / 2, in_depth: true };
        let wide = self.layer(&name, 0, at, &POINT)?;
        let wide = self.bend(&wide, *bend);
        let mut seen = self.layer(&name, 3, &wide, &depth)?;
        if *weighed {
            seen = self.weighed(&format!("{name}.5.fc"), &seen)?;
        }
        let seen = self.bend(&seen, *bend);
        let narrow = self.layer(&name, 7, &seen, &POINT)?;
        let adds = *stride == 1 && narrow.channels == at.channels;
        Ok(if adds { self.then("Add", at, &[&narrow], &[]) } else { narrow })
    }

    /// Each channel times what all channels' means say of it (Hu et al. 2018).
    fn weighed(&mut self, name: &str, at: &At) -> Result<At, ConvertError> {
        let means = self.then("GlobalAveragePool", at, &[], &[]);
        let few = self.mixed(format!("{name}.0.weight"), &means)?;
        let few = self.bend(&few, Relu);
        let said = self.mixed(format!("{name}.2.weight"), &few)?;
        let shares = self.hard_sigmoid(&said);
        Ok(self.then("Mul", at, &[&shares], &[]))
    }

    /// The channels times a matrix, of as many rows as it has.
    fn mixed(&mut self, name: String, at: &At) -> Result<At, ConvertError> {
        let matrix = self.weights.all(&name)?.to_vec();
        let rows = matrix.len().checked_div(at.channels).filter(|rows| rows * at.channels == matrix.len());
        let rows = rows.ok_or(ConvertError::Tensor { name, fault: "has another length" })?;
        Ok(self.convolved(at, (&POINT, rows), &matrix, None))
    }

    fn bend(&mut self, at: &At, bend: Bend) -> At {
        match bend {
            Relu => self.then("Relu", at, &[], &[]),
            HardSwish => {
                let share = self.hard_sigmoid(at);
                self.then("Mul", at, &[&share], &[])
            }
        }
    }

    /// (value + 3) / 6, within 0..=1.
    fn hard_sigmoid(&mut self, at: &At) -> At {
        let line = [("alpha", Attribute::Float(1.0 / 6.0)), ("beta", Attribute::Float(0.5))];
        self.then("HardSigmoid", at, &[], &line)
    }

    /// The network's own order, and 0..=1, become 2d106det's.
    fn points(&mut self, at: &At) -> Result<Value, ConvertError> {
        let filters = self.weights.values("fc.weight", ORDER.len() * 2 * at.channels)?;
        let shifts = self.weights.values("fc.bias", ORDER.len() * 2)?;
        let rows = || ORDER.iter().flat_map(|point| [point * 2, point * 2 + 1]);
        let filters: Vec<f32> = rows()
            .flat_map(|row| &filters[row * at.channels..(row + 1) * at.channels])
            .map(|weight| 2.0 * weight)
            .collect();
        let shifts: Vec<f32> = rows().map(|row| 2.0 * shifts[row] - 1.0).collect();
        let found = self.convolved(at, (&POINT, shifts.len()), &filters, Some(&shifts));
        Ok(self.graph.apply("Flatten", &[&found.value], &[]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::network::tests::{Made, folded};
    use super::super::onnx::tests::holds;
    use super::*;

    const FEATURES: usize = 2 + HALF.1 + WHOLE.1;

    /// A network of two channels throughout, and 160 at the end.
    fn without(name: &str) -> Vec<u8> {
        let mut made = Made::without(name);
        made.layer("conv_bn1", 0, (2, 27));
        for Block(name, side, _, weighed, _) in &BLOCKS {
            let name = format!("{name}.conv");
            made.layer(&name, 0, (2, 2));
            made.layer(&name, 3, (2, side * side));
            if *weighed {
                made.tensor(&format!("{name}.5.fc.0.weight"), 3.0, 2);
                made.tensor(&format!("{name}.5.fc.2.weight"), 3.0, 2);
            }
            made.layer(&name, 7, (2, 2));
        }
        made.convolution("conv7", (HALF.1, 9 * 2));
        made.convolution("conv8", (WHOLE.1, 49 * HALF.1));
        made.convolution("fc", (2 * ORDER.len(), FEATURES));
        made.written()
    }

    #[test]
    fn each_point_has_its_place() {
        let mut sorted = ORDER;
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..ORDER.len()));
    }

    #[test]
    fn points_are_written_from_minus_one_to_one() {
        let file = pfld_to_onnx(&without("")).expect("it is understood");
        let [filter, _] = folded();
        holds(&file, &[filter; 2 * 27]);
        // Of a filter's 3 and a shift's 5.
        holds(&file, &vec![6.0; 2 * ORDER.len() * FEATURES]);
        holds(&file, &[9.0; 2 * ORDER.len()]);
    }

    #[test]
    fn weights_that_are_not_all_there_or_of_another_size_are_refused() {
        for name in ["block5_4.conv.5.fc.2.weight", "conv6_1.conv.8.running_var", "conv8.bias", "fc.weight"] {
            assert!(matches!(pfld_to_onnx(&without(name)), Err(ConvertError::Missing(_))), "{name}");
        }
        let mut uneven = Made::without("");
        uneven.layer("conv_bn1", 0, (2, 26));
        assert!(matches!(pfld_to_onnx(&uneven.written()), Err(ConvertError::Tensor { .. })));
    }
}
