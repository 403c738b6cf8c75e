//! One file on its way to the blob store: bounded, hashed and recognised while it streams.

use std::fmt::Write as _;

use actix_multipart::Field;
use bytes::BytesMut;
use countersign_shared::blob::{BlobKey, BlobWriter, Blobs};
use countersign_shared::domain::{Media, MediaFormat, MediaRole, ProblemCode, SNIFF_BYTES, VerificationId};
use countersign_shared::telemetry::metrics;
use futures::StreamExt;
use sha2::{Digest, Sha256};

use super::broken;
use crate::problem::Problem;

/// The network's small chunks are gathered to this size, so that the store is not asked for each of them.
const CHUNK_BYTES: usize = 128 * 1024;

/// Where one file goes and what it may be.
pub(super) struct Target<'a> {
    pub(super) blobs: &'a dyn Blobs,
    pub(super) id: VerificationId,
    pub(super) role: MediaRole,
    /// The form field's name, for the refusal.
    pub(super) field: &'a str,
    pub(super) limit: u64,
}

/// Streams the field into its blob. Memory: one chunk, however large the file. The first bytes decide before anything
/// is stored.
pub(super) async fn store(target: &Target<'_>, field: &mut Field) -> Result<Media, Problem> {
    let mut receipt = Receipt::default();
    // A field panics when it is asked again after its end.
    let mut chunks = field.fuse();
    let mut buffer = BytesMut::with_capacity(CHUNK_BYTES);
    while receipt.bytes < SNIFF_BYTES as u64 {
        let Some(chunk) = chunks.next().await else { break };
        receipt.note(target, &chunk.map_err(broken)?, &mut buffer)?;
    }
    if receipt.bytes == 0 {
        return Err(Problem::missing(target.field));
    }
    let format = recognise(target, &buffer)?;

    let key = BlobKey::new(target.id, target.role);
    let mut writer = target.blobs.write(&key).await?;
    while let Some(chunk) = chunks.next().await {
        if buffer.len() >= CHUNK_BYTES {
            write_out(writer.as_mut(), &mut buffer).await?;
        }
        receipt.note(target, &chunk.map_err(broken)?, &mut buffer)?;
    }
    write_out(writer.as_mut(), &mut buffer).await?;
    writer.finish().await?;
    metrics::uploaded(target.role, receipt.bytes);
    Ok(Media { role: target.role, format, key, bytes: receipt.bytes, sha256: receipt.hash() })
}

async fn write_out(writer: &mut dyn BlobWriter, buffer: &mut BytesMut) -> Result<(), Problem> {
    let full = std::mem::replace(buffer, BytesMut::with_capacity(CHUNK_BYTES));
    Ok(writer.write(full.freeze()).await?)
}

fn recognise(target: &Target<'_>, head: &[u8]) -> Result<MediaFormat, Problem> {
    let head = &head[..head.len().min(SNIFF_BYTES)];
    MediaFormat::sniff(head).filter(|format| target.role.accepts(*format)).ok_or_else(|| {
        let kind = if target.role == MediaRole::Video { "video" } else { "image" };
        let detail = format!("the file in `{}` is of no {kind} format that is accepted", target.field);
        Problem::new(ProblemCode::UnsupportedMedia, detail)
    })
}

/// What has been received so far.
#[derive(Default)]
struct Receipt {
    bytes: u64,
    hasher: Sha256,
}

impl Receipt {
    fn note(&mut self, target: &Target<'_>, chunk: &[u8], buffer: &mut BytesMut) -> Result<(), Problem> {
        self.bytes += chunk.len() as u64;
        if self.bytes > target.limit {
            let detail = format!("the file in `{}` is larger than {} bytes", target.field, target.limit);
            return Err(Problem::new(ProblemCode::MediaTooLarge, detail));
        }
        self.hasher.update(chunk);
        buffer.extend_from_slice(chunk);
        Ok(())
    }

    fn hash(self) -> String {
        self.hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
