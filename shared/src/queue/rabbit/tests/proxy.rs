//! A wire to the broker that a test can cut, or hold up.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use crate::config::ServiceUrl;

pub(super) struct Proxy {
    pub(super) url: ServiceUrl,
    /// How often the wire was cut.
    cuts: Arc<watch::Sender<u32>>,
    /// Whether nothing passes.
    held: Arc<watch::Sender<bool>>,
    _running: AbortOnDropHandle<()>,
}

impl Proxy {
    /// In front of the broker of `url`; `query` is added to its own URL.
    pub(super) async fn start(url: &ServiceUrl, query: &str) -> Self {
        let (user, rest) = url.as_str().rsplit_once('@').expect("a user");
        let (broker, vhost) = rest.split_once('/').expect("a vhost");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (cuts, held) = (Arc::new(watch::Sender::new(0)), Arc::new(watch::Sender::new(false)));
        let running = tokio::spawn(run(listener, broker.to_owned(), cuts.clone(), held.clone()));
        Self {
            url: format!("{user}@{address}/{vhost}{query}").into(),
            cuts,
            held,
            _running: AbortOnDropHandle::new(running),
        }
    }

    /// Breaks every connection; new ones are let through.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Nothing passes any more, and nobody is told.
    pub(super) fn hold(&self, hold: bool) {
        self.held.send_replace(hold);
    }
}

async fn run(
    listener: TcpListener,
    broker: String,
    cuts: Arc<watch::Sender<u32>>,
    held: Arc<watch::Sender<bool>>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (broker, cuts, held) = (broker.clone(), cuts.subscribe(), held.subscribe());
        tokio::spawn(forward(client, broker, cuts, held));
    }
}

async fn forward(
    mut client: TcpStream,
    broker: String,
    mut cuts: watch::Receiver<u32>,
    mut held: watch::Receiver<bool>,
) {
    let mut broker = TcpStream::connect(broker).await.expect("the broker");
    loop {
        if held.wait_for(|held| !held).await.is_err() {
            return;
        }
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut broker) => return,
            _ = cuts.changed() => return,
            _ = held.wait_for(|held| *held) => {}
        }
    }
}
