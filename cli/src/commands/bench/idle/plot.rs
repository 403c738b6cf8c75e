//! The samples as curves over time, each from nothing to a round number above its greatest value.

use std::fmt::Write as _;

use super::sample::Sample;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 84.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 40.0;
/// Room above each curve for its name, and below it for the times.
const ABOVE: f64 = 30.0;
const BELOW: f64 = 26.0;
const HEAD: f64 = 30.0;
const FOOT: f64 = 26.0;
/// Ticks along the time, at most.
const TICKS: f64 = 10.0;
/// Round numbers: for the steps of the time, and for the greatest value, whose half is a whole number too.
const STEPS: [f64; 3] = [1.0, 2.0, 5.0];
const HEIGHTS: [f64; 5] = [1.0, 2.0, 4.0, 6.0, 8.0];

type Curve = (&'static str, fn(&Sample) -> f64);

const CURVES: [Curve; 5] = [
    ("memory in use (resident), MiB", |sample| sample.resident as f64 / 1_048_576.0),
    ("threads of the process", |sample| sample.threads as f64),
    ("files and connections that the process has open", |sample| sample.open_files as f64),
    ("files in the data folder: rows, media, what is on its way", |sample| sample.files_kept as f64),
    ("jobs that wait in the queue", |sample| sample.queued as f64),
];

/// A unit of time, and how long it is in seconds.
type Unit = (&'static str, f64);

pub(super) fn svg(samples: &[Sample]) -> String {
    let panel = ABOVE + HEIGHT + BELOW;
    let (width, height) = (LEFT + WIDTH + RIGHT, HEAD + CURVES.len() as f64 * panel + FOOT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#334155\"><title>What the service holds over time\
         </title><rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    );
    let mut draw = |part: String| svg.write_str(&part).expect("a string takes everything");
    let end = samples.last().map_or(1.0, |last| last.seconds.max(1e-3));
    let unit = unit(end);
    let jobs = samples.last().map_or(0, |last| last.jobs);
    draw(text((LEFT, 22.0), "start", &format!("{jobs} jobs in {:.1} {}", end / unit.1, unit.0)));
    for (index, (name, value)) in CURVES.iter().enumerate() {
        let bottom = HEAD + index as f64 * panel + ABOVE + HEIGHT;
        draw(text((LEFT, bottom - HEIGHT - 10.0), "start", name));
        let greatest = round_up(samples.iter().map(value).fold(2.0, f64::max), &HEIGHTS);
        draw(surroundings(bottom, greatest, end, unit));
        let points = samples.iter().map(|sample| {
            let (x, y) = (sample.seconds / end * WIDTH, value(sample) / greatest * HEIGHT);
            format!("{:.1} {:.1}", LEFT + x, bottom - y)
        });
        let points: Vec<_> = points.collect();
        draw(format!(
            "<path d=\"M{}\" fill=\"none\" stroke=\"#2563eb\" stroke-width=\"1.5\"/>",
            points.join("L")
        ));
    }
    draw(text((LEFT + WIDTH, height - 10.0), "end", &format!("{} since the start", unit.0)));
    draw("</svg>\n".to_owned());
    svg
}

/// Lines and numbers for nothing, half and all of the height, and for the times.
fn surroundings(bottom: f64, greatest: f64, end: f64, unit: Unit) -> String {
    let mut parts = Vec::new();
    for share in [0.0, 0.5, 1.0] {
        let y = bottom - share * HEIGHT;
        parts.push(format!("<path d=\"M{LEFT} {y}h{WIDTH}\" stroke=\"#e2e8f0\"/>"));
        parts.push(text((LEFT - 8.0, y + 4.0), "end", &(greatest * share).to_string()));
    }
    for time in times(end / unit.1) {
        let x = LEFT + time * unit.1 / end * WIDTH;
        parts.push(format!("<path d=\"M{x:.1} {bottom}v-{HEIGHT}v{HEIGHT}v5\" stroke=\"#e2e8f0\"/>"));
        parts.push(text((x, bottom + 18.0), "middle", &time.to_string()));
    }
    parts
        .push(format!("<path d=\"M{LEFT} {bottom}h{WIDTH}M{LEFT} {bottom}v-{HEIGHT}\" stroke=\"#94a3b8\"/>"));
    parts.concat()
}

fn unit(seconds: f64) -> Unit {
    let units = [("hours", 3600.0), ("minutes", 60.0)];
    units.into_iter().find(|(_, length)| seconds >= 2.0 * length).unwrap_or(("seconds", 1.0))
}

/// Round times from nothing to the end.
fn times(end: f64) -> Vec<f64> {
    let step = round_up(end / TICKS, &STEPS);
    let count = (end / step + 1e-9) as u32;
    (0..=count).map(|tick| (f64::from(tick) * step * 1e6).round() / 1e6).collect()
}

/// The next of those numbers, or of ten or a hundred times them, and so on.
fn round_up(number: f64, round: &[f64]) -> f64 {
    let power = 10_f64.powi(number.log10().floor() as i32);
    let next = round.iter().map(|factor| factor * power).find(|next| *next >= number * (1.0 - 1e-9));
    next.unwrap_or(10.0 * power)
}

fn text((x, y): (f64, f64), anchor: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers() {
        let heights = [2.0, 5.0, 40.0, 51.0, 97.0].map(|greatest| round_up(greatest, &HEIGHTS).to_string());
        assert_eq!(heights, ["2", "6", "40", "60", "100"]);
        let times = |end: f64| times(end).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(times(8.5), "0 1 2 3 4 5 6 7 8");
        assert_eq!(times(0.9), "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9");
        assert_eq!(times(200.0), "0 20 40 60 80 100 120 140 160 180 200");
        assert_eq!([50.0, 500.0, 50_000.0].map(|seconds| unit(seconds).0), ["seconds", "minutes", "hours"]);
    }

    #[test]
    fn every_curve_has_its_name_and_the_time_its_unit() {
        let sample = |seconds: f64, resident: u64| Sample {
            seconds,
            jobs: 7,
            resident,
            threads: 9,
            open_files: 20,
            files_kept: 5,
            queued: 0,
            processor: 1.0,
        };
        let svg = svg(&[sample(0.0, 150 << 20), sample(600.0, 260 << 20)]);
        assert!(CURVES.iter().all(|(name, _)| svg.contains(name)), "{svg}");
        assert!(svg.contains("7 jobs in 10.0 minutes") && svg.contains(">minutes since the start<"), "{svg}");
        assert!(svg.contains(">400<") && svg.contains(">200<"), "the memory's axis ends at a round number");
    }
}
