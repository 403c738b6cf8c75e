//! What can go wrong between here and the broker.

use std::time::Duration;

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use tokio::time::timeout;

use crate::queue::QueueError;

/// Every call to the broker ends within this time, and what takes several of them (a channel with all that belongs to it)
/// within the other.
const CALL_TIME: Duration = Duration::from_secs(5);
const SETUP_TIME: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Broker(#[from] lapin::Error),
    #[error("the broker did not answer in time")]
    Late,
    #[error("the broker takes no messages for now: it is short of memory or disk")]
    Blocked,
    #[error("no queue takes what is sent to `{exchange}` for `{routing_key}`")]
    Unroutable { exchange: String, routing_key: String },
    #[error("the channel on which the message was delivered is gone")]
    ChannelGone,
    #[error("the broker cancelled the consumer")]
    Cancelled,
    #[error("the broker takes no more into the queue")]
    Full,
}

/// Ends a call that takes too long.
pub(super) async fn within<Answer, Cause: Into<Failure>>(
    call: impl Future<Output = Result<Answer, Cause>>,
) -> Result<Answer, Failure> {
    match timeout(CALL_TIME, call).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(Failure::Late),
    }
}

/// Ends several calls, and the wait for others who make them, when that takes too long.
pub(super) async fn set_up<Answer>(
    calls: impl Future<Output = Result<Answer, Failure>>,
) -> Result<Answer, Failure> {
    timeout(SETUP_TIME, calls).await.unwrap_or(Err(Failure::Late))
}

impl From<Failure> for QueueError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full => Self::Full,
            other => Self::Unavailable(Box::new(other)),
        }
    }
}

/// Why the broker turned something down, where that is a matter of settings and not of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It exists with other arguments.
    Different,
    /// Wrong user or password, or not allowed to.
    Forbidden,
}

impl Failure {
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self.said()? {
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => Some(Refusal::Different),
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
            | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => Some(Refusal::Forbidden),
            _ => None,
        }
    }

    /// Whether the queue is not there.
    pub(super) fn is_of_nothing(&self) -> bool {
        matches!(self.said(), Some(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)))
    }

    /// The broker's reason.
    fn said(&self) -> Option<&AMQPErrorKind> {
        let Self::Broker(error) = self else { return None };
        let ErrorKind::ProtocolError(error) = error.kind() else { return None };
        Some(error.kind())
    }
}
