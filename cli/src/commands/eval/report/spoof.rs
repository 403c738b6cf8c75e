//! The page about presentation attacks in single pictures.

use std::path::Path;

use super::super::gallery::{Gallery, Worst, name};
use super::super::spoof::{Judged, SpoofReport};
use super::super::stats::AttackRates;
use super::axis::Shares;
use super::number::{RATE, cells, counted, grouped, percent};
use super::page::{Captioned, Page};
use super::plot::{Mark, Plot};
use super::{made_with, row, save, warn_of_repeated};

/// Heads a column of names such as `APCER print`.
const NAMED: &str = "rate";

/// The worst are shown if there is a gallery.
pub(in super::super) fn write(
    folder: &Path,
    report: &SpoofReport,
    worst: [Worst<Judged>; 2],
    gallery: Option<&Gallery<'_>>,
) -> anyhow::Result<()> {
    let mut page = Page::new("Presentation attack detection, single pictures");
    warn_of_repeated(&mut page, report.repeated_lines);
    let made_with = made_with(&report.profile, &report.models);
    page.lines([format!("{made_with}; {} files", grouped(report.files as u64))]);
    if let Some((threshold, rate)) = report.equal_error {
        let rate = percent(rate, trials(&report.at_threshold));
        page.lines([format!("equal error, all attacks together: {rate} at {threshold:.4}")]);
    }
    let head = [&[NAMED], &RATE[..]].concat();
    let caption = format!("Errors at the threshold {:.4}", report.at_threshold.threshold);
    page.table(&caption, &head, errors(&report.at_threshold));
    page.table(
        "Not judged, and in none of the other rates: no face, or one too small, blurred, badly exposed or turned away",
        &head,
        non_responses(&report.at_threshold),
    );
    let point = |rates: &AttackRates| {
        let most = percent(rates.apcer_max, most_attacks(rates));
        [vec![most, format!("{:.4}", rates.threshold)], cells(&rates.bpcer).to_vec()].concat()
    };
    let points = report.at_apcer.iter().map(point).collect();
    page.table("Operating points", &["greatest APCER", "threshold", "BPCER", RATE[1], RATE[2]], points);
    for (column, values) in report.groups.iter() {
        let rows = values.iter().flat_map(|(value, rates)| {
            let rows = errors(rates).into_iter().chain(non_responses(rates));
            rows.map(move |row| [vec![value.clone()], row].concat())
        });
        page.table(&format!("By {column}"), &[&[column], &head[..]].concat(), rows.collect());
    }
    page.plot(curve(report).svg());
    if let Some(gallery) = gallery {
        let [bona_fide, attacks] = worst.map(|worst| shown(gallery, worst.into_vec()));
        page.pictures("Bona fide presentations with the least confidence", bona_fide);
        page.pictures("Attacks with the greatest confidence", attacks);
    }
    save(folder, report, &page)
}

fn non_responses(rates: &AttackRates) -> Vec<Vec<String>> {
    let attacks = rates.apnrr.iter().map(|(species, rate)| row(format!("APNRR {species}"), rate));
    attacks.chain([row("BPNRR", &rates.bpnrr)]).collect()
}

fn errors(rates: &AttackRates) -> Vec<Vec<String>> {
    let mut rows: Vec<_> =
        rates.apcer.iter().map(|(species, rate)| row(format!("APCER {species}"), rate)).collect();
    rows.push(row("BPCER", &rates.bpcer));
    let trials = trials(rates);
    let acer = if trials == 0 { "-".to_owned() } else { percent(rates.acer, trials) };
    rows.push(vec!["ACER".to_owned(), acer, String::new(), String::new()]);
    rows
}

/// What bears out a rate of both kinds; 0 where there is only one kind.
fn trials(rates: &AttackRates) -> u64 {
    rates.bpcer.of.min(most_attacks(rates))
}

fn most_attacks(rates: &AttackRates) -> u64 {
    rates.apcer.values().map(|rate| rate.of).max().unwrap_or(0)
}

fn curve(report: &SpoofReport) -> Plot<'static> {
    let rates = &report.at_threshold;
    let attacks = most_attacks(rates);
    let words = format!(
        "threshold {:.4}: greatest APCER {}, BPCER {}",
        rates.threshold,
        percent(rates.apcer_max, attacks),
        counted(&rates.bpcer)
    );
    Plot {
        title: "DET",
        x: ("greatest APCER of any species", Shares::Errors(attacks)),
        y: ("BPCER", Shares::Errors(rates.bpcer.of)),
        curve: report.curve.clone(),
        mark: Mark { at: (rates.apcer_max, rates.bpcer.share), words },
    }
}

fn shown(gallery: &Gallery<'_>, worst: Vec<Judged>) -> Vec<Captioned> {
    let shown = |judged: Judged| Captioned {
        pictures: gallery.picture(&judged.file).into_iter().collect(),
        caption: format!("{:.3}, {}: {}", judged.confidence, judged.label, name(&judged.file, gallery.root)),
    };
    worst.into_iter().map(shown).collect()
}
