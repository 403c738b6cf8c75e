//! Still images: any common format, from its bytes, to an upright packed RGB picture.

mod scaled;
mod spare;

use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use countersign_shared::domain::{MediaFormat, SNIFF_BYTES};
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits, RgbImage};

use super::{MediaError, MediaLimits};
use crate::engines::Picture;
use crate::engines::resample::{Region, Resampler};

/// Uploads are bounded far below this; a larger file got here by another way.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Scratch memory of a decoder for each pixel: 16-bit RGBA out, and as much again inside.
const DECODER_BYTES_PER_PIXEL: u64 = 16;

/// A picture and what it was before it was reduced.
#[derive(Debug, Clone)]
pub struct DecodedImage {
    /// Upright, its longest side at most [`MediaLimits::image_side`].
    pub picture: Picture,
    /// Pixels of the file's image after its orientation was applied.
    pub width: u32,
    pub height: u32,
}

impl DecodedImage {
    /// Leaves its memory to the next image.
    pub fn recycle(self) {
        spare::give(self.picture.into_rgb());
    }
}

/// Decodes the file's first image, turns it upright, lays transparency on white and reduces it once if it is large.
pub fn decode_image(path: &Path, limits: &MediaLimits) -> Result<DecodedImage, MediaError> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(MediaError::Unreadable("the image file is too large"));
    }
    let bytes = fs::read(path)?;
    // The decoders are pure Rust: on a file they did not foresee they panic at worst.
    catch_unwind(AssertUnwindSafe(|| decode_bytes(&bytes, limits)))
        .unwrap_or(Err(MediaError::Unreadable("the image can't be decoded")))
}

fn decode_bytes(bytes: &[u8], limits: &MediaLimits) -> Result<DecodedImage, MediaError> {
    let format = image_format(bytes).ok_or(MediaError::Unsupported("the file is not an image"))?;
    if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
        return Err(MediaError::Unreadable("the image is cut short"));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut bounds = Limits::no_limits();
    bounds.max_alloc = Some(limits.image_pixels.saturating_mul(DECODER_BYTES_PER_PIXEL));
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().map_err(|error| unreadable(&error))?;

    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > limits.image_pixels {
        return Err(MediaError::TooManyPixels { pixels, limit: limits.image_pixels });
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let scaled = (format == ImageFormat::Jpeg)
        .then(|| scaled::decode(bytes, (width, height), limits.image_side, limits.image_pixels * 3));
    let stored = match scaled.flatten() {
        Some(picture) => picture,
        None => whole(decoder).map_err(|error| unreadable(&error))?,
    };

    let reduced = reduce(stored, limits.image_side)?;
    let mut upright = DynamicImage::ImageRgb8(reduced);
    upright.apply_orientation(orientation);
    let upright = upright.into_rgb8();
    let (width, height) = if turns_sideways(orientation) { (height, width) } else { (width, height) };
    let picture = Picture::new(upright.width(), upright.height(), upright.into_raw())
        .ok_or(MediaError::Unreadable("the image is empty"))?;
    Ok(DecodedImage { picture, width, height })
}

fn image_format(bytes: &[u8]) -> Option<ImageFormat> {
    match MediaFormat::sniff(&bytes[..bytes.len().min(SNIFF_BYTES)])? {
        MediaFormat::Jpeg => Some(ImageFormat::Jpeg),
        MediaFormat::Png => Some(ImageFormat::Png),
        MediaFormat::Webp => Some(ImageFormat::WebP),
        MediaFormat::Gif => Some(ImageFormat::Gif),
        MediaFormat::Bmp => Some(ImageFormat::Bmp),
        MediaFormat::Tiff => Some(ImageFormat::Tiff),
        _ => None,
    }
}

/// Whether the end marker follows the first scan. The decoder fills what is missing with grey, which must not pass
/// for a photo.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xFF, marker]) = bytes.get(at..at + 2) {
        match marker {
            0xDA => return bytes[at..].windows(2).any(|pair| pair == [0xFF, 0xD9]),
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
    // Rubbish between the segments: some writers leave it, and the decoder decides.
    at < bytes.len() && bytes[at..].windows(2).any(|pair| pair == [0xFF, 0xD9])
}

fn whole(decoder: impl ImageDecoder) -> ImageResult<RgbImage> {
    if decoder.color_type() != ColorType::Rgb8 {
        return Ok(flatten(DynamicImage::from_decoder(decoder)?));
    }
    let (width, height) = decoder.dimensions();
    // Bounded by the limit on pixels, which was looked at before.
    let mut rgb = spare::take(decoder.total_bytes() as usize);
    decoder.read_image(&mut rgb)?;
    Ok(RgbImage::from_raw(width, height, rgb).expect("the decoder said how many bytes it has, this is a bug"))
}

fn flatten(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let rgba = image.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [red, green, blue, alpha] = rgba.get_pixel(x, y).0;
        let on_white = |channel: u8| {
            let (channel, alpha) = (u32::from(channel), u32::from(alpha));
            ((channel * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        image::Rgb([on_white(red), on_white(green), on_white(blue)])
    })
}

fn reduce(image: RgbImage, side: u32) -> Result<RgbImage, MediaError> {
    let (width, height) = image.dimensions();
    let longest = width.max(height);
    if longest <= side {
        return Ok(image);
    }
    let scaled =
        |length: u32| (u64::from(length) * u64::from(side)).div_ceil(u64::from(longest)).max(1) as u32;
    let (target_width, target_height) = (scaled(width), scaled(height));
    let mut reduced = vec![0; target_width as usize * target_height as usize * 3];
    let region = Region { left: 0.0, top: 0.0, width: f64::from(width), height: f64::from(height) };
    Resampler::default()
        .resample((image.as_raw(), (width, height)), region, (&mut reduced, (target_width, target_height)))
        .map_err(|_| MediaError::Unreadable("the image can't be reduced"))?;
    RgbImage::from_raw(target_width, target_height, reduced)
        .ok_or(MediaError::Unreadable("the image is empty"))
}

const fn turns_sideways(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

fn unreadable(error: &image::ImageError) -> MediaError {
    match error {
        image::ImageError::Limits(_) => MediaError::Unreadable("decoding the image needs too much memory"),
        image::ImageError::Unsupported(_) => {
            MediaError::Unreadable("the image uses an unknown variant of its format")
        }
        image::ImageError::Decoding(_)
        | image::ImageError::Encoding(_)
        | image::ImageError::Parameter(_)
        | image::ImageError::IoError(_) => MediaError::Unreadable("the image is damaged"),
    }
}

#[cfg(test)]
mod tests;
