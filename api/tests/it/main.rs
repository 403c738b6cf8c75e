//! The front door: real sockets, real embedded adapters, and a responder that finishes rows in the place of a worker.

mod reports;
mod view;
