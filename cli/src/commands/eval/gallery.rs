//! Small pictures for the report's page.

use std::collections::BinaryHeap;
use std::io::Cursor;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbImage};

use super::models::FaceModels;

const SIDE: u32 = 112;
const QUALITY: u8 = 80;

/// A `data:` address of a picture of at most 112 pixels a side; `None` where the file can't be read.
pub(super) fn thumbnail(models: &FaceModels, file: &Path) -> Option<String> {
    let picture = models.decoded(file)?.picture;
    let (width, height) = (picture.width(), picture.height());
    let image = DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, picture.into_rgb())?);
    let mut jpeg = Cursor::new(Vec::new());
    image.thumbnail(SIDE, SIDE).write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY)).ok()?;
    Some(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg.into_inner())))
}

/// The `most` items with the greatest weight of all that are offered.
pub(super) struct Worst<T> {
    most: usize,
    kept: BinaryHeap<Weighed<T>>,
}

struct Weighed<T>(f64, T);

impl<T> Worst<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, kept: BinaryHeap::new() }
    }

    pub(super) fn offer(&mut self, weight: f64, item: impl FnOnce() -> T) {
        let is_wanted = self.kept.len() < self.most || self.kept.peek().is_some_and(|least| weight > least.0);
        if is_wanted {
            self.kept.push(Weighed(weight, item()));
            if self.kept.len() > self.most {
                self.kept.pop();
            }
        }
    }

    /// The worst first.
    pub(super) fn into_vec(self) -> Vec<T> {
        self.kept.into_sorted_vec().into_iter().map(|Weighed(_, item)| item).collect()
    }
}

/// The least weight is on top of the heap, so that it is the one to go.
impl<T> Ord for Weighed<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.total_cmp(&self.0)
    }
}

impl<T> PartialOrd for Weighed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Weighed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Weighed<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_are_kept_the_worst_first() {
        let mut worst = Worst::new(3);
        for weight in [1, 5, 3, 2, 4] {
            worst.offer(f64::from(weight), || weight);
        }
        assert_eq!(worst.into_vec(), [5, 4, 3]);
    }
}
