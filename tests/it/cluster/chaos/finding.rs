//! One line of the account.

use std::fmt;

/// Something that was counted, and what it has to be, where it has to be something.
pub(super) struct Finding {
    what: &'static str,
    count: u64,
    expected: Option<u64>,
    detail: String,
}

impl Finding {
    pub(super) fn noted(what: &'static str, count: u64) -> Self {
        Self { what, count, expected: None, detail: String::new() }
    }

    pub(super) fn must(what: &'static str, count: u64, expected: u64) -> Self {
        Self { expected: Some(expected), ..Self::noted(what, count) }
    }

    pub(super) fn because(self, detail: String) -> Self {
        Self { detail, ..self }
    }

    pub(super) fn holds(&self) -> bool {
        self.expected.is_none_or(|expected| self.count == expected)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:<48} {}", self.what, self.count)?;
        match self.expected {
            Some(_) if self.holds() => formatter.write_str("  ok"),
            Some(expected) => write!(formatter, "  and not {expected} {}", self.detail),
            None => Ok(()),
        }
    }
}
