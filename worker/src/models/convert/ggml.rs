//! whisper.cpp's file: a header, the mel filters, the tokens, then named tensors until the end.

use std::io::{self, Write};

use super::container::Tensor;
use super::{mel, q8};
use crate::models::source::Precision;

const MAGIC: i32 = 0x6767_6d6c;

const F32: i32 = 0;
const F16: i32 = 1;
const Q8_0: i32 = 8;

/// The model's shape, in the order of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) vocabulary: u32,
    pub(super) audio_context: u32,
    pub(super) audio_state: u32,
    pub(super) audio_heads: u32,
    pub(super) audio_layers: u32,
    pub(super) text_context: u32,
    pub(super) text_state: u32,
    pub(super) text_heads: u32,
    pub(super) text_layers: u32,
}

/// Writes the file front to back.
pub(super) struct Writer<W> {
    out: W,
    precision: Precision,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(out: W, precision: Precision, shape: Shape, tokens: &[Vec<u8>]) -> io::Result<Self> {
        let mut writer = Self { out, precision };
        writer.numbers(&[MAGIC])?;
        let Shape { vocabulary, audio_context, audio_state, audio_heads, audio_layers, .. } = shape;
        let Shape { text_context, text_state, text_heads, text_layers, .. } = shape;
        let audio = [vocabulary, audio_context, audio_state, audio_heads, audio_layers];
        let text = [text_context, text_state, text_heads, text_layers];
        writer.numbers(&audio.map(u32::cast_signed))?;
        writer.numbers(&text.map(u32::cast_signed))?;
        // The kind of file: its matrices' type and, in thousands, the version of the quantisation.
        let kind = match precision {
            Precision::F16 => 1,
            Precision::Q8_0 => 2007,
        };
        writer.numbers(&[mel::FILTERS as i32, kind])?;
        writer.numbers(&[mel::FILTERS as i32, mel::FREQUENCIES as i32])?;
        for weight in mel::filters() {
            writer.out.write_all(&weight.to_le_bytes())?;
        }
        writer.numbers(&[tokens.len() as i32])?;
        for token in tokens {
            writer.numbers(&[token.len() as i32])?;
            writer.out.write_all(token)?;
        }
        Ok(writer)
    }

    /// A weight matrix (2 dimensions, quantised where asked) or a convolution's kernel (3, always half floats).
    pub(super) fn matrix(&mut self, name: &str, tensor: &Tensor<'_>) -> io::Result<()> {
        let rows_fit = tensor.dims.last().is_some_and(|length| (*length as usize).is_multiple_of(q8::BLOCK));
        if self.precision == Precision::Q8_0 && tensor.dims.len() == 2 && rows_fit {
            self.head(name, Q8_0, &tensor.dims)?;
            self.out.write_all(&quantised(tensor))
        } else {
            self.head(name, F16, &tensor.dims)?;
            self.out.write_all(tensor.halves)
        }
    }

    /// A vector, or positions: single floats.
    pub(super) fn floats(&mut self, name: &str, tensor: &Tensor<'_>) -> io::Result<()> {
        self.head(name, F32, &tensor.dims)?;
        self.widened(tensor)
    }

    /// A vector that whisper.cpp wants as a matrix of one column.
    pub(super) fn column(&mut self, name: &str, tensor: &Tensor<'_>) -> io::Result<()> {
        self.head(name, F32, &[tensor.dims[0], 1])?;
        self.widened(tensor)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn widened(&mut self, tensor: &Tensor<'_>) -> io::Result<()> {
        let bytes: Vec<u8> = tensor.values().flat_map(f32::to_le_bytes).collect();
        self.out.write_all(&bytes)
    }

    /// Dimensions are written innermost first.
    fn head(&mut self, name: &str, kind: i32, dims: &[u32]) -> io::Result<()> {
        self.numbers(&[dims.len() as i32, name.len() as i32, kind])?;
        for dim in dims.iter().rev() {
            self.numbers(&[dim.cast_signed()])?;
        }
        self.out.write_all(name.as_bytes())
    }

    fn numbers(&mut self, numbers: &[i32]) -> io::Result<()> {
        numbers.iter().try_for_each(|number| self.out.write_all(&number.to_le_bytes()))
    }
}

fn quantised(tensor: &Tensor<'_>) -> Vec<u8> {
    let values: Vec<f32> = tensor.values().collect();
    let (blocks, _) = values.as_chunks::<{ q8::BLOCK }>();
    let mut bytes = Vec::with_capacity(blocks.len() * (2 + q8::BLOCK));
    for block in blocks {
        q8::quantise(block, &mut bytes);
    }
    bytes
}
