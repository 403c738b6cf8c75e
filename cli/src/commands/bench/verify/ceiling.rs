//! The ceiling: the same model calls with ready tensors, on as many threads, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Context;
use countersign_shared::config::Config;
use countersign_shared::domain::{Digits, Language};
use countersign_worker::engines::media::{MediaLimits, decode_audio};
use countersign_worker::engines::onnx::{Inference, OnnxModel};
use countersign_worker::engines::speech::{SpeechEngine, SpeechLimits};
use countersign_worker::models::{Manifest, ModelFiles};
use countersign_worker::pipeline::faces::Loader;
use countersign_worker::pipeline::load::load_speech;
use countersign_worker::stages::speech::{SpokenCode, listen};
use tokio_util::sync::CancellationToken;

/// Runs of each model with each shape of its input, as the metrics label them: `("w600k_mbf", "1x3x112x112")`.
pub(super) type Calls = BTreeMap<(String, String), u64>;

/// What one job asks of the models, ready to be asked again.
pub(super) struct Ceiling {
    calls: Vec<(Arc<OnnxModel>, Vec<usize>, u64)>,
    speech: Option<Speech>,
    threads: usize,
}

/// The sound of a clip, and who listens to it.
struct Speech {
    engine: SpeechEngine,
    sound: Arc<[f32]>,
    code: SpokenCode,
    limits: SpeechLimits,
}

/// What the models have been asked so far, read from the service's own metrics page.
pub(super) fn calls(page: &str) -> Calls {
    page.lines()
        .filter_map(|line| line.strip_prefix("countersign_inference_seconds_count{"))
        .filter_map(count)
        .collect()
}

fn count(line: &str) -> Option<((String, String), u64)> {
    let (labels, value) = line.split_once("} ")?;
    let label = |name: &str| {
        let labels = labels.split(',').find_map(|label| label.strip_prefix(name));
        Some(labels?.trim_start_matches("=\"").trim_end_matches('"').to_owned())
    };
    Some(((label("model")?, label("shape")?), value.parse().ok()?))
}

impl Ceiling {
    /// `calls` are those of one job.
    pub(super) fn load(config: &Config, calls: &Calls) -> anyhow::Result<Self> {
        let profile = Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?;
        let files = ModelFiles::new(config.data.resolve(&config.models.dir));
        let loader = Loader::new(config, &profile, &files)?;
        let mut loaded = Vec::new();
        let mut shapes: BTreeMap<&str, Vec<(Vec<usize>, u64)>> = BTreeMap::new();
        for ((name, shape), count) in calls {
            let shape = shape.split('x').map(str::parse).collect::<Result<_, _>>()?;
            shapes.entry(name).or_default().push((shape, *count));
        }
        for (name, shapes) in shapes {
            let model = profile.models().find(|model| model.name == *name);
            let model = model.context("the model is not in the profile")?;
            let model = loader.load(model, shapes.iter().map(|(shape, _)| shape.clone()).collect())?;
            loaded.extend(shapes.into_iter().map(|(shape, count)| (Arc::clone(&model), shape, count)));
        }
        Ok(Self { calls: loaded, speech: None, threads: config.worker.effective_permits() })
    }

    /// And the sound of that video, for each job.
    pub(super) fn hear(
        &mut self,
        config: &Config,
        video: &Path,
        (digits, language): (Digits, Language),
    ) -> anyhow::Result<()> {
        let profile = Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?;
        let files = ModelFiles::new(config.data.resolve(&config.models.dir));
        let engine = load_speech(&profile, &files, config.models.speech_device.parse()?, self.threads)?;
        let sound = decode_audio(video, &MediaLimits::new(config))?.into();
        let code = SpokenCode { language, expected: Some(digits) };
        self.speech = Some(Speech { engine, sound, code, limits: SpeechLimits::from(&config.pipeline) });
        Ok(())
    }

    /// The work of so many jobs.
    pub(super) fn run(&self, jobs: usize) -> anyhow::Result<()> {
        let taken = AtomicUsize::new(0);
        thread::scope(|scope| {
            let one = || {
                while taken.fetch_add(1, Ordering::Relaxed) < jobs {
                    self.job()?;
                }
                anyhow::Ok(())
            };
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(one)).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
        })
    }

    fn job(&self) -> anyhow::Result<()> {
        let never = CancellationToken::new();
        for (model, shape, count) in &self.calls {
            for _ in 0..*count {
                model.run(model.input(shape), &never)?;
            }
        }
        if let Some(Speech { engine, sound, code, limits }) = &self.speech {
            listen(engine, Some(Arc::clone(sound)), *code, limits, &never)?;
        }
        Ok(())
    }
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
