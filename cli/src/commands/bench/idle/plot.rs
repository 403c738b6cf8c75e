//! The samples as curves, each from nothing to its own greatest value.

use std::fmt::Write as _;

use super::sample::Sample;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 90.0;
const LEFT: f64 = 150.0;
const GAP: f64 = 30.0;

type Curve = (&'static str, fn(&Sample) -> f64);

const CURVES: [Curve; 5] = [
    ("resident MiB", |sample| sample.resident as f64 / 1_048_576.0),
    ("threads", |sample| sample.threads as f64),
    ("open files", |sample| sample.open_files as f64),
    ("files kept", |sample| sample.files_kept as f64),
    ("queued", |sample| sample.queued as f64),
];

pub(super) fn svg(samples: &[Sample]) -> String {
    let height = CURVES.len() as f64 * (HEIGHT + GAP) + 2.0 * GAP;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"13\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        LEFT + WIDTH + GAP
    );
    let mut draw = |part: String| svg.write_str(&part).expect("a string takes everything");
    let end = samples.last().map_or(1.0, |last| last.seconds.max(f64::MIN_POSITIVE));
    for (index, (name, value)) in CURVES.iter().enumerate() {
        let bottom = GAP + index as f64 * (HEIGHT + GAP) + HEIGHT;
        let greatest = samples.iter().map(value).fold(1.0, f64::max);
        draw(format!("<path d=\"M{LEFT} {bottom}h{WIDTH}M{LEFT} {bottom}v-{HEIGHT}\" stroke=\"#94a3b8\"/>"));
        draw(format!("<text x=\"8\" y=\"{:.0}\">{name}</text>", bottom - HEIGHT / 2.0));
        draw(format!(
            "<text x=\"{}\" y=\"{:.0}\" text-anchor=\"end\">{greatest:.0}</text>",
            LEFT - 6.0,
            bottom - HEIGHT + 10.0
        ));
        draw(format!("<text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">0</text>", LEFT - 6.0));
        let points: Vec<String> = samples
            .iter()
            .map(|sample| {
                let x = LEFT + sample.seconds / end * WIDTH;
                format!("{x:.1} {:.1}", bottom - value(sample) / greatest * HEIGHT)
            })
            .collect();
        draw(format!(
            "<path d=\"M{}\" fill=\"none\" stroke=\"#2563eb\" stroke-width=\"1.5\"/>",
            points.join("L")
        ));
    }
    let jobs = samples.last().map_or(0, |last| last.jobs);
    let foot = height - GAP;
    draw(format!("<text x=\"{LEFT}\" y=\"{foot}\">{jobs} jobs in {:.1} minutes</text></svg>", end / 60.0));
    svg
}
