//! The page about spoken codes. No sound is on it, and the digits are those of the operator's own table.

use std::path::Path;

use super::super::gallery::Worst;
use super::super::speech::{Judged, SpeechReport};
use super::super::stats::{CodeRates, Rate, ReadingRates};
use super::page::Page;
use super::plot::{Plot, Scale};
use super::{cells, save};

pub(in super::super) fn write(
    folder: &Path,
    report: &SpeechReport,
    worst: [Worst<Judged>; 2],
) -> anyhow::Result<()> {
    let mut page = Page::new("Spoken codes");
    let models: Vec<&str> = report.models.iter().map(|model| model.name.as_str()).collect();
    let limits: Vec<_> = report.limits.iter().map(|(name, limit)| format!("{name} {limit}")).collect();
    page.lines([
        format!("profile {}: {}; {} clips", report.profile, models.join(", "), report.files),
        format!("limits: {}", limits.join(", ")),
        format!("failure to acquire: {}", cells(&report.failures_to_acquire).join(", ")),
    ]);
    page.lines(report.reasons.iter().map(|(reason, count)| format!("{reason}: {count}")));
    page.table("Errors at the service's limits", &["", "rate", "95 %", ""], errors(&report.rates));
    for (column, values) in &report.groups {
        let rows = values.iter().flat_map(|(value, rates)| {
            errors(rates).into_iter().map(move |row| [vec![value.clone()], row].concat())
        });
        page.table(&format!("By {column}"), &[column, "", "rate", "95 %", ""], rows.collect());
    }
    let rows = report.at_score.iter().flat_map(|point| {
        let refused = ("right code refused".to_owned(), &point.genuine_refused);
        let accepted =
            point.wrong_accepted.iter().map(|(species, rate)| (format!("accepted, {species}"), rate));
        let score = format!("{:.0}", point.score);
        [refused]
            .into_iter()
            .chain(accepted)
            .map(move |(name, rate)| [vec![score.clone(), name], cells(rate).to_vec()].concat())
    });
    page.table(
        "By the least score, other limits as they are",
        &["score", "", "rate", "95 %", ""],
        rows.collect(),
    );
    let most = |accepted: &std::collections::BTreeMap<String, Rate>| {
        accepted.values().map(|rate| rate.share).fold(0.0, f64::max)
    };
    let axis = |name| (name, Scale::Logarithmic(-3));
    let det = Plot {
        title: "DET, along the least score",
        x: axis("wrong codes accepted, worst species"),
        y: axis("right codes refused"),
    };
    let points = report.at_score.iter();
    page.plot(det.svg(points.map(|point| (most(&point.wrong_accepted), point.genuine_refused.share))));
    let [right, wrong] =
        worst.map(|worst| worst.into_vec().into_iter().map(|judged| line(&judged)).collect());
    let head = ["", "score", "margin", "digit mass", "said", "claimed", "transcript", "language", "file"];
    page.table("Right codes that were refused, or nearly so", &head, right);
    page.table("Wrong codes that were accepted, or nearly so", &head, wrong);
    save(folder, report, &page)
}

fn errors(rates: &CodeRates) -> Vec<Vec<String>> {
    let row = |name: String, rate: &Rate| [vec![name], cells(rate).to_vec()].concat();
    let mut rows = Vec::new();
    if rates.genuine_refused.of > 0 {
        rows.push(row("right code refused".to_owned(), &rates.genuine_refused));
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
        format!("{:.3} %", reading.digit * 100.0),
        String::new(),
        String::new(),
    ]
}

fn line(judged: &Judged) -> Vec<String> {
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
        judged.file.display().to_string(),
    ]
}
