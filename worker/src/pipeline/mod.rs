//! Which stages run for a kind of verification, and what follows from what they find.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use countersign_shared::domain::{Failure, MediaRole, ProblemCode, Report, Request};
use tokio_util::sync::CancellationToken;

use crate::engines::EngineError;
use crate::engines::media::MediaError;

mod decide;
pub mod faces;
pub mod load;
pub mod photo;
pub mod quality;
pub mod spoof;
pub mod still;
pub mod video;

/// One job's input: what was asked, and where its files lie on this machine.
#[derive(Debug, Clone)]
pub struct Job {
    pub request: Request,
    pub files: HashMap<MediaRole, PathBuf>,
    /// Set when nobody needs the result any more, or the lease is lost: stages stop at their next step.
    pub cancelled: CancellationToken,
}

/// Why a job has no report.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The media can't be used, however often it is tried: the job fails at once with this public reason.
    #[error("permanent: {0}")]
    Permanent(Failure),
    /// Something on our side failed; another attempt may succeed.
    #[error("retryable: {0}")]
    Retryable(String),
    #[error("the job was given up")]
    Cancelled,
}

/// Turns media into a report. Blocking: runs on a thread of its own, one for each permit.
pub trait Pipeline: Send + Sync {
    fn run(&self, job: &Job) -> Result<Report, PipelineError>;
}

impl From<MediaError> for PipelineError {
    fn from(error: MediaError) -> Self {
        match error.failure() {
            Some(failure) => Self::Permanent(failure),
            None => Self::Retryable(error.to_string()),
        }
    }
}

impl From<EngineError> for PipelineError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Cancelled => Self::Cancelled,
            EngineError::Failed { .. } => Self::Retryable(error.to_string()),
        }
    }
}

impl Job {
    /// Where the file of that role lies; its absence is the request's own fault.
    pub fn file(&self, role: MediaRole) -> Result<&Path, PipelineError> {
        self.files.get(&role).map(PathBuf::as_path).ok_or_else(|| {
            PipelineError::Permanent(Failure::new(ProblemCode::MissingField, format!("there is no {role}")))
        })
    }
}
