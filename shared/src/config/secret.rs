//! Settings that may hold a password: they are not printed.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

const MASK: &str = "***";

/// The address of a service. Its password, when it has one, is printed as `***`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct ServiceUrl(String);

impl ServiceUrl {
    /// With its password.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What comes after `scheme`, such as `sqlite://`.
    pub fn strip_prefix(&self, scheme: &str) -> Option<&str> {
        self.0.strip_prefix(scheme)
    }

    pub fn starts_with(&self, scheme: &str) -> bool {
        self.0.starts_with(scheme)
    }
}

impl From<String> for ServiceUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl From<&str> for ServiceUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whatever might be a password, also in an address that is written wrongly.
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        let masked = match rest.rsplit_once('@') {
            Some((user, host)) => match user.split_once(':') {
                Some((name, _)) => format!("{name}:{MASK}@{host}"),
                None => rest.to_owned(),
            },
            None => rest.to_owned(),
        };
        let (before, query) = masked.split_once("password=").unwrap_or((&masked, ""));
        if before.len() == masked.len() {
            return write!(formatter, "{scheme}://{masked}");
        }
        let after = query.find('&').map_or("", |end| &query[end..]);
        write!(formatter, "{scheme}://{before}password={MASK}{after}")
    }
}

impl fmt::Debug for ServiceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{self}\"")
    }
}

impl Serialize for ServiceUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A password.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        for (url, printed) in [
            ("postgres://me:pass@host:5432/db?a=b", "postgres://me:***@host:5432/db?a=b"),
            ("amqp://me:p%40ss@host", "amqp://me:***@host"),
            ("redis://:pass@host/0", "redis://:***@host/0"),
            ("postgres://me@host/db", "postgres://me@host/db"),
            ("postgres://me:pa/ss?w#ord@host/db", "postgres://me:***@host/db"),
            ("postgres://host/db?user=me&password=pass&a=b", "postgres://host/db?user=me&password=***&a=b"),
            ("postgres://host/db?password=pass", "postgres://host/db?password=***"),
            ("sqlite://countersign.db", "sqlite://countersign.db"),
            ("memory://", "memory://"),
        ] {
            assert_eq!(ServiceUrl::from(url).to_string(), printed);
            assert_eq!(format!("{:?}", ServiceUrl::from(url)), format!("{printed:?}"));
        }
    }
}
