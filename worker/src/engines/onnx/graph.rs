//! Lets a model file take several pictures at once: its graph computes them, but its description says one.
//!
//! An ONNX file is protocol buffers (onnx.proto). What is changed here is the first dimension of each input and output, from a
//! number to a name; everything else is copied as it is.

use super::{EngineError, failed};

/// Numbers of fields in onnx.proto on the way from the model to a dimension.
const GRAPH: u64 = 7;
const INPUT: u64 = 11;
const OUTPUT: u64 = 12;
const VALUE_INFO: u64 = 13;
const TYPE: u64 = 2;
const TENSOR: u64 = 1;
const SHAPE: u64 = 2;
const DIMENSION: u64 = 1;
const DIMENSION_NAME: u64 = 2;

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

/// The same model with a first dimension of any length in every input and output. Inferred shapes inside the graph are left
/// out: they were inferred for one.
pub(super) fn any_batch(model: &[u8]) -> Result<Vec<u8>, EngineError> {
    rewrite(model, &|field, content| match field {
        GRAPH => Ok(Some(rewrite(content, &|field, content| match field {
            INPUT | OUTPUT => Ok(Some(within(content, &[TYPE, TENSOR, SHAPE])?)),
            VALUE_INFO => Ok(None),
            _ => Ok(Some(content.to_vec())),
        })?)),
        _ => Ok(Some(content.to_vec())),
    })
}

/// Follows the path of fields to the shape, and names its first dimension.
fn within(message: &[u8], path: &[u64]) -> Result<Vec<u8>, EngineError> {
    let Some((next, rest)) = path.split_first() else { return name_first(message) };
    rewrite(message, &|field, content| {
        Ok(Some(if field == *next { within(content, rest)? } else { content.to_vec() }))
    })
}

fn name_first(shape: &[u8]) -> Result<Vec<u8>, EngineError> {
    let first = std::cell::Cell::new(true);
    rewrite(shape, &|field, content| {
        Ok(Some(if field == DIMENSION && first.replace(false) {
            let mut named = Vec::new();
            put_bytes(&mut named, DIMENSION_NAME, b"batch");
            named
        } else {
            content.to_vec()
        }))
    })
}

type Change<'a> = dyn Fn(u64, &[u8]) -> Result<Option<Vec<u8>>, EngineError> + 'a;

/// Copies a message; each field that holds bytes becomes what `change` makes of it, or is left out.
fn rewrite(message: &[u8], change: &Change<'_>) -> Result<Vec<u8>, EngineError> {
    let mut written = Vec::with_capacity(message.len() + 16);
    let mut rest = message;
    while !rest.is_empty() {
        let before = rest;
        let key = varint(&mut rest)?;
        match key & 7 {
            VARINT => {
                varint(&mut rest)?;
            }
            FIXED_64 => {
                take(&mut rest, 8)?;
            }
            FIXED_32 => {
                take(&mut rest, 4)?;
            }
            BYTES => {
                let length = varint(&mut rest)?;
                let content = take(&mut rest, length as usize)?;
                if let Some(content) = change(key >> 3, content)? {
                    put_bytes(&mut written, key >> 3, &content);
                }
                continue;
            }
            _ => return Err(broken()),
        }
        written.extend_from_slice(&before[..before.len() - rest.len()]);
    }
    Ok(written)
}

fn varint(rest: &mut &[u8]) -> Result<u64, EngineError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(broken())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], EngineError> {
    let (taken, left) = rest.split_at_checked(length).ok_or_else(broken)?;
    *rest = left;
    Ok(taken)
}

fn put_bytes(message: &mut Vec<u8>, field: u64, content: &[u8]) {
    put_varint(message, field << 3 | BYTES);
    put_varint(message, content.len() as u64);
    message.extend_from_slice(content);
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn broken() -> EngineError {
    failed("the model file is cut short or no ONNX file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(fields: &[(u64, &[u8])]) -> Vec<u8> {
        let mut message = Vec::new();
        for (field, content) in fields {
            put_bytes(&mut message, *field, content);
        }
        message
    }

    /// `dim_value`, field 1 of a dimension.
    fn length(value: u8) -> Vec<u8> {
        vec![0x08, value]
    }

    fn described(dimensions: &[&[u8]]) -> Vec<u8> {
        let fields: Vec<(u64, &[u8])> = dimensions.iter().map(|dimension| (DIMENSION, *dimension)).collect();
        let shape = message(&fields);
        // The element's type, a varint, stands before the shape.
        let tensor = [vec![0x08, 1], message(&[(SHAPE, &shape)])].concat();
        message(&[(1, b"name"), (TYPE, &message(&[(TENSOR, &tensor)]))])
    }

    fn model(input: &[u8], output: &[u8], inferred: &[(u64, &[u8])]) -> Vec<u8> {
        let weights = vec![7; 300];
        let fields = [&[(5, weights.as_slice()), (INPUT, input), (OUTPUT, output)], inferred].concat();
        [vec![0x08, 7], message(&[(2, b"maker"), (GRAPH, &message(&fields))])].concat()
    }

    #[test]
    fn the_first_dimension_gets_a_name_and_nothing_else_changes() {
        let named = message(&[(DIMENSION_NAME, b"batch")]);
        let inferred = described(&[&length(1)]);
        let one = model(
            &described(&[&length(1), &length(3)]),
            &described(&[&length(1), &length(9)]),
            &[(VALUE_INFO, &inferred)],
        );
        let many = model(&described(&[&named, &length(3)]), &described(&[&named, &length(9)]), &[]);
        assert_eq!(any_batch(&one).expect("it is a model"), many);
        assert_eq!(any_batch(&many).expect("it is a model"), many);
    }

    #[test]
    fn a_file_that_is_cut_short_is_refused() {
        let whole = model(&described(&[&length(1)]), &described(&[&length(1)]), &[]);
        assert!(any_batch(&whole[..whole.len() - 1]).is_err());
        assert!(any_batch(b"GIF89a").is_err());
    }
}
