//! Health and metrics of a process that serves no other HTTP.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use super::metrics::Page;

/// The wait after a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(100);

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Answers `GET /healthz` (the process runs), `/readyz` (503 until `ready`) and `/metrics`, for the rest of the process's
/// life. Gives the address, whose port is the real one when 0 was asked for.
pub async fn listen(address: SocketAddr, page: Page, ready: watch::Receiver<bool>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        loop {
            // Out of descriptors, or a client that was gone already: the next one may do better.
            let Ok((stream, _)) = listener.accept().await else {
                sleep(PAUSE).await;
                continue;
            };
            let (page, ready) = (page.clone(), ready.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (status, body) = answer(request.method(), request.uri().path(), &page, *ready.borrow());
                async move { Ok::<_, Infallible>(response(status, body)) }
            });
            // A client that breaks off is its own business; one that dawdles is cut off by hyper's header timeout.
            tokio::spawn(
                http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    Ok(address)
}

fn answer(method: &Method, path: &str, page: &Page, ready: bool) -> (StatusCode, String) {
    match (method, path) {
        (&Method::GET, "/healthz") => (StatusCode::OK, "ok\n".to_owned()),
        (&Method::GET, "/readyz") if ready => (StatusCode::OK, "ready\n".to_owned()),
        (&Method::GET, "/readyz") => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
        (&Method::GET, "/metrics") => (StatusCode::OK, page.render()),
        _ => (StatusCode::NOT_FOUND, String::new()),
    }
}

fn response(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}
