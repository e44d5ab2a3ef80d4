//! The feature `isa-l`: level 1 by Intel's ISA-L, whose deflate has no match in speed and none of the higher levels' sizes.
//!
//! It does whole chunks behind the same seam as our own encoder, with ISA-L's level 3, its smallest, which is about level
//! 1 in size. docs/PHASES.md has the figures, and why the feature is off by default. Where ISA-L needs more room than a chunk may
//! take, the chunk is our own encoder's.

use crate::error::{Error, Result};
use crate::raw::{Allocator, Buffer, Output};
use core::ffi::c_int;

unsafe extern "C" {
    fn rigz_isal_size() -> usize;
    fn rigz_isal_chunk(
        state: *mut u8,
        window: *const u8,
        window_len: u32,
        len: u32,
        is_last: c_int,
        out: *mut u8,
        room: u32,
    ) -> i64;
}

/// ISA-L's state, which every chunk begins anew.
#[derive(Debug)]
pub struct Encoder {
    state: Buffer,
}

impl Encoder {
    /// A third of a megabyte.
    pub fn new() -> Result<Self> {
        let mut state = Buffer::new(Allocator::SYSTEM);
        // SAFETY: it may always be called.
        state.reserve(unsafe { rigz_isal_size() })?;
        Ok(Self { state })
    }

    /// Appends `data[window_len..]`, compressed, to `out`; false, and nothing appended, when its room does not suffice.
    /// The chunk ends with a final block if it `is_last`, else with an empty stored one.
    pub fn encode(
        &mut self,
        data: &[u8],
        window_len: usize,
        is_last: bool,
        out: &mut Output<'_>,
    ) -> Result<bool> {
        let (window, len) = (&data[..window_len], data.len() - window_len);
        let narrow = |n: usize| u32::try_from(n).map_err(|_| Error::Stream);
        let (window_len, len) = (narrow(window.len())?, narrow(len)?);
        let mut written = 0;
        self.state.clear();
        self.state.append(|state| {
            let spare = out.spare();
            let (to, room) = (spare.as_mut_ptr().cast(), u32::try_from(spare.len()).unwrap_or(u32::MAX));
            let state = state.spare().as_mut_ptr().cast();
            // SAFETY: `state` has the size that was asked for and malloc's alignment; `data` holds the window and as many bytes
            // behind it; `to` has `room` bytes.
            written = unsafe {
                rigz_isal_chunk(state, data.as_ptr(), window_len, len, c_int::from(is_last), to, room)
            };
        });
        let Ok(count) = usize::try_from(written) else { return Ok(false) };
        // SAFETY: so many bytes were written from the start of the free room.
        unsafe { out.advance(count) };
        Ok(true)
    }
}
