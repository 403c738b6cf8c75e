//! What became of every job: seen from the rows, the queues, the media and the callers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use countersign_shared::adapters::Adapters;
use countersign_shared::config::Config;
use countersign_shared::domain::Timestamp;
use countersign_shared::roles::Duties;
use tokio::time::sleep;

use super::finding::Finding;
use super::load::Tally;
use crate::cluster::installation::Installation;

/// Notes every time that a row is said to be final, in the transaction that says so.
const TRIGGER: &str = "CREATE TABLE audit (id uuid NOT NULL, state text NOT NULL);
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO audit VALUES (NEW.id, NEW.state); RETURN NULL; END $$;
    CREATE TRIGGER audit AFTER UPDATE OF state ON verifications FOR EACH ROW
        WHEN (NEW.state IN ('succeeded', 'failed', 'canceled', 'expired')) EXECUTE FUNCTION audit()";

const NOT_FINAL: &str = "SELECT count(*) FROM verifications WHERE state IN ('queued', 'processing')";
const OUTBOX: &str = "SELECT count(*) FROM outbox";
const UNTOLD: &str = "SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'";
const HELD: &str =
    "SELECT count(*) FROM verifications WHERE lease_owner IS NOT NULL OR lease_until IS NOT NULL";
const NOT_ONCE: &str = "SELECT count(*) FROM verifications
    WHERE (SELECT count(*) FROM audit WHERE audit.id = verifications.id) <> 1";

/// Messages of a queue in their last hands.
const QUEUES_EMPTY_WITHIN: Duration = Duration::from_secs(30);

pub(super) struct Audit;

struct Row {
    state: String,
    /// What the report says.
    number: Option<u64>,
}

impl Audit {
    pub(super) fn begin(installation: &Installation) -> Self {
        installation.rows.run(TRIGGER);
        Self
    }

    /// Waits until nothing is left to do.
    pub(super) async fn settle(&self, installation: &Installation, within: Duration) {
        let began = Instant::now();
        for query in [NOT_FINAL, OUTBOX, UNTOLD] {
            installation.until(query, 0, within.saturating_sub(began.elapsed())).await;
        }
        let deadline = Instant::now() + QUEUES_EMPTY_WITHIN;
        while installation.servers.queued_messages().iter().any(|(_, count)| *count > 0)
            && Instant::now() < deadline
        {
            sleep(Duration::from_millis(500)).await;
        }
    }

    pub(super) async fn findings(&self, installation: &Installation, tally: &Tally) -> Vec<Finding> {
        let rows = rows(installation);
        let mut states: BTreeMap<&str, u64> = BTreeMap::new();
        for row in rows.values() {
            *states.entry(&row.state).or_default() += 1;
        }
        let in_state = |state| states.get(state).copied().unwrap_or_default();
        let query = |what, query| Finding::must(what, installation.rows.number(query), 0);

        let told = tally.results.iter().map(|(id, ..)| id).chain(tally.accepted.iter().map(|(id, _)| id));
        let lost = told.filter(|id| !rows.contains_key(*id)).count() as u64;
        let wrong = |id: &str, asked: u64| {
            rows.get(id).is_none_or(|row| row.state != "succeeded" || row.number != Some(asked))
        };
        let strangers =
            tally.results.iter().filter(|(id, asked, got)| asked != got || wrong(id, *asked)).count();
        let broken = tally.accepted.iter().filter(|(id, asked)| wrong(id, *asked)).count();

        let queues = installation.servers.queued_messages();
        let strays: Vec<_> = queues.iter().filter(|(_, count)| *count > 0).collect();
        let before = media(&installation.servers.bucket().join(&installation.name));
        let orphans_before = before.iter().filter(|id| !rows.contains_key(*id)).count() as u64;
        sweep(installation).await;
        let after = media(&installation.servers.bucket().join(&installation.name));
        let orphans = after.iter().filter(|id| !rows.contains_key(*id)).count() as u64;
        let without_media = rows.keys().filter(|id| !after.contains(*id)).count() as u64;
        let panics = installation.logs().lines().filter(|line| line.contains("panicked at")).count() as u64;

        vec![
            Finding::noted("jobs accepted", rows.len() as u64),
            Finding::noted("  succeeded", in_state("succeeded")),
            Finding::noted("  canceled: the caller's connection broke", in_state("canceled")),
            Finding::must("  failed", in_state("failed") + in_state("expired"), 0),
            query("  in no final state", NOT_FINAL),
            query("finished not exactly once", NOT_ONCE),
            Finding::must("identifiers told that have no row", lost, 0),
            Finding::must("results that are another job's", strangers as u64, 0),
            Finding::must("promised results that are not there", broken as u64, 0),
            Finding::must("answers that no client should get", tally.odd.len() as u64, 0)
                .because(format!("{:?}", tally.odd)),
            query("leases held", HELD),
            query("outbox rows", OUTBOX),
            Finding::must("messages left in RabbitMQ", strays.iter().map(|(_, count)| count).sum(), 0)
                .because(format!("{strays:?}")),
            Finding::noted("media without a row, before the sweep", orphans_before),
            Finding::must("media without a row, after the sweep", orphans, 0),
            Finding::must("rows whose media are gone", without_media, 0),
            Finding::must("panics", panics, 0),
        ]
    }
}

/// Every row by its identifier.
fn rows(installation: &Installation) -> HashMap<String, Row> {
    let query = "SELECT 'ver_' || replace(id::text, '-', ''), state,
        coalesce(jsonb_path_query_first(report, '$.**.num_faces')::text, '') FROM verifications";
    let columns = installation.rows.all(query).into_iter();
    columns
        .map(|columns| {
            let [id, state, number] = <[String; 3]>::try_from(columns).expect("three columns");
            (id, Row { state, number: number.parse().ok() })
        })
        .collect()
}

/// The verifications that have media in that folder of the S3 server.
fn media(folder: &Path) -> HashSet<String> {
    let entries = std::fs::read_dir(folder).expect("the bucket").flatten();
    let with_files =
        entries.filter(|entry| std::fs::read_dir(entry.path()).is_ok_and(|mut files| files.next().is_some()));
    with_files.map(|entry| entry.file_name().into_string().expect("text")).collect()
}

/// The reaper's sweep, for orphans of any age: the settings would make us wait ten minutes.
async fn sweep(installation: &Installation) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut config = Config::load(None, installation.settings()).expect("settings");
    config.retention.orphans = Duration::ZERO;
    let adapters = Adapters::open(&config).await.expect("the servers are there");
    Duties::new(&config, &adapters).reap(Timestamp::now()).await;
}
