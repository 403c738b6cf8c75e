//! What a pull tells while it works.

/// Something happened to a model, or to the whole pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Another pull works in the same folder; this one begins when it ends. The model's name is empty.
    Waiting,
    /// It is there already.
    Present,
    Trying {
        source: &'a str,
    },
    /// So much of the current piece is here; the total is of that piece, not known for a package.
    Fetched {
        bytes: u64,
        total: Option<u64>,
    },
    Failed {
        source: &'a str,
        reason: &'a str,
    },
    /// Pieces are joined or converted, and verified.
    Building,
    Installed,
}

/// Whoever shows the progress.
pub trait Progress: Send + Sync {
    fn tell(&self, model: &str, step: Step<'_>);
}
