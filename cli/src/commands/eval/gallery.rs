//! Small pictures of faces for the report's page, and the worst cases that they are of.

use std::collections::BinaryHeap;
use std::io::Cursor;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_shared::domain::BoundingBox;
use countersign_worker::pipeline::still::Meant;
use countersign_worker::stages::search::{Expected, search};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, RgbImage};
use tokio_util::sync::CancellationToken;

use super::Common;
use super::models::FaceModels;
use super::report::Picture;

const SIDE: u32 = 160;
const QUALITY: u8 = 80;
/// How much of its surroundings a face is shown with, in sides of the face.
const AROUND: f64 = 1.8;

/// Shows files of a table.
pub(super) struct Gallery<'a> {
    pub(super) models: &'a FaceModels,
    pub(super) meant: Meant,
    pub(super) root: &'a Path,
}

impl Gallery<'_> {
    /// The face that is meant, upright, else the whole picture; `None` where the file can't be read.
    pub(super) fn picture(&self, file: &Path) -> Option<Picture> {
        let picture = self.models.decoded(file)?.picture;
        let detector = &self.models.faces.still.detector;
        let sighting = search(detector, &picture, Expected::Near, &CancellationToken::new()).ok()?;
        let picture = sighting.picture.into_owned();
        let face = self.meant.of(&sighting.faces, &picture);
        let (width, height) = (picture.width(), picture.height());
        let mut image = DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, picture.into_rgb())?);
        if let Some(face) = face {
            let [x, y, side] = around(&face.bounds);
            image = image.crop_imm(x, y, side, side);
        }
        let mut jpeg = Cursor::new(Vec::new());
        let small = image.resize(SIDE, SIDE, FilterType::Triangle);
        small.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY)).ok()?;
        let data = format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg.into_inner()));
        Some(Picture { data, name: name(file, self.root) })
    }
}

/// Left, top and side of a square; what of it lies outside the picture is cut off.
fn around(face: &BoundingBox) -> [u32; 3] {
    let side = face.width.max(face.height) * AROUND;
    let start = |from: f64, length: f64| (from + (length - side) / 2.0).max(0.0) as u32;
    [start(face.x, face.width), start(face.y, face.height), (side as u32).max(1)]
}

/// What the table's paths are relative to.
pub(super) fn root(common: &Common) -> &Path {
    common.root.as_deref().or(common.table.parent()).unwrap_or(Path::new(""))
}

/// As the table has it.
pub(super) fn name(file: &Path, root: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).display().to_string()
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

    #[test]
    fn a_face_is_shown_with_its_surroundings_as_far_as_they_go() {
        let face = |x: f64, y: f64| BoundingBox { x, y, width: 80.0, height: 100.0 };
        assert_eq!(around(&face(200.0, 300.0)), [150, 260, 180]);
        assert_eq!(around(&face(0.0, 0.0)), [0, 0, 180]);
    }

    #[test]
    fn files_are_named_as_the_table_has_them() {
        let name = |root: &str| name(Path::new("/data/faces/one.jpg"), Path::new(root));
        assert_eq!(name("/data"), "faces/one.jpg");
        assert_eq!(
            (name("/other"), name("")),
            ("/data/faces/one.jpg".to_owned(), "/data/faces/one.jpg".to_owned())
        );
    }
}
