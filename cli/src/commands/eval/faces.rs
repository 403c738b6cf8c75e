//! `countersign eval faces`: comparisons of pictures, and how often they err.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use countersign_shared::config::Config;
use countersign_worker::pipeline::still::Meant;
use countersign_worker::stages::embed::Embedding;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::gallery::{Gallery, Worst, root};
use super::models::FaceModels;
use super::report::faces as page;
use super::stats::{Distances, Groups, Lost, Matching, OperatingPoint, Rate, distinct};
use super::table::{Row, Table};
use super::work::{Look, Notebook, look_at};
use super::{Common, Evaluation};

/// The false match rates that thresholds are given for, as far as the comparisons reach.
const FMR_TARGETS: [f64; 5] = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
/// Worst cases of either kind.
const WORST: usize = 12;
/// Points of the curve.
const CURVE: usize = 500;
/// Impostors whose distances a report keeps.
const NEAREST: usize = 10_000;
/// Every pair of so many pictures is two hundred million comparisons, 0.8 GB.
const MOST_FOR_ALL_PAIRS: usize = 20_000;

/// The table has either pairs (columns `same`, 1 or 0, and two paths: `file_a` and `file_b`, or `card` and `selfie`), or
/// one picture a line (columns `file` and `identity`), of which then every pair is compared. With a column `fold`, the
/// share of right answers is cross-validated, as the LFW protocol has it.
#[derive(Args)]
pub(crate) struct FacesArguments {
    #[command(flatten)]
    common: Common,
    /// The distance to report errors at; by default, the service's own `pipeline.distance_max`.
    #[arg(long)]
    threshold: Option<f64>,
    /// Compare the face nearest the middle and not the largest, as LFW's protocol means it.
    #[arg(long)]
    central: bool,
}

/// Two pictures that are compared.
pub(super) struct Comparison {
    pub(super) distance: f32,
    pub(super) files: [PathBuf; 2],
}

/// What `report.json` says.
#[derive(Serialize)]
pub(super) struct FacesReport {
    pub(super) evaluation: Evaluation,
    pub(super) profile: String,
    pub(super) models: Vec<countersign_shared::domain::ModelUsed>,
    pub(super) files: usize,
    /// Lines that say what an earlier one says.
    pub(super) repeated_lines: usize,
    /// Files in which there is no face, or that can't be decoded. They are in none of the rates.
    pub(super) failures_to_acquire: Rate,
    pub(super) reasons: BTreeMap<String, usize>,
    pub(super) genuine: usize,
    pub(super) impostor: usize,
    pub(super) lost: Lost,
    /// Of the distances of all comparisons, where both errors are the same.
    pub(super) equal_error: Option<OperatingPoint>,
    pub(super) at_threshold: OperatingPoint,
    /// For each wanted false match rate that there are enough impostors for.
    pub(super) at_fmr: Vec<Targeted>,
    /// Cross-validated over the folds, if the table has them.
    pub(super) accuracy: Option<f64>,
    /// FMR and FNMR along the thresholds.
    pub(super) curve: Vec<(f64, f64)>,
    /// Column, then value.
    pub(super) groups: Groups<Group>,
    /// What `eval calibrate` reads.
    pub(super) distances: Distances,
}

/// The operating point for a wanted rate.
#[derive(Serialize)]
pub(super) struct Targeted {
    pub(super) wanted: f64,
    #[serde(flatten)]
    pub(super) point: OperatingPoint,
}

/// What a part of the table gave.
#[derive(Serialize)]
pub(super) struct Group {
    #[serde(flatten)]
    pub(super) point: OperatingPoint,
    pub(super) failures_to_acquire: Rate,
    pub(super) lost: Lost,
}

/// What was compared.
struct Compared {
    all: Matching,
    folds: BTreeMap<String, Matching>,
    groups: Groups<Part>,
    /// Genuine pairs that are farthest apart, impostors that are nearest.
    worst: [Worst<Comparison>; 2],
}

/// A part of it.
#[derive(Default)]
struct Part {
    matching: Matching,
    files: BTreeSet<PathBuf>,
}

pub(super) fn run(arguments: &FacesArguments, config: &Config) -> anyhow::Result<()> {
    let common = &arguments.common;
    let table = common.table()?;
    let columns = columns(&table)?;
    let (rows, repeated_lines) = distinct(table.rows(), |row| columns.read(row, &common.by));
    let mut files = BTreeSet::new();
    for row in &rows {
        for column in columns.paths() {
            files.insert(row.file(column)?);
        }
        match columns {
            Columns::Pairs(_) => drop(same(row)?),
            Columns::Pictures => drop(row.need("identity")?),
        }
    }
    let models = FaceModels::load(config, common.threads())?;
    let notebook = Notebook::new(
        &common.out,
        serde_json::to_string(&("templates", arguments.central, models.faces.for_comparison()))?,
    );
    let meant = if arguments.central { Meant::Central } else { Meant::Largest };
    let never = CancellationToken::new();
    let looks = look_at(files, &notebook, common.threads(), |file| {
        models.look(file, |image| {
            let template = models.faces.still.template(image, meant, &never)?;
            Ok(template
                .map_or(Look::Nothing("NO_FACE".to_owned()), |found| Look::Found(found.values().to_vec())))
        })
    })?;
    let mut compared = Compared::new(&common.by);
    let templates = templates(&looks);
    let distance =
        |one: &Embedding, other: &Embedding| models.faces.still.embedder.distance(one, other) as f32;
    match columns {
        Columns::Pairs(paths) => compared.pairs(&rows, paths, &templates, distance)?,
        Columns::Pictures => compared.every_pair(&rows, &templates, distance)?,
    }
    let threshold = arguments.threshold.unwrap_or(config.pipeline.distance_max);
    let (report, worst) = compared.report(&models, &looks, threshold, repeated_lines);
    let gallery = Gallery { models: &models, meant, root: root(common) };
    page::write(&common.out, &report, worst, (!common.no_pictures).then_some(&gallery))?;
    notebook.forget()
}

/// Which kind of table it is.
#[derive(Clone, Copy)]
enum Columns {
    Pairs([&'static str; 2]),
    Pictures,
}

impl Columns {
    fn paths(&self) -> &[&'static str] {
        match self {
            Self::Pairs(paths) => paths,
            Self::Pictures => &["file"],
        }
    }

    /// All that is read of a line, whichever side of a pair comes first.
    fn read<'a>(&self, row: &Row<'a>, by: &[String]) -> Vec<Option<&'a str>> {
        let mut read: Vec<_> = self.paths().iter().map(|path| row.get(path)).collect();
        read.sort_unstable();
        let others = ["same", "identity", "fold"].into_iter().chain(by.iter().map(String::as_str));
        read.extend(others.map(|column| row.get(column)));
        read
    }
}

fn columns(table: &Table) -> anyhow::Result<Columns> {
    for paths in [["file_a", "file_b"], ["card", "selfie"]] {
        if paths.iter().all(|path| table.has(path)) {
            table.require(["same"])?;
            return Ok(Columns::Pairs(paths));
        }
    }
    table.require(["file", "identity"]).context("pairs have the columns `same`, `file_a` and `file_b`")?;
    Ok(Columns::Pictures)
}

fn same(row: &Row<'_>) -> anyhow::Result<bool> {
    match row.need("same")? {
        "1" => Ok(true),
        "0" => Ok(false),
        other => bail!("{}: `same` is `{other}`, and must be 1 or 0", row.place()),
    }
}

type Templates = HashMap<PathBuf, Embedding>;

fn templates(looks: &HashMap<PathBuf, Look<Vec<f32>>>) -> Templates {
    let found =
        looks.iter().filter_map(|(file, look)| Some((file.clone(), Embedding::normalised(look.found()?)?)));
    found.collect()
}

impl Compared {
    fn new(by: &[String]) -> Self {
        let worst = [Worst::new(WORST), Worst::new(WORST)];
        Self { all: Matching::default(), folds: BTreeMap::new(), groups: Groups::by(by), worst }
    }

    fn pairs(
        &mut self,
        rows: &[Row<'_>],
        paths: [&str; 2],
        templates: &Templates,
        distance: impl Fn(&Embedding, &Embedding) -> f32,
    ) -> anyhow::Result<()> {
        for row in rows {
            let (same, files) = (same(row)?, [row.file(paths[0])?, row.file(paths[1])?]);
            let sides = templates.get(&files[0]).zip(templates.get(&files[1]));
            let distance = sides.map(|(one, other)| distance(one, other));
            self.groups.add(|column| row.get(column), |part| part.files.extend(files.iter().cloned()));
            if let (Some(fold), Some(distance)) = (row.get("fold"), distance) {
                self.folds.entry(fold.to_owned()).or_default().add(same, distance);
            }
            self.add(same, distance, |column| row.get(column), || files);
        }
        Ok(())
    }

    fn every_pair(
        &mut self,
        rows: &[Row<'_>],
        templates: &Templates,
        distance: impl Fn(&Embedding, &Embedding) -> f32,
    ) -> anyhow::Result<()> {
        let mut pictures: Vec<(&Row<'_>, &str, PathBuf, Option<&Embedding>)> = Vec::new();
        for row in rows {
            let file = row.file("file")?;
            let template = templates.get(&file);
            self.groups.add(|column| row.get(column), |part| part.files.extend([file.clone()]));
            pictures.push((row, row.need("identity")?, file, template));
        }
        anyhow::ensure!(
            pictures.len() <= MOST_FOR_ALL_PAIRS,
            "{} pictures are too many for every pair; {MOST_FOR_ALL_PAIRS} are the most",
            pictures.len()
        );
        for (at, (row, person, file, template)) in pictures.iter().enumerate() {
            // A picture in several lines is not compared with itself.
            let others = pictures[at + 1..].iter().filter(|(.., other_file, _)| other_file != file);
            for (other_row, other_person, other_file, other) in others {
                // A pair belongs to a group when both pictures do.
                let group =
                    |column: &str| row.get(column).filter(|value| other_row.get(column) == Some(value));
                let distance = template.zip(*other).map(|(one, other)| distance(one, other));
                let files = || [file.clone(), other_file.clone()];
                self.add(person == other_person, distance, group, files);
            }
        }
        Ok(())
    }

    /// Without a distance, the comparison could not be made.
    fn add<'a>(
        &mut self,
        same: bool,
        distance: Option<f32>,
        group: impl Fn(&str) -> Option<&'a str>,
        files: impl FnOnce() -> [PathBuf; 2],
    ) {
        let count = |matching: &mut Matching| match distance {
            Some(distance) => matching.add(same, distance),
            None => matching.lose(same),
        };
        count(&mut self.all);
        self.groups.add(group, |part| count(&mut part.matching));
        if let Some(distance) = distance {
            let weight = if same { distance } else { -distance };
            self.worst[usize::from(!same)]
                .offer(f64::from(weight), || Comparison { distance, files: files() });
        }
    }

    fn report(
        mut self,
        models: &FaceModels,
        looks: &HashMap<PathBuf, Look<Vec<f32>>>,
        threshold: f64,
        repeated_lines: usize,
    ) -> (FacesReport, [Worst<Comparison>; 2]) {
        self.all.sort();
        self.folds.values_mut().for_each(Matching::sort);
        let mut reasons = BTreeMap::new();
        for look in looks.values() {
            if let Look::Nothing(reason) = look {
                *reasons.entry(reason.clone()).or_default() += 1;
            }
        }
        let accuracy = self.accuracy();
        let groups = self.groups.map(|part| part.rates(looks, threshold));
        let all = self.all;
        let targeted = |wanted| Some(Targeted { wanted, point: all.at_fmr(wanted)? });
        let report = FacesReport {
            evaluation: Evaluation::Faces,
            profile: models.profile.clone(),
            models: models.faces.for_comparison(),
            files: looks.len(),
            repeated_lines,
            failures_to_acquire: Rate::new(reasons.values().sum(), looks.len()),
            reasons,
            genuine: all.genuine().len(),
            impostor: all.impostors(),
            lost: all.lost(),
            equal_error: all.equal_error(),
            at_threshold: all.at(threshold),
            at_fmr: FMR_TARGETS.into_iter().filter_map(targeted).collect(),
            accuracy,
            curve: all.curve(CURVE),
            groups,
            distances: all.distances(NEAREST),
        };
        (report, self.worst)
    }

    /// The mean over the folds; each is asked at the threshold that is best for the others.
    fn accuracy(&self) -> Option<f64> {
        if self.folds.len() < 2 {
            return None;
        }
        let of_fold = |(name, fold): (&String, &Matching)| {
            let mut others = Matching::default();
            for (_, other) in self.folds.iter().filter(|(other, _)| *other != name) {
                others.extend(other);
            }
            others.sort();
            others.accuracy_on(fold)
        };
        Some(self.folds.iter().map(of_fold).sum::<f64>() / self.folds.len() as f64)
    }
}

impl Part {
    fn rates(mut self, looks: &HashMap<PathBuf, Look<Vec<f32>>>, threshold: f64) -> Group {
        self.matching.sort();
        let failed = self.files.iter().filter(|file| looks[*file].found().is_none()).count();
        Group {
            point: self.matching.at(threshold),
            failures_to_acquire: Rate::new(failed, self.files.len()),
            lost: self.matching.lost(),
        }
    }
}
