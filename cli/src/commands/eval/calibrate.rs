//! `countersign eval calibrate`: thresholds for wanted error rates, from the reports of evaluations, as settings.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use countersign_shared::domain::ModelUsed;
use serde::Deserialize;

use super::report::cells;
use super::stats::{AttackRates, Detection, Distances, Matching, Presentations, Rate};
use crate::commands::{note, say};

/// The rule of three: no error in 3 / rate tries is the least that shows, with 95 % certainty, that a rate is met.
const FEWEST: f64 = 3.0;
/// The rule of 30 (ISO/IEC 19795-1): with fewer errors than this, a rate is uncertain by more than a third.
const FIRM: u64 = 30;

/// Distances are written with so many decimals, confidences with more: they crowd near 1.
const DISTANCE_DECIMALS: i32 = 6;
const CONFIDENCE_DECIMALS: i32 = 9;

#[derive(Args)]
pub(crate) struct CalibrateArguments {
    /// `report.json` of `eval faces` or `eval spoof`. Of several of one kind, the threshold holds in each.
    #[arg(required = true)]
    reports: Vec<PathBuf>,
    /// The wanted false match rate.
    #[arg(long, default_value_t = 1e-4)]
    fmr: f64,
    /// The wanted attack presentation classification error rate, of every species.
    #[arg(long, default_value_t = 0.05)]
    apcer: f64,
    /// Not the rate itself but the upper end of its 95 % interval must be what is wanted.
    #[arg(long)]
    upper: bool,
    /// Where the settings go, for `--config`.
    #[arg(long)]
    out: PathBuf,
}

/// What is read of a report.
#[derive(Deserialize)]
#[serde(tag = "evaluation", rename_all = "snake_case")]
enum Evaluated {
    Faces { profile: String, models: Vec<ModelUsed>, distances: Distances },
    Spoof { profile: String, models: Vec<ModelUsed>, scores: BTreeMap<String, Vec<f64>> },
}

/// The reports by kind, with their paths.
#[derive(Default)]
struct Evidence {
    faces: Vec<(PathBuf, Matching)>,
    spoof: Vec<(PathBuf, Detection)>,
}

/// A setting, and what it was measured to do in each report.
struct Proposal {
    setting: &'static str,
    value: f64,
    measured: Vec<String>,
}

pub(super) fn run(arguments: &CalibrateArguments) -> anyhow::Result<()> {
    for (name, wanted) in [("--fmr", arguments.fmr), ("--apcer", arguments.apcer)] {
        ensure!(wanted > 0.0 && wanted < 1.0, "{name} must lie between 0 and 1");
    }
    let mut reports = Vec::new();
    for path in &arguments.reports {
        reports.push((path.clone(), read(path)?));
    }
    let profile = one_profile(&reports)?;
    let mut evidence = Evidence::default();
    for (path, report) in reports {
        match report {
            Evaluated::Faces { distances, .. } => evidence.faces.push((path, distances.into())),
            Evaluated::Spoof { scores, .. } => evidence.spoof.push((path, detection(scores)?)),
        }
    }
    let proposals = [
        evidence.distance_max(arguments.fmr, arguments.upper)?,
        evidence.not_spoof_min(arguments.apcer, arguments.upper)?,
    ];
    let settings = settings(&profile, proposals.iter().flatten());
    fs::write(&arguments.out, &settings)
        .with_context(|| format!("failed to write {}", arguments.out.display()))?;
    say(settings.trim_end());
    note(&format!("written: {}", arguments.out.display()));
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Evaluated> {
    let text = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| {
        format!("{} is not a report of this build's `eval faces` or `eval spoof`", path.display())
    })
}

/// Thresholds are of no use to other models than those that were measured.
fn one_profile(reports: &[(PathBuf, Evaluated)]) -> anyhow::Result<String> {
    let mut known = BTreeMap::new();
    let (first, profile) = (&reports[0].0, reports[0].1.made_with().0);
    for (path, report) in reports {
        let (other, models) = report.made_with();
        let mut same = other == profile;
        for used in models {
            same &= *known.entry(&used.name).or_insert(&used.sha256) == &used.sha256;
        }
        ensure!(same, "{} and {} were made with different models", first.display(), path.display());
    }
    Ok(profile.to_owned())
}

impl Evaluated {
    fn made_with(&self) -> (&str, &[ModelUsed]) {
        match self {
            Self::Faces { profile, models, .. } | Self::Spoof { profile, models, .. } => (profile, models),
        }
    }
}

fn detection(scores: BTreeMap<String, Vec<f64>>) -> anyhow::Result<Detection> {
    let mut detection = Detection::default();
    for (label, scores) in scores {
        match label.strip_prefix("attack/") {
            Some(species) => drop(detection.attacks.insert(species.to_owned(), Presentations::from(scores))),
            None if label == "live" => detection.bona_fide = Presentations::from(scores),
            None => bail!("`{label}` is neither `live` nor `attack/<species>`"),
        }
    }
    Ok(detection)
}

impl Evidence {
    /// The greatest distance that holds in every report; `None` without a report on faces.
    fn distance_max(&self, wanted: f64, upper: bool) -> anyhow::Result<Option<Proposal>> {
        let mut value = f64::INFINITY;
        for (path, matching) in &self.faces {
            let impostors = matching.impostors();
            enough(path, "impostor comparisons", impostors, "FMR", wanted)?;
            let allowed = Rate::most_errors(impostors, |rate| met(rate, wanted, upper));
            let point = allowed.and_then(|allowed| matching.at_errors(allowed));
            let point = point.with_context(|| unreachable(path, "FMR", wanted))?;
            value = value.min(rounded(point.threshold, DISTANCE_DECIMALS, f64::floor));
        }
        let measured = |(path, matching): &(PathBuf, Matching)| {
            let point = matching.at(value);
            format!("{}: FMR {}, FNMR {}", quoted(path), said(&point.fmr), said(&point.fnmr))
        };
        let measured = self.faces.iter().map(measured).collect();
        Ok(value.is_finite().then_some(Proposal { setting: "distance_max", value, measured }))
    }

    /// The least confidence that holds in every report and for every species; `None` without a report on attacks.
    fn not_spoof_min(&self, wanted: f64, upper: bool) -> anyhow::Result<Option<Proposal>> {
        let mut value = f64::NEG_INFINITY;
        for (path, detection) in &self.spoof {
            ensure!(!detection.attacks.is_empty(), "{} has no attacks", path.display());
            for (species, rate) in detection.at(0.0).apcer {
                enough(
                    path,
                    &format!("attacks of the species {species}"),
                    rate.of as usize,
                    "APCER",
                    wanted,
                )?;
            }
            let holds = |rates: &AttackRates| rates.apcer.values().all(|rate| met(rate, wanted, upper));
            let rates = detection.first_at_which(holds).filter(|rates| rates.threshold <= 1.0);
            let rates = rates.with_context(|| unreachable(path, "APCER", wanted))?;
            value = value.max(rounded(rates.threshold, CONFIDENCE_DECIMALS, f64::ceil));
        }
        let measured = |(path, detection): &(PathBuf, Detection)| {
            let rates = detection.at(value);
            let apcer = rates.apcer.iter().map(|(species, rate)| format!("APCER {species} {}", said(rate)));
            let rates: Vec<_> = apcer.chain([format!("BPCER {}", said(&rates.bpcer))]).collect();
            format!("{}: {}", quoted(path), rates.join(", "))
        };
        let measured = self.spoof.iter().map(measured).collect();
        Ok(value.is_finite().then_some(Proposal { setting: "not_spoof_min", value, measured }))
    }
}

fn met(rate: &Rate, wanted: f64, upper: bool) -> bool {
    (if upper { rate.high } else { rate.share }) <= wanted
}

fn enough(path: &Path, what: &str, count: usize, name: &str, wanted: f64) -> anyhow::Result<()> {
    let fewest = (FEWEST / wanted - 1e-9).ceil();
    ensure!(
        count as f64 >= fewest,
        "{}: {count} {what} can't show an {name} of {wanted}; it takes at least {fewest}",
        path.display()
    );
    Ok(())
}

fn unreachable(path: &Path, name: &str, wanted: f64) -> String {
    format!("{}: no threshold that is known of gives an {name} of {wanted}", path.display())
}

/// On one line, whatever is in the name.
fn quoted(path: &Path) -> serde_json::Value {
    path.display().to_string().into()
}

/// Towards the strict side.
fn rounded(threshold: f64, decimals: i32, round: fn(f64) -> f64) -> f64 {
    let scale = 10_f64.powi(decimals);
    round(threshold * scale) / scale
}

fn said(rate: &Rate) -> String {
    let [share, interval, count] = cells(rate);
    let unsure = if rate.errors < FIRM { ", fewer than 30 errors" } else { "" };
    format!("{share} ({interval}, {count}{unsure})")
}

fn settings<'a>(profile: &str, proposals: impl Iterator<Item = &'a Proposal>) -> String {
    // A JSON string is a TOML string.
    let profile = serde_json::Value::from(profile);
    let mut text = format!(
        "# Proposed by `countersign eval calibrate`. These thresholds are of this profile's models alone. Rates with their\n\
         # 95 % intervals.\n\n[models]\nprofile = {profile}\n\n[pipeline]\n"
    );
    for proposal in proposals {
        text.extend(proposal.measured.iter().flat_map(|line| ["# ", line, "\n"]));
        let value = format!("{:?}", proposal.value);
        text.extend([proposal.setting, " = ", &value, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use countersign_shared::config::Config;
    use serde_json::{Value, json};

    use super::*;

    /// 40,000 impostors, of which the fifth is at 0.9.
    fn faces() -> Value {
        json!({
            "evaluation": "faces", "profile": "default", "models": [{"name": "embedder", "sha256": "ab"}],
            "distances": {
                "genuine": [0.4, 0.5, 0.95], "nearest_impostors": [0.7, 0.75, 0.8, 0.85, 0.9], "impostors": 40_000
            }
        })
    }

    /// 100 attacks of each species from 0 to 0.99, and higher by `prints`, up to 1, if they are prints.
    fn spoof(prints: f64) -> Value {
        let scores =
            |more: f64| (0..100).map(|at| (f64::from(at) / 100.0 + more).min(1.0)).collect::<Vec<_>>();
        json!({
            "evaluation": "spoof", "profile": "default", "models": [{"name": "judge", "sha256": "cd"}],
            "scores": {"live": [0.5, 0.999], "attack/print": scores(prints), "attack/replay": scores(0.0)}
        })
    }

    fn calibrated(reports: &[Value], more: impl FnOnce(&mut CalibrateArguments)) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut paths = Vec::new();
        for (index, report) in reports.iter().enumerate() {
            paths.push(folder.path().join(format!("{index}.json")));
            fs::write(&paths[index], report.to_string()).expect("written");
        }
        let out = folder.path().join("settings.toml");
        let mut arguments =
            CalibrateArguments { reports: paths, fmr: 1e-4, apcer: 0.05, upper: false, out: out.clone() };
        more(&mut arguments);
        run(&arguments)?;
        Ok(Config::load(Some(&out), []).expect("settings that --config takes"))
    }

    fn refused(reports: &[Value], more: impl FnOnce(&mut CalibrateArguments)) -> String {
        calibrated(reports, more).expect_err("refused").to_string()
    }

    #[test]
    fn thresholds_let_no_more_through_than_is_wanted() {
        let config = calibrated(&[faces(), spoof(0.0)], |_| {}).expect("settings");
        assert!((config.pipeline.distance_max - 0.899_999).abs() < 1e-9, "{}", config.pipeline.distance_max);
        assert!((config.pipeline.not_spoof_min - 0.95).abs() < 1e-6, "{}", config.pipeline.not_spoof_min);
    }

    #[test]
    fn of_several_reports_and_species_the_strictest_decides() {
        let config = calibrated(&[spoof(0.0), spoof(0.02), spoof(0.0)], |_| {}).expect("settings");
        assert!((config.pipeline.not_spoof_min - 0.97).abs() < 2e-6, "{}", config.pipeline.not_spoof_min);
        assert!((config.pipeline.distance_max - 0.9).abs() < 1e-9, "no report says anything of faces");
    }

    #[test]
    fn the_upper_end_of_the_interval_asks_for_more() {
        let upper = |arguments: &mut CalibrateArguments| arguments.upper = true;
        let config = calibrated(&[faces(), spoof(0.0)], upper).expect("settings");
        assert!(config.pipeline.distance_max < 0.7, "the interval of 1 in 40,000 reaches beyond 1e-4");
        assert!(config.pipeline.not_spoof_min > 0.98);
    }

    #[test]
    fn too_few_comparisons_are_refused() {
        let error = refused(&[faces()], |arguments| arguments.fmr = 1e-5);
        assert!(error.contains("40000 impostor comparisons") && error.contains("at least 300000"), "{error}");
        let error = refused(&[spoof(0.0)], |arguments| arguments.apcer = 0.01);
        assert!(error.contains("100 attacks of the species print"), "{error}");
        let error = refused(&[faces()], |arguments| arguments.fmr = 1e-3);
        assert!(
            error.contains("no threshold that is known of"),
            "only the nearest are in the report: {error}"
        );
    }

    #[test]
    fn reports_of_different_models_are_not_mixed() {
        let mut other = spoof(0.0);
        other["models"][0] = json!({"name": "embedder", "sha256": "ef"});
        assert!(refused(&[faces(), other], |_| {}).contains("different models"));
    }

    #[test]
    fn what_is_no_report_is_named() {
        let error = refused(&[json!({"profile": "default"})], |_| {});
        assert!(error.contains("0.json is not a report"), "{error}");
    }
}
