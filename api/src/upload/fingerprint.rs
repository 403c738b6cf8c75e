//! What a request holds, as a hash: the same for the same fields and files, however they were sent.

use countersign_shared::domain::Fingerprint;
use sha2::{Digest, Sha256};

use super::Upload;

impl Upload {
    /// Over the fields that are read and every file's hash, in the order of their names. An empty field is as good as none.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let texts = self.texts.iter().map(|(field, text)| (*field, text.as_str()));
        let files = self.media.iter().map(|media| (media.role.name(), media.sha256.as_str()));
        let mut parts: Vec<(&str, &str)> = texts.filter(|(_, text)| !text.is_empty()).chain(files).collect();
        parts.sort_unstable();
        let mut hasher = Sha256::new();
        for text in parts.into_iter().flat_map(|(name, value)| [name, value]) {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        Fingerprint::from_bytes(hasher.finalize().into())
    }
}
