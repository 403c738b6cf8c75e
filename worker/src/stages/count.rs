//! Which of the faces found count, and which one is meant.
//!
//! The largest face is the one that is meant. Another face counts when its width is at least
//! [`WIDTH_MIN`] of the largest one's: a second person beside or behind the first counts, a face on a poster across the
//! room does not. On a card, another face of the same person is the ghost portrait and does not count either.

use countersign_shared::domain::Face;

/// The smallest width of a face that counts, as a fraction of the largest face's.
pub const WIDTH_MIN: f64 = 0.2;
/// Ghost portraits are faint, so the distance that calls two faces the same person is a little wider for them. On the
/// API's scale.
const GHOST_DISTANCE_MAX: f64 = 1.0;

/// The faces that count, the meant one first; `faces` has the largest first, as the detector gives them.
pub fn counted(faces: &[Face]) -> &[Face] {
    let Some(largest) = faces.iter().map(|face| face.bounds.width).max_by(f64::total_cmp) else {
        return faces;
    };
    let counts = faces.iter().take_while(|face| face.bounds.width >= largest * WIDTH_MIN).count();
    &faces[..counts]
}

/// The face whose middle is nearest the middle of a picture of that size.
pub fn central(faces: &[Face], width: u32, height: u32) -> Option<&Face> {
    let (x, y) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    let away = |face: &Face| {
        let bounds = &face.bounds;
        (bounds.x + bounds.width / 2.0 - x).hypot(bounds.y + bounds.height / 2.0 - y)
    };
    faces.iter().min_by(|one, other| away(one).total_cmp(&away(other)))
}

/// Whether another face on a card, at that distance from the portrait on the API's scale, is its ghost.
pub fn is_ghost(distance: f64) -> bool {
    distance <= GHOST_DISTANCE_MAX
}

#[cfg(test)]
mod tests {
    use super::super::detect::tests::face;
    use super::*;

    #[test]
    fn a_second_person_counts_and_a_face_on_a_poster_does_not() {
        let faces = [face(0.0, 0.0, 200.0, 0.9), face(300.0, 0.0, 60.0, 0.8), face(500.0, 0.0, 30.0, 0.9)];
        assert_eq!(counted(&faces).len(), 2);
        assert!(counted(&[]).is_empty());
    }

    #[test]
    fn the_central_face_need_not_be_the_largest() {
        let faces = [face(0.0, 0.0, 200.0, 0.9), face(220.0, 200.0, 60.0, 0.8)];
        assert_eq!(central(&faces, 500, 500).map(|face| face.bounds.width as u32), Some(60));
        assert!(central(&[], 500, 500).is_none());
    }

    #[test]
    fn a_ghost_is_the_same_person() {
        assert!(is_ghost(0.7) && !is_ghost(1.2));
    }
}
