//! Several relays at once: nothing is sent twice while they live, nothing is kept by one that died.

use std::collections::HashSet;

use sqlx::Connection;

use super::database::database;
use crate::domain::{Kind, Lane, NewVerification, Priority, TenantId, VerificationId};
use crate::store::contract::new_verification;
use crate::store::{OutboxBatch, StoreError, Stores};

const LANE: Lane = Lane::PhotoInteractive;

async fn accept_many(stores: &Stores, tenant: TenantId, count: usize) -> Vec<VerificationId> {
    let mut accepted = Vec::new();
    for _ in 0..count {
        let new = NewVerification { tenant, ..new_verification(Kind::Photo, Priority::Interactive) };
        stores.verifications.accept(&new).await.expect("accepted");
        accepted.push(new.id);
    }
    accepted
}

fn ids(batch: &dyn OutboxBatch) -> Vec<VerificationId> {
    batch.rows().iter().map(|row| row.message.verification_id).collect()
}

#[tokio::test]
async fn the_rows_of_a_killed_relay_are_free_at_once() {
    let database = database!();
    let (killed, alive) = (database.stores().await, database.stores().await);
    let accepted = accept_many(&killed, TenantId::new(), 3).await;
    let held = killed.outbox.take(LANE, 10).await.expect("rows");
    assert_eq!(ids(&*held), accepted);
    let meanwhile = alive.outbox.take(LANE, 10).await.expect("an answer");
    assert!(meanwhile.rows().is_empty(), "they are in the other's hands");
    assert_eq!(alive.outbox.waiting().await.expect("lanes"), [LANE], "but they are there");
    meanwhile.sent(&[]).await.expect("nothing is fine");

    database.kill_sessions("state = 'idle in transaction'").await;
    let free = alive.outbox.take(LANE, 10).await.expect("rows");
    assert_eq!(ids(&*free), accepted);
    let sent = held.sent(&[1, 2, 3]).await;
    assert!(matches!(sent, Err(StoreError::Unavailable(_))), "{sent:?}");
    free.sent(&[]).await.expect("freed");
    let again = killed.outbox.take(LANE, 10).await.expect("it has other connections");
    assert_eq!(ids(&*again), accepted);
}

#[tokio::test]
async fn relays_that_take_at_once_never_share_a_row() {
    let database = database!();
    let stores = [database.stores().await, database.stores().await, database.stores().await];
    let mut accepted = HashSet::new();
    for _ in 0..5 {
        accepted.extend(accept_many(&stores[0], TenantId::new(), 60).await);
    }
    let relay = async |stores: &Stores| {
        let mut sent = Vec::new();
        while !stores.outbox.waiting().await.expect("lanes").is_empty() {
            let batch = stores.outbox.take(LANE, 15).await.expect("rows");
            let sequences: Vec<i64> = batch.rows().iter().map(|row| row.sequence).collect();
            sent.extend(ids(&*batch));
            tokio::task::yield_now().await;
            batch.sent(&sequences).await.expect("removed");
        }
        sent
    };
    let (first, second, third) = tokio::join!(relay(&stores[0]), relay(&stores[1]), relay(&stores[2]));
    assert!([&first, &second, &third].iter().all(|sent| !sent.is_empty()), "each had some");
    let sent = [first, second, third].concat();
    assert_eq!(sent.len(), accepted.len(), "each is sent once");
    assert_eq!(HashSet::from_iter(sent), accepted);
}

#[tokio::test]
async fn a_tenant_whose_rows_are_taken_hides_no_other() {
    let database = database!();
    let (one, other) = (database.stores().await, database.stores().await);
    accept_many(&one, TenantId::new(), 2).await;
    let taken = one.outbox.take(LANE, 10).await.expect("rows");
    assert_eq!(taken.rows().len(), 2);
    let later = accept_many(&one, TenantId::new(), 2).await;
    let free = other.outbox.take(LANE, 10).await.expect("rows");
    assert_eq!(ids(&*free), later);
}

/// The relay holds the message; whoever cancels the job must not wait for the broker.
#[tokio::test]
async fn a_job_whose_message_is_being_sent_can_be_canceled() {
    let database = database!();
    let stores = database.stores().await;
    let new = new_verification(Kind::Photo, Priority::Interactive);
    stores.verifications.accept(&new).await.expect("accepted");
    let batch = stores.outbox.take(LANE, 10).await.expect("rows");
    stores.verifications.cancel(new.tenant, new.id).await.expect("canceled");
    let sequences: Vec<i64> = batch.rows().iter().map(|row| row.sequence).collect();
    batch.sent(&sequences).await.expect("removed");
    assert_eq!(stores.outbox.depth().await.expect("a count"), 0);
}

#[tokio::test]
async fn a_session_is_ended_when_it_hangs_in_a_transaction() {
    let database = database!();
    let stores = database.stores().await;
    let _held = stores.outbox.take(LANE, 10).await.expect("an answer");
    let settings = "SELECT current_setting('idle_in_transaction_session_timeout'),
        current_setting('statement_timeout'), current_setting('tcp_keepalives_idle')";
    let options = super::super::options(&database.settings().url).expect("options");
    let mut session = sqlx::ConnectOptions::connect(&options).await.expect("a session like the store's");
    let told: (String, String, String) =
        sqlx::query_as(settings).fetch_one(&mut session).await.expect("rows");
    assert_eq!(told, ("15s".to_owned(), "10s".to_owned(), "10".to_owned()));
    session.close().await.expect("closed");
}
