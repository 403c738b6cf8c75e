//! Numbers of fields in onnx.proto (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>).

pub(super) const GRAPH: u64 = 7;
pub(super) const OPERATOR_SET: u64 = 8;

/// Of a set of operators.
pub(super) const DOMAIN: u64 = 1;
pub(super) const VERSION: u64 = 2;

/// Of a graph.
pub(super) const NODE: u64 = 1;
pub(super) const INITIALIZER: u64 = 5;
pub(super) const INPUT: u64 = 11;
pub(super) const OUTPUT: u64 = 12;
pub(super) const VALUE_INFO: u64 = 13;

/// Of a value of a graph.
pub(super) const VALUE_NAME: u64 = 1;

/// Of a node.
pub(super) const NODE_INPUT: u64 = 1;
pub(super) const NODE_OUTPUT: u64 = 2;
pub(super) const OPERATOR: u64 = 4;
pub(super) const ATTRIBUTE: u64 = 5;
pub(super) const NODE_DOMAIN: u64 = 7;

/// Of an attribute.
pub(super) const ATTRIBUTE_NAME: u64 = 1;
pub(super) const ATTRIBUTE_INTEGER: u64 = 3;
pub(super) const ATTRIBUTE_GRAPH: u64 = 6;
pub(super) const ATTRIBUTE_INTEGERS: u64 = 8;
pub(super) const ATTRIBUTE_GRAPHS: u64 = 11;
pub(super) const ATTRIBUTE_TYPE: u64 = 20;
pub(super) const IS_INTEGER: u64 = 2;
pub(super) const IS_INTEGERS: u64 = 7;

/// Of a tensor.
pub(super) const DIMENSION: u64 = 1;
pub(super) const ELEMENT: u64 = 2;
pub(super) const FLOATS: u64 = 4;
pub(super) const TENSOR_NAME: u64 = 8;
pub(super) const RAW: u64 = 9;
pub(super) const IS_FLOAT: u64 = 1;
pub(super) const IS_INT64: u64 = 7;
