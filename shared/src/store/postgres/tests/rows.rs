//! Many finished verifications, made by the server itself: `UUIDv7`s over the last thirty days, real documents.

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::domain::{Check, CheckName, Kind, Priority, Report, Timestamp};
use crate::store::contract::{new_verification, report};

const MONTH_MILLIS: i64 = 30 * 24 * 3600 * 1000;

/// Who and when the numbered rows are: $1 tenants, until $2, over $3 milliseconds, $4 rows in all.
macro_rules! identified {
    ($numbers:literal) => {
        concat!(
            "(SELECT (lpad(to_hex(millis), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid AS id,
                tenant, millis, to_timestamp(millis / 1000.0) AS created, hash
            FROM (
                SELECT ($1::uuid[])[1 + number % cardinality($1::uuid[])] AS tenant, md5(number::text) AS hash,
                    $2::bigint - $3::bigint + (number * ($3::double precision / $4::bigint))::bigint AS millis
                FROM ",
            $numbers,
            " AS number
            ) AS numbered) AS identified"
        )
    };
}

/// The last day's still have their media.
const INSERT: &str = concat!(
    "INSERT INTO verifications (id, tenant, lane, state, version, attempts, has_media, created_at, offered_at,
        started_at, finished_at, traceparent, request, report)
    SELECT id, tenant, 'photo.interactive', 'succeeded', 1, 1, millis > $2 - 24 * 3600 * 1000, created, created,
        created + interval '20 ms', created + interval '200 ms', '00-' || hash || '-00f067aa0ba902b7-01',
        $5::jsonb, $6::jsonb
    FROM ",
    identified!("generate_series($7::bigint, $8::bigint)")
);
/// Numbers that are spread over all but the first hundredth, without looking at the table.
const SOME: &str = concat!("SELECT tenant, id FROM ", identified!("unnest($5::bigint[])"));

/// Rows that are as old as a month is long, evenly.
pub(super) struct Rows {
    request: String,
    report: String,
    tenants: Vec<Uuid>,
    until: i64,
    total: i64,
}

impl Rows {
    pub(super) fn new(tenants: Vec<Uuid>, total: i64) -> Self {
        let request = new_verification(Kind::Spoof, Priority::Interactive).request;
        Self {
            request: serde_json::to_string(&request).expect("JSON"),
            report: serde_json::to_string(&small_report()).expect("JSON"),
            tenants,
            until: Timestamp::now().as_millis(),
            total,
        }
    }

    /// Inserts those from `first` to `last`, counted from 1 to `total`.
    pub(super) async fn insert(&self, connection: &mut PgConnection, first: i64, last: i64) {
        let insert = sqlx::query(INSERT)
            .bind(&self.tenants)
            .bind(self.until)
            .bind(MONTH_MILLIS)
            .bind(self.total)
            .bind(&self.request)
            .bind(&self.report)
            .bind(first)
            .bind(last);
        insert.execute(connection).await.expect("inserted");
    }

    /// Tenants and ids of some of the rows, in no order, without looking at the table.
    pub(super) async fn some(&self, connection: &mut PgConnection, count: i64) -> Vec<(Uuid, Uuid)> {
        let newest = self.total - self.total / 100;
        // A stride that shares no factor with a round number visits every corner.
        let numbers: Vec<i64> = (0..count).map(|index| self.total - (index * 7_368_787) % newest).collect();
        let some = sqlx::query_as(SOME)
            .bind(&self.tenants)
            .bind(self.until)
            .bind(MONTH_MILLIS)
            .bind(self.total)
            .bind(numbers);
        some.fetch_all(connection).await.expect("identifiers")
    }
}

/// A small one: ten million rows have to fit on the disk of whoever measures.
pub(super) fn small_report() -> Report {
    let check = Check {
        name: CheckName::NotSpoof,
        passed: false,
        score: None,
        threshold: Some(0.9),
        reasons: vec!["no_face".to_owned()],
    };
    Report { checks: vec![check], ..report() }
}
