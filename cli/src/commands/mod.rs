//! One file per subcommand, and the two ways in which they speak to a person.

pub(crate) mod api;
pub(crate) mod bench;
pub(crate) mod keys;
pub(crate) mod models;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod verify;
pub(crate) mod worker;

use std::io::Write;

/// Prints an error and its causes to stderr.
pub(crate) fn complain(error: &anyhow::Error) {
    note(&format!("error: {error:#}"));
}

/// Prints a line for a person to stderr.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints a result to stdout; a closed pipe is no error.
pub(crate) fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}
