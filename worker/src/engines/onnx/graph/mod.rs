//! What a model's graph becomes before a session loads it: the same numbers, for a device that takes several pictures at once or
//! computes in blocks of channels.
//!
//! - [`batch`]: any number of pictures.
//! - [`channels`], [`heads`], [`bend`]: less work for a CPU (docs/performance.md).
//! - [`network`], [`node`]: operators and constants; [`fields`]: where they stand in the file.

mod batch;
mod bend;
mod channels;
mod fields;
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
pub(super) fn for_batches(model: Vec<u8>) -> Result<Vec<u8>, EngineError> {
    let mut model = Message::read(&Bytes::from(model)).map_err(broken)?;
    batch::any_batch(&mut model).map_err(broken)?;
    Ok(model.write())
}

/// The same model, its convolutions such that ONNX Runtime's CPU provider can stay in the layout that it is fastest in. One with
/// graphs within its graph stays as it is: what those use of it isn't known here.
pub(super) fn for_cpu(model: Vec<u8>) -> Result<Vec<u8>, EngineError> {
    let model = Bytes::from(model);
    let mut network = Message::read(&model).and_then(Network::read).map_err(broken)?;
    if network.nodes.iter().any(Node::holds_graph) {
        return Ok(model.into());
    }
    heads::join_heads(&mut network).map_err(broken)?;
    channels::fill_blocks(&mut network).map_err(broken)?;
    bend::bend_by_convolutions(&mut network);
    Ok(network.write().map_err(broken)?.write())
}

fn broken(error: Malformed) -> EngineError {
    failed(format!("the model is no ONNX file: {error}"))
}
