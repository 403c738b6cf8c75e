//! One arena for the sessions of all models on a CPU: what one model's run gives back, the next one's takes. Each job runs its
//! models one after another, so that jobs at the same time need the largest model's memory each, not all models'.
#![expect(unsafe_code, reason = "ort does not wrap the call")]

use std::ptr;

use ort::AsPointer;
use ort::environment::Environment;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};

use super::{EngineError, failed};

/// Gives the environment an arena, for sessions that are built with the environment's allocators. Once in a process.
pub(super) fn share(environment: &Environment) -> Result<(), EngineError> {
    let memory = MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Arena, MemoryType::Default);
    let memory = memory.map_err(failed)?;
    let register = ort::api().CreateAndRegisterAllocator;
    // SAFETY: both live through the call, which copies the description; null asks for the usual settings of an arena. The status
    // is freed where it becomes a result.
    unsafe {
        let status = register(environment.ptr().cast_mut(), memory.ptr(), ptr::null());
        ort::Error::result_from_status(status).map_err(failed)
    }
}
