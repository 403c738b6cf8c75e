//! The page about comparisons of faces.

use std::path::Path;

use super::super::faces::{Compared, Comparison, FacesReport};
use super::super::gallery::thumbnail;
use super::super::models::FaceModels;
use super::super::stats::OperatingPoint;
use super::page::{Captioned, Page};
use super::plot::{Plot, Scale};
use super::{cells, save};

const HEAD: [&str; 7] = ["threshold", "FMR", "95 %", "", "FNMR", "95 %", ""];

/// `pictures` are shown if there are models to decode them with.
pub(in super::super) fn write(
    folder: &Path,
    report: &FacesReport,
    compared: Compared,
    pictures: Option<&FaceModels>,
) -> anyhow::Result<()> {
    let mut page = Page::new("Comparison of faces");
    let models: Vec<&str> = report.models.iter().map(|model| model.name.as_str()).collect();
    page.lines([
        format!("profile {}: {}", report.profile, models.join(", ")),
        format!(
            "{} genuine and {} impostor comparisons of {} files",
            report.genuine, report.impostor, report.files
        ),
        format!("failure to acquire: {}", cells(&report.failures_to_acquire).join(", ")),
    ]);
    page.lines(report.reasons.iter().map(|(reason, count)| format!("{reason}: {count}")));
    let mut rows = vec![row("the service's", &report.at_threshold)];
    rows.extend(report.at_fmr.iter().map(|at| row(&format!("FMR {:.0e}", at.wanted), &at.point)));
    rows.extend(report.equal_error.iter().map(|point| row("equal error", point)));
    page.table("Operating points (distances on the API's scale)", &[&["point"][..], &HEAD].concat(), rows);
    if let Some(accuracy) = report.accuracy {
        page.lines([format!("accuracy, cross-validated over the folds: {:.3} %", accuracy * 100.0)]);
    }
    for (column, values) in &report.groups {
        let rows = values.iter().map(|(value, point)| row(value, point)).collect();
        page.table(&format!("By {column}"), &[&[column.as_str()][..], &HEAD].concat(), rows);
    }
    let (fmr, log) = ("false match rate", Scale::Logarithmic(-6));
    let det = Plot { title: "DET", x: (fmr, log), y: ("false non-match rate", Scale::Logarithmic(-4)) };
    page.plot(det.svg(report.curve.iter().copied()));
    let roc = Plot { title: "ROC", x: (fmr, log), y: ("true match rate", Scale::Linear) };
    page.plot(roc.svg(report.curve.iter().map(|(fmr, fnmr)| (*fmr, 1.0 - fnmr))));
    if let Some(models) = pictures {
        let [genuine, impostor] = compared.worst.map(|worst| gallery(models, worst.into_vec()));
        page.pictures("Genuine pairs that are farthest apart", genuine);
        page.pictures("Impostors that are nearest", impostor);
    }
    save(folder, report, &page)
}

fn row(name: &str, point: &OperatingPoint) -> Vec<String> {
    let mut row = vec![name.to_owned(), format!("{:.4}", point.threshold)];
    row.extend(cells(&point.fmr));
    row.extend(cells(&point.fnmr));
    row
}

fn gallery(models: &FaceModels, worst: Vec<Comparison>) -> Vec<Captioned> {
    let shown = |comparison: Comparison| {
        let names = comparison.files.each_ref().map(|file| file.display().to_string());
        Captioned {
            pictures: comparison.files.iter().filter_map(|file| thumbnail(models, file)).collect(),
            caption: format!("{:.3}: {} and {}", comparison.distance, names[0], names[1]),
        }
    };
    worst.into_iter().map(shown).collect()
}
