use std::sync::Arc;

use countersign_shared::config::Config;

use super::*;
use crate::engines::onnx::{FakeInference, Tensor};
use crate::models::task::{
    Channels, Detector, DetectorFamily, Embedder, EmbedderFamily, LandmarkFamily, LandmarkFinder,
    LivenessCrop, LivenessJudge,
};
use crate::models::{LivenessScale, Standard};
use crate::pipeline::video::identity::Identity;
use crate::stages::detect::{Canvases, FaceDetector};
use crate::stages::embed::FaceEmbedder;
use crate::stages::landmarks::FaceLandmarks;
use crate::stages::liveness::{Judge, LivenessJudges};

const SIDE: usize = 320;
const FRAMES: u32 = 105;

/// Models that see one face of 128 pixels in every bright picture, and one person for each brightness.
struct FakeEyes {
    stage: StillStage,
    detector: Arc<FakeInference>,
    embedder: Arc<FakeInference>,
    liveness: Arc<FakeInference>,
}

/// SCRFD's nine outputs for a canvas of [`SIDE`], with a face on the coarsest grid or without.
fn detector_answer(has_face: bool) -> Vec<Tensor> {
    let mut outputs = Vec::new();
    for width in [1, 4, 10] {
        for stride in [8, 16, 32] {
            let cells = SIDE / stride;
            let mut tensor = Tensor::zeros(&[1, cells * cells * 2, width]);
            if stride == 32 && has_face {
                let at = (3 * cells + 4) * 2 * width;
                let points = [-1.0, -1.0, 1.0, -1.0, 0.0, 0.0, -1.0, 1.0, 1.0, 1.0];
                let values: &[f32] = match width {
                    1 => &[0.9],
                    4 => &[2.0; 4],
                    _ => &points,
                };
                tensor.values_mut()[at..at + width].copy_from_slice(values);
            }
            outputs.push(tensor);
        }
    }
    outputs
}

fn eyes() -> FakeEyes {
    let detector = FakeInference::new(|input| detector_answer(input.values()[0] > -0.9));
    let embedder = FakeInference::new(|input| {
        let brightness = input.values()[input.values().len() / 2];
        let person = if brightness > 0.0 { vec![1.0, 0.0, 0.0] } else { vec![0.0, 1.0, 0.0] };
        vec![Tensor::new(&[1, 3], person).expect("it fits")]
    });
    let liveness = FakeInference::new(|_| vec![Tensor::new(&[1, 2], vec![3.0, 0.0]).expect("it fits")]);
    let landmarks = FakeInference::new(|_| vec![Tensor::zeros(&[1, 212])]);
    let (channels, mean, divisor) = (Channels::Rgb, 127.5, 127.5);
    let stage = StillStage {
        detector: Arc::new(
            FaceDetector::new(
                Arc::clone(&detector) as _,
                Detector {
                    family: DetectorFamily::Scrfd,
                    sizes: vec![SIDE as u32],
                    channels,
                    mean,
                    divisor,
                    score_threshold: 0.5,
                    overlap_threshold: 0.4,
                    score_scale: None,
                    widest: None,
                },
                Canvases::Square,
            )
            .expect("it can be read"),
        ),
        embedder: Arc::new(FaceEmbedder::new(
            Arc::clone(&embedder) as _,
            Embedder {
                family: EmbedderFamily::Arcface,
                size: 112,
                channels,
                mean,
                divisor,
                dimensions: 3,
                operating_distance: 1.198,
                operating_points: Vec::new(),
            },
        )),
        liveness: Arc::new(LivenessJudges::new(
            vec![Judge {
                model: Arc::clone(&liveness) as _,
                settings: LivenessJudge {
                    crop: LivenessCrop::SquarePad,
                    scales: vec![1.5],
                    box_height: 1.0,
                    size: 80,
                    channels,
                    mean,
                    divisor,
                    logits: 2,
                    bona_fide_class: 0,
                    threshold: 0.5,
                },
                weight: 1.0,
                standard: Standard::from_threshold(0.5),
            }],
            LivenessScale::default(),
        )),
        landmarks: Arc::new(FaceLandmarks::new(
            landmarks,
            LandmarkFinder {
                family: LandmarkFamily::Insightface106,
                size: 192,
                crop_scale: 1.5,
                channels,
                mean,
                divisor,
                points: 106,
                mouth_scale: 1.0,
            },
        )),
    };
    FakeEyes { stage, detector, embedder, liveness }
}

fn sampling() -> Sampling {
    Config::load(None, []).expect("the defaults").sampling
}

/// Watches a clip of 30 frames a second whose frame `n` has the brightness `of(n)`.
fn watched(eyes: &FakeEyes, of: impl Fn(u32) -> u8) -> (Vec<Seen>, Vec<Sample>) {
    let (sampling, cancelled) = (sampling(), CancellationToken::new());
    let mut watcher = Watcher::new(&eyes.stage, &sampling, &cancelled);
    for frame in 0..FRAMES {
        let picture = Picture::filled(320, 320, [of(frame); 3]);
        watcher.see(frame, f64::from(frame) / 30.0, &picture).expect("it is seen");
    }
    (watcher.seen, watcher.samples)
}

#[test]
fn a_steady_clip_is_sampled_as_configured_and_every_frame_counts() {
    let eyes = eyes();
    let (seen, samples) = watched(&eyes, |_| 180);
    assert_eq!(seen.len(), FRAMES as usize);
    assert!(
        seen.iter()
            .all(|frame| frame.num_faces == 1 && (frame.ratio - 0.4).abs() < 0.01 && frame.segment == 0)
    );
    // 3.5 s in steps of 250 ms and 500 ms, each rounded up to the next frame.
    let embedded = samples.iter().filter(|sample| sample.embedding.is_some()).count();
    assert!((13..=15).contains(&embedded), "{embedded}");
    assert_eq!(eyes.embedder.asked().len(), embedded);
    assert_eq!(eyes.liveness.asked().len(), 7);
    assert!(eyes.detector.asked().len() <= 36, "{}", eyes.detector.asked().len());
    assert!((Identity::of(&seen, &samples, &eyes.stage.embedder).sameness - 1.0).abs() < f64::EPSILON);
}

#[test]
fn an_exchanged_second_is_recognised_in_its_first_and_its_next_frame() {
    let eyes = eyes();
    let (seen, samples) = watched(&eyes, |frame| if (31..61).contains(&frame) { 60 } else { 180 });
    let recognised =
        |frame: u32| samples.iter().any(|sample| sample.frame == frame && sample.embedding.is_some());
    let soon = |frame: u32| (frame..frame + 4).any(recognised);
    assert!(soon(31) && soon(61));
    let found = Identity::of(&seen, &samples, &eyes.stage.embedder);
    assert!((found.sameness - 75.0 / 105.0).abs() < 0.001, "{}", found.sameness);
    assert!(found.exchanged);
}

#[test]
fn frames_without_a_face_are_counted_and_cost_no_recognition() {
    let eyes = eyes();
    let (seen, samples) = watched(&eyes, |frame| if frame < 50 { 180 } else { 1 });
    assert_eq!(seen.iter().filter(|frame| frame.num_faces == 0).count(), 55);
    assert!(samples.iter().all(|sample| sample.embedding.is_none() || sample.frame < 50));
}

#[test]
fn a_job_that_was_given_up_ends_at_the_next_frame() {
    let (eyes, sampling, cancelled) = (eyes(), sampling(), CancellationToken::new());
    let mut watcher = Watcher::new(&eyes.stage, &sampling, &cancelled);
    let picture = Picture::filled(320, 320, [180; 3]);
    watcher.see(0, 0.0, &picture).expect("it is seen");
    cancelled.cancel();
    assert!(matches!(watcher.see(1, 0.1, &picture), Err(EngineError::Cancelled)));
}
