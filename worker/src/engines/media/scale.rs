//! From a decoder's frame to packed upright RGB of the working size, in one conversion and one copy.

use ffmpeg_next::color::{Range, Space};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling::{self, Flags};
use ffmpeg_next::util::frame::video::Video;

use super::MediaError;
use super::colour;
use super::upright::Upright;
use crate::engines::Picture;

/// Pixels that are not square are believed up to this factor.
const PIXEL_ASPECT_MAX: f64 = 4.0;

/// Converts frames; what they need is set up again when they change.
pub(super) struct Scaler {
    side: u32,
    conversion: Option<Conversion>,
}

struct Conversion {
    source: Source,
    context: scaling::Context,
    rgb: Video,
}

#[derive(PartialEq)]
struct Source {
    format: Pixel,
    width: u32,
    height: u32,
    pixel_aspect: f64,
    space: Space,
    range: Range,
}

impl Scaler {
    /// `side` is the longest side of the pictures that come out.
    pub(super) const fn new(side: u32) -> Self {
        Self { side, conversion: None }
    }

    /// The frame as an upright picture, in the memory of `buffer`.
    pub(super) fn picture(
        &mut self,
        frame: &Video,
        upright: Upright,
        mut buffer: Vec<u8>,
    ) -> Result<Picture, MediaError> {
        let source = Source::of(frame);
        if self.conversion.as_ref().is_none_or(|conversion| conversion.source != source) {
            self.conversion = Some(Conversion::new(source, self.side)?);
        }
        let conversion = self.conversion.as_mut().expect("a conversion was just made; this is a bug");
        conversion.context.run(frame, &mut conversion.rgb).map_err(inconvertible)?;
        let rgb = &conversion.rgb;
        upright.copy(rgb.data(0), rgb.stride(0), (rgb.width(), rgb.height()), &mut buffer);
        let (width, height) = upright.size(rgb.width(), rgb.height());
        Picture::new(width, height, buffer).ok_or(MediaError::Unreadable("a frame is empty"))
    }
}

impl Conversion {
    fn new(source: Source, side: u32) -> Result<Self, MediaError> {
        let (width, height) = working_size(&source, side);
        let mut context = scaling::Context::get(
            source.format,
            source.width,
            source.height,
            Pixel::RGB24,
            width,
            height,
            Flags::BILINEAR,
        )
        .map_err(inconvertible)?;
        colour::set_source(&mut context, source.space, source.range, source.height);
        Ok(Self { source, context, rgb: Video::new(Pixel::RGB24, width, height) })
    }
}

impl Source {
    fn of(frame: &Video) -> Self {
        let pixel_aspect = Some(f64::from(frame.aspect_ratio()))
            .filter(|ratio| (1.0 / PIXEL_ASPECT_MAX..=PIXEL_ASPECT_MAX).contains(ratio))
            .unwrap_or(1.0);
        let format = frame.format();
        // These formats say by their name that their range is full.
        let full = matches!(format, Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P);
        Self {
            format,
            width: frame.width(),
            height: frame.height(),
            pixel_aspect,
            space: frame.color_space(),
            range: if full { Range::JPEG } else { frame.color_range() },
        }
    }
}

/// Square pixels, no side longer than `side`, nothing enlarged but to make pixels square.
fn working_size(source: &Source, side: u32) -> (u32, u32) {
    let (width, height) = (f64::from(source.width) * source.pixel_aspect, f64::from(source.height));
    let factor = (f64::from(side) / width.max(height)).min(1.0);
    let length = |whole: f64| ((whole * factor).round() as u32).max(1);
    (length(width), length(height))
}

fn inconvertible(_: ffmpeg_next::Error) -> MediaError {
    MediaError::Unreadable("a frame can't be converted")
}
