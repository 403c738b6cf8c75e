//! Which failures of the bucket pass by themselves.

use std::io;

use object_store::Error;

use crate::blob::BlobError;

/// How `object_store` writes the status of an answer into an error whose type it keeps to itself.
const STATUS: &str = "non-2xx status code: ";

impl From<Error> for BlobError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { .. } if !is_missing_bucket(&error) => Self::NotFound,
            // No answer, or one that says that it is the server's fault.
            Error::Generic { .. } if !is_refusal(&error) => Self::Unavailable(Box::new(error)),
            // Two changes to one key at the same time; S3 asks for another try.
            Error::AlreadyExists { .. } => Self::Unavailable(Box::new(error)),
            _ => Self::Other(Box::new(error)),
        }
    }
}

fn is_missing_bucket(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. }) && error.to_string().contains("NoSuchBucket")
}

/// Whether the server understood us and said no: a 3xx or 4xx that no later try changes.
fn is_refusal(error: &Error) -> bool {
    match status(error) {
        Some(408 | 429) => false,
        Some(status) => status < 500,
        None => error.to_string().contains("redirect without LOCATION"),
    }
}

/// The status of the server's answer, if it gave one.
pub(super) fn status(error: &Error) -> Option<u16> {
    match error {
        Error::NotFound { .. } => Some(404),
        Error::PermissionDenied { .. } => Some(403),
        Error::Unauthenticated { .. } => Some(401),
        _ => error.to_string().split_once(STATUS).and_then(|(_, rest)| rest.get(..3)?.parse().ok()),
    }
}

pub(super) fn absent_is_fine<T>(result: Result<T, Error>) -> Result<(), BlobError> {
    match result.map_err(BlobError::from) {
        Ok(_) | Err(BlobError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A transfer that went wrong in a way of its own.
pub(super) fn broken(what: &'static str) -> BlobError {
    BlobError::Unavailable(what.into())
}

/// This machine's disk, where the blob was to be copied to. That a folder is missing there says nothing of the blob.
pub(super) fn disk(error: io::Error) -> BlobError {
    match BlobError::from(error) {
        BlobError::NotFound => broken("the folder for local copies has gone"),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> BlobError {
        Error::Generic { store: "S3", source: text.to_owned().into() }.into()
    }

    #[test]
    fn what_the_server_refuses_does_not_pass() {
        for status in ["301 Moved Permanently", "400 Bad Request", "405 Method Not Allowed"] {
            let error =
                generic(&format!("Error performing PUT - Server returned non-2xx status code: {status}: "));
            assert!(matches!(error, BlobError::Other(_)), "{status}");
        }
    }

    #[test]
    fn what_goes_wrong_on_the_way_or_at_the_server_passes() {
        for status in
            ["408 Request Timeout", "429 Too Many Requests", "500 Internal Server Error", "503 Slow Down"]
        {
            let error =
                generic(&format!("Error performing PUT - Server returned non-2xx status code: {status}: "));
            assert!(matches!(error, BlobError::Unavailable(_)), "{status}");
        }
        assert!(matches!(generic("error sending request"), BlobError::Unavailable(_)));
    }
}
