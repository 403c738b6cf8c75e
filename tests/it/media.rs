//! The sample media that `scripts/fixtures` makes; `tests/fixtures/README.md` says what each is.

use std::path::{Path, PathBuf};

/// What is spoken in `video.mp4`.
pub(crate) const DIGITS: &str = "492817";

/// The checkout.
pub(crate) fn checkout() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A sample file by name.
pub(crate) fn path(name: &str) -> PathBuf {
    let path = checkout().join(".countersign/fixtures").join(name);
    assert!(path.is_file(), "{} is missing: run scripts/fixtures", path.display());
    path
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(name)).expect("the sample can be read")
}
