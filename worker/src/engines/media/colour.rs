//! The two calls to FFmpeg that have no safe wrapper: the colours of a conversion, and the largest allocation.
#![expect(unsafe_code, reason = "ffmpeg-next wraps neither call")]

use ffmpeg_next::color::{Range, Space};
use ffmpeg_next::ffi;
use ffmpeg_next::software::scaling;

/// Nine million pixels of 16 bytes, the widest format, and some: no honest block is larger. Headers that are read
/// before a limit on pixels applies can claim more.
const LARGEST_ALLOCATION: usize = 160 << 20;

/// Heights from which a picture of unknown origin is taken to be in the colours of high definition.
const HIGH_DEFINITION_LINES: u32 = 720;

/// Refuses FFmpeg, in this whole process, single blocks of memory that are too large.
pub(super) fn bound_allocations() {
    // SAFETY: sets one number; allocations that run at the same time see the old or the new one.
    unsafe { ffi::av_max_alloc(LARGEST_ALLOCATION) }
}

/// Tells a conversion to full-range RGB which YUV its source is in.
pub(super) fn set_source(context: &mut scaling::Context, space: Space, range: Range, height: u32) {
    let matrix = match space {
        Space::BT709 => ffi::SWS_CS_ITU709,
        Space::BT2020NCL | Space::BT2020CL => ffi::SWS_CS_BT2020,
        Space::SMPTE240M => ffi::SWS_CS_SMPTE240M,
        Space::FCC => ffi::SWS_CS_FCC,
        Space::Unspecified if height >= HIGH_DEFINITION_LINES => ffi::SWS_CS_ITU709,
        _ => ffi::SWS_CS_ITU601,
    };
    let full = i32::from(range == Range::JPEG);
    let (neutral, one) = (0, 1 << 16);
    // SAFETY: the context is alive and borrowed exclusively; the tables are constants of the library. The call fails
    // for sources that are RGB already, which need no matrix.
    unsafe {
        ffi::sws_setColorspaceDetails(
            context.as_mut_ptr(),
            ffi::sws_getCoefficients(matrix),
            full,
            ffi::sws_getCoefficients(ffi::SWS_CS_DEFAULT),
            1,
            neutral,
            one,
            one,
        );
    }
}
