//! Pulls against a small server of our own.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Progress, Pull, Step, Unobtainable};
use crate::models::files::State;
use crate::models::{Model, ModelFiles, fixture};

/// What is served at a path.
#[derive(Clone)]
enum FakeFile {
    Whole(Vec<u8>),
    /// The first answer breaks off after so many bytes.
    BreaksAfter(usize, Vec<u8>),
}

/// Answers GET with and without ranges and remembers what was asked for.
#[derive(Clone)]
struct FakeServer {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Default)]
struct FakeProgress(Mutex<Vec<String>>);

impl Progress for FakeProgress {
    fn tell(&self, model: &str, step: Step<'_>) {
        self.0.lock().expect("no panic").push(format!("{model} {step:?}"));
    }
}

impl FakeServer {
    async fn start(files: &[(&str, FakeFile)]) -> Self {
        let files: HashMap<String, FakeFile> =
            files.iter().map(|(path, file)| ((*path).to_owned(), file.clone())).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Self { address, asked: Arc::default() };
        let asked = Arc::clone(&server.asked);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                answer(stream, &files, &asked).await;
            }
        });
        server
    }

    fn source(&self, path: &str) -> String {
        format!("{{ url = '{}{path}' }}", self.address)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

async fn answer(mut stream: TcpStream, files: &HashMap<String, FakeFile>, asked: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a request"));
    }
    let head = String::from_utf8(head).expect("text").to_lowercase();
    let path = head.split(' ').nth(1).expect("a path").to_owned();
    let range = head.lines().find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-'));
    let from: usize = range.map_or(0, |from| from.parse().expect("a number"));
    let first = {
        let mut asked = asked.lock().expect("no panic");
        let first = !asked.iter().any(|earlier| earlier.starts_with(&path));
        asked.push(format!("{path} from {from}"));
        first
    };
    let (body, sent) = match files.get(&path) {
        None => {
            let _ =
                stream.write_all(b"HTTP/1.1 404 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            return;
        }
        Some(FakeFile::Whole(body)) => (body, body.len()),
        Some(FakeFile::BreaksAfter(count, body)) => (body, if first { *count } else { body.len() }),
    };
    let (status, extra) = if range.is_some() {
        let last = body.len() - 1;
        ("206 Partial", format!("content-range: bytes {from}-{last}/{}\r\n", body.len()))
    } else {
        ("200 OK", String::new())
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len() - from
    );
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    stream.write_all(&body[from..sent]).await.expect("it is sent");
}

async fn pull(dir: &Path, from: Option<&Path>, model: &Model) -> (Vec<Unobtainable>, Vec<String>) {
    let progress = FakeProgress::default();
    let files = ModelFiles::new(dir);
    let lost = Pull { files: &files, from, progress: &progress }.run(&[model]).await.expect("it runs");
    (lost, progress.0.into_inner().expect("no panic"))
}

/// Every file below the folder but the lock and the receipts.
fn left(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != ".lock" && name != ".receipts.json")
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_interrupted_download_goes_on_where_it_broke_off() {
    let body: Vec<u8> = (0..100_000_u32).map(|index| (index % 251) as u8).collect();
    let server = FakeServer::start(&[("/a", FakeFile::BreaksAfter(60_000, body.clone()))]).await;
    let dir = tempfile::tempdir().expect("a folder");
    let model = fixture::model("a", &body, &server.source("/a"));
    let (lost, _) = pull(dir.path(), None, &model).await;
    assert_eq!(lost, []);
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    let resumed: usize = asked[1].strip_prefix("/a from ").expect("a path").parse().expect("a number");
    assert!(resumed > 0, "the second request began anew");
    assert_eq!(fs::read(dir.path().join("a.bin")).expect("it is there"), body);
    assert_eq!(left(dir.path()), ["a.bin"]);
}

#[tokio::test]
async fn a_later_pull_goes_on_with_what_an_earlier_one_kept() {
    let body = vec![7; 5_000];
    let dir = tempfile::tempdir().expect("a folder");
    let server = FakeServer::start(&[("/a", FakeFile::Whole(body.clone()))]).await;
    let model = fixture::model("a", &body, &server.source("/a"));
    fs::create_dir(dir.path().join(".partial")).expect("a folder");
    fs::write(dir.path().join(format!(".partial/{}.part", model.sha256)), &body[..3_000]).expect("it writes");
    let (lost, _) = pull(dir.path(), None, &model).await;
    assert_eq!(lost, []);
    assert_eq!(server.asked(), ["/a from 3000"]);
}

#[tokio::test]
async fn a_file_with_another_hash_is_refused_and_nothing_is_left() {
    let server = FakeServer::start(&[("/a", FakeFile::Whole(b"forged".to_vec()))]).await;
    let dir = tempfile::tempdir().expect("a folder");
    let model = fixture::model("a", b"honest", &server.source("/a"));
    let (lost, _) = pull(dir.path(), None, &model).await;
    assert_eq!(lost.len(), 1);
    assert!(lost[0].reasons[0].contains("SHA-256"), "{lost:?}");
    assert_eq!(left(dir.path()), [""; 0]);
}

#[tokio::test]
async fn a_source_that_sends_too_much_is_cut_off() {
    let server = FakeServer::start(&[("/a", FakeFile::Whole(vec![0; 10_000]))]).await;
    let dir = tempfile::tempdir().expect("a folder");
    let model = fixture::model("a", &[0; 100], &server.source("/a"));
    let (lost, _) = pull(dir.path(), None, &model).await;
    assert!(lost[0].reasons[0].contains("instead of 100"), "{lost:?}");
    assert_eq!(left(dir.path()), [""; 0]);
}

#[tokio::test]
async fn sources_are_tried_in_order_until_one_gives_the_model() {
    let server = FakeServer::start(&[
        ("/forged", FakeFile::Whole(b"forged".to_vec())),
        ("/a", FakeFile::Whole(b"honest".to_vec())),
        ("/never", FakeFile::Whole(b"honest".to_vec())),
    ])
    .await;
    let sources = ["/missing", "/forged", "/a", "/never"].map(|path| server.source(path)).join(", ");
    let dir = tempfile::tempdir().expect("a folder");
    let model = fixture::model("a", b"honest", &sources);
    let (lost, told) = pull(dir.path(), None, &model).await;
    assert_eq!(lost, []);
    assert_eq!(server.asked(), ["/missing from 0", "/forged from 0", "/a from 0"]);
    let failures: Vec<&String> = told.iter().filter(|line| line.contains("Failed")).collect();
    assert!(failures[0].contains("404") && failures[1].contains("SHA-256"), "{failures:?}");
}

#[tokio::test]
async fn a_folder_gives_the_model_by_its_hash_whatever_its_name() {
    let brought = tempfile::tempdir().expect("a folder");
    fs::create_dir(brought.path().join("deep")).expect("a folder");
    fs::write(brought.path().join("a.bin"), b"forged").expect("it writes");
    fs::write(brought.path().join("deep/whatever.xyz"), b"honest").expect("it writes");
    let dir = tempfile::tempdir().expect("a folder");
    let model = fixture::model("a", b"honest", "");
    let (lost, _) = pull(dir.path(), Some(brought.path()), &model).await;
    assert_eq!(lost, []);
    assert_eq!(ModelFiles::new(dir.path()).look(&model), State::Present);
    assert!(brought.path().join("deep/whatever.xyz").exists(), "the folder is only read");
}

#[tokio::test]
async fn pieces_are_joined_in_order_and_those_that_came_are_kept_for_the_next_pull() {
    let piece = |server: &FakeServer, path: &str, bytes: &[u8]| {
        let sha256 = crate::models::Digest::of(bytes);
        format!("{{ url = '{}{path}', sha256 = '{sha256}', bytes = {} }}", server.address, bytes.len())
    };
    let dir = tempfile::tempdir().expect("a folder");
    let half = FakeServer::start(&[("/1", FakeFile::Whole(b"first".to_vec()))]).await;
    let source =
        format!("{{ pieces = [{}, {}] }}", piece(&half, "/1", b"first"), piece(&half, "/2", b"second"));
    let model = fixture::model("a", b"firstsecond", &source);
    let (lost, _) = pull(dir.path(), None, &model).await;
    assert!(lost[0].reasons[0].contains("404"), "{lost:?}");
    assert_eq!(left(dir.path()), [".partial"]);

    let whole = FakeServer::start(&[("/2", FakeFile::Whole(b"second".to_vec()))]).await;
    let source =
        format!("{{ pieces = [{}, {}] }}", piece(&whole, "/1", b"first"), piece(&whole, "/2", b"second"));
    let model = fixture::model("a", b"firstsecond", &source);
    let (lost, _) = pull(dir.path(), None, &model).await;
    assert_eq!(lost, []);
    assert_eq!(whole.asked(), ["/2 from 0"]);
    assert_eq!(left(dir.path()), ["a.bin"]);
}

#[tokio::test]
async fn a_model_that_is_there_is_not_asked_for_again() {
    let server = FakeServer::start(&[("/a", FakeFile::Whole(b"honest".to_vec()))]).await;
    let dir = tempfile::tempdir().expect("a folder");
    let model = fixture::model("a", b"honest", &server.source("/a"));
    pull(dir.path(), None, &model).await;
    let (lost, told) = pull(dir.path(), None, &model).await;
    assert_eq!((lost, told), (vec![], vec!["a Present".to_owned()]));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_damaged_file_is_replaced() {
    let server = FakeServer::start(&[("/a", FakeFile::Whole(b"honest".to_vec()))]).await;
    let dir = tempfile::tempdir().expect("a folder");
    let model = fixture::model("a", b"honest", &server.source("/a"));
    fs::write(dir.path().join("a.bin"), b"h0nest").expect("it writes");
    let (lost, _) = pull(dir.path(), None, &model).await;
    assert_eq!(lost, []);
    assert_eq!(fs::read(dir.path().join("a.bin")).expect("it is there"), b"honest");
}
