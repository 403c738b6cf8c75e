//! Faces in one pass of the detector over a region of a picture.

use std::sync::Arc;

use countersign_shared::domain::{BoundingBox, Face, Point};
use tokio_util::sync::CancellationToken;

use super::feed::{Canvas, channels, feed};
use super::{retinaface, scrfd};
use crate::engines::onnx::{Inference, Tensor};
use crate::engines::{EngineError, Picture};
use crate::models::task::{Detector, DetectorFamily};

/// The detector of the profile.
pub struct FaceDetector {
    model: Arc<dyn Inference>,
    settings: Detector,
    canvases: Canvases,
}

/// Which canvases a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canvases {
    /// Squares alone: a device that prepares itself for each shape wants few.
    Square,
    /// The smallest of a few rectangles that the region fits: what costs by the pixel need not look at black ones.
    Snug,
}

/// A face in pixels of the model's canvas.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) score: f32,
    pub(super) bounds: BoundingBox,
    pub(super) points: [Point; 5],
}

impl FaceDetector {
    /// # Errors
    /// When it has no size.
    pub fn new(
        model: Arc<dyn Inference>,
        settings: Detector,
        canvases: Canvases,
    ) -> Result<Self, EngineError> {
        if settings.sizes.is_empty() {
            let detail = format!("{} has no size", model.name());
            return Err(EngineError::Failed { engine: "detect", detail });
        }
        Ok(Self { model, settings, canvases })
    }

    /// The input shapes that it asks of its model.
    pub fn shapes(settings: &Detector, canvases: Canvases) -> Vec<Vec<usize>> {
        let sizes = settings.sizes.iter().flat_map(|side| canvases.sizes(*side));
        sizes.map(|(width, height)| vec![1, 3, height as usize, width as usize]).collect()
    }

    /// The canvas for a thorough look.
    pub fn large(&self) -> u32 {
        self.settings.sizes.iter().copied().max().expect("there is a size, this is a bug")
    }

    /// The canvas for a quick look.
    pub fn small(&self) -> u32 {
        self.settings.sizes.iter().copied().min().expect("there is a size, this is a bug")
    }

    /// Whether points of a face so wide, in pixels of the canvas, are less exact than on a smaller canvas.
    pub fn is_too_wide(&self, width: f64) -> bool {
        self.small() < self.large() && self.settings.widest.is_some_and(|widest| width > f64::from(widest))
    }

    /// The faces in the whole picture, on a canvas of that side; the largest first.
    pub fn detect(
        &self,
        picture: &Picture,
        side: u32,
        cancelled: &CancellationToken,
    ) -> Result<Vec<Face>, EngineError> {
        self.detect_in(picture, &whole(picture), side, cancelled)
    }

    /// The faces in a region, which may reach beyond the picture (black there); in pixels of the picture, the largest
    /// first.
    pub fn detect_in(
        &self,
        picture: &Picture,
        region: &BoundingBox,
        side: u32,
        cancelled: &CancellationToken,
    ) -> Result<Vec<Face>, EngineError> {
        let scaling = self.settings.scaling();
        let canvas = self.canvases.letterbox(side, region);
        let mut input =
            self.model.input(&[1, channels(&scaling), canvas.height as usize, canvas.width as usize]);
        feed(input.values_mut(), canvas, picture, region, &scaling);
        let outputs = self.model.run(input, cancelled)?;
        let candidates = match self.settings.family {
            DetectorFamily::Retinaface => retinaface::candidates,
            DetectorFamily::Scrfd => scrfd::candidates,
        };
        let (threshold, scale) = (self.settings.score_threshold, self.settings.score_scale);
        let own_threshold = scale.map_or(threshold, |scale| scale.own(threshold));
        let found = candidates(&outputs, (canvas.width, canvas.height), own_threshold).ok_or_else(|| {
            let detail = format!("{} does not answer as its family does", self.model.name());
            EngineError::Failed { engine: "detect", detail }
        })?;
        let faces = found.into_iter().map(|found| {
            let score = scale.map_or(found.score, |scale| scale.scaled(found.score));
            on_picture(&Candidate { score, ..found }, canvas, region)
        });
        Ok(strongest(faces.collect(), self.settings.overlap_threshold))
    }

    /// Faces from several looks at one picture, each once.
    pub fn merge(&self, faces: Vec<Face>) -> Vec<Face> {
        strongest(faces, self.settings.overlap_threshold)
    }
}

impl Canvases {
    /// Parts of the longer side that the shorter one may have: enough for a card or 16:9, for 3:4, and for a square.
    const SHORTER: [f64; 3] = [0.65, 0.75, 1.0];
    /// The coarsest grid of a detector.
    const GRID: u32 = 32;

    /// Width and height of every canvas whose longer side is `side`.
    fn sizes(self, side: u32) -> Vec<(u32, u32)> {
        if self == Self::Square {
            return vec![(side, side)];
        }
        let shorter = Self::SHORTER.map(|part| Self::shorter(side, part));
        let wide = shorter.map(|height| (side, height));
        let tall = shorter.map(|width| (width, side));
        // The square is both.
        wide.into_iter().chain(tall).take(2 * shorter.len() - 1).collect()
    }

    fn shorter(side: u32, part: f64) -> u32 {
        ((f64::from(side) * part) as u32).next_multiple_of(Self::GRID)
    }

    /// The smallest canvas that the region fits, from its top left corner.
    fn letterbox(self, side: u32, region: &BoundingBox) -> Canvas {
        let canvas = Canvas::letterbox(side, region);
        let fits =
            |(width, height): &(u32, u32)| canvas.used_width <= *width && canvas.used_height <= *height;
        let fitting = self.sizes(side).into_iter().filter(fits).min_by_key(|(width, height)| width * height);
        let (width, height) = fitting.expect("the square fits everything, this is a bug");
        Canvas { width, height, ..canvas }
    }
}

/// The picture as a region of itself.
pub fn whole(picture: &Picture) -> BoundingBox {
    BoundingBox { x: 0.0, y: 0.0, width: f64::from(picture.width()), height: f64::from(picture.height()) }
}

/// Intersection over union, 0..=1.
pub fn overlap(one: &BoundingBox, other: &BoundingBox) -> f64 {
    let along = |start: f64, length: f64, other_start: f64, other_length: f64| {
        ((start + length).min(other_start + other_length) - start.max(other_start)).max(0.0)
    };
    let shared =
        along(one.x, one.width, other.x, other.width) * along(one.y, one.height, other.y, other.height);
    let all = one.width * one.height + other.width * other.height - shared;
    if all > 0.0 { shared / all } else { 0.0 }
}

/// The numbers of the output that has so many rows of that width.
pub(super) fn output(outputs: &[Tensor], rows: usize, width: usize) -> Option<&[f32]> {
    outputs
        .iter()
        .find(|tensor| tensor.shape().last() == Some(&width) && tensor.values().len() == rows * width)
        .map(Tensor::values)
}

fn on_picture(candidate: &Candidate, canvas: Canvas, region: &BoundingBox) -> Face {
    let across = region.width / f64::from(canvas.used_width);
    let down = region.height / f64::from(canvas.used_height);
    let bounds = &candidate.bounds;
    Face {
        bounds: BoundingBox {
            x: region.x + bounds.x * across,
            y: region.y + bounds.y * down,
            width: bounds.width * across,
            height: bounds.height * down,
        },
        score: f64::from(candidate.score).clamp(0.0, 1.0),
        points: candidate
            .points
            .map(|point| Point { x: region.x + point.x * across, y: region.y + point.y * down }),
        turned: 0,
        landmarks: Vec::new(),
    }
}

/// Of faces that overlap, the one with the best score; the largest first.
fn strongest(mut faces: Vec<Face>, overlap_threshold: f32) -> Vec<Face> {
    faces.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut kept: Vec<Face> = Vec::new();
    for face in faces {
        if kept.iter().all(|other| overlap(&face.bounds, &other.bounds) <= f64::from(overlap_threshold)) {
            kept.push(face);
        }
    }
    kept.sort_by(|one, other| area(&other.bounds).total_cmp(&area(&one.bounds)));
    kept
}

fn area(bounds: &BoundingBox) -> f64 {
    bounds.width * bounds.height
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::scrfd::fake;
    use super::*;
    use crate::engines::onnx::FakeInference;
    use crate::models::task::{Channels, ScoreScale};

    pub(in crate::stages) fn settings() -> Detector {
        Detector {
            family: DetectorFamily::Scrfd,
            sizes: vec![640, 320],
            channels: Channels::Rgb,
            mean: 127.5,
            divisor: 128.0,
            score_threshold: 0.5,
            overlap_threshold: 0.4,
            score_scale: None,
            widest: None,
        }
    }

    pub(in crate::stages) fn face(x: f64, y: f64, side: f64, score: f64) -> Face {
        let point = |across: f64, down: f64| Point { x: x + across * side, y: y + down * side };
        Face {
            bounds: BoundingBox { x, y, width: side, height: side },
            score,
            points: [point(0.3, 0.3), point(0.7, 0.3), point(0.5, 0.5), point(0.3, 0.8), point(0.7, 0.8)],
            turned: 0,
            landmarks: Vec::new(),
        }
    }

    #[test]
    fn a_face_is_placed_in_the_picture_that_was_letterboxed() {
        let model = FakeInference::new(|_| fake::answer(&[1, 3, 320, 320], Some((5, 3, 0.8))));
        let detector = FaceDetector::new(model, settings(), Canvases::Square).expect("it can be read");
        let picture = Picture::filled(640, 320, [0; 3]);
        let faces = detector.detect(&picture, 320, &CancellationToken::new()).expect("it answers");
        assert_eq!(faces.len(), 1);
        assert_eq!(faces[0].bounds, BoundingBox { x: 48.0, y: 16.0, width: 64.0, height: 64.0 });
    }

    #[test]
    fn a_face_found_in_a_region_is_in_pixels_of_the_picture() {
        let model = FakeInference::new(|_| fake::answer(&[1, 3, 320, 320], Some((5, 3, 0.8))));
        let detector = FaceDetector::new(model, settings(), Canvases::Square).expect("it can be read");
        let region = BoundingBox { x: -100.0, y: 50.0, width: 160.0, height: 160.0 };
        let picture = Picture::filled(400, 400, [0; 3]);
        let faces =
            detector.detect_in(&picture, &region, 320, &CancellationToken::new()).expect("it answers");
        assert_eq!(faces[0].bounds, BoundingBox { x: -88.0, y: 54.0, width: 16.0, height: 16.0 });
    }

    #[test]
    fn a_snug_canvas_has_no_more_black_than_it_must() {
        let canvas = |width, height| {
            let region = BoundingBox { x: 0.0, y: 0.0, width, height };
            let canvas = Canvases::Snug.letterbox(640, &region);
            (canvas.width, canvas.height)
        };
        assert_eq!(canvas(1012.0, 638.0), (640, 416), "a card");
        assert_eq!(canvas(1080.0, 1920.0), (416, 640), "a phone's film");
        assert_eq!(canvas(480.0, 640.0), (480, 640));
        assert_eq!(canvas(500.0, 500.0), (640, 640));
        for size in Canvases::Snug.sizes(320) {
            let shapes = FaceDetector::shapes(&settings(), Canvases::Snug);
            assert!(shapes.contains(&vec![1, 3, size.1 as usize, size.0 as usize]), "{size:?} is warmed up");
        }
    }

    #[test]
    fn a_snug_canvas_shows_a_face_where_it_is() {
        let model = FakeInference::new(|input| fake::answer(input.shape(), Some((30, 3, 0.8))));
        let detector =
            FaceDetector::new(Arc::clone(&model) as _, settings(), Canvases::Snug).expect("it can be read");
        let picture = Picture::filled(640, 320, [0; 3]);
        let faces = detector.detect(&picture, 320, &CancellationToken::new()).expect("it answers");
        assert_eq!(faces[0].bounds, BoundingBox { x: 448.0, y: 16.0, width: 64.0, height: 64.0 });
        assert_eq!(model.asked(), [[1, 3, 224, 320]]);
    }

    #[test]
    fn of_two_boxes_on_one_face_the_stronger_stays() {
        let faces =
            vec![face(0.0, 0.0, 100.0, 0.6), face(5.0, 5.0, 100.0, 0.9), face(300.0, 0.0, 200.0, 0.7)];
        let kept = strongest(faces, 0.4);
        assert_eq!(kept.len(), 2);
        assert!((kept[0].bounds.width - 200.0).abs() < f64::EPSILON, "the largest comes first");
        assert!((kept[1].score - 0.9).abs() < f64::EPSILON);
    }

    #[test]
    fn scores_are_laid_on_the_scale_before_they_are_compared() {
        let found = |score: f32| {
            let model = FakeInference::new(move |_| fake::answer(&[1, 3, 320, 320], Some((5, 3, score))));
            let scale = Some(ScoreScale { slope: 0.5, shift: -1.0 });
            let settings = Detector { score_scale: scale, ..settings() };
            let detector = FaceDetector::new(model, settings, Canvases::Square).expect("it can be read");
            let picture = Picture::filled(320, 320, [0; 3]);
            detector.detect(&picture, 320, &CancellationToken::new()).expect("it answers")
        };
        // Log-odds of 2 become 0, and those of 6 become 2.
        assert!(found(0.875).is_empty() && found(1.0).len() == 1);
        let sure = &found(0.997_527_4)[0];
        assert!((sure.score - 0.880_797).abs() < 1e-4, "{}", sure.score);
    }

    #[test]
    fn a_model_with_other_outputs_is_an_error() {
        let model = FakeInference::new(|_| vec![Tensor::zeros(&[1, 512])]);
        let detector = FaceDetector::new(model, settings(), Canvases::Square).expect("it can be read");
        assert!(detector.detect(&Picture::filled(9, 9, [0; 3]), 320, &CancellationToken::new()).is_err());
    }
}
