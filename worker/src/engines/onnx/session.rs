//! One session of a model: built on its own thread, used by nobody else.

use std::path::Path;
use std::sync::Arc;

use ort::ep::{self, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::{Device, EngineError, Runtime, Tensor, TensorPool, failed};

/// A native session and the pool that its outputs come from.
pub(super) struct ModelSession {
    session: Session,
    pool: Arc<TensorPool>,
}

impl ModelSession {
    pub(super) fn load(
        runtime: &Runtime,
        file: &Path,
        device: Device,
        pool: Arc<TensorPool>,
    ) -> Result<Self, EngineError> {
        let builder = Session::builder(runtime.environment()).map_err(failed)?;
        // One thread for each session: several collapse when cores are contended, and jobs run in parallel anyway.
        let session = builder
            .with_log_level(LogLevel::Warning)
            .map_err(failed)?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(failed)?
            .with_intra_threads(1)
            .map_err(failed)?
            .with_inter_threads(1)
            .map_err(failed)?
            .with_intra_op_spinning(false)
            .map_err(failed)?
            .with_inter_op_spinning(false)
            .map_err(failed)?
            .with_execution_providers(providers(device))
            .map_err(failed)?
            .commit_from_file(file)
            .map_err(failed)?;
        Ok(Self { session, pool })
    }

    /// The outputs in the model's order, copied out of the native memory.
    pub(super) fn run(&mut self, input: &Tensor) -> Result<Vec<Tensor>, EngineError> {
        let view = TensorRef::from_array_view((input.shape().to_vec(), input.values())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![view]).map_err(failed)?;
        outputs
            .values()
            .map(|output| {
                let (shape, values) = output.try_extract_tensor::<f32>().map_err(failed)?;
                let shape: Vec<usize> = shape.iter().map(|length| *length as usize).collect();
                let mut tensor = self.pool.take(&shape);
                tensor.values_mut().copy_from_slice(values);
                Ok(tensor)
            })
            .collect()
    }
}

/// A device that was asked for and is not there is an error; without it, the library falls back to the CPU silently.
fn providers(device: Device) -> Vec<ExecutionProviderDispatch> {
    match device {
        // Shapes are few and fixed, so the arena stays as large as one run needs.
        Device::Cpu => vec![ep::CPU::default().with_arena_allocator(true).build().error_on_failure()],
        Device::Cuda(number) => vec![ep::CUDA::default().with_device_id(number).build().error_on_failure()],
        Device::TensorRt(number) => vec![
            ep::TensorRT::default().with_device_id(number).build().error_on_failure(),
            ep::CUDA::default().with_device_id(number).build().error_on_failure(),
        ],
    }
}
