//! The call-back decompressor by zlib-ng.

use super::{Stream, done, outcome, sys};
use crate::error::{Result, Status};
use crate::raw::Allocator;
use core::ffi::{CStr, c_int, c_uchar, c_void};

/// The call-back decompressor, `inflateBack()`.
#[derive(Debug)]
pub struct Back {
    stream: Stream,
}

impl Back {
    /// A decoder of raw streams that keeps its history in the caller's `window` of `1 << window_bits` bytes.
    ///
    /// # Safety
    /// - `window` stays valid for reads and writes of that size while this value lives.
    pub unsafe fn new(window_bits: i32, window: *mut u8, allocator: Allocator) -> Result<Self> {
        let stream = Stream::new(allocator)?;
        // SAFETY: the stream is zeroed but for its allocator; the caller vouches for the window.
        done(unsafe { sys::zng_inflateBackInit(stream.as_ptr(), window_bits, window) })?;
        Ok(Self { stream })
    }

    /// Decodes one raw stream. `input` is what is at hand at first, and becomes what is left over.
    ///
    /// # Safety
    /// - `read` and `write` keep zlib's contract for `in_func` and `out_func` with their arguments.
    /// - `input` points at the first bytes and their number.
    pub unsafe fn run(
        &mut self,
        input: &mut (*const u8, u32),
        read: (unsafe extern "C" fn(*mut c_void, *mut *const c_uchar) -> u32, *mut c_void),
        write: (unsafe extern "C" fn(*mut c_void, *mut c_uchar, u32) -> c_int, *mut c_void),
    ) -> Result<Status> {
        let strm = self.stream.get_mut();
        (strm.next_in, strm.avail_in) = (input.0.cast_mut(), input.1);
        // SAFETY: the stream is initialised by `inflateBackInit`; the caller vouches for the call-backs.
        let code = unsafe { sys::zng_inflateBack(self.stream.as_ptr(), read.0, read.1, write.0, write.1) };
        let strm = self.stream.get();
        *input = (strm.next_in, strm.avail_in);
        outcome(code)
    }

    /// zlib's text for the last error.
    pub fn message(&self) -> Option<&'static CStr> {
        let text = self.stream.get().msg;
        // SAFETY: zlib-ng sets `msg` to string literals only.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
    }
}

impl Drop for Back {
    fn drop(&mut self) {
        // SAFETY: the stream is initialised.
        unsafe { sys::zng_inflateBackEnd(self.stream.as_ptr()) };
    }
}
