//! Clients that each wait for one result.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use countersign_shared::blob::BlobKey;
use countersign_shared::domain::{
    Actor, ApiKey, ApiKeyInfo, Failure, KeyId, KeyLimits, Kind, Media, MediaFormat, MediaRole,
    NewVerification, Priority, ProblemCode, REQUEST_VERSION, Request, Scope, TenantId, Timestamp,
    VerificationId,
};
use countersign_shared::store::{Claim, Lease, Outcome, Stores};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use super::front_end::FrontEnd;

/// The longest that the service lets a client wait, so all results must be there by then.
const PATIENCE_SECONDS: u64 = 60;

/// Clients that connect at the same time.
const ARRIVE: usize = 100;

/// From the last client's request until its wait has begun.
const SETTLE: Duration = Duration::from_secs(2);

const LEASE: Duration = Duration::from_mins(5);

pub(super) struct Clients {
    /// What is worked on for them.
    leases: Vec<Lease>,
    /// Whose client has read its result, and when.
    reading: JoinSet<anyhow::Result<(VerificationId, Instant)>>,
}

impl Clients {
    /// Returns when all of them wait.
    pub(super) async fn begin(stores: &Stores, address: SocketAddr, count: usize) -> anyhow::Result<Self> {
        let key = ApiKey::generate();
        let tenant = add_key(stores, &key).await?;
        let mut leases = Vec::with_capacity(count);
        for _ in 0..count {
            let new = verification(tenant);
            stores.verifications.accept(&new).await?;
            let claim = stores.verifications.claim(new.id, "bench", LEASE).await?;
            let Claim::Claimed(lease, _) = claim else { anyhow::bail!("{} was taken by another", new.id) };
            leases.push(lease);
        }
        use_once(address, key.reveal()).await?;
        let mut reading = JoinSet::new();
        for chunk in leases.chunks(ARRIVE) {
            let connections = chunk.iter().map(|lease| ask(address, key.reveal(), lease.id));
            for connection in futures::future::try_join_all(connections).await? {
                reading.spawn(connection.read());
            }
        }
        sleep(SETTLE).await;
        ensure!(reading.try_join_next().is_none(), "a client was answered before its result was there");
        Ok(Self { leases, reading })
    }

    /// Finishes all at that rate, or as fast as the disk allows; the times from each result's commit until its client has
    /// read it, and how many were finished in a second.
    pub(super) async fn finish(
        &mut self,
        stores: &Stores,
        front_end: &mut FrontEnd,
        rate: f64,
    ) -> anyhow::Result<(Vec<Duration>, f64)> {
        let mut committed = HashMap::with_capacity(self.leases.len());
        let started = tokio::time::Instant::now();
        let failure = Failure::new(ProblemCode::MediaUnreadable, "nothing was uploaded");
        for (number, lease) in self.leases.iter().enumerate() {
            sleep_until(started + Duration::from_secs_f64(number as f64 / rate)).await;
            stores.verifications.finish(lease, &Outcome::Failed(failure.clone())).await?;
            committed.insert(lease.id, Instant::now());
            front_end.announce(lease.id).await?;
        }
        let reached = self.leases.len() as f64 / started.elapsed().as_secs_f64();
        let mut times = Vec::with_capacity(self.leases.len());
        while let Some(read) = self.reading.join_next().await {
            let (id, at) = read.context("a client panicked")??;
            times.push(at.saturating_duration_since(*committed.get(&id).context("an unknown result")?));
        }
        Ok((times, reached))
    }
}

struct Waiting {
    id: VerificationId,
    connection: TcpStream,
}

/// As little as a client can be: what it needs is not what is measured.
async fn ask(address: SocketAddr, key: &str, id: VerificationId) -> anyhow::Result<Waiting> {
    let mut connection = TcpStream::connect(address).await.context("failed to connect")?;
    let request = format!(
        "GET /v2/verifications/{id}?wait={PATIENCE_SECONDS} HTTP/1.1\r\nHost: bench\r\nX-Api-Key: {key}\r\n\
         Connection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await?;
    Ok(Waiting { id, connection })
}

/// So that the key's use is noted once, and not by everyone who comes at the same time.
async fn use_once(address: SocketAddr, key: &str) -> anyhow::Result<()> {
    let mut connection = TcpStream::connect(address).await.context("failed to connect")?;
    let request = format!(
        "GET /v2/verifications HTTP/1.1\r\nHost: bench\r\nX-Api-Key: {key}\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await?;
    connection.read_to_end(&mut Vec::new()).await?;
    sleep(SETTLE).await;
    Ok(())
}

impl Waiting {
    async fn read(mut self) -> anyhow::Result<(VerificationId, Instant)> {
        let mut answer = Vec::new();
        self.connection.read_to_end(&mut answer).await?;
        let at = Instant::now();
        let text = String::from_utf8_lossy(&answer);
        ensure!(text.starts_with("HTTP/1.1 200 "), "a client was answered {text}");
        ensure!(text.contains("\"state\":\"failed\""), "{} did not finish within the wait", self.id);
        Ok((self.id, at))
    }
}

async fn add_key(stores: &Stores, key: &ApiKey) -> anyhow::Result<TenantId> {
    let tenant_name = "bench".to_owned();
    let tenant = stores.tenants.tenant_named(&tenant_name, Actor::CommandLine).await?;
    let info = ApiKeyInfo {
        id: KeyId::new(),
        tenant,
        tenant_name,
        label: String::new(),
        scopes: vec![Scope::VerifyRead],
        created_at: Timestamp::now(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        limits: KeyLimits::default(),
    };
    stores.keys.add_key(&info, &key.hash(), Actor::CommandLine).await?;
    Ok(tenant)
}

/// Of a photo that nobody uploaded.
fn verification(tenant: TenantId) -> NewVerification {
    let id = VerificationId::new();
    let media = Media {
        role: MediaRole::Photo,
        format: MediaFormat::Jpeg,
        key: BlobKey::new(id, MediaRole::Photo),
        bytes: 4,
        sha256: "00".repeat(32),
    };
    let request = Request {
        version: REQUEST_VERSION,
        kind: Kind::Spoof,
        priority: Priority::Batch,
        media: vec![media],
        challenge: None,
        language: None,
        metadata: None,
        webhook_url: None,
        named_challenge: None,
    };
    NewVerification { id, tenant, key: KeyId::new(), request, traceparent: None, completion: None }
}
