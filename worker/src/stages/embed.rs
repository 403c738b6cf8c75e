//! A face as a vector: the nearer two vectors, the more likely the same person.

use std::sync::Arc;

use countersign_shared::domain::Point;
use tokio_util::sync::CancellationToken;

use super::align::{Aligned, Template, align};
use crate::engines::onnx::{Inference, Tensor};
use crate::engines::{EngineError, Picture};
use crate::models::task::{Embedder, EmbedderFamily};

/// The distance on the API's scale that stands for a model's operating point.
const OPERATING_POINT: f64 = 0.9;

/// The recogniser of the profile.
pub struct FaceEmbedder {
    model: Arc<dyn Inference>,
    settings: Embedder,
}

/// A face as a vector of length 1.
#[derive(Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl FaceEmbedder {
    pub fn new(model: Arc<dyn Inference>, settings: Embedder) -> Self {
        Self { model, settings }
    }

    /// The input shapes that it asks of its model.
    pub fn shapes(settings: &Embedder) -> Vec<Vec<usize>> {
        vec![vec![1, 3, settings.size as usize, settings.size as usize]]
    }

    /// The vector of the face with those five points; `None` when they don't describe a face.
    pub fn embed(
        &self,
        picture: &Picture,
        points: &[Point; 5],
        cancelled: &CancellationToken,
    ) -> Result<Option<Embedding>, EngineError> {
        let side = self.settings.size;
        let mut input = self.model.input(&[1, 3, side as usize, side as usize]);
        let template = match self.settings.family {
            EmbedderFamily::Arcface => Template::ARCFACE,
            EmbedderFamily::Dlib => Template::DLIB,
        };
        let aligned = Aligned { side, template, scaling: self.settings.scaling() };
        if !align(input.values_mut(), &aligned, picture, points) {
            return Ok(None);
        }
        let outputs = self.model.run(input, cancelled)?;
        let values = outputs.first().map(Tensor::values).unwrap_or_default();
        if values.len() != self.settings.dimensions {
            let detail = format!("{} gives {} numbers for a face", self.model.name(), values.len());
            return Err(EngineError::Failed { engine: "embed", detail });
        }
        Ok(Embedding::normalised(values))
    }

    /// The distance on the API's scale, 0 and up: 0.9 is the model's operating point.
    pub fn distance(&self, one: &Embedding, other: &Embedding) -> f64 {
        one.distance(other) * OPERATING_POINT / self.settings.operating_distance
    }
}

impl Embedding {
    /// `None` when the vector has no direction.
    pub fn normalised(values: &[f32]) -> Option<Self> {
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        let directed = length.is_finite() && length > f32::EPSILON;
        directed.then(|| Self(values.iter().map(|value| value / length).collect()))
    }

    /// Its numbers, as many as the model gives.
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// The mean direction of several; `None` when there are none or they cancel out.
    pub fn mean<'a>(several: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut several = several.into_iter();
        let mut sum = several.next()?.0.clone();
        for embedding in several {
            for (total, value) in sum.iter_mut().zip(&embedding.0) {
                *total += value;
            }
        }
        Self::normalised(&sum)
    }

    /// L2 between the unit vectors, 0..=2.
    pub fn distance(&self, other: &Self) -> f64 {
        let square: f32 = self.0.iter().zip(&other.0).map(|(one, other)| (one - other) * (one - other)).sum();
        f64::from(square).sqrt()
    }
}

/// Shows nothing: the numbers describe a person.
impl std::fmt::Debug for Embedding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Embedding({})", self.0.len())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engines::onnx::FakeInference;
    use crate::models::task::Channels;

    pub(in crate::stages) fn settings(dimensions: usize) -> Embedder {
        Embedder {
            family: EmbedderFamily::Arcface,
            size: 112,
            channels: Channels::Rgb,
            mean: 127.5,
            divisor: 127.5,
            dimensions,
            operating_distance: 1.2,
            operating_points: Vec::new(),
        }
    }

    const FACE: [Point; 5] = [
        Point { x: 30.0, y: 30.0 },
        Point { x: 70.0, y: 30.0 },
        Point { x: 50.0, y: 50.0 },
        Point { x: 35.0, y: 75.0 },
        Point { x: 65.0, y: 75.0 },
    ];

    fn of(values: &[f32]) -> Embedding {
        Embedding::normalised(values).expect("it has a direction")
    }

    #[test]
    fn a_face_becomes_a_vector_of_length_one() {
        let model = FakeInference::new(|_| vec![Tensor::new(&[1, 2], vec![3.0, 4.0]).expect("it fits")]);
        let embedder = FaceEmbedder::new(Arc::clone(&model) as _, settings(2));
        let picture = Picture::filled(100, 100, [128; 3]);
        let embedding = embedder.embed(&picture, &FACE, &CancellationToken::new()).expect("it answers");
        assert_eq!(embedding, Some(Embedding(vec![0.6, 0.8])));
        assert_eq!(model.asked(), [[1, 3, 112, 112]]);
    }

    #[test]
    fn the_operating_distance_is_reported_as_0_9() {
        let embedder = FaceEmbedder::new(FakeInference::new(|_| vec![]), settings(2));
        let (one, other) = (of(&[1.0, 0.0]), of(&[0.28, 0.96]));
        assert!((one.distance(&other) - 1.2).abs() < 1e-6);
        assert!((embedder.distance(&one, &other) - 0.9).abs() < 1e-6);
    }

    #[test]
    fn a_vector_of_another_length_is_an_error() {
        let model = FakeInference::new(|_| vec![Tensor::zeros(&[1, 3])]);
        let embedder = FaceEmbedder::new(model, settings(2));
        let picture = Picture::filled(100, 100, [128; 3]);
        assert!(embedder.embed(&picture, &FACE, &CancellationToken::new()).is_err());
    }

    #[test]
    fn the_mean_lies_between() {
        let mean = Embedding::mean([&of(&[1.0, 0.0]), &of(&[0.0, 1.0])]).expect("it has a direction");
        assert!((mean.distance(&of(&[1.0, 1.0]))).abs() < 1e-6);
        assert_eq!(Embedding::mean([&of(&[1.0]), &of(&[-1.0])]), None);
    }
}
