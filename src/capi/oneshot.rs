//! Whole buffers at once: the `compress` family.

use super::boundary::{guard, level, slice, to_ok};
use super::types::code::*;
use super::types::{uLong, z_size_t};
use crate::raw::Output;
use crate::stream::oneshot;
use core::ffi::c_int;

versions! {
    "ZLIB_1.2.0": compressBound;
    "ZLIB_1.2.9": uncompress2;
    "ZLIB_1.3.2": compress_z compress2_z compressBound_z uncompress_z uncompress2_z;
}

/// Compresses `source_len` bytes at `source` to a zlib stream at `dest`, at level 6. On entry,
/// `*dest_len` is the size of `dest` in bytes (`compressBound(source_len)` is enough); on return,
/// it is the number of bytes written.
/// Returns `Z_OK`.
/// Errors: `Z_BUF_ERROR`: the stream does not fit; `Z_MEM_ERROR`: no memory; `Z_STREAM_ERROR`: a
/// required pointer is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compress(
    dest: *mut u8,
    dest_len: *mut uLong,
    source: *const u8,
    source_len: uLong,
) -> c_int {
    // SAFETY: the same contract.
    unsafe { compress2(dest, dest_len, source, source_len, -1) }
}

/// Same as `compress`, but at the given `level`: 0 to 9, or -1 for the default, 6.
/// Returns `Z_OK`.
/// Errors: as `compress`, and `Z_STREAM_ERROR`: `level` is out of range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compress2(
    dest: *mut u8,
    dest_len: *mut uLong,
    source: *const u8,
    source_len: uLong,
    level: c_int,
) -> c_int {
    // SAFETY: the same contract; `uLong` is `size_t` here.
    unsafe { compress2_z(dest, dest_len.cast(), source, source_len as z_size_t, level) }
}

/// Same as `compress`, but the lengths are `z_size_t`.
/// Returns and errors: as `compress`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compress_z(
    dest: *mut u8,
    dest_len: *mut z_size_t,
    source: *const u8,
    source_len: z_size_t,
) -> c_int {
    // SAFETY: the same contract.
    unsafe { compress2_z(dest, dest_len, source, source_len, -1) }
}

/// Same as `compress2`, but the lengths are `z_size_t`; `requested` is the level.
/// Returns and errors: as `compress2`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compress2_z(
    dest: *mut u8,
    dest_len: *mut z_size_t,
    source: *const u8,
    source_len: z_size_t,
    requested: c_int,
) -> c_int {
    // No stream has length 0, so `dest` must not be null even if there is no room.
    if dest_len.is_null() || dest.is_null() || (source_len > 0 && source.is_null()) {
        return Z_STREAM_ERROR;
    }
    // SAFETY: not null, and the program's to be read.
    let room = unsafe { *dest_len };
    // SAFETY: the program promises `source_len` bytes.
    let source = unsafe { slice(source, source_len) };
    // SAFETY: the program promises `room` bytes at `dest`.
    let mut output = unsafe { Output::from_raw(dest, room) };
    let code = guard(Z_STREAM_ERROR, || {
        level(requested).map_or(Z_STREAM_ERROR, |level| to_ok(oneshot::compress(source, &mut output, level)))
    });
    // SAFETY: as above, to be written.
    unsafe { *dest_len = output.written() };
    code
}

/// Returns the maximum output in bytes of `compress` or `compress2` for `source_len` bytes.
/// With `n` for `source_len` this is `n + (n >> 12) + (n >> 14) + (n >> 25) + 13`, or
/// `ULONG_MAX` if the sum is larger.
/// Errors: none.
#[unsafe(no_mangle)]
pub extern "C" fn compressBound(source_len: uLong) -> uLong {
    oneshot::compress_bound(source_len)
}

/// Same as `compressBound`, but the lengths are `z_size_t`.
/// Returns and errors: as `compressBound`; the largest result is `SIZE_MAX`.
#[unsafe(no_mangle)]
pub extern "C" fn compressBound_z(source_len: z_size_t) -> z_size_t {
    oneshot::compress_bound(source_len as u64) as z_size_t
}

/// Decompresses the zlib stream in the `source_len` bytes at `source` to `dest`. On entry,
/// `*dest_len` is the size of `dest` in bytes; on return, it is the number of bytes written.
/// Returns `Z_OK`.
/// Errors: `Z_BUF_ERROR`: `dest` is full before the stream ends; `Z_DATA_ERROR`: the stream is
/// corrupt, incomplete or needs a dictionary; `Z_MEM_ERROR`: no memory; `Z_STREAM_ERROR`: a
/// required pointer is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uncompress(
    dest: *mut u8,
    dest_len: *mut uLong,
    source: *const u8,
    source_len: uLong,
) -> c_int {
    let mut source_len = source_len;
    // SAFETY: the same contract, with our own copy of the length.
    unsafe { uncompress2(dest, dest_len, source, &raw mut source_len) }
}

/// Same as `uncompress`, but `source_len` is a pointer. On entry, `*source_len` is the length of
/// the input in bytes; on return, it is the number of bytes used, so that data after the stream can
/// be found.
/// Returns and errors: as `uncompress`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uncompress2(
    dest: *mut u8,
    dest_len: *mut uLong,
    source: *const u8,
    source_len: *mut uLong,
) -> c_int {
    // SAFETY: the same contract; `uLong` is `size_t` here.
    unsafe { uncompress2_z(dest, dest_len.cast(), source, source_len.cast()) }
}

/// Same as `uncompress`, but the lengths are `z_size_t`.
/// Returns and errors: as `uncompress`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uncompress_z(
    dest: *mut u8,
    dest_len: *mut z_size_t,
    source: *const u8,
    source_len: z_size_t,
) -> c_int {
    let mut source_len = source_len;
    // SAFETY: the same contract, with our own copy of the length.
    unsafe { uncompress2_z(dest, dest_len, source, &raw mut source_len) }
}

/// Same as `uncompress2`, but the lengths are `z_size_t`.
/// Returns and errors: as `uncompress`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uncompress2_z(
    dest: *mut u8,
    dest_len: *mut z_size_t,
    source: *const u8,
    source_len: *mut z_size_t,
) -> c_int {
    if dest_len.is_null() || source_len.is_null() {
        return Z_STREAM_ERROR;
    }
    // SAFETY: not null, and the program's to be read.
    let (room, len) = (unsafe { *dest_len }, unsafe { *source_len });
    if (room > 0 && dest.is_null()) || (len > 0 && source.is_null()) {
        return Z_STREAM_ERROR;
    }
    // SAFETY: the program promises `len` bytes.
    let source = unsafe { slice(source, len) };
    // SAFETY: the program promises `room` bytes at `dest`.
    let mut output = unsafe { Output::from_raw(dest, room) };
    let (used, code) = guard((0, Z_STREAM_ERROR), || {
        let (used, outcome) = oneshot::uncompress(source, &mut output);
        (used, to_ok(outcome))
    });
    // SAFETY: as above, to be written.
    unsafe { *dest_len = output.written() };
    // SAFETY: as above, to be written.
    unsafe { *source_len = used };
    code
}
