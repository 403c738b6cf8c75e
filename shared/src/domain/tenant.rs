//! Tenants and their API keys: what a key looks like, what it may do, and the only form in which it is stored.

use std::fmt;
use std::str::FromStr;

use rand::TryRngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::{KeyId, TenantId, Timestamp};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(example = "verify:read")]
pub enum Scope {
    #[serde(rename = "verify:write")]
    VerifyWrite,
    #[serde(rename = "verify:read")]
    VerifyRead,
    #[serde(rename = "media:read")]
    MediaRead,
    #[serde(rename = "review:write")]
    ReviewWrite,
    #[serde(rename = "webhook:write")]
    WebhookWrite,
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    pub const ALL: &'static [Self] = &[
        Self::VerifyWrite,
        Self::VerifyRead,
        Self::MediaRead,
        Self::ReviewWrite,
        Self::WebhookWrite,
        Self::Admin,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyWrite => "verify:write",
            Self::VerifyRead => "verify:read",
            Self::MediaRead => "media:read",
            Self::ReviewWrite => "review:write",
            Self::WebhookWrite => "webhook:write",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ");
        Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| format!("unknown scope; known: {}", known()))
    }
}

/// A secret API key: `cs_` and 64 hexadecimal digits (256 random bits). Shown once, never stored.
#[derive(Clone)]
pub struct ApiKey(String);

/// The text is not shaped like an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct InvalidApiKey;

impl ApiKey {
    /// A fresh key from the operating system's random source.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn generate() -> Self {
        let mut bytes = [0_u8; 32];
        rand::rngs::OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
        Self(format!("cs_{}", hexadecimal(&bytes)))
    }

    /// The form in which the key is stored and looked up. 256 random bits need no slow hash.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The secret itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        use fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl FromStr for ApiKey {
    type Err = InvalidApiKey;

    fn from_str(text: &str) -> Result<Self, InvalidApiKey> {
        let secret = text.strip_prefix("cs_").ok_or(InvalidApiKey)?;
        let well_formed = secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidApiKey) }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(…)")
    }
}

/// What is known of a key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyInfo {
    pub id: KeyId,
    pub tenant: TenantId,
    pub tenant_name: String,
    /// The operator's name for it; empty when none was given.
    pub label: String,
    pub scopes: Vec<Scope>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// Its own; where there is none, its tenant's counts.
    pub limits: KeyLimits,
}

impl ApiKeyInfo {
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expiry| now < expiry)
    }
}

/// How much a key may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLimits {
    pub rate_limit: Option<RateLimit>,
    /// How many verifications may be accepted in a calendar month.
    pub monthly_quota: Option<u64>,
}

impl KeyLimits {
    /// These, and the `others` where there are none of these.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            rate_limit: self.rate_limit.or(others.rate_limit),
            monthly_quota: self.monthly_quota.or(others.monthly_quota),
        }
    }
}

/// How often a key may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"per_minute": 600, "burst": 60}))]
pub struct RateLimit {
    /// How many requests a minute are given back.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub per_minute: u32,
    /// How many requests may come at once.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub burst: u32,
}

impl RateLimit {
    /// Of either number.
    pub const MOST: u32 = 1_000_000;
}

/// One customer of this installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    pub created_at: Timestamp,
    /// While it is set, its keys may do nothing.
    pub suspended_at: Option<Timestamp>,
    /// Of each of its keys that has none of its own.
    pub limits: KeyLimits,
}

/// What is known of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub key: ApiKeyInfo,
    pub suspended: bool,
    /// The key's own limits, and its tenant's where it has none.
    pub limits: KeyLimits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_key_reads_back_to_the_same_hash() {
        let key = ApiKey::generate();
        assert_eq!(key.reveal().parse::<ApiKey>().map(|read| read.hash()), Ok(key.hash()));
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = ApiKey::generate();
        assert!(!format!("{key:?}").contains(&key.reveal()[3..]));
    }
}
