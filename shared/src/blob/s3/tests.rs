use std::path::Path as FilePath;
use std::time::Instant;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::*;
use crate::blob::OpenError;
use crate::config::{self, Data};
use crate::domain::MediaRole;
use crate::test_services::{PrivateServer, address};

const S3: &str = "COUNTERSIGN_TEST_S3";

/// The user of the server for tests.
const USER: &str = "countersign";

fn settings(endpoint: &str) -> config::Blobs {
    let _ = rustls::crypto::ring::default_provider().install_default();
    config::Blobs {
        // A prefix unlike that of any other test.
        url: format!("s3://countersign/test-{:016x}/media", rand::random::<u64>()).as_str().into(),
        endpoint: endpoint.into(),
        region: "us-east-1".to_owned(),
        access_key: USER.to_owned(),
        secret_key: secret(USER),
    }
}

fn secret(text: &str) -> config::Secret {
    serde_json::from_value(text.into()).expect("a text")
}

async fn open(settings: &config::Blobs, folder: &FilePath) -> Result<S3Blobs, OpenError> {
    S3Blobs::open(settings, &Data { dir: folder.to_owned() }).await
}

async fn blobs(endpoint: &str) -> (tempfile::TempDir, S3Blobs) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let blobs = open(&settings(endpoint), folder.path()).await.expect("the bucket is there");
    (folder, blobs)
}

fn video() -> BlobKey {
    BlobKey::new(VerificationId::new(), MediaRole::Video)
}

/// Bytes that repeat nowhere near a part.
fn chunks(bytes: usize) -> impl Iterator<Item = Bytes> {
    const CHUNK: usize = 128 << 10;
    (0..bytes / CHUNK).map(|number| {
        let seed = Sha256::digest(number.to_le_bytes());
        seed.iter().copied().cycle().take(CHUNK).collect()
    })
}

async fn write(blobs: &S3Blobs, key: &BlobKey, bytes: usize) -> Result<(), BlobError> {
    let mut writer = blobs.write(key).await?;
    for chunk in chunks(bytes) {
        writer.write(chunk).await?;
    }
    writer.finish().await
}

mod contract {
    use super::*;

    crate::blob::contract::suite!({
        let Some(endpoint) = address(S3) else { return };
        blobs(&endpoint).await
    });
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_reads_back_as_it_was() {
    let Some(endpoint) = address(S3) else { return };
    let (_folder, blobs) = blobs(&endpoint).await;
    let key = video();
    write(&blobs, &key, 20 << 20).await.expect("written");
    let meta = blobs.store.head(&blobs.path(key.as_str())).await.expect("it is there");
    let parts = meta.e_tag.expect("a tag");
    assert!(parts.trim_matches('"').ends_with("-4"), "not four parts of 5 MiB: {parts}");
    let local = blobs.local(&key).await.expect("a copy");
    let (read, written) = (std::fs::read(local.path()).expect("read"), chunks(20 << 20).collect::<Vec<_>>());
    assert!(read == written.concat());
    blobs.delete_all(key_id(&key)).await.expect("deleted");
}

fn key_id(key: &BlobKey) -> VerificationId {
    key.as_str().split_once('/').expect("two parts").0.parse().expect("an id")
}

#[tokio::test]
async fn a_copy_goes_when_it_is_dropped() {
    let Some(endpoint) = address(S3) else { return };
    let (folder, blobs) = blobs(&endpoint).await;
    let key = video();
    write(&blobs, &key, 1 << 20).await.expect("written");
    let local = blobs.local(&key).await.expect("a copy");
    let path = local.path().to_owned();
    assert!(path.starts_with(folder.path().join("copies")) && path.exists());
    drop(local);
    assert!(!path.exists());
    blobs.delete_all(key_id(&key)).await.expect("deleted");
}

#[tokio::test]
async fn old_verifications_are_listed_page_by_page_and_strangers_are_passed_over() {
    let Some(endpoint) = address(S3) else { return };
    let (_folder, blobs) = blobs(&endpoint).await;
    let mut ids: Vec<VerificationId> = (0..300).map(|_| VerificationId::new()).collect();
    ids.sort_unstable();
    let written = ids.iter().map(|id| (*id, MediaRole::Photo)).chain([(ids[0], MediaRole::IdCard)]);
    let puts = written.map(|(id, role)| {
        let (store, path) = (blobs.store.clone(), blobs.path(BlobKey::new(id, role).as_str()));
        async move { store.put(&path, "content".into()).await }
    });
    futures::stream::iter(puts).buffer_unordered(16).try_collect::<Vec<_>>().await.expect("written");
    let hyphens = format!("ver_{}/photo", ids[0].as_uuid().hyphenated());
    let random = "ver_00000000000040008000000000000000/photo";
    for foreign in ["a/photo", "ver_/photo", "ver_0193/photo", "ver_~/photo", "zzz", random, &hyphens] {
        blobs.store.put(&blobs.path(foreign), "not ours".into()).await.expect("written");
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = blobs.older_than(Duration::ZERO, after, 70).await.expect("a listing");
        assert!(page.len() <= 70);
        after = page.last().copied();
        if after.is_none() {
            break;
        }
        found.extend(page);
    }
    assert_eq!(found, ids);
    let young = blobs.older_than(Duration::from_mins(1), None, 1000).await.expect("a listing");
    assert_eq!(young, []);
    let path = blobs.path("");
    let all = blobs.store.list(Some(&path)).map_ok(|object| object.location).boxed();
    blobs.store.delete_stream(all).try_collect::<Vec<_>>().await.expect("deleted");
    assert_eq!(blobs.older_than(Duration::ZERO, None, 1000).await.expect("a listing"), []);
}

#[tokio::test]
async fn wrong_keys_and_a_missing_bucket_are_clear_errors() {
    let Some(endpoint) = address(S3) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let good = settings(&endpoint);
    let wrong_secret = config::Blobs { secret_key: secret("wrong"), ..good.clone() };
    let wrong_user = config::Blobs { access_key: "nobody".to_owned(), ..good.clone() };
    for wrong in [wrong_secret, wrong_user] {
        let error = open(&wrong, folder.path()).await.err().expect("refused");
        assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
        assert!(!error.is_passing());
    }
    let missing = config::Blobs { url: "s3://no-such-bucket".into(), ..good.clone() };
    let error = open(&missing, folder.path()).await.err().expect("there is none");
    assert!(matches!(error, OpenError::NoBucket(_)), "{error:?}");
    let half = config::Blobs { secret_key: secret(""), ..good };
    assert!(matches!(open(&half, folder.path()).await.err(), Some(OpenError::OneKey)));
}

#[tokio::test]
async fn a_server_that_is_killed_is_unavailable_and_back_after_its_start() {
    let Some(server) = PrivateServer::start("s3") else { return };
    let (folder, blobs) = blobs(&server.address()).await;
    let key = video();
    let mut writer = blobs.write(&key).await.expect("a writer");
    for chunk in chunks(8 << 20) {
        writer.write(chunk).await.expect("written");
    }
    server.kill();
    let began = Instant::now();
    let failed = async {
        for chunk in chunks(20 << 20) {
            writer.write(chunk).await?;
        }
        writer.finish().await
    };
    let error = failed.await.expect_err("nobody is there");
    assert!(matches!(error, BlobError::Unavailable(_)), "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
    let settings = settings(&server.address());
    let (read, deleted, opened) =
        tokio::join!(blobs.local(&key), blobs.delete(&key), open(&settings, folder.path()));
    for error in [read.err(), deleted.err()] {
        assert!(matches!(error, Some(BlobError::Unavailable(_))), "{error:?}");
    }
    assert!(opened.err().is_some_and(|error| error.is_passing()));

    server.start_again();
    assert!(matches!(blobs.local(&key).await, Err(BlobError::NotFound)), "half an upload is visible");
    write(&blobs, &key, 20 << 20).await.expect("written");
    let local = blobs.local(&key).await.expect("a copy");
    assert_eq!(std::fs::metadata(local.path()).expect("it is there").len(), 20 << 20);
}

/// A server that takes nothing must not make us take everything.
#[tokio::test]
async fn an_upload_waits_for_a_slow_server_with_two_parts_in_hand() {
    let Some(server) = PrivateServer::start("s3") else { return };
    let (_folder, blobs) = blobs(&server.address()).await;
    let mut writer = blobs.write(&video()).await.expect("a writer");
    server.pause();
    let mut taken = 0;
    for chunk in chunks(64 << 20) {
        let bytes = chunk.len();
        match tokio::time::timeout(Duration::from_secs(2), writer.write(chunk)).await {
            Ok(written) => written.expect("nothing has failed yet"),
            Err(_) => break,
        }
        taken += bytes;
    }
    server.resume();
    assert_eq!(taken, 10 << 20, "two parts of 5 MiB");
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_no_parts_behind() {
    let Some(server) = PrivateServer::start("s3") else { return };
    let (_folder, blobs) = blobs(&server.address()).await;
    let parts = || {
        let names = std::fs::read_dir(server.folder().join("s3")).expect("the server's folder");
        names.filter(|entry| entry.as_ref().is_ok_and(|entry| is_part(&entry.file_name()))).count()
    };
    for dropped in [true, false] {
        let mut writer = blobs.write(&video()).await.expect("a writer");
        for chunk in chunks(12 << 20) {
            writer.write(chunk).await.expect("written");
        }
        assert!(parts() > 0, "nothing was sent");
        if dropped {
            drop(writer);
        } else {
            writer.abort().await;
        }
        let began = Instant::now();
        while parts() > 0 && began.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(parts(), 0);
    }
    assert_eq!(blobs.older_than(Duration::ZERO, None, 1000).await.expect("a listing"), []);
}

fn is_part(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(".upload_id-"))
}
