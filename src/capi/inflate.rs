//! Streaming decompression.

use super::boundary::*;
use super::types::code::*;
use super::types::{gz_header, uInt, uLong, z_stream};
use crate::error::{Error, Result};
use crate::stream::inflate::InflateStream;
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

/// The state of a decompressing stream, or `$error` from the calling function.
macro_rules! stream {
    ($strm:expr, $error:expr) => {{
        // SAFETY: the program's `z_stream` is null or valid, its state null or one of ours.
        match unsafe { state::<InflateStream>($strm, Kind::Inflate) } {
            Some(state) => &mut state.inner,
            None => return $error,
        }
    }};
}

/// Prepares `strm` for decompressing a zlib stream; its allocator fields must be set. `Z_MEM_ERROR`, `Z_VERSION_ERROR`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateInit_(
    strm: *mut z_stream,
    version: *const c_char,
    stream_size: c_int,
) -> c_int {
    // SAFETY: the same contract.
    unsafe { inflateInit2_(strm, 15, version, stream_size) }
}

/// As `inflateInit_`, with window bits: 8 to 15 for zlib, 16 more for gzip, 32 more for either, negative for raw, 0 for what the zlib
/// header says. Else `Z_STREAM_ERROR`.
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
        to_ok(InflateStream::new(window_bits, allocator).and_then(|stream| {
            restart(strm);
            publish(&stream, strm);
            install(strm, Kind::Inflate, allocator, stream)
        }))
    })
}

fn restart(strm: &mut z_stream) {
    (strm.total_in, strm.total_out) = (0, 0);
    strm.msg = core::ptr::null();
}

/// Shows the program what it reads besides the buffers.
fn publish(stream: &InflateStream, strm: &mut z_stream) {
    if let Some(check) = stream.check() {
        strm.adler = uLong::from(check);
    }
    if let Some(message) = stream.message() {
        strm.msg = message.as_ptr();
    }
}

/// Decompresses as much as input and room allow. `Z_OK`, `Z_STREAM_END`, `Z_NEED_DICT`, `Z_DATA_ERROR` with `msg`, `Z_BUF_ERROR` when nothing
/// could be done, `Z_STREAM_ERROR`, `Z_MEM_ERROR`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflate(strm: *mut z_stream, flush: c_int) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    // inflate takes any other number as Z_NO_FLUSH.
    let flush = super::boundary::flush(flush).unwrap_or(crate::stream::Flush::None);
    guard(Z_STREAM_ERROR, || {
        // SAFETY: `stream!` found a valid stream.
        let strm = unsafe { &mut *strm };
        if strm.next_out.is_null() {
            return Z_STREAM_ERROR;
        }
        // SAFETY: the program's buffers are as its stream says.
        let Some(mut call) = (unsafe { Exchange::new(NonNull::from(&mut *strm)) }) else {
            return Z_STREAM_ERROR;
        };
        let outcome = stream.inflate(&mut call.input, &mut call.output, flush);
        call.settle();
        publish(stream, strm);
        if outcome != Err(Error::Stream) {
            // A refused call leaves the stream as it was.
            strm.data_type = stream.engine().data_type();
        }
        to_code(outcome)
    })
}

/// Frees the stream's state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateEnd(strm: *mut z_stream) -> c_int {
    guard(Z_STREAM_ERROR, || {
        // SAFETY: the program's `z_stream` is null or valid, its state null or one of ours.
        unsafe { remove::<InflateStream>(strm, Kind::Inflate) }.map_or(Z_STREAM_ERROR, |_| Z_OK)
    })
}

/// Back to the start of a stream of the same form.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateReset(strm: *mut z_stream) -> c_int {
    // SAFETY: the same contract.
    unsafe { reset(strm, InflateStream::reset) }
}

/// Back to the start of a stream of another form.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateReset2(strm: *mut z_stream, window_bits: c_int) -> c_int {
    // SAFETY: the same contract.
    unsafe { reset(strm, |stream| stream.reset2(window_bits)) }
}

/// As `inflateReset`, the window left as it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateResetKeep(strm: *mut z_stream) -> c_int {
    // SAFETY: the same contract.
    unsafe { reset(strm, InflateStream::reset_keep) }
}

unsafe fn reset(strm: *mut z_stream, reset: impl FnOnce(&mut InflateStream) -> Result<()>) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    guard(Z_STREAM_ERROR, || {
        let outcome = reset(stream);
        if outcome.is_ok() {
            // SAFETY: `stream!` found a valid stream.
            let strm = unsafe { &mut *strm };
            restart(strm);
            publish(stream, strm);
        }
        to_ok(outcome)
    })
}

/// Gives the decoder its history: the dictionary that `Z_NEED_DICT` asked for, or any for a raw stream. `Z_DATA_ERROR` when it is the wrong
/// one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateSetDictionary(
    strm: *mut z_stream,
    dictionary: *const u8,
    len: uInt,
) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    if dictionary.is_null() && len > 0 {
        return Z_STREAM_ERROR;
    }
    // SAFETY: the program promises `len` bytes.
    let dictionary = unsafe { slice(dictionary, len as usize) };
    guard(Z_STREAM_ERROR, || to_ok(stream.engine_mut().set_dictionary(dictionary)))
}

/// Copies the history, at most 32 KiB, to `dictionary`, and its length to `*len`; either may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateGetDictionary(
    strm: *mut z_stream,
    dictionary: *mut u8,
    len: *mut uInt,
) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    guard(Z_STREAM_ERROR, || {
        to_ok(stream.dictionary().map(|history| {
            // SAFETY: null, or the program's with room for 32 KiB and for a length.
            unsafe { give_dictionary(&history, dictionary, len) };
        }))
    })
}

/// Skips damaged input up to a full flush point. `Z_DATA_ERROR` when there is none in the input at hand, `Z_BUF_ERROR` without input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateSync(strm: *mut z_stream) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    guard(Z_STREAM_ERROR, || {
        // SAFETY: `stream!` found a valid stream.
        let strm = unsafe { &mut *strm };
        // SAFETY: the program's buffers are as its stream says; only input is used.
        let Some(mut call) = (unsafe { Exchange::new(NonNull::from(&mut *strm)) }) else {
            return Z_STREAM_ERROR;
        };
        let outcome = stream.engine_mut().sync(&mut call.input);
        call.settle();
        if outcome.is_ok() {
            // Finding a flush point starts the decoder anew, as after a reset.
            strm.msg = core::ptr::null();
        }
        publish(stream, strm);
        to_ok(outcome)
    })
}

/// 1 when the decoder stands behind a flush marker, else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateSyncPoint(strm: *mut z_stream) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    c_int::from(stream.engine().is_sync_point())
}

/// Makes `dest` a stream in the state of `source`, to go on apart. `Z_MEM_ERROR`, `Z_STREAM_ERROR`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateCopy(dest: *mut z_stream, source: *mut z_stream) -> c_int {
    let stream = stream!(source, Z_STREAM_ERROR);
    if dest.is_null() {
        return Z_STREAM_ERROR;
    }
    guard(Z_STREAM_ERROR, || {
        to_ok(stream.try_clone().and_then(|stream| {
            // SAFETY: both are valid, and a `z_stream` may be copied bytewise.
            unsafe { core::ptr::copy(source, dest, 1) };
            // SAFETY: valid, as the program promises.
            let dest = unsafe { &mut *dest };
            dest.state = core::ptr::null_mut();
            // SAFETY: the source's allocator, which the program vouched for.
            let allocator = unsafe { allocator(dest) };
            install(dest, Kind::Inflate, allocator, stream)
        }))
    })
}

/// Puts bits in front of the input of a raw stream; a negative number drops what is there. `Z_STREAM_ERROR`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflatePrime(strm: *mut z_stream, bits: c_int, value: c_int) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    guard(Z_STREAM_ERROR, || to_ok(stream.engine_mut().prime(bits, value)))
}

/// Where in the stream the decoder stands: see the zlib manual. -65536 for a bad stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateMark(strm: *mut z_stream) -> c_long {
    let stream = stream!(strm, -(1 << 16));
    stream.engine().mark() as c_long
}

/// Names the struct that the gzip header goes to; it and its buffers must stay until it is read. `Z_STREAM_ERROR` when no gzip header can come.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateGetHeader(strm: *mut z_stream, head: *mut gz_header) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    if head.is_null() {
        return Z_STREAM_ERROR;
    }
    // SAFETY: the program promises that the struct stays.
    guard(Z_STREAM_ERROR, || to_ok(unsafe { stream.engine_mut().header_to(head.cast()) }))
}

/// Undocumented in zlib: refuses, as every usual build of it does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateUndermine(strm: *mut z_stream, subvert: c_int) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    guard(Z_STREAM_ERROR, || to_ok(stream.engine_mut().undermine(subvert)))
}

/// Undocumented in zlib: turns the comparison of check values on or off.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateValidate(strm: *mut z_stream, check: c_int) -> c_int {
    let stream = stream!(strm, Z_STREAM_ERROR);
    guard(Z_STREAM_ERROR, || to_ok(stream.engine_mut().validate(check != 0)))
}

/// Undocumented in zlib: table entries in use. All ones for a bad stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateCodesUsed(strm: *mut z_stream) -> c_ulong {
    let stream = stream!(strm, c_ulong::MAX);
    stream.engine().codes_used()
}
