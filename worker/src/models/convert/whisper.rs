//! Which of CTranslate2's variables becomes which of whisper.cpp's tensors.

use std::io::Write;

use super::ConvertError;
use super::container::{Container, Tensor};
use super::ggml::{Shape, Writer};
use super::vocabulary;
use crate::models::source::Precision;

/// More than any Whisper model has.
const MOST_LAYERS: u32 = 1024;

/// Writes whisper.cpp's file. `weights` is CTranslate2's `model.bin` with half-float tensors, `tokenizer` its
/// `tokenizer.json`. The same input gives the same bytes, everywhere.
pub fn whisper_to_ggml(
    weights: &[u8],
    tokenizer: &[u8],
    precision: Precision,
    out: impl Write,
) -> Result<(), ConvertError> {
    let container = Container::parse(weights)?;
    let tokens = vocabulary::tokens(tokenizer)?;
    let shape = shape(&container)?;
    let writer = Writer::begin(out, precision, shape, &tokens)?;
    let mut rewrite = Rewrite { container, writer };
    rewrite.encoder(shape.audio_layers)?;
    rewrite.decoder(shape.text_layers)?;
    Ok(rewrite.writer.finish()?)
}

fn shape(container: &Container<'_>) -> Result<Shape, ConvertError> {
    let audio = container.tensor("encoder/position_encodings/encodings", 2)?.dims;
    let text = container.tensor("decoder/position_encodings/encodings", 2)?.dims;
    let vocabulary = container.tensor("decoder/embeddings/weight", 2)?.dims[0];
    let layers = |side: &str| {
        (0..MOST_LAYERS)
            .take_while(|index| {
                container.has(&format!("{side}/layer_{index}/self_attention/linear_0/weight"))
            })
            .count() as u32
    };
    let heads = |name: &str| container.number(name).map(|heads| heads.max(0).cast_unsigned().into());
    Ok(Shape {
        vocabulary,
        audio_context: audio[0],
        audio_state: audio[1],
        audio_heads: heads("encoder/num_heads")?,
        audio_layers: layers("encoder"),
        text_context: text[0],
        text_state: text[1],
        text_heads: heads("decoder/num_heads")?,
        text_layers: layers("decoder"),
    })
}

/// The rewrite in progress.
struct Rewrite<'a, W> {
    container: Container<'a>,
    writer: Writer<W>,
}

impl<'a, W: Write> Rewrite<'a, W> {
    fn encoder(&mut self, layers: u32) -> Result<(), ConvertError> {
        self.positions("encoder")?;
        for convolution in ["conv1", "conv2"] {
            let weight = self.container.tensor(&format!("encoder/{convolution}/weight"), 3)?;
            self.writer.matrix(&format!("encoder.{convolution}.weight"), &weight)?;
            let bias = self.container.tensor(&format!("encoder/{convolution}/bias"), 1)?;
            self.writer.column(&format!("encoder.{convolution}.bias"), &bias)?;
        }
        for index in 0..layers {
            let (from, to) = (format!("encoder/layer_{index}"), format!("encoder.blocks.{index}"));
            self.self_attention(&from, &to)?;
            self.feed_forward(&from, &to)?;
        }
        self.norm("encoder/layer_norm", "encoder.ln_post")
    }

    fn decoder(&mut self, layers: u32) -> Result<(), ConvertError> {
        self.positions("decoder")?;
        let embeddings = self.container.tensor("decoder/embeddings/weight", 2)?;
        self.writer.matrix("decoder.token_embedding.weight", &embeddings)?;
        for index in 0..layers {
            let (from, to) = (format!("decoder/layer_{index}"), format!("decoder.blocks.{index}"));
            self.self_attention(&from, &to)?;
            self.cross_attention(&from, &to)?;
            self.feed_forward(&from, &to)?;
        }
        self.norm("decoder/layer_norm", "decoder.ln")
    }

    /// Query, key and value lie one after another in one variable; the key has no bias.
    fn self_attention(&mut self, from: &str, to: &str) -> Result<(), ConvertError> {
        let (weight, bias) = self.fused(&format!("{from}/self_attention/linear_0"), 3)?;
        let no_bias = bias.part(1, 3);
        self.writer.matrix(&format!("{to}.attn.query.weight"), &weight.part(0, 3))?;
        self.writer.floats(&format!("{to}.attn.query.bias"), &bias.part(0, 3))?;
        self.key(&format!("{to}.attn.key.weight"), &weight.part(1, 3), &no_bias)?;
        self.writer.matrix(&format!("{to}.attn.value.weight"), &weight.part(2, 3))?;
        self.writer.floats(&format!("{to}.attn.value.bias"), &bias.part(2, 3))?;
        self.linear(&format!("{from}/self_attention/linear_1"), &format!("{to}.attn.out"))?;
        self.norm(&format!("{from}/self_attention/layer_norm"), &format!("{to}.attn_ln"))
    }

    /// The query stands alone; key and value lie one after another.
    fn cross_attention(&mut self, from: &str, to: &str) -> Result<(), ConvertError> {
        self.linear(&format!("{from}/attention/linear_0"), &format!("{to}.cross_attn.query"))?;
        let (weight, bias) = self.fused(&format!("{from}/attention/linear_1"), 2)?;
        self.key(&format!("{to}.cross_attn.key.weight"), &weight.part(0, 2), &bias.part(0, 2))?;
        self.writer.matrix(&format!("{to}.cross_attn.value.weight"), &weight.part(1, 2))?;
        self.writer.floats(&format!("{to}.cross_attn.value.bias"), &bias.part(1, 2))?;
        self.linear(&format!("{from}/attention/linear_2"), &format!("{to}.cross_attn.out"))?;
        self.norm(&format!("{from}/attention/layer_norm"), &format!("{to}.cross_attn_ln"))
    }

    fn feed_forward(&mut self, from: &str, to: &str) -> Result<(), ConvertError> {
        self.linear(&format!("{from}/ffn/linear_0"), &format!("{to}.mlp.0"))?;
        self.linear(&format!("{from}/ffn/linear_1"), &format!("{to}.mlp.2"))?;
        self.norm(&format!("{from}/ffn/layer_norm"), &format!("{to}.mlp_ln"))
    }

    /// whisper.cpp knows no bias of a key: dropping one that is not zero would change the model.
    fn key(&mut self, name: &str, weight: &Tensor<'_>, bias: &Tensor<'_>) -> Result<(), ConvertError> {
        if !bias.is_zero() {
            return Err(ConvertError::Tensor { name: name.to_owned(), fault: "has a bias that is not zero" });
        }
        Ok(self.writer.matrix(name, weight)?)
    }

    fn linear(&mut self, from: &str, to: &str) -> Result<(), ConvertError> {
        let (weight, bias) = self.fused(from, 1)?;
        self.writer.matrix(&format!("{to}.weight"), &weight)?;
        Ok(self.writer.floats(&format!("{to}.bias"), &bias)?)
    }

    fn norm(&mut self, from: &str, to: &str) -> Result<(), ConvertError> {
        let gamma = self.container.tensor(&format!("{from}/gamma"), 1)?;
        let beta = self.container.tensor(&format!("{from}/beta"), 1)?;
        self.writer.floats(&format!("{to}.weight"), &gamma)?;
        Ok(self.writer.floats(&format!("{to}.bias"), &beta)?)
    }

    fn positions(&mut self, side: &str) -> Result<(), ConvertError> {
        let positions = self.container.tensor(&format!("{side}/position_encodings/encodings"), 2)?;
        Ok(self.writer.floats(&format!("{side}.positional_embedding"), &positions)?)
    }

    /// Weight and bias of a layer that holds `parts` layers of equal size.
    fn fused(&self, from: &str, parts: u32) -> Result<(Tensor<'a>, Tensor<'a>), ConvertError> {
        let weight = self.container.tensor(&format!("{from}/weight"), 2)?;
        let bias = self.container.tensor(&format!("{from}/bias"), 1)?;
        let rows = weight.dims[0];
        if rows == 0 || !rows.is_multiple_of(parts) || bias.dims[0] != rows {
            return Err(ConvertError::Tensor { name: from.to_owned(), fault: "has an unexpected size" });
        }
        Ok((weight, bias))
    }
}
