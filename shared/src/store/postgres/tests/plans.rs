//! What the recurring statements read of a table with many finished rows: a few pages, whatever the planner knows.

use sqlx::{AssertSqlSafe, Connection, Row};
use uuid::Uuid;

use super::super::{
    challenges, deliveries, idempotency, outbox, overview, reviews, upkeep, verifications, webhooks,
};
use super::database::database;
use super::rows::Rows;
use crate::domain::{Kind, Priority};
use crate::store::contract::new_verification;

const ROWS: i64 = 20_000;

/// A statement that reads the table would touch thousands. Those that change ten rows touch every index for each.
const PAGES: i64 = 400;

/// One endpoint for each tenant, named alike; most of what was sent is delivered.
const DELIVERED: &str = "INSERT INTO webhook_deliveries (id, tenant, target, endpoint, event, about, state,
        next_attempt_at, created_at, finished_at)
    SELECT gen_random_uuid(), own, own, own, 'webhook.test', own,
        CASE WHEN number % 1000 = 0 THEN 'pending' ELSE 'delivered' END,
        CASE WHEN number % 1000 = 0 THEN now() END, now(), CASE WHEN number % 1000 <> 0 THEN now() END
    FROM (SELECT number, ($1::uuid[])[1 + number % cardinality($1)] AS own FROM generate_series(1, $2) AS number) AS it";
const KEY: &str = "sha256('1')";

/// What is kept of many requests.
const KEPT: &str = "INSERT INTO idempotency_records (tenant, key, owner, expires_at, fingerprint, verification, answer)
    SELECT tenant, sha256(id::text::bytea), id, created_at + interval '1 day', sha256(id::text::bytea), id, '{}'
    FROM verifications WHERE lane = 'photo.interactive'";
const ISSUED: &str = "INSERT INTO challenges (id, tenant, digits, created_at, expires_at)
    SELECT id, tenant, '012345', created_at, created_at + interval '2 min' FROM verifications";

const LAST: &str = "'ffffffff-ffff-ffff-ffff-ffffffffffff'";
const FIRST: &str = "'00000000-0000-0000-0000-000000000000'";

/// The statements with their parameters, as SQL.
fn statements(tenant: Uuid, id: Uuid) -> Vec<(&'static str, String)> {
    let (tenant, id) = (format!("'{tenant}'"), format!("'{id}'"));
    let ids = format!("ARRAY[{id}, gen_random_uuid()]::uuid[]");
    vec![
        (verifications::READ, format!("{id}, {tenant}")),
        (
            verifications::ACCEPT_WITH,
            format!(
                "gen_random_uuid(), {tenant}, 'photo.batch', NULL, '{{}}', 1, {id}, 'photo', {KEY}, {id}, {KEY}, 'x', 60, now(),
                {id}, '{{}}'"
            ),
        ),
        (idempotency::RESERVE, format!("{tenant}, {KEY}, {id}, 30")),
        (idempotency::RELEASE, format!("{tenant}, {KEY}, {id}")),
        (challenges::READ, format!("{id}, {tenant}")),
        (verifications::CANCEL, format!("{id}, {tenant}")),
        (verifications::CLAIM, format!("{id}, 'worker', 30, 1")),
        (verifications::RENEW, format!("{id}, 'worker', 1, 30")),
        (verifications::SUCCEED, format!("{id}, 'worker', 1, '{{}}'")),
        (verifications::BACKLOG, format!("'photo.interactive', {tenant}, 1000")),
        (overview::PROGRESS, ids.clone()),
        (overview::LIST, format!("{tenant}, {LAST}, {FIRST}, 50, NULL, NULL")),
        (overview::LIST, format!("{tenant}, {id}, {FIRST}, 50, NULL, NULL")),
        (overview::LIST_IN_STATE, format!("{tenant}, {LAST}, {FIRST}, 50, 'failed', NULL")),
        (overview::SEARCHED, format!("{tenant}, {LAST}, {FIRST}, 50")),
        (overview::SEARCHED_IN_STATE, format!("{tenant}, {LAST}, {FIRST}, 50, 'queued'")),
        (reviews::ADD, format!("{id}, {tenant}, 'approved', NULL, {id}, 100")),
        (reviews::REVIEWS, id.clone()),
        (outbox::TAKE, "'photo.interactive', 20".to_owned()),
        (outbox::WAITING, "ARRAY['photo.interactive', 'photo.batch']".to_owned()),
        (outbox::DEPTH, String::new()),
        (upkeep::REOFFER, "now(), now(), 5, 10, '{}'".to_owned()),
        (upkeep::MEDIA_DUE, "now(), 50".to_owned()),
        (upkeep::MEDIA_DELETED, ids.clone()),
        (upkeep::DELETE_FINISHED, "now(), 10".to_owned()),
        (upkeep::DELETE_ANSWERS, "now(), 10".to_owned()),
        (upkeep::DELETE_CHALLENGES, "now(), 10".to_owned()),
        (upkeep::KNOWN, ids),
        (upkeep::UNFINISHED, String::new()),
        (upkeep::TAKE_TURN, "'sweep', now(), now()".to_owned()),
        (deliveries::CLAIM, "10, 10, 'sender', 30".to_owned()),
        (deliveries::SETTLE, format!("{id}, {tenant}, 'sender', 'delivered', 0, '{{}}', true, 20")),
        (deliveries::LAG, String::new()),
        (deliveries::DELETE, "3600, 10".to_owned()),
        (webhooks::DELIVERIES_ABOUT, format!("{id}, {tenant}")),
        (
            webhooks::DELIVERIES,
            format!("{tenant}, {tenant}, NULL, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 50"),
        ),
    ]
}

#[tokio::test]
async fn no_recurring_statement_reads_the_table() {
    let database = database!();
    let stores = database.stores().await;
    // Many: a page of one tenant's must not be found by reading all the others'.
    let tenants: Vec<Uuid> = (0..200).map(|_| Uuid::now_v7()).collect();
    // Not one of the store's own, which are told to prefer indexes.
    let mut session = database.connect().await;
    Rows::new(tenants.clone(), ROWS).insert(&mut session, 1, ROWS).await;
    sqlx::query(DELIVERED).bind(&tenants).bind(ROWS as i32).execute(&mut session).await.expect("inserted");
    database.execute(KEPT).await;
    database.execute(ISSUED).await;
    let mut known = Uuid::nil();
    for _ in 0..40 {
        let new = new_verification(Kind::Photo, Priority::Interactive);
        stores.verifications.accept(&new).await.expect("accepted");
        known = *new.id.as_uuid();
    }
    for analyzed in [false, true] {
        if analyzed {
            database.execute("VACUUM ANALYZE").await;
        }
        for mode in ["force_custom_plan", "force_generic_plan"] {
            for (statement, parameters) in statements(tenants[0], known) {
                let mut transaction = session.begin().await.expect("a transaction");
                let arguments = if parameters.is_empty() { String::new() } else { format!("({parameters})") };
                let prepare = format!(
                    "SET LOCAL plan_cache_mode = {mode}; SET LOCAL jit = off; PREPARE it AS {statement}"
                );
                sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *transaction).await.expect(statement);
                let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) EXECUTE it {arguments}");
                let plan = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut *transaction).await;
                let plan: Vec<String> = plan.expect(statement).iter().map(|line| line.get(0)).collect();
                sqlx::raw_sql("DEALLOCATE it").execute(&mut *transaction).await.expect("forgotten");
                transaction.rollback().await.expect("rolled back");
                let pages = pages(&plan);
                assert!(pages < PAGES, "{pages} pages, {mode}, analyzed: {analyzed}\n{}", plan.join("\n"));
            }
        }
    }
}

/// The pages that the statement touched, from the topmost line of the plan that counts them.
fn pages(plan: &[String]) -> i64 {
    let line = plan.iter().find(|line| line.trim_start().starts_with("Buffers: shared"));
    let counts = line.into_iter().flat_map(|line| line.split_whitespace());
    counts
        .filter_map(|word| word.strip_prefix("hit=").or_else(|| word.strip_prefix("read=")))
        .map(|count| count.parse::<i64>().expect("a number"))
        .sum()
}
