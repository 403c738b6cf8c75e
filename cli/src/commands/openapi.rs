//! `countersign openapi`: the document of every operation.

use std::process::ExitCode;

use super::say;

#[expect(clippy::unnecessary_wraps, reason = "every command returns the same type")]
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    say(countersign_api::openapi::pretty().trim_end());
    Ok(ExitCode::SUCCESS)
}
