//! One operator of a network.

use bytes::Bytes;

use crate::onnx_file::{
    ATTRIBUTE, ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS, ATTRIBUTE_INTEGER, ATTRIBUTE_NAME, Attribute, NODE_DOMAIN,
    NODE_INPUT, NODE_OUTPUT, OPERATOR,
};
use crate::protobuf::{Malformed, Message};

/// An operator, what it is applied to, and the names of what it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) operator: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) attributes: Vec<Message>,
    /// Its name, its domain and what else is said of it.
    other: Message,
}

impl Node {
    pub(super) fn new(operator: &str, inputs: Vec<String>, outputs: Vec<String>) -> Self {
        let operator = operator.to_owned();
        Self { operator, inputs, outputs, attributes: Vec::new(), other: Message::default() }
    }

    pub(super) fn read(node: &Message) -> Result<Self, Malformed> {
        const OWN: [u64; 4] = [NODE_INPUT, NODE_OUTPUT, OPERATOR, ATTRIBUTE];
        let other = node.0.iter().filter(|(field, _)| !OWN.contains(field)).cloned().collect();
        Ok(Self {
            operator: node.texts(OPERATOR)?.pop().ok_or(Malformed)?,
            inputs: node.texts(NODE_INPUT)?,
            outputs: node.texts(NODE_OUTPUT)?,
            attributes: node.all(ATTRIBUTE).map(Message::read).collect::<Result<_, _>>()?,
            other: Message(other),
        })
    }

    pub(super) fn write(&self) -> Message {
        let mut node = Message::default();
        self.inputs.iter().for_each(|input| node.text(NODE_INPUT, input));
        self.outputs.iter().for_each(|output| node.text(NODE_OUTPUT, output));
        node.text(OPERATOR, &self.operator);
        self.attributes.iter().for_each(|attribute| node.message(ATTRIBUTE, attribute));
        node.0.extend(self.other.0.iter().cloned());
        node
    }

    /// Whether it is that operator of ONNX's own.
    pub(super) fn is(&self, operator: &str) -> bool {
        self.operator == operator && is_own(self.other.last(NODE_DOMAIN))
    }

    /// Whether it holds a graph of its own, which may use what this one names.
    pub(super) fn holds_graph(&self) -> bool {
        let graphs = |attribute: &Message| {
            [ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS].iter().any(|field| attribute.last(*field).is_some())
        };
        self.attributes.iter().any(graphs)
    }

    pub(super) fn integer(&self, name: &str) -> Option<u64> {
        let named = |attribute: &&Message| attribute.last(ATTRIBUTE_NAME).is_some_and(|own| own == name);
        self.attributes.iter().find(named)?.numbers(ATTRIBUTE_INTEGER).ok()?.pop()
    }

    pub(super) fn set_integer(&mut self, name: &str, value: u64) {
        self.attributes.retain(|attribute| attribute.last(ATTRIBUTE_NAME).is_none_or(|own| own != name));
        self.attributes.push(Attribute::Integer(value).named(name));
    }

    pub(super) fn with_integers(mut self, name: &str, values: &[u64]) -> Self {
        self.attributes.push(Attribute::Integers(values).named(name));
        self
    }
}

/// Whether a domain is that of ONNX's own operators.
pub(super) fn is_own(domain: Option<&Bytes>) -> bool {
    domain.is_none_or(|domain| domain.is_empty() || domain == "ai.onnx")
}
