//! Resampling of packed RGB, the one place that instantiates the resizer: for one pixel type, since every other costs
//! seconds of compilation and is never used.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

/// A region of a picture in pixels, which may cut through them; it must lie inside the picture.
#[derive(Debug, Clone, Copy)]
pub struct Region {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// Keeps the working memory between calls.
#[derive(Default)]
pub struct Resampler {
    resizer: Resizer,
}

/// The region does not lie inside the picture, or a buffer does not fit its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the region lies outside the picture or a buffer does not fit")]
pub struct BadRegion;

impl Resampler {
    /// Fills `target` (packed RGB of `target_size`) with the region of `source` (packed RGB of `source_size`).
    /// Shrinking averages over the whole source area; enlarging interpolates linearly.
    pub fn resample(
        &mut self,
        (source, source_size): (&[u8], (u32, u32)),
        region: Region,
        (target, target_size): (&mut [u8], (u32, u32)),
    ) -> Result<(), BadRegion> {
        let source = TypedImageRef::<U8x3>::from_buffer(source_size.0, source_size.1, source)
            .map_err(|_| BadRegion)?;
        let mut target =
            TypedImage::<U8x3>::from_buffer(target_size.0, target_size.1, target).map_err(|_| BadRegion)?;
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .crop(region.left, region.top, region.width, region.height)
            .use_alpha(false);
        self.resizer.resize_typed(&source, &mut target, &options).map_err(|_| BadRegion)
    }
}
