//! The tensors of a `PyTorch` file of before version 1.6: five pickles (a magic number, a version, facts about the machine, the
//! tensors' names and storages, the storages' keys) and then each storage's bytes. The fourth holds either the tensors by name
//! or the network itself, whose modules hold tensors and modules.
//!
//! Shapes are the network's, and every tensor has a storage of its own.

use std::collections::{HashMap, HashSet};

use super::ConvertError;
use super::pickle::{Id, Node, Pickle};
use super::unpickle::{split, take};

const MAGIC: [u8; 15] = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];
/// How many modules may be within each other, and tensors within what makes one.
const DEPTH_MAX: usize = 16;

/// Tensors by name, each in the order of its memory.
pub(super) struct Tensors(HashMap<String, Vec<f32>>);

impl Tensors {
    pub(super) fn parse(file: &[u8]) -> Result<Self, ConvertError> {
        let mut rest =
            file.strip_prefix(&MAGIC).ok_or(ConvertError::Format("no PyTorch file of before 1.6"))?;
        for _ in ["version", "machine"] {
            Pickle::read(&mut rest)?;
        }
        let described = Pickle::read(&mut rest)?;
        let mut names = Names { pickle: &described, storages: HashMap::new(), modules: HashSet::new() };
        names.of(described.root(), "", DEPTH_MAX)?;
        let keys = Pickle::read(&mut rest)?;
        let mut tensors = HashMap::new();
        for key in keys.sequence(keys.root()) {
            let key = keys.text(*key).ok_or(ConvertError::Format("a storage without a key"))?;
            let storage = names.storages.get(key).ok_or_else(|| ConvertError::Missing(key.to_owned()))?;
            let length = u64::from_le_bytes(*split(&mut rest)?);
            let bytes = usize::try_from(length).ok().and_then(|length| length.checked_mul(storage.size));
            let bytes = take(&mut rest, bytes.ok_or(ConvertError::Truncated("a storage"))?)?;
            if storage.size == size_of::<f32>() {
                let (values, _) = bytes.as_chunks();
                let values = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
                tensors.insert(storage.name.clone(), values);
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

/// Whose values a storage has, and how many bytes each is long.
struct Storage {
    name: String,
    size: usize,
}

/// Finds the tensors' names.
struct Names<'a, 'b> {
    pickle: &'b Pickle<'a>,
    /// By their keys.
    storages: HashMap<&'a str, Storage>,
    /// Those that were looked into: each lies in one place.
    modules: HashSet<Id>,
}

impl<'a> Names<'a, '_> {
    /// A module's state names its tensors and the modules within it; anything else with items is tensors by name.
    fn of(&mut self, id: Id, before: &str, depth: usize) -> Result<(), ConvertError> {
        let depth = depth.checked_sub(1).ok_or(ConvertError::Format("a module within too many others"))?;
        let Node::Call { state: Some(state), .. } = *self.pickle.at(id) else {
            return self.tensors(id, before);
        };
        let Some(modules) = self.pickle.get(state, "_modules") else { return self.tensors(id, before) };
        if !self.modules.insert(id) {
            return Err(ConvertError::Format("a module in two places"));
        }
        for held in ["_parameters", "_buffers"] {
            if let Some(tensors) = self.pickle.get(state, held) {
                self.tensors(tensors, before)?;
            }
        }
        for (name, module) in self.pickle.items(modules) {
            let name = self.pickle.text(*name).ok_or(ConvertError::Name)?;
            self.of(*module, &format!("{before}{name}."), depth)?;
        }
        Ok(())
    }

    fn tensors(&mut self, id: Id, before: &str) -> Result<(), ConvertError> {
        for (name, tensor) in self.pickle.items(id) {
            let name = self.pickle.text(*name).ok_or(ConvertError::Name)?;
            if let Some((key, size)) = self.storage(*tensor)? {
                let storage = Storage { name: format!("{before}{name}"), size };
                if self.storages.insert(key, storage).is_some() {
                    return Err(ConvertError::Format("a storage of two tensors"));
                }
            }
        }
        Ok(())
    }

    /// A tensor is made of a storage, and a parameter of a tensor. `None` of what is no tensor.
    fn storage(&self, mut id: Id) -> Result<Option<(&'a str, usize)>, ConvertError> {
        for _ in 0..DEPTH_MAX {
            let Node::Call { arguments, .. } = self.pickle.at(id) else { break };
            let Some(first) = self.pickle.sequence(*arguments).first() else { return Ok(None) };
            id = *first;
        }
        let Node::Outside(named) = self.pickle.at(id) else { return Ok(None) };
        let [_, kind, key, ..] = self.pickle.sequence(*named) else {
            return Err(ConvertError::Format("a storage without a key"));
        };
        let size = match self.pickle.at(*kind) {
            Node::Class("FloatStorage") => 4,
            // How many batches a normalisation has seen.
            Node::Class("LongStorage") => 8,
            _ => return Err(ConvertError::Format("a storage of another type than 32-bit floats")),
        };
        Ok(self.pickle.text(*key).map(|key| (key, size)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes(), b"q\x01"].concat()
    }

    /// A tensor as it is described: made of the storage with that key.
    fn tensor(kind: &str, key: &str) -> Vec<u8> {
        [
            b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
            text("storage"),
            format!("ctorch\n{kind}\n").into_bytes(),
            text(key),
            text("cpu"),
            b"K\x02NtQK\x00\x89tR".to_vec(),
        ]
        .concat()
    }

    const BEFORE: &[u8] = b"\x80\x02M\xe9\x03.\x80\x02}q\x00.";
    const ORDERED: &[u8] = b"ccollections\nOrderedDict\n)R(";

    /// A file as `PyTorch` wrote them, of those tensors; a counter of batches is among them.
    pub(in crate::models::convert) fn written(tensors: &[(String, Vec<f32>)]) -> Vec<u8> {
        let mut file = [&MAGIC[..], BEFORE, b"\x80\x02", ORDERED].concat();
        let (mut keys, mut storages) = (b"\x80\x02]q\x00(".to_vec(), Vec::new());
        let counter = ("layer.bn.num_batches_tracked".to_owned(), vec![0.0, 0.0]);
        for (number, (name, values)) in tensors.iter().chain([&counter]).enumerate() {
            let key = (1000 + number).to_string();
            let (kind, elements) =
                if name == &counter.0 { ("LongStorage", 1) } else { ("FloatStorage", values.len()) };
            file.extend([text(name), tensor(kind, &key)].concat());
            keys.extend(text(&key));
            storages.extend((elements as u64).to_le_bytes());
            storages.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        file.extend(b"u.");
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

    /// A module as `PyTorch` described it: made of nothing, then its state.
    fn module(parameters: &[u8], modules: &[u8]) -> Vec<u8> {
        [
            b"cmodels\nNetwork\n)\x81}(".to_vec(),
            [text("training"), b"\x88".to_vec()].concat(),
            [text("_parameters"), ORDERED.to_vec(), parameters.to_vec(), b"u".to_vec()].concat(),
            [text("_modules"), ORDERED.to_vec(), modules.to_vec(), b"u".to_vec()].concat(),
            b"ub".to_vec(),
        ]
        .concat()
    }

    #[test]
    fn the_tensors_of_a_network_are_named_by_the_way_to_them() {
        let inner =
            module(&[text("weight"), tensor("FloatStorage", "5"), text("bias"), b"N".to_vec()].concat(), b"");
        let outer = module(b"", &[text("conv"), inner].concat());
        let file = [
            &MAGIC[..],
            BEFORE,
            &[b"\x80\x02".to_vec(), outer, b".".to_vec()].concat(),
            &[b"\x80\x02](".to_vec(), text("5"), b"e.".to_vec()].concat(),
            &2_u64.to_le_bytes(),
            &[1.0_f32.to_le_bytes(), 2.0_f32.to_le_bytes()].concat(),
        ]
        .concat();
        let tensors = Tensors::parse(&file).expect("it is understood");
        assert_eq!(tensors.values("conv.weight", 2).expect("it is there"), [1.0, 2.0]);
    }

    fn described(network: &[u8]) -> Vec<u8> {
        [&MAGIC[..], BEFORE, b"\x80\x02", network, b".\x80\x02]."].concat()
    }

    #[test]
    fn a_network_within_itself_is_refused() {
        // It is remembered as 2, and recalled as a module of its own.
        let itself = module(b"", &[text("own"), b"h\x02".to_vec()].concat());
        let (made, filled) = itself.split_at(b"cmodels\nNetwork\n)\x81".len());
        let file = described(&[made, b"q\x02", filled].concat());
        assert!(matches!(Tensors::parse(&file), Err(ConvertError::Format("a module in two places"))));
    }

    #[test]
    fn what_is_made_of_itself_is_no_tensor() {
        // A list, 2, with which something is called, 3, which then becomes the list's member.
        let called = b"cmodels\nNetwork\n]q\x02Rq\x03";
        let file = [ORDERED, &text("weight"), called, &text("list"), b"h\x02(h\x03eu"].concat();
        assert!(Tensors::parse(&described(&file)).is_ok_and(|found| found.0.is_empty()));
    }

    #[test]
    fn a_pickle_that_does_more_is_refused() {
        let mut file = example();
        file[MAGIC.len() + 2] = b'i';
        assert!(matches!(Tensors::parse(&file), Err(ConvertError::Format(_))));
    }
}
