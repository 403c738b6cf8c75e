//! The model in memory, and the tokens of its vocabulary that scoring needs.

use std::path::Path;

use countersign_shared::domain::{LANGUAGES, Language};
use whisper_rs::{WhisperContext, WhisperState, WhisperTokenId, get_lang_id};

use super::SpeechDevice;
use super::engine::failed;
use crate::engines::EngineError;

/// Read before every scoring: it tells the model that digits, separated by spaces, are what follows. It is the same for
/// every clip and never the expected code.
const PROMPT: &str = " 4 8 0 2 5 1.";

/// The longest prompt, in tokens, that is asked for.
const PROMPT_TOKENS_MAX: usize = 32;

/// The weights, shared by all threads, and what was looked up in them once.
pub(super) struct Model {
    context: WhisperContext,
    /// " 0" to " 9", one token each.
    pub(super) spaced_digits: [WhisperTokenId; 10],
    /// Every token of nothing but digits: "7", " 7", and " 23" too, for those who say a code in pairs.
    pub(super) figures: Vec<WhisperTokenId>,
    prompt: Vec<WhisperTokenId>,
}

impl Model {
    /// Fails when the file is no multilingual Whisper model, or does not know an accepted language.
    pub(super) fn load(path: &Path, device: SpeechDevice) -> Result<Self, EngineError> {
        let context = WhisperContext::new_with_params(path, device.parameters())
            .map_err(|error| failed(format!("failed to load `{}`: {error}", path.display())))?;
        if !context.is_multilingual() {
            return Err(failed(format!("`{}` is not multilingual", path.display())));
        }
        let model = Self {
            spaced_digits: spaced_digits(&context)?,
            figures: figures(&context),
            prompt: context.tokenize(PROMPT, PROMPT_TOKENS_MAX).map_err(failed)?,
            context,
        };
        for tag in LANGUAGES {
            let language = tag.parse().map_err(failed)?;
            model.language_token(language)?;
        }
        Ok(model)
    }

    pub(super) fn state(&self) -> Result<WhisperState, EngineError> {
        self.context.create_state().map_err(failed)
    }

    /// What the decoder reads before the first digit.
    pub(super) fn preamble(&self, language: Language) -> Result<Vec<WhisperTokenId>, EngineError> {
        let context = &self.context;
        let mut tokens = vec![context.token_prev()];
        tokens.extend(&self.prompt);
        tokens.push(context.token_sot());
        tokens.push(self.language_token(language)?);
        tokens.push(context.token_transcribe());
        tokens.push(context.token_not());
        Ok(tokens)
    }

    fn language_token(&self, language: Language) -> Result<WhisperTokenId, EngineError> {
        let code = language_code(language);
        let id = get_lang_id(code).ok_or_else(|| failed(format!("whisper.cpp has no language `{code}`")))?;
        let token = self.context.token_lang(id);
        // whisper.cpp's list is longer than an older model's; ids beyond it run into the task tokens.
        if token < self.context.token_translate() {
            Ok(token)
        } else {
            Err(failed(format!("the model does not know the language `{code}`")))
        }
    }
}

/// Whisper's name for a language: the primary subtag, but for a few that it calls differently or folds together.
pub(super) fn language_code(language: Language) -> &'static str {
    match language.primary() {
        "cmn" | "yue" => "zh",
        "fil" => "tl",
        "he" | "iw" => "he",
        "id" | "in" => "id",
        "jv" => "jw",
        "nb" => "no",
        primary => primary,
    }
}

fn spaced_digits(context: &WhisperContext) -> Result<[WhisperTokenId; 10], EngineError> {
    let mut tokens = [0; 10];
    for (digit, token) in tokens.iter_mut().enumerate() {
        let pieces = context.tokenize(&format!(" {digit}"), PROMPT_TOKENS_MAX).map_err(failed)?;
        let [only] = pieces[..] else {
            return Err(failed("the vocabulary has no single token for a digit"));
        };
        *token = only;
    }
    Ok(tokens)
}

fn figures(context: &WhisperContext) -> Vec<WhisperTokenId> {
    let is_figure = |token: &WhisperTokenId| {
        let text = context.token_to_bytes(*token).unwrap_or_default();
        let digits = text.strip_prefix(b" ").unwrap_or(text);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    (0..context.token_eot()).filter(is_figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(tag: &str) -> &'static str {
        language_code(tag.parse().expect("an accepted tag"))
    }

    #[test]
    fn tags_that_whisper_calls_differently_are_translated() {
        assert_eq!(
            ["cmn-Hans-CN", "yue-Hant-HK", "fil-PH", "jv-ID", "nb-NO", "th-TH"].map(code),
            ["zh", "zh", "tl", "jw", "no", "th"]
        );
    }

    #[test]
    fn every_accepted_language_has_a_whisper_language() {
        for tag in LANGUAGES {
            assert!(get_lang_id(code(tag)).is_some(), "{tag}");
        }
    }
}
