//! What was used: accepted verifications by calendar month, key and kind.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime};

use super::{KeyId, Kind, Timestamp};

/// A calendar month in UTC, written `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(i32);

/// The text was no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a month such as 2026-11")]
pub struct InvalidMonth;

impl Month {
    pub fn of(time: Timestamp) -> Self {
        let time = DateTime::from_timestamp_millis(time.as_millis()).unwrap_or_default();
        Self(time.year() * 100 + time.month() as i32)
    }

    /// The first moment of the next one.
    pub fn end(self) -> Timestamp {
        let (year, month) = (self.0 / 100, self.0 % 100);
        let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let start = NaiveDate::from_ymd_opt(year, month as u32, 1).unwrap_or(NaiveDate::MAX);
        Timestamp::from_millis(start.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
    }

    /// As the store keeps it, such as 202611.
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.0 / 100, self.0 % 100)
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let digits = |text: &str, length| {
            let well_formed = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
            well_formed.then(|| text.parse::<i32>().ok()).flatten()
        };
        let (year, month) = text.split_once('-').ok_or(InvalidMonth)?;
        let year = digits(year, 4).ok_or(InvalidMonth)?;
        let month = digits(month, 2).filter(|month| (1..=12).contains(month)).ok_or(InvalidMonth)?;
        Ok(Self(year * 100 + month))
    }
}

/// What one key has used of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub key: KeyId,
    pub kind: Kind,
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_where_the_next_begins() {
        for (month, end) in [("2026-11", "2026-12-01T00:00:00.000Z"), ("2026-12", "2027-01-01T00:00:00.000Z")]
        {
            let month: Month = month.parse().expect("a month");
            assert_eq!(month.end().to_string(), end);
            assert!(Month::of(month.end()) > month);
        }
    }

    #[test]
    fn a_month_reads_back_and_nonsense_does_not() {
        let month = Month::of(Timestamp::from_millis(1_534_534_645_081));
        assert_eq!((month.to_string().as_str(), month.number()), ("2018-08", 201_808));
        assert_eq!(month.to_string().parse(), Ok(month));
        for nonsense in ["", "2018", "2018-13", "2018-00", "2018-8", "18-08", "2018-08-01", "+018-08"] {
            assert_eq!(nonsense.parse::<Month>(), Err(InvalidMonth), "{nonsense}");
        }
    }
}
