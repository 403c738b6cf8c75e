//! Measures mouth and eyes along a clip, often enough for the movements of speech.

use countersign_shared::domain::{BoundingBox, Point};
use tokio_util::sync::CancellationToken;

use crate::engines::{EngineError, Picture};
use crate::stages::behaviour::gesture::Gesture;
use crate::stages::detect::overlap;
use crate::stages::landmarks::FaceLandmarks;

/// Landmarks are followed while the box they are looked for in shares this much with the face's.
const STILL_THERE: f64 = 0.6;

/// The gestures of the followed face.
pub(super) struct Gestures {
    /// Seconds.
    every: f64,
    measured_at: f64,
    followed: Option<Followed>,
    pub(super) found: Vec<Gesture>,
}

/// Landmarks tremble with the box that they are looked for in, and a tracker's box moves by whole pixels of a small picture:
/// a box that moves with the landmarks themselves lies still on the face.
struct Followed {
    /// Where landmarks were first looked for, and their middle there.
    bounds: BoundingBox,
    middle: Point,
    /// Their middle now.
    now: Point,
}

impl Gestures {
    pub(super) const fn new(every: f64) -> Self {
        Self { every, measured_at: f64::NEG_INFINITY, followed: None, found: Vec::new() }
    }

    /// Measures the face when it is time.
    pub(super) fn measure(
        &mut self,
        finder: &FaceLandmarks,
        picture: &Picture,
        face: &BoundingBox,
        seconds: f64,
        cancelled: &CancellationToken,
    ) -> Result<(), EngineError> {
        if seconds - self.measured_at < self.every {
            return Ok(());
        }
        self.measured_at = seconds;
        let followed =
            self.followed.take().filter(|followed| overlap(&followed.bounds(), face) >= STILL_THERE);
        let bounds = followed.as_ref().map_or(*face, Followed::bounds);
        let landmarks = finder.find(picture, &bounds, cancelled)?;
        let Some(gesture) = Gesture::of(seconds, &landmarks, finder.mouth_scale()) else {
            return Ok(());
        };
        let now = gesture.centre;
        self.followed = Some(match followed {
            Some(followed) => Followed { now, ..followed },
            None => Followed { bounds, middle: now, now },
        });
        self.found.push(gesture);
        Ok(())
    }
}

impl Followed {
    fn bounds(&self) -> BoundingBox {
        BoundingBox {
            x: self.bounds.x + self.now.x - self.middle.x,
            y: self.bounds.y + self.now.y - self.middle.y,
            ..self.bounds
        }
    }
}
