//! A face turned, scaled and moved so that its five points fall on the template that recognisers were trained on.

use countersign_shared::domain::Point;

use super::warp::Warp;
use crate::engines::Picture;
use crate::models::task::{Channels, Scaling};

/// Where a recogniser wants the five points of a face (left eye, right eye, nose, left and right mouth corner) in its
/// square.
#[derive(Debug, Clone, Copy)]
pub struct Template {
    side: f64,
    points: [(f64, f64); 5],
}

impl Template {
    /// Of `ArcFace`.
    pub const ARCFACE: Self = Self {
        side: 112.0,
        points: [
            (38.2946, 51.6963),
            (73.5318, 51.5014),
            (56.0252, 71.7366),
            (41.5493, 92.3655),
            (70.7299, 92.2041),
        ],
    };
    /// Of dlib: its mean face in a chip with a quarter of padding, the eyes' centres being the means of their points.
    pub const DLIB: Self = Self {
        side: 150.0,
        points: [(47.549, 46.599), (100.476, 46.599), (74.013, 76.563), (50.415, 103.023), (97.610, 103.023)],
    };

    /// The points in a square of that side.
    pub(super) fn scaled(&self, side: u32) -> [Point; 5] {
        let scale = f64::from(side) / self.side;
        self.points.map(|(x, y)| Point { x: x * scale, y: y * scale })
    }
}

/// `(x, y)` becomes `(a x - b y + dx, b x + a y + dy)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    a: f64,
    b: f64,
    dx: f64,
    dy: f64,
}

impl Similarity {
    /// The least-squares fit (Umeyama 1991, in two dimensions and without reflection); `None` when the points are
    /// all one.
    pub fn fit(from: &[Point; 5], to: &[Point; 5]) -> Option<Self> {
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (source, target) in from.iter().zip(to) {
            let (x, y) = (source.x - from_mean.x, source.y - from_mean.y);
            let (u, v) = (target.x - to_mean.x, target.y - to_mean.y);
            along += x * u + y * v;
            across += x * v - y * u;
            spread += x * x + y * y;
        }
        if spread <= f64::EPSILON {
            return None;
        }
        let (a, b) = (along / spread, across / spread);
        Some(Self {
            a,
            b,
            dx: to_mean.x - (a * from_mean.x - b * from_mean.y),
            dy: to_mean.y - (b * from_mean.x + a * from_mean.y),
        })
    }

    pub fn apply(&self, point: Point) -> Point {
        Point {
            x: self.a * point.x - self.b * point.y + self.dx,
            y: self.b * point.x + self.a * point.y + self.dy,
        }
    }

    /// How many target pixels a source pixel becomes.
    pub fn scale(&self) -> f64 {
        self.a.hypot(self.b)
    }

    /// What becomes of a step of that length to the right. One down becomes `(-y, x)` of it.
    pub(super) fn step(&self, length: f64) -> Point {
        Point { x: self.a * length, y: self.b * length }
    }

    /// The way back; `None` when everything falls on one point.
    pub fn inverse(&self) -> Option<Self> {
        let square = self.a * self.a + self.b * self.b;
        if square <= f64::EPSILON * f64::EPSILON {
            return None;
        }
        let (a, b) = (self.a / square, -self.b / square);
        Some(Self { a, b, dx: -(a * self.dx - b * self.dy), dy: -(b * self.dx + a * self.dy) })
    }
}

/// What a recogniser is fed: a face on its template, in a square of that side.
#[derive(Debug, Clone, Copy)]
pub struct Aligned {
    pub side: u32,
    pub template: Template,
    pub scaling: Scaling,
}

/// Writes the aligned face of `side` x `side` pixels into three planes. What lies outside the picture is black.
/// `false` when the points don't describe a face.
///
/// # Panics
/// When `planes` has another length than `3 x side x side`.
pub fn align(planes: &mut [f32], aligned: &Aligned, picture: &Picture, points: &[Point; 5]) -> bool {
    let Aligned { side, template, scaling } = *aligned;
    let area = side as usize * side as usize;
    assert_eq!(planes.len(), area * 3, "the tensor is as large as the aligned face, this is a bug");
    let Some(warp) = Warp::of(points, &template, side) else { return false };
    let order = if scaling.channels == Channels::Bgr { [2, 1, 0] } else { [0, 1, 2] };
    for row in 0..side {
        for column in 0..side {
            let colour = warp.colour(picture, column, row);
            let at = (row * side + column) as usize;
            for (plane, channel) in order.into_iter().enumerate() {
                planes[plane * area + at] = (colour[channel] - scaling.mean) / scaling.divisor;
            }
        }
    }
    true
}

fn mean(points: &[Point; 5]) -> Point {
    Point {
        x: points.iter().map(|point| point.x).sum::<f64>() / 5.0,
        y: points.iter().map(|point| point.y).sum::<f64>() / 5.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Aligned = Aligned {
        side: 112,
        template: Template::ARCFACE,
        scaling: Scaling { channels: Channels::Rgb, mean: 0.0, divisor: 1.0 },
    };

    fn points(of: impl Fn(f64, f64) -> (f64, f64)) -> [Point; 5] {
        Template::ARCFACE.points.map(|(x, y)| {
            let (x, y) = of(x, y);
            Point { x, y }
        })
    }

    #[test]
    fn a_fit_undoes_turning_scaling_and_moving() {
        let template = points(|x, y| (x, y));
        let moved = points(|x, y| (0.6 * x - 0.8 * y + 40.0, 0.8 * x + 0.6 * y - 7.0));
        let fit = Similarity::fit(&moved, &template).expect("the points differ");
        for (source, target) in moved.iter().zip(&template) {
            let found = fit.apply(*source);
            assert!((found.x - target.x).abs() < 1e-9 && (found.y - target.y).abs() < 1e-9);
        }
        let back = fit.inverse().expect("it can be undone").apply(template[0]);
        assert!((back.x - moved[0].x).abs() < 1e-9 && (back.y - moved[0].y).abs() < 1e-9);
    }

    #[test]
    fn five_times_the_same_point_is_no_face() {
        let picture = Picture::filled(8, 8, [0; 3]);
        let mut planes = vec![0.0; 112 * 112 * 3];
        assert!(!align(&mut planes, &PLAIN, &picture, &[Point { x: 1.0, y: 1.0 }; 5]));
    }

    #[test]
    fn a_face_that_lies_on_the_template_is_copied() {
        let rgb = (0..112 * 112).flat_map(|at: u32| [(at % 112) as u8, (at / 112) as u8, 7]).collect();
        let picture = Picture::new(112, 112, rgb).expect("the buffer fits");
        let mut planes = vec![0.0; 112 * 112 * 3];
        assert!(align(&mut planes, &PLAIN, &picture, &points(|x, y| (x, y))));
        let at = 30 * 112 + 20;
        assert!((planes[at] - 20.0).abs() < 1e-3 && (planes[112 * 112 + at] - 30.0).abs() < 1e-3);
    }

    #[test]
    fn a_large_face_is_averaged() {
        let stripes = (0..448 * 448).flat_map(|at| [if at % 2 == 0 { 0 } else { 255 }; 3]).collect();
        let picture = Picture::new(448, 448, stripes).expect("the buffer fits");
        let mut planes = vec![0.0; 112 * 112 * 3];
        assert!(align(&mut planes, &PLAIN, &picture, &points(|x, y| (x * 4.0, y * 4.0))));
        let inner = planes[56 * 112 + 56];
        assert!((100.0..156.0).contains(&inner), "{inner}");
    }
}
