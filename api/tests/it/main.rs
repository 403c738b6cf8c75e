//! The front door: real sockets, real embedded adapters, and a responder that finishes rows in the place of a worker.

mod client;
mod conditional;
mod downloads;
mod events;
mod forms;
mod keys;
mod limits;
mod lists;
mod logs;
mod media;
mod paths;
mod reports;
mod reviews;
mod service;
mod v2;
mod view;
mod waiting;
mod webhooks;
