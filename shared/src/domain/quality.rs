//! How usable a face in a picture is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The measures of ISO/IEC 29794-5 that decide whether a face can be judged at all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"eye_distance": 164.2, "sharpness": 0.41, "exposure": 0.98, "yaw": -6.3, "pitch": 2.8, "mouth_visibility": 0.998}))]
pub struct FaceQuality {
    /// Between the middles of the eyes, in pixels of the upright picture.
    pub eye_distance: f64,
    /// How much of the face's contrast is detail, 0 and up: the standard deviation of the Laplacian over that of the luminance,
    /// with the eyes 35 pixels apart, which is as much as a recogniser sees. A press photo's is 0.3.
    pub sharpness: f64,
    /// Fraction of the face's pixels that are neither nearly black nor nearly white, 0..=1.
    pub exposure: f64,
    /// Degrees by which the face is turned to the picture's right (negative: left), from five points of an average head.
    pub yaw: f64,
    /// Degrees by which the face looks down (negative: up), likewise; an open mouth or another nose moves it by ten.
    pub pitch: f64,
    /// How likely the mouth is to be seen, 0..=1; absent where the picture's edge cuts its surroundings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mouth_visibility: Option<f64>,
}
