//! zlib's functions that compute and combine check values: Adler-32 and CRC-32.

use super::boundary::slice;
use super::types::{uInt, uLong, z_off_t, z_off64_t, z_size_t};
use crate::checksum::{adler32, crc32};

versions! {
    "ZLIB_1.2.2": adler32_combine crc32_combine;
    "ZLIB_1.2.3.3": adler32_combine64 crc32_combine64;
    "ZLIB_1.2.9": adler32_z crc32_z;
    "ZLIB_1.2.12": crc32_combine_gen crc32_combine_gen64 crc32_combine_op;
}

/// Updates the Adler-32 `adler` with the `len` bytes at `buf`. Start with 1, the value for empty
/// data.
/// Returns the new Adler-32, in the low 32 bits; 1 if `buf` is null.
/// Errors: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adler32(adler: uLong, buf: *const u8, len: uInt) -> uLong {
    // SAFETY: the same contract.
    unsafe { adler32_z(adler, buf, len as z_size_t) }
}

/// Same as `adler32`, but `len` is a `z_size_t`.
/// Returns the new Adler-32, in the low 32 bits; 1 if `buf` is null.
/// Errors: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adler32_z(adler: uLong, buf: *const u8, len: z_size_t) -> uLong {
    if buf.is_null() {
        return uLong::from(adler32::INITIAL);
    }
    // SAFETY: the program promises `len` bytes at `buf`.
    uLong::from(adler32::update(adler as u32, unsafe { slice(buf, len) }))
}

/// Updates the CRC-32 `crc` with the `len` bytes at `buf`. Start with 0, the value for empty data.
/// Returns the new CRC-32, in the low 32 bits; 0 if `buf` is null.
/// Errors: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn crc32(crc: uLong, buf: *const u8, len: uInt) -> uLong {
    // SAFETY: the same contract.
    unsafe { crc32_z(crc, buf, len as z_size_t) }
}

/// Same as `crc32`, but `len` is a `z_size_t`.
/// Returns the new CRC-32, in the low 32 bits; 0 if `buf` is null.
/// Errors: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn crc32_z(crc: uLong, buf: *const u8, len: z_size_t) -> uLong {
    if buf.is_null() {
        return uLong::from(crc32::INITIAL);
    }
    // SAFETY: the program promises `len` bytes at `buf`.
    uLong::from(crc32::update(crc as u32, unsafe { slice(buf, len) }))
}

/// Computes the Adler-32 of two concatenated parts of data from the Adler-32 of each.
/// `adler1` belongs to the first part, `adler2` to the second, which is `len2` bytes long.
/// Returns the combined Adler-32.
/// Errors: 0xffffffff if `len2` is negative.
#[unsafe(no_mangle)]
pub extern "C" fn adler32_combine(adler1: uLong, adler2: uLong, len2: z_off_t) -> uLong {
    adler32_combine64(adler1, adler2, len2)
}

/// Same as `adler32_combine`, but `len2` is a `z_off64_t`.
/// Returns the combined Adler-32.
/// Errors: 0xffffffff if `len2` is negative.
#[unsafe(no_mangle)]
pub extern "C" fn adler32_combine64(adler1: uLong, adler2: uLong, len2: z_off64_t) -> uLong {
    let combine = |len| adler32::combine(adler1 as u32, adler2 as u32, len);
    uLong::from(u64::try_from(len2).map_or(u32::MAX, combine))
}

/// Computes the CRC-32 of two concatenated parts of data from the CRC-32 of each.
/// `crc1` belongs to the first part, `crc2` to the second, which is `len2` bytes long.
/// Returns the combined CRC-32.
/// Errors: 0 if `len2` is negative.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine(crc1: uLong, crc2: uLong, len2: z_off_t) -> uLong {
    crc32_combine64(crc1, crc2, len2)
}

/// Same as `crc32_combine`, but `len2` is a `z_off64_t`.
/// Returns the combined CRC-32.
/// Errors: 0 if `len2` is negative.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine64(crc1: uLong, crc2: uLong, len2: z_off64_t) -> uLong {
    let combine = |len| crc32::combine(crc1 as u32, crc2 as u32, len);
    uLong::from(u64::try_from(len2).map_or(0, combine))
}

/// Computes the operator that `crc32_combine_op` needs for a second part of `len2` bytes.
/// One operator serves any number of pairs whose second part has this length.
/// Returns the operator.
/// Errors: 0 if `len2` is negative.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine_gen(len2: z_off_t) -> uLong {
    crc32_combine_gen64(len2)
}

/// Same as `crc32_combine_gen`, but `len2` is a `z_off64_t`.
/// Returns the operator.
/// Errors: 0 if `len2` is negative.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine_gen64(len2: z_off64_t) -> uLong {
    uLong::from(u64::try_from(len2).map_or(0, crc32::operator))
}

/// Same as `crc32_combine`, with the length of the second part given by `op`.
/// `op` comes from `crc32_combine_gen`. This is faster if many second parts have the same length.
/// Returns the combined CRC-32.
/// Errors: none; `op` is not checked.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine_op(crc1: uLong, crc2: uLong, op: uLong) -> uLong {
    uLong::from(crc32::apply(op as u32, crc1 as u32, crc2 as u32))
}
