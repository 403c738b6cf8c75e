//! The front door: real sockets, real embedded adapters, and a responder that finishes rows in the place of a worker.

mod challenges;
mod client;
mod forms;
mod idempotency;
mod keys;
mod limits;
mod logs;
mod media;
mod paths;
mod reports;
mod service;
mod v2;
mod view;
mod waiting;
mod webhooks;
