//! Channels in whole blocks: ONNX Runtime's fast convolutions of each channel by itself want a number of channels that is a
//! multiple of a block (`NCHWc` layout, 8 or 16 on x86-64), and a network that was pruned has 13, 26 or 103.
//!
//! Channels are added up to the next multiple. What they hold reaches nothing, for the filters that read them are zero there.

use std::collections::{HashMap, HashSet};

use crate::protobuf::Malformed;

use super::network::{Floats, Network};
use super::node::Node;

/// Channels in a block.
pub(super) fn block() -> usize {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        return 16;
    }
    8
}

/// Do to each channel by itself what they do. Those of two inputs are given channels of both, not constants.
const CHANNELWISE: [&str; 7] =
    ["Add", "Mul", "PRelu", "Relu", "Sigmoid", "BatchNormalization", "GlobalAveragePool"];

/// A convolution of pictures.
pub(super) enum Convolution {
    /// Each filter reads each channel.
    Dense,
    /// Each filter reads the channel of its number.
    InDepth,
}

impl Convolution {
    /// With the shape of its filters. `None` for other operators, and for convolutions whose filters are no constants, or in
    /// other groups.
    pub(super) fn of(node: &Node, network: &Network) -> Option<(Self, [usize; 4])> {
        let [_, filters, shifts @ ..] = node.inputs.as_slice() else { return None };
        if !node.is("Conv") {
            return None;
        }
        let shape: [usize; 4] = network.shape(filters)?.try_into().ok()?;
        if !shifts.iter().all(|shifts| network.shape(shifts).is_some_and(|count| count == shape[..1])) {
            return None;
        }
        match node.integer("group").unwrap_or(1) {
            1 => Some((Self::Dense, shape)),
            groups if [groups as usize, 1] == shape[..2] => Some((Self::InDepth, shape)),
            _ => None,
        }
    }
}

/// How many channels each value has that convolutions of pictures make, and what is made of those channel by channel.
pub(super) fn channels(network: &Network) -> HashMap<String, usize> {
    let mut channels = HashMap::new();
    for node in &network.nodes {
        let count = match Convolution::of(node, network) {
            Some((_, shape)) => Some(shape[0]),
            None if channelwise(node) => node.inputs.first().and_then(|input| channels.get(input).copied()),
            None => None,
        };
        if let (Some(count), [output]) = (count, node.outputs.as_slice()) {
            channels.insert(output.clone(), count);
        }
    }
    channels
}

fn channelwise(node: &Node) -> bool {
    CHANNELWISE.iter().any(|operator| node.is(operator))
}

/// Adds channels wherever all that is made of them allows it.
pub(super) fn fill_blocks(network: &mut Network) -> Result<(), Malformed> {
    let channels = channels(network);
    let fixed = fixed(network, &channels)?;
    let filled = |value: &String| {
        let count = *channels.get(value).filter(|_| !fixed.contains(value))?;
        Some(count.next_multiple_of(block()))
    };
    let mut nodes = std::mem::take(&mut network.nodes);
    for node in &mut nodes {
        let (Some(input), [output]) = (node.inputs.first(), node.outputs.as_slice()) else { continue };
        let (read, made) = (filled(input), filled(output));
        if let Some((kind, [filters, ..])) = Convolution::of(node, network) {
            let made = made.unwrap_or(filters);
            match kind {
                Convolution::Dense => {
                    if let Some(read) = read {
                        grow(network, &mut node.inputs[1], 1, read, 0.0)?;
                    }
                }
                Convolution::InDepth if made > filters => node.set_integer("group", made as u64),
                Convolution::InDepth => {}
            }
            for constant in &mut node.inputs[1..] {
                grow(network, constant, 0, made, 0.0)?;
            }
        } else if let (Some(count), Some(made)) = (channels.get(output), made) {
            for (place, constant) in node.inputs.iter_mut().enumerate() {
                let Some(shape) = network.shape(constant) else { continue };
                let axis = shape.iter().position(|length| length == count).ok_or(Malformed)?;
                // A normalisation's last constant is a variance, which is divided by.
                grow(network, constant, axis, made, if place == 4 { 1.0 } else { 0.0 })?;
            }
        }
    }
    network.nodes = nodes;
    Ok(())
}

/// Values whose number of channels must stay: the outputs, what other operators read, and what is tied to those channel by
/// channel.
fn fixed(network: &Network, channels: &HashMap<String, usize>) -> Result<HashSet<String>, Malformed> {
    let mut fixed = network.outputs()?;
    loop {
        let before = fixed.len();
        for node in &network.nodes {
            let made = node.outputs.iter();
            let tied: Vec<&String> = match Convolution::of(node, network) {
                Some((Convolution::Dense, _)) => continue,
                Some((Convolution::InDepth, _)) => node.inputs.iter().take(1).chain(made).collect(),
                None => {
                    node.inputs.iter().chain(made).filter(|value| channels.contains_key(*value)).collect()
                }
            };
            if !free(node, network, channels)
                || tied.iter().any(|value| fixed.contains(*value) || !channels.contains_key(*value))
            {
                fixed.extend(tied.into_iter().cloned());
            }
        }
        if fixed.len() == before {
            return Ok(fixed);
        }
    }
}

/// Whether the operator bears more channels.
fn free(node: &Node, network: &Network, channels: &HashMap<String, usize>) -> bool {
    if Convolution::of(node, network).is_some() {
        return true;
    }
    let [output] = node.outputs.as_slice() else { return false };
    let Some(count) = channels.get(output).filter(|_| channelwise(node)) else { return false };
    let bears = |input: &String| {
        let constant = network.shape(input);
        channels.get(input) == Some(count)
            || constant.is_some_and(|shape| *count > 1 && is_of_channels(node, &shape, *count))
    };
    node.inputs.iter().all(bears)
}

/// Whether the operator's constant of that shape holds one number for each of so many channels.
pub(super) fn is_of_channels(node: &Node, shape: &[usize], count: usize) -> bool {
    let along = match node.operator.as_str() {
        "BatchNormalization" => shape == [count],
        // Rows and columns come after the channels.
        "PRelu" => shape.ends_with(&[count, 1, 1]),
        _ => false,
    };
    along && shape.iter().product::<usize>() == count
}

/// Names another constant, as long as that along the axis, unless this one is.
fn grow(
    network: &mut Network,
    constant: &mut String,
    axis: usize,
    length: usize,
    fill: f32,
) -> Result<(), Malformed> {
    if network.shape(constant).is_some_and(|shape| shape[axis] != length) {
        let floats = network.floats(constant).ok_or(Malformed)?;
        *constant = network.add(&grown(&floats, axis, length, fill));
    }
    Ok(())
}

/// As many as `length` along that axis, the further ones of `fill`.
fn grown(floats: &Floats, axis: usize, length: usize, fill: f32) -> Floats {
    let row: usize = floats.shape[axis..].iter().product();
    let each: usize = floats.shape[axis + 1..].iter().product();
    let mut shape = floats.shape.clone();
    shape[axis] = length;
    let mut values = Vec::with_capacity(shape.iter().product());
    for row in floats.values.chunks_exact(row.max(1)) {
        values.extend_from_slice(row);
        values.resize(values.len() + length * each - row.len(), fill);
    }
    Floats { shape, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_grow_at_their_ends() {
        let floats = Floats { shape: vec![2, 1, 2], values: vec![1.0, 2.0, 3.0, 4.0] };
        let wide = grown(&floats, 1, 2, 0.0);
        assert_eq!((wide.shape, wide.values), (vec![2, 2, 2], vec![1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]));
        let long = grown(&floats, 0, 3, 9.0);
        assert_eq!((long.shape, long.values), (vec![3, 1, 2], vec![1.0, 2.0, 3.0, 4.0, 9.0, 9.0]));
    }
}
