//! Whether the mouth is to be seen, or is behind a mask, a scarf or a phone.
//!
//! Gradients' directions in cells (root HOG: Dalal and Triggs 2005; Arandjelović and Zisserman 2012) around the mouth of an
//! aligned face, and a logistic regression on them. It was fitted on half of the people of LFW, with masks, scarves, phones
//! and hands drawn over their mouths and without; docs/accuracy.md says how it does on people and real masks it never saw.

mod weights;

use std::f32::consts::PI;
use std::ops::Range;

use self::weights::{BIAS, WEIGHTS};

/// The part of the 112 pixels wide `ArcFace` square that is looked at.
pub(super) const COLUMNS: Range<u32> = 32..80;
pub(super) const ROWS: Range<u32> = 60..108;
const CELL: u32 = 8;
const CELLS: usize = 6;
/// Directions; those that differ by half a turn count as one.
const BINS: usize = 8;
/// Less contrast than this is noise. Luminance for each pixel.
const FLAT: f32 = 0.5;

/// How likely the mouth is to be seen, 0..=1. `luminance` gives that of a pixel of the square, 0..=255; it is asked for one
/// pixel beyond the part as well.
pub(super) fn visibility(luminance: impl Fn(u32, u32) -> f32) -> f64 {
    let cells = histograms(luminance);
    let strength = cells.iter().flatten().sum::<f32>() / cells.len() as f32;
    let covered = BIAS
        + cells
            .iter()
            .flatten()
            .zip(WEIGHTS.iter().flatten())
            .map(|(found, weight)| weight * (found / (strength + FLAT)).sqrt())
            .sum::<f32>();
    1.0 / (1.0 + f64::from(covered).exp())
}

/// Of each cell, row by row, the mean strength of its gradients by direction.
fn histograms(luminance: impl Fn(u32, u32) -> f32) -> [[f32; BINS]; CELLS * CELLS] {
    let mut cells = [[0.0; BINS]; CELLS * CELLS];
    for (row, column) in ROWS.flat_map(|row| COLUMNS.map(move |column| (row, column))) {
        let across = (luminance(column + 1, row) - luminance(column - 1, row)) / 2.0;
        let down = (luminance(column, row + 1) - luminance(column, row - 1)) / 2.0;
        let strength = across.hypot(down) / (CELL * CELL) as f32;
        // Between the two nearest directions.
        let direction = down.atan2(across).rem_euclid(PI) * BINS as f32 / PI;
        let share = direction.fract();
        let nearest = direction as usize % BINS;
        let cell = (row - ROWS.start) / CELL * CELLS as u32 + (column - COLUMNS.start) / CELL;
        let histogram = &mut cells[cell as usize];
        histogram[nearest] += strength * (1.0 - share);
        histogram[(nearest + 1) % BINS] += strength * share;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern of integers, so that whoever fits anew can compare: channels `v`, `3 v + 17` and `255 - v`.
    fn pattern(seed: u32) -> impl Fn(u32, u32) -> f32 {
        move |x, y| {
            let value = ((x * seed * 7 + y * (seed + 3) * 5 + ((x * y * seed) >> 4)) / (1 + seed % 5)) & 255;
            let (red, green, blue) = (value, (value * 3 + 17) & 255, 255 - value);
            0.299 * red as f32 + 0.587 * green as f32 + 0.114 * blue as f32
        }
    }

    /// From the program that fitted the weights.
    #[test]
    fn the_score_is_that_of_the_fit() {
        for (seed, score) in
            [(1, 2.957_96), (2, 2.981_22), (3, 3.745_93), (4, 3.623_75), (5, 2.173_96), (6, 2.776_37)]
        {
            let seen = visibility(pattern(seed));
            let expected = 1.0 / (1.0 + f64::exp(score));
            assert!((seen - expected).abs() < 1e-3 * expected, "{seed}: {seen} {expected}");
        }
    }

    #[test]
    fn nothing_to_see_is_no_mouth() {
        assert!(visibility(|_, _| 90.0) < 0.01);
    }
}
