//! Pairs: numbers from ten to ninety-nine in words, in the languages in which people say a code two digits at a time.

/// How a language puts tens and units together.
struct Numbers {
    /// Ten to nineteen.
    teens: [&'static str; 10],
    /// Twenty, thirty, to ninety.
    tens: [&'static str; 8],
    /// One to nine, as they stand in a number.
    units: [&'static str; 9],
    join: fn(&str, &str, usize) -> String,
}

/// Every number of two digits that the language names in words, with the words.
pub(super) fn pairs_of(primary: &str) -> Vec<(String, u8)> {
    let Some(numbers) = numbers_of(primary) else { return Vec::new() };
    let mut pairs: Vec<(String, u8)> =
        numbers.teens.iter().zip(10..).map(|(words, value)| ((*words).to_owned(), value)).collect();
    for (tens, base) in numbers.tens.iter().zip((20..=90).step_by(10)) {
        pairs.push(((*tens).to_owned(), base));
        for (unit, value) in numbers.units.iter().zip(1..) {
            pairs.push(((numbers.join)(tens, unit, usize::from(value)), base + value));
        }
    }
    if primary == "fr" {
        french_above_sixty(&mut pairs, &numbers);
    }
    pairs
}

/// Seventy is sixty and ten, ninety is four times twenty and ten; Belgium's and Switzerland's names stay too.
fn french_above_sixty(pairs: &mut Vec<(String, u8)>, numbers: &Numbers) {
    for (teen, value) in numbers.teens.iter().zip(0..) {
        let and = if value == 1 { " et " } else { " " };
        pairs.push((format!("soixante{and}{teen}"), 70 + value));
        pairs.push((format!("quatre vingt {teen}"), 90 + value));
    }
    pairs.push(("quatre vingts".to_owned(), 80));
    pairs.push(("quatre vingt un".to_owned(), 81));
}

fn numbers_of(primary: &str) -> Option<Numbers> {
    let spaced = |tens: &str, unit: &str, _: usize| format!("{tens} {unit}");
    Some(match primary {
        "de" => Numbers {
            teens: words("zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"),
            tens: words("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig"),
            units: words("ein zwei drei vier fünf sechs sieben acht neun"),
            join: |tens, unit, _| format!("{unit}und{tens}"),
        },
        "en" => Numbers {
            teens: words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
            tens: words("twenty thirty forty fifty sixty seventy eighty ninety"),
            units: words("one two three four five six seven eight nine"),
            join: spaced,
        },
        "es" => Numbers {
            teens: words("diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve"),
            tens: words("veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa"),
            units: words("uno dos tres cuatro cinco seis siete ocho nueve"),
            join: |tens, unit, _| match tens {
                "veinte" => format!("veinti{unit}"),
                _ => format!("{tens} y {unit}"),
            },
        },
        "fr" => Numbers {
            teens: words("dix onze douze treize quatorze quinze seize dix_sept dix_huit dix_neuf"),
            tens: words("vingt trente quarante cinquante soixante septante quatre_vingt nonante"),
            units: words("un deux trois quatre cinq six sept huit neuf"),
            join: |tens, unit, value| match value {
                1 => format!("{tens} et {unit}"),
                _ => format!("{tens} {unit}"),
            },
        },
        "it" => Numbers {
            teens: words(
                "dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove",
            ),
            tens: words("venti trenta quaranta cinquanta sessanta settanta ottanta novanta"),
            units: words("uno due tre quattro cinque sei sette otto nove"),
            join: |tens, unit, value| match value {
                1 | 8 => format!("{}{unit}", &tens[..tens.len() - 1]),
                _ => format!("{tens}{unit}"),
            },
        },
        "nl" => Numbers {
            teens: words("tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien"),
            tens: words("twintig dertig veertig vijftig zestig zeventig tachtig negentig"),
            units: words("een twee drie vier vijf zes zeven acht negen"),
            join: |tens, unit, _| format!("{unit}en{tens}"),
        },
        "pt" => Numbers {
            teens: words("dez onze doze treze quatorze quinze dezesseis dezessete dezoito dezenove"),
            tens: words("vinte trinta quarenta cinquenta sessenta setenta oitenta noventa"),
            units: words("um dois três quatro cinco seis sete oito nove"),
            join: |tens, unit, _| format!("{tens} e {unit}"),
        },
        _ => return None,
    })
}

/// `_` stands for a space inside a name.
fn words<const N: usize>(text: &'static str) -> [&'static str; N] {
    let mut names = text.split(' ');
    std::array::from_fn(|_| names.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_two_digits_has_words() {
        for primary in ["de", "en", "es", "fr", "it", "nl", "pt"] {
            let pairs = pairs_of(primary);
            for number in 10..100 {
                assert!(
                    pairs.iter().any(|(words, value)| *value == number && !words.is_empty()),
                    "{primary}"
                );
            }
        }
    }
}
