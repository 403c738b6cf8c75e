//! Bona fide or presentation attack: one or more models look at crops of several sizes, and their answers are fused.

use std::sync::Arc;

use countersign_shared::domain::{BoundingBox, LivenessEvidence};
use tokio_util::sync::CancellationToken;

use super::feed::{Canvas, channels, feed, square};
use crate::engines::onnx::{Inference, Pending, Tensor};
use crate::engines::{EngineError, Picture};
use crate::models::odds::{log_odds, sigmoid};
use crate::models::task::{LivenessCrop, LivenessJudge};
use crate::models::{LivenessScale, Standard};

/// The confidence on the API's scale that stands for the models' operating point.
const OPERATING_POINT: f64 = 0.9;
/// Logits beyond this say nothing more, and a single one must not drown the others.
const LOGIT_MAX: f64 = 12.0;
/// From this many frames of a clip on, the highest and the lowest don't count: one odd frame says nothing of a clip.
const TRIMMED_FROM: usize = 4;

/// The liveness models of the profile.
pub struct LivenessJudges {
    judges: Vec<Judge>,
    scale: LivenessScale,
}

/// One model with its say.
pub struct Judge {
    pub model: Arc<dyn Inference>,
    pub settings: LivenessJudge,
    /// More than 0; only its ratio to the other models' matters.
    pub weight: f64,
    pub standard: Standard,
}

/// One crop's answer: the log-odds of bona fide.
struct Look {
    name: String,
    logit: f64,
    standard: Standard,
    weight: f64,
}

impl LivenessJudges {
    pub fn new(judges: Vec<Judge>, scale: LivenessScale) -> Self {
        Self { judges, scale }
    }

    /// The input shapes that a judge asks of its model.
    pub fn shapes(settings: &LivenessJudge) -> Vec<Vec<usize>> {
        let side = settings.size as usize;
        vec![vec![1, channels(&settings.scaling()), side, side]]
    }

    /// Looks at the face from every distance and fuses what the models say.
    pub fn judge(
        &self,
        picture: &Picture,
        face: &BoundingBox,
        cancelled: &CancellationToken,
    ) -> Result<LivenessEvidence, EngineError> {
        let mut looks = Vec::new();
        // One model after the other: a job that asked all at once would take more cores than its permit stands for.
        for judge in &self.judges {
            let scales = &judge.settings.scales;
            let submit = |scale: &f32| judge.submit(picture, face, *scale, cancelled);
            let pending = scales.iter().map(submit).collect::<Result<Vec<_>, _>>()?;
            for (scale, pending) in scales.iter().zip(pending) {
                looks.push(judge.look(*scale, pending)?);
            }
        }
        Ok(LivenessEvidence {
            confidence: self.scale.confidence(fuse(&looks)),
            scores: looks.into_iter().map(|look| (look.name, sigmoid(look.logit))).collect(),
        })
    }

    /// The confidence in a clip, 0..=1, of those in its frames; `None` of no frame.
    pub fn fuse_frames(&self, confidences: impl Iterator<Item = f64>) -> Option<f64> {
        let mut odds: Vec<f64> = confidences.map(log_odds).collect();
        odds.sort_by(f64::total_cmp);
        let counted = if odds.len() >= TRIMMED_FROM { &odds[1..odds.len() - 1] } else { &odds[..] };
        let mean = counted.iter().sum::<f64>() / counted.len() as f64;
        (!counted.is_empty()).then(|| sigmoid(mean - self.scale.asked_of_a_clip()))
    }
}

impl Judge {
    fn submit(
        &self,
        picture: &Picture,
        face: &BoundingBox,
        scale: f32,
        cancelled: &CancellationToken,
    ) -> Result<Pending, EngineError> {
        let scaling = self.settings.scaling();
        let side = self.settings.size;
        let face = lowered(face, f64::from(self.settings.box_height));
        let region = match self.settings.crop {
            LivenessCrop::Shift => shifted(picture, &face, f64::from(scale)),
            LivenessCrop::SquarePad => square(&face, f64::from(scale)),
        };
        let mut input = self.model.input(&[1, channels(&scaling), side as usize, side as usize]);
        feed(input.values_mut(), Canvas::square(side), picture, &region, &scaling);
        self.model.submit(input, cancelled)
    }

    fn look(&self, scale: f32, pending: Pending) -> Result<Look, EngineError> {
        let outputs = pending.wait()?;
        let logits = outputs.first().map(Tensor::values).unwrap_or_default();
        let logit = bona_fide_logit(logits, self.settings.bona_fide_class).ok_or_else(|| {
            let detail = format!("{} gives {} numbers for a crop", self.model.name(), logits.len());
            EngineError::Failed { engine: "liveness", detail }
        })?;
        Ok(Look {
            name: format!("{}@{scale}", self.model.name()),
            logit,
            standard: self.standard,
            weight: self.weight / self.settings.scales.len() as f64,
        })
    }
}

/// The box with its height multiplied, about its centre.
fn lowered(face: &BoundingBox, by: f64) -> BoundingBox {
    let height = face.height * by;
    BoundingBox { y: face.y + (face.height - height) / 2.0, height, ..*face }
}

/// The box scaled about its centre and moved into the picture; scaled less where the picture is too small. Whole
/// pixels, both ends included, as the models were trained (Silent-Face-Anti-Spoofing, `CropImage`).
fn shifted(picture: &Picture, face: &BoundingBox, scale: f64) -> BoundingBox {
    let along = |start: f64, length: f64, scale: f64, picture: f64| {
        let length = length * scale;
        let start = (start - length / 2.0).min(picture - 1.0 - length).max(0.0);
        let (first, last) = (start.floor(), (start + length).floor().min(picture - 1.0));
        (first, last - first + 1.0)
    };
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let scale = scale.min((width - 1.0) / face.width).min((height - 1.0) / face.height);
    let (x, width) = along(face.x + face.width / 2.0, face.width, scale, width);
    let (y, height) = along(face.y + face.height / 2.0, face.height, scale, height);
    BoundingBox { x, y, width, height }
}

/// The log-odds of the class after softmax; computed from the logits, so that certainty does not round to 1.
fn bona_fide_logit(logits: &[f32], class: usize) -> Option<f64> {
    let own = f64::from(*logits.get(class)?);
    let others =
        || logits.iter().enumerate().filter(|(index, _)| *index != class).map(|(_, other)| f64::from(*other));
    let highest = others().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = others().map(|other| (other - highest).exp()).sum();
    let odds = own - highest - sum.ln();
    odds.is_finite().then(|| odds.clamp(-LOGIT_MAX, LOGIT_MAX))
}

/// The weighted mean of the standardised log-odds.
fn fuse(looks: &[Look]) -> f64 {
    let weights: f64 = looks.iter().map(|look| look.weight).sum();
    looks.iter().map(|look| look.weight * look.standardised()).sum::<f64>() / weights
}

impl Look {
    fn standardised(&self) -> f64 {
        (self.logit - self.standard.mean) / self.standard.deviation
    }
}

impl LivenessScale {
    fn confidence(&self, fused: f64) -> f64 {
        sigmoid(self.steepness * (fused - self.operating_point) + log_odds(OPERATING_POINT))
    }

    /// What a clip must have more than a picture, as log-odds of the confidence.
    fn asked_of_a_clip(&self) -> f64 {
        let point = self.clip_operating_point.unwrap_or(self.operating_point);
        self.steepness * (point - self.operating_point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::onnx::FakeInference;
    use crate::models::task::Channels;

    /// Its operating point is a probability of 0.8.
    fn judge(scales: &[f32], logits: [f32; 3]) -> Judge {
        let model =
            FakeInference::new(move |_| vec![Tensor::new(&[1, 3], logits.to_vec()).expect("it fits")]);
        let settings = LivenessJudge {
            crop: LivenessCrop::Shift,
            scales: scales.to_vec(),
            box_height: 1.0,
            size: 128,
            channels: Channels::Bgr,
            mean: 0.0,
            divisor: 1.0,
            logits: 3,
            bona_fide_class: 0,
            threshold: 0.8,
        };
        Judge { model, settings, weight: 1.0, standard: Standard::from_threshold(0.8) }
    }

    fn judged(judges: Vec<Judge>) -> LivenessEvidence {
        let picture = Picture::filled(200, 200, [128; 3]);
        let face = BoundingBox { x: 80.0, y: 80.0, width: 40.0, height: 40.0 };
        let judges = LivenessJudges::new(judges, LivenessScale::default());
        judges.judge(&picture, &face, &CancellationToken::new()).expect("it answers")
    }

    #[test]
    fn a_model_at_its_operating_point_gives_0_9() {
        // Softmax of these is 0.8 for the first class.
        let logits = [(8.0_f32).ln(), 0.0, 0.0];
        let evidence = judged(vec![judge(&[2.7, 1.5], logits)]);
        assert!((evidence.confidence - 0.9).abs() < 1e-6, "{}", evidence.confidence);
        assert_eq!(evidence.scores.len(), 2);
        assert_eq!(evidence.scores[0].0, "fake@2.7");
        assert!((evidence.scores[1].1 - 0.8).abs() < 1e-6);
    }

    #[test]
    fn two_models_that_disagree_meet_in_the_middle() {
        let centre = 4.0_f32.ln();
        let doubt = judge(&[2.7], [centre - 3.0, 0.0, -90.0]);
        let trust = judge(&[2.7], [centre + 3.0, 0.0, -90.0]);
        assert!((judged(vec![doubt, trust]).confidence - 0.9).abs() < 1e-6);
    }

    #[test]
    fn a_model_with_wide_log_odds_does_not_drown_another() {
        let wide =
            Judge { standard: Standard { mean: 2.0, deviation: 5.0 }, ..judge(&[2.7], [-3.0, 0.0, -90.0]) };
        let narrow =
            Judge { standard: Standard { mean: 0.0, deviation: 0.5 }, ..judge(&[2.7], [1.0, 0.0, -90.0]) };
        // Standardised, they are -1 and 2.
        let looks = [&wide, &narrow].map(|judge| {
            let input = judge.model.input(&[1, 3, 128, 128]);
            let pending = judge.model.submit(input, &CancellationToken::new()).expect("it takes it");
            judge.look(2.7, pending).expect("it answers")
        });
        assert!((fuse(&looks) - 0.5).abs() < 1e-5);
    }

    #[test]
    fn the_operating_point_of_a_fusion_is_0_9() {
        let scale = LivenessScale { operating_point: 0.4, steepness: 2.0, ..LivenessScale::default() };
        assert!((scale.confidence(0.4) - 0.9).abs() < 1e-9);
        let above = scale.confidence(1.4);
        assert!(((above / (1.0 - above)).ln() - 9.0_f64.ln() - 2.0).abs() < 1e-9);
    }

    fn fused(scale: LivenessScale, confidences: &[f64]) -> Option<f64> {
        LivenessJudges::new(Vec::new(), scale).fuse_frames(confidences.iter().copied())
    }

    #[test]
    fn alike_frames_keep_their_confidence_where_no_more_is_asked_of_a_clip() {
        let confidence = fused(LivenessScale::default(), &[0.9; 3]).expect("judged");
        assert!((confidence - 0.9).abs() < 1e-9);
        assert_eq!(fused(LivenessScale::default(), &[]), None);
    }

    #[test]
    fn frames_at_the_operating_point_of_a_clip_give_0_9() {
        let scale = LivenessScale { operating_point: 0.4, clip_operating_point: Some(0.7), steepness: 2.0 };
        let (picture, clip) = (scale.confidence(0.4), scale.confidence(0.7));
        assert!((fused(scale, &[clip; 5]).expect("judged") - 0.9).abs() < 1e-9);
        assert!(fused(scale, &[picture; 5]).expect("judged") < 0.84);
    }

    #[test]
    fn one_odd_frame_changes_nothing_and_half_of_them_do() {
        let clip = |confidences: &[f64]| fused(LivenessScale::default(), confidences).expect("judged");
        assert!(clip(&[0.98, 0.98, 0.98, 0.98, 0.98, 0.0]) > 0.97);
        assert!(clip(&[0.98, 0.98, 0.98, 0.02, 0.02, 0.02]) < 0.9);
    }

    #[test]
    fn more_certainty_is_more_confidence() {
        let confidence = |own: f32| judged(vec![judge(&[2.7], [own, 0.0, 0.0])]).confidence;
        assert!(confidence(-5.0) < confidence(0.0) && confidence(0.0) < confidence(5.0));
        assert!(confidence(-90.0) < 0.001 && confidence(90.0) > 0.999);
    }

    #[test]
    fn a_box_is_lowered_about_its_centre() {
        let face = BoundingBox { x: 60.0, y: 150.0, width: 30.0, height: 40.0 };
        let expected = BoundingBox { x: 60.0, y: 155.0, width: 30.0, height: 30.0 };
        assert_eq!(lowered(&face, 0.75), expected);
    }

    #[test]
    fn a_crop_is_moved_into_the_picture_and_not_padded() {
        let picture = Picture::filled(100, 200, [0; 3]);
        let face = BoundingBox { x: 60.0, y: 150.0, width: 30.0, height: 40.0 };
        let crop = shifted(&picture, &face, 2.0);
        assert_eq!(crop, BoundingBox { x: 39.0, y: 119.0, width: 61.0, height: 81.0 });
    }

    #[test]
    fn a_crop_larger_than_the_picture_is_scaled_less() {
        let picture = Picture::filled(100, 200, [0; 3]);
        let face = BoundingBox { x: 10.0, y: 50.0, width: 80.0, height: 90.0 };
        let crop = shifted(&picture, &face, 2.7);
        assert_eq!((crop.x, crop.width), (0.0, 100.0));
        assert!(crop.y >= 0.0 && crop.y + crop.height <= 200.0);
    }
}
