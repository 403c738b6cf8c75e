//! HTTP in: routes, uploads, keys, waiting. No native library.
//!
//! - [`App`]: the server. [`process`]: a front end as a process of its own.
//! - [`v1_1`]: a report as the documented v1.1 JSON, for the command line too.
//! - [`openapi`]: the document of all operations, made from their handlers.
//! - `routes`: one file per operation. `upload` streams a multipart request to the blob store, `auth` finds the caller,
//!   `demand` says what a worker is asked, `idempotency` lets a request that comes twice be done once,
//!   `accept` writes the verification, `wait` waits for its result, `etag` answers conditional requests, `problem` says
//!   what went wrong.

mod accept;
mod app;
mod auth;
mod background;
mod demand;
mod etag;
mod front;
mod idempotency;
pub mod openapi;
mod problem;
pub mod process;
mod quota;
mod readiness;
mod request_id;
mod room;
mod routes;
mod trace;
mod upload;
mod wait;

pub use app::{App, RenderMetrics};
pub use readiness::Readiness;

/// The documented v1.1 JSON.
pub mod v1_1 {
    pub use crate::routes::v1_1::view::{Answer, view};
}
