//! A recogniser: what one thread owns, and the order of its work on one clip.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use countersign_shared::domain::{Digits, Language, SpeechEvidence};
use tokio_util::sync::CancellationToken;
use whisper_rs::{FullParams, SamplingStrategy, WhisperState};

use super::engine::failed;
use super::reading::digits_in;
use super::scoring::{Score, Scorer};
use super::tokens::{Model, language_code};
use super::verdict::{Hearing, judge, silent};
use super::voice::VoiceDetector;
use super::window::windows;
use super::{Heard, SAMPLE_RATE, SpeechLimits};
use crate::engines::EngineError;

/// Digits in a code.
const CODE: usize = 6;

/// Bounds what a transcript that loops can cost.
const TRANSCRIPT_TOKENS_MAX: i32 = 24;

/// Encoder positions in a second of sound, and those of silence that must follow it, or the decoder loops.
const POSITIONS_PER_SECOND: usize = 50;
const POSITIONS_OF_SILENCE: usize = 256;
const POSITIONS_MIN: usize = 512;
const POSITIONS_MAX: usize = 1_500;
const POSITIONS_OF_WARM_UP: usize = 64;

/// Whisper's state and the voice detector of one thread, used for clip after clip. Nothing of a clip reaches the next.
pub(super) struct Recogniser {
    model: Arc<Model>,
    state: WhisperState,
    voice: VoiceDetector,
    /// Kept, because naming a language allocates memory that the library never frees.
    settings: HashMap<&'static str, FullParams<'static, 'static>>,
}

impl Recogniser {
    pub(super) fn new(model: Arc<Model>, vad_path: &Path) -> Result<Self, EngineError> {
        let state = model.state()?;
        Ok(Self { model, state, voice: VoiceDetector::load(vad_path)?, settings: HashMap::new() })
    }

    /// Runs every part once on as little as it takes, so that what can't run fails at the start.
    pub(super) fn warm_up(&mut self) -> Result<(), EngineError> {
        let silence = vec![0.0; SAMPLE_RATE];
        self.voice.listen(&silence)?;
        let language = "en-US".parse().map_err(failed)?;
        self.transcribe(&silence, language, POSITIONS_OF_WARM_UP, 1)?;
        Scorer::new(&self.model, &mut self.state, language)?.log_probabilities(&[0]).map(|_| ())
    }

    /// Weighs each of the codes against the clip. A window is encoded once for all of them, and left out when all have
    /// passed.
    pub(super) fn assess(
        &mut self,
        samples: &[f32],
        language: Language,
        codes: &[Digits],
        limits: &SpeechLimits,
        cancel: &CancellationToken,
    ) -> Result<Heard, EngineError> {
        let none = |seconds: f64, reason: &str| {
            let evidence = codes.iter().map(|code| silent(language, *code, seconds, reason)).collect();
            Heard { evidence, named: Vec::new(), likeliest: Vec::new() }
        };
        if samples.is_empty() {
            return Ok(none(0.0, "no_audio"));
        }
        let samples = finite(samples);
        let activity = self.voice.listen(&samples)?;
        let voice_seconds = activity.seconds();
        if voice_seconds < limits.voice_seconds_min {
            return Ok(none(voice_seconds, "no_voice"));
        }
        let mut heard = none(voice_seconds, "no_voice");
        for window in windows(&samples, &activity) {
            if cancel.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            if heard.evidence.iter().all(|evidence| evidence.passed) {
                break;
            }
            let Heard { evidence, named, likeliest } = &mut heard;
            self.hear(&window, language, |scorer, digits| {
                if named.is_empty() && likeliest.is_empty() {
                    *named = digits.to_vec();
                    *likeliest = scorer.likeliest(CODE)?.0;
                }
                for (best, code) in evidence.iter_mut().zip(codes).filter(|(best, _)| !best.passed) {
                    let hearing = weigh(scorer, digits, *code)?;
                    let evidence = judge(&hearing, language, *code, voice_seconds, limits);
                    if better(&evidence, best, limits) {
                        *best = evidence;
                    }
                }
                Ok(())
            })?;
        }
        let stretches = activity.stretches();
        if stretches.len() == CODE {
            for evidence in heard.evidence.iter_mut().filter(|evidence| evidence.passed) {
                evidence.digit_times.clone_from(&stretches);
            }
        }
        Ok(heard)
    }

    /// Encodes a window, and gives what scores codes in it and the digits that its free transcript names.
    fn hear<T>(
        &mut self,
        window: &[f32],
        language: Language,
        weigh: impl FnOnce(&mut Scorer<'_>, &[u8]) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let transcript = self.transcribe(window, language, positions(window.len()), TRANSCRIPT_TOKENS_MAX)?;
        let mut scorer = Scorer::new(&self.model, &mut self.state, language)?;
        weigh(&mut scorer, &digits_in(&transcript, language.primary()))
    }

    /// The free transcript, of so many tokens at most. Besides, this is the only way to encode a window at its own length.
    fn transcribe(
        &mut self,
        window: &[f32],
        language: Language,
        positions: usize,
        tokens: i32,
    ) -> Result<String, EngineError> {
        let code = language_code(language);
        let mut settings = self.settings.entry(code).or_insert_with(|| settings_for(code)).clone();
        settings.set_audio_ctx(positions as i32);
        settings.set_max_tokens(tokens);
        self.state.full(settings, window).map_err(failed)?;
        self.state.as_iter().map(|segment| Ok(segment.to_str_lossy().map_err(failed)?.into_owned())).collect()
    }
}

/// How well a code explains the window that the scorer has encoded.
fn weigh(scorer: &mut Scorer<'_>, named: &[u8], expected: Digits) -> Result<Hearing, EngineError> {
    let Score { expected, mass, likeliest, mut best } = scorer.score(expected)?;
    let named_scores = scorer.log_probabilities(named)?;
    if named.len() == expected.len() {
        best = best.max(named_scores.iter().sum());
    }
    let likeliest_scores = scorer.log_probabilities(&likeliest)?;
    Ok(Hearing {
        expected,
        mass,
        best,
        named: named.iter().copied().zip(named_scores).collect(),
        likeliest: likeliest.into_iter().zip(likeliest_scores).collect(),
    })
}

fn settings_for(code: &'static str) -> FullParams<'static, 'static> {
    let mut settings = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    settings.set_language(Some(code));
    // Without this the library reads what the previous caller said before it listens to this one.
    settings.set_no_context(true);
    settings.set_n_threads(1);
    settings.set_temperature(0.0);
    settings.set_temperature_inc(0.0);
    settings.set_single_segment(true);
    settings.set_no_timestamps(true);
    settings.set_suppress_blank(true);
    settings.set_print_special(false);
    settings.set_print_progress(false);
    settings.set_print_realtime(false);
    settings.set_print_timestamps(false);
    settings
}

/// Encoder positions for so many samples: as few as the model bears, for they are what a clip costs.
fn positions(samples: usize) -> usize {
    let wanted = samples * POSITIONS_PER_SECOND / SAMPLE_RATE + POSITIONS_OF_SILENCE;
    wanted.next_multiple_of(64).clamp(POSITIONS_MIN, POSITIONS_MAX)
}

/// Whether one window says more than another: passing first, then digits over other speech, then the score.
fn better(one: &SpeechEvidence, other: &SpeechEvidence, limits: &SpeechLimits) -> bool {
    let rank = |evidence: &SpeechEvidence| {
        let digits = evidence.digit_mass.is_some_and(|mass| mass >= limits.digit_mass_min);
        (evidence.passed, digits, evidence.score.unwrap_or(f64::NEG_INFINITY))
    };
    let (one, other) = (rank(one), rank(other));
    (one.0, one.1).cmp(&(other.0, other.1)).then(one.2.total_cmp(&other.2)).is_gt()
}

/// Samples that are no numbers become silence, and none is beyond full scale.
fn finite(samples: &[f32]) -> std::borrow::Cow<'_, [f32]> {
    if samples.iter().all(|sample| sample.abs() <= 1.0) {
        return samples.into();
    }
    samples.iter().map(|sample| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_clip_takes_few_positions_and_a_long_one_no_more_than_the_model_has() {
        assert_eq!(
            [1, 5, 6, 10, 30].map(|seconds| positions(seconds * SAMPLE_RATE)),
            [512, 512, 576, 768, 1500]
        );
    }

    #[test]
    fn samples_that_are_no_numbers_become_silence() {
        assert_eq!(*finite(&[0.5, f32::NAN, f32::INFINITY, -3.0]), [0.5, 0.0, 0.0, -1.0]);
    }
}
