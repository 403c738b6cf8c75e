//! Pictures turned by quarters, and what was found in them turned back.

use countersign_shared::domain::{BoundingBox, Face, Point};

use crate::engines::Picture;

/// Clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    None,
    Quarter,
    Half,
    ThreeQuarters,
}

impl Turn {
    pub const fn degrees(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Quarter => 90,
            Self::Half => 180,
            Self::ThreeQuarters => 270,
        }
    }

    /// The turned picture, a copy.
    pub fn turn(self, picture: &Picture) -> Picture {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let source = picture.rgb();
        let mut rgb = Vec::with_capacity(source.len());
        let mut push = |x: usize, y: usize| {
            let at = (y * width + x) * 3;
            rgb.extend_from_slice(&source[at..at + 3]);
        };
        match self {
            Self::None => return picture.clone(),
            Self::Quarter => {
                for x in 0..width {
                    for y in (0..height).rev() {
                        push(x, y);
                    }
                }
            }
            Self::Half => {
                for y in (0..height).rev() {
                    for x in (0..width).rev() {
                        push(x, y);
                    }
                }
            }
            Self::ThreeQuarters => {
                for x in (0..width).rev() {
                    for y in 0..height {
                        push(x, y);
                    }
                }
            }
        }
        let (width, height) = match self {
            Self::None | Self::Half => (picture.width(), picture.height()),
            Self::Quarter | Self::ThreeQuarters => (picture.height(), picture.width()),
        };
        Picture::new(width, height, rgb).expect("turning keeps every pixel, this is a bug")
    }

    /// A face of the turned picture, in pixels of the picture as it was; `width` and `height` are the latter's.
    #[must_use]
    pub fn back(self, face: &Face, width: f64, height: f64) -> Face {
        let point = |point: Point| match self {
            Self::None => point,
            Self::Quarter => Point { x: point.y, y: height - point.x },
            Self::Half => Point { x: width - point.x, y: height - point.y },
            Self::ThreeQuarters => Point { x: width - point.y, y: point.x },
        };
        let bounds = face.bounds;
        let one = point(Point { x: bounds.x, y: bounds.y });
        let other = point(Point { x: bounds.x + bounds.width, y: bounds.y + bounds.height });
        Face {
            bounds: BoundingBox {
                x: one.x.min(other.x),
                y: one.y.min(other.y),
                width: (one.x - other.x).abs(),
                height: (one.y - other.y).abs(),
            },
            score: face.score,
            points: face.points.map(point),
            turned: self.degrees(),
            landmarks: face.landmarks.iter().copied().map(point).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::detect::tests::face;
    use super::*;

    const TURNS: [Turn; 4] = [Turn::None, Turn::Quarter, Turn::Half, Turn::ThreeQuarters];

    /// Black but for one white pixel.
    fn dotted(width: u32, height: u32, x: u32, y: u32) -> Picture {
        let rgb = (0..width * height).flat_map(|at| [if at == y * width + x { 255 } else { 0 }; 3]).collect();
        Picture::new(width, height, rgb).expect("the buffer fits")
    }

    #[test]
    fn a_quarter_turns_the_top_to_the_right() {
        let turned = Turn::Quarter.turn(&dotted(5, 3, 1, 0));
        assert_eq!((turned.width(), turned.height()), (3, 5));
        assert_eq!(turned.pixel(2, 1), [255; 3]);
    }

    #[test]
    fn what_is_found_in_a_turned_picture_lands_where_it_was() {
        for turn in TURNS {
            let picture = dotted(50, 30, 12, 7);
            let turned = turn.turn(&picture);
            let at = turned.rgb().iter().position(|value| *value > 0).expect("the dot is there") as u32 / 3;
            let (x, y) = (at % turned.width(), at / turned.width());
            let found = turn.back(&face(f64::from(x), f64::from(y), 1.0, 0.9), 50.0, 30.0);
            assert_eq!((found.bounds.x, found.bounds.y), (12.0, 7.0), "{turn:?}");
            assert_eq!(found.turned, turn.degrees());
        }
    }
}
