//! Check values and their combinations.

use super::boundary::slice;
use super::types::{uInt, uLong, z_off_t, z_off64_t, z_size_t};
use crate::checksum::{adler32, crc32};

versions! {
    "ZLIB_1.2.2": adler32_combine crc32_combine;
    "ZLIB_1.2.3.3": adler32_combine64 crc32_combine64;
    "ZLIB_1.2.9": adler32_z crc32_z;
    "ZLIB_1.2.12": crc32_combine_gen crc32_combine_gen64 crc32_combine_op;
}

/// Adler-32 of `len` bytes at `buf`, going on from `adler`; the initial value when `buf` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adler32(adler: uLong, buf: *const u8, len: uInt) -> uLong {
    // SAFETY: the same contract.
    unsafe { adler32_z(adler, buf, len as z_size_t) }
}

/// As `adler32`, with a `size_t` length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn adler32_z(adler: uLong, buf: *const u8, len: z_size_t) -> uLong {
    if buf.is_null() {
        return uLong::from(adler32::INITIAL);
    }
    // SAFETY: the program promises `len` bytes.
    uLong::from(adler32::update(adler as u32, unsafe { slice(buf, len) }))
}

/// CRC-32 of `len` bytes at `buf`, going on from `crc`; the initial value when `buf` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn crc32(crc: uLong, buf: *const u8, len: uInt) -> uLong {
    // SAFETY: the same contract.
    unsafe { crc32_z(crc, buf, len as z_size_t) }
}

/// As `crc32`, with a `size_t` length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn crc32_z(crc: uLong, buf: *const u8, len: z_size_t) -> uLong {
    if buf.is_null() {
        return uLong::from(crc32::INITIAL);
    }
    // SAFETY: the program promises `len` bytes.
    uLong::from(crc32::update(crc as u32, unsafe { slice(buf, len) }))
}

/// Adler-32 of two parts in a row, `len2` being the second's length; all ones when that is negative.
#[unsafe(no_mangle)]
pub extern "C" fn adler32_combine(adler1: uLong, adler2: uLong, len2: z_off_t) -> uLong {
    adler32_combine64(adler1, adler2, len2)
}

/// As `adler32_combine`.
#[unsafe(no_mangle)]
pub extern "C" fn adler32_combine64(adler1: uLong, adler2: uLong, len2: z_off64_t) -> uLong {
    let combine = |len| adler32::combine(adler1 as u32, adler2 as u32, len);
    uLong::from(u64::try_from(len2).map_or(u32::MAX, combine))
}

/// CRC-32 of two parts in a row, `len2` being the second's length; 0 when that is negative.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine(crc1: uLong, crc2: uLong, len2: z_off_t) -> uLong {
    crc32_combine64(crc1, crc2, len2)
}

/// As `crc32_combine`.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine64(crc1: uLong, crc2: uLong, len2: z_off64_t) -> uLong {
    let combine = |len| crc32::combine(crc1 as u32, crc2 as u32, len);
    uLong::from(u64::try_from(len2).map_or(0, combine))
}

/// The operator for a second part of `len2` bytes, for `crc32_combine_op`; 0 when that is negative.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine_gen(len2: z_off_t) -> uLong {
    crc32_combine_gen64(len2)
}

/// As `crc32_combine_gen`.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine_gen64(len2: z_off64_t) -> uLong {
    uLong::from(u64::try_from(len2).map_or(0, crc32::operator))
}

/// CRC-32 of two parts in a row, the operator standing for the second's length.
#[unsafe(no_mangle)]
pub extern "C" fn crc32_combine_op(crc1: uLong, crc2: uLong, op: uLong) -> uLong {
    uLong::from(crc32::apply(op as u32, crc1 as u32, crc2 as u32))
}
