//! The section `webhooks`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sections::humantime_serde_list;
use crate::domain::{AllowedTarget, Targets};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub allow: Vec<AllowedTarget>,
    /// Empty means every port.
    pub ports: Vec<u16>,
    pub endpoints: u32,
    #[serde(with = "humantime_serde")]
    pub connect_time: Duration,
    #[serde(with = "humantime_serde")]
    pub answer_time: Duration,
    pub at_once: u32,
    pub at_once_each: u32,
    #[serde(with = "humantime_serde_list")]
    pub retry_delays: Vec<Duration>,
    #[serde(with = "humantime_serde")]
    pub disable_after: Duration,
    #[serde(with = "humantime_serde")]
    pub keep: Duration,
}

impl Webhooks {
    /// Where events may be sent.
    pub fn targets(&self) -> Targets {
        Targets::new(self.allow.clone(), self.ports.clone())
    }

    /// The wait after the attempt of that number, counted from 1; `None` after the last.
    pub fn retry_delay(&self, attempt: u32) -> Option<Duration> {
        self.retry_delays.get(attempt.max(1) as usize - 1).copied()
    }
}
