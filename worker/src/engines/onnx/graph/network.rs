//! An ONNX model's operators and constants, to be read, changed and written again. Whatever else the file holds stays as it is.

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;

use crate::onnx_file::{
    DIMENSION, DOMAIN, ELEMENT, FLOATS, GRAPH, INITIALIZER, INPUT, IS_FLOAT, IS_INT64, LOCATION, NODE,
    OPERATOR_SET, OUTPUT, RAW, TENSOR_NAME, VALUE_INFO, VALUE_NAME, VERSION, tensor,
};
use crate::protobuf::{Malformed, Message};

use super::node::{Node, is_own};

/// What names of our making begin with.
const OURS: &str = "countersign/";

pub(super) struct Network {
    model: Message,
    graph: Message,
    pub(super) nodes: Vec<Node>,
    constants: BTreeMap<String, Message>,
    /// The number of the last name of our making.
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
        let nodes: Vec<Node> =
            graph.all(NODE).map(|node| Node::read(&Message::read(node)?)).collect::<Result<_, _>>()?;
        let mut constants = BTreeMap::new();
        for tensor in graph.all(INITIALIZER) {
            let tensor = Message::read(tensor)?;
            constants.insert(tensor.texts(TENSOR_NAME)?.pop().ok_or(Malformed)?, tensor);
        }
        let inputs = graph.all(INPUT).cloned().collect::<Vec<_>>();
        // Inferred shapes are of what was; they are inferred again.
        graph.0.retain(|(field, _)| ![NODE, INITIALIZER, INPUT, VALUE_INFO].contains(field));
        for input in inputs {
            // Old files name their constants among the inputs, as if they could be given.
            if !constants.contains_key(&value_name(&input)?) {
                graph.bytes(INPUT, input);
            }
        }
        let names = nodes.iter().flat_map(|node| node.inputs.iter().chain(&node.outputs));
        let made = names.filter_map(|name| name.strip_prefix(OURS)?.parse().ok()).max().unwrap_or(0);
        Ok(Self { model, graph, nodes, constants, made })
    }

    /// Whether values of its constants are in other files.
    pub(super) fn is_scattered(&self) -> bool {
        self.constants.values().any(|constant| constant.numbers(LOCATION) != Ok(Vec::new()))
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
            if is_own(set.last(DOMAIN)) {
                return set.numbers(VERSION)?.pop().ok_or(Malformed);
            }
        }
        Err(Malformed)
    }

    /// The names of what the whole gives.
    pub(super) fn outputs(&self) -> Result<HashSet<String>, Malformed> {
        self.graph.all(OUTPUT).map(value_name).collect()
    }

    /// `None` for what is no constant of floats, and for one whose values can't be read.
    pub(super) fn shape(&self, name: &str) -> Option<Vec<usize>> {
        Some(self.stored(name)?.0)
    }

    /// `None` as for its shape.
    pub(super) fn floats(&self, name: &str) -> Option<Floats> {
        let (shape, values) = self.stored(name)?;
        let (values, _) = values.as_chunks();
        Some(Floats { shape, values: values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect() })
    }

    /// A shape, and as many floats as it wants.
    fn stored(&self, name: &str) -> Option<(Vec<usize>, &Bytes)> {
        let tensor = self.constants.get(name)?;
        let shape: Vec<usize> =
            tensor.numbers(DIMENSION).ok()?.iter().map(|length| *length as usize).collect();
        let values = tensor.last(RAW).or_else(|| tensor.last(FLOATS))?;
        let bytes = shape.iter().try_fold(size_of::<f32>(), |bytes, length| bytes.checked_mul(*length));
        (tensor.numbers(ELEMENT) == Ok(vec![IS_FLOAT]) && bytes == Some(values.len()))
            .then_some((shape, values))
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
        self.constants.insert(name.clone(), tensor(&name, shape, element, bytes));
        name
    }

    /// A name that nothing has.
    pub(super) fn name(&mut self) -> String {
        self.made += 1;
        format!("{OURS}{}", self.made)
    }
}

fn value_name(value: &Bytes) -> Result<String, Malformed> {
    Message::read(value)?.texts(VALUE_NAME)?.pop().ok_or(Malformed)
}
