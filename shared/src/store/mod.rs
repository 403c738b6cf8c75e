//! The port to the rows: verifications, the outbox, reviews, tenants and their keys, usage, webhooks, the audit log, and
//! what goes with them. The rows are the truth; everything else is a hint.

mod added;
mod audit;
mod challenges;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod erasure;
mod error;
mod idempotency;
mod lock;
mod migrations;
mod open;
pub mod overview;
mod postgres;
pub mod reviews;
mod sqlite;
mod tenancy;
mod usage;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{
    Failure, Lane, NewVerification, Report, State, TenantId, Timestamp, Verification, VerificationId,
};
use crate::queue::JobMessage;

pub use audit::AuditLog;
pub use challenges::ChallengeStore;
pub use erasure::ErasureStore;
pub use idempotency::{IdempotencyStore, Reserved};
pub use lock::{DataLock, LockError};
pub use migrations::Migrated;
pub use open::OpenError;
pub use overview::Overview;
pub use reviews::ReviewStore;
pub use tenancy::{KeyStore, TenantStore};
pub use usage::UsageStore;
pub use webhooks::{DeliveryLease, DeliveryShare, DeliveryStore, Settlement, WebhookStore};

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row, or not for this tenant.
    #[error("no such row")]
    NotFound,
    /// The row is not in a state that allows it, or the lease is lost.
    #[error("the row's state does not allow it")]
    Conflict,
    /// The database can't be reached or is busy; the same call may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the store failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Proof that a worker holds a verification; every write of that worker is guarded by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub id: VerificationId,
    pub tenant: TenantId,
    /// The worker's name, unique among processes and claims.
    pub owner: String,
    /// Counts from 1.
    pub attempt: u32,
}

/// What came of trying to claim a verification.
#[derive(Debug)]
pub enum Claim {
    Claimed(Lease, Box<Verification>),
    /// Finished, canceled or erased: there is nothing left to do.
    Gone,
    /// A newer build wrote the request, in that version; it is left to the workers of that build, and counts as offered
    /// now.
    Newer(u16),
    /// Another worker holds it until then.
    Held(Timestamp),
    /// It is claimed, but this build can't read it; to be given up like any other attempt that failed.
    Unreadable(Lease, Box<StoreError>),
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Succeeded(Box<Report>),
    Failed(Failure),
    /// To be tried again: the row goes back to queued without an outbox row, since the queue brings a message back. In
    /// case that one is lost, the row counts as offered `offered_ago` before now, and a reaper offers it again.
    Retry {
        offered_ago: Duration,
    },
    /// Given up through no fault of its own, as when the worker stops: the attempt does not count, and the row is in the
    /// outbox again.
    GivenBack,
}

/// A message that is not yet known to be in the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    pub sequence: i64,
    pub lane: Lane,
    pub message: JobMessage,
}

/// What waits in a lane, and what of it is one tenant's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Of every tenant.
    pub queued: u64,
    /// Of this tenant.
    pub own: u64,
    /// How long the oldest of the tenant's that no worker has tried yet has waited.
    pub age: Option<Duration>,
}

/// What a sweep over stale rows did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reoffered {
    /// How many are queued and in the outbox again.
    pub offered: u64,
    /// Out of attempts, now failed.
    pub exhausted: Vec<VerificationId>,
}

/// Verifications and their life.
#[async_trait]
pub trait VerificationStore: Send + Sync {
    /// Writes the row (state queued) and its outbox row in ONE transaction, in which it also keeps the answer for an
    /// idempotency key and uses up the challenge that is named. `Conflict` when the id exists, or when another request
    /// has taken the key over: nothing is written then. A challenge that is not open by the store's clock is no error;
    /// the request that is written says what it is. Returns when it was created: the store's clock, or the kept answer's.
    async fn accept(&self, new: &NewVerification) -> Result<Timestamp, StoreError>;
    async fn verification(&self, tenant: TenantId, id: VerificationId) -> Result<Verification, StoreError>;
    /// Cancels a verification that is still queued. `Conflict` when a worker has it or it is finished.
    async fn cancel(&self, tenant: TenantId, id: VerificationId) -> Result<(), StoreError>;
    /// Takes a queued row, or one whose lease has run out, for `lease` from now.
    async fn claim(&self, id: VerificationId, owner: &str, lease: Duration) -> Result<Claim, StoreError>;
    /// Extends the lease to `lease` from now. `Conflict` when it is lost.
    async fn renew(&self, held: &Lease, lease: Duration) -> Result<(), StoreError>;
    /// Ends the attempt in ONE transaction. `Conflict` when the lease is lost: nothing is written then.
    async fn finish(&self, held: &Lease, outcome: &Outcome) -> Result<(), StoreError>;
    /// What is queued in the lane, of everybody and of the tenant, each counted up to `limit`.
    async fn backlog(&self, lane: Lane, tenant: TenantId, limit: u64) -> Result<Backlog, StoreError>;
}

/// The messages on their way to the queue.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The lanes that have rows, whether another relay holds them or not.
    async fn waiting(&self) -> Result<Vec<Lane>, StoreError>;
    /// Takes at most `limit` rows of one lane. Tenants take turns: each that has rows gets an equal share, its own oldest
    /// first; of more tenants than that, those whose rows have waited longest. No other relay is given them while the
    /// batch lives.
    async fn take(&self, lane: Lane, limit: u32) -> Result<Box<dyn OutboxBatch>, StoreError>;
    /// How many rows wait.
    async fn depth(&self) -> Result<u64, StoreError>;
    /// Returns when this process added rows to that lane since the last call returned; never misses one, may wake early.
    async fn added(&self, lane: Lane);
}

/// Rows in one relay's hands. Dropping it frees them.
#[async_trait]
pub trait OutboxBatch: Send {
    fn rows(&self) -> &[OutboxRow];
    /// Whether the lane may have more rows than these and those in other relays' hands.
    fn more(&self) -> bool;
    /// Removes those that the queue has confirmed and frees the others.
    async fn sent(self: Box<Self>, sequences: &[i64]) -> Result<(), StoreError>;
}

/// What the reaper does.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Queues rows again and puts them into the outbox, unless they are there: those whose lease ran out before `now`,
    /// and queued ones last offered before `offered_before`. Rows that have used `max_attempts` fail with INTERNAL
    /// instead. At most `limit` of either; call again when that many came back in all.
    async fn reoffer(
        &self,
        now: Timestamp,
        offered_before: Timestamp,
        max_attempts: u32,
        limit: u32,
    ) -> Result<Reoffered, StoreError>;
    /// At the start of an embedded process, which is alone with its rows: every unfinished row loses its lease and is
    /// queued and in the outbox. Rows that have used `max_attempts` fail with INTERNAL instead.
    async fn recover(&self, max_attempts: u32) -> Result<Reoffered, StoreError>;
    /// Verifications that finished before then and whose media are not yet deleted: the oldest, at most `limit`.
    async fn media_due(
        &self,
        finished_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<VerificationId>, StoreError>;
    /// Notes that the media are gone.
    async fn media_deleted(&self, ids: &[VerificationId]) -> Result<(), StoreError>;
    /// Deletes finished verifications whose media are gone and that finished before then; at most `limit`.
    async fn delete_finished(&self, finished_before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    /// Deletes idempotency keys whose time was over before then, and by the store's own clock; at most `limit`.
    async fn delete_answers(&self, expired_before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    /// Deletes challenges that expired before then, used or not; at most `limit`.
    async fn delete_challenges(&self, expired_before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    /// Of these, the ones that have no row: their blobs are orphans.
    async fn unknown(&self, ids: &[VerificationId]) -> Result<Vec<VerificationId>, StoreError>;
    /// Takes a turn of something that one process at a time shall do, and not more often than `every`; false when another
    /// had it since.
    async fn take_turn(&self, duty: &str, now: Timestamp, every: Duration) -> Result<bool, StoreError>;
    /// The clock by which rows are dated: several machines' own disagree.
    async fn now(&self) -> Result<Timestamp, StoreError>;
    /// How many rows are in each state that is not final (the others are too many to be counted).
    async fn counts(&self) -> Result<Vec<(State, u64)>, StoreError>;
}

/// The store's sides, one database behind them.
#[derive(Clone)]
pub struct Stores {
    pub verifications: Arc<dyn VerificationStore>,
    pub outbox: Arc<dyn Outbox>,
    pub upkeep: Arc<dyn Upkeep>,
    pub keys: Arc<dyn KeyStore>,
    pub tenants: Arc<dyn TenantStore>,
    pub usage: Arc<dyn UsageStore>,
    pub erasures: Arc<dyn ErasureStore>,
    pub audit: Arc<dyn AuditLog>,
    pub overview: Arc<dyn Overview>,
    pub reviews: Arc<dyn ReviewStore>,
    pub webhooks: Arc<dyn WebhookStore>,
    pub deliveries: Arc<dyn DeliveryStore>,
    pub idempotency: Arc<dyn IdempotencyStore>,
    pub challenges: Arc<dyn ChallengeStore>,
}
