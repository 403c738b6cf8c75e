//! The HTTP server: built, then run until it is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpServer};
use anyhow::Context as _;
use countersign_shared::adapters::Adapters;
use countersign_shared::config::Config;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing_actix_web::TracingLogger;

use crate::background::Background;
use crate::front::Front;
use crate::problem::render;
use crate::readiness::Readiness;
use crate::routes::configure;
use crate::trace::RequestSpan;

/// The metrics as Prometheus text.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// After a refusal, how long a client may go on sending before the connection is cut: it has to read the refusal.
const LINGER: Duration = Duration::from_secs(5);

/// How long an idle connection is kept: longer than the pools of clients and load balancers keep theirs (60 s, mostly), so
/// that none is closed just as a request is sent on it.
const KEPT_ALIVE: Duration = Duration::from_secs(75);

/// The front end, bound to its address and not yet answering.
pub struct App {
    front: Arc<Front>,
    listener: TcpListener,
    address: SocketAddr,
    threads: usize,
    drain: Duration,
}

impl App {
    /// Binds the configured address. Must be called on the runtime of the process, which also runs what outlives a
    /// request.
    pub fn build(
        config: &Config,
        adapters: &Adapters,
        readiness: watch::Receiver<Readiness>,
        metrics: RenderMetrics,
    ) -> anyhow::Result<Self> {
        let listen = config.server.listen;
        let listener = TcpListener::bind(listen).with_context(|| format!("failed to listen on {listen}"))?;
        let address = listener.local_addr().context("failed to read the address that is listened on")?;
        let background = Background::new(Handle::try_current().context("failed to find a runtime")?);
        Ok(Self {
            front: Arc::new(Front::new(config, adapters, readiness, metrics, background)),
            listener,
            address,
            threads: config.server.effective_threads(),
            drain: config.server.drain,
        })
    }

    /// Where it listens; the port is the real one when 0 was configured.
    pub const fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown`, then takes nothing new, finishes what is running within the configured drain and
    /// returns. Callers whose result is not there by then get 504; their jobs go on.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { front, listener, threads, drain, .. } = self;
        let data = Data::from(Arc::clone(&front));
        let server = HttpServer::new(move || {
            ActixApp::new()
                .app_data(data.clone())
                .configure(configure)
                .wrap(from_fn(render))
                .wrap(TracingLogger::<RequestSpan>::new())
        })
        .workers(threads)
        .keep_alive(KEPT_ALIVE)
        .client_disconnect_timeout(LINGER)
        // A client that has closed its side is gone: waiting for a result that nobody reads would cost inference.
        .h1_allow_half_closed(false)
        .disable_signals()
        .shutdown_timeout(drain.as_secs().max(1))
        .listen(listener)
        .context("failed to listen")?
        .run();

        let handle = server.handle();
        let mut serving = std::pin::pin!(server);
        tokio::select! {
            ended = &mut serving => return ended.context("the HTTP server failed"),
            () = shutdown.cancelled() => {}
        }
        front.stopping.cancel();
        let patience = drain.saturating_sub(Duration::from_secs(1)).max(drain / 2);
        let give_up = async {
            tokio::time::sleep(patience).await;
            front.stop_waiting.cancel();
            std::future::pending::<()>().await;
        };
        let stop = async {
            let ((), ended) = tokio::join!(handle.stop(true), serving);
            ended
        };
        tokio::select! {
            ended = stop => ended.context("the HTTP server failed")?,
            () = give_up => {}
        }
        if !front.background.finish(Duration::from_secs(2)).await {
            tracing::warn!("work in the background was not finished");
        }
        Ok(())
    }
}
