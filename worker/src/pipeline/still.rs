//! One still, a card or a selfie, from its pixels to everything that is said of it.

use std::path::Path;
use std::sync::Arc;

use countersign_shared::domain::{BoundingBox, Face, FaceQuality, Point, StillEvidence};
use countersign_shared::telemetry;
use tokio_util::sync::CancellationToken;

use super::PipelineError;
use crate::engines::Picture;
use crate::engines::media::{DecodedImage, MediaLimits, decode_image};
use crate::stages::count;
use crate::stages::detect::FaceDetector;
use crate::stages::embed::{Embedding, FaceEmbedder};
use crate::stages::landmarks::FaceLandmarks;
use crate::stages::liveness::LivenessJudges;
use crate::stages::quality;
use crate::stages::search::{Expected, search};

/// What a still shows, and so what is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An ID card: one portrait, maybe its ghost.
    Card,
    /// A selfie that is compared with a card.
    Selfie,
    /// A selfie that is compared with nothing.
    LoneSelfie,
}

/// Which of several faces is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// The largest, as in every verification.
    Largest,
    /// The one nearest the middle, as in collections that were cut out around a face.
    Central,
}

impl Meant {
    /// Of a picture's faces, the largest first.
    pub fn of<'a>(self, faces: &'a [Face], picture: &Picture) -> Option<&'a Face> {
        match self {
            Self::Largest => faces.first(),
            Self::Central => count::central(faces, picture.width(), picture.height()),
        }
    }
}

/// The models that look at stills.
#[derive(Clone)]
pub struct StillStage {
    pub detector: Arc<FaceDetector>,
    pub embedder: Arc<FaceEmbedder>,
    pub liveness: Arc<LivenessJudges>,
    pub landmarks: Arc<FaceLandmarks>,
}

/// What was found.
#[derive(Debug)]
pub struct Still {
    pub evidence: StillEvidence,
    /// Of the face that is meant; absent when there is none, or when nothing is compared with it.
    pub embedding: Option<Embedding>,
}

impl Still {
    /// Of a picture that there is not, or that was not looked at: its width is 0.
    pub(super) const fn absent() -> Self {
        Self { evidence: StillEvidence::faceless(0, 0), embedding: None }
    }
}

/// Ghosts are looked for among this many faces; a card with more is no card.
const GHOST_CANDIDATES: usize = 4;

impl StillStage {
    /// Decodes the file and looks at its picture.
    pub fn look_at(
        &self,
        file: &Path,
        limits: &MediaLimits,
        subject: Subject,
        cancelled: &CancellationToken,
    ) -> Result<Still, PipelineError> {
        let image = {
            let _stage = telemetry::stage("decode");
            decode_image(file, limits)?
        };
        let still = self.look(&image, subject, cancelled);
        image.recycle();
        still
    }

    /// Finds the face that is meant, counts the others, and asks every model about it. A still without a face is a
    /// finding, not an error.
    pub fn look(
        &self,
        image: &DecodedImage,
        subject: Subject,
        cancelled: &CancellationToken,
    ) -> Result<Still, PipelineError> {
        let sighting = {
            let _stage = telemetry::stage("detect");
            let expected = match subject {
                Subject::Card => Expected::Any,
                Subject::Selfie | Subject::LoneSelfie => Expected::Near,
            };
            search(&self.detector, &image.picture, expected, cancelled)?
        };
        let picture = sighting.picture.as_ref();
        let faces = count::counted(&sighting.faces);
        let mut evidence = StillEvidence {
            num_faces: faces.len() as u32,
            ..StillEvidence::faceless(image.width, image.height)
        };
        let Some((meant, others)) = faces.split_first() else {
            return Ok(Still { evidence, embedding: None });
        };
        go_on(cancelled)?;
        let embedding = match subject {
            Subject::LoneSelfie => None,
            Subject::Card | Subject::Selfie => {
                let _stage = telemetry::stage("embed");
                self.embedder.embed(picture, &meant.points, cancelled)?
            }
        };
        if subject == Subject::Card
            && let Some(portrait) = &embedding
        {
            evidence.num_faces -= self.ghosts(picture, portrait, others, cancelled)?;
        }
        go_on(cancelled)?;
        evidence.liveness = {
            let _stage = telemetry::stage("liveness");
            Some(self.liveness.judge(picture, &meant.bounds, cancelled)?)
        };
        go_on(cancelled)?;
        let landmarks = {
            let _stage = telemetry::stage("landmarks");
            self.landmarks.find(picture, &meant.bounds, cancelled)?
        };
        let face = Face { landmarks, ..meant.clone() };
        let (width, height) = (f64::from(image.picture.width()), f64::from(image.picture.height()));
        let scale = f64::from(image.width) / width;
        evidence.quality = quality::assess(picture, &meant.points)
            .map(|found| FaceQuality { eye_distance: found.eye_distance * scale, ..found });
        evidence.face = Some(enlarged(&sighting.turn.back(&face, width, height), scale));
        Ok(Still { evidence, embedding })
    }

    /// The vector of the face that is meant, and nothing else; `None` when there is none.
    pub fn template(
        &self,
        image: &DecodedImage,
        meant: Meant,
        cancelled: &CancellationToken,
    ) -> Result<Option<Embedding>, PipelineError> {
        let sighting = search(&self.detector, &image.picture, Expected::Near, cancelled)?;
        let picture = sighting.picture.as_ref();
        let Some(face) = meant.of(&sighting.faces, picture) else { return Ok(None) };
        Ok(self.embedder.embed(picture, &face.points, cancelled)?)
    }

    /// How many of the other faces repeat the portrait.
    fn ghosts(
        &self,
        picture: &Picture,
        portrait: &Embedding,
        others: &[Face],
        cancelled: &CancellationToken,
    ) -> Result<u32, PipelineError> {
        let mut ghosts = 0;
        for other in others.iter().take(GHOST_CANDIDATES) {
            let Some(embedding) = self.embedder.embed(picture, &other.points, cancelled)? else { continue };
            ghosts += u32::from(count::is_ghost(self.embedder.distance(portrait, &embedding)));
        }
        Ok(ghosts)
    }
}

/// Between two steps: is the result still wanted?
fn go_on(cancelled: &CancellationToken) -> Result<(), PipelineError> {
    if cancelled.is_cancelled() { Err(PipelineError::Cancelled) } else { Ok(()) }
}

/// From pixels of the reduced picture to those of the file's image.
fn enlarged(face: &Face, scale: f64) -> Face {
    let point = |point: Point| Point { x: point.x * scale, y: point.y * scale };
    let bounds = face.bounds;
    Face {
        bounds: BoundingBox {
            x: bounds.x * scale,
            y: bounds.y * scale,
            width: bounds.width * scale,
            height: bounds.height * scale,
        },
        score: face.score,
        points: face.points.map(point),
        turned: face.turned,
        landmarks: face.landmarks.iter().copied().map(point).collect(),
    }
}
