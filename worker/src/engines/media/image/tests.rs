use std::io::Write;

use image::codecs::gif::GifEncoder;
use image::{Delay, ImageBuffer, ImageEncoder, Luma, Rgba, RgbaImage};
use tempfile::NamedTempFile;

use super::*;
use crate::engines::media::fixtures::limits;

/// Left half red, right half blue, the top left corner green.
fn flag() -> RgbImage {
    RgbImage::from_fn(64, 32, |x, y| {
        image::Rgb(if x < 16 && y < 16 {
            [0, 255, 0]
        } else if x < 32 {
            [255, 0, 0]
        } else {
            [0, 0, 255]
        })
    })
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    file
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), format).expect("encoded");
    bytes
}

fn decoded(bytes: &[u8]) -> Result<DecodedImage, MediaError> {
    decode_image(file(bytes).path(), &limits())
}

fn near(pixel: [u8; 3], wanted: [u8; 3]) -> bool {
    pixel.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 40)
}

#[test]
fn every_format_gives_the_same_picture() {
    let image = DynamicImage::ImageRgb8(flag());
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        let image = decoded(&encoded(&image, format)).expect("an image");
        assert_eq!((image.width, image.height), (64, 32), "{format:?}");
        assert!(near(image.picture.pixel(4, 4), [0, 255, 0]), "{format:?}");
        assert!(near(image.picture.pixel(60, 28), [0, 0, 255]), "{format:?}");
    }
}

#[test]
fn all_eight_exif_orientations_are_turned_upright() {
    let corners = |picture: &Picture| {
        let (right, bottom) = (picture.width() - 4, picture.height() - 4);
        let green = [(4, 4), (right, 4), (right, bottom), (4, bottom)]
            .into_iter()
            .position(|(x, y)| near(picture.pixel(x, y), [0, 255, 0]));
        (picture.width(), picture.height(), green)
    };
    // Where the stored top left corner is seen, clockwise from the top left.
    let seen = [0, 1, 2, 3, 0, 1, 2, 3];
    for orientation in 1_u8..=8 {
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        let mut bytes = encoded(&DynamicImage::ImageRgb8(flag()), ImageFormat::Jpeg);
        let length = (exif.len() as u16 + 2).to_be_bytes();
        let segment = [&[0xFF, 0xE1, length[0], length[1]], exif.as_slice()].concat();
        bytes.splice(2..2, segment);
        let image = decoded(&bytes).expect("an image");
        let size = if orientation < 5 { (64, 32) } else { (32, 64) };
        assert_eq!((image.width, image.height), size);
        let wanted = (size.0, size.1, Some(seen[usize::from(orientation) - 1]));
        assert_eq!(corners(&image.picture), wanted, "orientation {orientation}");
    }
}

#[test]
fn transparency_is_laid_on_white() {
    let image = RgbaImage::from_pixel(8, 8, Rgba([0, 0, 0, 0]));
    let image = decoded(&encoded(&DynamicImage::ImageRgba8(image), ImageFormat::Png)).expect("an image");
    assert_eq!(image.picture.pixel(3, 3), [255, 255, 255]);
}

#[test]
fn sixteen_bit_grey_becomes_rgb() {
    let image = ImageBuffer::<Luma<u16>, _>::from_pixel(8, 8, Luma([0x8000]));
    let image = decoded(&encoded(&DynamicImage::ImageLuma16(image), ImageFormat::Png)).expect("an image");
    assert_eq!(image.picture.pixel(0, 0), [128, 128, 128]);
}

#[test]
fn the_first_frame_of_an_animation_counts() {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for colour in [[200, 0, 0, 255], [0, 200, 0, 255]] {
        let frame = RgbaImage::from_pixel(8, 8, Rgba(colour));
        encoder
            .encode_frame(image::Frame::from_parts(frame, 0, 0, Delay::from_numer_denom_ms(100, 1)))
            .expect("encoded");
    }
    drop(encoder);
    assert_eq!(decoded(&bytes).expect("an image").picture.pixel(1, 1), [200, 0, 0]);
}

#[test]
fn a_truncated_image_is_unreadable() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp]
    {
        let noise =
            RgbImage::from_fn(96, 96, |x, y| image::Rgb([(x * 31 + y * 17) as u8, (x * y) as u8, y as u8]));
        let whole = encoded(&DynamicImage::ImageRgb8(noise), format);
        for part in [whole.len() * 2 / 3, whole.len() / 2, 40] {
            let result = decoded(&whole[..part]);
            assert!(matches!(result, Err(MediaError::Unreadable(_))), "{format:?} cut to {part}: {result:?}");
        }
    }
}

#[test]
fn the_header_is_refused_before_pixels_are_decoded() {
    // A PNG of 30,000 x 30,000 pixels with no data at all.
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(&[0; 3], 1, 1, image::ExtendedColorType::Rgb8)
        .expect("encoded");
    let header =
        [&b"IHDR"[..], &30_000_u32.to_be_bytes(), &30_000_u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    bytes.splice(12..29, header.iter().copied());
    let mut crc = flate2::Crc::new();
    crc.update(&header);
    bytes.splice(29..33, crc.sum().to_be_bytes());
    let result = decoded(&bytes).map(|image| image.width);
    assert_eq!(result, Err(MediaError::TooManyPixels { pixels: 900_000_000, limit: 50_000_000 }));
}

#[test]
fn a_large_image_is_reduced_once_and_its_size_reported() {
    let image = RgbImage::from_pixel(4000, 3000, image::Rgb([10, 200, 30]));
    let image = decoded(&encoded(&DynamicImage::ImageRgb8(image), ImageFormat::Png)).expect("an image");
    assert_eq!((image.width, image.height), (4000, 3000));
    assert_eq!((image.picture.width(), image.picture.height()), (2048, 1536));
    assert!(near(image.picture.pixel(1000, 1000), [10, 200, 30]));
}

#[test]
fn a_large_jpeg_is_read_at_half_its_size_and_looks_the_same() {
    let large = RgbImage::from_fn(4032, 3024, |x, y| {
        image::Rgb([(x / 16) as u8, (y / 12) as u8, (x / 400 * 28) as u8])
    });
    let bytes = encoded(&DynamicImage::ImageRgb8(large.clone()), ImageFormat::Jpeg);
    let half = decoded(&bytes).expect("an image");
    assert_eq!((half.width, half.height), (4032, 3024));
    assert_eq!((half.picture.width(), half.picture.height()), (2016, 1512));
    for (x, y) in [(3, 3), (500, 200), (1007, 1500), (2010, 700)] {
        assert!(near(half.picture.pixel(x, y), large.get_pixel(2 * x, 2 * y).0), "{x} {y}");
    }
    // Grey files, and those that would become too small, are read whole.
    let grey = encoded(
        &DynamicImage::ImageLuma8(ImageBuffer::from_pixel(4032, 3024, Luma([77]))),
        ImageFormat::Jpeg,
    );
    assert!(near(decoded(&grey).expect("an image").picture.pixel(9, 9), [77; 3]));
    let small = encoded(&DynamicImage::ImageRgb8(RgbImage::new(2900, 2000)), ImageFormat::Jpeg);
    assert_eq!(decoded(&small).expect("an image").picture.width(), 2048);
}

#[test]
fn what_is_not_an_image_is_unsupported() {
    for bytes in [&b""[..], b"hello", b"\0\0\0\x18ftypisom", b"%PDF-1.7"] {
        assert!(matches!(decoded(bytes), Err(MediaError::Unsupported(_))));
    }
}
