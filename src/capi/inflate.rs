//! Streaming decompression.

use super::boundary::*;
use super::types::code::*;
use super::types::{gz_header, uInt, uLong, z_stream};
use crate::error::{Error, Result};
use crate::stream::inflate::{HeaderPart, InflateStream};
use core::ffi::{c_char, c_int, c_long, c_ulong};
use core::ptr::NonNull;

versions! {
    "ZLIB_1.2.0": inflateCopy;
    "ZLIB_1.2.2": inflateGetHeader;
    "ZLIB_1.2.2.4": inflatePrime;
    "ZLIB_1.2.3.3": inflateUndermine;
    "ZLIB_1.2.3.4": inflateMark inflateReset2;
    "ZLIB_1.2.5.2": inflateResetKeep;
    "ZLIB_1.2.7.1": inflateGetDictionary;
    "ZLIB_1.2.9": inflateCodesUsed inflateValidate;
}

/// A decompressing stream and the program's struct for its gzip header.
struct Inflate {
    stream: InflateStream,
    header: HeaderSink,
}

/// The program's `gz_header`, or null, and how much of the current name or comment was stored in it.
#[derive(Clone, Copy)]
struct HeaderSink {
    head: *mut gz_header,
    stored: usize,
}

impl HeaderSink {
    const NONE: Self = Self { head: core::ptr::null_mut(), stored: 0 };

    /// Stores a part of the header that is being read.
    ///
    /// # Safety
    /// - The struct is valid, its buffers null or as large as their `max` fields say.
    unsafe fn note(&mut self, part: HeaderPart<'_>) {
        // SAFETY: the caller guarantees that the struct is valid, if there is one.
        let Some(head) = (unsafe { self.head.as_mut() }) else { return };
        match part {
            HeaderPart::NotGzip => head.done = -1,
            HeaderPart::Text(text) => head.text = c_int::from(text),
            HeaderPart::Time(time) => head.time = uLong::from(time),
            HeaderPart::Origin { extra_flags, system } => {
                (head.xflags, head.os) = (c_int::from(extra_flags), c_int::from(system));
            }
            HeaderPart::ExtraLen(Some(len)) => head.extra_len = uInt::from(len),
            HeaderPart::ExtraLen(None) => head.extra = core::ptr::null_mut(),
            HeaderPart::Extra { left, bytes } => {
                // The program may have changed `extra_len` since we set it; zlib trusts it too, and still stays within
                // the room.
                let at = head.extra_len.wrapping_sub(left as uInt) as usize;
                // SAFETY: the caller guarantees that the buffer is null or as large as its `max` field says.
                unsafe { fill(head.extra, head.extra_max, at, bytes) };
            }
            HeaderPart::NoName => head.name = core::ptr::null_mut(),
            // SAFETY: the caller guarantees that the buffer is null or as large as its `max` field says.
            HeaderPart::Name(bytes) => unsafe { self.note_text(head.name, head.name_max, bytes) },
            HeaderPart::NoComment => head.comment = core::ptr::null_mut(),
            // SAFETY: the caller guarantees that the buffer is null or as large as its `max` field says.
            HeaderPart::Comment(bytes) => unsafe { self.note_text(head.comment, head.comm_max, bytes) },
            HeaderPart::End { had_crc } => (head.hcrc, head.done) = (c_int::from(had_crc), 1),
        }
    }

    /// Stores the next bytes of a name or comment.
    ///
    /// # Safety
    /// - `field` is null or has `room` writable bytes.
    unsafe fn note_text(&mut self, field: *mut u8, room: uInt, bytes: &[u8]) {
        // SAFETY: the caller's promise.
        unsafe { fill(field, room, self.stored, bytes) };
        let room = if field.is_null() { 0 } else { (room as usize).saturating_sub(self.stored) };
        self.stored = if bytes.last() == Some(&0) { 0 } else { self.stored + bytes.len().min(room) };
    }
}

/// The state of a decompressing stream, or `$error` from the calling function.
macro_rules! stream {
    ($strm:expr, $error:expr) => {{
        // SAFETY: the program's `z_stream` is null or valid, its state null or one of ours.
        match unsafe { state::<Inflate>($strm, Kind::Inflate) } {
            Some(state) => state.parts(),
            None => return $error,
        }
    }};
}

/// Copies `bytes` to `field` from `at` on, as far as there is room.
///
/// # Safety
/// - `field` is null or has `room` writable bytes.
unsafe fn fill(field: *mut u8, room: uInt, at: usize, bytes: &[u8]) {
    let count = bytes.len().min((room as usize).saturating_sub(at));
    if !field.is_null() && count > 0 {
        // SAFETY: `at + count` is at most `room`, which the caller guarantees.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), field.wrapping_add(at), count) };
    }
}

/// Initializes `strm` for decompression of a zlib stream. The caller sets `zalloc`, `zfree` and
/// `opaque` first; null functions select the default allocator. C programs call the macro
/// `inflateInit`, which passes `version` and `stream_size`. The stream owns memory until
/// `inflateEnd`.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: `strm` is null; `Z_MEM_ERROR`: no memory; `Z_VERSION_ERROR`: `version`
/// or `stream_size` does not match this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateInit_(
    strm: *mut z_stream,
    version: *const c_char,
    stream_size: c_int,
) -> c_int {
    // SAFETY: the same contract.
    unsafe { inflateInit2_(strm, 15, version, stream_size) }
}

/// Initializes `strm` as `inflateInit_` does, for a given format. Called by the macro
/// `inflateInit2`. `window_bits` selects the format and a window of at most `1 << n` bytes: n (8 to
/// 15) for zlib, n + 16 for gzip, n + 32 to detect zlib or gzip, -n for raw deflate. Except for raw
/// deflate, n may be 0, for the size in the zlib header, or 32 KiB for gzip.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: `strm` is null or `window_bits` is out of range; `Z_MEM_ERROR`: no
/// memory; `Z_VERSION_ERROR`: `version` or `stream_size` does not match this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateInit2_(
    strm: *mut z_stream,
    window_bits: c_int,
    version: *const c_char,
    stream_size: c_int,
) -> c_int {
    // SAFETY: `version` is null or a C string.
    if !unsafe { fits(version, stream_size) } {
        return Z_VERSION_ERROR;
    }
    // SAFETY: null or the program's stream.
    let Some(strm) = (unsafe { strm.as_mut() }) else { return Z_STREAM_ERROR };
    strm.msg = core::ptr::null();
    // SAFETY: the program's allocator is null or keeps the contract.
    let allocator = unsafe { allocator(strm) };
    guard(Z_STREAM_ERROR, || {
        let outcome = InflateStream::new(window_bits, allocator).and_then(|stream| {
            restart(strm);
            publish(&stream, strm);
            install(strm, Kind::Inflate, allocator, Inflate { stream, header: HeaderSink::NONE })
        });
        if outcome == Err(Error::Stream) {
            // Clears any old value: as in zlib, inflateEnd() may be called on a stream whose window bits were refused.
            strm.state = core::ptr::null_mut();
        }
        to_ok(outcome)
    })
}

fn restart(strm: &mut z_stream) {
    (strm.total_in, strm.total_out) = (0, 0);
    strm.msg = core::ptr::null();
}

/// Updates the fields of `z_stream` that are not about the buffers.
fn publish(stream: &InflateStream, strm: &mut z_stream) {
    if let Some(check) = stream.engine().check() {
        strm.adler = uLong::from(check);
    }
    if let Some(message) = stream.message() {
        strm.msg = message.as_ptr();
    }
}

/// Decompresses `avail_in` bytes at `next_in` to at most `avail_out` bytes at `next_out`, as far as
/// possible, and updates these fields and the totals. `flush` is `Z_NO_FLUSH`, `Z_FINISH`,
/// `Z_BLOCK` (stops at block boundaries too) or `Z_TREES` (stops there and after each block's
/// header). Any other value acts as `Z_NO_FLUSH`.
/// Returns `Z_OK` after progress, `Z_STREAM_END` at the end of the stream, `Z_NEED_DICT` if a
/// dictionary must be set first (`strm->adler` is its Adler-32).
/// Errors: `Z_BUF_ERROR`: no progress is possible, or `Z_FINISH` did not reach the end (not fatal);
/// `Z_DATA_ERROR`: the input is corrupt (`strm->msg` is the reason); `Z_MEM_ERROR`: no memory;
/// `Z_STREAM_ERROR`: the stream or a buffer pointer is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflate(strm: *mut z_stream, flush: c_int) -> c_int {
    let (stream_guard, Inflate { stream, header }) = stream!(strm, Z_STREAM_ERROR);
    // inflate treats any other number as Z_NO_FLUSH.
    let flush = super::boundary::flush(flush).unwrap_or(crate::stream::Flush::None);
    stream_guard.guard(Z_STREAM_ERROR, || {
        // SAFETY: `stream!` found a valid stream.
        let strm = unsafe { &mut *strm };
        if strm.next_out.is_null() {
            return Z_STREAM_ERROR;
        }
        // SAFETY: the program's buffers are as its stream says.
        let Some(exchange) = (unsafe { Exchange::new(NonNull::from(&mut *strm)) }) else {
            return Z_STREAM_ERROR;
        };
        let outcome = exchange.lend(|input, output| {
            stream.inflate_with_header(input, output, flush, &mut |part| {
                // SAFETY: the program promised to keep the struct and its buffers until the header is read.
                unsafe { header.note(part) };
            })
        });
        publish(stream, strm);
        if outcome != Err(Error::Stream) {
            // A refused call leaves the stream as it was.
            strm.data_type = stream.engine().data_type();
        }
        to_code(outcome)
    })
}

/// Frees all memory of the stream; output that is not yet delivered is lost.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateEnd(strm: *mut z_stream) -> c_int {
    guard(Z_STREAM_ERROR, || {
        // SAFETY: the program's `z_stream` is null or valid, its state null or one of ours.
        unsafe { remove(strm, Kind::Inflate, |_: &Inflate| Z_OK) }.unwrap_or(Z_STREAM_ERROR)
    })
}

/// Resets the stream to its start, for another stream of the same format.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateReset(strm: *mut z_stream) -> c_int {
    // SAFETY: the same contract.
    unsafe {
        reset(strm, |inflate| {
            inflate.stream.reset();
            Ok(())
        })
    }
}

/// Resets the stream to its start and changes its format to `window_bits`, as in `inflateInit2_`.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid or `window_bits` is out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateReset2(strm: *mut z_stream, window_bits: c_int) -> c_int {
    // SAFETY: the same contract.
    unsafe { reset(strm, |inflate| inflate.stream.reset2(window_bits)) }
}

/// Resets the stream as `inflateReset` does, but keeps the window.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateResetKeep(strm: *mut z_stream) -> c_int {
    // SAFETY: the same contract.
    unsafe {
        reset(strm, |inflate| {
            inflate.stream.engine_mut().reset_keep();
            Ok(())
        })
    }
}

unsafe fn reset(strm: *mut z_stream, reset: impl FnOnce(&mut Inflate) -> Result<()>) -> c_int {
    let (stream_guard, inflate) = stream!(strm, Z_STREAM_ERROR);
    stream_guard.guard(Z_STREAM_ERROR, || {
        let outcome = reset(inflate);
        if outcome.is_ok() {
            inflate.header = HeaderSink::NONE;
            // SAFETY: `stream!` found a valid stream.
            let strm = unsafe { &mut *strm };
            restart(strm);
            publish(&inflate.stream, strm);
        }
        to_ok(outcome)
    })
}

/// Sets the `len` bytes at `dictionary` as earlier data to which the stream may refer; the bytes
/// are copied. A zlib stream accepts this only after `inflate` has returned `Z_NEED_DICT`, a raw
/// stream at any time.
/// Returns `Z_OK`.
/// Errors: `Z_DATA_ERROR`: the Adler-32 of the dictionary is not the one in the header;
/// `Z_STREAM_ERROR`: the stream is invalid or cannot accept a dictionary now, or `dictionary` is
/// null and `len` is not 0; `Z_MEM_ERROR`: no memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateSetDictionary(
    strm: *mut z_stream,
    dictionary: *const u8,
    len: uInt,
) -> c_int {
    let (stream_guard, stream) = stream!(strm, Z_STREAM_ERROR);
    if dictionary.is_null() && len > 0 {
        return Z_STREAM_ERROR;
    }
    // SAFETY: the program promises `len` bytes.
    let dictionary = unsafe { slice(dictionary, len as usize) };
    stream_guard.guard(Z_STREAM_ERROR, || to_ok(stream.stream.engine_mut().set_dictionary(dictionary)))
}

/// Copies the data to which the stream may refer (the end of the dictionary and the output, at most
/// 32 KiB) to `dictionary`, and stores its length in bytes in `*len`. `dictionary` must have room
/// for 32 KiB. Either pointer may be null.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateGetDictionary(
    strm: *mut z_stream,
    dictionary: *mut u8,
    len: *mut uInt,
) -> c_int {
    let (stream_guard, stream) = stream!(strm, Z_STREAM_ERROR);
    stream_guard.guard(Z_STREAM_ERROR, || {
        // SAFETY: null, or the program's with room for 32 KiB and for a length.
        unsafe { give_dictionary(stream.stream.dictionary(), dictionary, len) };
        Z_OK
    })
}

/// Skips input to the end of the next possible full flush point (bytes 00 00 FF FF), to resume
/// after an error. Updates `next_in`, `avail_in` and `total_in`.
/// Returns `Z_OK` if these bytes were found.
/// Errors: `Z_DATA_ERROR`: they are not in this input (call again with more); `Z_BUF_ERROR`: there
/// is no input; `Z_STREAM_ERROR`: the stream is invalid, or `next_in` is null and `avail_in` is not
/// 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateSync(strm: *mut z_stream) -> c_int {
    let (stream_guard, Inflate { stream, .. }) = stream!(strm, Z_STREAM_ERROR);
    stream_guard.guard(Z_STREAM_ERROR, || {
        // SAFETY: `stream!` found a valid stream.
        let strm = unsafe { &mut *strm };
        // SAFETY: the program's input is as its stream says.
        let Some(exchange) = (unsafe { Exchange::input_only(NonNull::from(&mut *strm)) }) else {
            return Z_STREAM_ERROR;
        };
        let outcome = exchange.lend(|input, _| stream.engine_mut().sync(input));
        if outcome.is_ok() {
            // Finding a flush point resets the decoder.
            strm.msg = core::ptr::null();
        }
        publish(stream, strm);
        to_ok(outcome)
    })
}

/// Reports whether the decoder is directly before the length field of a stored block, on a byte
/// boundary, as after a `Z_SYNC_FLUSH` or `Z_FULL_FLUSH` without its last 4 bytes.
/// Returns 1 if so, otherwise 0.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateSyncPoint(strm: *mut z_stream) -> c_int {
    let (stream_guard, Inflate { stream, .. }) = stream!(strm, Z_STREAM_ERROR);
    stream_guard.guard(Z_STREAM_ERROR, || c_int::from(stream.engine().is_sync_point()))
}

/// Makes `dest` an independent copy of the stream `source` in its current state. The memory is
/// allocated with the allocator of `source`; free it with `inflateEnd(dest)`.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: `source` is invalid or `dest` is null; `Z_MEM_ERROR`: no memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateCopy(dest: *mut z_stream, source: *mut z_stream) -> c_int {
    let (stream_guard, inflate) = stream!(source, Z_STREAM_ERROR);
    if dest.is_null() {
        return Z_STREAM_ERROR;
    }
    stream_guard.guard(Z_STREAM_ERROR, || {
        to_ok(inflate.stream.try_clone().and_then(|stream| {
            // SAFETY: both are valid, and a `z_stream` may be copied bytewise.
            unsafe { core::ptr::copy(source, dest, 1) };
            // SAFETY: valid, as the program promises.
            let dest = unsafe { &mut *dest };
            dest.state = core::ptr::null_mut();
            // SAFETY: the source's allocator, which keeps the contract as for the source.
            let allocator = unsafe { allocator(dest) };
            install(dest, Kind::Inflate, allocator, Inflate { stream, header: inflate.header })
        }))
    })
}

/// Inserts the low `bits` bits of `value` (0 to 16 bits) before the byte at `next_in`. A negative
/// `bits` discards all bits that the decoder holds. This is meant for raw streams.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid, `bits` exceeds 16, or more than 32 bits would
/// be held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflatePrime(strm: *mut z_stream, bits: c_int, value: c_int) -> c_int {
    let (stream_guard, Inflate { stream, .. }) = stream!(strm, Z_STREAM_ERROR);
    stream_guard.guard(Z_STREAM_ERROR, || to_ok(stream.prime(bits, value)))
}

/// Returns the position in the current block as two numbers: `result >> 16` and the low 16 bits.
/// If the decoder is within a code (a literal, or a length and distance), the first is the number
/// of bits from the start of the code to the current input position, the second the number of its
/// bytes already written. Otherwise the first is -1, the second the number of bytes left in a
/// stored block, or 0.
/// Errors: -65536: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateMark(strm: *mut z_stream) -> c_long {
    let (stream_guard, Inflate { stream, .. }) = stream!(strm, -(1 << 16));
    stream_guard.guard(-(1 << 16), || stream.engine().mark() as c_long)
}

/// Requests that the gzip header be stored in `head` when `inflate` reads it. The stream keeps the
/// pointer: `head` and its buffers remain owned by the caller and must be valid until `head->done`
/// is 1 (header complete) or -1 (not a gzip stream). The caller sets `extra_max`, `name_max` and
/// `comm_max` (bytes).
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid or does not accept gzip, or `head` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateGetHeader(strm: *mut z_stream, head: *mut gz_header) -> c_int {
    let (_, inflate) = stream!(strm, Z_STREAM_ERROR);
    // SAFETY: null, or a struct that the program promises to keep.
    let Some(header) = (unsafe { head.as_mut() }) else { return Z_STREAM_ERROR };
    if !inflate.stream.engine().accepts_gzip() {
        return Z_STREAM_ERROR;
    }
    header.done = 0;
    inflate.header.head = head;
    Z_OK
}

/// Undocumented in zlib. Does nothing; `subvert` is ignored, as in a default build of zlib.
/// Returns `Z_DATA_ERROR` for every valid stream.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateUndermine(strm: *mut z_stream, subvert: c_int) -> c_int {
    _ = (stream!(strm, Z_STREAM_ERROR), subvert);
    Z_DATA_ERROR
}

/// Undocumented in zlib. Enables (`check` is not 0) or disables the comparison of check values.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateValidate(strm: *mut z_stream, check: c_int) -> c_int {
    let (_, Inflate { stream, .. }) = stream!(strm, Z_STREAM_ERROR);
    stream.engine_mut().validate(check != 0);
    Z_OK
}

/// Undocumented in zlib. Returns the number of decoding table entries in use.
/// Errors: `ULONG_MAX` (all bits set): the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateCodesUsed(strm: *mut z_stream) -> c_ulong {
    let (stream_guard, Inflate { stream, .. }) = stream!(strm, c_ulong::MAX);
    stream_guard.guard(c_ulong::MAX, || stream.engine().codes_used() as c_ulong)
}
