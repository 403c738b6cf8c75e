//! The contract, and what only PostgreSQL can get wrong.
//!
//! `relays`: several at once. `outages`: the server goes away. `tables`: migrations. `plans`: what statements read.
//! `scale`: the measurement of `scripts/scale`, with the many `rows`.

mod database;
mod outages;
mod plans;
mod relays;
mod rows;
mod scale;
mod tables;

use std::time::Duration;

use self::database::{Database, database};
use crate::domain::{Action, Actor, AuditEntry, AuditFilter, Kind, Priority, TenantId, Timestamp};
use crate::store::contract::{new_verification, report, reserved};
use crate::store::overview::{Filter, Listed};
use crate::store::{Claim, Outcome, Reoffered, Reserved, StoreError};

const LEASE: Duration = Duration::from_mins(1);

crate::store::contract::suite!({
    let database = database!();
    let stores = database.stores().await;
    (database, stores)
});

#[tokio::test]
async fn a_row_that_this_build_can_not_read_is_claimed_as_unreadable() {
    let database = database!();
    let stores = database.stores().await;
    let new = new_verification(Kind::Photo, Priority::Batch);
    stores.verifications.accept(&new).await.expect("accepted");
    database.execute("UPDATE verifications SET request = '{\"kind\": \"from the future\"}'").await;
    let claim = stores.verifications.claim(new.id, "worker", LEASE).await;
    let Ok(Claim::Unreadable(lease, _)) = claim else { panic!("{claim:?}") };
    stores.verifications.finish(&lease, &Outcome::GivenBack).await.expect("given up");
    database.execute("UPDATE verifications SET version = 3").await;
    let claim = stores.verifications.claim(new.id, "worker", LEASE).await;
    assert!(matches!(claim, Ok(Claim::Newer(3))), "its writer knows better: {claim:?}");
}

/// Erasure takes away what the client had sent, and not what became of its key.
#[tokio::test]
async fn an_erased_answer_still_answers_for_its_key() {
    let database = database!();
    let stores = database.stores().await;
    let new = reserved(&stores, LEASE).await;
    stores.verifications.accept(&new).await.expect("accepted");
    database.execute("UPDATE idempotency_records SET answer = NULL").await;
    let mut again = new.completion.expect("a key").reservation;
    again.owner = uuid::Uuid::now_v7();
    let found = stores.idempotency.reserve(&again, LEASE).await.expect("an answer");
    let Reserved::Answered(answer) = found else { panic!("{found:?}") };
    assert_eq!((answer.verification, answer.body), (new.id, None));
}

#[tokio::test]
async fn the_audit_log_can_not_be_changed() {
    let database = database!();
    let stores = database.stores().await;
    let entry = AuditEntry::new(Actor::System, Action::KeyCreated, TenantId::new(), "key_1");
    stores.audit.append(&entry).await.expect("appended");
    let mut session = database.connect().await;
    for statement in ["UPDATE audit_log SET actor = 'cli'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
        let error = sqlx::raw_sql(statement).execute(&mut session).await.expect_err("refused");
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    let entries = stores.audit.entries(&AuditFilter::default(), None, 10).await.expect("entries");
    assert_eq!(entries, [entry]);
}

#[tokio::test]
async fn an_erasure_takes_its_row_from_under_a_result_or_after_it() {
    let database = database!();
    let stores = database.stores().await;
    for _ in 0..20 {
        let new = new_verification(Kind::Photo, Priority::Batch);
        stores.verifications.accept(&new).await.expect("accepted");
        let claim = stores.verifications.claim(new.id, "worker", LEASE).await;
        let Ok(Claim::Claimed(lease, _)) = claim else { panic!("{claim:?}") };
        let outcome = Outcome::Succeeded(Box::new(report()));
        let (finished, erased) = tokio::join!(
            stores.verifications.finish(&lease, &outcome),
            stores.erasures.erase(new.tenant, new.id, Actor::System),
        );
        erased.expect("erased");
        assert!(matches!(finished, Ok(()) | Err(StoreError::Conflict)), "{finished:?}");
        let row = stores.verifications.verification(new.tenant, new.id).await;
        assert!(matches!(row, Err(StoreError::NotFound)), "{row:?}");
    }
}

#[tokio::test]
async fn a_row_that_this_build_can_not_read_spoils_no_list() {
    let database = database!();
    let stores = database.stores().await;
    let new = new_verification(Kind::Photo, Priority::Batch);
    stores.verifications.accept(&new).await.expect("accepted");
    database.execute("UPDATE verifications SET request = '{\"kind\": \"from the future\"}'").await;
    let page = stores.overview.list(new.tenant, &Filter::default(), None, 10).await.expect("a page");
    assert!(matches!(&page.rows[..], [Listed::Unreadable(id)] if *id == new.id), "{page:?}");
}

#[tokio::test]
async fn a_reaper_whose_clock_is_wrong_takes_no_lease_away() {
    let database = database!();
    let stores = database.stores().await;
    let new = new_verification(Kind::Photo, Priority::Batch);
    stores.verifications.accept(&new).await.expect("accepted");
    let claim = stores.verifications.claim(new.id, "worker", LEASE).await;
    assert!(matches!(claim, Ok(Claim::Claimed(..))), "{claim:?}");
    let tomorrow = Timestamp::now().after(Duration::from_hours(24));
    let swept = stores.upkeep.reoffer(tomorrow, Timestamp::now(), 1, 10).await.expect("a sweep");
    assert_eq!(swept, Reoffered::default());
}

#[tokio::test]
async fn reapers_that_sweep_at_once_share_the_work() {
    const ROWS: u64 = 200;
    let database = database!();
    let (first, second) = (database.stores().await, database.stores().await);
    for _ in 0..ROWS {
        let new = new_verification(Kind::Photo, Priority::Batch);
        first.verifications.accept(&new).await.expect("accepted");
    }
    // Only what lay there at this time counts as forgotten: nothing is offered twice.
    database.execute("UPDATE verifications SET offered_at = now() - interval '1 hour'").await;
    let offered_before = Timestamp::now().before(LEASE);
    let sweep = async |stores: &crate::store::Stores| {
        let mut offered = 0;
        loop {
            let swept = stores.upkeep.reoffer(Timestamp::now(), offered_before, 5, 10).await;
            match swept.expect("a sweep").offered {
                0 => return offered,
                more => offered += more,
            }
        }
    };
    let (first, second) = tokio::join!(sweep(&first), sweep(&second));
    assert_eq!(first + second, ROWS, "{first} and {second}");
}
