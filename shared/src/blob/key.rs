//! The only place that makes a blob's path.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{MediaRole, VerificationId};

/// `{verification}/{role}`: the verification first, so that erasing one is deleting one prefix. The tenant is not in
/// it: files arrive before the key that names the tenant, and every read comes through the row, which knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobKey(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a blob key")]
pub struct InvalidBlobKey;

impl BlobKey {
    pub fn new(id: VerificationId, role: MediaRole) -> Self {
        Self(format!("{id}/{role}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_own_text() {
        let key = BlobKey::new(VerificationId::new(), MediaRole::IdCard);
        assert_eq!(BlobKey::try_from(String::from(key.clone())), Ok(key));
    }

    #[test]
    fn a_path_that_leaves_its_verification_is_refused() {
        let id = VerificationId::new();
        for text in
            [format!("{id}/../photo"), format!("{id}/.."), format!("{id}/photo/x"), "/etc/photo".to_owned()]
        {
            assert_eq!(BlobKey::try_from(text), Err(InvalidBlobKey));
        }
    }
}
