//! How the C library hands out memory, to the native libraries and to us.
#![expect(unsafe_code, reason = "no crate wraps the call")]

/// glibc gives up to eight arenas a core to threads that allocate at the same time, and what is freed in one serves no
/// other. A worker has dozens of threads of which as many work as there are cores: two arenas hold a sixth less memory,
/// at the same speed (docs/performance.md).
const ARENAS: libc::c_int = 2;

/// Once, before the process has a second thread. `MALLOC_ARENA_MAX`, where it is set, stands.
pub(crate) fn share_arenas() {
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        #[cfg(target_env = "gnu")]
        // SAFETY: sets one number of the allocator, which reads it when a thread allocates for the first time.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, ARENAS);
        }
    }
}
