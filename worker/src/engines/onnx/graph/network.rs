//! An ONNX model's operators and constants, to be read, changed and written again. Whatever else the file holds stays as it is.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;

use crate::protobuf::{Malformed, Message};

use super::fields::{
    DIMENSION, DOMAIN, ELEMENT, FLOATS, GRAPH, INITIALIZER, IS_FLOAT, IS_INT64, NODE, OPERATOR_SET, OUTPUT,
    RAW, TENSOR_NAME, VALUE_INFO, VALUE_NAME, VERSION,
};
use super::node::Node;

pub(super) struct Network {
    model: Message,
    graph: Message,
    pub(super) nodes: Vec<Node>,
    constants: BTreeMap<String, Message>,
    made: usize,
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

    /// Constants that are neither what an operator is applied to nor what the whole gives are left out.
    pub(super) fn write(mut self) -> Result<Message, Malformed> {
        let outputs = self.outputs()?;
        let used: HashSet<&String> =
            self.nodes.iter().flat_map(|node| &node.inputs).chain(&outputs).collect();
        for (_, tensor) in self.constants.iter().filter(|(name, _)| used.contains(name)) {
            self.graph.message(INITIALIZER, tensor);
        }
        for node in &self.nodes {
            self.graph.message(NODE, &node.write());
        }
        self.model.message(GRAPH, &self.graph);
        Ok(self.model)
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
