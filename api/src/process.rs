//! A front end as a process of its own: HTTP, and the duties that its settings give it.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use countersign_shared::adapters::Adapters;
use countersign_shared::command::say;
use countersign_shared::config::Config;
use countersign_shared::process::Process;
use countersign_shared::roles::Duties;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{App, Readiness};

/// Serves until the process is told to stop; prints the address once it answers.
pub async fn run(config: Config) -> anyhow::Result<ExitCode> {
    config.ensure_distributed()?;
    let Process { page, shutdown } = Process::start(&config.log)?;
    let Some(adapters) = shutdown.run_until_cancelled(Adapters::open_patiently(&config)).await else {
        return Ok(ExitCode::SUCCESS);
    };
    let adapters = adapters.context("failed to start")?;
    let (_readiness, watched) = watch::channel(Readiness::Ready);
    let app = App::build(&config, &adapters, watched, Arc::new(move || page.render()))?;
    say(&format!("listening on http://{}", app.addr()));
    // Not before HTTP has drained: what is accepted until then is to be sent.
    let stop = CancellationToken::new();
    let duties = Duties::new(&config, &adapters).run(config.server.roles, stop.clone());
    let duties = tokio::spawn(duties);
    let served = app.run(shutdown).await;
    stop.cancel();
    duties.await.context("the duties panicked")?;
    served.map(|()| ExitCode::SUCCESS)
}
