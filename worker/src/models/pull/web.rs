//! A file at a public address, resumed where it broke off.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt as _;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};

use super::FetchError;

const CONNECT_LIMIT: Duration = Duration::from_secs(20);
/// A server that sends nothing for so long has broken off.
const SILENCE_LIMIT: Duration = Duration::from_mins(1);
const ATTEMPTS: u32 = 3;
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);

/// Fetches what `to` lacks of `total` bytes. What arrived stays when the connection breaks.
pub(super) async fn fetch(url: &str, to: &Path, total: u64, told: impl Fn(u64)) -> Result<(), FetchError> {
    // One provider for the process; another part may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let broken = |detail: String| FetchError::Broken { done: size(to), total, detail };
    let client = Client::builder().connect_timeout(CONNECT_LIMIT).read_timeout(SILENCE_LIMIT).build();
    let client = client.map_err(|error| broken(said(&error)))?;
    for attempt in 1.. {
        match attempt_once(&client, url, to, total, &told).await {
            Err(FetchError::Broken { .. }) if attempt < ATTEMPTS => {
                tokio::time::sleep(BETWEEN_ATTEMPTS).await;
            }
            outcome => return outcome,
        }
    }
    unreachable!("the last attempt returns, otherwise this is a bug")
}

async fn attempt_once(
    client: &Client,
    url: &str,
    to: &Path,
    total: u64,
    told: &impl Fn(u64),
) -> Result<(), FetchError> {
    let mut done = size(to);
    if done == total {
        return Ok(());
    }
    if done > total {
        std::fs::remove_file(to)?;
        done = 0;
    }
    let mut request = client.get(url);
    if done > 0 {
        request = request.header(RANGE, format!("bytes={done}-"));
    }
    let broken = |done, detail: String| FetchError::Broken { done, total, detail };
    let response = request.send().await.map_err(|error| broken(done, said(&error)))?;
    let mut options = OpenOptions::new();
    options.create(true).write(true);
    if response.status() == StatusCode::PARTIAL_CONTENT && starts_at(&response, done) {
        options.append(true);
    } else if response.status() == StatusCode::OK {
        // The server knows no ranges: from the beginning.
        done = 0;
        options.truncate(true);
    } else {
        if response.status().is_success() || response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            // Its ranges can't be trusted: the next attempt asks for the whole.
            std::fs::remove_file(to)?;
            return Err(broken(0, "the server sent another part than was asked for".to_owned()));
        }
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let mut file = options.open(to)?;
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| broken(done, said(&error)))?;
        file.write_all(&chunk)?;
        done += chunk.len() as u64;
        if done > total {
            drop(file);
            std::fs::remove_file(to)?;
            return Err(FetchError::WrongSize { found: done, expected: total });
        }
        told(done);
    }
    if done < total { Err(broken(done, "it ended early".to_owned())) } else { Ok(()) }
}

fn starts_at(response: &Response, offset: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}

/// The innermost cause: the outer ones only repeat the address.
fn said(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
