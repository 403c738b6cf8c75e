//! The rounds: the service, the bare models and another server do the same in turn, so that a slow minute hits all alike.

use std::time::{Duration, Instant};

use anyhow::Context;
use countersign_shared::telemetry::metrics::Page;
use serde::Serialize;

use super::ceiling::{Calls, Ceiling, calls};
use crate::commands::bench::client::{Call, Client};
use crate::commands::bench::load::{Latencies, closed, open};
use crate::commands::bench::process::{Family, processor_time};

const WARM_UP: usize = 3;

/// What was measured; times in seconds, memory in bytes.
#[derive(Debug, Serialize)]
pub(super) struct Results {
    pub(super) ready_after: f64,
    /// Ready, with no job done yet: the face models are loaded, the speech recogniser is not.
    pub(super) memory_idle: u64,
    pub(super) service: Served,
    /// The same model calls with ready tensors, on as many threads as there are permits.
    pub(super) ceiling: Work,
    /// The service's jobs per second as a part of the ceiling's.
    pub(super) of_ceiling: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) against: Option<Served>,
}

/// Jobs done as fast as they can be.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(super) struct Work {
    pub(super) jobs_per_second: f64,
    /// Processor time of one job.
    pub(super) processor: f64,
}

/// What a server did. The processor time and memory of this service include the clients'.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(super) struct Served {
    /// One call after another.
    pub(super) alone: Latencies,
    /// All clients at once.
    pub(super) work: Work,
    pub(super) saturated: Latencies,
    /// Calls at a fixed rate, which is the same for both servers.
    pub(super) arrivals_per_second: f64,
    pub(super) arrived: Latencies,
    /// Under load; 0 if its process is not known.
    pub(super) memory: u64,
}

/// One who does the work, and what it has taken so far.
#[derive(Default)]
struct Spent {
    jobs: usize,
    elapsed: Duration,
    processor: Duration,
}

struct Server {
    client: Client,
    process: Option<Family>,
    spent: Spent,
    saturated: Vec<Duration>,
    served: Served,
}

pub(super) struct Rounds {
    call: Call,
    clients: usize,
    memory_idle: u64,
    own: Server,
    other: Option<Server>,
    ceiling: Spent,
}

impl Rounds {
    pub(super) fn begin(call: Call, clients: usize, client: Client) -> anyhow::Result<Self> {
        let family = Family(std::process::id());
        let memory_idle = family.memory()?;
        let own = Server::new(client, Some(family));
        Ok(Self { call, clients, memory_idle, own, other: None, ceiling: Spent::default() })
    }

    pub(super) fn against(&mut self, client: Client, process: Option<Family>) {
        self.other = Some(Server::new(client, process));
    }

    /// Measures one call after another, `count` at least 1; gives what one job asked of the models.
    pub(super) async fn alone(&mut self, count: usize, page: &Page) -> anyhow::Result<Calls> {
        self.own.alone(&self.call, WARM_UP).await?;
        let before = calls(&page.render());
        self.own.alone(&self.call, count).await?;
        let mut made = calls(&page.render());
        for (call, count) in &before {
            made.entry(call.clone()).and_modify(|made| *made -= count);
        }
        for made in made.values_mut() {
            *made /= count as u64;
        }
        made.retain(|_, made| *made > 0);
        if let Some(other) = &mut self.other {
            other.alone(&self.call, WARM_UP).await.context("the other server failed")?;
            other.alone(&self.call, count).await?;
        }
        Ok(made)
    }

    /// Work that is not counted, after which every buffer is as large as it becomes: the memory under load.
    pub(super) async fn fill(&mut self, jobs: usize) -> anyhow::Result<()> {
        for server in [Some(&mut self.own), self.other.as_mut()].into_iter().flatten() {
            closed(self.clients, jobs, async || server.client.call(&self.call).await).await?;
            server.served.memory = server.process.map_or(Ok(0), Family::memory)?;
        }
        Ok(())
    }

    pub(super) async fn round(&mut self, jobs: usize, ceiling: &Ceiling) -> anyhow::Result<()> {
        self.own.saturate(&self.call, self.clients, jobs).await?;
        let (started, before) = (Instant::now(), processor_time()?);
        tokio::task::block_in_place(|| ceiling.run(jobs))?;
        self.ceiling.add(jobs, started.elapsed(), processor_time()?.saturating_sub(before));
        if let Some(other) = &mut self.other {
            other.saturate(&self.call, self.clients, jobs).await?;
        }
        Ok(())
    }

    /// `rate` 0 means half of what this service has reached.
    pub(super) async fn arrivals(&mut self, rate: f64, count: usize) -> anyhow::Result<()> {
        let rate = if rate > 0.0 { rate } else { self.own.spent.work().jobs_per_second / 2.0 };
        for server in [Some(&mut self.own), self.other.as_mut()].into_iter().flatten() {
            let call = || {
                let (client, call) = (server.client.clone(), self.call.clone());
                async move { Ok(client.call(&call).await?.0) }
            };
            let arrived = open(rate, count, call).await?;
            server.served.arrived =
                Latencies::of(arrived.into_iter().map(|(late, time)| late + time).collect());
            server.served.arrivals_per_second = rate;
        }
        Ok(())
    }

    pub(super) fn results(self, ready_after: Duration) -> Results {
        let (service, ceiling) = (self.own.served(), self.ceiling.work());
        Results {
            ready_after: ready_after.as_secs_f64(),
            memory_idle: self.memory_idle,
            of_ceiling: service.work.jobs_per_second / ceiling.jobs_per_second,
            service,
            ceiling,
            against: self.other.map(Server::served),
        }
    }
}

impl Server {
    fn new(client: Client, process: Option<Family>) -> Self {
        let (spent, served) = (Spent::default(), Served::default());
        Self { client, process, spent, saturated: Vec::new(), served }
    }

    async fn alone(&mut self, call: &Call, count: usize) -> anyhow::Result<()> {
        let times = closed(1, count, async || Ok(self.client.call(call).await?.0)).await?;
        self.served.alone = Latencies::of(times);
        Ok(())
    }

    async fn saturate(&mut self, call: &Call, clients: usize, jobs: usize) -> anyhow::Result<()> {
        let processor = || self.process.map_or(Ok(Duration::ZERO), Family::processor_time);
        let (started, before) = (Instant::now(), processor()?);
        let times = closed(clients, jobs, async || Ok(self.client.call(call).await?.0)).await?;
        self.spent.add(jobs, started.elapsed(), processor()?.saturating_sub(before));
        self.saturated.extend(times);
        Ok(())
    }

    fn served(self) -> Served {
        Served { work: self.spent.work(), saturated: Latencies::of(self.saturated), ..self.served }
    }
}

impl Spent {
    fn add(&mut self, jobs: usize, elapsed: Duration, processor: Duration) {
        self.jobs += jobs;
        self.elapsed += elapsed;
        self.processor += processor;
    }

    fn work(&self) -> Work {
        let jobs = self.jobs.max(1) as f64;
        Work {
            jobs_per_second: jobs / self.elapsed.as_secs_f64(),
            processor: self.processor.as_secs_f64() / jobs,
        }
    }
}
