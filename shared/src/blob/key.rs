//! The only place that makes a blob's path.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{MediaRole, TenantId, VerificationId};

/// `{verification}/{tenant}/{role}`: the verification first, so that erasing one is deleting one prefix.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobKey(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a blob key")]
pub struct InvalidBlobKey;

impl BlobKey {
    pub fn new(tenant: TenantId, id: VerificationId, role: MediaRole) -> Self {
        Self(format!("{id}/{tenant}/{role}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for BlobKey {
    type Error = InvalidBlobKey;

    fn try_from(text: String) -> Result<Self, InvalidBlobKey> {
        let mut parts = text.split('/');
        let well_formed = parts.next().is_some_and(|id| id.parse::<VerificationId>().is_ok())
            && parts.next().is_some_and(|tenant| tenant.parse::<TenantId>().is_ok())
            && parts.next().is_some_and(|role| ["id_card", "photo", "video"].contains(&role))
            && parts.next().is_none();
        if well_formed { Ok(Self(text)) } else { Err(InvalidBlobKey) }
    }
}

impl From<BlobKey> for String {
    fn from(key: BlobKey) -> String {
        key.0
    }
}
