//! Settings: one struct per section. `default.toml` is the manual and gives every default.

mod check;
mod load;
mod sections;

pub use load::{ConfigError, DEFAULTS};
pub(crate) use sections::create_private;
pub use sections::{
    Blobs, Config, Data, Limits, Log, LogFormat, Models, Pipeline, Queue, Retention, Sampling, Server,
    Signal, Store, V1, Worker,
};
