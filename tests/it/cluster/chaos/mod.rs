//! Under load, everything is killed, paused and cut off; afterwards every job is accounted for, and every webhook.
//! Front ends and workers alike send webhooks, so whichever of them is struck was sending some.
//!
//! `scripts/chaos JOBS KILLS` asks for more than `./test` does; `COUNTERSIGN_TEST_CHAOS_SEED` repeats an order of faults.

mod audit;
mod deliveries;
mod faults;
mod finding;
mod load;
mod receiver;

use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_shared::command::note;

use self::audit::Audit;
use self::faults::Faults;
use self::load::Load;
use self::receiver::Receiver;
use super::installation::{Installation, Plan};
use super::node::{Node, Role};
use super::servers::Servers;

const SETTINGS: [(&str, &str); 8] = [
    ("WORKER__PERMITS", "4"),
    // Servers are away for seconds, again and again, and every retry is an attempt.
    ("WORKER__MAX_ATTEMPTS", "1000"),
    ("WORKER__JOB_TIME", "15s"),
    ("V1__WAIT", "15s"),
    ("WEBHOOKS__ALLOW", r#"["127.0.0.1"]"#),
    // A sender that was killed holds up what it was sending for half a minute more than these.
    ("WEBHOOKS__CONNECT_TIME", "1s"),
    ("WEBHOOKS__ANSWER_TIME", "3s"),
    ("WEBHOOKS__RETRY_DELAYS", receiver::RETRY_DELAYS),
];

/// How long it may take, once everything is well again, until nothing is left to do.
const SETTLES_WITHIN: Duration = Duration::from_secs(90);

struct Size {
    jobs: u64,
    kills: usize,
    seed: u64,
    callers: usize,
    /// By name, and not as one test among others.
    is_asked_for: bool,
}

impl Size {
    fn asked_for() -> Self {
        let number = |name: &str| {
            let text = std::env::var_os(format!("COUNTERSIGN_TEST_CHAOS_{name}"))?;
            Some(text.to_str().and_then(|text| text.parse::<u64>().ok()).expect("a number"))
        };
        let (jobs, kills) = (number("JOBS").unwrap_or(150), number("KILLS").unwrap_or(6));
        let callers = if jobs > 500 { 24 } else { 10 };
        let seed = number("SEED").unwrap_or_else(rand::random);
        Self { jobs, kills: kills as usize, seed, callers, is_asked_for: number("JOBS").is_some() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_paused_or_cut_off_every_accepted_job_finishes_exactly_once() {
    let size = Size::asked_for();
    // ./test has servers, so a private set of them can be started too; scripts/chaos wants it in any case.
    if !size.is_asked_for && Servers::shared().is_none() {
        return;
    }
    note(&format!("chaos: {} jobs, {} kills, seed {}", size.jobs, size.kills, size.seed));
    let servers = Arc::new(Servers::private());
    let plan = Plan { front_ends: 2, workers: 3, worker: Role::FakeWorker(20, 200), settings: &SETTINGS };
    let mut installation = Installation::start(servers, plan).await;
    let audit = Audit::begin(&installation);
    let receiver = Receiver::register(&installation).await;
    let urls = installation.front_ends.iter().map(Node::url).collect();
    let load = Load::start(&installation.key, urls, size.callers);

    let started = Instant::now();
    let mut faults = Faults::new(size.seed, size.kills);
    faults.strike(&mut installation).await;
    let struck = started.elapsed();
    let tally = load.stop_after(size.jobs).await;
    let worked = started.elapsed();
    let settling = Instant::now();
    audit.settle(&installation, SETTLES_WITHIN).await;
    let settled = settling.elapsed();
    let mut findings = audit.findings(&installation, &tally).await;
    findings.extend(deliveries::findings(&installation, &receiver.heard()));

    let mut table = faults.table();
    let _ = writeln!(table, "{}", tally.table());
    let seconds = |time: Duration| time.as_secs_f64();
    let _ = writeln!(
        table,
        "faults took {:.1} s, work {:.1} s, settling {:.1} s; seed {}",
        seconds(struck),
        seconds(worked),
        seconds(settled),
        size.seed
    );
    for finding in &findings {
        let _ = writeln!(table, "{finding}");
    }
    note(&table);
    let failed: Vec<String> =
        findings.iter().filter(|finding| !finding.holds()).map(ToString::to_string).collect();
    assert!(failed.is_empty(), "seed {}: {failed:#?}", size.seed);
    assert!(!tally.results.is_empty(), "nobody was answered");
}
