//! Whether a job costs more when many wait: batches of jobs are queued behind a closed gate, then worked off.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;

use super::pipeline::Gate;
use crate::commands::bench::client::Client;
use crate::commands::bench::load::closed;
use crate::commands::bench::process::processor_time;

/// How often is looked whether the last job has gone through.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Seconds of a job, of the wall's clock and of the processor.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Cost {
    /// Jobs that waited together.
    pub(super) queued: usize,
    pub(super) accept: f64,
    pub(super) accept_processor: f64,
    pub(super) work: f64,
    pub(super) work_processor: f64,
}

/// Queues so many jobs and works them off, `times` times.
pub(super) async fn measure(
    client: &Client,
    photo: &Bytes,
    gate: &Gate,
    (clients, queued, times): (usize, usize, usize),
) -> anyhow::Result<Cost> {
    let mut spent = [Duration::ZERO; 4];
    for _ in 0..times {
        let before = gate.passed();
        gate.close();
        let started = (Instant::now(), processor_time()?);
        closed(clients, queued, async || client.queue(photo.clone()).await).await?;
        spent[0] += started.0.elapsed();
        spent[1] += processor_time()?.saturating_sub(started.1);
        let started = (Instant::now(), processor_time()?);
        gate.open();
        while gate.passed() < before + queued {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        spent[2] += started.0.elapsed();
        spent[3] += processor_time()?.saturating_sub(started.1);
    }
    let [accept, accept_processor, work, work_processor] =
        spent.map(|spent| spent.as_secs_f64() / (queued * times).max(1) as f64);
    Ok(Cost { queued, accept, accept_processor, work, work_processor })
}
