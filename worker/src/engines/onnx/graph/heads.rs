//! Convolutions that read the same as one: a detector's heads have 2, 8 and 20 filters, which ONNX Runtime computes as 16, 16
//! and 32.

use crate::protobuf::Malformed;

use super::channels::{Convolution, block};
use super::network::{Floats, Network};
use super::node::Node;

/// The version of the operators since which a split's lengths are an input.
const LENGTHS_ARE_AN_INPUT: u64 = 13;

/// Joins them wherever fewer blocks of channels follow.
pub(super) fn join_heads(network: &mut Network) -> Result<(), Malformed> {
    while let Some(heads) = heads(network) {
        let first = heads[0];
        let nodes: Vec<Node> = heads.iter().map(|place| network.nodes[*place].clone()).collect();
        for place in heads.iter().rev() {
            network.nodes.remove(*place);
        }
        let mut joined = nodes[0].clone();
        for place in 1..joined.inputs.len() {
            let parts: Option<Vec<Floats>> =
                nodes.iter().map(|node| network.floats(&node.inputs[place])).collect();
            joined.inputs[place] = network.add(&stacked(&parts.ok_or(Malformed)?));
        }
        joined.outputs = vec![network.name()];
        let counts: Vec<u64> =
            nodes.iter().filter_map(|node| Some(filters(network, node)?[0] as u64)).collect();
        let outputs = nodes.into_iter().flat_map(|node| node.outputs).collect();
        let mut split = Node::new("Split", joined.outputs.clone(), outputs);
        split.set_integer("axis", 1);
        if network.version()? >= LENGTHS_ARE_AN_INPUT {
            split.inputs.push(network.add_integers(&counts));
        } else {
            split = split.with_integers("split", &counts);
        }
        network.nodes.splice(first..first, [joined, split]);
    }
    Ok(())
}

/// Places of convolutions that are worth joining; none when all are.
fn heads(network: &Network) -> Option<Vec<usize>> {
    let blocks = |count: usize| count.div_ceil(block());
    let candidates: Vec<(usize, &Node, [usize; 4])> = network
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(place, node)| Some((place, node, filters(network, node)?)))
        .collect();
    candidates.iter().find_map(|(_, node, own)| {
        let alike: Vec<_> = candidates
            .iter()
            .filter(|(_, other, filters)| {
                other.inputs[0] == node.inputs[0]
                    && other.inputs.len() == node.inputs.len()
                    && other.attributes == node.attributes
                    && filters[1..] == own[1..]
            })
            .collect();
        let counts = || alike.iter().map(|(_, _, filters)| filters[0]);
        let fewer = blocks(counts().sum()) < counts().map(blocks).sum();
        fewer.then(|| alike.iter().map(|(place, ..)| *place).collect())
    })
}

/// The shape of a dense convolution's filters.
fn filters(network: &Network, node: &Node) -> Option<[usize; 4]> {
    match Convolution::of(node, network)? {
        (Convolution::Dense, filters) if node.outputs.len() == 1 => Some(filters),
        _ => None,
    }
}

/// One after another along the first axis.
fn stacked(parts: &[Floats]) -> Floats {
    let mut shape = parts[0].shape.clone();
    shape[0] = parts.iter().map(|part| part.shape[0]).sum();
    Floats { shape, values: parts.iter().flat_map(|part| part.values.iter().copied()).collect() }
}
