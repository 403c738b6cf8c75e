//! The real front end on a free port, with real rows and files, and a responder in the place of the worker.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use countersign_api::{App, Readiness};
use countersign_shared::adapters::Adapters;
use countersign_shared::config::Config;
use countersign_shared::domain::{
    Actor, ApiKey, ApiKeyInfo, AuditEntry, AuditFilter, KeyId, KeyLimits, Kind, Lane, NewVerification,
    Priority, Scope, State, TenantId, Timestamp, Verification, VerificationId,
};
use countersign_shared::signal::{Change, Signal};
use countersign_shared::store::contract::new_verification;
use countersign_shared::store::{Claim, Lease, Outcome, Stores};
use futures::future::select_all;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::{Part, Response, post};
use crate::reports::sample;

/// How long something that happens in the background may take.
const SOON: Duration = Duration::from_secs(10);

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) stores: Stores,
    pub(crate) tenant: TenantId,
    /// A key with every scope.
    pub(crate) key: String,
    pub(crate) readiness: watch::Sender<Readiness>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) running: JoinHandle<anyhow::Result<()>>,
    pub(crate) signal: Arc<dyn Signal>,
    folder: Arc<TempDir>,
}

impl Service {
    /// Nobody works on the jobs until [`Service::respond`].
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let (config, folder) = configure(settings);
        let adapters = Adapters::open(&config).await.expect("the adapters open");
        Self::over(&config, adapters, folder).await
    }

    /// As [`Service::start`], with adapters that `alter` has changed.
    pub(crate) async fn altered(
        settings: &[(&str, &str)],
        alter: impl FnOnce(&Config, &mut Adapters),
    ) -> Self {
        let (config, folder) = configure(settings);
        let mut adapters = Adapters::open(&config).await.expect("the adapters open");
        alter(&config, &mut adapters);
        Self::over(&config, adapters, folder).await
    }

    /// Two front ends over the same rows and files, each with a signal of its own.
    pub(crate) async fn pair(signals: [Arc<dyn Signal>; 2]) -> [Self; 2] {
        let (config, folder) = configure(&[]);
        let adapters = Adapters::open(&config).await.expect("the adapters open");
        let [first, second] = signals.map(|signal| {
            let mut adapters = adapters.clone();
            adapters.signal = signal;
            Self::over(&config, adapters, folder.clone())
        });
        [first.await, second.await]
    }

    async fn over(config: &Config, adapters: Adapters, folder: Arc<TempDir>) -> Self {
        let (readiness, receiver) = watch::channel(Readiness::Ready);
        let app = App::build(config, &adapters, receiver, Arc::new(|| "a_metric 1\n".to_owned()))
            .expect("the app builds");
        let Adapters { stores, signal, .. } = adapters;
        let (address, shutdown) = (app.addr(), CancellationToken::new());
        let running = tokio::spawn(app.run(shutdown.clone()));
        let tenant = stores.tenants.tenant_named("acme", Actor::System).await.expect("a tenant");
        let mut service = Self {
            address,
            stores,
            tenant,
            key: String::new(),
            readiness,
            shutdown,
            running,
            signal,
            folder,
        };
        service.key = service.add_key(Scope::ALL, None).await.0;
        service
    }

    /// A service whose jobs finish with the documented sample reports.
    pub(crate) async fn working(settings: &[(&str, &str)]) -> Self {
        let service = Self::start(settings).await;
        service.respond(|verification| Outcome::Succeeded(Box::new(sample(verification.request.kind))));
        service
    }

    /// Every queued job ends as `outcome` says.
    pub(crate) fn respond(&self, outcome: impl Fn(&Verification) -> Outcome + Send + 'static) {
        let (stores, signal, shutdown) =
            (self.stores.clone(), Arc::clone(&self.signal), self.shutdown.clone());
        tokio::spawn(async move {
            while !shutdown.is_cancelled() {
                for lane in Lane::ALL {
                    let batch = stores.outbox.take(lane, 100).await.expect("the outbox is read");
                    let sequences: Vec<i64> = batch.rows().iter().map(|row| row.sequence).collect();
                    for row in batch.rows() {
                        let id = row.message.verification_id;
                        let claim = stores.verifications.claim(id, "responder", SOON).await.expect("a claim");
                        if let Claim::Claimed(lease, verification) = claim {
                            let outcome = outcome(&verification);
                            stores.verifications.finish(&lease, &outcome).await.expect("finished");
                            signal.announce(id, Change::End).await;
                        }
                    }
                    batch.sent(&sequences).await.expect("sent");
                }
                let added = select_all(Lane::ALL.map(|lane| stores.outbox.added(lane)));
                let _ = tokio::time::timeout(Duration::from_millis(100), added).await;
            }
        });
    }

    pub(crate) async fn add_key(&self, scopes: &[Scope], expires_at: Option<Timestamp>) -> (String, KeyId) {
        self.add_key_of(self.tenant, scopes, expires_at).await
    }

    pub(crate) async fn add_key_of(
        &self,
        tenant: TenantId,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
    ) -> (String, KeyId) {
        self.add_limited_key(tenant, scopes, expires_at, KeyLimits::default()).await
    }

    pub(crate) async fn add_limited_key(
        &self,
        tenant: TenantId,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
        limits: KeyLimits,
    ) -> (String, KeyId) {
        let key = ApiKey::generate();
        let info = ApiKeyInfo {
            id: KeyId::new(),
            tenant,
            tenant_name: String::new(),
            label: String::new(),
            scopes: scopes.to_vec(),
            created_at: Timestamp::now(),
            expires_at,
            revoked_at: None,
            last_used_at: None,
            limits,
        };
        self.stores.keys.add_key(&info, &key.hash(), Actor::System).await.expect("the key is added");
        (key.reveal().to_owned(), info.id)
    }

    pub(crate) async fn tenant_named(&self, name: &str) -> TenantId {
        self.stores.tenants.tenant_named(name, Actor::System).await.expect("a tenant")
    }

    /// What the audit log says was done to it, newest first.
    pub(crate) async fn audited(&self, resource: &str) -> Vec<AuditEntry> {
        let entries = self.stores.audit.entries(&AuditFilter::default(), None, 1000).await;
        let entries = entries.expect("the log is read").into_iter();
        entries.filter(|entry| entry.resource.as_deref() == Some(resource)).collect()
    }

    pub(crate) async fn post(&self, path: &str, parts: &[Part]) -> Response {
        post(self.address, path, &[], parts).await
    }

    pub(crate) fn key_part(&self) -> Part {
        Part::text("api_key", &self.key)
    }

    pub(crate) async fn verification(&self, id: VerificationId) -> Verification {
        self.stores.verifications.verification(self.tenant, id).await.expect("the verification is there")
    }

    /// The verification whose files are stored, as soon as there is one that is accepted.
    pub(crate) async fn accepted(&self) -> VerificationId {
        let found = async {
            loop {
                for lane in Lane::ALL {
                    let batch = self.stores.outbox.take(lane, 1).await.expect("the outbox is read");
                    if let Some(row) = batch.rows().first() {
                        return row.message.verification_id;
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, found).await.expect("a verification is accepted")
    }

    pub(crate) async fn becomes(&self, id: VerificationId, state: State) {
        self.eventually(&format!("{id} becomes {}", state.name()), || async {
            self.verification(id).await.state == state
        })
        .await;
    }

    /// A verification of a photo that nobody uploaded.
    pub(crate) async fn accept(&self) -> VerificationId {
        let new = NewVerification { tenant: self.tenant, ..new_verification(Kind::Spoof, Priority::Batch) };
        self.stores.verifications.accept(&new).await.expect("accepted");
        new.id
    }

    /// As a worker does it, without telling anyone.
    pub(crate) async fn claim(&self, id: VerificationId) -> Lease {
        let claim = self.stores.verifications.claim(id, "worker", SOON).await.expect("a claim");
        let Claim::Claimed(lease, _) = claim else { panic!("not claimed: {claim:?}") };
        lease
    }

    /// As a worker does it, without telling anyone.
    pub(crate) async fn finish(&self, lease: &Lease) {
        let outcome = Outcome::Succeeded(Box::new(sample(Kind::Spoof)));
        self.stores.verifications.finish(lease, &outcome).await.expect("finished");
    }

    /// A tenant's key, with every scope, that is not the service's own.
    pub(crate) async fn key_of_another_tenant(&self) -> String {
        let tenant = self.tenant_named("another").await;
        self.add_key_of(tenant, Scope::ALL, None).await.0
    }

    /// Every file below the media folder, unfinished ones too.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        fn below(folder: &std::path::Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    below(&path, found);
                } else if path.file_name().is_none_or(|name| name != "serve.lock") {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        below(&self.folder.path().join("media"), &mut found);
        found
    }

    /// No refused upload leaves a file or a job.
    pub(crate) async fn keeps_nothing(&self) {
        self.eventually("no file is left", || async { self.files().is_empty() }).await;
        for lane in Lane::ALL {
            let backlog = self.stores.verifications.backlog(lane, self.tenant, 10).await.expect("a count");
            assert_eq!(backlog.queued, 0);
        }
    }

    pub(crate) async fn eventually<Check: Future<Output = bool>>(
        &self,
        what: &str,
        check: impl Fn() -> Check,
    ) {
        let holds = async {
            while !check().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(
            tokio::time::timeout(SOON, holds).await.is_ok(),
            "did not happen: {what}; files: {:?}",
            self.files()
        );
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// The defaults, a free port and a folder of its own.
fn configure(settings: &[(&str, &str)]) -> (Config, Arc<TempDir>) {
    crate::logs::capture();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().to_str().expect("a plain path").to_owned();
    let fixed = [("SERVER__LISTEN", "127.0.0.1:0"), ("SERVER__THREADS", "1"), ("DATA__DIR", &data)];
    let environment = fixed
        .iter()
        .chain(settings)
        .map(|(name, value)| (format!("COUNTERSIGN_{name}"), (*value).to_owned()));
    (Config::load(None, environment).expect("the settings load"), Arc::new(folder))
}
