//! A model as its callers see it: a bounded channel in front of the threads that own its sessions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use countersign_shared::telemetry::metrics;
use crossbeam_channel::{Receiver, Sender, bounded};
use tokio_util::sync::CancellationToken;

use super::batch::{Batching, Gatherer, split};
use super::request::InferenceRequest;
use super::session::ModelSession;
use super::{Device, Devices, EngineError, Inference, Pending, Runtime, Tensor, TensorPool, failed};

/// How a model is loaded.
#[derive(Debug, Clone)]
pub struct ModelSettings {
    pub name: String,
    pub file: PathBuf,
    pub devices: Devices,
    /// Threads, each with a session of its own on one of the devices; at least 1.
    pub sessions: usize,
    pub batching: Batching,
    /// The input shapes of one picture that will be used; each session runs each of them before it takes work.
    pub shapes: Vec<Vec<usize>>,
}

/// A loaded and warm model. Its threads end when it is dropped.
pub struct OnnxModel {
    name: String,
    requests: Sender<InferenceRequest>,
    pool: Arc<TensorPool>,
}

/// What a thread says once its session is warm, or can't be.
type Ready = Result<(), EngineError>;

/// Callers that wait in the channel, for each session.
const QUEUE: usize = 4;

impl OnnxModel {
    /// Loads every session and warms it up; returns when all are ready.
    pub fn load(runtime: &Runtime, settings: &ModelSettings) -> Result<Self, EngineError> {
        let started = Instant::now();
        let sessions = settings.sessions.max(1);
        let pool = Arc::new(TensorPool::default());
        let (requests, inbox) = bounded(sessions * QUEUE.max(settings.batching.most));
        let (ready, readiness) = bounded::<Ready>(sessions);
        for number in 0..sessions {
            let (runtime, settings, pool) = (runtime.clone(), settings.clone(), Arc::clone(&pool));
            let (inbox, ready, device) = (inbox.clone(), ready.clone(), settings.devices.of(number));
            thread::Builder::new()
                .name(format!("{}-{number}", settings.name))
                .spawn(move || serve(&runtime, &settings, device, &pool, &inbox, &ready))
                .map_err(failed)?;
        }
        drop(ready);
        for _ in 0..sessions {
            readiness.recv().map_err(|_| failed("a model's thread ended while loading"))??;
        }
        tracing::info!(
            model.name = settings.name,
            model.device = %settings.devices,
            model.sessions = sessions,
            model.batch = settings.batching.most,
            load.duration_ms = started.elapsed().as_millis() as u64,
            "model loaded"
        );
        Ok(Self { name: settings.name.clone(), requests, pool })
    }
}

impl Inference for OnnxModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn input(&self, shape: &[usize]) -> Tensor {
        self.pool.take(shape)
    }

    fn submit(&self, input: Tensor, cancelled: &CancellationToken) -> Result<Pending, EngineError> {
        let (request, pending) = InferenceRequest::new(input, cancelled);
        self.requests.send(request).map_err(|_| failed("the model's threads have ended"))?;
        Ok(pending)
    }
}

/// The life of one owner thread: load, warm up, say so, then answer until nobody can ask any more.
fn serve(
    runtime: &Runtime,
    settings: &ModelSettings,
    device: Device,
    pool: &Arc<TensorPool>,
    inbox: &Receiver<InferenceRequest>,
    ready: &Sender<Ready>,
) {
    let mut session = match ModelSession::load(runtime, settings, device, Arc::clone(pool)) {
        Ok(session) => session,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    let mut gatherer = Gatherer::new(inbox, settings.batching);
    while let Some(batch) = gatherer.next() {
        let joined = (batch.len() > 1).then(|| gatherer.join(&batch, pool));
        let input = joined.as_ref().unwrap_or(&batch[0].input);
        let span = batch[0].span.clone();
        let started = Instant::now();
        let outputs = span.in_scope(|| {
            catch_unwind(AssertUnwindSafe(|| session.run(input)))
                .unwrap_or_else(|_| Err(failed("the session panicked")))
        });
        metrics::inference(&settings.name, input.shape(), started.elapsed());
        let parts = input.shape()[0] / batch[0].input.shape()[0];
        answer(batch, outputs, parts, pool);
    }
}

/// Gives every caller its part of the outputs, or the error to all.
fn answer(
    mut batch: Vec<InferenceRequest>,
    outputs: Result<Vec<Tensor>, EngineError>,
    parts: usize,
    pool: &Arc<TensorPool>,
) {
    if batch.len() == 1 {
        batch.remove(0).answer(outputs);
        return;
    }
    match outputs.and_then(|outputs| split(&outputs, parts, batch.len(), pool)) {
        Ok(answers) => batch.into_iter().zip(answers).for_each(|(request, own)| request.answer(Ok(own))),
        Err(error) => batch.into_iter().for_each(|request| request.answer(Err(error.clone()))),
    }
}
