//! `countersign eval speech`: spoken codes, and how often the right one is refused or a wrong one accepted.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use countersign_shared::config::Config;
use countersign_shared::domain::{Digits, Language, ModelUsed, SpeechEvidence};
use countersign_worker::engines::speech::SpeechLimits;
use serde::{Deserialize, Serialize};

use super::claims::Claims;
use super::gallery::{Worst, root};
use super::models::SpeechModels;
use super::report::speech as page;
use super::stats::{CodeRates, Codes, Groups, Rate, ScorePoint, Trial, distinct};
use super::table::Row;
use super::work::{Look, Notebook, look_at};
use super::{Common, Evaluation};

const COLUMNS: [&str; 4] = ["file", "digits", "language", "spoken"];
/// The least scores that errors are given for, beside the service's own.
const SCORES: [f64; 7] = [-2.0, -4.0, -6.0, -8.0, -10.0, -12.0, -15.0];
/// Points of the curve.
const CURVE: usize = 500;
/// Worst cases of either kind.
const WORST: usize = 15;
/// Wrong codes that differ in one digit: one for each place.
const PLACES: usize = 6;

/// The table has one clip a line, audio or video: `file`, `digits` (the six that are claimed), `language` and `spoken`: the
/// digits that were really said, or `none`, or `none/<kind>` such as `none/music`. Besides the claimed code, a clip in
/// which a code was said is tried with six that differ in one digit and with `--others` at random.
#[derive(Args)]
pub(crate) struct SpeechArguments {
    #[command(flatten)]
    common: Common,
    /// Random wrong codes that each clip is tried with.
    #[arg(long, default_value_t = 10)]
    others: usize,
}

/// One line of the table.
struct Clip<'a> {
    row: Row<'a>,
    line: usize,
    file: PathBuf,
    language: Language,
    spoken: Spoken<'a>,
    /// The codes to try, each with its species, the claimed one first.
    trials: Vec<(Digits, Species<'a>)>,
}

#[derive(Clone, Copy)]
enum Spoken<'a> {
    Code(Digits),
    /// No code, and what else.
    Nothing(&'a str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Species<'a> {
    Genuine,
    OneDigit,
    Other,
    /// Nobody said a code.
    Nothing(&'a str),
}

/// What was found of one clip. It is noted by line and not by file: a file may stand in several lines.
#[derive(Serialize, Deserialize)]
struct Found {
    evidence: Vec<SpeechEvidence>,
    named: Vec<u8>,
    likeliest: Vec<u8>,
}

/// A clip that was judged wrongly, or most nearly so.
pub(super) struct Judged {
    pub(super) file: PathBuf,
    pub(super) language: Language,
    pub(super) spoken: String,
    pub(super) claimed: Digits,
    pub(super) evidence: SpeechEvidence,
    pub(super) transcript: String,
}

/// What `report.json` says.
#[derive(Serialize)]
pub(super) struct SpeechReport {
    pub(super) evaluation: Evaluation,
    pub(super) profile: String,
    pub(super) models: Vec<ModelUsed>,
    pub(super) files: usize,
    /// Lines that say what an earlier one says.
    pub(super) repeated_lines: usize,
    pub(super) limits: BTreeMap<&'static str, f64>,
    /// The service's own least score.
    #[serde(skip)]
    pub(super) score_min: f64,
    /// Clips that can't be decoded or hold no sound. They are in none of the rates.
    pub(super) failures_to_acquire: Rate,
    /// Why right codes were refused, and why clips could not be acquired.
    pub(super) reasons: BTreeMap<String, usize>,
    pub(super) rates: CodeRates,
    pub(super) at_score: Vec<ScorePoint>,
    /// Wrong codes accepted, of the species that passes most, and right codes refused, along the least scores.
    pub(super) curve: Vec<(f64, f64)>,
    /// Column, then value.
    pub(super) groups: Groups<CodeRates>,
}

pub(super) fn run(arguments: &SpeechArguments, config: &Config) -> anyhow::Result<()> {
    let common = &arguments.common;
    let table = common.table()?;
    table.require(COLUMNS)?;
    let columns = COLUMNS.into_iter().chain(common.by.iter().map(String::as_str));
    let lines = table.rows().enumerate();
    let (lines, repeated_lines) =
        distinct(lines, |(_, row)| columns.clone().map(|column| row.get(column)).collect::<Vec<_>>());
    let clips: Vec<_> = lines
        .into_iter()
        .map(|(line, row)| clip(row, line, arguments.others))
        .collect::<anyhow::Result<_>>()?;
    let limits = SpeechLimits::from(&config.pipeline);
    let models = SpeechModels::load(config, limits, common.threads())?;
    let made_with = ("speech", models.used(), arguments.others, limits_of(&limits), digest(&clips));
    let notebook = Notebook::new(&common.out, serde_json::to_string(&made_with)?);
    let by_line: HashMap<PathBuf, &Clip<'_>> = clips.iter().map(|clip| (key(clip), clip)).collect();
    let looks = look_at(by_line.keys().cloned(), &notebook, common.threads(), |key| {
        let clip = by_line.get(key).context("a clip without a line, which is a bug")?;
        let codes = clip.trials.iter().map(|(code, _)| *code).collect();
        Ok(match models.listen(&clip.file, clip.language, codes)? {
            Look::Found(heard) => {
                let (named, likeliest) = (heard.named, heard.likeliest);
                Look::Found(Found { evidence: heard.evidence, named, likeliest })
            }
            Look::Nothing(reason) => Look::Nothing(reason),
        })
    })?;
    let mut tally = Tally::new(limits, &common.by);
    for clip in &clips {
        tally.add(clip, &looks[&key(clip)]);
    }
    let mut scores = SCORES.to_vec();
    if !scores.contains(&limits.score_min) {
        scores.push(limits.score_min);
        scores.sort_unstable_by(|one, other| other.total_cmp(one));
    }
    let report = SpeechReport {
        evaluation: Evaluation::Speech,
        profile: models.profile.clone(),
        models: models.used(),
        files: clips.len(),
        repeated_lines,
        limits: limits_of(&limits),
        score_min: limits.score_min,
        failures_to_acquire: Rate::new(tally.not_acquired, clips.len()),
        reasons: tally.reasons,
        rates: tally.all.rates(),
        at_score: scores.into_iter().map(|score| tally.all.at_score(score)).collect(),
        curve: tally.all.curve(CURVE),
        groups: tally.groups.map(|part| part.rates()),
    };
    page::write(&common.out, &report, tally.worst, root(common))?;
    notebook.forget()
}

fn clip(row: Row<'_>, line: usize, others: usize) -> anyhow::Result<Clip<'_>> {
    let digits = |column: &str| -> anyhow::Result<Digits> {
        let text = row.need(column)?;
        text.parse().with_context(|| format!("{}: `{column}` is `{text}`, not six digits", row.place()))
    };
    let claimed = digits("digits")?;
    let spoken = match row.need("spoken")? {
        "none" => Spoken::Nothing("no code"),
        text => match text.strip_prefix("none/") {
            Some("") => bail!("{}: `spoken` is `{text}`, and names no kind", row.place()),
            Some(kind) => Spoken::Nothing(kind),
            None => Spoken::Code(digits("spoken")?),
        },
    };
    let language = row.need("language")?;
    let language = language.parse().with_context(|| format!("{}: `{language}`", row.place()))?;
    let trials = trials(claimed, spoken, Claims::new(line), others);
    Ok(Clip { row, line, file: row.file("file")?, language, spoken, trials })
}

fn trials(
    claimed: Digits,
    spoken: Spoken<'_>,
    mut claims: Claims,
    others: usize,
) -> Vec<(Digits, Species<'_>)> {
    match spoken {
        Spoken::Code(said) => {
            let differing =
                said.values().iter().zip(claimed.values()).filter(|(one, other)| **one != *other).count();
            let species = match differing {
                0 => Species::Genuine,
                1 => Species::OneDigit,
                _ => Species::Other,
            };
            let mut trials = vec![(claimed, species)];
            trials.extend((0..PLACES).map(|place| (claims.one_digit_off(said, place), Species::OneDigit)));
            trials.extend((0..others).map(|_| (claims.other(Some(said)), Species::Other)));
            trials
        }
        Spoken::Nothing(kind) => {
            let mut trials = vec![(claimed, Species::Nothing(kind))];
            trials.extend((0..others).map(|_| (claims.other(Some(claimed)), Species::Nothing(kind))));
            trials
        }
    }
}

/// A clip's name in the notes.
fn key(clip: &Clip<'_>) -> PathBuf {
    PathBuf::from(format!("{}#{}", clip.file.display(), clip.line + 2))
}

/// What the lines claim: notes of other claims don't count.
fn digest(clips: &[Clip<'_>]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for clip in clips {
        for byte in clip.language.tag().bytes().chain(clip.trials.iter().flat_map(|(code, _)| code.values()))
        {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    hash
}

fn limits_of(limits: &SpeechLimits) -> BTreeMap<&'static str, f64> {
    BTreeMap::from([
        ("speech_score_min", limits.score_min),
        ("speech_margin_min", limits.margin_min),
        ("voice_seconds_min", limits.voice_seconds_min),
        ("digit_mass_min", limits.digit_mass_min),
    ])
}

/// What is counted, clip after clip.
struct Tally {
    limits: SpeechLimits,
    all: Codes,
    groups: Groups<Codes>,
    not_acquired: usize,
    reasons: BTreeMap<String, usize>,
    /// Right codes with the least score, wrong ones with the greatest.
    worst: [Worst<Judged>; 2],
}

impl Tally {
    fn new(limits: SpeechLimits, by: &[String]) -> Self {
        Self {
            limits,
            all: Codes::default(),
            groups: Groups::by(by),
            not_acquired: 0,
            reasons: BTreeMap::new(),
            worst: [Worst::new(WORST), Worst::new(WORST)],
        }
    }

    fn add(&mut self, clip: &Clip<'_>, look: &Look<Found>) {
        let found = match look {
            Look::Found(found) => found,
            Look::Nothing(reason) => {
                self.not_acquired += 1;
                *self.reasons.entry(reason.clone()).or_default() += 1;
                return;
            }
        };
        count(&mut self.all, clip, found, &self.limits);
        self.groups.add(|column| clip.row.get(column), |part| count(part, clip, found, &self.limits));
        for ((code, species), evidence) in clip.trials.iter().zip(&found.evidence) {
            let is_genuine = *species == Species::Genuine;
            if is_genuine && !evidence.passed {
                for reason in &evidence.reasons {
                    *self.reasons.entry(format!("refused, {reason}")).or_default() += 1;
                }
            }
            // The verdict comes first: of the clips that were judged rightly, those that were nearly not.
            let erred = if is_genuine == evidence.passed { 0.0 } else { 1_000.0 };
            let score = evidence.score.unwrap_or(-100.0);
            let weight = if is_genuine { erred - score } else { erred + score };
            self.worst[usize::from(!is_genuine)].offer(weight, || Judged {
                file: clip.file.clone(),
                language: clip.language,
                spoken: match clip.spoken {
                    Spoken::Code(said) => said.to_string(),
                    Spoken::Nothing(kind) => kind.to_owned(),
                },
                claimed: *code,
                evidence: evidence.clone(),
                transcript: found.named.iter().map(ToString::to_string).collect(),
            });
        }
    }
}

fn count(codes: &mut Codes, clip: &Clip<'_>, found: &Found, limits: &SpeechLimits) {
    for ((_, species), evidence) in clip.trials.iter().zip(&found.evidence) {
        let others_allow = evidence.digit_mass.is_some_and(|mass| mass >= limits.digit_mass_min)
            && evidence.margin.is_some_and(|margin| margin >= limits.margin_min);
        let trial = Trial { passed: evidence.passed, score: evidence.score.filter(|_| others_allow) };
        match species {
            Species::Genuine => codes.add_genuine(trial),
            Species::OneDigit => codes.add_wrong("one digit differs", trial),
            Species::Other => codes.add_wrong("other digits", trial),
            Species::Nothing(kind) => codes.add_wrong(kind, trial),
        }
    }
    if let Spoken::Code(said) = clip.spoken {
        codes.add_readings(&said.values(), &found.named, &found.likeliest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Digits {
        text.parse().expect("six digits")
    }

    fn species(claimed: &str, spoken: Spoken<'static>) -> Vec<Species<'static>> {
        trials(code(claimed), spoken, Claims::new(0), 2).into_iter().map(|(_, species)| species).collect()
    }

    #[test]
    fn the_claim_is_what_the_clip_makes_it() {
        let said = Spoken::Code(code("123456"));
        assert!(species("123456", said)[0] == Species::Genuine);
        assert!(species("123457", said)[0] == Species::OneDigit);
        assert!(species("654321", said)[0] == Species::Other);
        assert!(species("123456", Spoken::Nothing("music"))[0] == Species::Nothing("music"));
    }

    #[test]
    fn a_code_is_tried_at_each_of_its_places() {
        let tried = species("123456", Spoken::Code(code("123456")));
        let of = |wanted: Species<'_>| tried.iter().filter(|species| **species == wanted).count();
        assert_eq!((of(Species::Genuine), of(Species::OneDigit), of(Species::Other)), (1, 6, 2));
    }
}
