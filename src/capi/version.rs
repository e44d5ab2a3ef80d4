//! The library's information about itself: version, features and texts.

use super::boundary::text;
use super::types::{uLong, z_crc_t};
use crate::checksum::crc32::TABLE;
use core::ffi::{c_char, c_int};

versions! {
    "ZLIB_1.2.0.2": zlibCompileFlags;
}

/// `"1.3.1"`: numeric and with a leading 1, because CPython, libpng and git parse and compare it.
#[unsafe(no_mangle)]
pub extern "C" fn zlibVersion() -> *const c_char {
    c"1.3.1".as_ptr()
}

/// The version of rigz itself, as `"0.1.0"`. Static. A program that finds this symbol runs on rigz.
#[unsafe(no_mangle)]
pub extern "C" fn rigz_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Sizes and features, as the zlib manual lists them: 32-bit `uInt`, 64-bit `uLong`, pointers and `z_off_t`; `gzprintf` by `vsnprintf`.
#[unsafe(no_mangle)]
pub extern "C" fn zlibCompileFlags() -> uLong {
    const UINT_32: uLong = 1;
    const ULONG_64: uLong = 2 << 2;
    const POINTER_64: uLong = 2 << 4;
    const OFFSET_64: uLong = 2 << 6;
    UINT_32 | ULONG_64 | POINTER_64 | OFFSET_64
}

/// zlib's text for one of its results. Static.
#[unsafe(no_mangle)]
pub extern "C" fn zError(code: c_int) -> *const c_char {
    text(code).as_ptr()
}

/// The CRC of each single byte: 256 entries, static.
#[unsafe(no_mangle)]
pub extern "C" fn get_crc_table() -> *const z_crc_t {
    TABLE.as_ptr()
}
