//! Real servers for the adapters' tests: those that the environment names, and private ones to be killed and paused.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The address in the variable of that name. A test whose server is missing says so and passes.
#[expect(clippy::print_stderr, reason = "a test that did not run must not look as if it had")]
pub(crate) fn address(variable: &str) -> Option<String> {
    let address = std::env::var_os(variable).and_then(|value| value.into_string().ok());
    if address.is_none() {
        eprintln!("not tested: {variable} is not set");
    }
    address
}

/// One server of `scripts/services`, on a port and in a folder of its own, until this is dropped.
pub(crate) struct PrivateServer {
    name: &'static str,
    folder: tempfile::TempDir,
}

impl PrivateServer {
    /// `None` when the environment names no servers at all: then none can be started here either.
    pub(crate) fn start(name: &'static str) -> Option<Self> {
        address(&format!("COUNTERSIGN_TEST_{}", name.to_uppercase()))?;
        let server = Self { name, folder: tempfile::tempdir().expect("a temporary folder") };
        assert!(server.up(), "{name} did not start");
        Some(server)
    }

    /// Starts it again, where it was.
    pub(crate) fn start_again(&self) {
        assert!(self.up(), "{} did not start again", self.name);
    }

    pub(crate) fn address(&self) -> String {
        let output = self.services("env", &[]).output().expect("the script runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let export = format!("export COUNTERSIGN_TEST_{}=", self.name.to_uppercase());
        text.lines()
            .find_map(|line| line.strip_prefix(&export))
            .expect("the script names every server")
            .to_owned()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn kill(&self) {
        assert!(self.send("KILL"), "{} does not run", self.name);
        while self.send("0") {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn pause(&self) {
        assert!(self.send("STOP"), "{} does not run", self.name);
    }

    pub(crate) fn resume(&self) {
        assert!(self.send("CONT"), "{} does not run", self.name);
    }

    fn send(&self, signal: &str) -> bool {
        let file = self.folder.path().join(format!("{}.pid", self.name));
        let Ok(text) = std::fs::read_to_string(file) else { return false };
        let pid = text.lines().next().unwrap_or_default();
        Command::new("kill")
            .args([&format!("-{signal}"), pid])
            .output()
            .is_ok_and(|done| done.status.success())
    }

    fn up(&self) -> bool {
        self.services("up", &[self.name]).status().expect("the script runs").success()
    }

    fn services(&self, verb: &str, names: &[&str]) -> Command {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scripts/services");
        let mut command = Command::new(script);
        command.arg(verb).arg(self.folder.path()).args(names);
        command
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        // What is paused can't end.
        self.send("CONT");
        let _ = self.services("down", &[self.name]).status();
    }
}
