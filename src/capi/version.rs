//! The library's information about itself: version, features and texts.

use super::boundary::text;
use super::types::{uLong, z_crc_t};
use crate::checksum::crc32::TABLE;
use core::ffi::{c_char, c_int};

versions! {
    "ZLIB_1.2.0.2": zlibCompileFlags;
}

/// Returns the version of the zlib interface, `"1.3.1"`: a static string that must not be freed.
/// It has only digits and dots, and begins with 1, because programs such as CPython, libpng and git
/// parse and compare it. The functions of 1.3.2 exist too, but some behaviour is that of 1.3.1 (see
/// PORTING.md).
/// Errors: none.
#[unsafe(no_mangle)]
pub extern "C" fn zlibVersion() -> *const c_char {
    c"1.3.1".as_ptr()
}

/// Returns the version of rigz itself, such as `"0.1.0"`: a static string that must not be freed.
/// If `dlsym(RTLD_DEFAULT, "rigz_version")` finds it, rigz is loaded; another zlib may be as well.
/// Errors: none.
#[unsafe(no_mangle)]
pub extern "C" fn rigz_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Returns the sizes of types and the build options, as bits that the zlib manual lists.
/// The value is 0xa9: a 32-bit `uInt`; 64-bit `uLong`, pointers and `z_off_t`; no other option.
/// Errors: none.
#[unsafe(no_mangle)]
pub extern "C" fn zlibCompileFlags() -> uLong {
    const UINT_32: uLong = 1;
    const ULONG_64: uLong = 2 << 2;
    const POINTER_64: uLong = 2 << 4;
    const OFFSET_64: uLong = 2 << 6;
    UINT_32 | ULONG_64 | POINTER_64 | OFFSET_64
}

/// Returns the text for the return code `code`, such as `"data error"` for `Z_DATA_ERROR`.
/// The string is static and must not be freed. It is empty for `Z_OK` and unknown codes.
/// Errors: none.
#[unsafe(no_mangle)]
pub extern "C" fn zError(code: c_int) -> *const c_char {
    text(code).as_ptr()
}

/// Returns the table of the CRC-32 algorithm: 256 entries, one for each byte value.
/// The table is static and must not be changed or freed.
/// Errors: none.
#[unsafe(no_mangle)]
pub extern "C" fn get_crc_table() -> *const z_crc_t {
    TABLE.as_ptr()
}
