//! The operations of a pickle, on a stack and a memory of places in the tree. See [`pickle`](super::pickle).

use super::ConvertError;
use super::pickle::{Id, Node};

/// What has been read of a pickle.
#[derive(Default)]
pub(super) struct Reader<'a> {
    nodes: Vec<Node<'a>>,
    stack: Vec<Id>,
    memory: Vec<Option<Id>>,
}

impl<'a> Reader<'a> {
    /// What was put last is the whole.
    pub(super) fn end(mut self) -> Result<(Vec<Node<'a>>, Id), ConvertError> {
        let root = self.pop()?;
        Ok((self.nodes, root))
    }

    /// Does an operation, whose operands are at the front and taken off.
    pub(super) fn step(&mut self, operation: u8, rest: &mut &'a [u8]) -> Result<(), ConvertError> {
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
                let length = number::<1>(rest)?;
                self.plain(rest, length)?;
            }
            b'X' => {
                let length = number::<4>(rest)?;
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
            b'q' => self.remember(number::<1>(rest)?)?,
            b'r' => self.remember(number::<4>(rest)?)?,
            b'h' => self.recall(number::<1>(rest)?)?,
            b'j' => self.recall(number::<4>(rest)?)?,
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
            let (pairs, odd) = members.as_chunks();
            if !odd.is_empty() {
                return Err(UNBALANCED);
            }
            items.extend(pairs.iter().map(|[key, value]| (*key, *value)));
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

/// Of so many bytes, the least first.
fn number<const N: usize>(rest: &mut &[u8]) -> Result<usize, ConvertError> {
    let bytes: &[u8; N] = split(rest)?;
    Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

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
