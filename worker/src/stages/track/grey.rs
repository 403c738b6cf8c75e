//! A small grey copy of a picture, and patches of it.

use countersign_shared::domain::BoundingBox;

use crate::engines::Picture;

/// Longest side of the grey copy, in its pixels.
const GREY_SIDE: u32 = 160;

/// A reduced grey picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grey {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Pixels of the picture for each pixel here, along a side.
    pub(super) step: usize,
    pub(super) pixels: Vec<f32>,
}

/// A rectangle of a [`Grey`]'s pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Grey {
    pub(super) fn of(picture: &Picture, mut pixels: Vec<f32>) -> Self {
        let step = picture.width().max(picture.height()).div_ceil(GREY_SIDE).max(1) as usize;
        let (width, height) = (picture.width() as usize / step, picture.height() as usize / step);
        pixels.clear();
        let row_bytes = picture.width() as usize * 3;
        let scale = 1.0 / (4 * step * step) as f32;
        let mut sums = vec![0_u32; row_bytes];
        for rows in picture.rgb().chunks_exact(row_bytes * step) {
            sums.fill(0);
            for row in rows.chunks_exact(row_bytes) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += u32::from(*value));
            }
            // Green carries most of what the eye calls brightness; the others tell skins from walls.
            let brightness = |pixel: &[u32]| pixel[0] + 2 * pixel[1] + pixel[2];
            let blocks = sums.chunks_exact(step * 3);
            pixels.extend(
                blocks.map(|block| block.chunks_exact(3).map(brightness).sum::<u32>() as f32 * scale),
            );
        }
        Self { width, height, step, pixels }
    }

    pub(super) fn fits(&self, other: &Self) -> bool {
        (self.width, self.height, self.step) == (other.width, other.height, other.step)
    }

    /// Mean absolute difference, of 255.
    pub(super) fn difference(&self, other: &Self) -> f32 {
        let total: f32 = self.pixels.iter().zip(&other.pixels).map(|(one, other)| (one - other).abs()).sum();
        total / self.pixels.len().max(1) as f32
    }

    /// The inner part of a box in pixels of the picture; `None` when hardly anything of it is in the picture.
    pub(super) fn patch(&self, bounds: &BoundingBox) -> Option<Patch> {
        let step = self.step as f64;
        let inside = |start: f64, length: f64, limit: usize| {
            let from = ((start + length * 0.1) / step).max(0.0).floor();
            let to = ((start + length * 0.9) / step).min(limit as f64).ceil();
            (to - from >= 4.0).then(|| (from as usize, (to as usize).min(limit) - from as usize))
        };
        let (x, width) = inside(bounds.x, bounds.width, self.width)?;
        let (y, height) = inside(bounds.y, bounds.height, self.height)?;
        Some(Patch { x, y, width, height })
    }

    pub(super) fn rows(&self, patch: Patch) -> impl Iterator<Item = &[f32]> {
        (patch.y..patch.y + patch.height)
            .map(move |y| &self.pixels[y * self.width + patch.x..][..patch.width])
    }
}
