//! The numbers of ISO/IEC 19795-1 (matching) and ISO/IEC 30107-3 (presentation attack detection). Nothing in here knows
//! files, models or pages.

mod detection;
mod matching;
mod rate;

pub(super) use detection::{AttackRates, Detection, Presentations};
pub(super) use matching::{Distances, Matching, OperatingPoint};
pub(super) use rate::Rate;
