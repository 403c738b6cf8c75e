//! The vocabulary of Countersign and the ports with their adapters.
//!
//! - [`domain`]: ids, verifications and their states, reports, the error table. Pure data, no I/O.
//! - [`store`], [`queue`], [`blob`], [`signal`], [`rate`]: the ports. Each `mod.rs` is the trait, each sibling file an
//!   adapter, each `contract.rs` the tests that every adapter must pass.
//! - [`adapters`]: from the settings' URLs to the ports. [`roles`]: the duties that belong to no job.
//! - [`config`]: one struct per section; `default.toml` is the manual.
//! - [`command`]: what every binary does around its command. [`process`]: what every serving process does around its
//!   work. [`health`]: whether one is ready. [`telemetry`]: logs, spans and metrics.

pub mod adapters;
pub mod blob;
pub mod command;
pub mod config;
pub mod domain;
pub mod health;
pub mod memory;
pub mod process;
pub mod queue;
pub mod rate;
pub mod roles;
pub mod signal;
pub mod store;
pub mod telemetry;
#[cfg(test)]
mod test_services;
