//! The openings of a face's mouth and eyes in one frame, from its 106 landmarks.

use countersign_shared::domain::Point;

/// Landmarks of `InsightFace`'s 2d106det, by side of the picture.
const LEFT_EYE: [usize; 9] = [33, 34, 35, 36, 37, 39, 40, 41, 42];
const RIGHT_EYE: [usize; 9] = [87, 88, 89, 90, 91, 93, 94, 95, 96];
const LEFT_LIDS: (usize, usize) = (40, 33);
const RIGHT_LIDS: (usize, usize) = (94, 87);
const LEFT_CORNERS: (usize, usize) = (35, 39);
const RIGHT_CORNERS: (usize, usize) = (89, 93);
const INNER_LIPS: (usize, usize) = (62, 60);
const OUTER_LIPS: (usize, usize) = (71, 53);
const COUNT: usize = 106;

/// What one frame shows; lengths in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gesture {
    pub seconds: f64,
    /// Between the inner edges of the lips.
    pub mouth: f64,
    /// Between their outer edges.
    pub lips: f64,
    /// Height over width, the mean of both eyes.
    pub eye_opening: f64,
    /// Between the eyes' middles.
    pub eye_distance: f64,
    /// The landmarks' mean.
    pub centre: Point,
}

impl Gesture {
    /// `None` unless these are 106 landmarks in the order of 2d106det. Distances between lips are multiplied by `mouth_scale`.
    pub fn of(seconds: f64, landmarks: &[Point], mouth_scale: f64) -> Option<Self> {
        if landmarks.len() != COUNT {
            return None;
        }
        let between = |(one, other): (usize, usize)| distance(landmarks[one], landmarks[other]);
        let opening = |lids, corners| between(lids) / between(corners).max(f64::EPSILON);
        let eye = |indices: &[usize]| mean(indices.iter().map(|index| landmarks[*index]));
        Some(Self {
            seconds,
            mouth: mouth_scale * between(INNER_LIPS),
            lips: mouth_scale * between(OUTER_LIPS),
            eye_opening: f64::midpoint(opening(LEFT_LIDS, LEFT_CORNERS), opening(RIGHT_LIDS, RIGHT_CORNERS)),
            eye_distance: distance(eye(&LEFT_EYE), eye(&RIGHT_EYE)),
            centre: mean(landmarks.iter().copied()),
        })
    }
}

fn distance(one: Point, other: Point) -> f64 {
    (one.x - other.x).hypot(one.y - other.y)
}

fn mean(points: impl ExactSizeIterator<Item = Point>) -> Point {
    let count = points.len() as f64;
    let sum =
        points.fold(Point { x: 0.0, y: 0.0 }, |sum, point| Point { x: sum.x + point.x, y: sum.y + point.y });
    Point { x: sum.x / count, y: sum.y / count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opened_mouth_is_measured_between_the_inner_lips() {
        let mut landmarks = vec![Point { x: 50.0, y: 50.0 }; COUNT];
        landmarks[INNER_LIPS.0] = Point { x: 50.0, y: 80.0 };
        landmarks[INNER_LIPS.1] = Point { x: 50.0, y: 92.0 };
        let gesture = Gesture::of(1.0, &landmarks, 1.5).expect("106 points");
        assert!((gesture.mouth - 18.0).abs() < 1e-9 && gesture.lips.abs() < 1e-9, "{gesture:?}");
    }

    #[test]
    fn other_landmarks_than_the_106_say_nothing() {
        assert_eq!(Gesture::of(0.0, &[], 1.0), None);
        assert_eq!(Gesture::of(0.0, &[Point { x: 1.0, y: 1.0 }; 68], 1.0), None);
    }
}
