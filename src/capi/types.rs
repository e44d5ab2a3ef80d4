//! C's structs, aliases and numbers, as zlib's header has them.

#![allow(non_camel_case_types, reason = "the C names")]

use crate::raw::alloc::{AllocFn, FreeFn};
use core::ffi::{c_char, c_int, c_long, c_uint, c_ulong, c_void};

/// zlib's `uInt`.
pub type uInt = c_uint;
/// zlib's `uLong`: 64 bits here.
pub type uLong = c_ulong;
/// zlib's `z_size_t`.
pub type z_size_t = usize;
/// zlib's `z_off_t`: 64 bits here.
pub type z_off_t = c_long;
/// zlib's `z_off64_t`.
pub type z_off64_t = i64;
/// One entry of the CRC table.
pub type z_crc_t = u32;
/// zlib's `alloc_func`, or null.
pub type alloc_func = Option<AllocFn>;
/// zlib's `free_func`, or null.
pub type free_func = Option<FreeFn>;

/// zlib's `z_stream`: what a program and the library exchange on each call.
#[repr(C)]
#[derive(Debug)]
pub struct z_stream {
    /// Next byte of input.
    pub next_in: *const u8,
    /// Bytes of input at `next_in`.
    pub avail_in: uInt,
    /// Bytes of input taken so far; only ever added to.
    pub total_in: uLong,
    /// Where the next byte of output goes.
    pub next_out: *mut u8,
    /// Room at `next_out`, in bytes.
    pub avail_out: uInt,
    /// Bytes of output given so far; only ever added to.
    pub total_out: uLong,
    /// The last error's text, static, or null.
    pub msg: *const c_char,
    /// The library's own.
    pub state: *mut c_void,
    /// The program's allocator, or null for malloc.
    pub zalloc: alloc_func,
    /// The program's deallocator, or null for free.
    pub zfree: free_func,
    /// First argument of both.
    pub opaque: *mut c_void,
    /// deflate: the guess at binary or text. inflate: the bit position for `Z_BLOCK` users.
    pub data_type: c_int,
    /// Check value of the uncompressed data.
    pub adler: uLong,
    /// Unused.
    pub reserved: uLong,
}

/// zlib's `gz_header`: a gzip header's fields, written by deflate or read by inflate.
#[repr(C)]
#[derive(Debug)]
pub struct gz_header {
    /// Nonzero: probably text.
    pub text: c_int,
    /// Seconds since 1970.
    pub time: uLong,
    /// Extra flags, as read.
    pub xflags: c_int,
    /// Operating system.
    pub os: c_int,
    /// Extra field, or null.
    pub extra: *mut u8,
    /// Its length.
    pub extra_len: uInt,
    /// Room at `extra` when reading.
    pub extra_max: uInt,
    /// File name, zero-terminated, or null.
    pub name: *mut u8,
    /// Room at `name` when reading.
    pub name_max: uInt,
    /// Comment, zero-terminated, or null.
    pub comment: *mut u8,
    /// Room at `comment` when reading.
    pub comm_max: uInt,
    /// Nonzero: the header has a CRC.
    pub hcrc: c_int,
    /// 1 when a header was read, -1 when there is none.
    pub done: c_int,
}

// The layout is the ABI (64-bit Linux).
const _: () = {
    assert!(size_of::<z_stream>() == 112);
    assert!(core::mem::offset_of!(z_stream, total_in) == 16);
    assert!(core::mem::offset_of!(z_stream, next_out) == 24);
    assert!(core::mem::offset_of!(z_stream, msg) == 48);
    assert!(core::mem::offset_of!(z_stream, state) == 56);
    assert!(core::mem::offset_of!(z_stream, data_type) == 88);
    assert!(core::mem::offset_of!(z_stream, adler) == 96);
    assert!(size_of::<gz_header>() == 80);
    assert!(core::mem::offset_of!(gz_header, extra) == 24);
    assert!(core::mem::offset_of!(gz_header, done) == 72);
};

/// zlib's results.
pub mod code {
    use core::ffi::c_int;
    /// Done, or progress.
    pub const Z_OK: c_int = 0;
    /// The stream is complete.
    pub const Z_STREAM_END: c_int = 1;
    /// inflate wants a dictionary.
    pub const Z_NEED_DICT: c_int = 2;
    /// See `errno`.
    pub const Z_ERRNO: c_int = -1;
    /// Bad arguments or state.
    pub const Z_STREAM_ERROR: c_int = -2;
    /// Damaged data.
    pub const Z_DATA_ERROR: c_int = -3;
    /// Memory refused.
    pub const Z_MEM_ERROR: c_int = -4;
    /// No progress possible; not fatal.
    pub const Z_BUF_ERROR: c_int = -5;
    /// Program and library do not fit.
    pub const Z_VERSION_ERROR: c_int = -6;
}
