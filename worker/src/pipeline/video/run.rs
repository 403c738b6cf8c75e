//! One video job from its files to its report.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use countersign_shared::config::{Config, Sampling};
use countersign_shared::domain::{
    BehaviourEvidence, BoundingBox, Check, CheckName, Evidence, Failure, FrameSample, Kind, MediaRole,
    ModelUsed, ProblemCode, REPORT_VERSION, Report, SpeechEvidence, Thresholds, Timestamp, VideoEvidence,
    VideoInfo,
};
use countersign_shared::telemetry;
use tokio_util::sync::CancellationToken;

use super::identity::Identity;
use super::watch::{Sample, Seen, Watcher};
use super::{checks, liveness};
use crate::engines::media::{MediaLimits, VideoReader, decode_audio};
use crate::engines::speech::{SpeechLimits, SpeechRecogniser, silent};
use crate::pipeline::still::{Still, StillStage, Subject};
use crate::pipeline::{Job, PipelineError, decide};
use crate::stages::behaviour::{self, gesture::Gesture, sound::Sound};
use crate::stages::speech::{SpokenCode, listen};

/// Everything that a video is looked at and listened to with.
pub struct VideoPipeline {
    still: Arc<StillStage>,
    speech: Arc<dyn SpeechRecogniser>,
    speech_limits: SpeechLimits,
    media_limits: MediaLimits,
    thresholds: Thresholds,
    sampling: Sampling,
    models: Vec<ModelUsed>,
    fail_fast: bool,
}

/// What one pass over the frames gave.
struct Watched {
    video: VideoInfo,
    seen: Vec<Seen>,
    samples: Vec<Sample>,
    gestures: Vec<Gesture>,
}

/// What the sound gave.
struct Listened {
    speech: SpeechEvidence,
    /// Unless nobody spoke.
    voice: Option<Sound>,
}

impl VideoPipeline {
    /// `models` are those that the report names, in the order of first use. With `pipeline.fail_fast` no sound is heard of a
    /// clip whose pictures alone fail.
    pub fn new(
        config: &Config,
        still: Arc<StillStage>,
        speech: Arc<dyn SpeechRecogniser>,
        models: Vec<ModelUsed>,
    ) -> Self {
        Self {
            still,
            speech,
            speech_limits: SpeechLimits::from(&config.pipeline),
            media_limits: MediaLimits::new(config),
            thresholds: config.pipeline.thresholds(),
            sampling: config.sampling.clone(),
            models,
            fail_fast: config.pipeline.fail_fast,
        }
    }

    pub fn models(&self) -> &[ModelUsed] {
        &self.models
    }

    /// Runs one job of [`Kind::Video`].
    pub fn run(&self, job: &Job) -> Result<Report, PipelineError> {
        let started_at = Timestamp::now();
        let (card, video) = (job.file(MediaRole::IdCard)?, job.file(MediaRole::Video)?);
        let missing =
            || PipelineError::Permanent(Failure::new(ProblemCode::MissingField, "no challenge or language"));
        let language = job.request.language.ok_or_else(missing)?;
        let expected = job.request.challenge;
        if expected.is_none() && job.request.named_challenge.is_none() {
            return Err(missing());
        }
        let code = SpokenCode { language, expected };
        let standing = job.request.named_challenge.map(|named| named.standing);
        let judged = |evidence: &VideoEvidence, exchanged| {
            checks::checks(evidence, exchanged, standing, &self.thresholds)
        };
        let (evidence, checks) = if self.fail_fast {
            self.in_turn(video, card, code, &job.cancelled, judged)?
        } else {
            let (evidence, exchanged) = self.side_by_side(video, Some(card), code, &job.cancelled)?;
            let checks = judged(&evidence, exchanged);
            (evidence, checks)
        };
        Ok(Report {
            version: REPORT_VERSION,
            kind: Kind::Video,
            verdict: decide::verdict(&checks),
            checks,
            started_at,
            ended_at: Timestamp::now(),
            thresholds: self.thresholds,
            models: self.models.clone(),
            evidence: Evidence::Video(Box::new(evidence)),
        })
    }

    /// The checks of a video that is compared with no card: what it says of the presentation, and of the code.
    pub fn alone(
        &self,
        video: &Path,
        code: SpokenCode,
        cancelled: &CancellationToken,
    ) -> Result<Vec<Check>, PipelineError> {
        let (evidence, exchanged) = self.side_by_side(video, None, code, cancelled)?;
        Ok(checks::checks(&evidence, exchanged, None, &self.thresholds))
    }

    /// The pictures first; the sound only if it can change the verdict.
    fn in_turn(
        &self,
        video: &Path,
        card: &Path,
        code: SpokenCode,
        cancelled: &CancellationToken,
        judged: impl Fn(&VideoEvidence, bool) -> Vec<Check>,
    ) -> Result<(VideoEvidence, Vec<Check>), PipelineError> {
        let (card, watched) = self.look(video, Some(card), cancelled)?;
        let gestures = watched.gestures.clone();
        let unheard = silent(code.language, code.expected, 0.0, "not_examined");
        let (mut evidence, exchanged) =
            self.evidence(card, watched, Listened { speech: unheard, voice: None });
        let checks = judged(&evidence, exchanged);
        if checks.iter().any(|check| !check.passed && check.name != CheckName::AudioChallenge) {
            return Ok((evidence, checks));
        }
        let heard = self.listen(video, code, cancelled)?;
        evidence.behaviour = self.behaviour(&gestures, heard.voice.as_ref());
        evidence.speech = heard.speech;
        let checks = judged(&evidence, exchanged);
        Ok((evidence, checks))
    }

    /// What is in the files, and whether someone else was seen for a while. Frames are watched on the calling thread, sound
    /// is heard on another.
    fn side_by_side(
        &self,
        video: &Path,
        card: Option<&Path>,
        code: SpokenCode,
        given_up: &CancellationToken,
    ) -> Result<(VideoEvidence, bool), PipelineError> {
        // What one side finds wrong ends the other's work.
        let cancelled = given_up.child_token();
        let _on_return = cancelled.clone().drop_guard();
        let (listened, looked) = thread::scope(|scope| {
            let ears = thread::Builder::new().name("ears".to_owned()).spawn_scoped(scope, || {
                let heard = self.listen(video, code, &cancelled);
                if heard.is_err() {
                    cancelled.cancel();
                }
                heard
            });
            let looked = self.look(video, card, &cancelled);
            if looked.is_err() {
                cancelled.cancel();
            }
            let listened = ears
                .map_err(|error| PipelineError::Retryable(error.to_string()))
                .and_then(|ears| ears.join().unwrap_or_else(|_| Err(panicked())));
            (listened, looked)
        });
        if given_up.is_cancelled() {
            return Err(PipelineError::Cancelled);
        }
        // Of two failures the one that ended the other's work is the reason.
        let (heard, (card, watched)) = match (listened, looked) {
            (Ok(heard), Ok(looked)) => (heard, looked),
            (Err(PipelineError::Cancelled) | Ok(_), Err(error)) | (Err(error), _) => {
                return Err(error);
            }
        };
        Ok(self.evidence(card, watched, heard))
    }

    fn listen(
        &self,
        video: &Path,
        code: SpokenCode,
        cancelled: &CancellationToken,
    ) -> Result<Listened, PipelineError> {
        let samples: Arc<[f32]> = {
            let _stage = telemetry::stage("audio");
            decode_audio(video, &self.media_limits)?.into()
        };
        let _stage = telemetry::stage("speech");
        let speech = listen(&*self.speech, Some(Arc::clone(&samples)), code, &self.speech_limits, cancelled)?;
        let spoken = speech.voice_seconds >= self.thresholds.voice_seconds_min;
        Ok(Listened { voice: spoken.then(|| Sound::of(&samples)), speech })
    }

    fn look(
        &self,
        video: &Path,
        card: Option<&Path>,
        cancelled: &CancellationToken,
    ) -> Result<(Still, Watched), PipelineError> {
        // Decoding runs ahead by a few frames while the card is looked at.
        let mut reader = VideoReader::open(video, &self.media_limits)?;
        let card = match card {
            Some(card) => self.still.look_at(card, &self.media_limits, Subject::Card, cancelled)?,
            None => Still::absent(),
        };
        let _stage = telemetry::stage("watch");
        let mut watcher = Watcher::new(&self.still, &self.sampling, cancelled);
        while let Some(frame) = reader.next_frame()? {
            watcher.see(frame.index, frame.seconds, &frame.picture)?;
        }
        let video =
            reader.info().ok_or_else(|| PipelineError::Retryable("the video has no end".to_owned()))?;
        let Watcher { seen, samples, gestures, .. } = watcher;
        Ok((card, Watched { video, seen, samples, gestures: gestures.found }))
    }

    /// The numbers, and whether someone else was seen for a while.
    fn evidence(&self, card: Still, watched: Watched, heard: Listened) -> (VideoEvidence, bool) {
        let Watched { video, seen, samples, gestures } = watched;
        let Listened { speech, voice } = heard;
        let identity = Identity::of(&seen, &samples, &self.still.embedder);
        let distances: Vec<Option<f64>> = samples
            .iter()
            .map(|sample| {
                Some(self.still.embedder.distance(sample.embedding.as_ref()?, card.embedding.as_ref()?))
            })
            .collect();
        let single = seen.iter().filter(|frame| frame.num_faces == 1).count();
        let evidence = VideoEvidence {
            id_card: card.evidence,
            video,
            face_distance_avg: mean(distances.iter().flatten().copied()),
            face_sameness: identity.sameness,
            single_face_in_frames: single as f64 / seen.len().max(1) as f64,
            largest_face_to_frame_ratio: seen.iter().map(|frame| frame.ratio).fold(0.0, f64::max),
            not_spoof_confidence: liveness::clip_confidence(&self.still.liveness, &samples, &identity.drift)
                .unwrap_or(0.0),
            speech,
            behaviour: self.behaviour(&gestures, voice.as_ref()),
            samples: samples
                .into_iter()
                .zip(distances)
                .zip(identity.drift)
                .map(|((sample, distance), drift)| FrameSample {
                    frame: sample.frame,
                    seconds: sample.seconds,
                    num_faces: sample.num_faces,
                    bounds: sample.bounds.map(|bounds| in_pixels(bounds, &video)),
                    distance,
                    drift,
                    liveness: sample.liveness,
                })
                .collect(),
        };
        (evidence, identity.exchanged)
    }

    /// Nothing, of a profile without landmarks.
    fn behaviour(&self, gestures: &[Gesture], voice: Option<&Sound>) -> Option<BehaviourEvidence> {
        self.still.landmarks.exist().then(|| behaviour::judge(gestures, voice))
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn in_pixels(fractions: BoundingBox, video: &VideoInfo) -> BoundingBox {
    let (width, height) = (f64::from(video.width), f64::from(video.height));
    BoundingBox {
        x: fractions.x * width,
        y: fractions.y * height,
        width: fractions.width * width,
        height: fractions.height * height,
    }
}

fn panicked() -> PipelineError {
    PipelineError::Retryable("listening panicked".to_owned())
}
