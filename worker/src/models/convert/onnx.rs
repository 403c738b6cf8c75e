//! A small ONNX file: a chain of operators on constants, written as protocol buffers, the same bytes everywhere.

use crate::protobuf::Message;

/// `ir_version` and operator set of the file; ONNX Runtime has read them since 2021.
const IR_VERSION: u64 = 7;
const OPERATORS: u64 = 13;

const FLOAT: u64 = 1;
const INT64: u64 = 7;
const ATTRIBUTE_FLOAT: u64 = 1;
const ATTRIBUTE_INT: u64 = 2;
const ATTRIBUTE_TEXT: u64 = 3;
const ATTRIBUTE_INTS: u64 = 7;

/// In the shape of the whole's input or output, a length that the file leaves open.
pub(super) const ANY: usize = usize::MAX;

/// A graph that grows operator by operator.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Message,
    constants: Message,
    names: usize,
}

/// What an operator is told.
pub(super) enum Attribute<'a> {
    Integer(u64),
    Integers(&'a [u64]),
    Float(f32),
    Text(&'a str),
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
        self.constant(shape, FLOAT, bytes)
    }

    pub(super) fn integers(&mut self, values: &[i64]) -> Value {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(&[values.len()], INT64, bytes)
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
            node.text(1, &input.0);
        }
        node.text(2, &output.0);
        node.text(4, operator);
        for (name, told) in attributes {
            let mut attribute = Message::default();
            attribute.text(1, name);
            match told {
                Attribute::Integer(value) => {
                    attribute.number(3, *value);
                    attribute.number(20, ATTRIBUTE_INT);
                }
                Attribute::Integers(values) => {
                    for value in *values {
                        attribute.number(8, *value);
                    }
                    attribute.number(20, ATTRIBUTE_INTS);
                }
                Attribute::Float(value) => {
                    attribute.float(2, *value);
                    attribute.number(20, ATTRIBUTE_FLOAT);
                }
                Attribute::Text(value) => {
                    attribute.text(4, value);
                    attribute.number(20, ATTRIBUTE_TEXT);
                }
            }
            node.message(5, &attribute);
        }
        self.nodes.message(1, &node);
        output
    }

    /// The file: the shape of the whole's input, and its outputs with theirs.
    pub(super) fn finish(self, name: &str, input: &[usize], outputs: &[(&Value, &[usize])]) -> Vec<u8> {
        let mut graph = self.nodes;
        graph.text(2, name);
        graph.0.extend(self.constants.0);
        graph.message(11, &described(&Self::input(), input));
        for (output, shape) in outputs {
            graph.message(12, &described(output, shape));
        }
        let mut operators = Message::default();
        operators.text(1, "");
        operators.number(2, OPERATORS);
        let mut model = Message::default();
        model.number(1, IR_VERSION);
        model.text(2, "countersign");
        model.message(7, &graph);
        model.message(8, &operators);
        model.write()
    }

    fn constant(&mut self, shape: &[usize], kind: u64, bytes: Vec<u8>) -> Value {
        let name = self.name();
        let mut tensor = Message::default();
        for length in shape {
            tensor.number(1, *length as u64);
        }
        tensor.number(2, kind);
        tensor.text(8, &name.0);
        tensor.bytes(9, bytes);
        self.constants.message(5, &tensor);
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
            length => dimension.number(1, length as u64),
        }
        dimensions.message(1, &dimension);
    }
    let (mut tensor, mut kind, mut described) = <(Message, Message, Message)>::default();
    tensor.number(1, FLOAT);
    tensor.message(2, &dimensions);
    kind.message(1, &tensor);
    described.text(1, &value.0);
    described.message(2, &kind);
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
