//! What a pickle describes, as a tree. Nothing of it is run: a class is its name, and what would be made by calling one is the
//! call itself.

use super::ConvertError;

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
        let mut reader = Reader { nodes: Vec::new(), stack: Vec::new(), memory: Vec::new() };
        loop {
            let [operation] = *split(rest)?;
            if operation == b'.' {
                let root = reader.pop()?;
                return Ok(Self { nodes: reader.nodes, root });
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

struct Reader<'a> {
    nodes: Vec<Node<'a>>,
    stack: Vec<Id>,
    memory: Vec<Option<Id>>,
}

impl<'a> Reader<'a> {
    fn step(&mut self, operation: u8, rest: &mut &'a [u8]) -> Result<(), ConvertError> {
        match operation {
            // The protocol's version.
            0x80 => drop(take(rest, 1)?),
            b'(' => self.push(Node::Mark),
            b'N' | 0x88 | 0x89 => self.push(Node::Plain),
            b'K' => self.plain(rest, 1)?,
            b'M' => self.plain(rest, 2)?,
            b'J' => self.plain(rest, 4)?,
            b'G' => self.plain(rest, 8)?,
            0x8a => {
                let [length] = *split(rest)?;
                self.plain(rest, length.into())?;
            }
            b'X' => {
                let length = u32::from_le_bytes(*split(rest)?) as usize;
                let text = std::str::from_utf8(take(rest, length)?).map_err(|_| ConvertError::Name)?;
                self.push(Node::Text(text));
            }
            b'c' => {
                line(rest)?;
                let name = line(rest)?;
                self.push(Node::Class(name));
            }
            b'}' => self.push(Node::Items(Vec::new())),
            b']' | b')' => self.push(Node::Sequence(Vec::new())),
            b't' => {
                let members = self.since_mark()?;
                self.push(Node::Sequence(members));
            }
            0x85..=0x87 => {
                let from = self.stack.len().checked_sub(usize::from(operation - 0x84)).ok_or(UNBALANCED)?;
                let members = self.stack.split_off(from);
                self.push(Node::Sequence(members));
            }
            b'R' | 0x81 => {
                let (arguments, _called) = (self.pop()?, self.pop()?);
                self.push(Node::Call { arguments, items: Vec::new(), state: None });
            }
            b'b' => {
                let built = self.pop()?;
                if let Node::Call { state, .. } = self.last()? {
                    *state = Some(built);
                }
            }
            b'Q' => {
                let name = self.pop()?;
                self.push(Node::Outside(name));
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.fill(&[key, value])?;
            }
            b'u' => {
                let members = self.since_mark()?;
                self.fill(&members)?;
            }
            b'e' => {
                let members = self.since_mark()?;
                if let Node::Sequence(list) = self.last()? {
                    list.extend(members);
                }
            }
            b'q' => {
                let [place] = *split(rest)?;
                self.remember(place.into())?;
            }
            b'r' => {
                let place = u32::from_le_bytes(*split(rest)?);
                self.remember(place as usize)?;
            }
            b'h' => {
                let [place] = *split(rest)?;
                self.recall(place.into())?;
            }
            b'j' => {
                let place = u32::from_le_bytes(*split(rest)?);
                self.recall(place as usize)?;
            }
            _ => return Err(ConvertError::Format("an unknown operation in a pickle")),
        }
        Ok(())
    }

    fn push(&mut self, node: Node<'a>) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    fn plain(&mut self, rest: &mut &'a [u8], length: usize) -> Result<(), ConvertError> {
        take(rest, length)?;
        self.push(Node::Plain);
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, ConvertError> {
        self.stack.pop().ok_or(UNBALANCED)
    }

    fn last(&mut self) -> Result<&mut Node<'a>, ConvertError> {
        let last = *self.stack.last().ok_or(UNBALANCED)?;
        Ok(&mut self.nodes[last])
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, ConvertError> {
        let mark =
            self.stack.iter().rposition(|id| matches!(self.nodes[*id], Node::Mark)).ok_or(UNBALANCED)?;
        let members = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(members)
    }

    /// Keys and values in turn become items of what is below them.
    fn fill(&mut self, members: &[Id]) -> Result<(), ConvertError> {
        if let Node::Items(items) | Node::Call { items, .. } = self.last()? {
            items.extend(members.as_chunks().0.iter().map(|[key, value]| (*key, *value)));
        }
        Ok(())
    }

    /// Places are given in order.
    fn remember(&mut self, place: usize) -> Result<(), ConvertError> {
        let last = *self.stack.last().ok_or(UNBALANCED)?;
        if place > self.nodes.len() {
            return Err(UNBALANCED);
        }
        self.memory.resize(self.memory.len().max(place + 1), None);
        self.memory[place] = Some(last);
        Ok(())
    }

    fn recall(&mut self, place: usize) -> Result<(), ConvertError> {
        let known = self.memory.get(place).copied().flatten().ok_or(UNBALANCED)?;
        self.stack.push(known);
        Ok(())
    }
}

const UNBALANCED: ConvertError = ConvertError::Format("a pickle that takes what it has not put");

pub(super) fn split<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], ConvertError> {
    let (first, behind) = rest.split_first_chunk().ok_or(ConvertError::Truncated("a pickle"))?;
    *rest = behind;
    Ok(first)
}

pub(super) fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], ConvertError> {
    let (first, behind) = rest.split_at_checked(length).ok_or(ConvertError::Truncated("a pickle"))?;
    *rest = behind;
    Ok(first)
}

fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a str, ConvertError> {
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or(ConvertError::Truncated("a pickle"))?;
    let text = std::str::from_utf8(take(rest, end)?).map_err(|_| ConvertError::Name)?;
    take(rest, 1)?;
    Ok(text)
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
        for file in [&b"."[..], b"R.", b"u.", b"h\x05.", b"q\x00.", b"\x87.", b"(", b"i."] {
            assert!(Pickle::read(&mut &file[..]).is_err(), "{file:?}");
        }
    }
}
