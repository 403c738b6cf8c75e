//! Probabilities as log-odds, and back.

/// A probability nearer to 0 or 1 counts as this near.
const MARGIN: f64 = 1e-6;

pub(crate) fn log_odds(probability: f64) -> f64 {
    log_odds_within(probability, MARGIN)
}

/// A probability nearer to 0 or 1 counts as `margin` away from it.
pub(crate) fn log_odds_within(probability: f64, margin: f64) -> f64 {
    let probability = probability.clamp(margin, 1.0 - margin);
    (probability / (1.0 - probability)).ln()
}

/// The probability of those log-odds.
pub(crate) fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}
