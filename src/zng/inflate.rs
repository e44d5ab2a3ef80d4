//! A decompressor by zlib-ng: raw, zlib, gzip or detected, and the call-back form.

use super::{Stream, done, outcome, sys};
use crate::error::{Error, Result, Status};
use crate::raw::{Allocator, Buffer, Output};
use core::ffi::{CStr, c_int, c_uchar, c_void};

/// A decompressor.
#[derive(Debug)]
pub struct Inflate {
    stream: Stream,
}

impl Inflate {
    /// A decompressor at the start of a stream; `window_bits` as `inflateInit2()` takes it.
    pub fn new(window_bits: i32, allocator: Allocator) -> Result<Self> {
        let stream = Stream::new(allocator)?;
        // SAFETY: the stream is zeroed but for its allocator, as zlib-ng's init wants it.
        done(unsafe { sys::zng_inflateInit2(stream.as_ptr(), window_bits) })?;
        Ok(Self { stream })
    }

    /// `inflate()` of the zlib manual; `flush` is zlib's number.
    pub fn inflate(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: i32) -> Result<Status> {
        outcome(self.stream.exchange(input, output, |strm| {
            // SAFETY: the stream is initialised and its buffers are lent for this call.
            unsafe { sys::zng_inflate(strm, flush) }
        }))
    }

    /// `inflateReset()`.
    pub fn reset(&mut self) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_inflateReset(self.stream.as_ptr()) })
    }

    /// `inflateReset2()`.
    pub fn reset2(&mut self, window_bits: i32) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_inflateReset2(self.stream.as_ptr(), window_bits) })
    }

    /// `inflateResetKeep()`.
    pub fn reset_keep(&mut self) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_inflateResetKeep(self.stream.as_ptr()) })
    }

    /// `inflatePrime()`.
    pub fn prime(&mut self, bits: i32, value: i32) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_inflatePrime(self.stream.as_ptr(), bits, value) })
    }

    /// `inflateMark()`.
    pub fn mark(&self) -> isize {
        // SAFETY: the stream is initialised.
        unsafe { sys::zng_inflateMark(self.stream.as_ptr()) }
    }

    /// `inflateSync()`: skips to a full flush point.
    pub fn sync(&mut self, input: &mut &[u8]) -> Result<()> {
        let mut none = Output::new(&mut []);
        done(self.stream.exchange(input, &mut none, |strm| {
            // SAFETY: the stream is initialised and its input is lent for this call.
            unsafe { sys::zng_inflateSync(strm) }
        }))
    }

    /// `inflateSyncPoint()`: whether the decoder stands at a flush marker.
    pub fn is_sync_point(&self) -> bool {
        // SAFETY: the stream is initialised.
        unsafe { sys::zng_inflateSyncPoint(self.stream.as_ptr()) == 1 }
    }

    /// `inflateSetDictionary()`.
    pub fn set_dictionary(&mut self, dictionary: &[u8]) -> Result<()> {
        let len = u32::try_from(dictionary.len()).map_err(|_| Error::Stream)?;
        // SAFETY: the stream is initialised and `dictionary` is readable.
        done(unsafe { sys::zng_inflateSetDictionary(self.stream.as_ptr(), dictionary.as_ptr(), len) })
    }

    /// The history, at most 32 KiB, in memory of `allocator`.
    pub fn dictionary(&self, allocator: Allocator) -> Result<Buffer> {
        super::history(allocator, |place, len| {
            // SAFETY: the stream is initialised; zlib-ng writes at most 32 KiB, which `place` has room for.
            unsafe { sys::zng_inflateGetDictionary(self.stream.as_ptr(), place, len) }
        })
    }

    /// `inflateGetHeader()`: the gzip header goes to `head` as later calls meet it.
    ///
    /// # Safety
    /// - `head` is null or C's `gz_header`, whose buffers stay writable until the header is complete or the stream is
    ///   reset or ended.
    pub unsafe fn header_to(&mut self, head: *mut c_void) -> Result<()> {
        // SAFETY: zlib-ng's `gz_header` has zlib's layout (asserted in `capi::types`); the caller vouches for `head`.
        done(unsafe { sys::zng_inflateGetHeader(self.stream.as_ptr(), head.cast()) })
    }

    /// `inflateUndermine()`.
    pub fn undermine(&mut self, subvert: i32) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_inflateUndermine(self.stream.as_ptr(), subvert) })
    }

    /// `inflateValidate()`.
    pub fn validate(&mut self, check: bool) -> Result<()> {
        // SAFETY: the stream is initialised.
        done(unsafe { sys::zng_inflateValidate(self.stream.as_ptr(), c_int::from(check)) })
    }

    /// `inflateCodesUsed()`.
    pub fn codes_used(&self) -> u64 {
        // SAFETY: the stream is initialised.
        unsafe { sys::zng_inflateCodesUsed(self.stream.as_ptr()) }
    }

    /// A decompressor in the same state, to go on apart.
    pub fn try_clone(&self) -> Result<Self> {
        let stream = Stream::new(self.stream.allocator)?;
        // SAFETY: the source is initialised, the destination is a stream's memory.
        done(unsafe { sys::zng_inflateCopy(stream.as_ptr(), self.stream.as_ptr()) })?;
        Ok(Self { stream })
    }

    /// The check value of the output so far, or the wanted dictionary's at `NeedDictionary`.
    pub fn check(&self) -> u32 {
        self.stream.get().adler
    }

    /// The bit position and block flags that `Z_BLOCK` users read.
    pub fn data_type(&self) -> i32 {
        self.stream.get().data_type
    }

    /// zlib's text for the last error.
    pub fn message(&self) -> Option<&'static CStr> {
        message(&self.stream)
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        // SAFETY: the stream is initialised; ending it frees zlib-ng's state, then `Stream` frees itself.
        unsafe { sys::zng_inflateEnd(self.stream.as_ptr()) };
    }
}

fn message(stream: &Stream) -> Option<&'static CStr> {
    let text = stream.get().msg;
    // SAFETY: zlib-ng sets `msg` to string literals only.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

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
        message(&self.stream)
    }
}

impl Drop for Back {
    fn drop(&mut self) {
        // SAFETY: the stream is initialised.
        unsafe { sys::zng_inflateBackEnd(self.stream.as_ptr()) };
    }
}
