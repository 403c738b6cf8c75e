//! A blob's content on its way: as many bytes as were asked for, or an error.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{BoxStream, try_unfold};

use super::BlobError;

/// A blob's content on its way.
pub type Pieces = BoxStream<'static, Result<Bytes, BlobError>>;

/// Ends with an error where there are more or fewer than `length` bytes.
pub(super) fn exactly(length: u64, pieces: Pieces) -> Pieces {
    let next = |(left, mut pieces): (u64, Pieces)| async move {
        match pieces.next().await {
            Some(Ok(piece)) => match left.checked_sub(piece.len() as u64) {
                Some(left) => Ok(Some((piece, (left, pieces)))),
                None => Err(broken("more bytes came than were asked for")),
            },
            Some(Err(error)) => Err(error),
            None if left > 0 => Err(broken("fewer bytes came than were asked for")),
            None => Ok(None),
        }
    };
    try_unfold((length, pieces), next).boxed()
}

fn broken(what: &'static str) -> BlobError {
    BlobError::Other(what.into())
}

#[cfg(test)]
mod tests {
    use futures::{TryStreamExt, stream};

    use super::*;

    async fn read(length: u64) -> Result<Vec<Bytes>, BlobError> {
        let pieces = ["first ", "second"].map(|text| Ok(Bytes::from_static(text.as_bytes())));
        exactly(length, stream::iter(pieces).boxed()).try_collect().await
    }

    #[tokio::test]
    async fn neither_more_nor_fewer_bytes_are_taken_for_all() {
        assert_eq!(read(12).await.expect("all of it").concat(), b"first second");
        assert!(read(11).await.is_err() && read(13).await.is_err());
    }
}
