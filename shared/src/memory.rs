//! How the C library hands out memory, to the native libraries and to us.
#![expect(unsafe_code, reason = "no crate wraps the calls")]

/// glibc gives up to eight arenas a core to threads that allocate at the same time, and what is freed in one serves no
/// other. A worker has dozens of threads of which as many work as there are cores: two arenas hold a sixth less memory,
/// at the same speed (docs/performance.md).
const ARENAS: libc::c_int = 2;

/// The size from which freed memory goes back to the system at once. glibc raises it by itself, up to 32 MiB, and what loading a
/// model needed for a moment would stay.
const MAPPED: libc::c_int = 1 << 20;

/// Once, before the process has a second thread. `MALLOC_ARENA_MAX` and `MALLOC_MMAP_THRESHOLD_`, where they are set, stand.
pub(crate) fn keep_little() {
    #[cfg(target_env = "gnu")]
    for (setting, number, value) in [
        ("MALLOC_ARENA_MAX", libc::M_ARENA_MAX, ARENAS),
        ("MALLOC_MMAP_THRESHOLD_", libc::M_MMAP_THRESHOLD, MAPPED),
    ] {
        if std::env::var_os(setting).is_none() {
            // SAFETY: sets one number of the allocator, which no other thread can be reading yet.
            unsafe {
                libc::mallopt(number, value);
            }
        }
    }
}

/// Gives back to the system what is free, after something large was loaded.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: looks through what is free, behind the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}
