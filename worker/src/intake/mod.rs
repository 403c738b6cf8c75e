//! The job's life: taken from the queue, claimed by lease, run, finished, and swept up after.
//!
//! - `worker`: what the process starts, and how it drains.
//! - `attempt`: one delivery from the claim to the acknowledgement.
//! - `execute`: the pipeline on its thread, under a deadline.
//! - `keeper`: the lease, renewed while the work goes on.
//! - `relay`: from the outbox to the queue.
//! - `reaper`: what was left lying is offered again, what is old is forgotten.

mod attempt;
mod execute;
mod keeper;
mod reaper;
mod relay;
mod worker;

pub use attempt::Handled;
pub use worker::Worker;

#[cfg(test)]
mod tests;
