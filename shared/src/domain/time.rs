//! Points in time, as the store keeps them.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(example = 1_534_534_645_081_i64)]
pub struct Timestamp(i64);

impl Timestamp {
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since.as_millis() as i64)
    }

    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, as v1.1 reports `start` and `end`.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The time since `earlier`; zero when that is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds, such as `2018-08-17T19:37:25.081Z`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_millis(self.0) {
            Some(time) => formatter.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(formatter, "{} ms since 1970", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTime;

    /// RFC 3339, with any offset.
    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        DateTime::parse_from_rfc3339(text).map(|time| Self(time.timestamp_millis())).map_err(|_| InvalidTime)
    }
}

/// The text was no point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time such as 2026-11-27T09:30:00Z")]
pub struct InvalidTime;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_reads_as_rfc_3339() {
        assert_eq!(Timestamp::from_millis(1_534_534_645_081).to_string(), "2018-08-17T19:37:25.081Z");
    }

    #[test]
    fn a_time_reads_back_and_nonsense_does_not() {
        let time = Timestamp::from_millis(1_534_534_645_081);
        assert_eq!(time.to_string().parse(), Ok(time));
        assert_eq!("2018-08-18T02:37:25.081+07:00".parse(), Ok(time));
        for nonsense in ["", "2018", "2018-08-17", "yesterday"] {
            assert_eq!(nonsense.parse::<Timestamp>(), Err(InvalidTime));
        }
    }
}
