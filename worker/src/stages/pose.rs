//! Where a face looks, from its five points.

use countersign_shared::domain::Point;

/// An average head's eyes, tip of the nose and corners of the mouth, in distances between the eyes: to the picture's right,
/// down, and away from the camera, from the middle between the eyes.
const HEAD: [[f64; 3]; 5] =
    [[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.48, -0.55], [-0.4, 0.95, -0.15], [0.4, 0.95, -0.15]];

/// Degrees: turned to the picture's right, and looking down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    pub yaw: f64,
    pub pitch: f64,
}

/// The turn under which the head's points, far away, fall nearest to those of the face in the plane of the picture (scaled
/// orthographic projection: `DeMenthon` & Davis 1995, first step). `None` when the points are on a line.
pub fn estimate(points: &[Point; 5]) -> Option<Pose> {
    let across = gradient(points.map(|point| point.x))?;
    let down = gradient(points.map(|point| point.y))?;
    // The third row of the rotation, but for its length: the direction away from the camera as the head has it.
    let away = cross(across, down);
    let flat = norm(away) <= f64::EPSILON * norm(across).max(norm(down));
    (!flat).then(|| Pose {
        yaw: away[0].atan2(away[1].hypot(away[2])).to_degrees(),
        pitch: away[1].atan2(away[2]).to_degrees(),
    })
}

/// How one coordinate of the picture changes along the head's three axes: the least-squares solution over the five points.
fn gradient(coordinate: [f64; 5]) -> Option<[f64; 3]> {
    let mean = coordinate.iter().sum::<f64>() / 5.0;
    let centre: [f64; 3] =
        std::array::from_fn(|axis| HEAD.iter().map(|point| point[axis]).sum::<f64>() / 5.0);
    let (mut square, mut right) = ([[0.0; 3]; 3], [0.0; 3]);
    for (point, value) in HEAD.iter().zip(coordinate) {
        let from_centre: [f64; 3] = std::array::from_fn(|axis| point[axis] - centre[axis]);
        for row in 0..3 {
            right[row] += from_centre[row] * (value - mean);
            for column in 0..3 {
                square[row][column] += from_centre[row] * from_centre[column];
            }
        }
    }
    // Cramer's rule: the matrix is the head's own and has a determinant.
    let determinant = dot(square[0], cross(square[1], square[2]));
    let solve = |axis: usize| {
        let mut replaced = square;
        for row in 0..3 {
            replaced[row][axis] = right[row];
        }
        dot(replaced[0], cross(replaced[1], replaced[2])) / determinant
    };
    let found = [solve(0), solve(1), solve(2)];
    found.iter().all(|value| value.is_finite()).then_some(found)
}

fn dot(one: [f64; 3], other: [f64; 3]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn cross(one: [f64; 3], other: [f64; 3]) -> [f64; 3] {
    [
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    ]
}

fn norm(vector: [f64; 3]) -> f64 {
    dot(vector, vector).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head turned by so many degrees, first down and then to the right, seen from far away.
    fn seen(yaw: f64, pitch: f64) -> [Point; 5] {
        let ((sin_yaw, cos_yaw), (sin_pitch, cos_pitch)) =
            (yaw.to_radians().sin_cos(), pitch.to_radians().sin_cos());
        HEAD.map(|[x, y, z]| {
            let (y, z) = (y * cos_pitch - z * sin_pitch, y * sin_pitch + z * cos_pitch);
            Point { x: 300.0 + 80.0 * (x * cos_yaw - z * sin_yaw), y: 200.0 + 80.0 * y }
        })
    }

    #[test]
    fn a_turned_head_is_seen_to_be_turned() {
        for (yaw, pitch) in [(0.0, 0.0), (30.0, 0.0), (-50.0, 0.0), (0.0, 20.0), (25.0, -15.0)] {
            let found = estimate(&seen(yaw, pitch)).expect("a face");
            assert!(
                (found.yaw - yaw).abs() < 0.5 && (found.pitch - pitch).abs() < 0.5,
                "{yaw} {pitch}: {found:?}"
            );
        }
    }

    #[test]
    fn a_nose_to_the_right_is_a_head_turned_to_the_right() {
        let mut points = seen(0.0, 0.0);
        points[2].x += 20.0;
        assert!(estimate(&points).expect("a face").yaw > 5.0);
        points[2].x -= 40.0;
        assert!(estimate(&points).expect("a face").yaw < -5.0);
    }

    #[test]
    fn points_on_a_line_are_no_face() {
        let line: [Point; 5] = std::array::from_fn(|at| Point { x: at as f64, y: 7.0 });
        assert!(estimate(&line).is_none());
        assert!(estimate(&[Point { x: 1.0, y: 1.0 }; 5]).is_none());
    }
}
