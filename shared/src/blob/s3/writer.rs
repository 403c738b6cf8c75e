//! One upload: a small file in one request, a large one in parts, of which two are in memory at a time.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, ObjectStoreExt, PutPayload, PutPayloadMut};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::blob::{BlobError, BlobWriter};

/// The smallest that S3 allows for all parts but the last.
const PART: usize = 5 << 20;

/// Memory of a part is taken in pieces of this size.
const BLOCK: usize = 128 << 10;

pub(super) struct S3Writer {
    store: Arc<AmazonS3>,
    path: Path,
    runtime: Handle,
    part: PutPayloadMut,
    sending: Option<Sending>,
}

/// The task that sends the parts. It goes on while this lives, and throws away what it has sent when this is dropped
/// before the end.
struct Sending {
    parts: Sender<Part>,
    task: JoinHandle<Result<(), Error>>,
    _guard: DropGuard,
}

enum Part {
    Another(PutPayload),
    Last(PutPayload),
}

impl S3Writer {
    pub(super) fn new(store: Arc<AmazonS3>, path: Path, runtime: Handle) -> Self {
        Self { store, path, runtime, part: empty(), sending: None }
    }

    fn sending(&mut self) -> &mut Sending {
        self.sending
            .get_or_insert_with(|| Sending::start(&self.runtime, self.store.clone(), self.path.clone()))
    }

    /// Returns when the part is being sent, which is when the one before it has been.
    async fn send(&mut self, part: PutPayload) -> Result<(), BlobError> {
        let sending = self.sending();
        if sending.parts.send(Part::Another(part)).await.is_ok() && sending.parts.reserve().await.is_ok() {
            return Ok(());
        }
        // It ends before the last part only when it has failed.
        sending.end().await?;
        Err(BlobError::Other("the upload ended before its last part, this is a bug".into()))
    }
}

#[async_trait]
impl BlobWriter for S3Writer {
    async fn write(&mut self, chunk: Bytes) -> Result<(), BlobError> {
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            if self.part.content_length() == PART {
                let full = std::mem::replace(&mut self.part, empty());
                self.send(full.freeze()).await?;
            }
            let (fits, later) = rest.split_at(rest.len().min(PART - self.part.content_length()));
            self.part.extend_from_slice(fits);
            rest = later;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), BlobError> {
        let last = std::mem::replace(&mut self.part, empty());
        let sending = self.sending();
        // When it has failed, its end says why.
        let _ = sending.parts.send(Part::Last(last.freeze())).await;
        sending.end().await
    }

    async fn abort(self: Box<Self>) {}
}

impl Sending {
    fn start(runtime: &Handle, store: Arc<AmazonS3>, path: Path) -> Self {
        let (parts, receiver) = mpsc::channel(1);
        let given_up = CancellationToken::new();
        let guard = given_up.clone().drop_guard();
        let task = runtime.spawn(upload(store, path, receiver, given_up));
        Self { parts, task, _guard: guard }
    }

    async fn end(&mut self) -> Result<(), BlobError> {
        match (&mut self.task).await {
            // The upload that we began is not there any more: it lay too long, or was completed without our knowing.
            Ok(Err(error @ Error::NotFound { .. })) => Err(BlobError::Unavailable(Box::new(error))),
            Ok(done) => Ok(done?),
            Err(error) => Err(BlobError::Other(Box::new(error))),
        }
    }
}

fn empty() -> PutPayloadMut {
    PutPayloadMut::new().with_block_size(BLOCK)
}

/// Makes the object visible after its last part, or leaves nothing that is visible.
async fn upload(
    store: Arc<AmazonS3>,
    path: Path,
    mut parts: Receiver<Part>,
    given_up: CancellationToken,
) -> Result<(), Error> {
    let first = match parts.recv().await {
        None => return Ok(()),
        Some(Part::Last(whole)) => {
            let put = store.put(&path, whole);
            return given_up.run_until_cancelled(put).await.map_or(Ok(()), |done| done.map(drop));
        }
        Some(Part::Another(first)) => first,
    };
    let mut multipart = store.put_multipart(&path).await?;
    let sending = send_all(multipart.as_mut(), first, parts);
    match given_up.run_until_cancelled(sending).await {
        Some(Ok(true)) => Ok(()),
        ended => {
            // What this can't remove, the bucket's lifecycle rule does.
            if let Err(error) = multipart.abort().await {
                tracing::debug!(error = %error, "failed to remove the parts of an upload");
            }
            ended.unwrap_or(Ok(false)).map(drop)
        }
    }
}

/// Whether it came to the last part.
async fn send_all(
    multipart: &mut dyn MultipartUpload,
    first: PutPayload,
    mut parts: Receiver<Part>,
) -> Result<bool, Error> {
    multipart.put_part(first).await?;
    while let Some(part) = parts.recv().await {
        match part {
            Part::Another(part) => multipart.put_part(part).await?,
            Part::Last(part) => {
                multipart.put_part(part).await?;
                multipart.complete().await?;
                return Ok(true);
            }
        }
    }
    Ok(false)
}
