//! How usable a face is: its size, its detail and its light, where it looks, and whether its mouth is to be seen (after
//! ISO/IEC 29794-5).

use std::ops::Range;

use countersign_shared::domain::{FaceQuality, Point};

use super::align::Template;
use super::warp::Warp;
use super::{mouth, pose};
use crate::engines::Picture;

/// The side of the square on whose template the face is measured, as recognisers see it.
const SIDE: u32 = 112;
/// The part of the square that is skin, eyes, nose and mouth in nearly every face, and no hair or background.
const COLUMNS: Range<u32> = 20..92;
const ROWS: Range<u32> = 20..100;
/// How far down the mouth's surroundings reach.
const DEPTH: u32 = mouth::ROWS.end + 1;
/// Luminance, 0..=255, from which a pixel is neither nearly black nor nearly white.
const EXPOSED: std::ops::RangeInclusive<f32> = 26.0..=246.0;
/// A deviation of luminance that is no more than the rounding of pixels: there is nothing to see.
const FLAT: f64 = 0.5;

/// Measures the face with these five points (left eye, right eye, nose, left and right mouth corner), in pixels of the picture;
/// `None` when they don't describe a face.
pub fn assess(picture: &Picture, points: &[Point; 5]) -> Option<FaceQuality> {
    let pose = pose::estimate(points)?;
    let warp = Warp::of(points, &Template::ARCFACE, SIDE)?;
    let luminance: Vec<f32> = (ROWS.start..DEPTH)
        .flat_map(|row| COLUMNS.map(move |column| (column, row)))
        .map(|(column, row)| {
            let [red, green, blue] = warp.colour(picture, column, row);
            0.299 * red + 0.587 * green + 0.114 * blue
        })
        .collect();
    let at = |column: u32, row: u32| {
        luminance[(row - ROWS.start) as usize * COLUMNS.len() + (column - COLUMNS.start) as usize]
    };
    let skin = &luminance[..ROWS.len() * COLUMNS.len()];
    let exposed = skin.iter().filter(|value| EXPOSED.contains(value)).count();
    Some(FaceQuality {
        eye_distance: (points[1].x - points[0].x).hypot(points[1].y - points[0].y),
        sharpness: sharpness(skin),
        exposure: exposed as f64 / skin.len() as f64,
        yaw: pose.yaw,
        pitch: pose.pitch,
        // An edge of the picture across a mouth looks like that of a mask.
        mouth_visibility: warp.is_within(picture, mouth::COLUMNS, mouth::ROWS).then(|| mouth::visibility(at)),
    })
}

/// The standard deviation of the Laplacian over that of the luminance itself, so that more light is not more detail.
fn sharpness(luminance: &[f32]) -> f64 {
    let width = COLUMNS.len();
    let inner = |at: &usize| (1..width - 1).contains(&(at % width));
    let laplacian: Vec<f32> = (width..luminance.len() - width)
        .filter(inner)
        .map(|at| {
            luminance[at - width] + luminance[at - 1] + luminance[at + 1] + luminance[at + width]
                - 4.0 * luminance[at]
        })
        .collect();
    let contrast = deviation(luminance);
    if contrast > FLAT { deviation(&laplacian) / contrast } else { 0.0 }
}

fn deviation(values: &[f32]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    (values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The points of a face whose eyes are 35 pixels apart.
    const POINTS: [Point; 5] = [
        Point { x: 38.0, y: 52.0 },
        Point { x: 73.0, y: 52.0 },
        Point { x: 56.0, y: 72.0 },
        Point { x: 42.0, y: 92.0 },
        Point { x: 71.0, y: 92.0 },
    ];

    fn measured(scale: u32, of: impl Fn(u32, u32) -> u8) -> FaceQuality {
        let side = 112 * scale;
        let rgb = (0..side * side).flat_map(|at| [of(at % side / scale, at / side / scale); 3]).collect();
        let picture = Picture::new(side, side, rgb).expect("the buffer fits");
        let points =
            POINTS.map(|point| Point { x: point.x * f64::from(scale), y: point.y * f64::from(scale) });
        assess(&picture, &points).expect("the points are a face's")
    }

    fn checkered(x: u32, y: u32) -> u8 {
        if (x / 4 + y / 4).is_multiple_of(2) { 60 } else { 180 }
    }

    #[test]
    fn detail_is_sharp_and_a_gradient_is_not() {
        let (sharp, smooth) = (measured(1, checkered), measured(1, |x, _| (x * 2) as u8));
        assert!(sharp.sharpness > 0.5, "{}", sharp.sharpness);
        assert!(smooth.sharpness < 0.1, "{}", smooth.sharpness);
        assert!(measured(1, |_, _| 90).sharpness.abs() < f64::EPSILON);
    }

    #[test]
    fn more_light_and_more_pixels_are_not_more_detail() {
        let one = measured(1, checkered).sharpness;
        let dim = measured(1, |x, y| checkered(x, y) / 2).sharpness;
        let large = measured(4, checkered);
        assert!((one - dim).abs() < 0.01 && (one - large.sharpness).abs() < 0.1, "{one} {dim} {large:?}");
        assert!((large.eye_distance - 140.0).abs() < 1e-9);
    }

    #[test]
    fn black_and_white_pixels_are_badly_exposed() {
        assert!((measured(1, |_, _| 90).exposure - 1.0).abs() < f64::EPSILON);
        assert!(measured(1, |_, _| 3).exposure.abs() < f64::EPSILON);
        assert!(measured(1, |_, _| 255).exposure.abs() < f64::EPSILON);
        assert!((measured(1, |x, _| if x < 56 { 3 } else { 90 }).exposure - 0.5).abs() < 0.05);
    }
}
