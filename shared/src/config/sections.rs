//! The sections of the settings, as `default.toml` lists and explains them.

use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use super::secret::{Secret, ServiceUrl};
use super::webhooks::Webhooks;
use crate::domain::{Lane, LaneShare, RateLimit, Thresholds};
use crate::roles::Role;

/// Every setting.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub store: Store,
    pub queue: Queue,
    pub signal: Signal,
    pub blobs: Blobs,
    pub data: Data,
    pub lanes: Lanes,
    pub limits: Limits,
    pub v1: V1,
    pub idempotency: Idempotency,
    pub challenges: Challenges,
    pub worker: Worker,
    pub retention: Retention,
    pub webhooks: Webhooks,
    pub models: Models,
    pub pipeline: Pipeline,
    pub sampling: Sampling,
    pub log: Log,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub threads: usize,
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    pub roles: Vec<Role>,
}

impl Server {
    pub fn effective_threads(&self) -> usize {
        if self.threads == 0 { cores().min(4) } else { self.threads }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    pub url: ServiceUrl,
    pub connections: u32,
    pub migrate: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    pub url: ServiceUrl,
    pub window: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    pub url: ServiceUrl,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blobs {
    pub url: ServiceUrl,
    /// Empty means the provider's own.
    pub endpoint: ServiceUrl,
    pub region: String,
    /// Both empty mean the machine's own role.
    pub access_key: String,
    pub secret_key: Secret,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub dir: PathBuf,
}

impl Data {
    /// A configured path; a relative one is below the data folder.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.join(path)
    }

    /// Makes the folder, readable by its owner alone: it holds faces.
    pub fn create(&self) -> std::io::Result<()> {
        create_private(&self.dir)
    }
}

/// When a lane takes no more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lanes {
    pub photo_interactive: LaneLimits,
    pub video_interactive: LaneLimits,
    pub photo_batch: LaneLimits,
    pub video_batch: LaneLimits,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneLimits {
    pub max_depth: u64,
    #[serde(with = "humantime_serde")]
    pub max_age: Duration,
}

impl Lanes {
    pub const fn of(&self, lane: Lane) -> LaneLimits {
        match lane {
            Lane::PhotoInteractive => self.photo_interactive,
            Lane::VideoInteractive => self.video_interactive,
            Lane::PhotoBatch => self.photo_batch,
            Lane::VideoBatch => self.video_batch,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub image_bytes: ByteSize,
    pub video_bytes: ByteSize,
    pub image_pixels: u64,
    pub video_pixels: u64,
    #[serde(with = "humantime_serde")]
    pub video_duration: Duration,
    pub video_frames: u32,
    pub uploads: usize,
    #[serde(with = "humantime_serde")]
    pub upload_time: Duration,
    pub rate_per_minute: u32,
    pub rate_burst: u32,
}

impl Limits {
    /// How often a key may call that has no limit of its own, nor its tenant; `None` means as often as it likes.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        let limit = RateLimit { per_minute: self.rate_per_minute, burst: self.rate_burst };
        (limit.per_minute > 0).then_some(limit)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct V1 {
    #[serde(with = "humantime_serde")]
    pub wait: Duration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenges {
    #[serde(with = "humantime_serde")]
    pub expires_in: Duration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub roles: Vec<Role>,
    pub listen: SocketAddr,
    pub permits: usize,
    pub lanes: Vec<LaneShare>,
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    pub max_attempts: u32,
    #[serde(with = "humantime_serde_list")]
    pub retry_delays: Vec<Duration>,
    #[serde(with = "humantime_serde")]
    pub job_time: Duration,
    #[serde(with = "humantime_serde")]
    pub reap_every: Duration,
    #[serde(with = "humantime_serde")]
    pub offer_again_after: Duration,
}

impl Worker {
    pub fn effective_permits(&self) -> usize {
        if self.permits == 0 { cores() } else { self.permits }
    }

    /// The wait after the attempt of that number, counted from 1.
    pub fn retry_delay(&self, attempt: u32) -> Duration {
        let index = (attempt.max(1) - 1) as usize;
        self.retry_delays.get(index).or(self.retry_delays.last()).copied().unwrap_or(Duration::from_secs(1))
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    #[serde(with = "humantime_serde")]
    pub media: Duration,
    #[serde(with = "humantime_serde")]
    pub reports: Duration,
    #[serde(with = "humantime_serde")]
    pub orphans: Duration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Models {
    pub dir: PathBuf,
    pub profile: String,
    /// Empty means the built-in manifest.
    pub manifest: PathBuf,
    /// Empty means the profile's.
    pub runtime: PathBuf,
    /// `auto`, `cpu`, `openvino`, `cuda:N` or `tensorrt:N`; several GPUs are `cuda:N,M`.
    pub device: String,
    pub sessions: usize,
    pub max_batch: usize,
    #[serde(with = "humantime_serde")]
    pub batch_delay: Duration,
    pub speech_sessions: usize,
    /// `cpu`, or `gpu:N` in builds that can.
    pub speech_device: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    pub distance_max: f64,
    pub face_sameness_min: f64,
    pub not_spoof_min: f64,
    pub face_to_frame_ratio_max: f64,
    pub id_card_not_spoof_min: f64,
    pub single_face_min: f64,
    pub speech_score_min: f64,
    pub speech_margin_min: f64,
    pub voice_seconds_min: f64,
    pub digit_mass_min: f64,
    pub mouth_movement_min: f64,
    pub lip_agreement_min: f64,
    pub repetition_min: f64,
    pub eye_distance_min: f64,
    pub sharpness_min: f64,
    pub exposure_min: f64,
    pub yaw_max: f64,
    pub mouth_visibility_min: f64,
    pub fail_fast: bool,
}

impl Pipeline {
    /// The limits as the report states them.
    pub const fn thresholds(&self) -> Thresholds {
        Thresholds {
            distance_max: self.distance_max,
            face_sameness_min: self.face_sameness_min,
            not_spoof_min: self.not_spoof_min,
            id_card_not_spoof_min: self.id_card_not_spoof_min,
            face_to_frame_ratio_max: self.face_to_frame_ratio_max,
            single_face_min: self.single_face_min,
            speech_score_min: self.speech_score_min,
            speech_margin_min: self.speech_margin_min,
            voice_seconds_min: self.voice_seconds_min,
            digit_mass_min: self.digit_mass_min,
            mouth_movement_min: self.mouth_movement_min,
            lip_agreement_min: self.lip_agreement_min,
            repetition_min: self.repetition_min,
            eye_distance_min: self.eye_distance_min,
            sharpness_min: self.sharpness_min,
            exposure_min: self.exposure_min,
            yaw_max: self.yaw_max,
            mouth_visibility_min: self.mouth_visibility_min,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    #[serde(with = "humantime_serde")]
    pub detect_every: Duration,
    #[serde(with = "humantime_serde")]
    pub embed_every: Duration,
    #[serde(with = "humantime_serde")]
    pub liveness_every: Duration,
    #[serde(with = "humantime_serde")]
    pub landmarks_every: Duration,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

/// Makes a folder and its parents; on Unix only the owner may look into those that are new.
pub(crate) fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The cores that this process may use.
fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

pub(super) mod humantime_serde_list {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Item(#[serde(with = "humantime_serde")] Duration);

    pub(in crate::config) fn serialize<S: Serializer>(
        list: &[Duration],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(|duration| Item(*duration)))
    }

    pub(in crate::config) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Duration>, D::Error> {
        Ok(Vec::<Item>::deserialize(deserializer)?.into_iter().map(|item| item.0).collect())
    }
}
