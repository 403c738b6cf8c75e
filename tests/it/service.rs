//! A running `countersign serve`: on a free port, with its own data folder, gone when dropped.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::media::checkout;

/// Models are loaded and warmed up before the service is ready.
const READY_WITHIN: Duration = Duration::from_mins(2);

pub(crate) struct Service {
    pub(crate) url: String,
    /// A key with every scope of a client.
    pub(crate) key: String,
    pub(crate) folder: Arc<Folder>,
    process: Option<Child>,
}

/// Where a service keeps its rows and media; it outlives the process, for a restart.
pub(crate) struct Folder {
    data: PathBuf,
    _temporary: Option<TempDir>,
}

impl Folder {
    fn temporary() -> Self {
        let temporary = TempDir::new().expect("a temporary folder");
        Self { data: temporary.path().to_owned(), _temporary: Some(temporary) }
    }

    /// The files of all uploads. Beside them lies the lock of the process that serves.
    pub(crate) fn media_files(&self) -> Vec<PathBuf> {
        let mut files = files_below(&self.data.join("media"));
        files.retain(|path| path.file_name().is_none_or(|name| name != "serve.lock"));
        files
    }

    /// Everything the services in this folder have logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data.join("log")).expect("the log")
    }

    /// Runs the command line beside the service.
    pub(crate) fn countersign(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().expect("countersign runs")
    }

    fn command(&self) -> Command {
        let mut command = countersign();
        command.env("COUNTERSIGN_DATA__DIR", &self.data);
        command
    }

    /// Makes a key; it is printed alone.
    pub(crate) fn create_key(&self, arguments: &[&str]) -> String {
        let output = self.countersign(&[&["keys", "create"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let key = String::from_utf8(output.stdout).expect("a key is text");
        assert_eq!(key.lines().count(), 1, "the key is printed alone");
        key.trim().to_owned()
    }
}

impl Service {
    /// The service that `./test` has started, or one of this test's own.
    pub(crate) fn shared() -> Self {
        let variable = |name| std::env::var_os(name).map(|value| value.into_string().expect("text"));
        match (
            variable("COUNTERSIGN_TEST_URL"),
            variable("COUNTERSIGN_TEST_KEY"),
            variable("COUNTERSIGN_TEST_DATA"),
        ) {
            (Some(url), Some(key), Some(data)) => {
                let folder = Arc::new(Folder { data: data.into(), _temporary: None });
                Self { url, key, folder, process: None }
            }
            _ => Self::start(&[]),
        }
    }

    /// A service of the test's own, with settings such as `("V1__WAIT", "1s")`.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(Arc::new(Folder::temporary()), settings)
    }

    pub(crate) fn start_in(folder: Arc<Folder>, settings: &[(&str, &str)]) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(folder.data.join("log"));
        let mut command = folder.command();
        command.arg("serve").env("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0");
        for (name, value) in settings {
            command.env(format!("COUNTERSIGN_{name}"), value);
        }
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.expect("the log can be written"))
            .spawn()
            .expect("the service starts");
        let url = announced(&mut process).unwrap_or_else(|| panic!("no address:\n{}", folder.log()));
        let mut service = Self { url, key: String::new(), folder, process: Some(process) };
        service.wait_until_ready();
        service.key = service.folder.create_key(&["--label", "black-box"]);
        service
    }

    /// A front end that somebody else has started.
    pub(crate) fn at(url: String, key: String) -> Self {
        Self { url, key, folder: Arc::new(Folder::temporary()), process: None }
    }

    /// The same service for the holder of another key. It ends with `self`, not with this.
    pub(crate) fn with_key(&self, key: String) -> Self {
        Self { url: self.url.clone(), key, folder: Arc::clone(&self.folder), process: None }
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + READY_WITHIN;
        while !self.is_ready() {
            assert!(Instant::now() < deadline, "not ready:\n{}", self.folder.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn is_ready(&self) -> bool {
        let url = format!("{}/readyz", self.url);
        let curl = Command::new("curl").args(["--silent", "--fail", "--output", "/dev/null", &url]).status();
        curl.expect("curl runs").success()
    }

    fn process(&mut self) -> &mut Child {
        self.process.as_mut().expect("a service of the test's own")
    }

    /// The process's resident memory in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let id = self.process.as_ref().expect("a service of the test's own").id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes * 1024
    }

    /// The names of the process's threads.
    pub(crate) fn threads(&self) -> Vec<String> {
        let id = self.process.as_ref().expect("a service of the test's own").id();
        let threads = std::fs::read_dir(format!("/proc/{id}/task")).expect("the process runs");
        // One that has just ended has no name any more.
        threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok()).collect()
    }

    /// SIGKILL: no destructor, no drain.
    pub(crate) fn kill(mut self) -> Arc<Folder> {
        self.process().kill().expect("the process is ours");
        self.process().wait().expect("the process ends");
        self.process = None;
        Arc::clone(&self.folder)
    }

    /// SIGTERM, and how the process ended.
    pub(crate) fn terminate(mut self) -> (Arc<Folder>, ExitStatus) {
        self.send_sigterm();
        self.wait()
    }

    /// SIGTERM, and another one before it has drained.
    pub(crate) fn terminate_twice(mut self) -> (Arc<Folder>, ExitStatus) {
        self.send_sigterm();
        // Two at the same moment are one.
        std::thread::sleep(Duration::from_millis(200));
        self.send_sigterm();
        self.wait()
    }

    fn send_sigterm(&mut self) {
        let id = self.process().id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    fn wait(mut self) -> (Arc<Folder>, ExitStatus) {
        let status = self.process().wait().expect("the process ends");
        self.process = None;
        (Arc::clone(&self.folder), status)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

pub(crate) fn countersign() -> Command {
    binary("countersign")
}

/// A binary beside this test's, with the checkout's models.
pub(crate) fn binary(name: &str) -> Command {
    let test = std::env::current_exe().expect("this test has a path");
    let binary = test.ancestors().nth(2).expect("target/PROFILE/deps/test").join(name);
    assert!(binary.is_file(), "{} is missing: run cargo build", binary.display());
    let mut command = Command::new(binary);
    if std::env::var_os("COUNTERSIGN_MODELS__DIR").is_none() {
        command.env("COUNTERSIGN_MODELS__DIR", checkout().join(".countersign/models"));
    }
    command
}

/// The address in the service's announcement. The pipe is read on, so that the service never blocks on it.
fn announced(process: &mut Child) -> Option<String> {
    let mut output = BufReader::new(process.stdout.take()?);
    let mut line = String::new();
    while output.read_line(&mut line).ok()? > 0 {
        if let Some(url) = line.strip_prefix("listening on ") {
            let url = url.trim().to_owned();
            std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
            return Some(url);
        }
        line.clear();
    }
    None
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .map(|entry| entry.expect("an entry").path())
        .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
        .collect()
}
