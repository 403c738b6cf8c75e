//! `PReLU` (He et al. 2015) as convolutions: ONNX Runtime leaves the layout of its fast convolutions for it and comes back
//! after it, which costs more than the arithmetic.

use super::channels::{block, channels, is_of_channels};
use super::network::{Floats, Network};
use super::node::Node;

/// x, or a x where x is negative, is x + (1 - a) max(0, -x): twice a factor for each channel, and a sum.
pub(super) fn bend_by_convolutions(network: &mut Network) {
    let channels = channels(network);
    for node in std::mem::take(&mut network.nodes) {
        let slopes = node.inputs.get(1).and_then(|slopes| network.floats(slopes));
        let count =
            node.inputs.first().and_then(|input| channels.get(input)).filter(|count| **count % block() == 0);
        match (slopes, count, node.outputs.as_slice()) {
            (Some(slopes), Some(count), [output])
                if node.is("PRelu") && is_of_channels(&node, &slopes.shape, *count) =>
            {
                let less = slopes.values.iter().map(|slope| 1.0 - slope).collect();
                let (input, output) = (node.inputs[0].clone(), output.clone());
                let negated = scaled(network, &input, vec![-1.0; *count]);
                let below = network.name();
                network.nodes.push(Node::new("Relu", vec![negated], vec![below.clone()]));
                let lifted = scaled(network, &below, less);
                network.nodes.push(Node::new("Add", vec![lifted, input], vec![output]));
            }
            _ => network.nodes.push(node),
        }
    }
}

/// The value with a factor for each channel.
fn scaled(network: &mut Network, value: &str, factors: Vec<f32>) -> String {
    let count = factors.len();
    let filters = network.add(&Floats { shape: vec![count, 1, 1, 1], values: factors });
    let made = network.name();
    let mut node = Node::new("Conv", vec![value.to_owned(), filters], vec![made.clone()]);
    node.set_integer("group", count as u64);
    network.nodes.push(node);
    made
}
