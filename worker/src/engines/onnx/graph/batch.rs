//! Lets a model take several pictures at once: its graph computes them, but its description says one.
//!
//! What is changed is the first dimension of each input and output, from a number to a name.

use crate::onnx_file::{
    DIMENSION_NAME, GRAPH, INPUT, OUTPUT, SHAPE_DIMENSION, TYPE_SHAPE, TYPE_TENSOR, VALUE_INFO, VALUE_TYPE,
};
use crate::protobuf::{Malformed, Message};

/// The same model with a first dimension of any length in every input and output. Inferred shapes inside the graph are left
/// out: they were inferred for one.
pub(super) fn any_batch(model: &mut Message) -> Result<(), Malformed> {
    model.change(GRAPH, |graph| {
        graph.0.retain(|(field, _)| *field != VALUE_INFO);
        for field in [INPUT, OUTPUT] {
            graph.change(field, |value| {
                value.change(VALUE_TYPE, |kind| {
                    kind.change(TYPE_TENSOR, |tensor| tensor.change(TYPE_SHAPE, name_first))
                })
            })?;
        }
        Ok(())
    })
}

fn name_first(shape: &mut Message) -> Result<(), Malformed> {
    let mut first = true;
    shape.change(SHAPE_DIMENSION, |dimension| {
        if std::mem::take(&mut first) {
            *dimension = Message::default();
            dimension.text(DIMENSION_NAME, "batch");
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx_file::{
        DIMENSION_LENGTH, INITIALIZER, IR_VERSION, IS_FLOAT, PRODUCER, TYPE_ELEMENT, VALUE_NAME,
    };

    fn dimension(set: impl FnOnce(&mut Message)) -> Message {
        let mut dimension = Message::default();
        set(&mut dimension);
        dimension
    }

    fn length(value: u64) -> Message {
        dimension(|dimension| dimension.number(DIMENSION_LENGTH, value))
    }

    fn described(dimensions: &[Message]) -> Message {
        let (mut value, mut kind, mut tensor, mut shape) = <(Message, Message, Message, Message)>::default();
        for dimension in dimensions {
            shape.message(SHAPE_DIMENSION, dimension);
        }
        // The element's type stands before the shape.
        tensor.number(TYPE_ELEMENT, IS_FLOAT);
        tensor.message(TYPE_SHAPE, &shape);
        kind.message(TYPE_TENSOR, &tensor);
        value.text(VALUE_NAME, "name");
        value.message(VALUE_TYPE, &kind);
        value
    }

    fn model(input: &Message, output: &Message, inferred: Option<&Message>) -> Message {
        let (mut model, mut graph) = <(Message, Message)>::default();
        graph.bytes(INITIALIZER, vec![7; 300]);
        graph.message(INPUT, input);
        graph.message(OUTPUT, output);
        if let Some(inferred) = inferred {
            graph.message(VALUE_INFO, inferred);
        }
        model.number(IR_VERSION, 7);
        model.text(PRODUCER, "maker");
        model.message(GRAPH, &graph);
        model
    }

    #[test]
    fn the_first_dimension_gets_a_name_and_nothing_else_changes() {
        let named = || dimension(|dimension| dimension.text(DIMENSION_NAME, "batch"));
        let inferred = described(&[length(1)]);
        let mut one =
            model(&described(&[length(1), length(3)]), &described(&[length(1), length(9)]), Some(&inferred));
        let many = model(&described(&[named(), length(3)]), &described(&[named(), length(9)]), None);
        for _ in 0..2 {
            any_batch(&mut one).expect("it is a model");
            assert_eq!(one, many);
        }
    }
}
