//! An ONNX model's operators and constants, to be read, changed and written again. Whatever else the file holds stays as it is.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;

use crate::protobuf::{Malformed, Message};

use super::fields::{
    ATTRIBUTE, ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS, ATTRIBUTE_INTEGER, ATTRIBUTE_INTEGERS, ATTRIBUTE_NAME,
    ATTRIBUTE_TYPE, DIMENSION, DOMAIN, ELEMENT, FLOATS, GRAPH, INITIALIZER, IS_FLOAT, IS_INT64, IS_INTEGER,
    IS_INTEGERS, NODE, NODE_DOMAIN, NODE_INPUT, NODE_OUTPUT, OPERATOR, OPERATOR_SET, OUTPUT, RAW,
    TENSOR_NAME, VALUE_INFO, VALUE_NAME, VERSION,
};

pub(super) struct Network {
    model: Message,
    graph: Message,
    pub(super) nodes: Vec<Node>,
    constants: BTreeMap<String, Message>,
    made: usize,
}

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

/// A constant of floats, row after row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Floats {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Network {
    pub(super) fn read(mut model: Message) -> Result<Self, Malformed> {
        let mut graph = Message::read(model.last(GRAPH).ok_or(Malformed)?)?;
        model.0.retain(|(field, _)| *field != GRAPH);
        let nodes =
            graph.all(NODE).map(|node| Node::read(&Message::read(node)?)).collect::<Result<_, _>>()?;
        let mut constants = BTreeMap::new();
        for tensor in graph.all(INITIALIZER) {
            let tensor = Message::read(tensor)?;
            constants.insert(tensor.texts(TENSOR_NAME)?.pop().ok_or(Malformed)?, tensor);
        }
        // Inferred shapes are of what was; they are inferred again.
        graph.0.retain(|(field, _)| ![NODE, INITIALIZER, VALUE_INFO].contains(field));
        Ok(Self { model, graph, nodes, constants, made: 0 })
    }

    /// Constants that no operator is applied to are left out.
    pub(super) fn write(mut self) -> Message {
        let used: HashSet<&String> = self.nodes.iter().flat_map(|node| &node.inputs).collect();
        for (_, tensor) in self.constants.iter().filter(|(name, _)| used.contains(name)) {
            self.graph.message(INITIALIZER, tensor);
        }
        for node in &self.nodes {
            self.graph.message(NODE, &node.write());
        }
        self.model.message(GRAPH, &self.graph);
        self.model
    }

    /// The version of ONNX's own operators.
    pub(super) fn version(&self) -> Result<u64, Malformed> {
        for set in self.model.all(OPERATOR_SET) {
            let set = Message::read(set)?;
            if set.last(DOMAIN).is_none_or(Bytes::is_empty) {
                return set.numbers(VERSION)?.pop().ok_or(Malformed);
            }
        }
        Err(Malformed)
    }

    /// The names of what the whole gives.
    pub(super) fn outputs(&self) -> Result<HashSet<String>, Malformed> {
        let name = |value| Message::read(value)?.texts(VALUE_NAME)?.pop().ok_or(Malformed);
        self.graph.all(OUTPUT).map(name).collect()
    }

    /// `None` for what is no constant, or not one of floats.
    pub(super) fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let tensor = self.constants.get(name)?;
        let shape = tensor.numbers(DIMENSION).ok()?.iter().map(|length| *length as usize).collect();
        (tensor.numbers(ELEMENT) == Ok(vec![IS_FLOAT])).then_some(shape)
    }

    /// `None` too for one whose values are elsewhere.
    pub(super) fn floats(&self, name: &str) -> Option<Floats> {
        let shape = self.shape(name)?;
        let tensor = self.constants.get(name)?;
        let (values, rest) = tensor.last(RAW).or_else(|| tensor.last(FLOATS))?.as_chunks();
        let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        (rest.is_empty() && shape.iter().product::<usize>() == values.len())
            .then_some(Floats { shape, values })
    }

    /// The new constant's name.
    pub(super) fn add(&mut self, floats: &Floats) -> String {
        let bytes: Vec<u8> = floats.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(&floats.shape, IS_FLOAT, bytes)
    }

    pub(super) fn add_integers(&mut self, values: &[u64]) -> String {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(&[values.len()], IS_INT64, bytes)
    }

    fn constant(&mut self, shape: &[usize], element: u64, bytes: Vec<u8>) -> String {
        let name = self.name();
        let mut tensor = Message::default();
        for length in shape {
            tensor.number(DIMENSION, *length as u64);
        }
        tensor.number(ELEMENT, element);
        tensor.text(TENSOR_NAME, &name);
        tensor.bytes(RAW, bytes);
        self.constants.insert(name.clone(), tensor);
        name
    }

    /// A name that nothing has.
    pub(super) fn name(&mut self) -> String {
        self.made += 1;
        format!("countersign/{}", self.made)
    }
}

impl Node {
    pub(super) fn new(operator: &str, inputs: Vec<String>, outputs: Vec<String>) -> Self {
        let operator = operator.to_owned();
        Self { operator, inputs, outputs, attributes: Vec::new(), other: Message::default() }
    }

    fn read(node: &Message) -> Result<Self, Malformed> {
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

    fn write(&self) -> Message {
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
        self.operator == operator && self.other.last(NODE_DOMAIN).is_none_or(Bytes::is_empty)
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
        let mut attribute = Message::default();
        attribute.text(ATTRIBUTE_NAME, name);
        attribute.number(ATTRIBUTE_INTEGER, value);
        attribute.number(ATTRIBUTE_TYPE, IS_INTEGER);
        self.attributes.push(attribute);
    }

    pub(super) fn with_integers(mut self, name: &str, values: &[u64]) -> Self {
        let mut attribute = Message::default();
        attribute.text(ATTRIBUTE_NAME, name);
        for value in values {
            attribute.number(ATTRIBUTE_INTEGERS, *value);
        }
        attribute.number(ATTRIBUTE_TYPE, IS_INTEGERS);
        self.attributes.push(attribute);
        self
    }
}
