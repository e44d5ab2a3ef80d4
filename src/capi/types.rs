//! C's structs, aliases and numbers, as zlib's header has them.

#![allow(non_camel_case_types, reason = "the C names")]

use crate::raw::alloc::{AllocFn, FreeFn};
use core::ffi::{c_char, c_int, c_long, c_uint, c_ulong, c_void};

/// zlib's `uInt`: 32 bits.
pub type uInt = c_uint;
/// zlib's `uLong`: 64 bits.
pub type uLong = c_ulong;
/// zlib's `z_size_t`: the same as `size_t`.
pub type z_size_t = usize;
/// zlib's `z_off_t`: 64 bits, signed.
pub type z_off_t = c_long;
/// zlib's `z_off64_t`: 64 bits, signed.
pub type z_off64_t = i64;
/// One entry of the CRC-32 table: 32 bits.
pub type z_crc_t = u32;
/// zlib's `alloc_func`: allocates memory for a stream. May be null.
pub type alloc_func = Option<AllocFn>;
/// zlib's `free_func`: frees memory of an `alloc_func`. May be null.
pub type free_func = Option<FreeFn>;

/// zlib's `z_stream`: the buffers and the state of one stream of compressed data.
/// The program owns it and both buffers. It must not be moved while the stream is in use.
#[repr(C)]
#[derive(Debug)]
pub struct z_stream {
    /// The next byte of input.
    pub next_in: *const u8,
    /// Number of bytes available at `next_in`.
    pub avail_in: uInt,
    /// Number of bytes read so far. The library only adds to it, so the program may change it.
    pub total_in: uLong,
    /// Address at which the next byte of output is stored.
    pub next_out: *mut u8,
    /// Free space at `next_out`, in bytes.
    pub avail_out: uInt,
    /// Number of bytes written so far. The library only adds to it, so the program may change it.
    pub total_out: uLong,
    /// Message of the last error, a static string; null if there is none.
    pub msg: *const c_char,
    /// Private state of the library.
    pub state: *mut c_void,
    /// Allocates the state; null for `malloc`.
    pub zalloc: alloc_func,
    /// Frees the state; null for `free`.
    pub zfree: free_func,
    /// First argument of `zalloc` and `zfree`.
    pub opaque: *mut c_void,
    /// After `deflate`: a guess, `Z_BINARY`, `Z_TEXT` or `Z_UNKNOWN`. After `inflate`: the count of
    /// unused bits in the last input byte, plus flags for `Z_BLOCK` and `Z_TREES`.
    pub data_type: c_int,
    /// Adler-32 or CRC-32 of the uncompressed data.
    pub adler: uLong,
    /// Unused.
    pub reserved: uLong,
}

/// zlib's `gz_header`: the fields of a gzip header, which `deflate` writes or `inflate` fills in.
/// The program owns it and its buffers, and keeps them until the header is written or read.
#[repr(C)]
#[derive(Debug)]
pub struct gz_header {
    /// Nonzero if the data is believed to be text.
    pub text: c_int,
    /// Modification time in seconds since 1970.
    pub time: uLong,
    /// Extra flags; not used when writing.
    pub xflags: c_int,
    /// Code of the operating system (RFC 1952).
    pub os: c_int,
    /// The extra field; null if there is none, or if it is not wanted when reading.
    pub extra: *mut u8,
    /// Length of the extra field in bytes. When reading, it may exceed `extra_max`.
    pub extra_len: uInt,
    /// Size of the buffer `extra` in bytes; used only when reading.
    pub extra_max: uInt,
    /// The file name, zero-terminated; null if there is none, or if it is not wanted when reading.
    pub name: *mut u8,
    /// Size of the buffer `name` in bytes; used only when reading.
    pub name_max: uInt,
    /// The comment, zero-terminated; null if there is none, or if it is not wanted when reading.
    pub comment: *mut u8,
    /// Size of the buffer `comment` in bytes; used only when reading.
    pub comm_max: uInt,
    /// Nonzero if the header has a CRC or, when writing, is to get one.
    pub hcrc: c_int,
    /// Set when reading: 1 after the whole header, -1 if the stream is not gzip, 0 before that.
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

/// zlib's return codes.
pub mod code {
    use core::ffi::c_int;
    /// Success.
    pub const Z_OK: c_int = 0;
    /// The end of the stream was reached.
    pub const Z_STREAM_END: c_int = 1;
    /// `inflate` needs a preset dictionary to continue.
    pub const Z_NEED_DICT: c_int = 2;
    /// A file operation failed; `errno` has the reason.
    pub const Z_ERRNO: c_int = -1;
    /// The arguments or the state of the stream are invalid.
    pub const Z_STREAM_ERROR: c_int = -2;
    /// The compressed data is damaged.
    pub const Z_DATA_ERROR: c_int = -3;
    /// There is not enough memory.
    pub const Z_MEM_ERROR: c_int = -4;
    /// No progress is possible without more input or more output space. Not fatal.
    pub const Z_BUF_ERROR: c_int = -5;
    /// The program was compiled for an incompatible version of zlib.
    pub const Z_VERSION_ERROR: c_int = -6;
}
