//! Which of SQLite's errors pass by themselves.

/// The primary result codes for busy, locked, an I/O error, a full disk, a file that can't be opened for want of
/// descriptors.
const PASSING: [u32; 5] = [5, 6, 10, 13, 14];

pub(in crate::store) fn passes(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| PASSING.contains(&(code & 0xFF)))
}
