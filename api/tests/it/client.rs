//! A client that decides every byte it sends, as old, odd and broken clients do.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

pub(crate) const BOUNDARY: &str = "----CountersignBoundary";

/// Another address than the service's, to be told apart in logs.
pub(crate) const CLIENT_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// Long enough for a loaded machine; a test that reaches it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// One part of a form.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    headers: String,
    body: Vec<u8>,
}

impl Part {
    pub(crate) fn text(name: &str, value: &str) -> Self {
        Self::raw(&format!("Content-Disposition: form-data; name=\"{name}\"\r\n"), value.as_bytes())
    }

    pub(crate) fn file(name: &str, body: &[u8]) -> Self {
        let headers = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"a\"\r\nContent-Type: image/jpeg\r\n"
        );
        Self::raw(&headers, body)
    }

    pub(crate) fn raw(headers: &str, body: &[u8]) -> Self {
        Self { headers: headers.to_owned(), body: body.to_vec() }
    }
}

/// A form's body.
pub(crate) fn form(parts: &[Part]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\n{}\r\n", part.headers).as_bytes());
        body.extend_from_slice(&part.body);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// The head of a POST of a form.
pub(crate) fn head(path: &str, headers: &[(&str, &str)], length: usize) -> String {
    let more = lines(headers);
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
         Content-Length: {length}\r\n{more}\r\n"
    )
}

fn lines(headers: &[(&str, &str)]) -> String {
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    lines.concat()
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    /// The v1.1 error: the status of its code and exactly the documented body.
    #[track_caller]
    pub(crate) fn expect_error(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.body.as_str()),
            (status, format!(r#"{{"error":"{code}"}}"#).as_str()),
            "{self:?}"
        );
        assert!(self.header("x-error-detail").is_some_and(|detail| !detail.is_empty()), "{self:?}");
    }
}

impl Response {
    /// The v2 error of RFC 9457.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.header("content-type")),
            (status, Some("application/problem+json")),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(
            (problem["status"].as_u64(), problem["code"].as_str()),
            (Some(status.into()), Some(code)),
            "{self:?}"
        );
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
    }
}

/// A connection to the service.
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((CLIENT_ADDRESS, 0))).expect("all of 127/8 is this machine");
        Self(socket.connect(address).await.expect("the service listens"))
    }

    /// Fails when the service has closed its side, as it may after an early refusal.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        tokio::time::timeout(PATIENCE, self.0.write_all(bytes)).await.expect("the service reads")
    }

    pub(crate) async fn receive(&mut self) -> Response {
        tokio::time::timeout(PATIENCE, self.read_response()).await.expect("the service answers in time")
    }

    /// The interim response that tells the client to go on.
    pub(crate) async fn receives_continue(&mut self) {
        let mut bytes = vec![0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        let read = self.0.read_exact(&mut bytes);
        tokio::time::timeout(PATIENCE, read).await.expect("in time").expect("an interim response");
        assert_eq!(bytes, b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    /// Whether the service has closed the connection, or does before long.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        let read = tokio::time::timeout(PATIENCE, self.0.read(&mut byte)).await.expect("closed in time");
        matches!(read, Ok(0) | Err(_))
    }

    /// Everything until the service closes its side: the head, and the body as it comes.
    pub(crate) async fn receive_all(&mut self) -> (String, Vec<u8>) {
        let mut bytes = Vec::new();
        let read = self.0.read_to_end(&mut bytes);
        tokio::time::timeout(PATIENCE, read).await.expect("the service closes in time").expect("bytes");
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("the end of the head");
        let head = String::from_utf8(bytes[..end].to_vec()).expect("heads are ASCII");
        (head, bytes.split_off(end + 4))
    }

    /// What comes until it holds `text`.
    pub(crate) async fn receive_until(&mut self, text: &str) -> String {
        let mut bytes = Vec::new();
        let read = async {
            while !String::from_utf8_lossy(&bytes).contains(text) {
                let count = self.0.read_buf(&mut bytes).await.expect("the service writes");
                assert!(count > 0, "it ended without `{text}`: {}", String::from_utf8_lossy(&bytes));
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, read).await;
        let received = String::from_utf8_lossy(&bytes).into_owned();
        assert!(in_time.is_ok(), "`{text}` did not come, but: {received}");
        received
    }

    /// What comes until the service closes its side, as it must before long.
    pub(crate) async fn receive_rest(&mut self) -> String {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut rest));
        read.await.expect("the service closes in time").expect("bytes");
        String::from_utf8(rest).expect("UTF-8")
    }

    async fn read_response(&mut self) -> Response {
        let mut bytes = Vec::new();
        loop {
            if let Some(response) = parse(&bytes) {
                return response;
            }
            let count = self.0.read_buf(&mut bytes).await.expect("the service writes");
            assert!(count > 0, "the connection ended within: {}", String::from_utf8_lossy(&bytes));
        }
    }
}

/// A whole response with a declared length; an interim one (100) is skipped.
fn parse(bytes: &[u8]) -> Option<Response> {
    let text = std::str::from_utf8(bytes).expect("responses are UTF-8");
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    if status == 100 {
        return parse(body.as_bytes());
    }
    let response = Response { status, head: head.to_owned(), body: body.to_owned() };
    let length: usize = response.header("content-length").unwrap_or("0").parse().ok()?;
    (body.len() >= length).then_some(response)
}

pub(crate) async fn post(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    parts: &[Part],
) -> Response {
    let body = form(parts);
    let mut connection = Connection::open(address).await;
    // An early refusal may close the connection while the body is being sent; the response still comes.
    let head = head(path, headers, body.len());
    let _ = connection.send(&[head.as_bytes(), &body].concat()).await;
    connection.receive().await
}

pub(crate) async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
    request(address, "GET", path, headers).await
}

pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    if method != "HEAD" {
        return sent(address, method, path, headers).await.receive().await;
    }
    // The length that is declared is that of the answer to GET.
    let headers = [headers, &[("Connection", "close")]].concat();
    let (head, _) = sent(address, method, path, &headers).await.receive_all().await;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Response { status, head, body: String::new() }
}

/// A request without a body whose answer nobody has read yet.
pub(crate) async fn sent(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Connection {
    let more = lines(headers);
    let mut connection = Connection::open(address).await;
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
    connection.send(head.as_bytes()).await.expect("the service reads");
    connection
}

/// With a JSON body.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Response {
    let (more, body) = (lines(headers), body.to_string());
    let mut connection = Connection::open(address).await;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         {more}\r\n",
        body.len()
    );
    connection.send(&[head.as_bytes(), body.as_bytes()].concat()).await.expect("the service reads");
    connection.receive().await
}

/// The whole of a body that is sent in chunks.
pub(crate) async fn get_streamed(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
    let more = lines(headers);
    let mut connection = Connection::open(address).await;
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n");
    connection.send(head.as_bytes()).await.expect("the service reads");
    let mut bytes = Vec::new();
    let read = connection.0.read_to_end(&mut bytes);
    tokio::time::timeout(PATIENCE, read).await.expect("in time").expect("the service writes");
    let text = String::from_utf8(bytes).expect("responses are UTF-8");
    let (head, mut chunks) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let mut body = String::new();
    while let Some((length, rest)) = chunks.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("a chunk's length");
        body.push_str(&rest[..length]);
        chunks = &rest[length + 2..];
    }
    Response { status, head: head.to_owned(), body }
}
