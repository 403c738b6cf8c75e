//! A made-up model of one layer a side goes through the converter whole.

use std::collections::HashMap;

use half::f16;

use super::{ConvertError, whisper_to_ggml};
use crate::models::source::Precision;

const STATE: u32 = 32;
const TOKENIZER: &[u8] = br#"{"model": {"vocab": {"a": 0, "b": 1, "<|endoftext|>": 2}}}"#;

/// CTranslate2's file, made up.
struct FakeWeights {
    variables: Vec<(String, Vec<u32>, u8, Vec<u8>)>,
}

impl FakeWeights {
    fn new() -> Self {
        let mut fake = Self { variables: Vec::new() };
        fake.tensor("encoder/position_encodings/encodings", &[6, STATE]);
        fake.tensor("encoder/conv1/weight", &[STATE, 4, 3]);
        fake.tensor("encoder/conv1/bias", &[STATE]);
        fake.tensor("encoder/conv2/weight", &[STATE, STATE, 3]);
        fake.tensor("encoder/conv2/bias", &[STATE]);
        fake.tensor("decoder/position_encodings/encodings", &[5, STATE]);
        fake.tensor("decoder/embeddings/weight", &[3, STATE]);
        for side in ["encoder", "decoder"] {
            fake.number(&format!("{side}/num_heads"), 2);
            fake.norm(&format!("{side}/layer_norm"));
            let layer = format!("{side}/layer_0");
            fake.linear(&format!("{layer}/self_attention/linear_0"), 3, Some(1));
            fake.linear(&format!("{layer}/self_attention/linear_1"), 1, None);
            fake.norm(&format!("{layer}/self_attention/layer_norm"));
            fake.linear(&format!("{layer}/ffn/linear_0"), 1, None);
            fake.linear(&format!("{layer}/ffn/linear_1"), 1, None);
            fake.norm(&format!("{layer}/ffn/layer_norm"));
        }
        fake.linear("decoder/layer_0/attention/linear_0", 1, None);
        fake.linear("decoder/layer_0/attention/linear_1", 2, Some(0));
        fake.linear("decoder/layer_0/attention/linear_2", 1, None);
        fake.norm("decoder/layer_0/attention/layer_norm");
        fake
    }

    /// Rows of a weight count from 1 across its parts; the key's part of the bias is zero.
    fn linear(&mut self, name: &str, parts: u32, key: Option<u32>) {
        self.tensor(&format!("{name}/weight"), &[parts * STATE, STATE]);
        let bias = (0..parts * STATE).map(|index| if key == Some(index / STATE) { 0.0 } else { 0.5 });
        self.halves(&format!("{name}/bias"), &[parts * STATE], bias.collect());
    }

    fn norm(&mut self, name: &str) {
        self.tensor(&format!("{name}/gamma"), &[STATE]);
        self.tensor(&format!("{name}/beta"), &[STATE]);
    }

    /// Every value is the number of its row, counted from 1.
    fn tensor(&mut self, name: &str, dims: &[u32]) {
        let row: u32 = dims[1..].iter().product();
        let values = (0..dims[0] * row).map(|index| (index / row + 1) as f32).collect();
        self.halves(name, dims, values);
    }

    fn halves(&mut self, name: &str, dims: &[u32], values: Vec<f32>) {
        let bytes = values.into_iter().flat_map(|value| f16::from_f32(value).to_le_bytes()).collect();
        self.variables.push((name.to_owned(), dims.to_vec(), 4, bytes));
    }

    fn number(&mut self, name: &str, number: i16) {
        self.variables.push((name.to_owned(), Vec::new(), 2, number.to_le_bytes().to_vec()));
    }

    fn bytes(&self) -> Vec<u8> {
        let text = |text: &str| [&(text.len() as u16 + 1).to_le_bytes(), text.as_bytes(), &[0]].concat();
        let mut out = 6_u32.to_le_bytes().to_vec();
        out.extend(text("WhisperSpec"));
        out.extend(3_u32.to_le_bytes());
        out.extend((self.variables.len() as u32).to_le_bytes());
        for (name, dims, kind, data) in &self.variables {
            out.extend(text(name));
            out.push(dims.len() as u8);
            out.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
            out.push(*kind);
            out.extend((data.len() as u32).to_le_bytes());
            out.extend(data);
        }
        out.extend(1_u32.to_le_bytes());
        out.extend(text("decoder/projection/weight"));
        out.extend(text("decoder/embeddings/weight"));
        out
    }
}

/// A tensor as whisper.cpp would read it.
struct Written {
    kind: i32,
    dims: Vec<i32>,
    data: Vec<u8>,
}

fn convert(weights: &FakeWeights, precision: Precision) -> Result<Vec<u8>, ConvertError> {
    let mut out = Vec::new();
    whisper_to_ggml(&weights.bytes(), TOKENIZER, precision, &mut out).map(|()| out)
}

fn number(file: &mut &[u8]) -> i32 {
    let (number, rest) = file.split_first_chunk().expect("the file goes on");
    *file = rest;
    i32::from_le_bytes(*number)
}

/// The header's twelve numbers and the tensors by name.
fn read(mut file: &[u8]) -> (Vec<i32>, HashMap<String, Written>) {
    let header = (0..12).map(|_| number(&mut file)).collect();
    assert_eq!((number(&mut file), number(&mut file)), (80, 201));
    file = &file[80 * 201 * 4..];
    assert_eq!(number(&mut file), 2, "the special token is not written");
    for token in [b"a", b"b"] {
        assert_eq!(number(&mut file), 1);
        assert_eq!(file[..1], *token);
        file = &file[1..];
    }
    let mut tensors = HashMap::new();
    while !file.is_empty() {
        let (rank, length, kind) = (number(&mut file), number(&mut file), number(&mut file));
        let dims: Vec<i32> = (0..rank).map(|_| number(&mut file)).collect();
        let (name, rest) = file.split_at(length as usize);
        let elements = dims.iter().product::<i32>() as usize;
        let bytes = match kind {
            0 => elements * 4,
            1 => elements * 2,
            8 => elements / 32 * 34,
            other => panic!("no such type: {other}"),
        };
        let (data, rest) = rest.split_at(bytes);
        let name = String::from_utf8(name.to_vec()).expect("names are text");
        tensors.insert(name, Written { kind, dims, data: data.to_vec() });
        file = rest;
    }
    (header, tensors)
}

#[test]
fn a_model_is_rewritten_tensor_by_tensor() {
    let (header, tensors) = read(&convert(&FakeWeights::new(), Precision::F16).expect("it converts"));
    assert_eq!(header, [0x6767_6d6c, 3, 6, 32, 2, 1, 5, 32, 2, 1, 80, 1]);
    assert_eq!(tensors.len(), 50);
    let key = &tensors["decoder.blocks.0.attn.key.weight"];
    assert_eq!((key.kind, key.dims.as_slice()), (1, [32, 32].as_slice()));
    assert_eq!(key.data[..2], f16::from_f32(33.0).to_le_bytes(), "the second third of the rows");
    let value = &tensors["decoder.blocks.0.cross_attn.value.weight"];
    assert_eq!(value.data[..2], f16::from_f32(33.0).to_le_bytes(), "the second half of the rows");
    assert_eq!(tensors["encoder.conv1.weight"].dims, [3, 4, 32], "innermost first");
    assert_eq!(tensors["encoder.conv1.bias"].dims, [1, 32]);
    assert_eq!(tensors["encoder.positional_embedding"].kind, 0);
    assert!(!tensors.contains_key("encoder.blocks.0.attn.key.bias"));
}

#[test]
fn only_matrices_are_quantised() {
    let (header, tensors) = read(&convert(&FakeWeights::new(), Precision::Q8_0).expect("it converts"));
    assert_eq!(header[11], 2007);
    let kind = |name: &str| tensors[name].kind;
    assert_eq!(kind("decoder.token_embedding.weight"), 8);
    assert_eq!(kind("encoder.blocks.0.mlp.0.weight"), 8);
    assert_eq!(kind("encoder.conv1.weight"), 1);
    assert_eq!(kind("decoder.positional_embedding"), 0);
    assert_eq!(kind("decoder.ln.weight"), 0);
}

#[test]
fn a_key_with_a_bias_is_refused() {
    let mut weights = FakeWeights::new();
    for (name, .., data) in &mut weights.variables {
        if name == "encoder/layer_0/self_attention/linear_0/bias" {
            data.fill(0x3c);
        }
    }
    let refused = convert(&weights, Precision::F16).expect_err("the bias would be lost");
    assert!(refused.to_string().contains("bias that is not zero"), "{refused}");
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let whole = FakeWeights::new().bytes();
    for end in (0..whole.len()).step_by(97) {
        assert!(
            whisper_to_ggml(&whole[..end], TOKENIZER, Precision::F16, std::io::sink()).is_err(),
            "{end} of {} bytes were accepted",
            whole.len()
        );
    }
}
