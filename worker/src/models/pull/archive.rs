//! One file out of a wheel or a tarball.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::GzDecoder;

use super::FetchError;

/// Copies the member to `to`, at most one byte more than `limit`, so that a longer one shows in its size.
pub(super) fn extract(archive: &Path, member: &str, limit: u64, to: &Path) -> Result<(), FetchError> {
    let packed = |error: &dyn std::fmt::Display| FetchError::Package(error.to_string());
    let file = File::open(archive)?;
    let name = archive.to_string_lossy();
    if name.ends_with(".whl") || name.ends_with(".zip") {
        let mut zip = zip::ZipArchive::new(file).map_err(|error| packed(&error))?;
        let mut entry = zip.by_name(member).map_err(|_| FetchError::NoMember(member.to_owned()))?;
        return copy(&mut entry, limit, to);
    }
    let mut tar = tar::Archive::new(GzDecoder::new(file));
    for entry in tar.entries().map_err(|error| packed(&error))? {
        let mut entry = entry.map_err(|error| packed(&error))?;
        let found = entry.path().map_err(|error| packed(&error))? == Path::new(member);
        if found && entry.header().entry_type().is_file() {
            return copy(&mut entry, limit, to);
        }
    }
    Err(FetchError::NoMember(member.to_owned()))
}

fn copy(entry: &mut impl Read, limit: u64, to: &Path) -> Result<(), FetchError> {
    io::copy(&mut entry.take(limit + 1), &mut File::create(to)?)?;
    Ok(())
}
