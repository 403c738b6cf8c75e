//! Large JPEG files at a half, a quarter or an eighth of their size, straight from their coefficients.

use std::io::Cursor;

use image::RgbImage;
use jpeg_decoder::{Decoder, PixelFormat};

/// Of the side that is wanted, the least that reading a file at a fraction of its size must leave.
const SIDE_MIN: (u32, u32) = (3, 4);

/// The picture at a fraction of its size, its longest side still at least three quarters of `side`. `None` where the file is
/// not that large, or is better read whole: what is wrong with it, or unusual, the other decoder says or does.
pub(super) fn decode(bytes: &[u8], (width, height): (u32, u32), side: u32, memory: u64) -> Option<RgbImage> {
    let least = side * SIDE_MIN.0 / SIDE_MIN.1;
    if width.max(height) < 2 * least {
        return None;
    }
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_max_decoding_buffer_size(usize::try_from(memory).unwrap_or(usize::MAX));
    decoder.read_info().ok()?;
    let stored = decoder.info()?;
    if stored.pixel_format != PixelFormat::RGB24
        || (stored.width.into(), stored.height.into()) != (width, height)
    {
        return None;
    }
    // Both sides shrink alike, so that what is asked of the longest is asked of either.
    let wanted =
        |length: u32| u16::try_from(u64::from(length) * u64::from(least) / u64::from(width.max(height))).ok();
    let (width, height) = decoder.scale(wanted(width)?.max(1), wanted(height)?.max(1)).ok()?;
    let pixels = decoder.decode().ok()?;
    RgbImage::from_raw(width.into(), height.into(), pixels)
}
