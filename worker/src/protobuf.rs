//! Messages of protocol buffers, field by field: what ONNX files are made of
//! (<https://protobuf.dev/programming-guides/encoding/>).

use bytes::Bytes;

const VARINT: u64 = 0;
const EIGHT: u64 = 1;
const BYTES: u64 = 2;
const FOUR: u64 = 5;

/// Fields in their order, numbers and contents. A message that was read is written as the same bytes, but for numbers that were longer than they need be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message(pub(crate) Vec<(u64, Content)>);

/// What a field holds; text and other messages are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Varint(u64),
    Eight([u8; 8]),
    Bytes(Bytes),
    Four([u8; 4]),
}

/// The bytes are cut short, or no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is cut short or none")]
pub(crate) struct Malformed;

impl Message {
    /// Its bytes stay shared with `message`.
    pub(crate) fn read(message: &Bytes) -> Result<Self, Malformed> {
        let mut rest = message.as_ref();
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let key = varint(&mut rest)?;
            let content = match key & 7 {
                VARINT => Content::Varint(varint(&mut rest)?),
                EIGHT => {
                    Content::Eight(*rest.split_off(..8).ok_or(Malformed)?.first_chunk().ok_or(Malformed)?)
                }
                FOUR => Content::Four(*rest.split_off(..4).ok_or(Malformed)?.first_chunk().ok_or(Malformed)?),
                BYTES => {
                    let length = varint(&mut rest)?.try_into().map_err(|_| Malformed)?;
                    Content::Bytes(message.slice_ref(rest.split_off(..length).ok_or(Malformed)?))
                }
                _ => return Err(Malformed),
            };
            fields.push((key >> 3, content));
        }
        Ok(Self(fields))
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut written = Vec::new();
        for (number, content) in &self.0 {
            match content {
                Content::Varint(value) => {
                    put_varint(&mut written, number << 3 | VARINT);
                    put_varint(&mut written, *value);
                }
                Content::Eight(bytes) => {
                    put_varint(&mut written, number << 3 | EIGHT);
                    written.extend(bytes);
                }
                Content::Bytes(bytes) => {
                    put_varint(&mut written, number << 3 | BYTES);
                    put_varint(&mut written, bytes.len() as u64);
                    written.extend_from_slice(bytes);
                }
                Content::Four(bytes) => {
                    put_varint(&mut written, number << 3 | FOUR);
                    written.extend(bytes);
                }
            }
        }
        written
    }

    pub(crate) fn number(&mut self, field: u64, value: u64) {
        self.0.push((field, Content::Varint(value)));
    }

    pub(crate) fn float(&mut self, field: u64, value: f32) {
        self.0.push((field, Content::Four(value.to_le_bytes())));
    }

    pub(crate) fn bytes(&mut self, field: u64, value: impl Into<Bytes>) {
        self.0.push((field, Content::Bytes(value.into())));
    }

    pub(crate) fn text(&mut self, field: u64, value: &str) {
        self.bytes(field, value.to_owned());
    }

    pub(crate) fn message(&mut self, field: u64, value: &Self) {
        self.bytes(field, value.write());
    }

    /// What that field holds, each time that it is there, where it is of bytes.
    pub(crate) fn all(&self, field: u64) -> impl Iterator<Item = &Bytes> {
        self.0.iter().filter_map(move |(number, content)| match content {
            Content::Bytes(bytes) if *number == field => Some(bytes),
            _ => None,
        })
    }

    /// The last one, which is what counts where a field holds one thing.
    pub(crate) fn last(&self, field: u64) -> Option<&Bytes> {
        self.all(field).last()
    }

    pub(crate) fn texts(&self, field: u64) -> Result<Vec<String>, Malformed> {
        self.all(field).map(|bytes| String::from_utf8(bytes.to_vec()).map_err(|_| Malformed)).collect()
    }

    /// Numbers, one by one or packed into bytes.
    pub(crate) fn numbers(&self, field: u64) -> Result<Vec<u64>, Malformed> {
        let mut numbers = Vec::new();
        for (_, content) in self.0.iter().filter(|(number, _)| *number == field) {
            match content {
                Content::Varint(value) => numbers.push(*value),
                Content::Bytes(packed) => {
                    let mut rest = packed.as_ref();
                    while !rest.is_empty() {
                        numbers.push(varint(&mut rest)?);
                    }
                }
                Content::Eight(_) | Content::Four(_) => return Err(Malformed),
            }
        }
        Ok(numbers)
    }

    /// The message that the field holds, changed; nothing where it is not there.
    pub(crate) fn change(
        &mut self,
        field: u64,
        mut change: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        for (_, content) in self.0.iter_mut().filter(|(number, _)| *number == field) {
            let Content::Bytes(bytes) = content else { return Err(Malformed) };
            let mut message = Self::read(bytes)?;
            change(&mut message)?;
            *bytes = message.write().into();
        }
        Ok(())
    }
}

fn varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *rest.split_off_first().ok_or(Malformed)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_own_examples_are_written_and_read() {
        let mut message = Message::default();
        message.number(1, 150);
        message.text(2, "testing");
        let written = message.write();
        assert_eq!(written, b"\x08\x96\x01\x12\x07testing");
        assert_eq!(Message::read(&written.into()), Ok(message));
    }

    #[test]
    fn numbers_are_read_one_by_one_and_packed() {
        let mut message = Message::default();
        message.number(4, 3);
        message.bytes(4, &b"\x8e\x02\x9e\xa7\x05"[..]);
        message.float(5, 1.0);
        assert_eq!(message.numbers(4), Ok(vec![3, 270, 86_942]));
        assert_eq!(message.numbers(5), Err(Malformed));
        assert_eq!(message.numbers(6), Ok(vec![]));
    }

    #[test]
    fn a_message_that_is_cut_short_is_refused() {
        let mut message = Message::default();
        message.text(2, "testing");
        message.0.push((3, Content::Eight([7; 8])));
        message.float(4, 1.0);
        let written = Bytes::from(message.write());
        assert_eq!(Message::read(&written), Ok(message));
        for length in (1..written.len()).filter(|length| ![9, 18].contains(length)) {
            assert_eq!(Message::read(&written.slice(..length)), Err(Malformed), "{length}");
        }
    }

    #[test]
    fn a_message_within_is_changed_in_its_place() {
        let mut inner = Message::default();
        inner.number(1, 1);
        let mut outer = Message::default();
        outer.message(7, &inner);
        outer.number(8, 2);
        let change = |inner: &mut Message| {
            inner.number(1, 5);
            Ok(())
        };
        outer.change(7, change).expect("it is a message");
        inner.number(1, 5);
        let mut expected = Message::default();
        expected.message(7, &inner);
        expected.number(8, 2);
        assert_eq!(outer, expected);
    }
}
