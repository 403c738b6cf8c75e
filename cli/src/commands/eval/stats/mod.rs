//! The numbers of ISO/IEC 19795-1 (matching), of ISO/IEC 30107-3 (presentation attack detection) and of spoken codes. Nothing
//! in here knows files, models or pages.

mod codes;
mod detection;
mod distinct;
mod groups;
mod matching;
mod ranks;
mod rate;

pub(super) use codes::{CodeRates, Codes, ReadingRates, ScorePoint, Trial};
pub(super) use detection::{AttackRates, Detection, Presentations};
pub(super) use distinct::distinct;
pub(super) use groups::Groups;
pub(super) use matching::{Distances, Lost, Matching, OperatingPoint};
pub(super) use rate::Rate;
