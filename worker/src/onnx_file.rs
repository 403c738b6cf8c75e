//! What an ONNX file is made of: the numbers of fields in onnx.proto (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>), and
//! the parts that are written in more than one place.

use bytes::Bytes;

use crate::protobuf::Message;

/// Of a model.
pub(crate) const IR_VERSION: u64 = 1;
pub(crate) const PRODUCER: u64 = 2;

pub(crate) const GRAPH: u64 = 7;
pub(crate) const OPERATOR_SET: u64 = 8;

/// Of a set of operators.
pub(crate) const DOMAIN: u64 = 1;
pub(crate) const VERSION: u64 = 2;

/// Of a graph.
pub(crate) const NODE: u64 = 1;
pub(crate) const GRAPH_NAME: u64 = 2;
pub(crate) const INITIALIZER: u64 = 5;
pub(crate) const INPUT: u64 = 11;
pub(crate) const OUTPUT: u64 = 12;
pub(crate) const VALUE_INFO: u64 = 13;

/// Of a value of a graph, and on the way from it to the name or the length of a dimension.
pub(crate) const VALUE_NAME: u64 = 1;
pub(crate) const VALUE_TYPE: u64 = 2;
pub(crate) const TYPE_TENSOR: u64 = 1;
pub(crate) const TYPE_ELEMENT: u64 = 1;
pub(crate) const TYPE_SHAPE: u64 = 2;
pub(crate) const SHAPE_DIMENSION: u64 = 1;
pub(crate) const DIMENSION_LENGTH: u64 = 1;
pub(crate) const DIMENSION_NAME: u64 = 2;

/// Of a node.
pub(crate) const NODE_INPUT: u64 = 1;
pub(crate) const NODE_OUTPUT: u64 = 2;
pub(crate) const OPERATOR: u64 = 4;
pub(crate) const ATTRIBUTE: u64 = 5;
pub(crate) const NODE_DOMAIN: u64 = 7;

/// Of an attribute.
pub(crate) const ATTRIBUTE_NAME: u64 = 1;
pub(crate) const ATTRIBUTE_FLOAT: u64 = 2;
pub(crate) const ATTRIBUTE_INTEGER: u64 = 3;
pub(crate) const ATTRIBUTE_TEXT: u64 = 4;
pub(crate) const ATTRIBUTE_GRAPH: u64 = 6;
pub(crate) const ATTRIBUTE_INTEGERS: u64 = 8;
pub(crate) const ATTRIBUTE_GRAPHS: u64 = 11;
pub(crate) const ATTRIBUTE_TYPE: u64 = 20;
const HOLDS_FLOAT: u64 = 1;
const HOLDS_INTEGER: u64 = 2;
const HOLDS_TEXT: u64 = 3;
const HOLDS_INTEGERS: u64 = 7;

/// Of a tensor.
pub(crate) const DIMENSION: u64 = 1;
pub(crate) const ELEMENT: u64 = 2;
pub(crate) const FLOATS: u64 = 4;
pub(crate) const TENSOR_NAME: u64 = 8;
pub(crate) const RAW: u64 = 9;
/// There where the values are in another file.
pub(crate) const LOCATION: u64 = 14;
pub(crate) const IS_FLOAT: u64 = 1;
pub(crate) const IS_INT64: u64 = 7;

/// What an operator is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Attribute<'a> {
    Integer(u64),
    Integers(&'a [u64]),
    Float(f32),
    Text(&'a str),
}

impl Attribute<'_> {
    pub(crate) fn named(self, name: &str) -> Message {
        let mut attribute = Message::default();
        attribute.text(ATTRIBUTE_NAME, name);
        let kind = match self {
            Self::Integer(value) => {
                attribute.number(ATTRIBUTE_INTEGER, value);
                HOLDS_INTEGER
            }
            Self::Integers(values) => {
                for value in values {
                    attribute.number(ATTRIBUTE_INTEGERS, *value);
                }
                HOLDS_INTEGERS
            }
            Self::Float(value) => {
                attribute.float(ATTRIBUTE_FLOAT, value);
                HOLDS_FLOAT
            }
            Self::Text(value) => {
                attribute.text(ATTRIBUTE_TEXT, value);
                HOLDS_TEXT
            }
        };
        attribute.number(ATTRIBUTE_TYPE, kind);
        attribute
    }
}

/// A constant: its name, its shape, what its elements are ([`IS_FLOAT`], [`IS_INT64`]), and those, row after row, little-endian.
pub(crate) fn tensor(name: &str, shape: &[usize], element: u64, values: impl Into<Bytes>) -> Message {
    let mut tensor = Message::default();
    for length in shape {
        tensor.number(DIMENSION, *length as u64);
    }
    tensor.number(ELEMENT, element);
    tensor.text(TENSOR_NAME, name);
    tensor.bytes(RAW, values);
    tensor
}
