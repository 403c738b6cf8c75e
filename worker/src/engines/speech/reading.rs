//! Reading: the digits that a free transcript names, in figures of any script or in words.

use countersign_shared::domain::decimal_value;
use unicode_normalization::UnicodeNormalization;

use super::pairs::pairs_of;
use super::words::{ENGLISH, Words, words_of};

/// A transcript that repeats its first digits for ever still names only these.
const CODE: usize = 6;

/// The digits in the order in which they are named. `primary` is the primary language subtag; English words are
/// understood in every language.
pub(super) fn digits_in(text: &str, primary: &str) -> Vec<u8> {
    let lexicon = Lexicon::new(primary);
    let mut digits = Vec::new();
    let mut times = 1;
    // `twenty, three` is no pair, `twenty-three` is.
    for clause in fold(text).split([',', '.', ';', '?', '!']) {
        let tokens = tokens(clause);
        let mut rest = tokens.as_slice();
        while let Some((token, after)) = rest.split_first() {
            if let Some(repeats) = repeats(token) {
                times = repeats;
                rest = after;
                continue;
            }
            let pair = lexicon.pair(rest);
            let (mut named, after) = pair.unwrap_or_else(|| (lexicon.read(token), after));
            if let Some(first) = named.first().copied() {
                named.splice(..1, vec![first; times]);
            }
            times = 1;
            digits.extend(named);
            rest = after;
        }
    }
    without_loop(digits)
}

/// Folded digit words, the longest first.
struct Lexicon {
    words: Vec<(String, u8)>,
    /// Numbers of two digits, those of the most words first.
    pairs: Vec<(Vec<String>, u8)>,
    /// The script puts no spaces between words: digits may stand inside other text.
    unspaced: bool,
}

impl Lexicon {
    fn new(primary: &str) -> Self {
        let Words { words, unspaced } = words_of(primary);
        let mut words: Vec<(String, u8)> = words
            .iter()
            .chain(ENGLISH)
            .zip((0..10).cycle())
            .flat_map(|(variants, digit)| variants.split(' ').map(move |word| (fold(word), digit)))
            .collect();
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        let mut pairs: Vec<(Vec<String>, u8)> = pairs_of(primary)
            .into_iter()
            .map(|(words, number)| (tokens(&fold(&words)).into_iter().map(str::to_owned).collect(), number))
            .collect();
        pairs.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        Self { words, pairs, unspaced }
    }

    /// The digits of the number that some words begin with, and the words after it.
    fn pair<'a, 'b>(&self, words: &'b [&'a str]) -> Option<(Vec<u8>, &'b [&'a str])> {
        let begins = |pair: &[String]| {
            pair.len() <= words.len() && pair.iter().zip(words).all(|(one, other)| one == other)
        };
        let (pair, number) = self.pairs.iter().find(|(pair, _)| begins(pair))?;
        Some((vec![number / 10, number % 10], &words[pair.len()..]))
    }

    /// The digits in a run of letters and figures.
    fn read(&self, token: &str) -> Vec<u8> {
        let mut digits = Vec::new();
        let mut rest = token;
        let mut unread = false;
        while let Some(character) = rest.chars().next() {
            if let Some(digit) = decimal_value(character) {
                digits.push(digit);
                rest = &rest[character.len_utf8()..];
            } else if let Some((word, digit)) =
                self.words.iter().find(|(word, _)| rest.starts_with(word.as_str()))
            {
                digits.push(*digit);
                rest = &rest[word.len()..];
            } else {
                unread = true;
                rest = &rest[character.len_utf8()..];
            }
        }
        if unread && !self.unspaced {
            // `someone` names no one: words count whole or joined to each other, figures always.
            return token.chars().filter_map(decimal_value).collect();
        }
        digits
    }
}

fn tokens(folded: &str) -> Vec<&str> {
    folded.split(|character: char| !is_word(character)).filter(|token| !token.is_empty()).collect()
}

/// Compatibility forms, case and the marks that speech recognition writes now and then are folded away.
fn fold(text: &str) -> String {
    text.nfkd().filter(|character| !is_dropped(*character)).flat_map(char::to_lowercase).collect()
}

/// Apostrophes, accents of Latin, Greek and Cyrillic, Arabic vowel signs, hamza and stretching, and characters without
/// width.
const fn is_dropped(character: char) -> bool {
    matches!(character, '\'' | '\u{2019}' | '\u{2BC}' | '\u{300}'..='\u{36F}' | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{640}' | '\u{200B}'..='\u{200F}' | '\u{FEFF}')
}

/// Vowel signs of Indic scripts and Thai are no letters to Unicode, but parts of words.
fn is_word(character: char) -> bool {
    let sign = matches!(character, '\u{900}'..='\u{963}' | '\u{966}'..='\u{DFF}' | '\u{E31}'..='\u{E4E}' | '\u{3099}' | '\u{309A}');
    character.is_alphanumeric() || sign
}

fn repeats(word: &str) -> Option<usize> {
    match word {
        "double" => Some(2),
        "triple" | "treble" => Some(3),
        _ => None,
    }
}

fn without_loop(mut digits: Vec<u8>) -> Vec<u8> {
    if digits.len() > CODE && (CODE..digits.len()).all(|at| digits[at] == digits[at - CODE]) {
        digits.truncate(CODE);
    }
    digits
}

#[cfg(test)]
mod tests {
    use countersign_shared::domain::LANGUAGES;

    use super::*;

    fn read(text: &str, primary: &str) -> String {
        digits_in(text, primary).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn figures_are_read_however_they_are_grouped() {
        for text in [
            "2 1 0 2 0 5",
            " 2, 1, 0, 2, 0, 5.",
            "210205",
            "210-205",
            "2.1.0.2.0.5.",
            "21, 02, 05",
            "２１０２０５",
        ] {
            assert_eq!(read(text, "en"), "210205", "{text}");
        }
    }

    #[test]
    fn figures_of_other_scripts_are_read() {
        assert_eq!(read("๒ ๑ ๐ ๒ ๐ ๕", "th"), "210205");
        assert_eq!(read("२१०२०५", "hi"), "210205");
        assert_eq!(read("٢١٠ ٢٠٥", "ar"), "210205");
    }

    #[test]
    fn words_are_read_in_every_tabled_language() {
        for (primary, text) in [
            ("en", "Two, one, oh, two, zero, five."),
            ("de", "Zwo eins null zwei Null fünf"),
            ("es", "dos, uno, cero, dos, cero, cinco"),
            ("pt", "dois um zero duas zero cinco"),
            ("fr", "deux, un, zéro, deux, zéro, cinq"),
            ("it", "Due uno zero due zero cinque"),
            ("ru", "два один ноль два нуль пять"),
            ("ja", "に、いち、ゼロ、二、れい、ご"),
            ("ko", "이 일 영 이 공 오"),
            ("ko", "이일영이공오"),
            ("zh", "二一零两〇五"),
            ("yue", "二幺零二零五"),
            ("vi", "hai một không hai không lăm"),
            ("th", "สองหนึ่งศูนย์สองศูนย์ห้า"),
            ("hi", "दो एक शून्य दो ज़ीरो पाँच"),
            ("ar", "اثنان واحد صفر إثنين صفر خمسة"),
            ("tr", "iki bir sıfır iki sıfır beş"),
            ("pl", "dwa jeden zero dwa zero pięć"),
            ("nl", "twee één nul twee nul vijf"),
            ("id", "dua satu nol dua kosong lima"),
        ] {
            assert_eq!(read(text, primary), "210205", "{primary}: {text}");
        }
    }

    #[test]
    fn variants_and_accents_are_forgiven() {
        assert_eq!(read("nueve nueve cero séis", "es"), "9906");
        assert_eq!(read("meia dúzia", "pt"), "6");
        assert_eq!(read("छह छः सात", "hi"), "667");
        assert_eq!(read("よん、なな、きゅう、く、しち", "ja"), "47997");
        assert_eq!(read("four five six", "th"), "456");
    }

    #[test]
    fn words_are_mixed_with_figures_and_other_speech() {
        assert_eq!(read("หาก 8 สอง", "th"), "82");
        assert_eq!(read("bin blue at F two now", "en"), "2");
        assert_eq!(read("3に、8、7", "ja"), "3287");
        assert_eq!(read("一つ and 5", "zh"), "15");
    }

    #[test]
    fn doubled_digits_are_doubled() {
        assert_eq!(read("double five, triple two, one", "en"), "552221");
    }

    #[test]
    fn codes_said_in_pairs_are_read() {
        for (primary, text) in [
            ("en", "twenty-three, ninety one, seventeen"),
            ("de", "dreiundzwanzig einundneunzig siebzehn"),
            ("nl", "drieëntwintig eenennegentig zeventien"),
            ("es", "veintitrés noventa y uno diecisiete"),
            ("fr", "vingt-trois, quatre-vingt-onze, dix-sept"),
            ("it", "ventitré novantuno diciassette"),
            ("pt", "vinte e três noventa e um dezessete"),
        ] {
            assert_eq!(read(text, primary), "239117", "{primary}: {text}");
        }
        assert_eq!(read("soixante-dix, soixante et onze, quatre-vingts", "fr"), "707180");
        assert_eq!(read("septante-trois nonante", "fr"), "7390");
        assert_eq!(read("zwanzig, drei", "de"), "203");
        assert_eq!(read("twenty, three", "en"), "203");
    }

    #[test]
    fn words_that_only_contain_a_digit_word_name_none() {
        for text in ["someone", "often", "[Music]", "you", "weight", "before and after", ""] {
            assert_eq!(read(text, "en"), "", "{text}");
        }
    }

    #[test]
    fn a_loop_is_collapsed_to_its_first_six() {
        assert_eq!(read("2 1 0 2 0 5 2 1 0 2 0 5 2 1", "en"), "210205");
        assert_eq!(read("2 1 0 2 0 5 9", "en"), "2102059");
    }

    #[test]
    fn every_accepted_language_has_words_and_each_reads_as_its_digit() {
        for tag in LANGUAGES {
            let primary = tag.split('-').next().expect("a tag has a language");
            let words = words_of(primary).words;
            assert_eq!(words.len(), 10, "{primary} has no words");
            for (digit, variants) in words.iter().enumerate() {
                for word in variants.split(' ') {
                    assert_eq!(digits_in(word, primary), [digit as u8], "{primary}: {word}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".{0,60}") {
            for primary in ["en", "th", "ja", "ar"] {
                assert!(digits_in(&text, primary).iter().all(|digit| *digit < 10));
            }
        }
    }
}
