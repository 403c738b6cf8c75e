//! The page about presentation attacks in videos.

use std::path::Path;

use super::super::gallery::name;
use super::super::video::{Shown, Verdict, VideoReport};
use super::number::{RATE, cells, grouped};
use super::page::Page;
use super::{made_with, row, save, warn_of_repeated};

/// Videos that were judged wrongly, named on the page.
const WRONG: usize = 100;

/// Files are named relative to `root`.
pub(in super::super) fn write(folder: &Path, report: &VideoReport, root: &Path) -> anyhow::Result<()> {
    let mut page = Page::new("Presentation attack detection, videos");
    warn_of_repeated(&mut page, report.repeated_lines);
    let made_with = made_with(&report.profile, &report.models);
    page.lines([format!("{made_with}; {} videos judged", grouped(report.files.len() as u64))]);
    let mut rows: Vec<_> =
        report.apcer.iter().map(|(species, rate)| row(format!("APCER {species}"), rate)).collect();
    rows.push(row("BPCER", &report.bpcer));
    let head = [&["rate"], &RATE[..]].concat();
    page.table("Errors at the service's thresholds", &head, rows);
    let all = || {
        let attacks = report.attacks.iter().map(|(species, shown)| (species.as_str(), shown));
        [("live", &report.bona_fide)].into_iter().chain(attacks)
    };
    let failed = all().flat_map(|(label, shown)| counts(label, shown, &shown.failed)).collect();
    page.table("Which check fails what", &["label", "check", "videos"], failed);
    let unused = all().flat_map(|(label, shown)| counts(label, shown, &shown.without_answer)).collect();
    page.table("Without an answer, in none of the rates", &["label", "code", "videos"], unused);
    for (column, values) in report.groups.iter() {
        let rows = values.iter().flat_map(|(value, [bpcer, apcer])| {
            [("BPCER", bpcer), ("APCER, all species", apcer)]
                .map(|(name, rate)| [vec![value.clone(), name.to_owned()], cells(rate).to_vec()].concat())
        });
        page.table(&format!("By {column}"), &[&[column], &head[..]].concat(), rows.collect());
    }
    let wrong = report.files.iter().filter(|verdict| verdict.passed != (verdict.label == "live"));
    page.table(
        "Judged wrongly",
        &["video", "label", "reasons", "scores"],
        wrong.take(WRONG).map(|verdict| described(verdict, root)).collect(),
    );
    save(folder, report, &page)
}

fn counts(
    label: &str,
    shown: &Shown,
    counts: &std::collections::BTreeMap<String, usize>,
) -> Vec<Vec<String>> {
    let all = shown.of + shown.without_answer.values().sum::<usize>();
    let row =
        |(name, count): (&String, &usize)| vec![label.to_owned(), name.clone(), format!("{count} of {all}")];
    counts.iter().map(row).collect()
}

fn described(verdict: &Verdict, root: &Path) -> Vec<String> {
    let scores = verdict.scores.iter().map(|(name, score)| match score {
        Some(score) => format!("{name} {score:.3}"),
        None => format!("{name} -"),
    });
    let scores: Vec<_> = scores.collect();
    vec![name(&verdict.file, root), verdict.label.clone(), verdict.reasons.join(", "), scores.join(", ")]
}
