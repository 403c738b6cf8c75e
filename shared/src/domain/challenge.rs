//! The six digits that a person is asked to speak, and the challenges that issue them.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ChallengeId, TenantId, Timestamp};

/// Exactly six decimal digits, leading zeros kept, each 0..=9.
///
/// `Debug` hides them: digits never reach a log.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digits([u8; 6]);

/// The text was not exactly six decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected exactly 6 decimal digits")]
pub struct InvalidDigits;

impl Digits {
    /// Fresh digits from the operating system's random source, each of the million as likely as any other.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn generate() -> Self {
        let mut source = OsRng;
        // A byte below 250 is one of ten equal parts; the others are thrown away.
        let mut digit = || loop {
            let mut byte = [0_u8];
            source.try_fill_bytes(&mut byte).expect("the operating system gives random bytes");
            if byte[0] < 250 {
                return byte[0] % 10;
            }
        };
        Self(std::array::from_fn(|_| digit()))
    }

    /// The values, each 0..=9, in the order in which they are spoken.
    pub const fn values(&self) -> [u8; 6] {
        self.0
    }
}

impl FromStr for Digits {
    type Err = InvalidDigits;

    /// Folds every Unicode decimal digit (Thai `๑`, Devanagari `१`, full-width `１`) to ASCII; surrounding white
    /// space is dropped.
    fn from_str(text: &str) -> Result<Self, InvalidDigits> {
        let values: Vec<u8> =
            text.trim().chars().map(decimal_value).collect::<Option<_>>().ok_or(InvalidDigits)?;
        values.try_into().map(Self).map_err(|_| InvalidDigits)
    }
}

/// The value of a Unicode decimal digit (general category Nd), which come in runs of ten from zero upward.
pub fn decimal_value(character: char) -> Option<u8> {
    const ZEROS: [u32; 35] = [
        0x0030, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
        0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
        0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xAA50, 0xFF10,
    ];
    let code = u32::from(character);
    ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code)).map(|zero| (code - zero) as u8)
}

impl fmt::Display for Digits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(formatter, "{digit}"))
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Digits(******)")
    }
}

impl TryFrom<String> for Digits {
    type Error = InvalidDigits;

    fn try_from(text: String) -> Result<Self, InvalidDigits> {
        text.parse()
    }
}

impl From<Digits> for String {
    fn from(digits: Digits) -> String {
        digits.to_string()
    }
}

/// Digits that were issued, to be spoken once and before long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub id: ChallengeId,
    pub tenant: TenantId,
    pub digits: Digits,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// By the store's clock, when it was read.
    pub state: ChallengeState,
}

impl Challenge {
    /// How long one can be open.
    pub const LIFETIMES: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_hours(1);
}

/// Where a challenge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "open")]
pub enum ChallengeState {
    Open,
    /// A verification has named it, in time.
    Used,
    Expired,
}

/// The challenge that a verification names, and what came of naming it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedChallenge {
    pub id: ChallengeId,
    pub standing: Standing,
}

/// What a challenge was when a verification named it. Only an accepted one can pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was open, and is used up by this.
    Accepted,
    Expired,
    Used,
    /// It never was, was another tenant's, or is forgotten.
    Unknown,
    /// It was open and is used up, but the verification brought other digits.
    Mismatch,
}

impl Standing {
    /// The reason why the check fails.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Expired => Some("challenge_expired"),
            Self::Used => Some("challenge_used"),
            Self::Unknown => Some("challenge_unknown"),
            Self::Mismatch => Some("challenge_mismatch"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_kept() {
        assert_eq!("000123".parse::<Digits>().map(|digits| digits.to_string()), Ok("000123".to_owned()));
    }

    #[test]
    fn digits_of_other_scripts_are_folded() {
        assert_eq!("๑२３456".parse::<Digits>().map(|digits| digits.values()), Ok([1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn anything_but_six_digits_is_refused() {
        for text in ["", "12345", "1234567", "12 456", "12345a", "½23456"] {
            assert_eq!(text.parse::<Digits>(), Err(InvalidDigits), "{text}");
        }
    }

    #[test]
    fn every_digit_comes_up_in_every_place() {
        let mut counts = [[0_u32; 10]; 6];
        for _ in 0..2000 {
            for (place, digit) in Digits::generate().values().into_iter().enumerate() {
                counts[place][usize::from(digit)] += 1;
            }
        }
        // 200 are expected of each, give or take 13.
        assert!(counts.as_flattened().iter().all(|count| (100..300).contains(count)), "{counts:?}");
    }

    #[test]
    fn debug_shows_no_digit() {
        assert!(!format!("{:?}", "123456".parse::<Digits>()).contains('1'));
    }
}
