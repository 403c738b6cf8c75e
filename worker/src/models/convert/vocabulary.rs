//! The tokens as bytes, in the order of their ids, from a Hugging Face `tokenizer.json`.

use std::collections::HashMap;

use serde::Deserialize;

use super::ConvertError;

/// Special tokens start here; whisper.cpp adds them itself.
const FIRST_SPECIAL: &str = "<|endoftext|>";

#[derive(Deserialize)]
struct Tokenizer {
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    vocab: HashMap<String, usize>,
}

/// Every ordinary token's bytes; index = id.
pub(super) fn tokens(tokenizer: &[u8]) -> Result<Vec<Vec<u8>>, ConvertError> {
    let tokenizer: Tokenizer = serde_json::from_slice(tokenizer)?;
    let mut entries: Vec<(usize, String)> =
        tokenizer.model.vocab.into_iter().map(|(text, id)| (id, text)).collect();
    entries.sort_unstable();
    let bytes = bytes_of_characters();
    let mut tokens = Vec::with_capacity(entries.len());
    for (id, text) in entries {
        if text == FIRST_SPECIAL {
            return Ok(tokens);
        }
        if id != tokens.len() {
            return Err(ConvertError::Vocabulary("skips an id"));
        }
        let token: Option<Vec<u8>> = text.chars().map(|character| bytes.get(&character).copied()).collect();
        tokens.push(token.ok_or(ConvertError::Vocabulary("has a character outside GPT-2's alphabet"))?);
    }
    Ok(tokens)
}

/// GPT-2 writes every byte as a printable character: printable bytes as themselves, the others as the characters
/// from 256 on, in order.
fn bytes_of_characters() -> HashMap<char, u8> {
    let mut unprintable = 256;
    (0..=u8::MAX)
        .map(|byte| {
            let printable = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
            let character = if printable {
                char::from(byte)
            } else {
                unprintable += 1;
                char::from_u32(unprintable - 1).expect("256 to 323 are characters, otherwise this is a bug")
            };
            (character, byte)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_in_the_order_of_their_ids_as_bytes_and_stop_at_the_first_special_one() {
        let tokenizer = r#"{"model": {"vocab": {"Ġé": 1, "!": 0, "": 2, "<|endoftext|>": 3, "after": 4}}}"#;
        let tokens = tokens(tokenizer.as_bytes()).expect("it is a tokenizer");
        // `Ġ` stands for the space, `é` for the byte 0xE9.
        assert_eq!(tokens, [b"!".to_vec(), vec![b' ', 0xE9], vec![]]);
    }

    #[test]
    fn a_gap_between_ids_is_refused() {
        let refused = tokens(br#"{"model": {"vocab": {"a": 0, "b": 2}}}"#);
        assert!(matches!(refused, Err(ConvertError::Vocabulary("skips an id"))), "{refused:?}");
    }

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        assert_eq!(bytes_of_characters().len(), 256);
    }
}
