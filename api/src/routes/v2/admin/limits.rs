//! Limits as a client writes them, and what of them is refused.

use std::ops::RangeInclusive;

use countersign_shared::domain::{LimitsChange, Patch, RateLimit};

use super::invalid;
use crate::problem::Problem;

const RATES: RangeInclusive<u32> = 1..=RateLimit::MOST;
const MOST_MONTHLY: u64 = 1_000_000_000_000;

pub(super) fn rate_limit(limit: RateLimit) -> Result<RateLimit, Problem> {
    if RATES.contains(&limit.per_minute) && RATES.contains(&limit.burst) {
        return Ok(limit);
    }
    Err(invalid(format!("`rate_limit`: `per_minute` and `burst` must be from 1 to {}", RateLimit::MOST)))
}

pub(super) fn monthly_quota(quota: u64) -> Result<u64, Problem> {
    if quota <= MOST_MONTHLY {
        return Ok(quota);
    }
    Err(invalid(format!("`monthly_quota` must be at most {MOST_MONTHLY}")))
}

pub(super) fn change(
    rate_limit: Patch<RateLimit>,
    monthly_quota: Patch<u64>,
) -> Result<LimitsChange, Problem> {
    Ok(LimitsChange {
        rate_limit: rate_limit.checked(self::rate_limit)?,
        monthly_quota: monthly_quota.checked(self::monthly_quota)?,
    })
}

/// A name for people, without control characters.
pub(super) fn name(member: &str, text: &str, longest: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > longest || text.chars().any(char::is_control) {
        return Err(invalid(format!("`{member}` must have at most {longest} characters, none of control")));
    }
    Ok(text.to_owned())
}
