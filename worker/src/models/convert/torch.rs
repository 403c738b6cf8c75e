//! The tensors of a `PyTorch` file of before version 1.6: five pickles (a magic number, a version, facts about the machine, the
//! tensors' names and storages, the storages' keys) and then each storage's bytes.
//!
//! No pickle is run. Of the fourth only the texts are read: a tensor's name, and after it the key of its storage. Shapes are
//! the network's, and every tensor has a storage of its own.

use std::collections::HashMap;

use super::ConvertError;

const MAGIC: [u8; 15] = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];
/// The only tensors of other than 32-bit floats: how many batches a normalisation has seen, a 64-bit integer.
const COUNTER: &str = "num_batches_tracked";

/// Tensors by name, each in the order of its memory.
pub(super) struct Tensors(HashMap<String, Vec<f32>>);

impl Tensors {
    pub(super) fn parse(file: &[u8]) -> Result<Self, ConvertError> {
        let mut rest =
            file.strip_prefix(&MAGIC).ok_or(ConvertError::Format("no PyTorch file of before 1.6"))?;
        for _ in ["version", "machine"] {
            texts(&mut rest)?;
        }
        let names = names_by_key(&texts(&mut rest)?)?;
        let keys = texts(&mut rest)?;
        let mut tensors = HashMap::new();
        for key in keys {
            let name = *names.get(key).ok_or_else(|| ConvertError::Missing(key.to_owned()))?;
            let length = u64::from_le_bytes(*split(&mut rest)?);
            let size = if name.ends_with(COUNTER) { 8 } else { 4 };
            let bytes = usize::try_from(length).ok().and_then(|length| length.checked_mul(size));
            let bytes = take(&mut rest, bytes.ok_or(ConvertError::Truncated("a storage"))?)?;
            if size == 4 {
                let (values, _) = bytes.as_chunks();
                let values = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
                tensors.insert(name.to_owned(), values);
            }
        }
        if rest.is_empty() { Ok(Self(tensors)) } else { Err(ConvertError::TrailingBytes(rest.len())) }
    }

    pub(super) fn all(&self, name: &str) -> Result<&[f32], ConvertError> {
        self.0.get(name).map(Vec::as_slice).ok_or_else(|| ConvertError::Missing(name.to_owned()))
    }

    /// All of the tensor, which must be that many values.
    pub(super) fn values(&self, name: &str, length: usize) -> Result<&[f32], ConvertError> {
        let values = self.all(name)?;
        if values.len() == length {
            Ok(values)
        } else {
            Err(ConvertError::Tensor { name: name.to_owned(), fault: "has another length" })
        }
    }
}

/// A name has dots, a key is a number.
fn names_by_key<'a>(texts: &[&'a str]) -> Result<HashMap<&'a str, &'a str>, ConvertError> {
    let mut names = HashMap::new();
    let mut name = None;
    for text in texts {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let name = name.take().ok_or(ConvertError::Format("a storage without a name"))?;
            names.insert(*text, name);
        } else if text.contains('.') {
            name = Some(*text);
        }
    }
    Ok(names)
}

/// The texts of the pickle at the front, which is taken off.
fn texts<'a>(rest: &mut &'a [u8]) -> Result<Vec<&'a str>, ConvertError> {
    let mut texts = Vec::new();
    loop {
        let [operation] = *split(rest)?;
        match operation {
            b'.' => return Ok(texts),
            b'X' => {
                let length = u32::from_le_bytes(*split(rest)?) as usize;
                let text = std::str::from_utf8(take(rest, length)?).map_err(|_| ConvertError::Name)?;
                texts.push(text);
            }
            // A class: two lines.
            b'c' => {
                for _ in ["module", "name"] {
                    let end = rest.iter().position(|byte| *byte == b'\n');
                    take(rest, end.ok_or(ConvertError::Truncated("a class"))? + 1)?;
                }
            }
            // The protocol's version, a byte, and places in the unpickler's memory.
            0x80 | b'K' | b'q' | b'h' => drop(take(rest, 1)?),
            b'M' => drop(take(rest, 2)?),
            b'J' | b'r' | b'j' => drop(take(rest, 4)?),
            // Marks, containers and what fills them, constants.
            b'('
            | b')'
            | b'}'
            | b']'
            | b't'
            | b'u'
            | b's'
            | b'e'
            | b'R'
            | b'Q'
            | b'b'
            | b'N'
            | 0x85..=0x89 => {}
            _ => return Err(ConvertError::Format("an unknown operation in a pickle")),
        }
    }
}

fn split<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], ConvertError> {
    let (first, behind) = rest.split_first_chunk().ok_or(ConvertError::Truncated("a pickle"))?;
    *rest = behind;
    Ok(first)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], ConvertError> {
    let (first, behind) = rest.split_at_checked(length).ok_or(ConvertError::Truncated("a storage"))?;
    *rest = behind;
    Ok(first)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file as `PyTorch` wrote them, of those tensors; a counter of batches is among them.
    pub(in crate::models::convert) fn written(tensors: &[(String, Vec<f32>)]) -> Vec<u8> {
        let text =
            |text: &str| [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes(), b"q\x01"].concat();
        let mut file = [
            &MAGIC[..],
            b"\x80\x02M\xe9\x03.",
            b"\x80\x02}q\x00.",
            b"\x80\x02ccollections\nOrderedDict\n)R(",
        ]
        .concat();
        let (mut keys, mut storages) = (b"\x80\x02]q\x00(".to_vec(), Vec::new());
        let counter = ("layer.bn.num_batches_tracked".to_owned(), vec![0.0, 0.0]);
        for (number, (name, values)) in tensors.iter().chain([&counter]).enumerate() {
            let key = (1000 + number).to_string();
            file.extend(
                [
                    text(name),
                    b"((".to_vec(),
                    text("storage"),
                    text(&key),
                    text("cpu"),
                    b"NtQK\x00\x89tR".to_vec(),
                ]
                .concat(),
            );
            keys.extend(text(&key));
            let elements = if name.ends_with(COUNTER) { 1 } else { values.len() };
            storages.extend((elements as u64).to_le_bytes());
            storages.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        // What PyTorch notes of the modules, the outermost of which has no name.
        file.extend([text(""), text("layer.bn"), b"u.".to_vec()].concat());
        keys.extend(b"e.");
        [file, keys, storages].concat()
    }

    fn example() -> Vec<u8> {
        written(&[("layer.weight".to_owned(), vec![1.0, 2.0]), ("layer.bias".to_owned(), vec![3.0])])
    }

    #[test]
    fn each_tensor_has_its_own_storage() {
        let tensors = Tensors::parse(&example()).expect("it is understood");
        assert_eq!(tensors.values("layer.weight", 2).expect("it is there"), [1.0, 2.0]);
        assert_eq!(tensors.values("layer.bias", 1).expect("it is there"), [3.0]);
        assert!(matches!(tensors.values("layer.bias", 2), Err(ConvertError::Tensor { .. })));
        assert!(matches!(tensors.values("other", 2), Err(ConvertError::Missing(_))));
    }

    #[test]
    fn a_truncated_file_is_refused_wherever_it_ends() {
        let whole = example();
        for end in 0..whole.len() {
            assert!(Tensors::parse(&whole[..end]).is_err(), "{end} of {} bytes were accepted", whole.len());
        }
        assert!(matches!(Tensors::parse(&[&whole[..], b"x"].concat()), Err(ConvertError::TrailingBytes(1))));
    }

    #[test]
    fn a_pickle_that_does_more_is_refused() {
        let mut file = example();
        file[MAGIC.len() + 2] = b'i';
        assert!(matches!(Tensors::parse(&file), Err(ConvertError::Format(_))));
    }
}
