//! The front door: real sockets, real embedded adapters, and a responder that finishes rows in the place of a worker.

mod admin;
mod challenges;
mod client;
mod conditional;
mod downloads;
mod erasure;
mod events;
mod forms;
mod idempotency;
mod keys;
mod limits;
mod lists;
mod logs;
mod media;
mod paths;
mod quotas;
mod rates;
mod reports;
mod reviews;
mod service;
mod tenancy;
mod v2;
mod view;
mod waiting;
mod webhooks;
