//! A request's body that ends with an error when it grows beyond its limit, whatever the parts claim.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use futures::{Stream, StreamExt};

pub(super) struct Bounded {
    payload: Payload,
    left: u64,
}

impl Bounded {
    pub(super) const fn new(payload: Payload, limit: u64) -> Self {
        Self { payload, left: limit }
    }
}

impl Stream for Bounded {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(self.payload.poll_next_unpin(context));
        let Some(Ok(chunk)) = &next else { return Poll::Ready(next) };
        match self.left.checked_sub(chunk.len() as u64) {
            Some(left) => {
                self.left = left;
                Poll::Ready(next)
            }
            None => Poll::Ready(Some(Err(PayloadError::Io(io::ErrorKind::FileTooLarge.into())))),
        }
    }
}
