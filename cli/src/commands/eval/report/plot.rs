//! Curves as SVG.

use std::fmt::Write as _;

use super::page::escaped;

const SIDE: f64 = 420.0;
const MARGIN: f64 = 52.0;

/// How a share is laid along an axis.
#[derive(Clone, Copy)]
pub(super) enum Scale {
    /// 0 to 1.
    Linear,
    /// From 10 to the power of that number, up to 1.
    Logarithmic(i32),
}

impl Scale {
    /// 0..=1 along the axis.
    fn place(self, share: f64) -> f64 {
        match self {
            Self::Linear => share,
            Self::Logarithmic(least) => {
                1.0 - (share.max(10_f64.powi(least)).log10() / f64::from(least)).min(1.0)
            }
        }
    }

    fn ticks(self) -> Vec<(f64, String)> {
        match self {
            Self::Linear => {
                (0..=5_u8).map(|tick| f64::from(tick) / 5.0).map(|at| (at, format!("{at:.1}"))).collect()
            }
            Self::Logarithmic(least) => {
                (least..=0).map(|power| (10_f64.powi(power), format!("1e{power}"))).collect()
            }
        }
    }
}

/// Two shares against each other.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) x: (&'a str, Scale),
    pub(super) y: (&'a str, Scale),
}

impl Plot<'_> {
    /// The points in their order, joined.
    pub(super) fn svg(&self, points: impl IntoIterator<Item = (f64, f64)>) -> String {
        let across = |share: f64| MARGIN + self.x.1.place(share) * SIDE;
        let up = |share: f64| MARGIN + (1.0 - self.y.1.place(share)) * SIDE;
        let whole = SIDE + 2.0 * MARGIN;
        let (left, right, top, bottom) = (MARGIN, MARGIN + SIDE, MARGIN, MARGIN + SIDE);
        let mut svg = format!("<svg width=\"{whole}\" height=\"{whole}\" role=\"img\">");
        let mut draw = |part: String| svg.write_str(&part).expect("a string takes everything");
        for (share, label) in self.x.1.ticks() {
            let x = across(share);
            draw(format!("<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"#e5e9f0\"/>"));
            draw(format!("<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>", bottom + 16.0));
        }
        for (share, label) in self.y.1.ticks() {
            let y = up(share);
            draw(format!("<path d=\"M{left} {y:.1}H{right}\" stroke=\"#e5e9f0\"/>"));
            draw(format!(
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                left - 6.0,
                y + 4.0
            ));
        }
        let line: Vec<String> =
            points.into_iter().map(|(x, y)| format!("{:.1} {:.1}", across(x), up(y))).collect();
        draw(format!(
            "<path d=\"M{}\" fill=\"none\" stroke=\"#2563eb\" stroke-width=\"2\"/>",
            line.join("L")
        ));
        let (middle, title) = (MARGIN + SIDE / 2.0, escaped(self.title));
        draw(format!("<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{title}</text>", top - 16.0));
        let name = escaped(self.x.0);
        draw(format!("<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{name}</text>", bottom + 36.0));
        let name = escaped(self.y.0);
        draw(format!(
            "<text transform=\"translate(14 {middle}) rotate(-90)\" text-anchor=\"middle\">{name}</text>"
        ));
        draw("</svg>".to_owned());
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_lie_between_the_ends_of_their_axis() {
        for scale in [Scale::Linear, Scale::Logarithmic(-4)] {
            assert!(scale.place(0.0).abs() < 1e-9 && (scale.place(1.0) - 1.0).abs() < 1e-9);
        }
        assert!((Scale::Logarithmic(-4).place(0.01) - 0.5).abs() < 1e-9);
    }
}
