//! The engine: one model in memory, and a few threads that own a recogniser each, fed through a bounded channel.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use countersign_shared::domain::{Digits, Language, SpeechEvidence};
use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::recogniser::Recogniser;
use super::tokens::Model;
use super::{Heard, SpeechDevice, SpeechLimits, SpeechRecogniser};
use crate::engines::EngineError;

/// How often a waiting caller looks whether its job was given up.
const GIVE_UP_CHECK: Duration = Duration::from_millis(50);

/// whisper.cpp behind owner threads. Dropping it lets running work finish and joins the threads.
pub struct SpeechEngine {
    requests: Option<Sender<Request>>,
    owners: Vec<JoinHandle<()>>,
}

struct Request {
    samples: Arc<[f32]>,
    language: Language,
    codes: Vec<Digits>,
    limits: SpeechLimits,
    cancel: CancellationToken,
    span: Span,
    reply: Sender<Result<Heard, EngineError>>,
}

impl SpeechEngine {
    /// Loads both models, starts `sessions` threads (at least one) and warms each up. Blocking; returns when every
    /// thread is ready, or the first failure.
    ///
    /// `model_path` is a multilingual Whisper model in ggml form, `vad_path` Silero's voice activity detector in ggml
    /// form.
    pub fn load(
        model_path: &Path,
        vad_path: &Path,
        device: SpeechDevice,
        sessions: usize,
    ) -> Result<Self, EngineError> {
        let started = Instant::now();
        whisper_rs::install_logging_hooks();
        let sessions = sessions.max(1);
        let model = Arc::new(Model::load(model_path, device)?);
        let (requests, inbox) = bounded(sessions);
        let (ready, readiness) = bounded(sessions);
        let mut engine = Self { requests: Some(requests), owners: Vec::with_capacity(sessions) };
        for number in 0..sessions {
            let (model, inbox, ready) = (Arc::clone(&model), inbox.clone(), ready.clone());
            let vad_path = vad_path.to_owned();
            let owner = std::thread::Builder::new()
                .name(format!("speech-{number}"))
                .spawn(move || own(&model, &vad_path, &inbox, &ready))
                .map_err(|error| failed(format!("failed to start a thread: {error}")))?;
            engine.owners.push(owner);
        }
        drop(ready);
        for _ in 0..sessions {
            readiness.recv().map_err(|_| failed("a thread ended while it warmed up"))??;
        }
        tracing::info!(
            model.sessions = sessions,
            load.duration_ms = started.elapsed().as_millis() as u64,
            "speech recogniser loaded"
        );
        Ok(engine)
    }

    /// [`assess`](SpeechRecogniser::assess) for several codes, each by itself, from one encoding of the clip.
    pub fn assess_each(
        &self,
        samples: Arc<[f32]>,
        language: Language,
        codes: Vec<Digits>,
        limits: &SpeechLimits,
        cancel: &CancellationToken,
    ) -> Result<Heard, EngineError> {
        let (reply, answer) = bounded(1);
        let (limits, cancel, span) = (*limits, cancel.clone(), Span::current());
        let mut request = Request { samples, language, codes, limits, cancel: cancel.clone(), span, reply };
        let requests =
            self.requests.as_ref().expect("the channel lives as long as the engine; this is a bug");
        while let Err(error) = requests.send_timeout(request, GIVE_UP_CHECK) {
            match error {
                SendTimeoutError::Timeout(_) if cancel.is_cancelled() => return Err(EngineError::Cancelled),
                SendTimeoutError::Timeout(unsent) => request = unsent,
                SendTimeoutError::Disconnected(_) => return Err(failed("its threads have ended")),
            }
        }
        loop {
            match answer.recv_timeout(GIVE_UP_CHECK) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => {
                    return Err(EngineError::Cancelled);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(failed("its thread ended")),
            }
        }
    }
}

impl SpeechRecogniser for SpeechEngine {
    fn assess(
        &self,
        samples: Arc<[f32]>,
        language: Language,
        expected: Digits,
        limits: &SpeechLimits,
        cancel: &CancellationToken,
    ) -> Result<SpeechEvidence, EngineError> {
        let heard = self.assess_each(samples, language, vec![expected], limits, cancel)?;
        heard.evidence.into_iter().next().ok_or_else(|| failed("a code went without evidence"))
    }
}

impl Drop for SpeechEngine {
    fn drop(&mut self) {
        self.requests = None;
        for owner in self.owners.drain(..) {
            if owner.join().is_err() {
                tracing::error!("a speech thread panicked");
            }
        }
    }
}

/// A thread's life: warm up, say so, answer until the engine is dropped.
fn own(
    model: &Arc<Model>,
    vad_path: &Path,
    inbox: &Receiver<Request>,
    ready: &Sender<Result<(), EngineError>>,
) {
    let warmed = Recogniser::new(Arc::clone(model), vad_path).and_then(|mut recogniser| {
        recogniser.warm_up()?;
        Ok(recogniser)
    });
    let mut recogniser = match warmed {
        Ok(recogniser) => recogniser,
        Err(error) => {
            let _unheard = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(())).is_err() {
        return;
    }
    for request in inbox {
        let result = answer(&mut recogniser, &request);
        let _caller_gone = request.reply.send(result);
    }
}

fn answer(recogniser: &mut Recogniser, request: &Request) -> Result<Heard, EngineError> {
    let _entered = request.span.enter();
    if request.cancel.is_cancelled() {
        return Err(EngineError::Cancelled);
    }
    // A recogniser carries nothing from one clip to the next, so it is sound after a panic.
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        recogniser.assess(
            &request.samples,
            request.language,
            &request.codes,
            &request.limits,
            &request.cancel,
        )
    }));
    attempt.unwrap_or_else(|_| Err(failed("it panicked on a clip")))
}

/// A failure of this engine.
pub(super) fn failed(detail: impl std::fmt::Display) -> EngineError {
    EngineError::Failed { engine: "speech", detail: detail.to_string() }
}
