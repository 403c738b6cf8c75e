//! The server goes away, or stops answering: callers hear that it is unavailable, in time, and go on when it is back.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::database::{Database, database};
use crate::config::Store;
use crate::domain::{TenantId, VerificationId};
use crate::store::{StoreError, Stores};

async fn read(stores: &Stores) -> Result<(), StoreError> {
    match stores.verifications.verification(TenantId::new(), VerificationId::new()).await {
        Err(StoreError::NotFound) => Ok(()),
        other => other.map(drop),
    }
}

#[tokio::test]
async fn sessions_that_the_server_ended_are_replaced() {
    let database = database!();
    let stores = database.stores().await;
    let reads = || futures::future::join_all((0..6).map(|_| read(&stores)));
    assert!(reads().await.iter().all(Result::is_ok));
    database.kill_sessions("true").await;
    let results = reads().await;
    let only_passing =
        results.iter().all(|result| matches!(result, Ok(()) | Err(StoreError::Unavailable(_))));
    assert!(only_passing, "{results:?}");
    let results = reads().await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

/// Hands every connection on to the server, until it is told to fall silent: then nothing comes back any more.
struct Proxy {
    address: std::net::SocketAddr,
    silent: watch::Sender<bool>,
}

impl Proxy {
    async fn before(server: &PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (silent, told) = watch::channel(false);
        let server = (server.get_host().to_owned(), server.get_port());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(hand_on(client, server.clone(), told.clone()));
            }
        });
        Self { address, silent }
    }
}

async fn hand_on(mut client: TcpStream, server: (String, u16), mut silent: watch::Receiver<bool>) {
    let mut upstream = TcpStream::connect(server).await.expect("the server answers");
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut upstream) => {}
        () = until(&mut silent, true) => until(&mut silent, false).await,
    }
}

async fn until(silent: &mut watch::Receiver<bool>, wanted: bool) {
    let _ = silent.wait_for(|silent| *silent == wanted).await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_unavailable_in_time() {
    let database = database!();
    let proxy = Proxy::before(&database.url()).await;
    let url = database.url().host("127.0.0.1").port(proxy.address.port());
    let settings =
        Store { url: sqlx::ConnectOptions::to_url_lossy(&url).as_str().into(), ..database.settings() };
    let stores = Stores::open(&settings, &Database::data()).await.expect("the store opens");
    read(&stores).await.expect("an answer");
    proxy.silent.send_replace(true);
    let began = Instant::now();
    let (fresh, more) = tokio::join!(read(&stores), read(&stores));
    assert!(matches!(fresh, Err(StoreError::Unavailable(_))), "{fresh:?}");
    assert!(matches!(more, Err(StoreError::Unavailable(_))), "{more:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    proxy.silent.send_replace(false);
    read(&stores).await.expect("no connection of before is used again");
}
