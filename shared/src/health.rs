//! Asks a process on this machine whether it is ready, as a container's health check does.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(3);

/// As much of the answer as is looked at: its status line.
const LOOKED_AT: u64 = 256;

/// Why a process is not ready.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    #[error("its port is not known: the settings let it take a free one")]
    AnyPort,
    #[error("failed to ask {0}")]
    Unreachable(SocketAddr, #[source] io::Error),
    #[error("{0} did not answer within {PATIENCE:?}")]
    TimedOut(SocketAddr),
    #[error("{0} is not ready: {1}")]
    NotReady(SocketAddr, String),
}

/// Whether the process that listens there answers `GET /readyz` with 200.
pub async fn ready(listen: SocketAddr) -> Result<(), HealthError> {
    if listen.port() == 0 {
        return Err(HealthError::AnyPort);
    }
    let address = from_here(listen);
    let status = timeout(PATIENCE, status_line(address))
        .await
        .map_err(|_| HealthError::TimedOut(address))?
        .map_err(|error| HealthError::Unreachable(address, error))?;
    match status.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(HealthError::NotReady(address, status)),
    }
}

/// Who listens everywhere is found on the loopback.
fn from_here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

async fn status_line(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let question = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LOOKED_AT).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answering(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut question = [0; 1024];
            let length = stream.read(&mut question).await.expect("a question");
            assert!(question[..length].starts_with(b"GET /readyz HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.expect("an answer");
        });
        SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port())
    }

    #[tokio::test]
    async fn a_process_is_ready_when_it_says_so() {
        let address = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        ready(address).await.expect("ready");
        let address = answering("HTTP/1.1 503 Service Unavailable\r\n\r\n").await;
        let error = ready(address).await.expect_err("not ready");
        assert!(error.to_string().contains("503"), "{error}");
    }

    #[tokio::test]
    async fn a_process_that_is_not_there_is_not_ready() {
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
        assert!(matches!(ready(free).await, Err(HealthError::Unreachable(..))));
        let any = SocketAddr::new(free.ip(), 0);
        assert!(matches!(ready(any).await, Err(HealthError::AnyPort)));
    }
}
