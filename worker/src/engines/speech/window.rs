//! Windows: the stretches of a clip that are worth hearing, each short enough for the model.

use std::ops::Range;

use super::SAMPLE_RATE;
use super::voice::{Activity, FRAME, voice_seconds};

/// A moment may belong to speech from this probability on: lower than what counts as voice, so that faint ends stay.
const MAYBE_VOICE: f32 = 0.2;

/// Silence kept around speech.
const MARGIN: usize = frames(300);

/// A silence longer than this separates two stretches.
const PAUSE: usize = frames(2_500);

/// Silence inside a stretch is shortened to twice this; the model loses the thread in long pauses.
const HALF_SILENCE: usize = frames(400);

/// The model hears 30 s at a time; a window leaves room for the silence that ends it.
const LONGEST: usize = 25 * SAMPLE_RATE;

/// No clip costs more than this many windows.
const WINDOWS_MAX: usize = 4;

/// A stretch with less voice than this can't hold six digits.
const STRETCH_SECONDS_MIN: f64 = 0.8;

/// The windows of a clip in the order in which to try them: all speech together when it is short enough, then the
/// stretches between pauses, those with the most voice first.
pub(super) fn windows(samples: &[f32], activity: &Activity) -> Vec<Vec<f32>> {
    let spoken = spoken_runs(activity.probabilities());
    let mut stretches = split_at_pauses(&spoken);
    let whole = cut(samples, &spoken);
    let mut windows = Vec::new();
    if stretches.len() <= 1 || whole.len() <= LONGEST {
        windows.extend(parts(whole));
    }
    if stretches.len() > 1 {
        let voice = |stretch: &[Range<usize>]| {
            let frames = stretch.first().map_or(0, |run| run.start)..stretch.last().map_or(0, |run| run.end);
            voice_seconds(&activity.probabilities()[frames])
        };
        stretches.retain(|stretch| voice(stretch) >= STRETCH_SECONDS_MIN);
        stretches.sort_by(|one, other| voice(other).total_cmp(&voice(one)));
        windows.extend(stretches.iter().flat_map(|stretch| parts(cut(samples, stretch))));
    }
    windows.truncate(WINDOWS_MAX);
    windows
}

const fn frames(milliseconds: usize) -> usize {
    milliseconds * SAMPLE_RATE / 1_000 / FRAME
}

/// The runs of moments that may be speech, widened by the margin and joined where only a short silence lies between.
fn spoken_runs(probabilities: &[f32]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (frame, _) in probabilities.iter().enumerate().filter(|(_, probability)| **probability >= MAYBE_VOICE)
    {
        match runs.last_mut() {
            Some(run) if frame - run.end <= 2 * HALF_SILENCE => run.end = frame + 1,
            _ => runs.push(frame..frame + 1),
        }
    }
    runs
}

fn split_at_pauses(runs: &[Range<usize>]) -> Vec<&[Range<usize>]> {
    runs.chunk_by(|one, next| next.start - one.end <= PAUSE).collect()
}

/// The sound of some runs with a margin around and a short silence between them.
fn cut(samples: &[f32], runs: &[Range<usize>]) -> Vec<f32> {
    let mut sound = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let before = if index == 0 { MARGIN } else { HALF_SILENCE };
        let after = if index + 1 == runs.len() { MARGIN } else { HALF_SILENCE };
        let start = (run.start.saturating_sub(before) * FRAME).min(samples.len());
        let end = ((run.end + after) * FRAME).min(samples.len());
        sound.extend_from_slice(&samples[start..end]);
    }
    sound
}

/// A sound that is too long for one window gives its beginning and its end.
fn parts(sound: Vec<f32>) -> Vec<Vec<f32>> {
    match sound.len() {
        0 => Vec::new(),
        length if length <= LONGEST => vec![sound],
        length => vec![sound[..LONGEST].to_vec(), sound[length - LONGEST..].to_vec()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clip of (seconds, probability of voice) with as many samples.
    fn clip(parts: &[(f64, f32)]) -> (Vec<f32>, Activity) {
        let frames_of = |seconds: f64| (seconds * SAMPLE_RATE as f64 / FRAME as f64).round() as usize;
        let probabilities: Vec<f32> =
            parts.iter().flat_map(|(seconds, probability)| vec![*probability; frames_of(*seconds)]).collect();
        let samples = probabilities.iter().flat_map(|probability| vec![*probability; FRAME]).collect();
        (samples, Activity::new(probabilities))
    }

    fn seconds(parts: &[(f64, f32)]) -> Vec<f64> {
        let (samples, activity) = clip(parts);
        let tenths = |window: Vec<f32>| (window.len() as f64 / SAMPLE_RATE as f64 * 10.0).round() / 10.0;
        windows(&samples, &activity).into_iter().map(tenths).collect()
    }

    #[test]
    fn silence_has_no_window() {
        assert!(seconds(&[(5.0, 0.0)]).is_empty());
        assert!(seconds(&[]).is_empty());
    }

    #[test]
    fn speech_is_trimmed_to_a_margin() {
        assert_eq!(seconds(&[(4.0, 0.0), (3.0, 1.0), (4.0, 0.0)]), [3.6]);
    }

    #[test]
    fn speech_at_the_edges_stays_inside_the_clip() {
        assert_eq!(seconds(&[(3.0, 1.0)]), [3.0]);
    }

    #[test]
    fn long_silences_between_digits_are_shortened() {
        assert_eq!(seconds(&[(1.0, 0.9), (2.0, 0.0), (1.0, 0.9), (0.5, 0.0), (1.0, 0.9)]), [4.3]);
    }

    #[test]
    fn stretches_between_pauses_are_tried_after_the_whole() {
        assert_eq!(seconds(&[(2.0, 0.9), (4.0, 0.0), (3.0, 0.9)]), [5.8, 3.3, 2.3]);
    }

    #[test]
    fn a_whole_that_is_too_long_is_left_out_when_it_has_stretches() {
        assert_eq!(seconds(&[(20.0, 0.9), (4.0, 0.0), (6.0, 0.9)]), [20.3, 6.3]);
    }

    #[test]
    fn endless_speech_gives_its_beginning_and_its_end() {
        assert_eq!(seconds(&[(60.0, 0.9)]), [25.0, 25.0]);
    }

    #[test]
    fn many_stretches_cost_a_bounded_number_of_windows() {
        assert_eq!(seconds(&[(3.0, 0.9), (3.0, 0.0)].repeat(10)).len(), WINDOWS_MAX);
    }
}
