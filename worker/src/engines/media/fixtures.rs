//! Clips for the tests, made by the ffmpeg program; tests that need it say so and pass when it is absent.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::MediaLimits;

pub(crate) fn limits() -> MediaLimits {
    MediaLimits {
        image_pixels: 50_000_000,
        image_side: 2048,
        video_pixels: 9_000_000,
        video_side: 960,
        video_duration: Duration::from_mins(1),
        video_frames: 7200,
        decode_time: Duration::from_secs(30),
    }
}

/// A file that `ffmpeg ARGUMENTS NAME` writes, in a folder that lives as long as the answer; `None`, loudly, without
/// the program.
pub(crate) fn clip(name: &str, arguments: &str) -> Option<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments.split_whitespace())
        .arg(&path)
        .stdin(Stdio::null())
        .output();
    match run {
        Err(_) => {
            writeln!(std::io::stderr(), "SKIPPED: the ffmpeg program is not installed").expect("stderr");
            None
        }
        Ok(output) => {
            assert!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
            Some((folder, path))
        }
    }
}
