//! The verifications in a bucket by age. Their ids sort by time and so do their keys, so that a listing ends where they
//! are too young.

use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::aws::AmazonS3;
use object_store::path::Path;

use crate::blob::BlobError;
use crate::domain::{Timestamp, VerificationId};

/// With what every key of ours begins below the prefix.
const MARK: &str = "ver_";

/// In order, those after `after` that were made until `until`, at most `limit`. Keys that are not ours are passed over.
pub(super) async fn verifications(
    store: &AmazonS3,
    prefix: &Path,
    after: Option<VerificationId>,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<VerificationId>, BlobError> {
    let mut found: Vec<VerificationId> = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    let below = (!prefix.as_ref().is_empty()).then_some(prefix);
    let mut objects = store.list_with_offset(below, &start(prefix, after));
    while let Some(object) = objects.try_next().await? {
        let Some(name) = first_part_below(prefix, &object.location) else { continue };
        if !name.starts_with(MARK) {
            break;
        }
        let Some(id) = verification(&name) else { continue };
        if id.created_at() > until {
            break;
        }
        if found.last() == Some(&id) {
            continue;
        }
        if found.len() == limit {
            break;
        }
        found.push(id);
    }
    Ok(found)
}

/// The key after which the listing begins: `0` is what follows `/`, so that all keys of `after` are left out.
fn start(prefix: &Path, after: Option<VerificationId>) -> Path {
    let name = after.map_or_else(|| MARK.to_owned(), |id| format!("{id}0"));
    prefix.parts().chain(Path::from(name).parts()).collect()
}

fn first_part_below(prefix: &Path, location: &Path) -> Option<String> {
    location.prefix_match(prefix)?.next().map(|part| part.as_ref().to_owned())
}

/// Only as we write it; a key of another origin may look alike.
fn verification(name: &str) -> Option<VerificationId> {
    let id: VerificationId = name.parse().ok()?;
    (id.as_uuid().get_version_num() == 7 && id.to_string() == name).then_some(id)
}
