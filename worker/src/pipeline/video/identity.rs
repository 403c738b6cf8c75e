//! Whose face the clip shows, and in which frames it is somebody else's.

use super::watch::{Sample, Seen};
use crate::stages::embed::{Embedding, FaceEmbedder};

/// Distances on the API's scale from which a face of the clip is another person's than the clip's own face. Looks of
/// one person within a clip are much more alike than a portrait and a selfie, for which 0.9 is the limit: over ten
/// clips they differed from the clip's own face by at most 0.55, and the people exchanged into six clips by at least
/// 0.95.
pub(super) const OTHER_PERSON: f64 = 0.8;
/// Another person for this long, in seconds, is an exchange, however long the clip is.
const EXCHANGE_SECONDS: f64 = 0.4;

/// The clip's identity over time.
#[derive(Debug)]
pub(super) struct Identity {
    /// For each sample, its distance to the clip's own face on the API's scale; `None` where there was no face.
    pub(super) drift: Vec<Option<f64>>,
    /// Fraction of all frames that show the clip's own face, 0..=1.
    pub(super) sameness: f64,
    /// Someone else was seen for long enough that it is no blink of the recogniser.
    pub(super) exchanged: bool,
}

impl Identity {
    pub(super) fn of(seen: &[Seen], samples: &[Sample], embedder: &FaceEmbedder) -> Self {
        let distance = |one: &Embedding, other: &Embedding| embedder.distance(one, other);
        let embeddings: Vec<&Embedding> =
            samples.iter().filter_map(|sample| sample.embedding.as_ref()).collect();
        let Some(reference) = reference(&embeddings, distance) else {
            return Self { drift: vec![None; samples.len()], sameness: 0.0, exchanged: false };
        };
        let drift: Vec<Option<f64>> = samples
            .iter()
            .map(|sample| sample.embedding.as_ref().map(|embedding| distance(embedding, &reference)))
            .collect();
        let states: Vec<State> = states(seen, samples, &drift);
        let same = states.iter().filter(|state| **state == State::Same).count();
        Self {
            drift,
            sameness: same as f64 / seen.len().max(1) as f64,
            exchanged: is_exchanged(seen, &states),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Same,
    Other,
    NoFace,
}

/// The mean of the looks that are like the most central one: a minority of others does not move it.
fn reference(
    embeddings: &[&Embedding],
    distance: impl Fn(&Embedding, &Embedding) -> f64,
) -> Option<Embedding> {
    // Long clips have hundreds of looks; the centre of some of them is as good.
    const CANDIDATES: usize = 64;
    let step = embeddings.len().div_ceil(CANDIDATES).max(1);
    let some: Vec<&Embedding> = embeddings.iter().step_by(step).copied().collect();
    // Far is far: two strangers in the clip must not pull the centre between them.
    let spread =
        |one: &Embedding| some.iter().map(|other| distance(one, other).min(OTHER_PERSON)).sum::<f64>();
    let (centre, _) =
        some.iter().map(|one| (*one, spread(one))).min_by(|one, other| one.1.total_cmp(&other.1))?;
    Embedding::mean(embeddings.iter().copied().filter(|one| distance(one, centre) <= OTHER_PERSON))
}

/// Each frame has the state of the recognised sample nearest in time, of its own segment where that has one: no face
/// is followed across a jump, but a segment too short to be sampled says nothing by itself.
fn states(seen: &[Seen], samples: &[Sample], drift: &[Option<f64>]) -> Vec<State> {
    let recognised: Vec<(&Sample, f64)> =
        samples.iter().zip(drift).filter_map(|(sample, drift)| drift.map(|drift| (sample, drift))).collect();
    seen.iter()
        .map(|frame| {
            if frame.num_faces == 0 {
                return State::NoFace;
            }
            let from = recognised.partition_point(|(sample, _)| sample.segment < frame.segment);
            let to = recognised.partition_point(|(sample, _)| sample.segment <= frame.segment);
            let candidates = if from < to { &recognised[from..to] } else { &recognised[..] };
            match nearest(candidates, frame.seconds) {
                Some(drift) if drift <= OTHER_PERSON => State::Same,
                _ => State::Other,
            }
        })
        .collect()
}

/// The drift of the sample nearest in time; samples are in order.
fn nearest(samples: &[(&Sample, f64)], seconds: f64) -> Option<f64> {
    let after = samples.partition_point(|(sample, _)| sample.seconds < seconds);
    samples[after.saturating_sub(1)..samples.len().min(after + 1)]
        .iter()
        .min_by(|one, other| {
            let away = |sample: &Sample| (sample.seconds - seconds).abs();
            away(one.0).total_cmp(&away(other.0))
        })
        .map(|(_, drift)| *drift)
}

/// Whether frames of someone else follow one another for long enough; frames without a face don't interrupt them.
fn is_exchanged(seen: &[Seen], states: &[State]) -> bool {
    let mut began: Option<f64> = None;
    let mut before = 0.0;
    for (frame, state) in seen.iter().zip(states) {
        // The frame lasts until this one.
        let lasted = |began: f64| frame.seconds - began >= EXCHANGE_SECONDS;
        match state {
            State::Other => {
                let began = *began.get_or_insert(frame.seconds);
                if lasted(began) {
                    return true;
                }
            }
            State::Same => {
                if began.take().is_some_and(lasted) {
                    return true;
                }
            }
            State::NoFace => {}
        }
        before = frame.seconds;
    }
    began.is_some_and(|began| before - began >= EXCHANGE_SECONDS)
}

#[cfg(test)]
mod tests;
