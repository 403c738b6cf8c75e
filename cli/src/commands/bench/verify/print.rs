//! The results as a table: one column for each who did the work, and the ratios that mean the same on every machine.

use super::rounds::{Results, Served, Work};
use crate::commands::say;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

pub(super) fn print(results: &Results, permits: usize, clients: usize) {
    let Results { service, ceiling, against, .. } = results;
    let other = |title: &str| if against.is_some() { format!("{title:>14}") } else { String::new() };
    say(&format!("{:<40}{:>14}{:>14}{}", "", "countersign", "bare models", other("the other")));
    let row = |title: &str, own: String, bare: String, of: &dyn Fn(&Served) -> String| {
        let other = against.as_ref().map(of).map_or_else(String::new, |text| format!("{text:>14}"));
        say(&format!("{title:<40}{own:>14}{bare:>14}{other}"));
    };
    let served = |title: &str, of: &dyn Fn(&Served) -> String| row(title, of(service), String::new(), of);
    let worked = |title: &str, of: &dyn Fn(&Work) -> String| {
        row(title, of(&service.work), of(ceiling), &|other| of(&other.work));
    };
    served("one at a time, median", &|one| milliseconds(one.alone.median));
    served("one at a time, p95", &|one| milliseconds(one.alone.p95));
    let at_once = |what: &str| format!("{clients} clients, {permits} permits, {what}");
    worked(&at_once("jobs/s"), &|work| format!("{:.2}", work.jobs_per_second));
    served(&at_once("median"), &|one| milliseconds(one.saturated.median));
    served(&at_once("p99"), &|one| milliseconds(one.saturated.p99));
    worked("processor time of a job", &|work| milliseconds(work.processor));
    if service.arrivals_per_second > 0.0 {
        let at_rate = |what: &str| format!("{:.2} arrivals/s, {what}", service.arrivals_per_second);
        served(&at_rate("median"), &|one| milliseconds(one.arrived.median));
        served(&at_rate("p99"), &|one| milliseconds(one.arrived.p99));
    }
    served("memory under load", &|one| format!("{:.0} MiB", one.memory as f64 / MEBIBYTE));
    say(&format!(
        "{:<40}{:>14}",
        "memory when ready",
        format!("{:.0} MiB", results.memory_idle as f64 / MEBIBYTE)
    ));
    say(&format!("{:<40}{:>14}", "ready after", format!("{:.2} s", results.ready_after)));
    say(&format!("{:<40}{:>14}", "jobs/s, of the bare models'", format!("{:.2}", results.of_ceiling)));
    if let Some(other) = against {
        let ratio = |title: &str, own: f64, its: f64| {
            say(&format!("{title:<40}{:>14}", format!("{:.2}", own / its)));
        };
        ratio("jobs/s, of the other's", service.work.jobs_per_second, other.work.jobs_per_second);
        ratio("p99 of the clients, of the other's", service.saturated.p99, other.saturated.p99);
        ratio("memory, of the other's", service.memory as f64, other.memory as f64);
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.0} ms", seconds * 1000.0)
}
