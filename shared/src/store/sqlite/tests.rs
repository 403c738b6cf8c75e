//! The contract, and what only SQLite can get wrong.

use std::time::{Duration, Instant};

use sqlx::Row;
use sqlx::sqlite::SqliteConnectOptions;

use super::{
    Sqlite, audit, challenges, checkpoint, deliveries, erasure, idempotency, keys, outbox, overview, told,
    upkeep, usage, verifications, webhooks,
};
use crate::config::{Data, Store};
use crate::domain::{Action, Actor, AuditEntry, Kind, NewVerification, Priority, State, TenantId};
use crate::store::contract::{new_verification, report, reserved};
use crate::store::overview::{Filter, Listed, Overview};
use crate::store::{Claim, OpenError, Outcome, Reserved, StoreError, Stores, VerificationStore};

async fn stores() -> (tempfile::TempDir, Stores) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = Data { dir: folder.path().join("data") };
    let stores = Stores::open(&settings("sqlite://countersign.db"), &data).await.expect("the store opens");
    (folder, stores)
}

fn settings(url: &str) -> Store {
    Store { url: url.into(), connections: 2, migrate: true }
}

async fn database() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Sqlite::open(&folder.path().join("countersign.db"), true).await.expect("the store opens");
    (folder, store)
}

crate::store::contract::suite!(stores().await);

#[tokio::test]
async fn rows_are_there_when_the_database_is_opened_again() {
    let (folder, first) = stores().await;
    let new = new_verification(Kind::Video, Priority::Interactive);
    first.verifications.accept(&new).await.expect("accepted");
    let data = Data { dir: folder.path().join("data") };
    let second = Stores::open(&settings("sqlite://countersign.db"), &data)
        .await
        .expect("two processes may have it open");
    let row = second.verifications.verification(new.tenant, new.id).await.expect("the row");
    assert_eq!(row.request, new.request);
    let tenant = second.tenants.tenant_named("acme", Actor::System).await.expect("the second may write");
    assert_eq!(
        first.tenants.tenant_named("acme", Actor::System).await.expect("and the first sees it"),
        tenant
    );
}

#[tokio::test]
async fn an_unknown_url_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = Data { dir: folder.path().to_owned() };
    assert!(matches!(Stores::open(&settings("mysql://somewhere"), &data).await, Err(OpenError::UnknownUrl)));
}

#[tokio::test]
async fn a_row_that_this_build_can_not_read_is_claimed_as_unreadable() {
    let (_folder, store) = database().await;
    let new = new_verification(Kind::Photo, Priority::Batch);
    store.accept(&new).await.expect("accepted");
    sqlx::query("UPDATE verifications SET request = '{\"kind\": \"from the future\"}'")
        .execute(store.writer.pool())
        .await
        .expect("changed");
    let claim = store.claim(new.id, "worker", Duration::from_mins(1)).await;
    let Ok(Claim::Unreadable(lease, _)) = claim else { panic!("{claim:?}") };
    store.finish(&lease, &Outcome::GivenBack).await.expect("given up");
}

/// Erasure takes away what the client had sent, and not what became of its key.
#[tokio::test]
async fn an_erased_answer_still_answers_for_its_key() {
    let (_folder, store) = database().await;
    let store = std::sync::Arc::new(store);
    let stores = Stores::over(store.clone());
    let new = reserved(&stores, Duration::from_mins(1)).await;
    stores.verifications.accept(&new).await.expect("accepted");
    sqlx::query("UPDATE idempotency_records SET answer = NULL")
        .execute(store.writer.pool())
        .await
        .expect("erased");
    let mut again = new.completion.expect("a key").reservation;
    again.owner = uuid::Uuid::now_v7();
    let found = stores.idempotency.reserve(&again, Duration::from_mins(1)).await.expect("an answer");
    let Reserved::Answered(answer) = found else { panic!("{found:?}") };
    assert_eq!((answer.verification, answer.body), (new.id, None));
}

#[tokio::test]
async fn a_row_that_this_build_can_not_read_spoils_no_list() {
    let (_folder, store) = database().await;
    let new = new_verification(Kind::Photo, Priority::Batch);
    store.accept(&new).await.expect("accepted");
    let newer = NewVerification { tenant: new.tenant, ..new_verification(Kind::Photo, Priority::Batch) };
    store.accept(&newer).await.expect("accepted");
    sqlx::query("UPDATE verifications SET request = '{\"kind\": \"from the future\"}' WHERE id = ?1")
        .bind(newer.id.as_uuid())
        .execute(store.writer.pool())
        .await
        .expect("changed");
    let page = store.list(new.tenant, &Filter::default(), None, 10).await.expect("a page");
    let [Listed::Unreadable(id), Listed::Readable(row)] = &page.rows[..] else { panic!("{page:?}") };
    assert_eq!((*id, row.id), (newer.id, new.id));
}

/// A query that looks at every row would be slow when there are millions.
#[tokio::test]
async fn no_recurring_query_scans_the_table() {
    let (_folder, store) = database().await;
    let statements = [
        verifications::QUEUED,
        verifications::CLAIM,
        verifications::OWN,
        verifications::OLDEST,
        verifications::READ,
        overview::PROGRESS,
        overview::LIST,
        overview::LIST_IN_STATE,
        overview::SEARCHED,
        overview::SEARCHED_IN_STATE,
        outbox::TAKE,
        upkeep::EXHAUST,
        upkeep::REOFFER,
        upkeep::MEDIA_DUE,
        upkeep::DELETE_FINISHED,
        upkeep::DELETE_ANSWERS,
        upkeep::DELETE_CHALLENGES,
        upkeep::UNFINISHED,
        told::TELL,
        deliveries::CLAIM,
        deliveries::OLDEST_DUE,
        deliveries::DELETE,
        webhooks::DELIVERIES,
        webhooks::DELIVERIES_ABOUT,
        keys::LIST,
        keys::LIST_OF_TENANT,
        audit::ALL,
        audit::OF_TENANT,
        audit::OF_ACTION,
        erasure::NEXT,
        usage::OF_KEY,
        idempotency::HELD,
        idempotency::COMPLETE,
        challenges::USE,
    ];
    for statement in statements {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let plan = sqlx::query(explain).fetch_all(&store.reader).await.expect("a plan");
        for step in plan {
            let step: String = step.get("detail");
            let whole_table = ["verifications", "outbox", "webhook_", "idempotency_records", "challenges"]
                .iter()
                .any(|table| step.starts_with(&format!("SCAN {table}")));
            let counts_a_partial_index = step.contains("USING COVERING INDEX verifications_");
            assert!(!whole_table || counts_a_partial_index, "{step}: {statement}");
            let sorts_only_what_it_took = [outbox::TAKE, deliveries::CLAIM].contains(&statement);
            assert!(
                sorts_only_what_it_took || !step.contains("TEMP B-TREE FOR ORDER BY"),
                "{step}: {statement}"
            );
        }
    }
}

#[tokio::test]
async fn the_audit_log_can_not_be_changed() {
    let (_folder, store) = database().await;
    let entry = AuditEntry::new(Actor::System, Action::KeyCreated, TenantId::new(), "key_1");
    audit::append(&entry).expect("a statement").execute(store.writer.pool()).await.expect("appended");
    for statement in [
        "UPDATE audit_log SET actor = 'cli'",
        "DELETE FROM audit_log",
        "INSERT OR REPLACE INTO audit_log SELECT id, at, tenant, 'cli', action, resource, details FROM audit_log",
    ] {
        let error = sqlx::query(statement).execute(store.writer.pool()).await.expect_err("refused");
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    let actor: String =
        sqlx::query_scalar("SELECT actor FROM audit_log").fetch_one(&store.reader).await.expect("there");
    assert_eq!(actor, "system");
}

#[tokio::test]
async fn a_full_disk_and_a_locked_database_are_worth_another_try() {
    let (folder, store) = database().await;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("countersign.db"))
        .busy_timeout(Duration::from_millis(10));
    let other = sqlx::SqlitePool::connect_with(options).await.expect("a second connection");
    let _held = store.writer.begin().await.expect("the write lock");
    let error: StoreError = other.begin_with("BEGIN IMMEDIATE").await.expect_err("it is locked").into();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

/// Whoever is told that a job was accepted or finished can rely on it, even when the power fails; a claim is only made again.
#[tokio::test]
async fn what_a_caller_relies_on_is_on_disk_before_it_is_answered() {
    let (_folder, store) = database().await;
    let new = new_verification(Kind::Photo, Priority::Interactive);
    let before = store.writer.syncs().await;
    store.accept(&new).await.expect("accepted");
    let accepted = store.writer.syncs().await;
    assert!(accepted > before);
    let claim = store.claim(new.id, "worker", Duration::from_mins(1)).await;
    let Ok(Claim::Claimed(lease, _)) = claim else { panic!("{claim:?}") };
    assert_eq!(store.writer.syncs().await, accepted);
    store.finish(&lease, &Outcome::Succeeded(Box::new(report()))).await.expect("finished");
    assert!(store.writer.syncs().await > accepted);
}

#[tokio::test]
async fn the_log_is_brought_into_the_database_while_it_is_written_to() {
    let (folder, store) = database().await;
    for _ in 0..checkpoint::EVERY {
        store.accept(&new_verification(Kind::Photo, Priority::Batch)).await.expect("accepted");
    }
    let (database, copy) = (folder.path().join("countersign.db"), folder.path().join("copy.db"));
    let count = async || -> Result<i64, sqlx::Error> {
        std::fs::copy(&database, &copy).expect("copied without its log");
        let pool = sqlx::SqlitePool::connect_with(SqliteConnectOptions::new().filename(&copy)).await?;
        sqlx::query_scalar("SELECT count(*) FROM verifications").fetch_one(&pool).await
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while count().await.ok() != i64::try_from(checkpoint::EVERY).ok() {
        assert!(Instant::now() < deadline, "it is in the log alone");
    }
}

/// Not a test of speed but a measurement, printed by
/// `cargo test -p countersign-shared --lib jobs_per_second -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement"]
#[expect(clippy::print_stderr, reason = "a measurement is printed")]
async fn jobs_per_second() {
    const JOBS: u32 = 2000;
    let (_folder, stores) = stores().await;
    let all: Vec<_> = (0..JOBS).map(|_| new_verification(Kind::Photo, Priority::Interactive)).collect();
    let start = Instant::now();
    for chunk in all.chunks(32) {
        let accepts = chunk.iter().map(|new| stores.verifications.accept(new));
        futures::future::try_join_all(accepts).await.expect("accepted");
    }
    let accepted = start.elapsed();
    let start = Instant::now();
    for new in &all {
        let claim = stores.verifications.claim(new.id, "worker", Duration::from_mins(1)).await;
        let Ok(Claim::Claimed(lease, _)) = claim else { panic!("{claim:?}") };
        let outcome = Outcome::Succeeded(Box::new(report()));
        stores.verifications.finish(&lease, &outcome).await.expect("finished");
    }
    let finished = start.elapsed();
    let rate = |elapsed: Duration| f64::from(JOBS) / elapsed.as_secs_f64();
    eprintln!("{:.0} accepts/s, {:.0} claims and finishes/s", rate(accepted), rate(finished));
    assert_eq!(stores.upkeep.counts().await.expect("counts")[0], (State::Queued, 0));
}
