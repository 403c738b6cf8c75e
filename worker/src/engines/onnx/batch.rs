//! Several callers' inputs as one, and the one answer as each caller's own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::request::InferenceRequest;
use super::{EngineError, Tensor, TensorPool, failed};

/// How many inputs a session takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// At least 1.
    pub most: usize,
    /// How long a first input waits for others while nothing runs. Inputs that come while a batch runs are together anyway.
    pub delay: Duration,
}

impl Batching {
    /// Every input by itself, at once: on a CPU a batch gains nothing.
    pub const ALONE: Self = Self { most: 1, delay: Duration::ZERO };

    /// The lengths that are run, smallest first: a device prepares itself for each one, so they are few.
    pub(super) fn lengths(self) -> impl Iterator<Item = usize> {
        let most = self.most.max(1);
        std::iter::successors(Some(1), move |length| (*length < most).then(|| (length * 2).min(most)))
    }

    fn padded(self, count: usize) -> usize {
        self.lengths().find(|length| *length >= count).unwrap_or(count)
    }
}

/// Takes requests of one shape from a channel, a batch at a time.
pub(super) struct Gatherer<'a> {
    inbox: &'a Receiver<InferenceRequest>,
    batching: Batching,
    /// One of another shape that came while a batch was gathered: the first of the next.
    left: Option<InferenceRequest>,
}

impl<'a> Gatherer<'a> {
    pub(super) fn new(inbox: &'a Receiver<InferenceRequest>, batching: Batching) -> Self {
        Self { inbox, batching, left: None }
    }

    /// Waits for the next request and takes those like it, in the order of their coming. Requests that nobody waits for are
    /// answered here. `None` when nobody can ask any more.
    pub(super) fn next(&mut self) -> Option<Vec<InferenceRequest>> {
        let first = loop {
            let request = match self.left.take() {
                Some(request) => request,
                None => self.inbox.recv().ok()?,
            };
            if let Some(wanted) = wanted(request) {
                break wanted;
            }
        };
        let mut batch = vec![first];
        let until = Instant::now() + self.batching.delay;
        while batch.len() < self.batching.most {
            let request = if self.batching.delay.is_zero() {
                self.inbox.try_recv().ok()
            } else {
                self.inbox.recv_deadline(until).ok()
            };
            let Some(request) = request else { break };
            let Some(request) = wanted(request) else { continue };
            if request.input.shape() != batch[0].input.shape() {
                self.left = Some(request);
                break;
            }
            batch.push(request);
        }
        Some(batch)
    }

    /// The inputs one behind the other. What pads them to a length of [`Batching::lengths`] is left over from before.
    pub(super) fn join(&self, batch: &[InferenceRequest], pool: &Arc<TensorPool>) -> Tensor {
        let one = &batch[0].input;
        let mut shape = one.shape().to_vec();
        shape[0] *= self.batching.padded(batch.len());
        let mut joined = pool.take(&shape);
        for (values, request) in joined.values_mut().chunks_exact_mut(one.values().len()).zip(batch) {
            values.copy_from_slice(request.input.values());
        }
        joined
    }
}

/// Cuts every output into equal parts along its first dimension; the first `count` parts, each with its own outputs.
pub(super) fn split(
    outputs: &[Tensor],
    parts: usize,
    count: usize,
    pool: &Arc<TensorPool>,
) -> Result<Vec<Vec<Tensor>>, EngineError> {
    let part_of = |output: &Tensor, index: usize| {
        let mut shape = output.shape().to_vec();
        let rows = shape.first_mut().filter(|rows| **rows % parts == 0);
        *rows.ok_or_else(|| failed("an output does not belong to a batch"))? /= parts;
        let mut part = pool.take(&shape);
        let length = part.values().len();
        part.values_mut().copy_from_slice(&output.values()[index * length..(index + 1) * length]);
        Ok(part)
    };
    (0..count).map(|index| outputs.iter().map(|output| part_of(output, index)).collect()).collect()
}

fn wanted(request: InferenceRequest) -> Option<InferenceRequest> {
    if request.is_abandoned() {
        request.answer(Err(EngineError::Cancelled));
        return None;
    }
    Some(request)
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::engines::onnx::Pending;

    const FOUR: Batching = Batching { most: 4, delay: Duration::ZERO };

    fn request(shape: &[usize], value: f32) -> (InferenceRequest, Pending) {
        let input = Tensor::new(shape, vec![value; shape.iter().product()]).expect("it fits");
        InferenceRequest::new(input, &CancellationToken::new())
    }

    /// The first value of each request in each batch, until the channel is empty.
    fn batches(requests: Vec<InferenceRequest>, batching: Batching) -> Vec<Vec<f32>> {
        let (sender, inbox) = unbounded();
        for request in requests {
            sender.send(request).expect("the receiver is here");
        }
        drop(sender);
        let mut gatherer = Gatherer::new(&inbox, batching);
        std::iter::from_fn(|| gatherer.next())
            .map(|batch| batch.iter().map(|request| request.input.values()[0]).collect())
            .collect()
    }

    #[test]
    fn waiting_requests_go_together_up_to_the_most_and_in_order() {
        let (requests, _pending): (Vec<_>, Vec<_>) =
            (0..6_u8).map(|number| request(&[1, 2], f32::from(number))).unzip();
        assert_eq!(batches(requests, FOUR), [vec![0.0, 1.0, 2.0, 3.0], vec![4.0, 5.0]]);
    }

    #[test]
    fn each_goes_alone_where_batches_gain_nothing() {
        let (requests, _pending): (Vec<_>, Vec<_>) = (0..2).map(|_| request(&[1], 0.5)).unzip();
        assert_eq!(batches(requests, Batching::ALONE), [[0.5], [0.5]]);
    }

    #[test]
    fn shapes_are_never_mixed_and_none_is_lost() {
        let (requests, _pending): (Vec<_>, Vec<_>) =
            [request(&[1, 2], 1.0), request(&[1, 3], 2.0), request(&[1, 3], 3.0), request(&[1, 2], 4.0)]
                .into_iter()
                .unzip();
        assert_eq!(batches(requests, FOUR), [vec![1.0], vec![2.0, 3.0], vec![4.0]]);
    }

    #[test]
    fn who_has_gone_takes_no_place_in_a_batch() {
        let (stays, _pending) = request(&[1], 1.0);
        let (left, pending) = request(&[1], 2.0);
        drop(pending);
        let (comes, _also) = request(&[1], 3.0);
        assert_eq!(batches(vec![left, stays, comes], FOUR), [[1.0, 3.0]]);
    }

    #[test]
    fn every_caller_gets_its_own_rows() {
        let (sender, inbox) = unbounded();
        let (requests, _pending): (Vec<_>, Vec<_>) =
            (1..=3_u8).map(|number| request(&[1, 2], f32::from(number))).unzip();
        for request in requests {
            sender.send(request).expect("the receiver is here");
        }
        let (pool, mut gatherer) = (Arc::new(TensorPool::default()), Gatherer::new(&inbox, FOUR));
        let batch = gatherer.next().expect("requests wait");
        let joined = gatherer.join(&batch, &pool);
        assert_eq!(joined.shape(), [4, 2]);
        // An output may have several rows for each input, as a detector's anchors have.
        let rows = Tensor::new(&[8, 1], joined.values().to_vec()).expect("it fits");
        let parts = split(&[joined, rows], 4, 3, &pool).expect("it splits");
        assert_eq!(parts.len(), 3);
        for (part, value) in parts.iter().zip([1.0, 2.0, 3.0]) {
            assert_eq!((part[0].shape(), part[1].shape()), ([1, 2].as_slice(), [2, 1].as_slice()));
            assert!(
                part.iter()
                    .all(|output| output.values().iter().all(|own| (own - value).abs() < f32::EPSILON))
            );
        }
    }

    #[test]
    fn an_output_that_is_of_no_batch_is_an_error() {
        let pool = Arc::new(TensorPool::default());
        assert!(split(&[Tensor::zeros(&[3, 1])], 2, 2, &pool).is_err());
        assert!(split(&[Tensor::zeros(&[])], 2, 2, &pool).is_err());
    }

    #[test]
    fn few_lengths_are_run() {
        let lengths = |most| Batching { most, ..FOUR }.lengths().collect::<Vec<_>>();
        assert_eq!(lengths(1), [1]);
        assert_eq!(lengths(8), [1, 2, 4, 8]);
        assert_eq!(lengths(12), [1, 2, 4, 8, 12]);
    }
}
