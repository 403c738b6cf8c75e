//! What a model's graph becomes before a session loads it: the same numbers, for a device that takes several pictures at once or
//! computes in blocks of channels.
//!
//! - [`batch`]: any number of pictures.
//! - [`channels`], [`heads`], [`bend`]: less work for a CPU (docs/performance.md).
//! - [`network`], [`node`]: operators and constants.

mod batch;
mod bend;
mod channels;
mod heads;
mod network;
mod node;
#[cfg(test)]
mod tests;

use bytes::Bytes;

use crate::protobuf::{Malformed, Message};

use self::network::Network;
use self::node::Node;
use super::{EngineError, failed};

/// The same model for any number of pictures.
pub(super) fn for_batches(model: &Bytes) -> Result<Bytes, EngineError> {
    let mut model = Message::read(model).map_err(broken)?;
    batch::any_batch(&mut model).map_err(broken)?;
    Ok(model.write().into())
}

/// The same model, its convolutions such that ONNX Runtime's CPU provider can stay in the layout that it is fastest in. `None` where
/// the file is best left as it is: with graphs within its graph, since what those use of it isn't known here, with constants in
/// other files, or when it holds what isn't understood.
pub(super) fn for_cpu(model: &Bytes) -> Option<Bytes> {
    let mut network = Message::read(model).and_then(Network::read).ok()?;
    if network.is_scattered() || network.nodes.iter().any(Node::holds_graph) {
        return None;
    }
    heads::join_heads(&mut network).ok()?;
    channels::fill_blocks(&mut network).ok()?;
    bend::bend_by_convolutions(&mut network);
    Some(network.write().ok()?.write().into())
}

fn broken(error: Malformed) -> EngineError {
    failed(format!("the model is no ONNX file: {error}"))
}
