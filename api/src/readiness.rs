//! Whether the process can do its work: told by whoever loads the models, shown at `/readyz`.

/// Where the process stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Models are loading or a dependency is not there yet.
    Starting,
    Ready,
    /// Running work is being finished; nothing new is taken.
    Stopping,
}

impl Readiness {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Stopping => "stopping",
        }
    }
}
