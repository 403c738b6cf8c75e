//! Where each pixel of an aligned face comes from, and what colour is there.

use std::ops::Range;

use countersign_shared::domain::Point;

use super::align::{Similarity, Template};
use crate::engines::Picture;

/// Samples along one side of a target pixel at most; more change nothing that can be seen.
const SAMPLES_MAX: u32 = 4;

/// From the pixels of an aligned face to positions in the picture.
pub(super) struct Warp {
    back: Similarity,
    samples: u32,
}

impl Warp {
    /// Onto the template in a square of that side; `None` when the points don't describe a face.
    pub(super) fn of(points: &[Point; 5], template: &Template, side: u32) -> Option<Self> {
        let back = Similarity::fit(points, &template.scaled(side))?.inverse()?;
        // A large face shrinks on its way: a single sample would pick some pixels and skip the rest.
        let samples = (back.scale().round() as u32).clamp(1, SAMPLES_MAX);
        Some(Self { back, samples })
    }

    /// Whether all of that part of the square comes from within the picture.
    pub(super) fn is_within(&self, picture: &Picture, columns: Range<u32>, rows: Range<u32>) -> bool {
        let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
        [
            (columns.start, rows.start),
            (columns.end, rows.start),
            (columns.start, rows.end),
            (columns.end, rows.end),
        ]
        .into_iter()
        .map(|(column, row)| self.back.apply(Point { x: f64::from(column), y: f64::from(row) }))
        .all(|corner| (0.0..=width).contains(&corner.x) && (0.0..=height).contains(&corner.y))
    }

    /// Red, green and blue, 0..=255: the mean of a grid of samples over the pixel. Outside the picture is black.
    pub(super) fn colour(&self, picture: &Picture, column: u32, row: u32) -> [f32; 3] {
        let distance = 1.0 / f64::from(self.samples);
        let to_first = (distance - 1.0) / 2.0;
        let first = self.back.apply(Point { x: f64::from(column) + to_first, y: f64::from(row) + to_first });
        let grid = Grid { first, step: self.back.step(distance), side: self.samples };
        if grid.is_inside(picture) {
            grid.mean(|at| inside(picture, at))
        } else {
            grid.mean(|at| anywhere(picture, at))
        }
    }
}

/// Across and down, in 65,536ths of a pixel: whole pixels and the rest of them come apart without rounding.
#[derive(Clone, Copy)]
struct Position(i64, i64);

const PIXEL: i64 = 1 << 16;
/// Beyond every picture, and far from where sums of positions would overflow.
const FARTHEST: f64 = (1_u64 << 48) as f64;

impl Position {
    fn of(point: Point) -> Self {
        let fixed = |value: f64| (value * PIXEL as f64).clamp(-FARTHEST, FARTHEST) as i64;
        Self(fixed(point.x), fixed(point.y))
    }

    /// The whole pixels to the left and above.
    const fn pixel(self) -> (i64, i64) {
        (self.0.div_euclid(PIXEL), self.1.div_euclid(PIXEL))
    }

    /// How far it is from there, 0..1.
    fn beyond(self) -> (f32, f32) {
        let share = |value: i64| value.rem_euclid(PIXEL) as i32 as f32 / PIXEL as f32;
        (share(self.0), share(self.1))
    }
}

/// A square of `side` x `side` positions in a picture.
struct Grid {
    first: Point,
    /// From one to its neighbour; the next row begins at `(-y, x)` of it.
    step: Point,
    side: u32,
}

impl Grid {
    /// Whether every position is in the picture, so far from its edges that what [`inside`] reads is too: the pixels to the right
    /// and below, and a byte after them, however the steps are rounded.
    fn is_inside(&self, picture: &Picture) -> bool {
        let length = f64::from(self.side - 1);
        let (x, y) = (self.step.x * length, self.step.y * length);
        let least = |one: f64, other: f64| one.min(0.0) + other.min(0.0);
        let most = |one: f64, other: f64| one.max(0.0) + other.max(0.0);
        self.first.x + least(x, -y) >= 1.0
            && self.first.y + least(y, x) >= 1.0
            && self.first.x + most(x, -y) < f64::from(picture.width()) - 3.0
            && self.first.y + most(y, x) < f64::from(picture.height()) - 3.0
    }

    #[inline]
    fn mean(&self, sample: impl Fn(Position) -> [f32; 4]) -> [f32; 3] {
        let (mut row, step) = (Position::of(self.first), Position::of(self.step));
        let mut sum = [0.0_f32; 4];
        for _ in 0..self.side {
            let mut at = row;
            for _ in 0..self.side {
                for (sum, value) in sum.iter_mut().zip(sample(at)) {
                    *sum += value;
                }
                at = Position(at.0 + step.0, at.1 + step.1);
            }
            row = Position(row.0 - step.1, row.1 + step.0);
        }
        let share = 1.0 / (self.side * self.side) as f32;
        [sum[0] * share, sum[1] * share, sum[2] * share]
    }
}

/// Between four pixels that are there, and so is the byte after each: four bytes are one register, and the fourth value
/// means nothing.
#[inline]
fn inside(picture: &Picture, at: Position) -> [f32; 4] {
    let ((left, top), (across, down)) = (at.pixel(), at.beyond());
    let stride = picture.width() as usize * 3;
    let start = top as usize * stride + left as usize * 3;
    let pair = |start: usize| {
        let bytes = &picture.rgb()[start..start + 7];
        between([bytes[0], bytes[1], bytes[2], bytes[3]], [bytes[3], bytes[4], bytes[5], bytes[6]], across)
    };
    let (upper, lower) = (pair(start), pair(start + stride));
    std::array::from_fn(|channel| upper[channel] + (lower[channel] - upper[channel]) * down)
}

/// Between four pixels, any of which may be outside and is then black.
fn anywhere(picture: &Picture, at: Position) -> [f32; 4] {
    let ((left, top), (across, down)) = (at.pixel(), at.beyond());
    let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
    let pixel = |column: i64, row: i64| {
        let is_there = (0..width).contains(&column) && (0..height).contains(&row);
        let [red, green, blue] = if is_there { picture.pixel(column as u32, row as u32) } else { [0; 3] };
        [red, green, blue, 0]
    };
    let pair = |row: i64| between(pixel(left, row), pixel(left + 1, row), across);
    let (upper, lower) = (pair(top), pair(top + 1));
    std::array::from_fn(|channel| upper[channel] + (lower[channel] - upper[channel]) * down)
}

#[inline]
fn between(one: [u8; 4], other: [u8; 4], share: f32) -> [f32; 4] {
    std::array::from_fn(|channel| {
        let (one, other) = (f32::from(one[channel]), f32::from(other[channel]));
        one + (other - one) * share
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: u32, height: u32) -> Picture {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        Picture::new(width, height, (0..width * height * 3).map(|_| next()).collect())
            .expect("the buffer fits")
    }

    #[test]
    fn the_quick_way_inside_gives_what_the_careful_one_does() {
        let picture = noise(40, 30);
        for (x, y) in [(0.0, 0.0), (3.25, 7.5), (20.9, 11.0), (36.5, 26.75)] {
            let at = Position::of(Point { x, y });
            let (quick, careful) = (inside(&picture, at), anywhere(&picture, at));
            assert!(quick[..3].iter().zip(careful).all(|(one, other)| (one - other).abs() < 1e-3), "{x} {y}");
        }
    }

    #[test]
    fn a_position_between_four_pixels_has_a_share_of_each() {
        let rgb = [[0_u8, 9, 7], [100, 9, 7], [40, 9, 7], [200, 9, 7]].concat();
        let picture = Picture::new(2, 2, rgb).expect("the buffer fits");
        let at = |x: f64, y: f64| anywhere(&picture, Position::of(Point { x, y }));
        assert!((at(0.5, 0.0)[0] - 50.0).abs() < 1e-3);
        assert!((at(0.25, 0.5)[0] - 52.5).abs() < 1e-3);
        assert!((at(-0.75, 0.0)[1] - 2.25).abs() < 1e-3, "three quarters of it are outside");
        assert!(at(-1.0, 0.0)[..3].iter().all(|value| value.abs() < 1e-6));
    }

    #[test]
    fn a_turned_large_face_is_the_mean_of_what_lies_under_each_pixel() {
        let picture = noise(600, 600);
        let (cosine, sine) = (4.0 * 0.866, 4.0 * 0.5);
        let points = Template::ARCFACE.scaled(112).map(|point| Point {
            x: 220.0 + cosine * point.x - sine * point.y,
            y: 20.0 + sine * point.x + cosine * point.y,
        });
        let warp = Warp::of(&points, &Template::ARCFACE, 112).expect("the points are a face's");
        assert_eq!(warp.samples, 4);
        for (column, row) in [(0, 0), (111, 0), (56, 70), (17, 93), (111, 111)] {
            let mut mean = [0.0; 3];
            for sample in 0..16 {
                let offset = |step: u32| f64::from(step) / 4.0 - 0.375;
                let (x, y) = (f64::from(column) + offset(sample % 4), f64::from(row) + offset(sample / 4));
                let colour = anywhere(&picture, Position::of(warp.back.apply(Point { x, y })));
                mean.iter_mut().zip(colour).for_each(|(mean, value)| *mean += value / 16.0);
            }
            let found = warp.colour(&picture, column, row);
            assert!(
                found.iter().zip(mean).all(|(one, other)| (one - other).abs() < 0.1),
                "{found:?} {mean:?}"
            );
        }
    }

    #[test]
    fn faces_at_every_edge_of_the_picture_are_read_without_a_step_outside() {
        let pictures = [(64, 48), (1, 1), (2, 2), (3, 5)].map(|(width, height)| noise(width, height));
        for (picture, size) in
            pictures.iter().flat_map(|picture| [8.0, 30.0, 56.0, 1e15].map(|size| (picture, size)))
        {
            for (x, y) in [(-20.0, -20.0), (50.0, -20.0), (-20.0, 40.0), (50.0, 40.0), (10.0, 5.0)] {
                let at = |across: f64, down: f64| Point { x: x + across * size, y: y + down * size };
                let points = [at(0.3, 0.4), at(0.7, 0.38), at(0.5, 0.6), at(0.35, 0.8), at(0.65, 0.8)];
                let warp = Warp::of(&points, &Template::ARCFACE, 112).expect("the points are a face's");
                for at in 0..112 * 112 {
                    let colour = warp.colour(picture, at % 112, at / 112);
                    assert!(colour.iter().all(|value| (-0.01..255.01).contains(value)), "{colour:?}");
                }
            }
        }
    }
}
