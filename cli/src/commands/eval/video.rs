//! `countersign eval video`: presentation attacks in videos, and which check stops them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use countersign_shared::config::Config;
use countersign_shared::domain::{Check, CheckName, Digits, Language, ModelUsed};
use countersign_worker::pipeline::load::VerificationPipeline;
use countersign_worker::stages::speech::SpokenCode;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::gallery::root;
use super::models::acquired;
use super::report::video as page;
use super::spoof::label;
use super::stats::{Groups, Rate, distinct};
use super::work::{Look, Notebook, look_at};
use super::{Common, Evaluation};

/// What stands between a presentation attack in a video and a verdict, all of which must pass.
const CHECKS: [CheckName; 5] = [
    CheckName::NotSpoof,
    CheckName::MouthMovement,
    CheckName::LipAgreement,
    CheckName::NoRepetition,
    CheckName::FaceNoChange,
];

/// The table has one video a line: `file` and `label`, which is `live` or `attack/<species>`. Digits are no part of it.
#[derive(Args)]
pub(crate) struct VideoArguments {
    #[command(flatten)]
    common: Common,
}

/// The checks of each video, and what they were made with.
struct Looks {
    of: HashMap<PathBuf, Look<Vec<Check>>>,
    models: Vec<ModelUsed>,
    notebook: Notebook,
}

/// Bona fide videos, or the attacks of one species.
#[derive(Default, Serialize)]
pub(super) struct Shown {
    /// Videos that every check passes.
    pub(super) passed: usize,
    /// Videos in which something was judged.
    pub(super) of: usize,
    /// Videos that can't be used: `MEDIA_UNREADABLE`, `VIDEO_WITHOUT_AUDIO`, …
    pub(super) without_answer: BTreeMap<String, usize>,
    /// How many fail each check; a video can fail several.
    pub(super) failed: BTreeMap<String, usize>,
}

/// What `report.json` says.
#[derive(Serialize)]
pub(super) struct VideoReport {
    pub(super) evaluation: Evaluation,
    pub(super) profile: String,
    pub(super) models: Vec<ModelUsed>,
    /// Lines that say what an earlier one says.
    pub(super) repeated_lines: usize,
    pub(super) bpcer: Rate,
    pub(super) apcer: BTreeMap<String, Rate>,
    pub(super) bona_fide: Shown,
    pub(super) attacks: BTreeMap<String, Shown>,
    /// Column, then value: BPCER and the APCER of all species together.
    pub(super) groups: Groups<[Rate; 2]>,
    pub(super) files: Vec<Verdict>,
}

/// One video, and why.
#[derive(Serialize)]
pub(super) struct Verdict {
    pub(super) file: PathBuf,
    pub(super) label: String,
    pub(super) passed: bool,
    /// Score of each check; null when there was nothing to measure.
    pub(super) scores: BTreeMap<String, Option<f64>>,
    /// Reasons of the checks that failed.
    pub(super) reasons: Vec<String>,
}

pub(super) fn run(arguments: &VideoArguments, config: &Config) -> anyhow::Result<()> {
    let common = &arguments.common;
    let table = common.table()?;
    table.require(["file", "label"])?;
    let columns = ["file", "label"].into_iter().chain(common.by.iter().map(String::as_str));
    let (rows, repeated_lines) =
        distinct(table.rows(), |row| columns.clone().map(|column| row.get(column)).collect::<Vec<_>>());
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| Ok((row, label(&row)?, row.file("file")?)))
        .collect::<anyhow::Result<_>>()?;
    let files: BTreeSet<_> = rows.iter().map(|(_, _, file)| file.clone()).collect();
    let looks = judged(files, common, config)?;
    let (mut bona_fide, mut attacks) = (Shown::default(), BTreeMap::<String, Shown>::new());
    let mut groups = Groups::<[Shown; 2]>::by(&common.by);
    let mut verdicts = Vec::new();
    for (row, species, file) in &rows {
        let look = &looks.of[file];
        let shown = species.map_or(&mut bona_fide, |name| attacks.entry(name.to_owned()).or_default());
        shown.add(look);
        groups.add(|column| row.get(column), |part| part[usize::from(species.is_some())].add(look));
        verdicts.extend(look.found().map(|checks| Verdict::of(file, species.unwrap_or("live"), checks)));
    }
    let rates = |[bona_fide, attacks]: [Shown; 2]| [bona_fide.refused(), attacks.accepted()];
    let report = VideoReport {
        evaluation: Evaluation::Video,
        profile: config.models.profile.clone(),
        models: looks.models,
        repeated_lines,
        bpcer: bona_fide.refused(),
        apcer: attacks.iter().map(|(species, shown)| (species.clone(), shown.accepted())).collect(),
        bona_fide,
        attacks,
        groups: groups.map(rates),
        files: verdicts,
    };
    page::write(&common.out, &report, root(common))?;
    looks.notebook.forget()
}

fn judged(files: BTreeSet<PathBuf>, common: &Common, config: &Config) -> anyhow::Result<Looks> {
    let mut config = config.clone();
    (config.models.sessions, config.models.speech_sessions) = (common.threads(), common.threads());
    let pipeline = VerificationPipeline::load(&config).context("failed to load the models")?;
    let notebook = Notebook::new(
        &common.out,
        serde_json::to_string(&("video", pipeline.video.models(), &config.pipeline, &config.sampling))?,
    );
    // Which digits were said is not asked, only whether anybody speaks.
    let code = SpokenCode {
        language: "en-US".parse::<Language>().context("an accepted language")?,
        expected: Some("492817".parse::<Digits>().context("six digits")?),
    };
    let never = CancellationToken::new();
    let of = look_at(files, &notebook, common.threads(), |file| {
        let checks = pipeline.video.alone(file, code, &never).map(|mut checks| {
            checks.retain(|check| CHECKS.contains(&check.name));
            Look::Found(checks)
        });
        acquired(checks, || format!("failed to look at {}", file.display()))
    })?;
    Ok(Looks { of, models: pipeline.video.models().to_vec(), notebook })
}

impl Shown {
    fn add(&mut self, look: &Look<Vec<Check>>) {
        match look {
            Look::Nothing(code) => *self.without_answer.entry(code.clone()).or_default() += 1,
            Look::Found(checks) => {
                self.of += 1;
                self.passed += usize::from(checks.iter().all(|check| check.passed));
                for check in checks.iter().filter(|check| !check.passed) {
                    *self.failed.entry(name(check)).or_default() += 1;
                }
            }
        }
    }

    fn accepted(&self) -> Rate {
        Rate::new(self.passed, self.of)
    }

    fn refused(&self) -> Rate {
        Rate::new(self.of - self.passed, self.of)
    }
}

impl Verdict {
    fn of(file: &Path, label: &str, checks: &[Check]) -> Self {
        Self {
            file: file.to_owned(),
            label: label.to_owned(),
            passed: checks.iter().all(|check| check.passed),
            scores: checks.iter().map(|check| (name(check), check.score)).collect(),
            reasons: checks
                .iter()
                .filter(|check| !check.passed)
                .flat_map(|check| check.reasons.clone())
                .collect(),
        }
    }
}

/// As in reports.
fn name(check: &Check) -> String {
    serde_json::to_value(check.name)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .expect("a check's name is text, otherwise this is a bug")
}
