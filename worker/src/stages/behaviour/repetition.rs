//! A clip that repeats itself: a loop, or a piece played to and fro, makes the very same movements again, which nobody does.

use super::Track;
use super::series::Series;

/// Enough for a movement's shape.
const RATE: f64 = 12.5;
/// Seconds of movement that are compared.
const PIECE: f64 = 1.2;
/// The shortest loop, in seconds.
const LAG_MIN: f64 = 0.6;
/// Of the clip's length, what is compared with all the rest of it; the time is quadratic in it. Seconds.
const LOOKED_AT: f64 = 20.0;
/// A change that weighs 1, in multiples of the eyes' distance.
const UNIT: f64 = 0.1;
/// In [`UNIT`]s from one sample to the next: a cut, not a movement. One cut is like another, so pieces with cuts don't count.
const CUT: f64 = 3.0;
/// Mean square, in [`UNIT`]s, below which a piece is too still to be known again.
const STILL: f64 = 0.15;

/// The least difference between two pieces of the clip, played forwards or backwards: their squared distance over the sum
/// of what moves in each. 0 for the very same movements, about 1 for unrelated ones; `None` when too little moves.
pub(super) fn least_difference(track: &Track) -> Option<f64> {
    let sampled = |values: &[f64]| Series::sampled(&track.seconds, values, RATE).values;
    let features = [&track.mouth, &track.lips, &track.eyes, &track.right, &track.down, &track.size];
    let columns = features.map(|values| sampled(values));
    let count = columns[0].len().min((LOOKED_AT * RATE) as usize);
    let rows: Vec<[f64; 6]> =
        (0..count).map(|index| std::array::from_fn(|feature| columns[feature][index] / UNIT)).collect();
    let (piece, lag_min) = ((PIECE * RATE) as usize, (LAG_MIN * RATE) as usize);
    let starts = count.checked_sub(piece)?;
    let movement: Vec<f64> = (0..=starts).map(|start| movement(&rows[start..start + piece])).collect();
    let counts = |start: &usize| {
        let whole = &rows[*start..*start + piece];
        movement[*start] >= piece as f64 * STILL && !whole.windows(2).any(|two| is_cut(&two[0], &two[1]))
    };
    let pieces: Vec<usize> = (0..=starts).filter(counts).collect();
    let pairs = pieces.iter().enumerate().flat_map(|(index, one)| {
        pieces[index..].iter().filter(move |other| **other - one >= lag_min).map(move |other| (*one, *other))
    });
    pairs
        .map(|(one, other)| {
            let (first, second) = (&rows[one..one + piece], &rows[other..other + piece]);
            let forwards = difference(first, second.iter());
            // A piece is its own mirror image where the clip turns round.
            let backwards =
                if other - one >= piece { difference(first, second.iter().rev()) } else { f64::INFINITY };
            forwards.min(backwards) / (movement[one] + movement[other])
        })
        .min_by(f64::total_cmp)
}

/// Only where the head is tells: mouths and eyes move faster than that.
fn is_cut(one: &[f64; 6], next: &[f64; 6]) -> bool {
    one.iter().zip(next).skip(3).any(|(one, next)| (one - next).abs() > CUT)
}

fn difference<'a>(one: &[[f64; 6]], other: impl Iterator<Item = &'a [f64; 6]>) -> f64 {
    one.iter().flatten().zip(other.flatten()).map(|(one, other)| (one - other).powi(2)).sum()
}

/// The squared distance of a piece from its own mean.
fn movement(piece: &[[f64; 6]]) -> f64 {
    let mean: [f64; 6] =
        std::array::from_fn(|feature| piece.iter().map(|row| row[feature]).sum::<f64>() / piece.len() as f64);
    difference(piece, std::iter::repeat_n(&mean, piece.len()))
}
