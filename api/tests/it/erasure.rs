//! Erasing a verification: whatever its state, nothing of it is left but a line in the audit log.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use countersign_shared::blob::{BlobError, BlobKey, BlobWriter, Blobs, LocalBlob, Pieces};
use countersign_shared::domain::{Actor, Lane, Scope, Timestamp, VerificationId};
use countersign_shared::roles::Duties;
use countersign_shared::store::{Claim, Outcome, StoreError};

use crate::client::{Part, Response, get, post, request};
use crate::media::jpeg;
use crate::reports::sample;
use crate::service::Service;

const PATH: &str = "/v2/verifications";

fn spoof() -> [Part; 2] {
    [Part::text("kind", "spoof"), Part::file("photo", &jpeg(2000))]
}

async fn submit(service: &Service) -> String {
    let response = post(service.address, PATH, &[("X-Api-Key", &service.key)], &spoof()).await;
    assert_eq!(response.status, 202, "{response:?}");
    response.json()["id"].as_str().expect("an id").to_owned()
}

async fn erase(service: &Service, id: &str) -> Response {
    request(service.address, "DELETE", &format!("{PATH}/{id}"), &[("X-Api-Key", &service.key)]).await
}

async fn read(service: &Service, id: &str) -> Response {
    get(service.address, &format!("{PATH}/{id}"), &[("X-Api-Key", &service.key)]).await
}

/// Neither row nor message nor file, and the log says so.
async fn assert_erased(service: &Service, id: &str, state: &str) {
    read(service, id).await.expect_problem(404, "NOT_FOUND");
    assert!(service.files().is_empty(), "{:?}", service.files());
    assert_eq!(service.stores.outbox.depth().await.expect("a count"), 0);
    let entries = service.audited(id).await;
    let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["media.erased", "verification.erased"]);
    assert_eq!(entries[1].details["state"], state);
    assert!(matches!(entries[1].actor, Actor::Key(_)));
    erase(service, id).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(service.audited(id).await.len(), 2);
}

#[tokio::test]
async fn a_queued_verification_is_erased_with_its_message() {
    let service = Service::start(&[]).await;
    let id = submit(&service).await;
    assert!(!service.files().is_empty());
    let erased = erase(&service, &id).await;
    assert_eq!((erased.status, erased.body.as_str()), (204, ""));
    assert_erased(&service, &id, "queued").await;
}

#[tokio::test]
async fn a_verification_in_work_is_erased_and_its_worker_can_not_finish_it() {
    let service = Service::start(&[]).await;
    let id = submit(&service).await;
    let verifications = &service.stores.verifications;
    let lease = Duration::from_mins(1);
    let claim = verifications.claim(id.parse().expect("an id"), "worker", lease).await;
    let Ok(Claim::Claimed(held, verification)) = claim else { panic!("{claim:?}") };
    // The worker has the file open.
    let open = std::fs::File::open(&service.files()[0]).expect("the file is there");
    assert_eq!(erase(&service, &id).await.status, 204);
    assert!(matches!(verifications.renew(&held, lease).await, Err(StoreError::Conflict)));
    let outcome = Outcome::Succeeded(Box::new(sample(verification.request.kind)));
    assert!(matches!(verifications.finish(&held, &outcome).await, Err(StoreError::Conflict)));
    drop(open);
    for lane in Lane::ALL {
        let batch = service.stores.outbox.take(lane, 10).await.expect("rows");
        assert!(batch.rows().is_empty());
    }
    assert_erased(&service, &id, "processing").await;
}

#[tokio::test]
async fn a_finished_verification_is_erased_with_its_report() {
    let service = Service::working(&[]).await;
    let headers = [("X-Api-Key", service.key.as_str()), ("Prefer", "wait=30")];
    let finished = post(service.address, PATH, &headers, &spoof()).await;
    assert_eq!(finished.status, 200, "{finished:?}");
    let id = finished.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(erase(&service, &id).await.status, 204);
    assert_erased(&service, &id, "succeeded").await;
}

#[tokio::test]
async fn another_tenants_verification_and_an_unknown_one_are_not_found() {
    let service = Service::start(&[]).await;
    let id = submit(&service).await;
    let stranger = service.tenant_named("stranger").await;
    let (key, _) = service.add_key_of(stranger, Scope::ALL, None).await;
    for path in [format!("{PATH}/{id}"), format!("{PATH}/{}", VerificationId::new()), format!("{PATH}/x")] {
        let refused = request(service.address, "DELETE", &path, &[("X-Api-Key", &key)]).await;
        refused.expect_problem(404, "NOT_FOUND");
    }
    assert_eq!(read(&service, &id).await.status, 200);
    assert_eq!((service.files().len(), service.audited(&id).await.len()), (1, 0));
}

#[tokio::test]
async fn whoever_waits_for_it_is_told_that_it_is_gone() {
    let service = Service::start(&[]).await;
    let id = submit(&service).await;
    let path = format!("{PATH}/{id}?wait=30");
    let key = [("X-Api-Key", service.key.as_str())];
    let waiting =
        async { tokio::time::timeout(Duration::from_secs(5), get(service.address, &path, &key)).await };
    let (polled, erased) = tokio::join!(waiting, async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        erase(&service, &id).await
    });
    assert_eq!(erased.status, 204);
    polled.expect("at once").expect_problem(404, "NOT_FOUND");

    let parts = [service.key_part(), Part::file("photo", &jpeg(2000))];
    let (answered, ()) = tokio::join!(service.post("/v1.1/spoofdetect", &parts), async {
        let id = service.accepted().await.to_string();
        assert_eq!(erase(&service, &id).await.status, 204);
    });
    answered.expect_error(404, "NOT_FOUND");
}

/// A folder that can't be written to for a while.
struct Away {
    blobs: Arc<dyn Blobs>,
    away: Arc<AtomicBool>,
}

#[async_trait]
impl Blobs for Away {
    async fn write(&self, key: &BlobKey) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.blobs.write(key).await
    }

    async fn local(&self, key: &BlobKey) -> Result<LocalBlob, BlobError> {
        self.blobs.local(key).await
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<Pieces, BlobError> {
        self.blobs.read(key, range).await
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        self.blobs.delete(key).await
    }

    async fn older_than(
        &self,
        age: Duration,
        after: Option<VerificationId>,
        limit: usize,
    ) -> Result<Vec<VerificationId>, BlobError> {
        self.blobs.older_than(age, after, limit).await
    }

    async fn delete_all(&self, id: VerificationId) -> Result<(), BlobError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(BlobError::Unavailable("told to be".into()));
        }
        self.blobs.delete_all(id).await
    }
}

#[tokio::test]
async fn media_that_can_not_be_reached_are_erased_by_the_reaper_as_soon_as_they_can() {
    let away = Arc::new(AtomicBool::new(true));
    let mut duties = None;
    let service = Service::altered(&[], |config, adapters| {
        adapters.blobs = Arc::new(Away { blobs: adapters.blobs.clone(), away: away.clone() });
        duties = Some(Duties::new(config, adapters));
    })
    .await;
    let mut duties = duties.expect("it was altered");
    let id = submit(&service).await;
    assert_eq!(erase(&service, &id).await.status, 204, "the promise is kept later");
    read(&service, &id).await.expect_problem(404, "NOT_FOUND");
    duties.reap(Timestamp::now()).await;
    assert_eq!((service.files().len(), service.audited(&id).await.len()), (1, 1));
    away.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        duties.reap(Timestamp::now()).await;
        assert_erased(&service, &id, "queued").await;
    }
}
