//! What an evaluation leaves: `report.json`, and `report.html`, one page that needs nothing else.

mod axis;
pub(super) mod faces;
mod number;
mod page;
mod plot;
pub(super) mod speech;
pub(super) mod spoof;
mod terms;
pub(super) mod video;

use std::fs;
use std::path::Path;

use anyhow::Context;
use countersign_shared::domain::ModelUsed;
use serde::Serialize;

pub(super) use self::number::cells;
use self::number::grouped;
use self::page::Page;
pub(super) use self::page::Picture;
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
    page.warnings().for_each(note);
    note(&format!("written: {} and report.html beside it", folder.join("report.json").display()));
    Ok(())
}

/// Which models it was, and how much they looked at.
fn made_with(profile: &str, models: &[ModelUsed]) -> String {
    let models: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    format!("profile {profile}: {}", models.join(", "))
}

fn warn_of_repeated(page: &mut Page, lines: usize) {
    if lines > 0 {
        let lines = grouped(lines as u64);
        page.warning(format!("lines of the table that repeat an earlier one, and were left out: {lines}"));
    }
}

fn row(name: impl Into<String>, rate: &Rate) -> Vec<String> {
    [vec![name.into()], cells(rate).to_vec()].concat()
}
