//! A stand-in for a model in unit tests of the stages.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{EngineError, Inference, Pending, Tensor};

type Answer = Box<dyn Fn(&Tensor) -> Vec<Tensor> + Send + Sync>;

/// Answers with a function of the input, and remembers the shapes that it was asked.
pub(crate) struct FakeInference {
    answer: Answer,
    asked: Mutex<Vec<Vec<usize>>>,
}

impl FakeInference {
    pub(crate) fn new(answer: impl Fn(&Tensor) -> Vec<Tensor> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), asked: Mutex::new(Vec::new()) })
    }

    pub(crate) fn asked(&self) -> Vec<Vec<usize>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Inference for FakeInference {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn input(&self, shape: &[usize]) -> Tensor {
        Tensor::zeros(shape)
    }

    fn submit(&self, input: Tensor, cancelled: &CancellationToken) -> Result<Pending, EngineError> {
        if cancelled.is_cancelled() {
            return Ok(Pending::ready(Err(EngineError::Cancelled)));
        }
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(input.shape().to_vec());
        Ok(Pending::ready(Ok((self.answer)(&input))))
    }
}
