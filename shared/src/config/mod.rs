//! Settings: one struct per section. `default.toml` is the manual and gives every default.

mod check;
mod load;
mod secret;
mod sections;
mod webhooks;

pub use load::{ConfigError, DEFAULTS};
pub use secret::{Secret, ServiceUrl};
pub(crate) use sections::create_private;
pub use sections::{
    Blobs, Config, Data, LaneLimits, Lanes, Limits, Log, LogFormat, Models, Pipeline, Queue, Retention,
    Sampling, Server, Signal, Store, V1, Worker,
};
pub use webhooks::Webhooks;
