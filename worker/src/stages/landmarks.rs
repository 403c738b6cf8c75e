//! The 106 points of a face, for the report.

use std::sync::Arc;

use countersign_shared::domain::{BoundingBox, Point};
use tokio_util::sync::CancellationToken;

use super::feed::{Canvas, channels, feed, square};
use crate::engines::onnx::{Inference, Tensor};
use crate::engines::{EngineError, Picture};
use crate::models::task::LandmarkFinder;

/// The landmark model of the profile, if it has one.
pub struct FaceLandmarks {
    finder: Option<(Arc<dyn Inference>, LandmarkFinder)>,
}

impl FaceLandmarks {
    pub fn new(model: Arc<dyn Inference>, settings: LandmarkFinder) -> Self {
        Self { finder: Some((model, settings)) }
    }

    /// Finds none, for a profile without such a model.
    pub fn none() -> Self {
        Self { finder: None }
    }

    /// Whether there is a model.
    pub const fn exist(&self) -> bool {
        self.finder.is_some()
    }

    /// What the distances between lips are multiplied by.
    pub fn mouth_scale(&self) -> f64 {
        self.finder.as_ref().map_or(1.0, |(_, settings)| f64::from(settings.mouth_scale))
    }

    /// The input shapes that it asks of its model.
    pub fn shapes(settings: &LandmarkFinder) -> Vec<Vec<usize>> {
        vec![vec![1, channels(&settings.scaling()), settings.size as usize, settings.size as usize]]
    }

    /// The points in pixels of the picture, in the order of `InsightFace`'s 2d106det; none without a model.
    pub fn find(
        &self,
        picture: &Picture,
        face: &BoundingBox,
        cancelled: &CancellationToken,
    ) -> Result<Vec<Point>, EngineError> {
        let Some((model, settings)) = &self.finder else { return Ok(Vec::new()) };
        let scaling = settings.scaling();
        let pixels = settings.size;
        let region = square(face, f64::from(settings.crop_scale));
        let mut input = model.input(&[1, channels(&scaling), pixels as usize, pixels as usize]);
        feed(input.values_mut(), Canvas::square(pixels), picture, &region, &scaling);
        let outputs = model.run(input, cancelled)?;
        let values = outputs.first().map(Tensor::values).unwrap_or_default();
        if values.len() != settings.points * 2 {
            let detail = format!("{} gives {} numbers for a face", model.name(), values.len());
            return Err(EngineError::Failed { engine: "landmarks", detail });
        }
        // The model answers in -1..=1 of its crop.
        let along = |start: f64, value: f32| start + f64::midpoint(f64::from(value), 1.0) * region.width;
        let (points, _) = values.as_chunks::<2>();
        Ok(points.iter().map(|[x, y]| Point { x: along(region.x, *x), y: along(region.y, *y) }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::onnx::FakeInference;
    use crate::models::task::{Channels, LandmarkFamily};

    #[test]
    fn the_points_are_in_pixels_of_the_picture() {
        let settings = LandmarkFinder {
            family: LandmarkFamily::Insightface106,
            size: 192,
            crop_scale: 1.5,
            channels: Channels::Rgb,
            mean: 0.0,
            divisor: 1.0,
            points: 2,
            mouth_scale: 1.0,
        };
        let model =
            FakeInference::new(|_| vec![Tensor::new(&[1, 4], vec![-1.0, 0.0, 1.0, 1.0]).expect("it fits")]);
        let finder = FaceLandmarks::new(model, settings);
        let face = BoundingBox { x: 100.0, y: 100.0, width: 40.0, height: 60.0 };
        let picture = Picture::filled(300, 300, [0; 3]);
        let points = finder.find(&picture, &face, &CancellationToken::new()).expect("it answers");
        assert_eq!(points, [Point { x: 75.0, y: 130.0 }, Point { x: 165.0, y: 175.0 }]);
        let none =
            FaceLandmarks::none().find(&picture, &face, &CancellationToken::new()).expect("it answers");
        assert_eq!(none, []);
    }
}
