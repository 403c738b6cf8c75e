//! Several processes: front ends and workers over PostgreSQL, RabbitMQ, Redis and S3.
//!
//! - `servers` are those of `scripts/services`: the set that `./test` has started, or a private one to be killed.
//! - `proxy` stands between a process and a server, and can be cut. `node` is a process of ours.
//! - `installation` puts them together; `rows` looks into its database, `callers` calls it.

mod callers;
mod installation;
mod node;
mod proxy;
mod rows;
mod servers;

mod answers;
mod chaos;
mod fairness;
mod losses;
mod rolling;
