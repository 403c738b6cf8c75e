//! The two multipart headers that matter, read leniently: clients send any file name in any encoding.

/// A part's `Content-Disposition`, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Disposition {
    pub(super) name: String,
    pub(super) is_file: bool,
}

impl Disposition {
    /// `None` without `form-data` or a name. A file's name is never looked at, whatever it holds.
    pub(super) fn parse(header: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(header);
        let (kind, parameters) = text.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return None;
        }
        let (mut name, mut is_file) = (None, false);
        for (key, value) in Parameters(parameters) {
            match key.to_ascii_lowercase().as_str() {
                "name" if name.is_none() => name = Some(value),
                "filename" | "filename*" => is_file = true,
                _ => {}
            }
        }
        Some(Self { name: name?, is_file })
    }
}

/// The boundary of a `multipart/form-data` content type; `None` for anything else.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    Parameters(parameters)
        .find(|(key, _)| key.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value)
        .filter(|boundary| (1..=200).contains(&boundary.len()) && boundary.is_ascii())
}

/// `key=value; key="quoted \" value"`.
struct Parameters<'a>(&'a str);

impl Iterator for Parameters<'_> {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim_start_matches([';', ' ', '\t']);
        let (key, rest) = text.split_once('=')?;
        let rest = rest.trim_start();
        let (value, rest) = rest.strip_prefix('"').map_or_else(|| bare(rest), unquote);
        self.0 = rest;
        Some((key.trim().to_owned(), value))
    }
}

/// The text up to the next parameter, and what follows it.
fn bare(text: &str) -> (String, &str) {
    let end = text.find(';').unwrap_or(text.len());
    (text[..end].trim_end().to_owned(), &text[end..])
}

/// The text up to the closing quote, and what follows it.
fn unquote(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(header: &[u8]) -> Option<(String, bool)> {
        Disposition::parse(header).map(|disposition| (disposition.name, disposition.is_file))
    }

    #[test]
    fn any_file_name_is_accepted() {
        for file_name in [
            &b"filename=\"a;name=\\\"x\\\".jpg\""[..],
            b"filename=\"\xE0\xB8\x9A\xE0\xB8\xB1.jpg\"",
            b"filename=\"\xFF\xFE\"",
            b"filename*=utf-8''na%C3%AFve.jpg",
            b"filename*=broken",
            b"filename=\"\"",
            b"filename=C:\\photos\\me.jpg",
            b"filename=\"unclosed",
        ] {
            let header = [b"form-data; name=\"photo\"; ", file_name].concat();
            assert_eq!(parsed(&header), Some(("photo".to_owned(), true)), "{file_name:?}");
        }
    }

    #[test]
    fn a_name_without_quotes_or_a_file_name_is_accepted() {
        assert_eq!(parsed(b"form-data; name=api_key"), Some(("api_key".to_owned(), false)));
        assert_eq!(parsed(b"Form-Data;name = \"photo\" ;x=y"), Some(("photo".to_owned(), false)));
    }

    #[test]
    fn a_part_without_a_name_is_refused() {
        assert_eq!(parsed(b"form-data; filename=\"name=photo\""), None);
        assert_eq!(parsed(b"attachment; name=\"photo\""), None);
        assert_eq!(parsed(b"form-data"), None);
    }

    #[test]
    fn a_boundary_is_found_quoted_or_not() {
        for (content_type, found) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data; charset=utf-8; Boundary=\"a b:c\"", Some("a b:c")),
            ("multipart/form-data; boundary=----=_Part_1;", Some("----=_Part_1")),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=abc", None),
            ("application/json", None),
            ("multipart/form-data; boundary=", None),
        ] {
            assert_eq!(boundary(content_type).as_deref(), found, "{content_type}");
        }
    }
}
