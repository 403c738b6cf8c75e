//! One file per subcommand.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod eval;
pub(crate) mod healthcheck;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod models;
pub(crate) mod openapi;
pub(crate) mod queue;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod tenants;
pub(crate) mod usage;
pub(crate) mod verify;

pub(crate) use countersign_shared::command::{note, say};
