//! What a pickle describes, as a tree. Nothing of it is run: a class is its name, and what would be made by calling one is the
//! call itself.

use super::ConvertError;
use super::unpickle::{Reader, split};

/// A place in the tree.
pub(super) type Id = usize;

#[derive(Debug)]
pub(super) enum Node<'a> {
    Text(&'a str),
    /// The name of a class or a function, without its module.
    Class(&'a str),
    /// A tuple or a list.
    Sequence(Vec<Id>),
    /// What something is called with, the items that the result then gets, and its state.
    Call {
        arguments: Id,
        items: Vec<(Id, Id)>,
        state: Option<Id>,
    },
    /// A dictionary's items.
    Items(Vec<(Id, Id)>),
    /// What is kept outside the pickle, and how it is named there.
    Outside(Id),
    /// A number or a constant.
    Plain,
    /// Where the members of a container begin.
    Mark,
}

/// The nodes; what refers to another has its place.
pub(super) struct Pickle<'a> {
    nodes: Vec<Node<'a>>,
    root: Id,
}

impl<'a> Pickle<'a> {
    /// Reads the pickle at the front, which is taken off.
    pub(super) fn read(rest: &mut &'a [u8]) -> Result<Self, ConvertError> {
        let mut reader = Reader::default();
        loop {
            let [operation] = *split(rest)?;
            if operation == b'.' {
                let (nodes, root) = reader.end()?;
                return Ok(Self { nodes, root });
            }
            reader.step(operation, rest)?;
        }
    }

    pub(super) const fn root(&self) -> Id {
        self.root
    }

    pub(super) fn at(&self, id: Id) -> &Node<'a> {
        &self.nodes[id]
    }

    pub(super) fn text(&self, id: Id) -> Option<&'a str> {
        if let Node::Text(text) = self.at(id) { Some(text) } else { None }
    }

    pub(super) fn sequence(&self, id: Id) -> &[Id] {
        if let Node::Sequence(members) = self.at(id) { members } else { &[] }
    }

    /// A dictionary's items, or those of an ordered one, which is made by a call.
    pub(super) fn items(&self, id: Id) -> &[(Id, Id)] {
        match self.at(id) {
            Node::Items(items) | Node::Call { items, .. } => items,
            _ => &[],
        }
    }

    /// What the dictionary has under that name.
    pub(super) fn get(&self, id: Id, name: &str) -> Option<Id> {
        self.items(id).iter().find(|(key, _)| self.text(*key) == Some(name)).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_is_read_with_what_is_recalled() {
        // {'a': ('b', 7), 'c': 'a'}, by Python's pickle.dumps(..., 2)
        let file = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01X\x01\x00\x00\x00bq\x02K\x07\x86q\x03X\x01\x00\x00\x00cq\x04h\x01u.rest";
        let mut rest = &file[..];
        let pickle = Pickle::read(&mut rest).expect("it is understood");
        assert_eq!(rest, b"rest");
        let pair = pickle.get(pickle.root(), "a").expect("it is there");
        assert_eq!(pickle.text(pickle.sequence(pair)[0]), Some("b"));
        let again = pickle.get(pickle.root(), "c").expect("it is there");
        assert_eq!(pickle.text(again), Some("a"));
    }

    #[test]
    fn a_pickle_that_takes_more_than_it_has_put_is_refused() {
        for file in [
            &b"."[..],
            b"R.",
            b"u.",
            b"}(Nu.",
            b"h\x05.",
            b"q\x00.",
            b"Nr\xff\xff\xff\xff.",
            b"X\x09\x00\x00\x00a",
            b"\x87.",
            b"(",
            b"i.",
        ] {
            assert!(Pickle::read(&mut &file[..]).is_err(), "{file:?}");
        }
    }
}
