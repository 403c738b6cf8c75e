//! The memory of pictures that were looked at, for those that come next: the system would make each anew, page by page.

use std::sync::{Mutex, PoisonError};

/// Two pictures of a job each on two permits.
const BUFFERS: usize = 4;
/// A larger picture's memory goes back to the system.
const BYTES_MAX: usize = 8 << 20;

static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// So many zeros: nothing is left of what the memory held.
pub(super) fn take(length: usize) -> Vec<u8> {
    let spare = || {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        let large_enough = spare.iter().position(|buffer| buffer.capacity() >= length)?;
        Some(spare.swap_remove(large_enough))
    };
    let Some(mut buffer) = spare() else { return vec![0; length] };
    buffer.clear();
    buffer.resize(length, 0);
    buffer
}

/// For a later picture. Of more than are kept the smallest goes, or those of small pictures would stay for ever.
pub(super) fn give(buffer: Vec<u8>) {
    if buffer.capacity() > BYTES_MAX {
        return;
    }
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    spare.push(buffer);
    if spare.len() > BUFFERS {
        spare.sort_unstable_by_key(Vec::capacity);
        spare.swap_remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_holds_nothing_of_the_picture_before() {
        let before = vec![7_u8; BYTES_MAX - 1];
        let place = before.as_ptr();
        give(before);
        let after = take(BYTES_MAX - 2);
        assert_eq!((after.as_ptr(), after.len()), (place, BYTES_MAX - 2));
        assert!(after.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn neither_large_nor_many_buffers_are_kept() {
        give(vec![7; BYTES_MAX + 1]);
        (0..=BUFFERS).for_each(|_| give(vec![7; 10]));
        give(vec![7; BYTES_MAX / 2]);
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(spare.len() <= BUFFERS && spare.iter().all(|buffer| buffer.capacity() <= BYTES_MAX));
        assert!(
            spare.iter().any(|buffer| buffer.capacity() == BYTES_MAX / 2),
            "larger than those that were kept"
        );
    }
}
