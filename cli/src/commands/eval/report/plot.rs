//! Curves of counted errors as SVG: steps, since between two counts there is nothing.

use std::fmt::Write as _;

use super::axis::{Axis, Shares};
use super::page::escaped;

const SIDE: f64 = 360.0;
const LEFT: f64 = 74.0;
const TOP: f64 = 34.0;
const RIGHT: f64 = 30.0;
const LEGEND: f64 = 102.0;
/// The legend's left edge; it is longer than the curve is wide.
const LEGEND_LEFT: f64 = 24.0;

/// Two shares against each other, along the thresholds.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) x: (&'a str, Shares),
    pub(super) y: (&'a str, Shares),
    /// In any order.
    pub(super) curve: Vec<(f64, f64)>,
    pub(super) mark: Mark,
}

/// The point that is in use, and what is said of it.
pub(super) struct Mark {
    pub(super) at: (f64, f64),
    pub(super) words: String,
}

/// Where things lie on the drawing.
struct Frame {
    x: Axis,
    y: Axis,
}

impl Frame {
    fn across(&self, share: f64) -> f64 {
        LEFT + self.x.place(share) * SIDE
    }

    fn down(&self, share: f64) -> f64 {
        TOP + (1.0 - self.y.place(share)) * SIDE
    }
}

impl Plot<'_> {
    pub(super) fn svg(&self) -> String {
        let points = self.drawn();
        let all = || points.iter().chain([&self.mark.at]);
        let frame = Frame {
            x: self.x.1.axis(all().map(|point| point.0)),
            y: self.y.1.axis(all().map(|point| point.1)),
        };
        let (width, height) = (LEFT + SIDE + RIGHT, TOP + SIDE + LEGEND);
        let title = escaped(self.title);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\
             <title>{title}</title>"
        );
        let mut draw = |part: String| svg.write_str(&part).expect("a string takes everything");
        draw(self.surroundings(&frame));
        let middle = LEFT + SIDE / 2.0;
        match self.steps(&points, &frame) {
            Some(steps) => {
                draw(format!(
                    "<path d=\"{steps}\" fill=\"none\" stroke=\"#2563eb\" stroke-width=\"2\" stroke-linecap=\"square\"/>"
                ));
            }
            None => draw(text((middle, TOP + SIDE / 2.0), "middle", "no threshold has errors of both kinds")),
        }
        draw(self.legend(&frame));
        draw("</svg>\n".to_owned());
        svg
    }

    /// From the first error of the one kind to where the other kind has none left, which still ends its last step.
    fn drawn(&self) -> Vec<(f64, f64)> {
        let mut points: Vec<_> = self.curve.iter().copied().filter(|(x, _)| self.x.1.has(*x)).collect();
        let is_right = matches!(self.y.1, Shares::Rights);
        let worst_first =
            |one: f64, other: f64| if is_right { one.total_cmp(&other) } else { other.total_cmp(&one) };
        points.sort_by(|one, other| one.0.total_cmp(&other.0).then_with(|| worst_first(one.1, other.1)));
        if let Some(last) = points.iter().position(|(_, y)| !self.y.1.has(*y)) {
            points.truncate(last + 1);
        }
        points
    }

    /// One error keeps its rate until the other has grown.
    fn steps(&self, points: &[(f64, f64)], frame: &Frame) -> Option<String> {
        let (first, others) = points.split_first()?;
        if !self.y.1.has(first.1) {
            return None;
        }
        let mut path = format!("M{:.1} {:.1}", frame.across(first.0), frame.down(first.1));
        for (x, y) in others {
            path.push_str(&step(frame.across(*x), self.y.1.has(*y).then(|| frame.down(*y))));
        }
        Some(path)
    }

    fn surroundings(&self, frame: &Frame) -> String {
        let (right, bottom, middle) = (LEFT + SIDE, TOP + SIDE, LEFT + SIDE / 2.0);
        let mut parts = vec![text((middle, TOP - 14.0), "middle", self.title)];
        for (share, label) in frame.x.ticks() {
            let x = frame.across(share);
            parts.push(format!("<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#e5e9f0\"/>"));
            parts.push(text((x, bottom + 16.0), "middle", &label));
        }
        for (share, label) in frame.y.ticks() {
            let y = frame.down(share);
            parts.push(format!("<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#e5e9f0\"/>"));
            parts.push(text((LEFT - 6.0, y + 4.0), "end", &label));
        }
        parts.push(format!("<path d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#94a3b8\"/>"));
        parts.push(text((middle, bottom + 34.0), "middle", self.x.0));
        let (name, middle) = (escaped(self.y.0), TOP + SIDE / 2.0);
        parts.push(format!(
            "<text transform=\"translate(14 {middle}) rotate(-90)\" text-anchor=\"middle\">{name}</text>"
        ));
        parts.concat()
    }

    fn legend(&self, frame: &Frame) -> String {
        let [first, second, third] = [56.0, 75.0, 94.0].map(|below| TOP + SIDE + below);
        let (x, y) = self.mark.at;
        let is_on_edge = !(self.x.1.has(x) && self.y.1.has(y));
        let fill = if is_on_edge { "#fff" } else { "#dc2626" };
        let dot = |x: f64, y: f64| {
            format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{fill}\" stroke=\"#dc2626\" stroke-width=\"2\"/>"
            )
        };
        let words = |line: f64, words: &str| text((LEGEND_LEFT + 30.0, line), "start", words);
        let mut parts = vec![
            dot(frame.across(x), frame.down(y)),
            format!("<path d=\"M{LEGEND_LEFT} {}h22\" stroke=\"#2563eb\" stroke-width=\"2\"/>", first - 4.0),
            words(first, "every threshold, from the first error to the last"),
            dot(LEGEND_LEFT + 11.0, second - 4.0),
            words(second, &self.mark.words),
        ];
        if is_on_edge {
            parts.push(words(third, "(hollow, on the edge: none has no place on a logarithmic axis)"));
        }
        parts.concat()
    }
}

/// Across, and down to where the next one is.
fn step(across: f64, down: Option<f64>) -> String {
    let down = down.map_or_else(String::new, |down| format!("V{down:.1}"));
    format!("H{across:.1}{down}")
}

fn text((x, y): (f64, f64), anchor: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(curve: &[(f64, f64)], at: (f64, f64)) -> String {
        let errors = Shares::Errors(100);
        let mark = Mark { at, words: "in use".to_owned() };
        Plot { title: "DET", x: ("FMR", errors), y: ("FNMR", errors), curve: curve.to_vec(), mark }.svg()
    }

    #[test]
    fn counts_are_drawn_as_steps_and_none_is_left_out() {
        let svg = drawn(&[(0.0, 1.0), (0.01, 1.0), (0.1, 0.1), (1.0, 0.0)], (0.1, 0.1));
        let along = |share: f64| (share / 0.007).ln() / (1.0_f64 / 0.007).ln() * SIDE;
        let (first, second, end) = (LEFT + along(0.01), LEFT + along(0.1), LEFT + SIDE);
        let half = TOP + SIDE - along(0.1);
        let steps = format!("M{first:.1} {TOP:.1}H{second:.1}V{half:.1}H{end:.1}");
        assert!(svg.contains(&format!("<path d=\"{steps}\"")), "{svg}");
        assert!(svg.contains("<title>DET</title>") && !svg.contains("on the edge"));
    }

    #[test]
    fn without_errors_of_both_kinds_there_is_no_curve() {
        let svg = drawn(&[(0.0, 0.5), (0.0, 0.0), (0.5, 0.0)], (0.0, 0.0));
        assert!(
            svg.contains("no threshold has errors of both kinds") && svg.contains("on the edge"),
            "{svg}"
        );
    }
}
