//! `countersign eval spoof`: presentation attack detection in single pictures, and how often it errs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use countersign_shared::config::Config;
use countersign_shared::domain::{FaceQuality, LivenessEvidence, ModelUsed, Thresholds};
use countersign_worker::pipeline::quality;
use countersign_worker::pipeline::still::{Meant, Subject};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::gallery::{Gallery, Worst, root};
use super::models::FaceModels;
use super::report::spoof as page;
use super::stats::{AttackRates, Detection, Groups, distinct};
use super::table::Row;
use super::work::{Look, Notebook, look_at};
use super::{Common, Evaluation};

/// The attack rates that thresholds are given for.
const APCER_TARGETS: [f64; 3] = [0.10, 0.05, 0.01];
/// Worst cases of either kind.
const WORST: usize = 18;
/// Points of the curve.
const CURVE: usize = 500;

/// The table has one picture a line: `file` and `label`, which is `live` or `attack/<species>`.
#[derive(Args)]
pub(crate) struct SpoofArguments {
    #[command(flatten)]
    common: Common,
    /// The confidence to report errors at; by default, the service's own `pipeline.not_spoof_min`.
    #[arg(long)]
    threshold: Option<f64>,
}

/// What the models and the measures say of a picture's face.
#[derive(Clone, Serialize, Deserialize)]
struct Seen {
    liveness: LivenessEvidence,
    quality: FaceQuality,
}

impl Seen {
    /// Of a face that is good enough to be judged.
    fn confidence(&self, limits: &Thresholds) -> Option<f64> {
        quality::lacking(&self.quality, limits).is_empty().then_some(self.liveness.confidence)
    }
}

/// One picture that was judged.
pub(super) struct Judged {
    pub(super) label: String,
    pub(super) confidence: f64,
    pub(super) file: PathBuf,
}

/// What `report.json` says.
#[derive(Serialize)]
pub(super) struct SpoofReport {
    pub(super) evaluation: Evaluation,
    pub(super) profile: String,
    pub(super) models: Vec<ModelUsed>,
    pub(super) files: usize,
    /// Lines that say what an earlier one says.
    pub(super) repeated_lines: usize,
    /// Of all attacks together: threshold and rate.
    pub(super) equal_error: Option<(f64, f64)>,
    pub(super) at_threshold: AttackRates,
    /// The least threshold for each wanted APCER, of every species.
    pub(super) at_apcer: Vec<AttackRates>,
    /// The greatest APCER and the BPCER along the thresholds.
    pub(super) curve: Vec<(f64, f64)>,
    /// Column, then value.
    pub(super) groups: Groups<AttackRates>,
    /// The sorted confidences by label, which `eval calibrate` reads.
    pub(super) scores: BTreeMap<String, Vec<f64>>,
}

pub(super) fn run(arguments: &SpoofArguments, config: &Config) -> anyhow::Result<()> {
    let common = &arguments.common;
    let table = common.table()?;
    table.require(["file", "label"])?;
    let columns = ["file", "label"].into_iter().chain(common.by.iter().map(String::as_str));
    let (rows, repeated_lines) =
        distinct(table.rows(), |row| columns.clone().map(|column| row.get(column)).collect::<Vec<_>>());
    let shown: Vec<_> = rows.iter().copied().map(shown).collect::<anyhow::Result<_>>()?;
    let files: BTreeSet<_> = shown.iter().map(|(_, _, file)| file.clone()).collect();
    let models = FaceModels::load(config, common.threads())?;
    let notebook =
        Notebook::new(&common.out, serde_json::to_string(&("liveness", models.faces.for_liveness()))?);
    let (never, limits) = (CancellationToken::new(), config.pipeline.thresholds());
    let looks = look_at(files, &notebook, common.threads(), |file| {
        models.look(file, |image| {
            let still = models.faces.still.look(image, Subject::LoneSelfie, &never)?.evidence;
            let seen =
                still.liveness.zip(still.quality).map(|(liveness, quality)| Seen { liveness, quality });
            Ok(seen.map_or(Look::Nothing("NO_FACE".to_owned()), Look::Found))
        })
    })?;
    let (mut all, mut groups) = (Detection::default(), Groups::<Detection>::by(&common.by));
    let mut worst = [Worst::new(WORST), Worst::new(WORST)];
    for (row, label, file) in shown {
        let confidence = looks[&file].found().and_then(|seen: &Seen| seen.confidence(&limits));
        add(&mut all, label, confidence);
        groups.add(|column| row.get(column), |part| add(part, label, confidence));
        if let Some(confidence) = confidence {
            let (is_attack, weight) = if label.is_some() { (1, confidence) } else { (0, -confidence) };
            let label = label.unwrap_or("live").to_owned();
            worst[is_attack].offer(weight, || Judged { label, confidence, file });
        }
    }
    let threshold = arguments.threshold.unwrap_or(config.pipeline.not_spoof_min);
    let report = SpoofReport {
        evaluation: Evaluation::Spoof,
        profile: models.profile.clone(),
        models: models.faces.for_liveness(),
        files: looks.len(),
        repeated_lines,
        equal_error: all.equal_error(),
        at_threshold: all.at(threshold),
        at_apcer: APCER_TARGETS.iter().filter_map(|apcer| all.at_apcer(*apcer)).collect(),
        curve: all.curve(CURVE),
        groups: groups.map(|part| part.at(threshold)),
        scores: all.scores(),
    };
    write_scores(&common.out, &rows, &looks)?;
    let gallery = Gallery { models: &models, meant: Meant::Largest, root: root(common) };
    page::write(&common.out, &report, worst, (!common.no_pictures).then_some(&gallery))?;
    notebook.forget()
}

/// `scores.tsv`: what each model and each measure said of each picture, for statistics of one's own.
fn write_scores(folder: &Path, rows: &[Row<'_>], looks: &HashMap<PathBuf, Look<Seen>>) -> anyhow::Result<()> {
    let found = || looks.values().filter_map(Look::found);
    let names: Vec<&str> = found()
        .next()
        .map(|seen| seen.liveness.scores.iter().map(|(name, _)| name.as_str()).collect())
        .unwrap_or_default();
    let measures = ["eye_distance", "sharpness", "exposure", "yaw", "pitch", "mouth_visibility"];
    let columns = [&["file", "label", "confidence"][..], &measures, &names].concat();
    let mut text = format!("{}\n", columns.join("\t"));
    for row in rows {
        let Some(Seen { liveness, quality }) = looks[&row.file("file")?].found() else { continue };
        let FaceQuality { eye_distance, sharpness, exposure, yaw, pitch, mouth_visibility } = *quality;
        let mouth = mouth_visibility.unwrap_or(f64::NAN);
        let numbers = [liveness.confidence, eye_distance, sharpness, exposure, yaw, pitch, mouth];
        let mut fields = vec![row.need("file")?.to_owned(), row.need("label")?.to_owned()];
        fields
            .extend(numbers.iter().chain(liveness.scores.iter().map(|(_, score)| score)).map(f64::to_string));
        text.extend([fields.join("\t").as_str(), "\n"]);
    }
    let path = folder.join("scores.tsv");
    fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
}

fn shown(row: Row<'_>) -> anyhow::Result<(Row<'_>, Option<&str>, PathBuf)> {
    Ok((row, label(&row)?, row.file("file")?))
}

/// The attack's species; `None` for a bona fide presentation.
pub(super) fn label<'a>(row: &Row<'a>) -> anyhow::Result<Option<&'a str>> {
    match row.need("label")? {
        "live" => Ok(None),
        attack => match attack.strip_prefix("attack/") {
            Some(species) if !species.is_empty() => Ok(Some(species)),
            _ => bail!("{}: `label` is `{attack}`, and must be `live` or `attack/<species>`", row.place()),
        },
    }
}

fn add(detection: &mut Detection, species: Option<&str>, confidence: Option<f64>) {
    match species {
        None => detection.bona_fide.add(confidence),
        Some(species) => detection.attacks.entry(species.to_owned()).or_default().add(confidence),
    }
}
