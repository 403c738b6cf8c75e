//! ONNX models: a few sessions, each on its own thread, fed through one bounded channel.
//!
//! - [`Runtime`]: the native library, loaded once for the process.
//! - [`Device`]: where models run.
//! - [`Batching`]: how many inputs run at once.
//! - [`OnnxModel`]: one model behind its channel, the real [`Inference`].
//! - [`Tensor`]: what goes in and comes out; its buffer returns to a pool when it is dropped.

mod arena;
mod batch;
mod device;
#[cfg(test)]
mod fake;
mod graph;
mod model;
mod request;
mod runtime;
mod session;
mod tensor;

pub use batch::Batching;
pub use device::{Device, Devices, InvalidDevice};
#[cfg(test)]
pub(crate) use fake::FakeInference;
pub use model::{ModelSettings, OnnxModel};
pub use request::Pending;
pub use runtime::Runtime;
pub use tensor::{Tensor, TensorPool};

use tokio_util::sync::CancellationToken;

use super::EngineError;

const ENGINE: &str = "onnx";

/// Something that turns one input tensor into output tensors, in the order of the model's outputs.
pub trait Inference: Send + Sync {
    /// The model's name, as the report and the logs show it.
    fn name(&self) -> &str;

    /// A tensor of that shape (`[batch, channels, height, width]`) to fill; what it holds is left over from before.
    fn input(&self, shape: &[usize]) -> Tensor;

    /// Queues the work and returns at once; waits only while the model's queue is full.
    fn submit(&self, input: Tensor, cancelled: &CancellationToken) -> Result<Pending, EngineError>;

    /// Queues the work and waits for its outputs.
    fn run(&self, input: Tensor, cancelled: &CancellationToken) -> Result<Vec<Tensor>, EngineError> {
        self.submit(input, cancelled)?.wait()
    }
}

fn failed(detail: impl std::fmt::Display) -> EngineError {
    EngineError::Failed { engine: ENGINE, detail: detail.to_string() }
}
