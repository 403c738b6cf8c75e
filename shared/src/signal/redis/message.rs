//! What is said on the channel: `SENDER VERIFICATION`, both as text, so that `redis-cli subscribe` shows it.

use std::fmt;

use crate::domain::VerificationId;

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

pub(super) fn write(sender: Sender, id: VerificationId) -> String {
    format!("{sender} {id}")
}

/// `None` for what this build can't read.
pub(super) fn read(message: &[u8]) -> Option<(Sender, VerificationId)> {
    let (sender, id) = std::str::from_utf8(message).ok()?.split_once(' ')?;
    Some((Sender(u64::from_str_radix(sender, 16).ok()?), id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let (sender, id) = (Sender::random(), VerificationId::new());
        assert_eq!(read(write(sender, id).as_bytes()), Some((sender, id)));
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
