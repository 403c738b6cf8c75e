//! The job's life: taken from the queue, claimed by lease, run, finished, and swept up after.
//!
//! - `worker`: what the process starts, and how it drains.
//! - `attempt`: one delivery from the claim to the acknowledgement.
//! - `execute`: the pipeline on its thread, under a deadline.
//! - `keeper`: the lease, renewed while the work goes on.

mod attempt;
mod execute;
mod keeper;
mod worker;

pub use attempt::Handled;
pub use worker::Worker;

#[cfg(test)]
mod tests;
