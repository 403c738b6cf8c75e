//! The verdict on a clip: what the numbers mean against the limits, and what is shown of it.

use countersign_shared::domain::{Digits, Language, SpeechEvidence, Transcription};

use super::SpeechLimits;

/// This far below the smallest score it is still likely that the right digits were spoken badly.
const UNSURE: f64 = 6.0;

/// What was measured on one window. Scores are natural log-probabilities.
#[derive(Debug, Clone)]
pub(super) struct Hearing {
    /// Each expected digit's.
    pub(super) expected: [f64; 6],
    /// Probability mass on digits at the first position, 0..=1.
    pub(super) mass: f64,
    /// Sum for the best six digits that were found, the expected ones among them.
    pub(super) best: f64,
    /// The digits that the free transcript names, any number of them.
    pub(super) named: Vec<(u8, f64)>,
    /// The six digits that explain the sound best.
    pub(super) likeliest: Vec<(u8, f64)>,
}

/// The evidence of a clip in which nothing was scored.
pub fn silent(
    language: Language,
    expected: impl Into<Option<Digits>>,
    voice_seconds: f64,
    reason: &str,
) -> SpeechEvidence {
    SpeechEvidence {
        language,
        expected: expected.into(),
        passed: false,
        voice_seconds,
        digit_mass: None,
        score: None,
        margin: None,
        digit_scores: Vec::new(),
        digit_times: Vec::new(),
        transcription: None,
        reasons: vec![reason.to_owned()],
    }
}

/// Passes when digits were spoken, the expected ones explain the sound well, and none explain it much better.
pub(super) fn judge(
    hearing: &Hearing,
    language: Language,
    expected: Digits,
    voice_seconds: f64,
    limits: &SpeechLimits,
) -> SpeechEvidence {
    let score: f64 = hearing.expected.iter().sum();
    let margin = (score - hearing.best).min(0.0);
    let digits_spoken = hearing.mass >= limits.digit_mass_min;
    let reason = if !digits_spoken {
        Some("no_digits")
    } else if score < limits.score_min - UNSURE {
        Some("other_digits")
    } else if score < limits.score_min || margin < limits.margin_min {
        Some("unsure")
    } else {
        None
    };
    SpeechEvidence {
        language,
        expected: Some(expected),
        passed: reason.is_none(),
        voice_seconds,
        digit_mass: Some(hearing.mass),
        score: Some(score),
        margin: Some(margin),
        digit_scores: hearing.expected.to_vec(),
        digit_times: Vec::new(),
        transcription: hearing.shown(reason.is_none().then_some(expected)),
        reasons: reason.map(str::to_owned).into_iter().collect(),
    }
}

impl Hearing {
    /// What was named, if anything. Only where the code was `heard` do the likeliest six digits stand in, be they the
    /// code itself or the decoder's own choice: it makes six digits of any sound.
    fn shown(&self, heard: Option<Digits>) -> Option<Transcription> {
        let total = |reading: &[(u8, f64)]| reading.iter().map(|(_, score)| score).sum::<f64>();
        let reading = match heard {
            None => self.named.clone(),
            Some(code) => {
                let code: Vec<(u8, f64)> = code.values().into_iter().zip(self.expected).collect();
                let six_named = self.named.len() == code.len();
                let readings =
                    [code, self.likeliest.clone()].into_iter().chain(six_named.then(|| self.named.clone()));
                readings.max_by(|one, other| total(one).total_cmp(&total(other))).unwrap_or_default()
            }
        };
        if reading.is_empty() {
            return None;
        }
        let transcript = reading.iter().map(|(digit, _)| digit.to_string()).collect::<Vec<_>>().join(" ");
        let confidence = (total(&reading) / reading.len() as f64).exp().clamp(0.0, 1.0);
        Some(Transcription { confidence, transcript })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SpeechLimits =
        SpeechLimits { voice_seconds_min: 1.0, digit_mass_min: 0.08, score_min: -10.0, margin_min: -3.0 };

    fn hearing(each: f64, mass: f64, best: f64) -> Hearing {
        let likeliest = [1, 2, 3, 4, 5, 6].map(|digit| (digit, best / 6.0)).to_vec();
        Hearing { expected: [each; 6], mass, best, named: Vec::new(), likeliest }
    }

    fn judged(hearing: &Hearing) -> SpeechEvidence {
        let language = "en-US".parse().expect("an accepted tag");
        judge(hearing, language, "123456".parse().expect("six digits"), 3.0, &LIMITS)
    }

    #[test]
    fn a_clear_code_passes_without_a_reason() {
        let evidence = judged(&hearing(-0.1, 0.9, -0.6));
        assert!(evidence.passed && evidence.reasons.is_empty());
        assert_eq!(evidence.transcription.map(|shown| shown.transcript), Some("1 2 3 4 5 6".to_owned()));
    }

    #[test]
    fn every_limit_fails_alone_with_its_reason() {
        for (hearing, reason) in [
            (hearing(-0.1, 0.01, -0.6), "no_digits"),
            (hearing(-2.0, 0.9, -11.0), "unsure"),
            (hearing(-1.0, 0.9, -1.0), "unsure"),
            (hearing(-4.0, 0.9, -1.0), "other_digits"),
        ] {
            let evidence = judged(&hearing);
            assert_eq!((evidence.passed, evidence.reasons), (false, vec![reason.to_owned()]));
        }
    }

    #[test]
    fn of_the_readings_the_likeliest_is_shown() {
        let mut hearing = hearing(-0.9, 0.9, -5.0);
        hearing.named = [9, 8, 7, 6, 5, 4].map(|digit| (digit, -0.5)).to_vec();
        let shown = judged(&hearing).transcription.expect("digits were heard");
        assert_eq!(shown.transcript, "9 8 7 6 5 4");
        assert!((shown.confidence - (-0.5_f64).exp()).abs() < 1e-9);
        hearing.named.pop();
        assert_eq!(judged(&hearing).transcription.expect("digits were heard").transcript, "1 2 3 4 5 6");
    }

    #[test]
    fn the_code_is_shown_where_nothing_likelier_was_found() {
        let mut hearing = hearing(-0.3, 0.9, -1.8);
        hearing.likeliest = [6, 5, 4, 3, 2, 1].map(|digit| (digit, -0.4)).to_vec();
        let shown = judged(&hearing).transcription.expect("digits were heard");
        assert_eq!(shown.transcript, "1 2 3 4 5 6");
    }

    #[test]
    fn a_code_that_was_not_heard_shows_only_what_was_named() {
        let mut hearing = hearing(-4.0, 0.9, -1.0);
        assert_eq!(judged(&hearing).transcription, None);
        hearing.named = [2, 9, 3, 4, 0].map(|digit| (digit, -0.1)).to_vec();
        let shown = judged(&hearing).transcription.expect("digits were named");
        assert_eq!(shown.transcript, "2 9 3 4 0");
    }

    #[test]
    fn other_speech_shows_nothing_unless_it_names_digits() {
        let mut hearing = hearing(-3.0, 0.01, -6.0);
        assert_eq!(judged(&hearing).transcription, None);
        hearing.named = vec![(2, -0.1)];
        assert_eq!(judged(&hearing).transcription.map(|shown| shown.transcript), Some("2".to_owned()));
    }
}
