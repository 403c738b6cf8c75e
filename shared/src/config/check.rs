//! What single fields can't say: ranges, and settings that contradict each other.

use std::time::Duration;

use super::{Config, ConfigError, ServiceUrl};
use crate::domain::{Challenge, Lane, RateLimit};
use crate::roles::Role;

const ALL_ROLES: [Role; 4] = [Role::Pipeline, Role::Relay, Role::Reaper, Role::Deliver];

const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// Between the end of an upload and its row lie the waits for the database.
const SWEEP_MARGIN: Duration = Duration::from_mins(5);

impl Config {
    /// Every contradiction at once, so that an operator mends them in one go.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let conditions = [
            (self.worker.lease >= SHORTEST_LEASE, "worker.lease must be at least 1s"),
            (self.worker.max_attempts > 0, "worker.max_attempts must be at least 1"),
            (
                !self.is_embedded() || Lane::ALL.iter().all(|lane| self.serves(*lane)),
                "worker.lanes must name every lane: with queue.url = memory:// nobody else works on the others",
            ),
            (
                !self.is_embedded() || ALL_ROLES.iter().all(|role| self.worker.roles.contains(role)),
                "worker.roles must name every role: with queue.url = memory:// nobody else has the others",
            ),
            (
                !self.server.roles.contains(&Role::Pipeline),
                "server.roles must not name pipeline: a front end loads no models",
            ),
            (!self.worker.lanes.is_empty(), "worker.lanes must name at least one lane"),
            (
                self.store.url.starts_with("sqlite://") == (self.queue.url.as_str() == "memory://"),
                "sqlite:// goes with queue.url = memory://, postgres:// with amqp://",
            ),
            (!self.worker.retry_delays.is_empty(), "worker.retry_delays must hold at least one delay"),
            (!self.worker.reap_every.is_zero(), "worker.reap_every must be more than 0s"),
            (!self.worker.job_time.is_zero(), "worker.job_time must be more than 0s"),
            (self.queue.window > 0, "queue.window must be at least 1"),
            (self.store.connections > 2, "store.connections must be at least 3: two are the relay's"),
            (
                Lane::ALL.iter().all(|lane| self.lanes.of(*lane).max_depth > 0),
                "lanes: every max_depth must be at least 1",
            ),
            (
                Lane::ALL.iter().all(|lane| !self.lanes.of(*lane).max_age.is_zero()),
                "lanes: every max_age must be more than 0s",
            ),
            (self.limits.uploads > 0, "limits.uploads must be at least 1"),
            (self.limits.image_bytes.as_u64() > 0, "limits.image_bytes must be more than 0"),
            (self.limits.video_bytes.as_u64() > 0, "limits.video_bytes must be more than 0"),
            (
                (1..=RateLimit::MOST).contains(&self.limits.rate_burst)
                    && self.limits.rate_per_minute <= RateLimit::MOST,
                "limits.rate_burst must be from 1 to 1000000, limits.rate_per_minute from 0",
            ),
            (!self.v1.wait.is_zero(), "v1.wait must be more than 0s"),
            (
                self.retention.orphans >= self.limits.upload_time + SWEEP_MARGIN,
                "retention.orphans must be at least 5min more than limits.upload_time, or uploads would be swept",
            ),
            (
                self.retention.media <= self.retention.reports,
                "retention.media must not be longer than retention.reports, which end with the row",
            ),
            (self.webhooks.at_once > 0, "webhooks.at_once must be at least 1"),
            (self.webhooks.at_once_each > 0, "webhooks.at_once_each must be at least 1"),
            (!self.webhooks.connect_time.is_zero(), "webhooks.connect_time must be more than 0s"),
            (!self.webhooks.answer_time.is_zero(), "webhooks.answer_time must be more than 0s"),
            (!self.idempotency.keep.is_zero(), "idempotency.keep must be more than 0s"),
            (
                self.idempotency.keep <= self.retention.reports,
                "idempotency.keep must not be longer than retention.reports: answers hold what clients sent",
            ),
            (
                Challenge::LIFETIMES.contains(&self.challenges.expires_in),
                "challenges.expires_in must lie between 10s and 1h",
            ),
            (!self.sampling.detect_every.is_zero(), "sampling.detect_every must be more than 0s"),
            (!self.sampling.embed_every.is_zero(), "sampling.embed_every must be more than 0s"),
            (!self.sampling.liveness_every.is_zero(), "sampling.liveness_every must be more than 0s"),
            (!self.sampling.landmarks_every.is_zero(), "sampling.landmarks_every must be more than 0s"),
            (
                starts_with_one_of(&self.store.url, &["sqlite://", "postgres://", "postgresql://"]),
                "store.url must start with sqlite:// or postgres://",
            ),
            (
                starts_with_one_of(&self.queue.url, &["memory://", "amqp://", "amqps://"]),
                "queue.url must be memory:// or start with amqp:// or amqps://",
            ),
            (
                starts_with_one_of(&self.signal.url, &["memory://", "redis://", "rediss://"]),
                "signal.url must be memory:// or start with redis:// or rediss://",
            ),
            (
                starts_with_one_of(&self.blobs.url, &["file://", "s3://"]),
                "blobs.url must start with file:// or s3://",
            ),
            (self.pipeline.speech_score_min <= 0.0, "pipeline.speech_score_min must not be above 0"),
            (self.pipeline.speech_margin_min <= 0.0, "pipeline.speech_margin_min must not be above 0"),
            (self.fractions_are_fractions(), "pipeline thresholds that are fractions must lie in 0..=1"),
        ];
        let failed: Vec<String> =
            conditions.iter().filter(|(holds, _)| !holds).map(|(_, message)| (*message).to_owned()).collect();
        if failed.is_empty() { Ok(()) } else { Err(ConfigError::Inconsistent(failed)) }
    }

    /// Whether rows and jobs live and die with this one process.
    pub fn is_embedded(&self) -> bool {
        self.queue.url.as_str() == "memory://"
    }

    /// Refuses settings with which several processes could not work together.
    pub fn ensure_distributed(&self) -> Result<(), ConfigError> {
        let conditions = [
            (!self.is_embedded(), "store.url and queue.url must be postgres:// and amqp://"),
            (self.signal.url.as_str() != "memory://", "signal.url must be redis://"),
        ];
        let failed: Vec<String> =
            conditions.iter().filter(|(holds, _)| !holds).map(|(_, message)| (*message).to_owned()).collect();
        if failed.is_empty() { Ok(()) } else { Err(ConfigError::NotDistributed(failed)) }
    }

    fn serves(&self, lane: Lane) -> bool {
        self.worker.lanes.iter().any(|share| share.lane == lane)
    }

    fn fractions_are_fractions(&self) -> bool {
        let pipeline = &self.pipeline;
        [
            pipeline.face_sameness_min,
            pipeline.not_spoof_min,
            pipeline.face_to_frame_ratio_max,
            pipeline.id_card_not_spoof_min,
            pipeline.single_face_min,
            pipeline.digit_mass_min,
            pipeline.exposure_min,
        ]
        .iter()
        .all(|fraction| (0.0..=1.0).contains(fraction))
    }
}

fn starts_with_one_of(url: &ServiceUrl, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| url.starts_with(scheme))
}
