//! The page about comparisons of faces.

use std::path::Path;

use super::super::faces::{Comparison, FacesReport, Group};
use super::super::gallery::{Gallery, Worst, name};
use super::super::stats::OperatingPoint;
use super::axis::Shares;
use super::number::{RATE, cells, counted, grouped, percent, round_percent, said};
use super::page::{Captioned, Page};
use super::plot::{Mark, Plot};
use super::{made_with, save, warn_of_repeated};

/// `worst` are genuine pairs that are farthest apart and impostors that are nearest; they are shown if there is a gallery.
pub(in super::super) fn write(
    folder: &Path,
    report: &FacesReport,
    worst: [Worst<Comparison>; 2],
    gallery: Option<&Gallery<'_>>,
) -> anyhow::Result<()> {
    let mut page = Page::new("Comparison of faces");
    warn_of_repeated(&mut page, report.repeated_lines);
    let [genuine, impostor] = [report.genuine, report.impostor].map(|count| grouped(count as u64));
    page.lines([
        made_with(&report.profile, &report.models),
        format!("{genuine} genuine and {impostor} impostor comparisons"),
        format!(
            "comparisons that could not be made, and are in neither FMR nor FNMR: {} genuine, {} impostors",
            counted(&report.lost.genuine),
            counted(&report.lost.impostor)
        ),
        format!("failure to acquire: {}", said(&report.failures_to_acquire, "files")),
    ]);
    page.lines(report.reasons.iter().map(|(reason, count)| format!("{reason}: {}", grouped(*count as u64))));
    points(&mut page, report);
    for (column, parts) in report.groups.iter() {
        let rows = parts.iter().map(|(value, group)| part(value, group)).collect();
        let caption = format!("By {column}, at the distance {:.4}", report.at_threshold.threshold);
        page.table(&caption, &[column, "FMR", RATE[1], "count", "FNMR", RATE[1], "count"], rows);
        let rows = parts.iter().map(|(value, group)| missing(value, group)).collect();
        let head =
            [column, "failure to acquire, files", "share", RATE[1], "genuine pairs lost", "impostors lost"];
        page.table(&format!("By {column}, what could not be compared"), &head, rows);
    }
    curves(&mut page, report);
    if let Some(gallery) = gallery {
        let [genuine, impostor] = worst.map(|worst| shown(gallery, worst.into_vec()));
        page.pictures("Genuine pairs that are farthest apart", genuine);
        page.pictures("Impostors that are nearest", impostor);
    }
    save(folder, report, &page)
}

fn points(page: &mut Page, report: &FacesReport) {
    let row = |name: String, point: &OperatingPoint| {
        [vec![name, format!("{:.4}", point.threshold)], errors(point)].concat()
    };
    let mut rows = vec![row("at the threshold".to_owned(), &report.at_threshold)];
    rows.extend(report.at_fmr.iter().map(|at| row(format!("FMR {}", round_percent(at.wanted)), &at.point)));
    rows.extend(report.equal_error.iter().map(|point| row("equal error".to_owned(), point)));
    page.table(
        "Operating points (distances on the API's scale)",
        &["point", "distance", "FMR", RATE[1], "count", "FNMR", RATE[1], "count"],
        rows,
    );
    if let Some(accuracy) = report.accuracy {
        let accuracy = percent(accuracy, (report.genuine + report.impostor) as u64);
        page.lines([format!("accuracy, cross-validated over the folds: {accuracy}")]);
    }
}

fn errors(point: &OperatingPoint) -> Vec<String> {
    [cells(&point.fmr), cells(&point.fnmr)].concat()
}

fn part(value: &str, group: &Group) -> Vec<String> {
    [vec![value.to_owned()], errors(&group.point)].concat()
}

fn missing(value: &str, group: &Group) -> Vec<String> {
    let [share, interval, files] = cells(&group.failures_to_acquire);
    let [genuine, impostor] = [&group.lost.genuine, &group.lost.impostor].map(|lost| cells(lost)[2].clone());
    vec![value.to_owned(), files, share, interval, genuine, impostor]
}

fn curves(page: &mut Page, report: &FacesReport) {
    let point = &report.at_threshold;
    let (fmr, fnmr) = (point.fmr.share, point.fnmr.share);
    let x = ("false match rate (FMR)", Shares::Errors(point.fmr.of));
    let mark = |at, words: String| Mark { at, words: format!("threshold {:.4}: {words}", point.threshold) };
    let det = Plot {
        title: "DET",
        x,
        y: ("false non-match rate (FNMR)", Shares::Errors(point.fnmr.of)),
        curve: report.curve.clone(),
        mark: mark((fmr, fnmr), format!("FMR {}, FNMR {}", counted(&point.fmr), counted(&point.fnmr))),
    };
    page.plot(det.svg());
    let matches = percent(1.0 - fnmr, point.fnmr.of);
    let roc = Plot {
        title: "ROC",
        x,
        y: ("true match rate (1 - FNMR)", Shares::Rights),
        curve: report.curve.iter().map(|(fmr, fnmr)| (*fmr, 1.0 - fnmr)).collect(),
        mark: mark((fmr, 1.0 - fnmr), format!("FMR {}, matches {matches}", counted(&point.fmr))),
    };
    page.plot(roc.svg());
}

fn shown(gallery: &Gallery<'_>, worst: Vec<Comparison>) -> Vec<Captioned> {
    let shown = |comparison: Comparison| {
        let names = comparison.files.each_ref().map(|file| name(file, gallery.root));
        Captioned {
            pictures: comparison.files.iter().filter_map(|file| gallery.picture(file)).collect(),
            caption: format!("{:.3}: {} and {}", comparison.distance, names[0], names[1]),
        }
    };
    worst.into_iter().map(shown).collect()
}
