//! Where a tenant wants to be told.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

// The client's own: what is checked must be what is connected to, whatever odd spelling of an address it is.
use reqwest::Url;
use serde::{Deserialize, Serialize};

/// In bytes.
const LONGEST: usize = 2048;

/// An `http` or `https` URL with a host and without credentials. `Debug` hides its path and query, which often hold a
/// token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(Url);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    #[error("must be at most {LONGEST} bytes long")]
    TooLong,
    #[error("must be an absolute https URL")]
    NoUrl,
    #[error("must not hold a user name or a password")]
    Credentials,
    #[error("must not hold a fragment")]
    Fragment,
}

/// To whom a connection is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host<'url> {
    Name(&'url str),
    Address(IpAddr),
}

impl WebhookUrl {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }

    pub(super) fn host(&self) -> Host<'_> {
        let text = self.0.host_str().unwrap_or_default();
        let address = text.trim_start_matches('[').trim_end_matches(']');
        address.parse().map_or(Host::Name(text), Host::Address)
    }
}

impl FromStr for WebhookUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        if text.len() > LONGEST {
            return Err(InvalidUrl::TooLong);
        }
        let url: Url = text.parse().map_err(|_| InvalidUrl::NoUrl)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(InvalidUrl::NoUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidUrl::Credentials);
        }
        if url.fragment().is_some() {
            return Err(InvalidUrl::Fragment);
        }
        // Normalising may have made it longer.
        if url.as_str().len() > LONGEST { Err(InvalidUrl::TooLong) } else { Ok(Self(url)) }
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = InvalidUrl;

    fn try_from(text: String) -> Result<Self, InvalidUrl> {
        text.parse()
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> Self {
        url.0.into()
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "WebhookUrl({}://{}…)", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_in_every_spelling() {
        for (text, address) in [
            ("https://127.0.0.1/", "127.0.0.1"),
            ("https://2130706433/", "127.0.0.1"),
            ("https://0x7f.1/", "127.0.0.1"),
            ("https://0177.0.0.1:8443/", "127.0.0.1"),
            ("https://１２７.0.0.1/", "127.0.0.1"),
            ("https://[::1]/", "::1"),
            ("https://[::ffff:10.0.0.1]/", "::ffff:a00:1"),
        ] {
            let url: WebhookUrl = text.parse().expect(text);
            assert_eq!(url.host(), Host::Address(address.parse().expect("an address")), "{text}");
        }
        let url: WebhookUrl = "https://example.com/hook?a=b".parse().expect("a URL");
        assert_eq!((url.host(), url.port()), (Host::Name("example.com"), 443));
    }

    #[test]
    fn what_is_no_url_of_a_receiver_is_refused() {
        for (text, error) in [
            ("", InvalidUrl::NoUrl),
            ("example.com/hook", InvalidUrl::NoUrl),
            ("/hook", InvalidUrl::NoUrl),
            ("https://", InvalidUrl::NoUrl),
            ("ftp://example.com", InvalidUrl::NoUrl),
            ("file:///etc/passwd", InvalidUrl::NoUrl),
            ("https://me:pass@example.com", InvalidUrl::Credentials),
            ("https://me@example.com", InvalidUrl::Credentials),
            ("https://example.com/#part", InvalidUrl::Fragment),
        ] {
            assert_eq!(text.parse::<WebhookUrl>(), Err(error), "{text}");
        }
        let long = format!("https://example.com/{}", "x".repeat(LONGEST));
        assert_eq!(long.parse::<WebhookUrl>(), Err(InvalidUrl::TooLong));
        let grows = format!("https://example.com/{}", "é".repeat(900));
        assert_eq!(grows.parse::<WebhookUrl>(), Err(InvalidUrl::TooLong));
    }

    #[test]
    fn debug_shows_no_token() {
        let url: WebhookUrl = "https://example.com/hooks/secret?token=secret".parse().expect("a URL");
        assert_eq!(format!("{url:?}"), "WebhookUrl(https://example.com…)");
    }
}
