//! The ceiling: the same model calls with ready tensors and nothing else.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use countersign_shared::config::Config;
use countersign_worker::engines::onnx::{Device, Inference, ModelSettings, OnnxModel, Runtime, Tensor};
use countersign_worker::models::{Manifest, ModelFiles};
use tokio_util::sync::CancellationToken;

const WARM_UP: u32 = 3;
const CALLS: u32 = 20;

/// A model with one of its input shapes, as the metrics label it: `("w600k_mbf", "1x3x112x112")`.
pub(crate) type Call = (String, String);

/// How many runs of each model the service has made so far, read from its own metrics page.
pub(crate) fn calls(page: &str) -> BTreeMap<Call, u64> {
    page.lines()
        .filter_map(|line| line.strip_prefix("countersign_inference_seconds_count{"))
        .filter_map(count)
        .collect()
}

fn count(line: &str) -> Option<(Call, u64)> {
    let (labels, value) = line.split_once("} ")?;
    let label = |name: &str| {
        let labels = labels.split(',').find_map(|label| label.strip_prefix(name));
        Some(labels?.trim_start_matches("=\"").trim_end_matches('"').to_owned())
    };
    Some(((label("model")?, label("shape")?), value.parse().ok()?))
}

/// The median time of one call, on one thread, while nothing else runs.
pub(crate) fn time(config: &Config, (name, shape): &Call) -> anyhow::Result<Duration> {
    let profile = Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?;
    let files = ModelFiles::new(config.data.resolve(&config.models.dir));
    let model =
        profile.models().find(|model| model.name == *name).context("the model is not in the profile")?;
    let shape: Vec<usize> = shape.split('x').filter_map(|length| length.parse().ok()).collect();
    let runtime = Runtime::load(&files.path(&profile.runtime.model))?;
    let settings = ModelSettings {
        name: format!("bare {name}"),
        file: files.path(model),
        device: config.models.device.parse::<Device>()?,
        sessions: 1,
        shapes: vec![shape.clone()],
    };
    let model = OnnxModel::load(&runtime, &settings)?;
    let never = CancellationToken::new();
    let mut times = Vec::new();
    for call in 0..WARM_UP + CALLS {
        let input = Tensor::zeros(&shape);
        let started = Instant::now();
        model.run(input, &never)?;
        if call >= WARM_UP {
            times.push(started.elapsed());
        }
    }
    Ok(super::median(&mut times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_the_metrics_page() {
        let page = "# TYPE countersign_inference_seconds histogram\n\
                    countersign_inference_seconds_bucket{model=\"m\",shape=\"1x3x2x2\",le=\"1\"} 7\n\
                    countersign_inference_seconds_count{model=\"m\",shape=\"1x3x2x2\"} 7\n";
        assert_eq!(calls(page), BTreeMap::from([(("m".to_owned(), "1x3x2x2".to_owned()), 7)]));
    }
}
