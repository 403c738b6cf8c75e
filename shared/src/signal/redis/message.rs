//! What is said on the channel: `SENDER VERIFICATION` of an end and `SENDER VERIFICATION progress` of any other change, as
//! text, so that `redis-cli subscribe` shows it.

use std::fmt;

use crate::domain::VerificationId;
use crate::signal::Change;

const PROGRESS: &str = "progress";

/// One process, so that it can tell its own messages from those of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sender(u64);

impl Sender {
    pub(super) fn random() -> Self {
        Self(rand::random())
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

pub(super) fn write(sender: Sender, id: VerificationId, change: Change) -> String {
    match change {
        Change::Progress => format!("{sender} {id} {PROGRESS}"),
        Change::End => format!("{sender} {id}"),
    }
}

/// `None` for what this build can't read.
pub(super) fn read(message: &[u8]) -> Option<(Sender, VerificationId, Change)> {
    let mut words = std::str::from_utf8(message).ok()?.split(' ');
    let sender = Sender(u64::from_str_radix(words.next()?, 16).ok()?);
    let id = words.next()?.parse().ok()?;
    let change = match words.next() {
        None => Change::End,
        Some(PROGRESS) => Change::Progress,
        Some(_) => return None,
    };
    Some((sender, id, change))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let (sender, id) = (Sender::random(), VerificationId::new());
        for change in [Change::Progress, Change::End] {
            assert_eq!(read(write(sender, id, change).as_bytes()), Some((sender, id, change)));
        }
    }

    #[test]
    fn what_cannot_be_read_is_ignored() {
        for message in
            [&b""[..], b"ver_x", b"0 ver_x", b"\xff \xff", b"nobody ver_0193c5f0000070008000000000000000"]
        {
            assert_eq!(read(message), None);
        }
    }
}
