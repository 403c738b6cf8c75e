//! Cuts a region out of a picture and writes it, resampled and scaled, straight into a model's input planes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use countersign_shared::domain::BoundingBox;

use crate::engines::Picture;
use crate::engines::resample::{Region, Resampler};
use crate::models::task::{Channels, Scaling};

/// A rectangle of whole pixels at the top left of a model's canvas, and the canvas itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canvas {
    pub width: u32,
    pub height: u32,
    /// The part that the region fills; the rest is black.
    pub used_width: u32,
    pub used_height: u32,
}

impl Canvas {
    /// A square that the region fills whole, whatever its shape.
    pub const fn square(side: u32) -> Self {
        Self { width: side, height: side, used_width: side, used_height: side }
    }

    /// A square that the region fills as far as its shape allows, from the top left corner.
    pub fn letterbox(side: u32, region: &BoundingBox) -> Self {
        let scale = f64::from(side) / region.width.max(region.height);
        let used = |length: f64| ((length * scale) as u32).clamp(1, side);
        Self { width: side, height: side, used_width: used(region.width), used_height: used(region.height) }
    }
}

/// A square about the box's centre, its side `scale` times the box's longer one; it may reach beyond the picture.
pub(super) fn square(face: &BoundingBox, scale: f64) -> BoundingBox {
    let side = face.width.max(face.height) * scale;
    BoundingBox {
        x: face.x + (face.width - side) / 2.0,
        y: face.y + (face.height - side) / 2.0,
        width: side,
        height: side,
    }
}

/// Reused between calls, so that a picture costs no allocation but its tensor.
#[derive(Default)]
struct Scratch {
    resampler: Resampler,
    pixels: Vec<u8>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Fills `planes` (`channels x height x width` of the canvas) with the region. What lies outside the picture is
/// black. Shrinking averages over the whole source area; enlarging interpolates linearly.
///
/// # Panics
/// When `planes` has another length than the canvas and the channels give.
pub fn feed(planes: &mut [f32], canvas: Canvas, picture: &Picture, region: &BoundingBox, scaling: &Scaling) {
    let area = canvas.width as usize * canvas.height as usize;
    assert_eq!(planes.len(), area * channels(scaling), "the tensor is as large as its canvas, this is a bug");
    let table = scale_table(scaling);
    let horizontal = Overlap::new(region.x, region.width, canvas.used_width, picture.width());
    let vertical = Overlap::new(region.y, region.height, canvas.used_height, picture.height());
    for plane in planes.chunks_exact_mut(area) {
        fill_around(plane, canvas.width, &horizontal, &vertical, table[0]);
    }
    if horizontal.target == 0 || vertical.target == 0 {
        return;
    }
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.pixels.resize(horizontal.target as usize * vertical.target as usize * 3, 0);
        resample(scratch, picture, &horizontal, &vertical);
        let stride = canvas.width as usize;
        for (row, pixels) in scratch.pixels.chunks_exact(horizontal.target as usize * 3).enumerate() {
            let start = (row + vertical.offset as usize) * stride + horizontal.offset as usize;
            write_row(planes, area, start, pixels, scaling.channels, &table);
        }
    });
}

/// The picture reduced, if need be, so that its longest side is `side`.
pub fn reduced(picture: &Picture, side: u32) -> Cow<'_, Picture> {
    let (width, height) = (picture.width(), picture.height());
    if width.max(height) <= side {
        return Cow::Borrowed(picture);
    }
    let whole = BoundingBox { x: 0.0, y: 0.0, width: f64::from(width), height: f64::from(height) };
    let canvas = Canvas::letterbox(side, &whole);
    let (across, down) = (canvas.used_width, canvas.used_height);
    let mut pixels = vec![0; across as usize * down as usize * 3];
    let region = Region { left: 0.0, top: 0.0, width: whole.width, height: whole.height };
    SCRATCH.with_borrow_mut(|scratch| {
        scratch
            .resampler
            .resample((picture.rgb(), (width, height)), region, (&mut pixels, (across, down)))
            .expect("the region is the whole picture, this is a bug");
    });
    Cow::Owned(Picture::new(across, down, pixels).expect("the buffer was sized for it, this is a bug"))
}

/// How many planes a model takes.
pub const fn channels(scaling: &Scaling) -> usize {
    match scaling.channels {
        Channels::Rgb | Channels::Bgr => 3,
        Channels::Grey => 1,
    }
}

/// Along one axis: which part of the source falls on which whole pixels of the target.
struct Overlap {
    start: f64,
    length: f64,
    offset: u32,
    target: u32,
}

impl Overlap {
    fn new(region_start: f64, region_length: f64, used: u32, picture: u32) -> Self {
        let scale = f64::from(used) / region_length;
        let limit = f64::from(picture);
        let first = ((-region_start).max(0.0) * scale).ceil().min(f64::from(used));
        let last = ((limit - region_start) * scale + 1e-6).floor().clamp(first, f64::from(used));
        let start = (region_start + first / scale).clamp(0.0, limit);
        let length = ((last - first) / scale).min(limit - start);
        let target = if length > 0.0 { (last - first) as u32 } else { 0 };
        Self { start, length, offset: first as u32, target }
    }

    /// The pixels of the target on which something falls.
    fn covered(&self) -> Range<usize> {
        self.offset as usize..(self.offset + self.target) as usize
    }
}

fn resample(scratch: &mut Scratch, picture: &Picture, horizontal: &Overlap, vertical: &Overlap) {
    let region = Region {
        left: horizontal.start,
        top: vertical.start,
        width: horizontal.length,
        height: vertical.length,
    };
    let source = (picture.rgb(), (picture.width(), picture.height()));
    let target = (scratch.pixels.as_mut_slice(), (horizontal.target, vertical.target));
    scratch
        .resampler
        .resample(source, region, target)
        .expect("the overlap lies inside the picture, this is a bug");
}

/// What the picture does not cover of a plane. The rest is written anyway.
fn fill_around(plane: &mut [f32], width: u32, horizontal: &Overlap, vertical: &Overlap, black: f32) {
    let (columns, rows) = (horizontal.covered(), vertical.covered());
    for (row, values) in plane.chunks_exact_mut(width as usize).enumerate() {
        let columns = if rows.contains(&row) { columns.clone() } else { 0..0 };
        values[..columns.start].fill(black);
        values[columns.end..].fill(black);
    }
}

fn scale_table(scaling: &Scaling) -> [f32; 256] {
    std::array::from_fn(|value| (value as f32 - scaling.mean) / scaling.divisor)
}

fn write_row(
    planes: &mut [f32],
    area: usize,
    start: usize,
    pixels: &[u8],
    channels: Channels,
    table: &[f32; 256],
) {
    let width = pixels.len() / 3;
    let (first, rest) = planes.split_at_mut(area);
    let first = &mut first[start..start + width];
    if channels == Channels::Grey {
        for (value, pixel) in first.iter_mut().zip(pixels.chunks_exact(3)) {
            *value = table[usize::from(luma(pixel))];
        }
        return;
    }
    let (second, third) = rest.split_at_mut(area);
    let second = &mut second[start..start + width];
    let third = &mut third[start..start + width];
    let (red, blue) = if channels == Channels::Rgb { (first, third) } else { (third, first) };
    for (((red, green), blue), pixel) in red.iter_mut().zip(second).zip(blue).zip(pixels.chunks_exact(3)) {
        *red = table[usize::from(pixel[0])];
        *green = table[usize::from(pixel[1])];
        *blue = table[usize::from(pixel[2])];
    }
}

/// ITU-R BT.601.
pub(super) fn luma(pixel: &[u8]) -> u8 {
    let weighted = 299 * u32::from(pixel[0]) + 587 * u32::from(pixel[1]) + 114 * u32::from(pixel[2]);
    ((weighted + 500) / 1000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Scaling = Scaling { channels: Channels::Rgb, mean: 0.0, divisor: 1.0 };

    fn whole(picture: &Picture) -> BoundingBox {
        let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
        BoundingBox { x: 0.0, y: 0.0, width, height }
    }

    /// Red grows to the right, green downwards.
    fn ramp(width: u32, height: u32) -> Picture {
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 9])).collect();
        Picture::new(width, height, rgb).expect("the buffer fits")
    }

    fn fed(canvas: Canvas, picture: &Picture, region: &BoundingBox, scaling: &Scaling) -> Vec<f32> {
        let mut planes = vec![f32::NAN; (canvas.width * canvas.height) as usize * channels(scaling)];
        feed(&mut planes, canvas, picture, region, scaling);
        planes
    }

    #[test]
    fn a_picture_as_large_as_the_canvas_is_copied_plane_by_plane() {
        let picture = ramp(4, 4);
        let planes = fed(Canvas::square(4), &picture, &whole(&picture), &PLAIN);
        assert_eq!(planes[..4], [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(planes[16..24], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert!(planes[32..].iter().all(|value| (*value - 9.0).abs() < f32::EPSILON));
    }

    #[test]
    fn blue_comes_first_where_the_model_wants_it_first() {
        let picture = Picture::filled(2, 2, [10, 20, 30]);
        let scaling = Scaling { channels: Channels::Bgr, mean: 10.0, divisor: 10.0 };
        let planes = fed(Canvas::square(2), &picture, &whole(&picture), &scaling);
        assert_eq!(planes, [[2.0; 4], [1.0; 4], [0.0; 4]].concat());
    }

    #[test]
    fn a_letterbox_leaves_the_rest_black() {
        let picture = Picture::filled(8, 4, [255; 3]);
        let canvas = Canvas::letterbox(4, &whole(&picture));
        let planes = fed(canvas, &picture, &whole(&picture), &PLAIN);
        assert_eq!((canvas.used_width, canvas.used_height), (4, 2));
        assert_eq!(planes[..16], [[255.0; 8], [0.0; 8]].concat());
    }

    #[test]
    fn what_lies_outside_the_picture_is_black() {
        let picture = Picture::filled(4, 4, [200; 3]);
        let region = BoundingBox { x: -2.0, y: -2.0, width: 8.0, height: 8.0 };
        let planes = fed(Canvas::square(8), &picture, &region, &PLAIN);
        for (index, value) in planes[..64].iter().enumerate() {
            let inside = (2..6).contains(&(index % 8)) && (2..6).contains(&(index / 8));
            assert_eq!(*value > 100.0, inside, "{index}");
        }
    }

    #[test]
    fn a_region_beside_the_picture_is_black() {
        let picture = Picture::filled(4, 4, [200; 3]);
        let region = BoundingBox { x: 9.0, y: 0.0, width: 4.0, height: 4.0 };
        assert!(fed(Canvas::square(4), &picture, &region, &PLAIN).iter().all(|value| *value == 0.0));
    }

    #[test]
    fn a_reduced_picture_keeps_its_shape() {
        let large = ramp(200, 100);
        let small = reduced(&large, 50);
        assert_eq!((small.width(), small.height()), (50, 25));
        assert!(small.pixel(40, 3)[0] > small.pixel(10, 3)[0]);
        assert_eq!(reduced(&large, 200).as_ref(), &large);
    }

    #[test]
    fn shrinking_averages_instead_of_skipping() {
        let stripes = (0..64 * 64).flat_map(|at| [if at % 2 == 0 { 0 } else { 255 }; 3]).collect();
        let picture = Picture::new(64, 64, stripes).expect("the buffer fits");
        let planes = fed(Canvas::square(8), &picture, &whole(&picture), &PLAIN);
        assert!(planes.iter().all(|value| (100.0..156.0).contains(value)), "{planes:?}");
    }
}
