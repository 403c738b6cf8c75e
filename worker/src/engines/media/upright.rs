//! How a stored picture lies relative to the upright one: quarter turns and mirroring.

use std::f64::consts::FRAC_PI_2;

/// One of the eight ways: a stored position (x, y) shows at (`along.0` x + `across.0` y, `along.1` x + `across.1` y).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Upright {
    along: (i8, i8),
    across: (i8, i8),
}

impl Upright {
    pub(super) const AS_STORED: Self = Self { along: (1, 0), across: (0, 1) };

    /// From the 36 bytes of a display matrix (nine 16.16 or 2.30 numbers in the machine's byte order): the quarter turn
    /// nearest to its angle, mirrored when it mirrors. `None` when it is no matrix.
    pub(super) fn from_display_matrix(bytes: &[u8]) -> Option<Self> {
        let entry = |index: usize| {
            let four = bytes.get(index * 4..index * 4 + 4)?.try_into().ok()?;
            Some(f64::from(i32::from_ne_bytes(four)))
        };
        let (a, b, c, d) = (entry(0)?, entry(1)?, entry(3)?, entry(4)?);
        let determinant = a * d - b * c;
        if determinant == 0.0 {
            return None;
        }
        let along = match (b.atan2(a) / FRAC_PI_2).round() as i32 {
            0 => (1, 0),
            1 => (0, 1),
            -1 => (0, -1),
            _ => (-1, 0),
        };
        let across = if determinant > 0.0 { (-along.1, along.0) } else { (along.1, -along.0) };
        Some(Self { along, across })
    }

    /// Whether width and height change places.
    pub(super) const fn swaps_sides(self) -> bool {
        self.along.0 == 0
    }

    /// The upright size of a stored one.
    pub(super) const fn size(self, width: u32, height: u32) -> (u32, u32) {
        if self.swaps_sides() { (height, width) } else { (width, height) }
    }

    /// Fills `target` with the upright packed picture of a stored one: `width` x `height` RGB pixels in rows that
    /// start `stride` bytes apart.
    pub(super) fn copy(
        self,
        source: &[u8],
        stride: usize,
        (width, height): (u32, u32),
        target: &mut Vec<u8>,
    ) {
        let (width, height) = (width as usize, height as usize);
        target.clear();
        if self == Self::AS_STORED {
            source.chunks(stride).take(height).for_each(|row| target.extend_from_slice(&row[..width * 3]));
            return;
        }
        target.resize(width * height * 3, 0);
        // The inverse of a turn is its transpose, so a step to the right in the upright picture is (along.0, across.0)
        // in the stored one, and a step down (along.1, across.1).
        let step = |x: i8, y: i8| isize::from(x) * 3 + isize::from(y) * stride as isize;
        let right = step(self.along.0, self.across.0);
        let down = step(self.along.1, self.across.1);
        let from_right = self.along.0 < 0 || self.along.1 < 0;
        let from_bottom = self.across.0 < 0 || self.across.1 < 0;
        let start = if from_right { (width - 1) * 3 } else { 0 }
            + if from_bottom { (height - 1) * stride } else { 0 };
        let row_pixels = if self.swaps_sides() { height } else { width };
        for (y, row) in target.chunks_exact_mut(row_pixels * 3).enumerate() {
            let mut at = start as isize + y as isize * down;
            for pixel in row.chunks_exact_mut(3) {
                pixel.copy_from_slice(&source[at as usize..at as usize + 3]);
                at += right;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(a: i32, b: i32, c: i32, d: i32) -> Vec<u8> {
        let one = 1 << 16;
        [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]
            .iter()
            .flat_map(|v: &i32| v.to_ne_bytes())
            .collect()
    }

    /// Two rows of three pixels, numbered, with a padded stride.
    fn shown(upright: Upright) -> Vec<u8> {
        let stored: Vec<u8> = [1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 4, 4, 4, 5, 5, 5, 6, 6, 6, 0].to_vec();
        let mut target = Vec::new();
        upright.copy(&stored, 10, (3, 2), &mut target);
        target.iter().step_by(3).copied().collect()
    }

    #[test]
    fn a_quarter_turn_clockwise_puts_the_left_column_on_top() {
        let upright = Upright::from_display_matrix(&matrix(0, 1, -1, 0)).expect("a matrix");
        assert_eq!((upright.size(3, 2), shown(upright)), ((2, 3), vec![4, 1, 5, 2, 6, 3]));
    }

    #[test]
    fn a_quarter_turn_the_other_way_puts_the_right_column_on_top() {
        let upright = Upright::from_display_matrix(&matrix(0, -1, 1, 0)).expect("a matrix");
        assert_eq!(shown(upright), vec![3, 6, 2, 5, 1, 4]);
    }

    #[test]
    fn a_half_turn_and_the_mirrors_are_told_apart() {
        let shown_by =
            |a, b, c, d| shown(Upright::from_display_matrix(&matrix(a, b, c, d)).expect("a matrix"));
        assert_eq!(shown_by(1, 0, 0, 1), vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(shown_by(-1, 0, 0, -1), vec![6, 5, 4, 3, 2, 1]);
        assert_eq!(shown_by(-1, 0, 0, 1), vec![3, 2, 1, 6, 5, 4]);
        assert_eq!(shown_by(1, 0, 0, -1), vec![4, 5, 6, 1, 2, 3]);
        assert_eq!(shown_by(0, 1, 1, 0), vec![1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        assert_eq!(Upright::from_display_matrix(&[0; 12]), None);
        assert_eq!(Upright::from_display_matrix(&[0; 36]), None);
    }
}
