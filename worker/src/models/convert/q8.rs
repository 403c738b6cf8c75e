//! Blocks of 32 signed bytes and a scale: ggml's `q8_0`.

use half::f16;

/// Values in a block.
pub(super) const BLOCK: usize = 32;

/// Appends a block: the scale as a half float, then each value over the scale, rounded half away from zero. The
/// operations and their precision are those of ggml's reference, so the bytes are too.
pub(super) fn quantise(values: &[f32; BLOCK], out: &mut Vec<u8>) {
    let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    out.extend_from_slice(&f16::from_f32(scale).to_le_bytes());
    out.extend(values.iter().map(|value| ((value * inverse).round() as i8).cast_unsigned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(values: &[f32; BLOCK]) -> (f32, Vec<i8>) {
        let mut bytes = Vec::new();
        quantise(values, &mut bytes);
        assert_eq!(bytes.len(), 2 + BLOCK);
        let scale = f16::from_le_bytes([bytes[0], bytes[1]]).to_f32();
        (scale, bytes[2..].iter().map(|byte| byte.cast_signed()).collect())
    }

    #[test]
    fn the_largest_value_becomes_127_and_halves_round_away_from_zero() {
        let mut values = [0.0; BLOCK];
        values[..5].copy_from_slice(&[127.0, -2.5, 2.5, 1.4, -127.0]);
        let (scale, bytes) = block(&values);
        assert!((scale - 1.0).abs() < f32::EPSILON);
        assert_eq!(bytes[..6], [127, -3, 3, 1, -127, 0]);
    }

    #[test]
    fn a_block_of_zeros_stays_zero() {
        assert_eq!(block(&[0.0; BLOCK]), (0.0, vec![0; BLOCK]));
    }
}
