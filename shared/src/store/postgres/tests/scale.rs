//! Not a test but a measurement, run by `scripts/scale`: what the store's calls cost with very many finished rows, and
//! how many times what they cost without.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::database::{Database, database};
use super::rows::{Rows, small_report};
use crate::domain::{Kind, Lane, NewVerification, Priority, TenantId, Timestamp, VerificationId};
use crate::store::contract::new_verification;
use crate::store::overview::Filter;
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

/// One of two databases, and how long every call on it took.
struct Side {
    _database: Database,
    stores: Stores,
    session: PgConnection,
    timings: BTreeMap<&'static str, Vec<Duration>>,
}

impl Side {
    async fn on(database: Database) -> Self {
        let (stores, session) = (database.stores().await, database.connect().await);
        Self { _database: database, stores, session, timings: BTreeMap::new() }
    }

    async fn time<T>(&mut self, name: &'static str, call: impl AsyncFnOnce(&Stores) -> T) -> T {
        let began = Instant::now();
        let result = call(&self.stores).await;
        self.timings.entry(name).or_default().push(began.elapsed());
        result
    }

    /// Milliseconds: the median, and what 99 of 100 stay below.
    fn of(&self, name: &str) -> (f64, f64) {
        let mut sorted = self.timings[name].clone();
        sorted.sort();
        let at =
            |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
        (at(0.5), at(0.99))
    }
}

#[tokio::test]
#[ignore = "a measurement"]
async fn many_finished_rows_cost_nothing() {
    let count = std::env::var_os(VARIABLE).and_then(|rows| rows.to_str()?.parse().ok()).unwrap_or(10_000_000);
    let mut sides = [Side::on(database!()).await, Side::on(database!()).await];
    let tenants: Vec<TenantId> = (0..TENANTS).map(|_| TenantId::new()).collect();
    let rows = Rows::new(tenants.iter().map(|tenant| *tenant.as_uuid()).collect(), count);
    generate(&mut sides[1].session, &rows, count).await;
    let old = rows.some(&mut sides[1].session, JOBS as i64).await;
    let old: Vec<(TenantId, VerificationId)> = old
        .into_iter()
        .map(|(tenant, id)| (TenantId::from_uuid(tenant), VerificationId::from_uuid(id)))
        .collect();
    for jobs in [WARM_UP, JOBS] {
        for side in &mut sides {
            side.timings.clear();
        }
        measure(&mut sides, &tenants, &old, jobs).await;
    }
    print(&mut sides, count).await;
}

/// The life of `jobs` verifications, one call at a time and on either side in turn, so that whatever else the machine
/// does meanwhile hits both alike. `old` are some that the second side alone has.
async fn measure(
    sides: &mut [Side; 2],
    tenants: &[TenantId],
    old: &[(TenantId, VerificationId)],
    jobs: usize,
) {
    let new = |tenant: &TenantId| NewVerification {
        tenant: *tenant,
        ..new_verification(Kind::Spoof, Priority::Interactive)
    };
    let jobs: Vec<NewVerification> = tenants.iter().cycle().take(jobs).map(new).collect();
    for new in &jobs {
        for side in &mut *sides {
            side.time("accept", async |stores| stores.verifications.accept(new).await)
                .await
                .expect("accepted");
        }
    }
    relay(sides, tenants[0], jobs.len()).await;
    work(sides, &jobs).await;
    read(sides, &jobs, old).await;
    sweep(sides, jobs.len()).await;
}

async fn relay(sides: &mut [Side; 2], tenant: TenantId, jobs: usize) {
    let lane = Lane::PhotoInteractive;
    for _ in 0..jobs / 40 {
        for side in &mut *sides {
            let backlog = async |stores: &Stores| stores.verifications.backlog(lane, tenant, 1000).await;
            side.time("backlog, 1,000 queued", backlog).await.expect("a backlog");
            let take = async |stores: &Stores| stores.outbox.take(lane, 40).await;
            let batch = side.time("take 40 messages", take).await.expect("rows");
            let sequences: Vec<i64> = batch.rows().iter().map(|row| row.sequence).collect();
            assert_eq!(sequences.len(), 40);
            side.time("remove 40 messages", async |_| batch.sent(&sequences).await).await.expect("removed");
        }
    }
}

async fn work(sides: &mut [Side; 2], jobs: &[NewVerification]) {
    let lease = |new: &NewVerification| Lease {
        id: new.id,
        tenant: new.tenant,
        owner: "worker".to_owned(),
        attempt: 1,
    };
    let leases: Vec<Lease> = jobs.iter().map(lease).collect();
    for lease in &leases {
        for side in &mut *sides {
            let claim =
                async |stores: &Stores| stores.verifications.claim(lease.id, &lease.owner, LEASE).await;
            let claim = side.time("claim", claim).await;
            assert!(matches!(claim, Ok(Claim::Claimed(..))), "{claim:?}");
        }
    }
    for lease in &leases {
        for side in &mut *sides {
            let renew = async |stores: &Stores| stores.verifications.renew(lease, LEASE).await;
            side.time("renew", renew).await.expect("renewed");
        }
    }
    for lease in &leases {
        for side in &mut *sides {
            let outcome = Outcome::Succeeded(Box::new(small_report()));
            let finish = async |stores: &Stores| stores.verifications.finish(lease, &outcome).await;
            side.time("finish", finish).await.expect("finished");
        }
    }
}

async fn read(sides: &mut [Side; 2], jobs: &[NewVerification], old: &[(TenantId, VerificationId)]) {
    // Behind the newest there are whole pages.
    let recent: Vec<(TenantId, VerificationId)> = jobs.iter().rev().map(|new| (new.tenant, new.id)).collect();
    for index in 0..recent.len() {
        for (side, of_any_age) in sides.iter_mut().zip([&recent[..], old]) {
            for (name, (tenant, id)) in
                [("poll, just finished", recent[index]), ("poll, of any age", of_any_age[index])]
            {
                let poll = async |stores: &Stores| stores.verifications.verification(tenant, id).await;
                side.time(name, poll).await.expect("the row");
            }
        }
    }
    for index in 0..recent.len() / 10 {
        for (side, of_any_age) in sides.iter_mut().zip([&recent[..], old]) {
            let (tenant, before) = of_any_age[index];
            for (name, before) in [("list, the newest 50", None), ("list, 50 of any age", Some(before))] {
                let list = async |stores: &Stores| {
                    stores.overview.list(tenant, &Filter::default(), before, PAGE).await
                };
                let page = side.time(name, list).await.expect("a page");
                assert!(page.rows.len() == PAGE as usize || recent.len() < JOBS, "{} rows", page.rows.len());
            }
        }
    }
}

async fn sweep(sides: &mut [Side; 2], jobs: usize) {
    let now = Timestamp::now();
    for _ in 0..jobs / 10 {
        for side in &mut *sides {
            let reoffer =
                async |stores: &Stores| stores.upkeep.reoffer(now, now.before(LEASE), 5, SWEEP).await;
            side.time("reoffer, none stale", reoffer).await.expect("a sweep");
            let counts = async |stores: &Stores| stores.upkeep.counts().await;
            side.time("count the unfinished", counts).await.expect("counts");
        }
    }
    let later = now.after(LEASE);
    for _ in 0..jobs / SWEEP as usize {
        for side in &mut *sides {
            let due = async |stores: &Stores| stores.upkeep.media_due(later, SWEEP).await;
            let due = side.time("find 200 media due", due).await.expect("rows");
            let noted = async |stores: &Stores| stores.upkeep.media_deleted(&due).await;
            side.time("note 200 media gone", noted).await.expect("noted");
            let delete = async |stores: &Stores| stores.upkeep.delete_finished(later, SWEEP).await;
            let deleted = side.time("delete 200 finished", delete).await.expect("a count");
            assert_eq!(deleted, u64::from(SWEEP));
        }
    }
}

/// Fills the table.
async fn generate(session: &mut PgConnection, rows: &Rows, count: i64) {
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
    for first in (1..=count).step_by(CHUNK as usize) {
        let last = count.min(first + CHUNK - 1);
        rows.insert(session, first, last).await;
        say(&format!("{last} of {count} rows after {:.0?}", began.elapsed()));
    }
    execute(session, "SET maintenance_work_mem = '1GB'".to_owned()).await;
    for (_, definition) in indexes {
        execute(session, definition).await;
    }
    say(&format!("indexes after {:.0?}", began.elapsed()));
    execute(session, "VACUUM ANALYZE verifications".to_owned()).await;
    execute(session, "CHECKPOINT".to_owned()).await;
    say(&format!("vacuumed and analyzed after {:.0?}", began.elapsed()));
}

async fn print(sides: &mut [Side; 2], rows: i64) {
    let (table, indexes): (String, String) = sqlx::query_as(
        "SELECT pg_size_pretty(pg_table_size('verifications')), pg_size_pretty(pg_indexes_size('verifications'))",
    )
    .fetch_one(&mut sides[1].session)
    .await
    .expect("sizes");
    let [empty, full] = sides;
    say(&format!("{rows} finished rows, {table} and {indexes} of indexes; ms, one call at a time"));
    say(&format!(
        "{:<22} {:>8} {:>8} {:>8} {:>8} {:>6} {:>6}",
        "", "without", "p99", "with", "p99", "ratio", "of p99"
    ));
    for name in empty.timings.keys() {
        let ((median, high), (full_median, full_high)) = (empty.of(name), full.of(name));
        say(&format!(
            "{name:<22} {median:>8.3} {high:>8.3} {full_median:>8.3} {full_high:>8.3} {:>6.2} {:>6.2}",
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
