//! A small ONNX file: a chain of operators on constants, written as protocol buffers, the same bytes everywhere.

pub(super) use crate::onnx_file::Attribute;
use crate::onnx_file::{
    ATTRIBUTE, DIMENSION_LENGTH, DOMAIN, GRAPH, GRAPH_NAME, INITIALIZER, INPUT, IR_VERSION, IS_FLOAT,
    IS_INT64, NODE, NODE_INPUT, NODE_OUTPUT, OPERATOR, OPERATOR_SET, OUTPUT, PRODUCER, SHAPE_DIMENSION,
    TYPE_ELEMENT, TYPE_SHAPE, TYPE_TENSOR, VALUE_NAME, VALUE_TYPE, VERSION, tensor,
};
use crate::protobuf::Message;

/// Versions of the format and of the operators; ONNX Runtime has read them since 2021.
const FORMAT: u64 = 7;
const OPERATORS: u64 = 13;

/// In the shape of the whole's input or output, a length that the file leaves open.
pub(super) const ANY: usize = usize::MAX;

/// A graph that grows operator by operator.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Message,
    constants: Message,
    names: usize,
}

/// The name of a value in the graph.
#[derive(Debug, Clone)]
pub(super) struct Value(String);

impl Graph {
    /// The input of the whole.
    pub(super) fn input() -> Value {
        Value("input".to_owned())
    }

    pub(super) fn floats(&mut self, shape: &[usize], values: &[f32]) -> Value {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(shape, IS_FLOAT, bytes)
    }

    pub(super) fn integers(&mut self, values: &[i64]) -> Value {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(&[values.len()], IS_INT64, bytes)
    }

    /// What the operator makes of the inputs.
    pub(super) fn apply(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        attributes: &[(&str, Attribute<'_>)],
    ) -> Value {
        let output = self.name();
        let mut node = Message::default();
        for input in inputs {
            node.text(NODE_INPUT, &input.0);
        }
        node.text(NODE_OUTPUT, &output.0);
        node.text(OPERATOR, operator);
        for (name, told) in attributes {
            node.message(ATTRIBUTE, &told.named(name));
        }
        self.nodes.message(NODE, &node);
        output
    }

    /// The file: the shape of the whole's input, and its outputs with theirs.
    pub(super) fn finish(self, name: &str, input: &[usize], outputs: &[(&Value, &[usize])]) -> Vec<u8> {
        let mut graph = self.nodes;
        graph.text(GRAPH_NAME, name);
        graph.0.extend(self.constants.0);
        graph.message(INPUT, &described(&Self::input(), input));
        for (output, shape) in outputs {
            graph.message(OUTPUT, &described(output, shape));
        }
        let mut operators = Message::default();
        operators.text(DOMAIN, "");
        operators.number(VERSION, OPERATORS);
        let mut model = Message::default();
        model.number(IR_VERSION, FORMAT);
        model.text(PRODUCER, "countersign");
        model.message(GRAPH, &graph);
        model.message(OPERATOR_SET, &operators);
        model.write()
    }

    fn constant(&mut self, shape: &[usize], kind: u64, bytes: Vec<u8>) -> Value {
        let name = self.name();
        self.constants.message(INITIALIZER, &tensor(&name.0, shape, kind, bytes));
        name
    }

    fn name(&mut self) -> Value {
        self.names += 1;
        Value(format!("v{}", self.names))
    }
}

/// A value's name and the shape of its floats.
fn described(value: &Value, shape: &[usize]) -> Message {
    let mut dimensions = Message::default();
    for length in shape {
        let mut dimension = Message::default();
        match *length {
            // Without a name each is a length of its own.
            ANY => {}
            length => dimension.number(DIMENSION_LENGTH, length as u64),
        }
        dimensions.message(SHAPE_DIMENSION, &dimension);
    }
    let (mut tensor, mut kind, mut described) = <(Message, Message, Message)>::default();
    tensor.number(TYPE_ELEMENT, IS_FLOAT);
    tensor.message(TYPE_SHAPE, &dimensions);
    kind.message(TYPE_TENSOR, &tensor);
    described.text(VALUE_NAME, &value.0);
    described.message(VALUE_TYPE, &kind);
    described
}

#[cfg(test)]
pub(super) mod tests {
    /// That these numbers are in the file, one after another.
    #[track_caller]
    pub(in crate::models::convert) fn holds(file: &[u8], numbers: &[f32]) {
        let bytes: Vec<u8> = numbers.iter().copied().flat_map(f32::to_le_bytes).collect();
        assert!(file.windows(bytes.len()).any(|window| window == bytes), "{numbers:?} are not in the file");
    }
}
