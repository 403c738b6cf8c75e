//! What a receiver knows us by: a secret, and the signatures of the Standard Webhooks specification.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::TryRngCore as _;
use sha2::Sha256;

use crate::domain::{DeliveryId, Timestamp};

const PREFIX: &str = "whsec_";

/// Bytes of a secret of ours.
const FRESH_BYTES: usize = 32;

/// What the specification allows.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that its endpoint and this installation share. Shown when it is made, and never again.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

/// The text is no secret; it is not repeated, since it may nearly be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook secret")]
pub struct InvalidSecret;

impl WebhookSecret {
    /// A fresh one from the operating system's random source.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn generate() -> Self {
        let mut bytes = vec![0_u8; FRESH_BYTES];
        rand::rngs::OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
        Self(bytes)
    }

    /// The secret itself: `whsec_` and base64.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// `v1,` and the base64 of HMAC-SHA256 over `id.seconds.body`.
    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("a key may be of any length; this is a bug");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl FromStr for WebhookSecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(InvalidSecret)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| InvalidSecret)?;
        if BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidSecret) }
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookSecret(…)")
    }
}

/// The secret in force, and the one before it for as long as receivers may still expect it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecrets {
    pub current: WebhookSecret,
    pub previous: Option<(WebhookSecret, Timestamp)>,
}

impl WebhookSecrets {
    /// The header `webhook-signature`: one signature for each secret that is valid at `now`.
    pub fn signature(&self, id: DeliveryId, now: Timestamp, body: &[u8]) -> String {
        let (id, seconds) = (id.to_string(), now.as_millis() / 1000);
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        let signatures: Vec<String> = std::iter::once(&self.current)
            .chain(previous)
            .map(|secret| secret.sign(&id, seconds, body))
            .collect();
        signatures.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The example that the reference libraries of Standard Webhooks publish.
    #[test]
    fn a_signature_is_that_of_the_reference_libraries() {
        let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().expect("a secret");
        let signature =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn both_secrets_sign_until_the_older_one_ends() {
        let (id, now) = (DeliveryId::new(), Timestamp::now());
        let (old, new) = (WebhookSecret::generate(), WebhookSecret::generate());
        let until = now.after(Duration::from_mins(1));
        let secrets = WebhookSecrets { current: new.clone(), previous: Some((old.clone(), until)) };
        let sign = |secret: &WebhookSecret, at: Timestamp| {
            secret.sign(&id.to_string(), at.as_millis() / 1000, b"{}")
        };
        assert_eq!(secrets.signature(id, now, b"{}"), format!("{} {}", sign(&new, now), sign(&old, now)));
        assert_eq!(secrets.signature(id, until, b"{}"), sign(&new, until));
    }

    #[test]
    fn a_fresh_secret_reads_back_and_is_not_shown_by_debug() {
        let secret = WebhookSecret::generate();
        let text = secret.reveal();
        assert_eq!(text.parse(), Ok(secret.clone()));
        assert_eq!(text.len(), "whsec_".len() + 44);
        assert!(!format!("{secret:?}").contains(&text[6..]));
    }

    #[test]
    fn what_is_too_short_or_no_base64_is_no_secret() {
        for text in ["", "whsec_", "whsec_AAAA", "whsec_!!!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(text.parse::<WebhookSecret>(), Err(InvalidSecret), "{text}");
        }
    }
}
