//! The languages in which digits can be spoken.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An accepted BCP-47 tag, such as `en-US` or `th-TH`, in its canonical spelling: an index into [`LANGUAGES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(u8);

/// The tag is not on the accepted list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("language is not on the accepted list")]
pub struct UnsupportedLanguage;

/// Every accepted tag. The recogniser knows the primary language; the region is kept for the caller.
pub const LANGUAGES: &[&str] = &[
    "af-ZA",
    "ar-AE",
    "ar-EG",
    "ar-SA",
    "bg-BG",
    "bn-BD",
    "bn-IN",
    "ca-ES",
    "cmn-Hans-CN",
    "cmn-Hant-TW",
    "cs-CZ",
    "da-DK",
    "de-AT",
    "de-CH",
    "de-DE",
    "el-GR",
    "en-AU",
    "en-CA",
    "en-GB",
    "en-IE",
    "en-IN",
    "en-NZ",
    "en-PH",
    "en-US",
    "en-ZA",
    "es-AR",
    "es-CL",
    "es-CO",
    "es-ES",
    "es-MX",
    "es-US",
    "fa-IR",
    "fi-FI",
    "fil-PH",
    "fr-BE",
    "fr-CA",
    "fr-CH",
    "fr-FR",
    "gu-IN",
    "he-IL",
    "hi-IN",
    "hr-HR",
    "hu-HU",
    "id-ID",
    "is-IS",
    "it-CH",
    "it-IT",
    "ja-JP",
    "jv-ID",
    "ko-KR",
    "lt-LT",
    "lv-LV",
    "ml-IN",
    "mr-IN",
    "ms-MY",
    "nb-NO",
    "nl-BE",
    "nl-NL",
    "pa-IN",
    "pl-PL",
    "pt-BR",
    "pt-PT",
    "ro-RO",
    "ru-RU",
    "sk-SK",
    "sl-SI",
    "sr-RS",
    "sv-SE",
    "sw-KE",
    "sw-TZ",
    "ta-IN",
    "te-IN",
    "th-TH",
    "tr-TR",
    "uk-UA",
    "ur-PK",
    "vi-VN",
    "yue-Hant-HK",
    "zh-CN",
    "zh-HK",
    "zh-TW",
];

impl Language {
    pub const fn tag(&self) -> &'static str {
        LANGUAGES[self.0 as usize]
    }

    /// The tag's primary subtag: `th` of `th-TH`.
    pub fn primary(&self) -> &'static str {
        self.tag().split('-').next().unwrap_or_default()
    }
}

impl FromStr for Language {
    type Err = UnsupportedLanguage;

    /// Case is ignored and `_` is read as `-`. A bare primary subtag (`th`) takes the first region listed for it.
    fn from_str(text: &str) -> Result<Self, UnsupportedLanguage> {
        let wanted = text.trim().replace('_', "-");
        let same = |tag: &&str| tag.eq_ignore_ascii_case(&wanted);
        let same_primary =
            |tag: &&str| tag.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case(&wanted));
        LANGUAGES
            .iter()
            .position(same)
            .or_else(|| LANGUAGES.iter().position(same_primary))
            .map(|index| Self(index as u8))
            .ok_or(UnsupportedLanguage)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.tag())
    }
}

impl TryFrom<String> for Language {
    type Error = UnsupportedLanguage;

    fn try_from(text: String) -> Result<Self, UnsupportedLanguage> {
        text.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> String {
        language.tag().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_tag_parses_to_itself() {
        for tag in LANGUAGES {
            assert_eq!(tag.parse::<Language>().map(|language| language.tag()), Ok(*tag));
        }
    }

    #[test]
    fn case_and_underscores_are_forgiven() {
        assert_eq!("EN_us".parse::<Language>().map(|language| language.tag()), Ok("en-US"));
    }

    #[test]
    fn a_language_that_is_not_listed_is_refused() {
        assert_eq!("tlh".parse::<Language>(), Err(UnsupportedLanguage));
    }
}
