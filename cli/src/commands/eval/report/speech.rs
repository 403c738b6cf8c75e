//! The page about spoken codes. No sound is on it, and the digits are those of the operator's own table.

use std::path::Path;

use super::super::gallery::{Worst, name};
use super::super::speech::{Judged, SpeechReport};
use super::super::stats::{CodeRates, Rate, ReadingRates, ScorePoint};
use super::axis::Shares;
use super::number::{RATE, counted, grouped, interval, percent, said};
use super::page::Page;
use super::plot::{Mark, Plot};
use super::{made_with, row, save, warn_of_repeated};

/// Heads a column of names such as `right code refused`.
const NAMED: &str = "rate";
/// Of a code.
const DIGITS: u64 = 6;

/// Files are named relative to `root`.
pub(in super::super) fn write(
    folder: &Path,
    report: &SpeechReport,
    worst: [Worst<Judged>; 2],
    root: &Path,
) -> anyhow::Result<()> {
    let mut page = Page::new("Spoken codes");
    warn_of_repeated(&mut page, report.repeated_lines);
    let limits: Vec<_> = report.limits.iter().map(|(name, limit)| format!("{name} {limit}")).collect();
    let made_with = made_with(&report.profile, &report.models);
    page.lines([
        format!("{made_with}; {} clips", grouped(report.files as u64)),
        format!("limits: {}", limits.join(", ")),
        format!("failure to acquire: {}", said(&report.failures_to_acquire, "clips")),
    ]);
    page.lines(report.reasons.iter().map(|(reason, count)| format!("{reason}: {}", grouped(*count as u64))));
    let head = [&[NAMED], &RATE[..]].concat();
    page.table("Errors at the service's limits", &head, errors(&report.rates));
    for (column, values) in report.groups.iter() {
        let rows = values.iter().flat_map(|(value, rates)| {
            errors(rates).into_iter().map(move |row| [vec![value.clone()], row].concat())
        });
        page.table(&format!("By {column}"), &[&[column], &head[..]].concat(), rows.collect());
    }
    by_score(&mut page, report);
    page.plot(curve(report).svg());
    let [right, wrong] =
        worst.map(|worst| worst.into_vec().into_iter().map(|judged| line(&judged, root)).collect());
    let head =
        ["verdict", "score", "margin", "digit mass", "said", "claimed", "transcript", "language", "file"];
    page.table("Right codes that were refused, or nearly so", &head, right);
    page.table("Wrong codes that were accepted, or nearly so", &head, wrong);
    save(folder, report, &page)
}

/// The scores down, what goes wrong at each across. How many there are of a kind is the same for all scores.
fn by_score(page: &mut Page, report: &SpeechReport) {
    let rates = |point: &ScorePoint| -> Vec<(String, Rate)> {
        let refused = ("right code refused".to_owned(), point.genuine_refused);
        let accepted =
            point.wrong_accepted.iter().map(|(species, rate)| (format!("accepted, {species}"), *rate));
        [refused].into_iter().chain(accepted).filter(|(_, rate)| rate.of > 0).collect()
    };
    let kinds = report.at_score.first().map(rates).unwrap_or_default();
    let kinds = kinds.into_iter().map(|(kind, rate)| format!("{kind} (of {})", grouped(rate.of)));
    let head: Vec<String> = ["least score".to_owned()].into_iter().chain(kinds).collect();
    let cell = |rate: &Rate| {
        format!("{}: {} ({})", grouped(rate.errors), percent(rate.share, rate.of), interval(rate))
    };
    let row = |point: &ScorePoint| {
        let mark = if is_the_services(point, report) { ", the service's" } else { "" };
        let cells = rates(point).into_iter().map(|(_, rate)| cell(&rate));
        [format!("{}{mark}", point.score)].into_iter().chain(cells).collect()
    };
    let rows = report.at_score.iter().map(row).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    page.table("By the least score, other limits as they are (95 % interval in brackets)", &head, rows);
}

fn is_the_services(point: &ScorePoint, report: &SpeechReport) -> bool {
    point.score.to_bits() == report.score_min.to_bits()
}

fn curve(report: &SpeechReport) -> Plot<'static> {
    let rates = &report.rates;
    let worst = rates.wrong_accepted.values().max_by(|one, other| one.share.total_cmp(&other.share));
    let most = rates.wrong_accepted.values().map(|rate| rate.of).max().unwrap_or(0);
    let (share, accepted) =
        worst.map_or((0.0, "none".to_owned()), |rate| (rate.share, percent(rate.share, rate.of)));
    let refused = &rates.genuine_refused;
    let words =
        format!("the service's {}: accepted {accepted}, refused {}", report.score_min, counted(refused));
    Plot {
        title: "DET, along the least score",
        x: ("wrong codes accepted, of the species that passes most", Shares::Errors(most)),
        y: ("right codes refused", Shares::Errors(refused.of)),
        curve: report.curve.clone(),
        mark: Mark { at: (share, refused.share), words },
    }
}

fn errors(rates: &CodeRates) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    if rates.genuine_refused.of > 0 {
        rows.push(row("right code refused", &rates.genuine_refused));
    }
    let accepted = rates.wrong_accepted.iter();
    rows.extend(accepted.map(|(species, rate)| row(format!("accepted, {species}"), rate)));
    for (name, reading) in
        [("likeliest six digits", &rates.likeliest), ("free transcript", &rates.transcript)]
    {
        if reading.sequence.of > 0 {
            rows.push(row(format!("{name} wrong"), &reading.sequence));
            rows.push(digit_row(name, reading));
        }
    }
    rows
}

fn digit_row(name: &str, reading: &ReadingRates) -> Vec<String> {
    vec![
        format!("{name}, by the digit"),
        percent(reading.digit, reading.sequence.of * DIGITS),
        String::new(),
        String::new(),
    ]
}

fn line(judged: &Judged, root: &Path) -> Vec<String> {
    let evidence = &judged.evidence;
    let number = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), |number| format!("{number:.2}"));
    let verdict = if evidence.passed { "accepted".to_owned() } else { evidence.reasons.join(", ") };
    vec![
        verdict,
        number(evidence.score),
        number(evidence.margin),
        number(evidence.digit_mass),
        judged.spoken.clone(),
        judged.claimed.to_string(),
        judged.transcript.clone(),
        judged.language.tag().to_owned(),
        name(&judged.file, root),
    ]
}
