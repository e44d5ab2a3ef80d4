//! Decompression by call-backs.

use super::boundary::*;
use super::types::code::*;
use super::types::z_stream;
use crate::raw::Output;
use crate::raw::process::{KeptErrno, NoCancel};
use crate::stream::inflate_back::BackStream;
use core::ffi::{c_char, c_int, c_uchar, c_uint, c_void};

versions! {
    "ZLIB_1.2.0": inflateBack inflateBackEnd inflateBackInit_;
}

/// A decoder and the program's window, which receives the output.
struct Back {
    stream: BackStream,
    window: *mut u8,
    window_len: usize,
}

/// zlib's `in_func`: gives the next input at `*buf` and returns its length, 0 when there is none.
#[allow(non_camel_case_types, reason = "the C name")]
pub type in_func = Option<unsafe extern "C" fn(*mut c_void, *mut *const c_uchar) -> c_uint>;
/// zlib's `out_func`: takes output; nonzero when it cannot.
#[allow(non_camel_case_types, reason = "the C name")]
pub type out_func = Option<unsafe extern "C" fn(*mut c_void, *mut c_uchar, c_uint) -> c_int>;

/// Initializes `strm` for `inflateBack`, with a `window` of `1 << window_bits` bytes (8 to 15). The
/// window remains owned by the caller and must be valid until `inflateBackEnd`. The caller sets
/// `zalloc`, `zfree` and `opaque` first. Called by the macro `inflateBackInit`.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: `strm` or `window` is null or `window_bits` is out of range;
/// `Z_MEM_ERROR`: no memory; `Z_VERSION_ERROR`: `version` or `stream_size` does not match this
/// library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateBackInit_(
    strm: *mut z_stream,
    window_bits: c_int,
    window: *mut u8,
    version: *const c_char,
    stream_size: c_int,
) -> c_int {
    // SAFETY: `version` is null or a C string.
    if !unsafe { fits(version, stream_size) } {
        return Z_VERSION_ERROR;
    }
    // SAFETY: null or the program's stream.
    let Some(strm) = (unsafe { strm.as_mut() }) else { return Z_STREAM_ERROR };
    if window.is_null() {
        return Z_STREAM_ERROR;
    }
    strm.msg = core::ptr::null();
    // SAFETY: the program's allocator is null or keeps the contract.
    let allocator = unsafe { allocator(strm) };
    guard(Z_STREAM_ERROR, || {
        let back = BackStream::new(window_bits, allocator);
        to_ok(back.and_then(|stream| {
            let back = Back { stream, window, window_len: 1 << window_bits };
            install(strm, Kind::Back, allocator, back)
        }))
    })
}

/// Decompresses one raw stream. Input is first `avail_in` bytes at `next_in`, then the buffers from
/// `read(read_desc, &buffer)`, which returns their length, or 0 if it has no input. Output goes to
/// the window and is passed to `write(write_desc, buffer, len)`, which returns 0 for success.
/// Returns `Z_STREAM_END`; `next_in` and `avail_in` are then the unused input.
/// Errors: `Z_BUF_ERROR`: `read` returned 0 (`next_in` is then null), or `write` did not (`next_in`
/// is then not null); `Z_DATA_ERROR`: the input is corrupt (`strm->msg` is the reason);
/// `Z_MEM_ERROR`: no memory; `Z_STREAM_ERROR`: the stream is invalid or a function is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateBack(
    strm: *mut z_stream,
    read: in_func,
    read_desc: *mut c_void,
    write: out_func,
    write_desc: *mut c_void,
) -> c_int {
    // SAFETY: the program's `z_stream` is null or valid, its state null or one of ours.
    let Some(state) = (unsafe { state::<Back>(strm, Kind::Back) }) else { return Z_STREAM_ERROR };
    let (Some(read), Some(write)) = (read, write) else { return Z_STREAM_ERROR };
    let (stream_guard, Back { stream, window, window_len }) = state.parts();
    // The call-backs may wait for the host's input, and a thread can be cancelled there.
    let _whole = NoCancel::new();
    // The call-backs may set `errno`, so it is kept as they leave it.
    let (code, _errno) = stream_guard.guard((Z_STREAM_ERROR, None), || {
        // SAFETY: `state` found it valid.
        let strm = unsafe { &mut *strm };
        let avail_in = if strm.next_in.is_null() { 0 } else { strm.avail_in as usize };
        // SAFETY: the program promises `avail_in` bytes.
        let first = unsafe { slice(strm.next_in, avail_in) };
        let fetch = || {
            let mut next = core::ptr::null();
            // SAFETY: the program's call-back, with the argument it wants.
            let len = unsafe { read(read_desc, &raw mut next) };
            // SAFETY: it promises `len` bytes there.
            unsafe { slice(next, if next.is_null() { 0 } else { len as usize }) }
        };
        // SAFETY: the program promises the window until `inflateBackEnd`; a view ends before the next one begins.
        let room = || unsafe { Output::from_raw(*window, *window_len) };
        let hand_out = |len| {
            assert!(len <= *window_len);
            // SAFETY: the program's call-back, with the argument it wants and a part of its own window.
            unsafe { write(write_desc, *window, len as c_uint) == 0 }
        };
        let (rest, outcome) = stream.run(first, fetch, room, hand_out);
        (strm.next_in, strm.avail_in) =
            rest.map_or((core::ptr::null(), 0), |rest| (rest.as_ptr(), rest.len() as c_uint));
        strm.msg = stream.message().map_or(core::ptr::null(), |message| message.as_ptr());
        (to_code(outcome), Some(KeptErrno::now()))
    });
    code
}

/// Frees all memory of the stream; the window remains owned by the caller.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn inflateBackEnd(strm: *mut z_stream) -> c_int {
    guard(Z_STREAM_ERROR, || {
        // SAFETY: the program's `z_stream` is null or valid, its state null or one of ours.
        unsafe { remove(strm, Kind::Back, |_: &Back| Z_OK) }.unwrap_or(Z_STREAM_ERROR)
    })
}
