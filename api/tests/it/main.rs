//! The front door: real sockets, real embedded adapters, and a responder that finishes rows in the place of a worker.

mod admin;
mod challenges;
mod client;
mod erasure;
mod forms;
mod idempotency;
mod keys;
mod limits;
mod logs;
mod media;
mod paths;
mod quotas;
mod rates;
mod reports;
mod service;
mod tenancy;
mod v2;
mod view;
mod waiting;
mod webhooks;
