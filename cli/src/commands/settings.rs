//! `countersign settings`: the manual of the settings.

use std::process::ExitCode;

use countersign_shared::config::DEFAULTS;

use super::say;

#[expect(clippy::unnecessary_wraps, reason = "every command returns the same type")]
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    say(DEFAULTS.trim_end());
    Ok(ExitCode::SUCCESS)
}
