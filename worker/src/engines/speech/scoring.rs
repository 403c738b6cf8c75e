//! Scoring: how well six digits explain what the model heard, digit by digit, under forced decoding.

use countersign_shared::domain::{Digits, Language};
use whisper_rs::{WhisperState, WhisperTokenId};

use super::engine::failed;
use super::tokens::Model;
use crate::engines::EngineError;

/// What the decoder makes of one position, given the digits before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Natural log-probability of each digit among the ten.
    pub(super) digits: [f64; 10],
    /// Probability that any digit follows at all, 0..=1.
    pub(super) mass: f64,
}

/// The weighing of one window.
#[derive(Debug, Clone)]
pub(super) struct Score {
    /// Natural log-probability of each expected digit, given those before it.
    pub(super) expected: [f64; 6],
    /// Probability mass on digits at the first position, 0..=1.
    pub(super) mass: f64,
    /// The six digits that explain the sound best, whatever was expected.
    pub(super) likeliest: Vec<u8>,
    /// Sum of their log-probabilities.
    pub(super) best: f64,
}

/// Where the search for the likeliest digits stops to look back. In quiet it takes six positions, in noise some twenty.
const SEARCH_POSITIONS: usize = 40;

/// Forced decoding over the window that a state has encoded. It remembers which tokens the decoder has read, so that
/// readings with a common beginning share its cost.
pub(super) struct Scorer<'a> {
    model: &'a Model,
    state: &'a mut WhisperState,
    /// The preamble's last token; it is read alone, because only a single token's logits can be had.
    opening: WhisperTokenId,
    /// How many tokens of the preamble lie before it.
    preamble: usize,
    /// The digits whose step was computed last; `None` before the first.
    read: Option<Vec<u8>>,
    steps: Vec<(Vec<u8>, Step)>,
}

impl<'a> Scorer<'a> {
    /// `state` must have encoded the window, by a full run over it.
    pub(super) fn new(
        model: &'a Model,
        state: &'a mut WhisperState,
        language: Language,
    ) -> Result<Self, EngineError> {
        let preamble = model.preamble(language)?;
        let (opening, before) = preamble.split_last().ok_or_else(|| failed("the preamble is empty"))?;
        state.decode(before, 0, 1).map_err(failed)?;
        Ok(Self { model, state, opening: *opening, preamble: before.len(), read: None, steps: Vec::new() })
    }

    pub(super) fn score(&mut self, expected: Digits) -> Result<Score, EngineError> {
        let expected = expected.values();
        let (likeliest, found) = self.likeliest(expected.len())?;
        let forced = self.log_probabilities(&expected)?;
        let mass = self.step(&[])?.mass;
        let best = found.max(forced.iter().sum());
        let expected = forced.try_into().map_err(|_| failed("a code has six digits"))?;
        Ok(Score { expected, mass, likeliest, best })
    }

    /// The likeliest reading of so many digits, and the sum of its log-probabilities. A sum only sinks as digits are added,
    /// so the reading that is whole when it comes up as the best of those begun is the best of all.
    pub(super) fn likeliest(&mut self, length: usize) -> Result<(Vec<u8>, f64), EngineError> {
        let mut begun: Vec<(f64, Vec<u8>)> = vec![(0.0, Vec::new())];
        for position in 0.. {
            let best = begun.iter().enumerate().max_by(|(_, one), (_, other)| one.0.total_cmp(&other.0));
            let best = best.map_or(0, |(index, _)| index);
            let (sum, digits) = begun.swap_remove(best);
            if digits.len() == length {
                return Ok((digits, sum));
            }
            if position >= SEARCH_POSITIONS {
                begun.clear();
            }
            let step = self.step(&digits)?;
            begun.extend((0..10).map(|digit| {
                let longer = [digits.as_slice(), &[digit]].concat();
                (sum + step.digits[usize::from(digit)], longer)
            }));
        }
        unreachable!("the search goes on until it has found a reading; this is a bug")
    }

    /// The natural log-probability of each digit, given those before it.
    pub(super) fn log_probabilities(&mut self, digits: &[u8]) -> Result<Vec<f64>, EngineError> {
        (0..digits.len())
            .map(|position| Ok(self.step(&digits[..position])?.digits[usize::from(digits[position])]))
            .collect()
    }

    /// The position that follows some digits.
    fn step(&mut self, before: &[u8]) -> Result<Step, EngineError> {
        if let Some((_, step)) = self.steps.iter().find(|(digits, _)| digits == before) {
            return Ok(*step);
        }
        // Tokens that the decoder has read and that still fit stay; the last is always read again for its logits.
        let kept = self.read.as_ref().map_or(0, |read| {
            let common = read.iter().zip(before).take_while(|(one, other)| one == other).count();
            (common + 1).min(before.len())
        });
        for position in kept..=before.len() {
            let token = match position {
                0 => self.opening,
                _ => self.model.spaced_digits[usize::from(before[position - 1])],
            };
            self.state.decode(&[token], self.preamble + position, 1).map_err(failed)?;
        }
        let step = Step::from_logits(self.state.get_logits().map_err(failed)?, self.model);
        self.read = Some(before.to_vec());
        self.steps.push((before.to_vec(), step));
        Ok(step)
    }
}

impl Step {
    fn from_logits(logits: &[f32], model: &Model) -> Self {
        let logit = |token: &WhisperTokenId| f64::from(logits[*token as usize]);
        let everything = log_sum(logits.iter().map(|logit| f64::from(*logit)));
        let spaced = model.spaced_digits.map(|token| logit(&token));
        let ten = log_sum(spaced.iter().copied());
        let any = log_sum(model.figures.iter().map(logit));
        Self { digits: spaced.map(|logit| logit - ten), mass: (any - everything).exp().min(1.0) }
    }
}

/// The logarithm of a sum of exponentials.
fn log_sum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    largest + values.map(|value| (value - largest).exp()).sum::<f64>().ln()
}
