//! What every blob store must do. Each test takes a store that is empty.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;

use super::{BlobError, BlobKey, Blobs};
use crate::domain::{MediaRole, VerificationId};

/// Runs every contract test, each as a test of its own. The expression makes a fresh store and whatever must live as
/// long as it does: `(guard, store)`.
#[macro_export]
macro_rules! blob_contract {
    ($made:expr) => {
        $crate::blob_contract!(@each $made,
            a_blob_reads_back_as_it_was_written
            a_blob_is_read_in_ranges
            a_range_behind_the_end_is_an_error
            a_blob_does_not_exist_before_it_is_finished
            an_aborted_blob_leaves_nothing
            a_dropped_blob_is_swept
            finishing_again_replaces_the_content
            a_deleted_blob_is_gone
            deleting_what_does_not_exist_is_fine
            deleting_a_verification_spares_the_others
            verifications_are_found_by_age
            verifications_are_found_page_by_page
            many_uploads_at_once_do_not_disturb_each_other
        );
    };
    (@each $made:expr, $($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            let (_guard, blobs) = $made;
            $crate::blob::contract::$name(&blobs).await;
        })*
    };
}
pub use blob_contract as suite;

fn key() -> (VerificationId, BlobKey) {
    let id = VerificationId::new();
    (id, BlobKey::new(id, MediaRole::Photo))
}

async fn put(blobs: &dyn Blobs, key: &BlobKey, chunks: &[&'static [u8]]) {
    let mut writer = blobs.write(key).await.expect("a writer");
    for chunk in chunks {
        writer.write(Bytes::from_static(chunk)).await.expect("written");
    }
    writer.finish().await.expect("finished");
}

async fn content(blobs: &dyn Blobs, key: &BlobKey) -> Option<Vec<u8>> {
    match blobs.local(key).await {
        Ok(local) => Some(std::fs::read(local.path()).expect("the local file is readable")),
        Err(BlobError::NotFound) => None,
        Err(error) => panic!("neither there nor absent: {error}"),
    }
}

async fn all(blobs: &dyn Blobs) -> Vec<VerificationId> {
    blobs.older_than(Duration::ZERO, None, 1000).await.expect("a listing")
}

pub async fn a_blob_reads_back_as_it_was_written(blobs: &dyn Blobs) {
    static LARGE: [u8; 6 << 20] = [7; 6 << 20];
    let (_, key) = key();
    put(blobs, &key, &[b"first ", b"", b"second ", &LARGE]).await;
    let read = content(blobs, &key).await.expect("it is there");
    assert_eq!(read.len(), 13 + LARGE.len());
    assert!(read.starts_with(b"first second ") && read.ends_with(&LARGE));
}

/// What came, and the largest piece.
async fn range(blobs: &dyn Blobs, key: &BlobKey, range: Range<u64>) -> Result<(Vec<u8>, usize), BlobError> {
    let pieces: Vec<Bytes> = blobs.read(key, range).await?.try_collect().await?;
    Ok((pieces.concat(), pieces.iter().map(Bytes::len).max().unwrap_or_default()))
}

pub async fn a_blob_is_read_in_ranges(blobs: &dyn Blobs) {
    static LARGE: [u8; 6 << 20] = [7; 6 << 20];
    let (_, key) = key();
    put(blobs, &key, &[b"0123456789", &LARGE]).await;
    let end = 10 + LARGE.len() as u64;
    let (all, largest) = range(blobs, &key, 0..end).await.expect("all of it");
    assert!(all.len() as u64 == end && all.starts_with(b"0123456789") && all.ends_with(&LARGE));
    assert!(largest <= 1 << 20, "a piece of {largest} bytes");
    assert_eq!(range(blobs, &key, 2..5).await.expect("some").0, b"234");
    assert_eq!(range(blobs, &key, end - 1..end).await.expect("the last").0, [7]);
    assert!(range(blobs, &key, 0..0).await.expect("nothing").0.is_empty());
}

pub async fn a_range_behind_the_end_is_an_error(blobs: &dyn Blobs) {
    let (_, key) = key();
    put(blobs, &key, &[b"0123456789"]).await;
    for beyond in [5..11, 10..12] {
        assert!(range(blobs, &key, beyond.clone()).await.is_err(), "{beyond:?}");
    }
    blobs.delete(&key).await.expect("deleted");
    for gone in [0..10, 0..0] {
        assert!(matches!(range(blobs, &key, gone).await, Err(BlobError::NotFound)));
    }
}

pub async fn a_blob_does_not_exist_before_it_is_finished(blobs: &dyn Blobs) {
    let (_, key) = key();
    let mut writer = blobs.write(&key).await.expect("a writer");
    writer.write(Bytes::from_static(b"half")).await.expect("written");
    assert_eq!(content(blobs, &key).await, None);
    writer.finish().await.expect("finished");
    assert_eq!(content(blobs, &key).await.as_deref(), Some(&b"half"[..]));
}

pub async fn an_aborted_blob_leaves_nothing(blobs: &dyn Blobs) {
    let (_, key) = key();
    let mut writer = blobs.write(&key).await.expect("a writer");
    writer.write(Bytes::from_static(b"half")).await.expect("written");
    writer.abort().await;
    assert_eq!(content(blobs, &key).await, None);
    assert_eq!(all(blobs).await, []);
}

/// A killed process drops its uploads without a word; the sweep must find what they left, if they left anything.
pub async fn a_dropped_blob_is_swept(blobs: &dyn Blobs) {
    let (_, key) = key();
    let mut writer = blobs.write(&key).await.expect("a writer");
    writer.write(Bytes::from_static(b"half")).await.expect("written");
    drop(writer);
    for id in all(blobs).await {
        blobs.delete_all(id).await.expect("deleted");
    }
    assert_eq!(content(blobs, &key).await, None);
    assert_eq!(all(blobs).await, []);
}

pub async fn finishing_again_replaces_the_content(blobs: &dyn Blobs) {
    let (_, key) = key();
    put(blobs, &key, &[b"a long first content"]).await;
    put(blobs, &key, &[b"second"]).await;
    assert_eq!(content(blobs, &key).await.as_deref(), Some(&b"second"[..]));
}

pub async fn a_deleted_blob_is_gone(blobs: &dyn Blobs) {
    let (_, key) = key();
    put(blobs, &key, &[b"content"]).await;
    blobs.delete(&key).await.expect("deleted");
    assert_eq!(content(blobs, &key).await, None);
    assert_eq!(all(blobs).await, []);
}

pub async fn deleting_what_does_not_exist_is_fine(blobs: &dyn Blobs) {
    let (id, key) = key();
    blobs.delete(&key).await.expect("deleted");
    blobs.delete_all(id).await.expect("deleted");
}

pub async fn deleting_a_verification_spares_the_others(blobs: &dyn Blobs) {
    let ((id, gone), (other, spared)) = (key(), key());
    put(blobs, &gone, &[b"gone"]).await;
    put(blobs, &spared, &[b"spared"]).await;
    let mut unfinished = blobs.write(&gone).await.expect("a writer");
    unfinished.write(Bytes::from_static(b"half")).await.expect("written");
    blobs.delete_all(id).await.expect("deleted");
    assert_eq!(content(blobs, &gone).await, None);
    assert_eq!(content(blobs, &spared).await.as_deref(), Some(&b"spared"[..]));
    assert_eq!(all(blobs).await, [other]);
}

pub async fn verifications_are_found_by_age(blobs: &dyn Blobs) {
    let (id, key) = key();
    put(blobs, &key, &[b"content"]).await;
    assert_eq!(all(blobs).await, [id]);
    let hour = Duration::from_hours(1);
    assert_eq!(blobs.older_than(hour, None, 1000).await.expect("a listing"), []);
}

pub async fn verifications_are_found_page_by_page(blobs: &dyn Blobs) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        let (id, key) = key();
        put(blobs, &key, &[b"content"]).await;
        ids.push(id);
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = blobs.older_than(Duration::ZERO, after, 2).await.expect("a listing");
        assert!(page.len() <= 2);
        after = page.last().copied();
        if after.is_none() {
            break;
        }
        found.extend(page);
    }
    assert_eq!(found, ids);
}

pub async fn many_uploads_at_once_do_not_disturb_each_other(blobs: &dyn Blobs) {
    let id = VerificationId::new();
    let upload = |number: usize| async move {
        let role = [MediaRole::IdCard, MediaRole::Photo, MediaRole::Video][number % 3];
        let key = BlobKey::new(id, role);
        let mut writer = blobs.write(&key).await.expect("a writer");
        writer.write(Bytes::from_static(b"content")).await.expect("written");
        if number < 30 { writer.abort().await } else { writer.finish().await.expect("finished") }
    };
    futures::future::join_all((0..33).map(upload)).await;
    for role in [MediaRole::IdCard, MediaRole::Photo, MediaRole::Video] {
        let key = BlobKey::new(id, role);
        assert_eq!(content(blobs, &key).await.as_deref(), Some(&b"content"[..]));
    }
}
