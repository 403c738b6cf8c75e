//! Black-box tests: real processes, real models, HTTP in and JSON out.
//!
//! - `service` starts `countersign serve`; `client` speaks to it; `media` names the sample media of `scripts/fixtures`.
//! - `./test` starts one service for all tests that need no particular one; run alone, each test starts its own.
//! - `shape` reads JSON as ordered keys and types; `documented/` holds the documentation's own samples and clients.

mod client;
mod cluster;
mod media;
mod service;
mod shape;

mod batches;
mod binaries;
mod command_line;
mod crash;
mod dependency_rule;
mod deployment;
mod documented_clients;
mod drain;
mod errors;
mod eval;
mod keys;
mod limits;
mod memory;
mod migrate;
mod openvino;
mod photos;
mod privacy;
mod profiles;
mod responses;
mod spoofs;
mod tenants;
mod uploads;
mod videos;
