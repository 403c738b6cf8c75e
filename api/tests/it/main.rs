//! The front door: real sockets, real embedded adapters, and a responder that finishes rows in the place of a worker.

mod client;
mod forms;
mod keys;
mod limits;
mod logs;
mod media;
mod openapi;
mod openapi_tools;
mod paths;
mod reports;
mod service;
mod v2;
mod view;
mod waiting;
mod webhooks;
