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
use crate::domain::{Kind, Priority, Timestamp};
use crate::store::contract::new_verification;
use crate::store::overview::{Filter, Listed};
use crate::store::{Claim, Outcome, Reoffered};

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
    database.execute("UPDATE verifications SET version = 2").await;
    let claim = stores.verifications.claim(new.id, "worker", LEASE).await;
    assert!(matches!(claim, Ok(Claim::Newer(2))), "its writer knows better: {claim:?}");
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
