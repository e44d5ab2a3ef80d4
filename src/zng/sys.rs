//! The zlib-ng functions that we call. libz-ng-sys provides the archive and the struct, but declares only some of the functions
//! (and one with the wrong parameters), so all of them are declared here, as in zlib-ng 2.3's `zlib-ng.h`.

#![allow(non_camel_case_types, reason = "the C names")]

pub(super) use libz_ng_sys::z_stream;

unsafe extern "C" {
    pub(super) fn zng_deflateInit2(
        strm: *mut z_stream,
        level: i32,
        method: i32,
        window_bits: i32,
        mem_level: i32,
        strategy: i32,
    ) -> i32;
    pub(super) fn zng_deflate(strm: *mut z_stream, flush: i32) -> i32;
    pub(super) fn zng_deflateEnd(strm: *mut z_stream) -> i32;
    pub(super) fn zng_deflateReset(strm: *mut z_stream) -> i32;
    pub(super) fn zng_deflateResetKeep(strm: *mut z_stream) -> i32;
    pub(super) fn zng_deflateParams(strm: *mut z_stream, level: i32, strategy: i32) -> i32;
    pub(super) fn zng_deflateTune(strm: *mut z_stream, good: i32, lazy: i32, nice: i32, chain: i32) -> i32;
    pub(super) fn zng_deflatePending(strm: *mut z_stream, pending: *mut u32, bits: *mut i32) -> i32;
    pub(super) fn zng_deflatePrime(strm: *mut z_stream, bits: i32, value: i32) -> i32;
    pub(super) fn zng_deflateCopy(dest: *mut z_stream, source: *mut z_stream) -> i32;
    pub(super) fn zng_deflateSetDictionary(strm: *mut z_stream, dictionary: *const u8, len: u32) -> i32;
    pub(super) fn zng_deflateGetDictionary(strm: *mut z_stream, dictionary: *mut u8, len: *mut u32) -> i32;
}
