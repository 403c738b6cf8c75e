//! Where events may be sent: `https` to the internet, and whatever an operator has allowed beside it.

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::WebhookUrl;
use super::address::{is_public, is_within};
use super::url::Host;

/// An exception from the rule: a network such as `10.1.0.0/16`, an address, or the name of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AllowedTarget {
    Network { address: IpAddr, bits: u32 },
    Host(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network such as 10.1.0.0/16, no address and no host name")]
pub struct InvalidTarget(String);

/// Why nothing is sent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedTarget {
    #[error("must be https")]
    Plain,
    #[error("must not name that port")]
    Port,
    #[error("must not name an address that is not public")]
    Address,
}

/// The rule and its exceptions.
#[derive(Debug, Clone)]
pub struct Targets {
    allowed: Vec<AllowedTarget>,
    /// Empty means every one.
    ports: Vec<u16>,
}

impl Targets {
    pub const fn new(allowed: Vec<AllowedTarget>, ports: Vec<u16>) -> Self {
        Self { allowed, ports }
    }

    /// Whatever can be said before the host's name is resolved; what it resolves to is asked of
    /// [`permits`](Self::permits).
    pub fn check(&self, url: &WebhookUrl) -> Result<(), RefusedTarget> {
        if !self.ports.is_empty() && !self.ports.contains(&url.port()) {
            return Err(RefusedTarget::Port);
        }
        let (is_allowed, is_public) = match url.host() {
            Host::Name(name) => (self.allows_name(name), true),
            Host::Address(address) => (self.allows_address(address), is_public(address)),
        };
        match (is_allowed, is_public) {
            (true, _) => Ok(()),
            (false, false) => Err(RefusedTarget::Address),
            (false, true) if url.is_https() => Ok(()),
            (false, true) => Err(RefusedTarget::Plain),
        }
    }

    /// Whether a connection may be made to that address, which is one of the name's.
    pub fn permits(&self, name: &str, address: IpAddr) -> bool {
        is_public(address) || self.allows_name(name) || self.allows_address(address)
    }

    fn allows_name(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        self.allowed
            .iter()
            .any(|allowed| matches!(allowed, AllowedTarget::Host(host) if host.eq_ignore_ascii_case(name)))
    }

    fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|allowed| {
            matches!(allowed, AllowedTarget::Network { address: network, bits }
                if is_within(address, (*network, *bits)))
        })
    }
}

impl FromStr for AllowedTarget {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget(text.to_owned());
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        if let Ok(address) = address.parse::<IpAddr>() {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(most), str::parse).map_err(|_| invalid())?;
            return if bits <= most { Ok(Self::Network { address, bits }) } else { Err(invalid()) };
        }
        let is_name = !text.is_empty()
            && text.len() <= 253
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if is_name { Ok(Self::Host(text.trim_end_matches('.').to_owned())) } else { Err(invalid()) }
    }
}

impl TryFrom<String> for AllowedTarget {
    type Error = InvalidTarget;

    fn try_from(text: String) -> Result<Self, InvalidTarget> {
        text.parse()
    }
}

impl From<AllowedTarget> for String {
    fn from(allowed: AllowedTarget) -> Self {
        match allowed {
            AllowedTarget::Network { address, bits } => format!("{address}/{bits}"),
            AllowedTarget::Host(host) => host,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(allowed: &[&str], ports: &[u16]) -> Targets {
        let allowed = allowed.iter().map(|text| text.parse().expect("a target")).collect();
        Targets::new(allowed, ports.to_vec())
    }

    fn check(targets: &Targets, url: &str) -> Result<(), RefusedTarget> {
        targets.check(&url.parse().expect("a URL"))
    }

    #[test]
    fn https_to_the_internet_is_allowed_and_nothing_else() {
        let targets = targets(&[], &[]);
        for (url, expected) in [
            ("https://example.com/hook", Ok(())),
            ("https://example.com:8443/hook", Ok(())),
            ("https://93.184.216.34/", Ok(())),
            ("http://example.com/hook", Err(RefusedTarget::Plain)),
            ("https://127.0.0.1/", Err(RefusedTarget::Address)),
            ("https://169.254.169.254/latest/meta-data", Err(RefusedTarget::Address)),
            ("http://[::1]:8080/", Err(RefusedTarget::Address)),
            ("https://[::ffff:10.0.0.1]/", Err(RefusedTarget::Address)),
            ("https://2130706433/", Err(RefusedTarget::Address)),
        ] {
            assert_eq!(check(&targets, url), expected, "{url}");
        }
        assert!(targets.permits("example.com", "93.184.216.34".parse().expect("an address")));
        assert!(!targets.permits("example.com", "10.0.0.1".parse().expect("an address")));
    }

    #[test]
    fn what_an_operator_allows_may_be_private_and_plain() {
        let targets = targets(&["10.1.0.0/16", "::1", "hooks.internal"], &[]);
        for (url, expected) in [
            ("http://10.1.2.3/", Ok(())),
            ("http://[::ffff:10.1.2.3]/", Ok(())),
            ("http://[::1]/", Ok(())),
            ("http://hooks.internal:8080/", Ok(())),
            ("http://HOOKS.internal./", Ok(())),
            ("http://10.2.0.1/", Err(RefusedTarget::Address)),
            ("https://[::2]/", Err(RefusedTarget::Address)),
            ("http://other.internal/", Err(RefusedTarget::Plain)),
        ] {
            assert_eq!(check(&targets, url), expected, "{url}");
        }
        let address = |text: &str| text.parse().expect("an address");
        assert!(targets.permits("other.internal", address("10.1.9.9")));
        assert!(targets.permits("hooks.internal", address("192.168.0.1")));
        assert!(!targets.permits("other.internal", address("192.168.0.1")));
    }

    #[test]
    fn ports_can_be_limited() {
        let targets = targets(&[], &[443, 8443]);
        assert_eq!(check(&targets, "https://example.com/"), Ok(()));
        assert_eq!(check(&targets, "https://example.com:8443/"), Ok(()));
        assert_eq!(check(&targets, "https://example.com:22/"), Err(RefusedTarget::Port));
    }

    #[test]
    fn exceptions_read_back_and_nonsense_is_refused() {
        for text in ["10.1.0.0/16", "127.0.0.1/32", "fd00::/8", "hooks.internal", "0.0.0.0/0"] {
            assert_eq!(text.parse::<AllowedTarget>().map(String::from), Ok(text.to_owned()));
        }
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/x", "a host", "https://example.com"] {
            assert!(text.parse::<AllowedTarget>().is_err(), "{text}");
        }
    }
}
