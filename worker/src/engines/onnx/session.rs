//! A model's sessions of one thread: built there, used by nobody else.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;
use serde_json::json;

use super::graph::{for_batches, for_cpu};
use super::{Device, EngineError, ModelSettings, Runtime, Tensor, TensorPool, failed};

/// A model's native sessions and the pool that their outputs come from.
///
/// A CPU runs every shape of input in one session. On a GPU each shape has its own: cuDNN plans a convolution for one shape,
/// and a session that meets shapes in turn plans every convolution again each time, which takes seconds.
pub(super) struct ModelSession {
    runtime: Runtime,
    settings: ModelSettings,
    device: Device,
    by_shape: HashMap<Vec<usize>, Session>,
    pool: Arc<TensorPool>,
}

impl ModelSession {
    /// Loads and warms up a session for each of the settings' shapes and lengths of batches.
    pub(super) fn load(
        runtime: &Runtime,
        settings: &ModelSettings,
        device: Device,
        pool: Arc<TensorPool>,
    ) -> Result<Self, EngineError> {
        let (runtime, settings) = (runtime.clone(), settings.clone());
        let mut loaded = Self { runtime, settings, device, by_shape: HashMap::new(), pool };
        for shape in loaded.settings.shapes.clone() {
            for length in loaded.settings.batching.lengths() {
                let several = [&[length * shape[0]], &shape[1..]].concat();
                loaded.run(&Tensor::zeros(&several))?;
            }
        }
        Ok(loaded)
    }

    /// The outputs in the model's order, copied out of the native memory.
    pub(super) fn run(&mut self, input: &Tensor) -> Result<Vec<Tensor>, EngineError> {
        let view = TensorRef::from_array_view((input.shape().to_vec(), input.values())).map_err(failed)?;
        let session = match self.by_shape.entry(self.device.session_for(input.shape())) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(open(&self.runtime, &self.settings, self.device)?),
        };
        let outputs = session.run(ort::inputs![view]).map_err(failed)?;
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

/// Where ONNX Runtime computes in blocks of channels.
const BLOCKS: bool = cfg!(target_arch = "x86_64");

fn open(runtime: &Runtime, settings: &ModelSettings, device: Device) -> Result<Session, EngineError> {
    let builder = Session::builder(runtime.environment()).map_err(failed)?;
    // One thread for each session: several collapse when cores are contended, and jobs run in parallel anyway.
    let builder = builder
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
        .with_execution_providers(providers(device, &settings.file))
        .map_err(failed)?;
    let mut builder = match device {
        Device::Cpu => {
            // A memory pattern is kept by each session for each shape of input, and is no faster.
            let builder = builder.with_memory_pattern(false).map_err(failed)?;
            builder.with_env_allocators().map_err(failed)?
        }
        Device::OpenVino | Device::Cuda(_) | Device::TensorRt(_) => builder,
    };
    let (several, blocks) = (settings.batching.most > 1, BLOCKS && device == Device::Cpu);
    if !several && !blocks {
        return builder.commit_from_file(&settings.file).map_err(failed);
    }
    let file = Bytes::from(std::fs::read(&settings.file).map_err(failed)?);
    let any_batch = several.then(|| for_batches(&file)).transpose()?;
    let in_blocks = blocks.then(|| for_cpu(any_batch.as_ref().unwrap_or(&file))).flatten();
    match in_blocks.or(any_batch) {
        Some(model) => builder.commit_from_memory(&model),
        // Its constants may be in files beside it.
        None => builder.commit_from_file(&settings.file),
    }
    .map_err(failed)
}

/// A device that was asked for and is not there is an error; without it, the library falls back to the CPU silently.
fn providers(device: Device, file: &Path) -> Vec<ExecutionProviderDispatch> {
    // The heuristic's choice is nearly as fast as that of a search which tries every algorithm, and ready at once.
    let cuda = |number| {
        let search = ConvAlgorithmSearch::Heuristic;
        ep::CUDA::default()
            .with_device_id(number)
            .with_conv_algorithm_search(search)
            .build()
            .error_on_failure()
    };
    match device {
        Device::Cpu => vec![ep::CPU::default().with_arena_allocator(true).build().error_on_failure()],
        Device::OpenVino => vec![
            ep::OpenVINO::default()
                .with_device_type("CPU")
                .with_num_threads(1)
                .with_num_streams(1)
                .with_arbitrary_config("load_config", open_vino_settings())
                .build()
                .error_on_failure(),
        ],
        Device::Cuda(number) => vec![cuda(number)],
        Device::TensorRt(number) => vec![
            // Building an engine takes minutes: it is kept beside the models, for every process that runs them.
            ep::TensorRT::default()
                .with_device_id(number)
                .with_engine_cache(true)
                .with_engine_cache_path(file.with_file_name("tensorrt").display())
                .build()
                .error_on_failure(),
            cuda(number),
        ],
    }
}

/// Half the precision where the processor has instructions for it (AVX-512 BF16, AMX), which the face models tolerate
/// (docs/accuracy.md); elsewhere it would be emulated. No thread is bound to a core: each session would bind its own to the first.
fn open_vino_settings() -> String {
    let precision = if has_bf16() { "bf16" } else { "f32" };
    json!({ "CPU": { "INFERENCE_PRECISION_HINT": precision, "ENABLE_CPU_PINNING": false } }).to_string()
}

#[cfg(target_arch = "x86_64")]
fn has_bf16() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16")
}

#[cfg(not(target_arch = "x86_64"))]
const fn has_bf16() -> bool {
    false
}
