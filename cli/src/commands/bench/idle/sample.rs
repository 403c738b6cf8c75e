//! What the service holds at one moment.

use std::path::{Path, PathBuf};
use std::time::Instant;

use countersign_shared::telemetry::metrics::Page;
use serde::Serialize;

use crate::commands::bench::process;

/// Sizes in bytes, times in seconds since the first sample.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sample {
    pub(super) seconds: f64,
    pub(super) jobs: usize,
    pub(super) resident: u64,
    pub(super) threads: usize,
    pub(super) open_files: usize,
    /// Files in the data folder: rows, media, what is on its way.
    pub(super) files_kept: usize,
    pub(super) queued: u64,
    /// Processor time of the process so far.
    pub(super) processor: f64,
}

pub(super) struct Sampler {
    page: Page,
    folder: PathBuf,
    started: Instant,
}

impl Sampler {
    pub(super) fn new(page: Page, folder: PathBuf) -> Self {
        Self { page, folder, started: Instant::now() }
    }

    pub(super) fn take(&self, jobs: usize) -> anyhow::Result<Sample> {
        Ok(Sample {
            seconds: self.started.elapsed().as_secs_f64(),
            jobs,
            resident: process::resident_bytes()?,
            threads: process::threads()?,
            open_files: process::open_files()?,
            files_kept: files(&self.folder),
            queued: queued(&self.page.render()),
            processor: process::processor_time()?.as_secs_f64(),
        })
    }
}

/// Those that vanish meanwhile are not there.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()),
            Ok(_) => 1,
            Err(_) => 0,
        })
        .sum()
}

/// Jobs in every lane, as the metrics page says.
fn queued(page: &str) -> u64 {
    page.lines()
        .filter_map(|line| {
            line.strip_prefix("countersign_queue_depth{")?.rsplit_once(' ')?.1.parse::<u64>().ok()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lanes_are_counted_together() {
        let page = "# TYPE countersign_queue_depth gauge\n\
                    countersign_queue_depth{lane=\"photo.batch\"} 3\n\
                    countersign_queue_depth{lane=\"video.batch\"} 4\n";
        assert_eq!(queued(page), 7);
    }
}
