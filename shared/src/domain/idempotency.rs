//! A request that may come twice and is done once: its key, what it holds, and the answer that is kept for it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{TenantId, Timestamp, VerificationId};

/// A key that a client made up: 1 to 255 visible ASCII characters.
///
/// Only its hash is stored, and `Debug` hides it: it can hold whatever the client numbers its own things by.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {} visible ASCII characters", IdempotencyKey::LONGEST)]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    pub const LONGEST: usize = 255;

    /// The form in which the key is stored and looked up.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let well_formed = (1..=Self::LONGEST).contains(&text.len())
            && text.bytes().all(|character| character.is_ascii_graphic());
        if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidIdempotencyKey) }
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IdempotencyKey(…)")
    }
}

/// What a request holds, as a hash: two requests with the same one ask for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// One request's hold on a key; every write of that request is guarded by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub tenant: TenantId,
    /// The key's hash.
    pub key: [u8; 32],
    /// Which of the requests with this key it is.
    pub owner: Uuid,
}

impl Reservation {
    pub fn new(tenant: TenantId, key: &IdempotencyKey) -> Self {
        Self { tenant, key: key.hash(), owner: Uuid::now_v7() }
    }
}

/// The answer to be kept for a key, written together with the verification that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    pub reservation: Reservation,
    pub fingerprint: Fingerprint,
    /// The verification's, as the answer says it.
    pub created_at: Timestamp,
    /// The body as it is sent.
    pub answer: Vec<u8>,
    pub keep: Duration,
}

/// The answer that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    pub fingerprint: Fingerprint,
    pub verification: VerificationId,
    /// `None` when the verification was erased: the body holds what the client had sent.
    pub body: Option<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_a_bounded_length() {
        let longest = "k".repeat(255);
        for text in ["a", "order-7/2", "{\"a\":1}", longest.as_str()] {
            assert!(text.parse::<IdempotencyKey>().is_ok(), "{text}");
        }
        let too_long = "k".repeat(256);
        for text in ["", "a b", " a", "a\t", "ü", "a\u{7f}", too_long.as_str()] {
            assert_eq!(text.parse::<IdempotencyKey>(), Err(InvalidIdempotencyKey), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let key: IdempotencyKey = "order-of-jane".parse().expect("a key");
        assert!(!format!("{key:?}").contains("jane"));
    }

    #[test]
    fn two_requests_with_a_key_are_told_apart() {
        let (tenant, key) = (TenantId::new(), "a".parse().expect("a key"));
        let (first, second) = (Reservation::new(tenant, &key), Reservation::new(tenant, &key));
        assert_eq!(first.key, second.key);
        assert_ne!(first.owner, second.owner);
    }
}
