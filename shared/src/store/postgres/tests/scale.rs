//! Not a test but a measurement, run by `scripts/scale`: what the store's calls cost with very many finished rows, and
//! how many times what they cost without.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::database::database;
use super::rows::Rows;
use crate::domain::{Kind, Lane, NewVerification, Priority, TenantId, Timestamp, VerificationId};
use crate::store::contract::{new_verification, report};
use crate::store::{Claim, Lease, Outcome, Stores};

const VARIABLE: &str = "COUNTERSIGN_SCALE_ROWS";
const TENANTS: u32 = 20;
const JOBS: usize = 4000;
const WARM_UP: usize = 400;
/// As many rows as the reaper takes at a time.
const SWEEP: u32 = 200;
const PAGE: u32 = 50;
const LEASE: Duration = Duration::from_mins(1);
const CHUNK: i64 = 500_000;

/// Every measured duration of each call.
#[derive(Default)]
struct Timings(BTreeMap<&'static str, Vec<Duration>>);

impl Timings {
    async fn time<T>(&mut self, name: &'static str, call: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let result = call.await;
        self.0.entry(name).or_default().push(began.elapsed());
        result
    }

    /// Milliseconds: the median, and what 99 of 100 stay below.
    fn of(&self, name: &str) -> (f64, f64) {
        let mut sorted = self.0[name].clone();
        sorted.sort();
        let at =
            |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
        (at(0.5), at(0.99))
    }
}

#[tokio::test]
#[ignore = "a measurement"]
async fn many_finished_rows_cost_nothing() {
    let rows = std::env::var_os(VARIABLE).and_then(|rows| rows.to_str()?.parse().ok()).unwrap_or(10_000_000);
    let database = database!();
    let stores = database.stores().await;
    let mut session = database.connect().await;
    let tenants: Vec<TenantId> = (0..TENANTS).map(|_| TenantId::new()).collect();
    measure(&stores, &tenants, &[], WARM_UP).await;
    let empty = measure(&stores, &tenants, &[], JOBS).await;
    let old = generate(&mut session, &tenants, rows).await;
    measure(&stores, &tenants, &old, WARM_UP).await;
    let full = measure(&stores, &tenants, &old, JOBS).await;
    print(&mut session, rows, &empty, &full).await;
}

/// The life of `jobs` verifications, one call at a time. `old` are some that lie there already.
async fn measure(
    stores: &Stores,
    tenants: &[TenantId],
    old: &[(TenantId, VerificationId)],
    jobs: usize,
) -> Timings {
    let mut timings = Timings::default();
    let mut accepted = Vec::new();
    for tenant in tenants.iter().cycle().take(jobs) {
        let new = NewVerification { tenant: *tenant, ..new_verification(Kind::Photo, Priority::Interactive) };
        let accepting = stores.verifications.accept(&new);
        timings.time("accept", accepting).await.expect("accepted");
        accepted.push((*tenant, new.id));
    }
    for _ in 0..jobs / 10 {
        let backlog = stores.verifications.backlog(Lane::PhotoInteractive, 1000);
        timings.time("backlog (1,000 queued)", backlog).await.expect("a backlog");
    }
    relay(stores, &mut timings).await;
    work(stores, &accepted, &mut timings).await;
    read(stores, &accepted, old, &mut timings).await;
    sweep(stores, jobs, &mut timings).await;
    timings
}

async fn relay(stores: &Stores, timings: &mut Timings) {
    while !stores.outbox.waiting().await.expect("lanes").is_empty() {
        let batch = timings.time("take 40 messages", stores.outbox.take(Lane::PhotoInteractive, 40));
        let batch = batch.await.expect("rows");
        let sequences: Vec<i64> = batch.rows().iter().map(|row| row.sequence).collect();
        timings.time("remove 40 messages", batch.sent(&sequences)).await.expect("removed");
    }
}

async fn work(stores: &Stores, accepted: &[(TenantId, VerificationId)], timings: &mut Timings) {
    let store = &stores.verifications;
    let mut leases: Vec<Lease> = Vec::new();
    for (_, id) in accepted {
        let claim = timings.time("claim", store.claim(*id, "worker", LEASE)).await;
        let Ok(Claim::Claimed(lease, _)) = claim else { panic!("{claim:?}") };
        leases.push(lease);
    }
    for lease in &leases {
        timings.time("renew", store.renew(lease, LEASE)).await.expect("renewed");
    }
    for lease in &leases {
        let outcome = Outcome::Succeeded(Box::new(report()));
        timings.time("finish", store.finish(lease, &outcome)).await.expect("finished");
    }
}

async fn read(
    stores: &Stores,
    recent: &[(TenantId, VerificationId)],
    old: &[(TenantId, VerificationId)],
    timings: &mut Timings,
) {
    let store = &stores.verifications;
    // Behind the newest there are whole pages.
    let newest_first: Vec<_> = recent.iter().copied().rev().collect();
    let old = if old.is_empty() { &newest_first } else { old };
    for (tenant, id) in recent {
        timings.time("poll, just finished", store.verification(*tenant, *id)).await.expect("the row");
    }
    for (tenant, id) in old.iter().cycle().take(recent.len()) {
        timings.time("poll, of any age", store.verification(*tenant, *id)).await.expect("the row");
    }
    for (tenant, id) in old.iter().cycle().take(recent.len() / 10) {
        let first = timings.time("list, first 50", store.list(*tenant, None, PAGE)).await.expect("a page");
        assert!(first.len() == PAGE as usize || recent.len() < JOBS, "a full page");
        timings.time("list, 50 of any age", store.list(*tenant, Some(*id), PAGE)).await.expect("a page");
    }
}

async fn sweep(stores: &Stores, jobs: usize, timings: &mut Timings) {
    let upkeep = &stores.upkeep;
    let now = Timestamp::now();
    for _ in 0..jobs / 10 {
        let offered_before = now.before(LEASE);
        let swept = upkeep.reoffer(now, offered_before, 5, SWEEP);
        timings.time("reoffer, nothing stale", swept).await.expect("a sweep");
        timings.time("count the unfinished", upkeep.counts()).await.expect("counts");
    }
    let later = now.after(LEASE);
    for _ in 0..jobs / SWEEP as usize {
        let due = timings.time("200 media due", upkeep.media_due(later, SWEEP)).await.expect("rows");
        timings.time("note 200 deleted", upkeep.media_deleted(&due)).await.expect("noted");
        let deleted = timings.time("delete 200 finished", upkeep.delete_finished(later, SWEEP));
        assert_eq!(deleted.await.expect("a count"), u64::from(SWEEP));
    }
}

/// Fills the table, and gives some of the rows, spread over all of them.
async fn generate(
    session: &mut PgConnection,
    tenants: &[TenantId],
    count: i64,
) -> Vec<(TenantId, VerificationId)> {
    let began = Instant::now();
    // An index is made faster from a full table; these are the migrations' own definitions.
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'verifications' AND indexname NOT LIKE '%_pkey'",
    )
    .fetch_all(&mut *session)
    .await
    .expect("the indexes");
    for (name, _) in &indexes {
        execute(session, format!("DROP INDEX {name}")).await;
    }
    let rows = Rows::new(tenants.iter().map(|tenant| *tenant.as_uuid()).collect(), count);
    for first in (1..=count).step_by(CHUNK as usize) {
        rows.insert(session, first, count.min(first + CHUNK - 1)).await;
        say(&format!("{} of {count} rows after {:.0?}", count.min(first + CHUNK - 1), began.elapsed()));
    }
    execute(session, "SET maintenance_work_mem = '1GB'".to_owned()).await;
    for (_, definition) in indexes {
        execute(session, definition).await;
    }
    say(&format!("indexes after {:.0?}", began.elapsed()));
    execute(session, "VACUUM ANALYZE verifications".to_owned()).await;
    execute(session, "CHECKPOINT".to_owned()).await;
    say(&format!("vacuumed and analyzed after {:.0?}", began.elapsed()));
    let some = rows.some(session, JOBS as i64).await;
    some.into_iter()
        .map(|(tenant, id)| (TenantId::from_uuid(tenant), VerificationId::from_uuid(id)))
        .collect()
}

async fn print(session: &mut PgConnection, rows: i64, empty: &Timings, full: &Timings) {
    let (table, indexes): (String, String) = sqlx::query_as(
        "SELECT pg_size_pretty(pg_table_size('verifications')), pg_size_pretty(pg_indexes_size('verifications'))",
    )
    .fetch_one(session)
    .await
    .expect("sizes");
    say(&format!("{rows} finished rows, {table} and {indexes} of indexes; milliseconds, one call at a time"));
    say(&format!(
        "{:<24} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7}",
        "call", "empty", "p99", "full", "p99", "ratio", "of p99"
    ));
    for name in empty.0.keys() {
        let ((median, high), (full_median, full_high)) = (empty.of(name), full.of(name));
        say(&format!(
            "{name:<24} {median:>9.3} {high:>9.3} {full_median:>9.3} {full_high:>9.3} {:>7.2} {:>7.2}",
            full_median / median,
            full_high / high
        ));
    }
}

async fn execute(session: &mut PgConnection, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(session).await.expect("done");
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
