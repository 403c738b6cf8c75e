//! What single fields can't say: ranges, and settings that contradict each other.

use std::time::Duration;

use super::{Config, ConfigError};
use crate::domain::Lane;

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
                Lane::ALL.iter().all(|lane| self.worker.lanes.contains(lane)),
                "worker.lanes must name every lane: with queue.url = memory:// nobody else works on the others",
            ),
            (!self.worker.retry_delays.is_empty(), "worker.retry_delays must hold at least one delay"),
            (!self.worker.reap_every.is_zero(), "worker.reap_every must be more than 0s"),
            (!self.worker.job_time.is_zero(), "worker.job_time must be more than 0s"),
            (self.queue.max_depth > 0, "queue.max_depth must be at least 1"),
            (self.limits.uploads > 0, "limits.uploads must be at least 1"),
            (self.limits.image_bytes.as_u64() > 0, "limits.image_bytes must be more than 0"),
            (self.limits.video_bytes.as_u64() > 0, "limits.video_bytes must be more than 0"),
            (!self.v1.wait.is_zero(), "v1.wait must be more than 0s"),
            (
                self.retention.orphans >= self.limits.upload_time + SWEEP_MARGIN,
                "retention.orphans must be at least 5min more than limits.upload_time, or uploads would be swept",
            ),
            (
                self.retention.media <= self.retention.reports,
                "retention.media must not be longer than retention.reports, which end with the row",
            ),
            (!self.sampling.detect_every.is_zero(), "sampling.detect_every must be more than 0s"),
            (!self.sampling.embed_every.is_zero(), "sampling.embed_every must be more than 0s"),
            (!self.sampling.liveness_every.is_zero(), "sampling.liveness_every must be more than 0s"),
            (self.store.url.starts_with("sqlite://"), "store.url must start with sqlite://"),
            (self.queue.url == "memory://", "queue.url must be memory://"),
            (self.signal.url == "memory://", "signal.url must be memory://"),
            (self.blobs.url.starts_with("file://"), "blobs.url must start with file://"),
            (self.pipeline.speech_score_min <= 0.0, "pipeline.speech_score_min must not be above 0"),
            (self.pipeline.speech_margin_min <= 0.0, "pipeline.speech_margin_min must not be above 0"),
            (self.fractions_are_fractions(), "pipeline thresholds that are fractions must lie in 0..=1"),
        ];
        let failed: Vec<String> =
            conditions.iter().filter(|(holds, _)| !holds).map(|(_, message)| (*message).to_owned()).collect();
        if failed.is_empty() { Ok(()) } else { Err(ConfigError::Inconsistent(failed)) }
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
        ]
        .iter()
        .all(|fraction| (0.0..=1.0).contains(fraction))
    }
}
