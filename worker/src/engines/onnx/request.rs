//! A piece of work on its way to a model, and its answer on its way back.

use std::sync::{Arc, Weak};

use crossbeam_channel::{Receiver, Sender, bounded};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{EngineError, Tensor, failed};

/// What a model's threads take from their channel.
pub(super) struct InferenceRequest {
    pub(super) input: Tensor,
    pub(super) span: Span,
    cancelled: CancellationToken,
    caller: Weak<()>,
    reply: Sender<Result<Vec<Tensor>, EngineError>>,
}

/// An answer that is still to come. Dropping it takes the work back if it has not begun.
pub struct Pending {
    answer: Receiver<Result<Vec<Tensor>, EngineError>>,
    _caller: Arc<()>,
}

impl InferenceRequest {
    pub(super) fn new(input: Tensor, cancelled: &CancellationToken) -> (Self, Pending) {
        let (reply, answer) = bounded(1);
        let caller = Arc::new(());
        let request = Self {
            input,
            span: Span::current(),
            cancelled: cancelled.clone(),
            caller: Arc::downgrade(&caller),
            reply,
        };
        (request, Pending { answer, _caller: caller })
    }

    /// Nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.cancelled.is_cancelled() || self.caller.strong_count() == 0
    }

    pub(super) fn answer(self, outputs: Result<Vec<Tensor>, EngineError>) {
        // The caller may have gone in the meantime: then nobody misses the answer.
        let _ = self.reply.send(outputs);
    }
}

impl Pending {
    /// An answer that is already there.
    #[cfg(test)]
    pub(super) fn ready(outputs: Result<Vec<Tensor>, EngineError>) -> Self {
        let (reply, answer) = bounded(1);
        reply.send(outputs).expect("the receiver is still here");
        Self { answer, _caller: Arc::new(()) }
    }

    /// Waits for the outputs, in the model's order.
    pub fn wait(self) -> Result<Vec<Tensor>, EngineError> {
        self.answer.recv().unwrap_or_else(|_| Err(failed("the model's thread has ended")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_abandoned_when_its_caller_is_gone_or_its_job_is_given_up() {
        let cancelled = CancellationToken::new();
        let (request, pending) = InferenceRequest::new(Tensor::zeros(&[1]), &cancelled);
        assert!(!request.is_abandoned());
        drop(pending);
        assert!(request.is_abandoned());

        let (request, _pending) = InferenceRequest::new(Tensor::zeros(&[1]), &cancelled);
        cancelled.cancel();
        assert!(request.is_abandoned());
    }
}
