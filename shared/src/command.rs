//! What every binary does around its command: settings, a runtime, and words to the person who started it.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::config::{Config, ConfigError};
use crate::memory;

/// Bad settings (`EX_USAGE` of sysexits).
const EXIT_BAD_SETTINGS: u8 = 64;

/// Loads the settings of `file` and of the process's environment, and runs the command on a runtime of its own.
pub fn run(file: Option<&Path>, command: impl AsyncFnOnce(Config) -> ExitCode) -> ExitCode {
    memory::keep_little();
    let config = match Config::load(file, environment()) {
        Ok(config) => config,
        Err(error) => return failure(&error),
    };
    // Only the first provider installed counts, and nothing has installed one before `main`.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure(&error),
    };
    let code = runtime.block_on(command(config));
    // A library call that hangs must not keep the process from ending.
    runtime.shutdown_background();
    code
}

/// Says what went wrong; the code to exit with: 64 for bad settings, else 1.
pub fn failure(error: &(dyn Error + Send + Sync + 'static)) -> ExitCode {
    complain(error);
    if error.is::<ConfigError>() { ExitCode::from(EXIT_BAD_SETTINGS) } else { ExitCode::FAILURE }
}

/// Prints an error and its causes to stderr.
pub fn complain(error: &(dyn Error + 'static)) {
    let mut line = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    note(&line);
}

/// Prints a line for a person to stderr.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints a result to stdout; a closed pipe is no error.
pub fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}

/// The variables that are text; no setting is anything else.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
