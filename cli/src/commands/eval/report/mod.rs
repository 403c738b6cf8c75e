//! What an evaluation leaves: `report.json`, and `report.html`, one page that needs nothing else.

pub(super) mod faces;
mod page;
mod plot;
pub(super) mod speech;
pub(super) mod spoof;
pub(super) mod video;

use std::fs;
use std::path::Path;

use anyhow::Context;
use page::Page;
use serde::Serialize;

use super::stats::Rate;
use crate::commands::{note, say};

/// Writes both, and says in lines what is in them.
fn save(folder: &Path, report: &impl Serialize, page: &Page) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(report)?;
    for (name, text) in [("report.json", json), ("report.html", page.html())] {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    say(&page.text());
    note(&format!("written: {} and report.html beside it", folder.join("report.json").display()));
    Ok(())
}

/// A share in percent, with its interval.
pub(super) fn cells(rate: &Rate) -> [String; 3] {
    if rate.of == 0 {
        return ["-", "-", "none"].map(str::to_owned);
    }
    let percent = |share: f64| format!("{:.3} %", share * 100.0);
    let interval = format!("{} to {}", percent(rate.low), percent(rate.high));
    [percent(rate.share), interval, format!("{} of {}", rate.errors, rate.of)]
}
