//! Lanes: the queues that verifications wait in, by what they cost and by who waits for them.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Kind;

/// Whether someone waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "interactive")]
pub enum Priority {
    Interactive,
    Batch,
}

/// A queue of its own: a photo never waits behind a video, nor an interactive job behind a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Lane {
    #[serde(rename = "photo.interactive")]
    PhotoInteractive,
    #[serde(rename = "video.interactive")]
    VideoInteractive,
    #[serde(rename = "photo.batch")]
    PhotoBatch,
    #[serde(rename = "video.batch")]
    VideoBatch,
}

impl Lane {
    pub const ALL: [Self; 4] =
        [Self::PhotoInteractive, Self::VideoInteractive, Self::PhotoBatch, Self::VideoBatch];

    pub const fn of(kind: Kind, priority: Priority) -> Self {
        match (kind, priority) {
            (Kind::Photo | Kind::Spoof, Priority::Interactive) => Self::PhotoInteractive,
            (Kind::Video, Priority::Interactive) => Self::VideoInteractive,
            (Kind::Photo | Kind::Spoof, Priority::Batch) => Self::PhotoBatch,
            (Kind::Video, Priority::Batch) => Self::VideoBatch,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::PhotoInteractive => "photo.interactive",
            Self::VideoInteractive => "video.interactive",
            Self::PhotoBatch => "photo.batch",
            Self::VideoBatch => "video.batch",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Lane {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|lane| lane.name() == text).ok_or_else(|| format!("unknown lane `{text}`"))
    }
}

/// A lane that a worker serves, and how often in proportion to its others. Written `photo.batch` or `photo.batch:3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LaneShare {
    pub lane: Lane,
    /// From 1 to 1000.
    pub weight: u32,
}

impl LaneShare {
    const WEIGHTS: RangeInclusive<u32> = 1..=1000;
}

impl FromStr for LaneShare {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (lane, weight) = text.split_once(':').unwrap_or((text, "1"));
        let weight = weight.parse().ok().filter(|weight| Self::WEIGHTS.contains(weight));
        let weight = weight.ok_or_else(|| format!("`{text}` has no weight from 1 to 1000"))?;
        Ok(Self { lane: lane.parse()?, weight })
    }
}

impl TryFrom<String> for LaneShare {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<LaneShare> for String {
    fn from(share: LaneShare) -> Self {
        format!("{}:{}", share.lane, share.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for lane in Lane::ALL {
            assert_eq!(lane.name().parse(), Ok(lane));
            assert_eq!(lane.name().parse(), Ok(LaneShare { lane, weight: 1 }));
            assert_eq!(format!("{lane}:7").parse(), Ok(LaneShare { lane, weight: 7 }));
        }
        for nonsense in ["photo", "photo.batch:", "photo.batch:0", "photo.batch:1001", "photo.batch:-1"] {
            assert!(nonsense.parse::<LaneShare>().is_err(), "{nonsense}");
        }
    }
}
