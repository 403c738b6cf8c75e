//! Identifiers: a `UUIDv7` with a readable prefix on the wire, such as `ver_0193c5…`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Timestamp;

/// The text was no identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier that starts with `{prefix}_`")]
pub struct InvalidId {
    prefix: &'static str,
}

macro_rules! identifier {
    ($(#[doc = $doc:literal])* $name:ident, $prefix:literal) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh identifier; later ones sort after earlier ones.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// When it was made, from its first 48 bits; the epoch for an identifier that is no `UUIDv7`.
            pub fn created_at(&self) -> Timestamp {
                let (seconds, nanoseconds) =
                    self.0.get_timestamp().map_or((0, 0), |timestamp| timestamp.to_unix());
                Timestamp::from_millis(seconds as i64 * 1000 + i64::from(nanoseconds / 1_000_000))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                super::schema::text(
                    concat!($($doc),*),
                    concat!("^", $prefix, "_[0-9a-f]{32}$"),
                    concat!($prefix, "_019b0f3c2a7e7d31a5c06f1e8d94b2a7"),
                )
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

identifier!(
    /// One verification, from upload to erasure.
    VerificationId,
    "ver"
);

impl VerificationId {
    /// Before every identifier made then or later, and after all made before.
    pub fn first_at(time: Timestamp) -> Self {
        const LATEST: u128 = (1 << 48) - 1;
        let millis = u128::try_from(time.as_millis()).unwrap_or(0).min(LATEST);
        Self(Uuid::from_u128(millis << 80))
    }
}

identifier!(
    /// One customer of this installation; every read is scoped by it.
    TenantId,
    "ten"
);
identifier!(
    /// The public name of an API key; the secret is never stored.
    KeyId,
    "key"
);
identifier!(
    /// A server of a tenant's that is told of events.
    WebhookId,
    "whk"
);
identifier!(
    /// One event on its way to one receiver; the same over every attempt.
    DeliveryId,
    "msg"
);
identifier!(
    /// One entry of the audit log.
    AuditId,
    "aud"
);
identifier!(
    /// Digits that were issued to be spoken.
    ChallengeId,
    "chl"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_survives_its_own_text() {
        let id = VerificationId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn another_kinds_identifier_is_refused() {
        assert!(TenantId::new().to_string().parse::<VerificationId>().is_err());
    }

    #[test]
    fn identifiers_sort_by_age() {
        let (first, second) = (VerificationId::new(), VerificationId::new());
        assert!(first < second);
    }

    #[test]
    fn a_time_lies_between_the_identifiers_before_and_after() {
        let id = VerificationId::new();
        let made = id.created_at();
        let next = Timestamp::from_millis(made.as_millis() + 1);
        assert!(VerificationId::first_at(made) < id && id < VerificationId::first_at(next));
        for odd in [i64::MIN, -1, i64::MAX] {
            VerificationId::first_at(Timestamp::from_millis(odd));
        }
    }
}
