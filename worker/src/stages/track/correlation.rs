//! How alike two patches are, several pixels at a time: a face is looked for in some hundred places of every frame.

use super::grey::{Grey, Patch};

/// Sums are formed in so many parts, side by side, as processors do it fast.
const LANES: usize = 8;

/// Sums over a patch, and over its products with another one of its size.
#[derive(Default)]
struct Sums {
    values: [f32; LANES],
    squares: [f32; LANES],
    products: [f32; LANES],
}

impl Sums {
    fn of(grey: &Grey, patch: Patch, other: &Grey, other_patch: Patch) -> Self {
        let mut sums = Self::default();
        for (row, other_row) in grey.rows(patch).zip(other.rows(other_patch)) {
            let ((wide, rest), (other_wide, other_rest)) = (row.as_chunks(), other_row.as_chunks());
            wide.iter().zip(other_wide).for_each(|(one, other)| sums.add(one, other));
            sums.add(&padded(rest), &padded(other_rest));
        }
        sums
    }

    fn add(&mut self, one: &[f32; LANES], other: &[f32; LANES]) {
        for lane in 0..LANES {
            self.values[lane] += one[lane];
            self.squares[lane] += one[lane] * one[lane];
            self.products[lane] += one[lane] * other[lane];
        }
    }
}

fn padded(rest: &[f32]) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    lanes
}

/// A patch that is compared with many others of its size.
pub(super) struct Pattern<'a> {
    grey: &'a Grey,
    patch: Patch,
    count: f32,
    sum: f32,
    /// Times `count`.
    variance: f32,
}

impl<'a> Pattern<'a> {
    pub(super) fn new(grey: &'a Grey, patch: Patch) -> Self {
        let sums = Sums::of(grey, patch, grey, patch);
        let count = (patch.width * patch.height) as f32;
        let (sum, variance) = spread(&sums, count);
        Self { grey, patch, count, sum, variance }
    }

    /// Pearson's correlation with the patch whose corner is there, -1..=1. Without any structure in either it is 1, in
    /// one of them 0.
    pub(super) fn correlation(&self, other: &Grey, (x, y): (usize, usize)) -> f32 {
        let sums = Sums::of(other, Patch { x, y, ..self.patch }, self.grey, self.patch);
        let (sum, variance) = spread(&sums, self.count);
        // Less than one step of brightness: noise correlates with nothing.
        match (self.variance < self.count, variance < self.count) {
            (true, true) => return 1.0,
            (true, false) | (false, true) => return 0.0,
            (false, false) => {}
        }
        let products: f32 = sums.products.iter().sum();
        (products - self.sum * sum / self.count) / (self.variance * variance).sqrt()
    }
}

/// The sum, and the variance times the count.
fn spread(sums: &Sums, count: f32) -> (f32, f32) {
    let (sum, squares) = (sums.values.iter().sum::<f32>(), sums.squares.iter().sum::<f32>());
    (sum, squares - sum * sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::Picture;

    /// One grey pixel for each of the picture's.
    fn grey(of: impl Fn(u32, u32) -> u8) -> Grey {
        let places = (0..60).flat_map(|y| (0..100).map(move |x| (x, y)));
        let rgb = places.flat_map(|(x, y)| [of(x, y); 3]).collect();
        Grey::of(&Picture::new(100, 60, rgb).expect("it fits"), Vec::new())
    }

    fn texture(x: u32, y: u32) -> u8 {
        ((x * x * 7 + y * y * 13 + x * y).wrapping_mul(2_654_435_761) >> 24) as u8
    }

    #[test]
    fn a_patch_is_like_itself_wherever_it_went_and_however_bright_it_became() {
        let then = grey(texture);
        let now = grey(|x, y| texture(x.saturating_sub(9), y.saturating_sub(4)) / 2 + 40);
        // Of a width that is no multiple of the lanes.
        let pattern = Pattern::new(&then, Patch { x: 20, y: 10, width: 37, height: 30 });
        assert!(pattern.correlation(&now, (29, 14)) > 0.999);
        assert!(pattern.correlation(&now, (29, 15)).abs() < 0.3);
    }

    #[test]
    fn nothing_is_like_nothing_and_unlike_something() {
        let (plain, darker, textured) = (grey(|_, _| 200), grey(|_, _| 30), grey(texture));
        let pattern = Pattern::new(&plain, Patch { x: 0, y: 0, width: 50, height: 50 });
        assert!((pattern.correlation(&darker, (3, 5)) - 1.0).abs() < f32::EPSILON);
        assert!(pattern.correlation(&textured, (3, 5)).abs() < 0.1);
    }
}
