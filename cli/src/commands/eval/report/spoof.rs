//! The page about presentation attacks in single pictures.

use std::path::Path;

use super::super::gallery::{Worst, thumbnail};
use super::super::models::FaceModels;
use super::super::spoof::{Judged, SpoofReport};
use super::super::stats::{AttackRates, Rate};
use super::page::{Captioned, Page};
use super::plot::{Plot, Scale};
use super::{cells, save};

/// `pictures` are shown if there are models to decode them with.
pub(in super::super) fn write(
    folder: &Path,
    report: &SpoofReport,
    worst: [Worst<Judged>; 2],
    pictures: Option<&FaceModels>,
) -> anyhow::Result<()> {
    let mut page = Page::new("Presentation attack detection, single pictures");
    let models: Vec<&str> = report.models.iter().map(|model| model.name.as_str()).collect();
    page.lines([format!("profile {}: {}; {} files", report.profile, models.join(", "), report.files)]);
    if let Some((threshold, rate)) = report.equal_error {
        page.lines([format!(
            "equal error rate, all attacks together: {:.2} % at {threshold:.4}",
            rate * 100.0
        )]);
    }
    page.table(
        &format!("Errors at the threshold {:.4}", report.at_threshold.threshold),
        &["", "rate", "95 %", ""],
        errors(&report.at_threshold),
    );
    page.table(
        "Not judged, and in none of the other rates: no face, or one too small, blurred, badly exposed or turned away",
        &["", "rate", "95 %", ""],
        non_responses(&report.at_threshold),
    );
    let point = |rates: &AttackRates| {
        let most = format!("{:.2} %", rates.apcer_max * 100.0);
        [vec![most, format!("{:.4}", rates.threshold)], cells(&rates.bpcer).to_vec()].concat()
    };
    let points = report.at_apcer.iter().map(point).collect();
    page.table("Operating points", &["greatest APCER", "threshold", "BPCER", "95 %", ""], points);
    for (column, values) in &report.groups {
        let rows = values.iter().flat_map(|(value, rates)| {
            let rows = errors(rates).into_iter().chain(non_responses(rates));
            rows.map(move |row| [vec![value.clone()], row].concat())
        });
        page.table(&format!("By {column}"), &[column, "", "rate", "95 %", ""], rows.collect());
    }
    let axis = |name| (name, Scale::Logarithmic(-3));
    let det = Plot { title: "DET", x: axis("greatest APCER"), y: axis("BPCER") };
    page.plot(det.svg(report.curve.iter().copied()));
    if let Some(models) = pictures {
        let [bona_fide, attacks] = worst.map(|worst| gallery(models, worst.into_vec()));
        page.pictures("Bona fide presentations with the least confidence", bona_fide);
        page.pictures("Attacks with the greatest", attacks);
    }
    save(folder, report, &page)
}

fn row(name: String, rate: &Rate) -> Vec<String> {
    [vec![name], cells(rate).to_vec()].concat()
}

fn non_responses(rates: &AttackRates) -> Vec<Vec<String>> {
    let attacks = rates.apnrr.iter().map(|(species, rate)| row(format!("APNRR {species}"), rate));
    attacks.chain([row("BPNRR".to_owned(), &rates.bpnrr)]).collect()
}

fn errors(rates: &AttackRates) -> Vec<Vec<String>> {
    let mut rows: Vec<_> =
        rates.apcer.iter().map(|(species, rate)| row(format!("APCER {species}"), rate)).collect();
    rows.push(row("BPCER".to_owned(), &rates.bpcer));
    rows.push(vec!["ACER".to_owned(), format!("{:.3} %", rates.acer * 100.0), String::new(), String::new()]);
    rows
}

fn gallery(models: &FaceModels, worst: Vec<Judged>) -> Vec<Captioned> {
    let shown = |judged: Judged| Captioned {
        pictures: thumbnail(models, &judged.file).into_iter().collect(),
        caption: format!("{:.3}, {}: {}", judged.confidence, judged.label, judged.file.display()),
    };
    worst.into_iter().map(shown).collect()
}
