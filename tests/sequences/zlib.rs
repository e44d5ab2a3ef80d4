//! A table of zlib's functions, filled by `dlsym` for the library at a path: one table for the judge, which is the system's zlib
//! that our results are compared with, and one for the library under test.
//!
//! `is_rigz` distinguishes them: only rigz exports the symbol `rigz_version`.
//!
//! The methods pass the tester's raw pointers to C, so they are unsafe although they are declared safe: the testers make the
//! calls that a C program could make, valid or not. One SAFETY line, in the macro, covers all of them. Each caller keeps its
//! buffers alive for as long as the library may use them.

pub(crate) use crate::judge::{GzHeader, ZStream};

use crate::judge::Library;
use std::ffi::{CString, c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::path::Path;

pub(crate) const NO_FLUSH: c_int = 0;
pub(crate) const PARTIAL_FLUSH: c_int = 1;
pub(crate) const SYNC_FLUSH: c_int = 2;
pub(crate) const FULL_FLUSH: c_int = 3;
pub(crate) const FINISH: c_int = 4;
pub(crate) const BLOCK: c_int = 5;
pub(crate) const TREES: c_int = 6;

pub(crate) const OK: c_int = 0;
pub(crate) const STREAM_END: c_int = 1;
pub(crate) const NEED_DICT: c_int = 2;
pub(crate) const STREAM_ERROR: c_int = -2;
pub(crate) const DATA_ERROR: c_int = -3;
pub(crate) const MEM_ERROR: c_int = -4;
pub(crate) const BUF_ERROR: c_int = -5;

impl ZStream {
    pub(crate) fn message(&self) -> String {
        text(self.msg)
    }
}

/// C's `struct gzFile_s`: the fields that zlib.h's `gzgetc` macro reads and changes in the calling program.
#[repr(C)]
pub(crate) struct GzHead {
    pub(crate) have: c_uint,
    pub(crate) next: *const u8,
    pub(crate) pos: i64,
}

pub(crate) type GzFile = *mut GzHead;
type GzPrintf = unsafe extern "C" fn(GzFile, *const c_char, ...) -> c_int;
pub(crate) type InFn = unsafe extern "C" fn(*mut c_void, *mut *const u8) -> c_uint;
pub(crate) type OutFn = unsafe extern "C" fn(*mut c_void, *mut u8, c_uint) -> c_int;

/// A message of zlib's as text; "-" for NULL.
pub(crate) fn text(at: *const c_char) -> String {
    if at.is_null() {
        return "-".to_owned();
    }
    // SAFETY: callers pass messages of zlib's: C strings that are static or belong to a stream or file that is still open.
    unsafe { std::ffi::CStr::from_ptr(at) }.to_string_lossy().into_owned()
}

const VERSION: *const c_char = c"1.2.13".as_ptr();
const STREAM_SIZE: c_int = size_of::<ZStream>() as c_int;

macro_rules! functions {
    ($($rust:ident = $c:literal ( $($arg:ident: $ty:ty),* ) -> $ret:ty;)*) => {
        pub(crate) struct Zlib {
            $($rust: unsafe extern "C" fn($($ty),*) -> $ret,)*
            gzprintf: GzPrintf,
            /// The library exports `rigz_version`: it is rigz, or the broken libz of `planted.rs`.
            pub(crate) is_rigz: bool,
        }

        #[allow(clippy::too_many_arguments, reason = "zlib.h sets the number of arguments")]
        impl Zlib {
            /// Loads the library at `path`, or from the loader's search path if `path` has no slash. It is never closed, so the
            /// functions stay valid.
            pub(crate) fn open(path: &Path) -> Result<Self, String> {
                let library = Library::open(path)?;
                Self::of(|name| library.symbol(name))
            }

            /// Fills the table by `symbol`, which returns the address of the function with a name.
            pub(crate) fn of(symbol: impl Fn(&str) -> Result<*mut c_void, String>) -> Result<Self, String> {
                Ok(Zlib {
                    // SAFETY: the type is the function's signature in zlib.h.
                    $($rust: unsafe {
                        std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($ty),*) -> $ret>(symbol($c)?)
                    },)*
                    // SAFETY: as above.
                    gzprintf: unsafe { std::mem::transmute::<*mut c_void, GzPrintf>(symbol("gzprintf")?) },
                    is_rigz: symbol("rigz_version").is_ok(),
                })
            }

            $(
                pub(crate) fn $rust(&self, $($arg: $ty),*) -> $ret {
                    // SAFETY: the caller passes arguments that the zlib manual allows, or for which it defines an error code.
                    unsafe { (self.$rust)($($arg),*) }
                }
            )*
        }
    };
}

functions! {
    deflate_init2_ = "deflateInit2_"(s: *mut ZStream, level: c_int, method: c_int, bits: c_int, mem: c_int,
        strategy: c_int, version: *const c_char, size: c_int) -> c_int;
    deflate = "deflate"(s: *mut ZStream, flush: c_int) -> c_int;
    deflate_end = "deflateEnd"(s: *mut ZStream) -> c_int;
    deflate_set_dictionary = "deflateSetDictionary"(s: *mut ZStream, at: *const u8, len: c_uint) -> c_int;
    deflate_get_dictionary = "deflateGetDictionary"(s: *mut ZStream, at: *mut u8, len: *mut c_uint) -> c_int;
    deflate_copy = "deflateCopy"(to: *mut ZStream, from: *mut ZStream) -> c_int;
    deflate_reset = "deflateReset"(s: *mut ZStream) -> c_int;
    deflate_reset_keep = "deflateResetKeep"(s: *mut ZStream) -> c_int;
    deflate_params = "deflateParams"(s: *mut ZStream, level: c_int, strategy: c_int) -> c_int;
    deflate_tune = "deflateTune"(s: *mut ZStream, good: c_int, lazy: c_int, nice: c_int, chain: c_int) -> c_int;
    deflate_bound = "deflateBound"(s: *mut ZStream, len: c_ulong) -> c_ulong;
    deflate_pending = "deflatePending"(s: *mut ZStream, pending: *mut c_uint, bits: *mut c_int) -> c_int;
    deflate_prime = "deflatePrime"(s: *mut ZStream, bits: c_int, value: c_int) -> c_int;
    deflate_set_header = "deflateSetHeader"(s: *mut ZStream, head: *mut GzHeader) -> c_int;

    inflate_init2_ = "inflateInit2_"(s: *mut ZStream, bits: c_int, version: *const c_char, size: c_int) -> c_int;
    inflate = "inflate"(s: *mut ZStream, flush: c_int) -> c_int;
    inflate_end = "inflateEnd"(s: *mut ZStream) -> c_int;
    inflate_set_dictionary = "inflateSetDictionary"(s: *mut ZStream, at: *const u8, len: c_uint) -> c_int;
    inflate_get_dictionary = "inflateGetDictionary"(s: *mut ZStream, at: *mut u8, len: *mut c_uint) -> c_int;
    inflate_sync = "inflateSync"(s: *mut ZStream) -> c_int;
    inflate_sync_point = "inflateSyncPoint"(s: *mut ZStream) -> c_int;
    inflate_copy = "inflateCopy"(to: *mut ZStream, from: *mut ZStream) -> c_int;
    inflate_reset = "inflateReset"(s: *mut ZStream) -> c_int;
    inflate_reset2 = "inflateReset2"(s: *mut ZStream, bits: c_int) -> c_int;
    inflate_reset_keep = "inflateResetKeep"(s: *mut ZStream) -> c_int;
    inflate_prime = "inflatePrime"(s: *mut ZStream, bits: c_int, value: c_int) -> c_int;
    inflate_mark = "inflateMark"(s: *mut ZStream) -> c_long;
    inflate_get_header = "inflateGetHeader"(s: *mut ZStream, head: *mut GzHeader) -> c_int;
    inflate_undermine = "inflateUndermine"(s: *mut ZStream, on: c_int) -> c_int;
    inflate_validate = "inflateValidate"(s: *mut ZStream, on: c_int) -> c_int;
    inflate_codes_used = "inflateCodesUsed"(s: *mut ZStream) -> c_ulong;
    inflate_back_init_ = "inflateBackInit_"(s: *mut ZStream, bits: c_int, window: *mut u8, version: *const c_char,
        size: c_int) -> c_int;
    inflate_back = "inflateBack"(s: *mut ZStream, read: InFn, read_desc: *mut c_void, write: OutFn,
        write_desc: *mut c_void) -> c_int;
    inflate_back_end = "inflateBackEnd"(s: *mut ZStream) -> c_int;

    compress = "compress"(to: *mut u8, to_len: *mut c_ulong, from: *const u8, len: c_ulong) -> c_int;
    compress2 = "compress2"(to: *mut u8, to_len: *mut c_ulong, from: *const u8, len: c_ulong, level: c_int) -> c_int;
    compress_bound = "compressBound"(len: c_ulong) -> c_ulong;
    uncompress = "uncompress"(to: *mut u8, to_len: *mut c_ulong, from: *const u8, len: c_ulong) -> c_int;
    uncompress2 = "uncompress2"(to: *mut u8, to_len: *mut c_ulong, from: *const u8, len: *mut c_ulong) -> c_int;
    adler32 = "adler32"(sum: c_ulong, at: *const u8, len: c_uint) -> c_ulong;
    crc32 = "crc32"(sum: c_ulong, at: *const u8, len: c_uint) -> c_ulong;

    gzopen = "gzopen"(path: *const c_char, mode: *const c_char) -> GzFile;
    gzdopen = "gzdopen"(fd: c_int, mode: *const c_char) -> GzFile;
    gzbuffer = "gzbuffer"(f: GzFile, size: c_uint) -> c_int;
    gzsetparams = "gzsetparams"(f: GzFile, level: c_int, strategy: c_int) -> c_int;
    gzread = "gzread"(f: GzFile, to: *mut u8, len: c_uint) -> c_int;
    gzfread = "gzfread"(to: *mut u8, size: usize, count: usize, f: GzFile) -> usize;
    gzwrite = "gzwrite"(f: GzFile, from: *const u8, len: c_uint) -> c_int;
    gzfwrite = "gzfwrite"(from: *const u8, size: usize, count: usize, f: GzFile) -> usize;
    gzputs = "gzputs"(f: GzFile, s: *const c_char) -> c_int;
    gzputc = "gzputc"(f: GzFile, byte: c_int) -> c_int;
    gzgets = "gzgets"(f: GzFile, to: *mut u8, len: c_int) -> *mut u8;
    gzgetc = "gzgetc"(f: GzFile) -> c_int;
    gzgetc_ = "gzgetc_"(f: GzFile) -> c_int;
    gzungetc = "gzungetc"(byte: c_int, f: GzFile) -> c_int;
    gzflush = "gzflush"(f: GzFile, flush: c_int) -> c_int;
    gzseek = "gzseek"(f: GzFile, offset: i64, whence: c_int) -> i64;
    gzrewind = "gzrewind"(f: GzFile) -> c_int;
    gztell = "gztell"(f: GzFile) -> i64;
    gzoffset = "gzoffset"(f: GzFile) -> i64;
    gzeof = "gzeof"(f: GzFile) -> c_int;
    gzdirect = "gzdirect"(f: GzFile) -> c_int;
    gzclose = "gzclose"(f: GzFile) -> c_int;
    gzclose_r = "gzclose_r"(f: GzFile) -> c_int;
    gzclose_w = "gzclose_w"(f: GzFile) -> c_int;
    gzerror = "gzerror"(f: GzFile, code: *mut c_int) -> *const c_char;
    gzclearerr = "gzclearerr"(f: GzFile) -> ();
}

impl Zlib {
    pub(crate) fn deflate_init2(&self, s: &mut ZStream, p: &crate::params::Params) -> c_int {
        self.deflate_init2_(
            s,
            p.level,
            p.method,
            p.window_bits,
            p.mem_level,
            p.strategy,
            VERSION,
            STREAM_SIZE,
        )
    }

    pub(crate) fn inflate_init2(&self, s: &mut ZStream, window_bits: c_int) -> c_int {
        self.inflate_init2_(s, window_bits, VERSION, STREAM_SIZE)
    }

    pub(crate) fn inflate_back_init(&self, s: &mut ZStream, window_bits: c_int, window: &mut [u8]) -> c_int {
        self.inflate_back_init_(s, window_bits, window.as_mut_ptr(), VERSION, STREAM_SIZE)
    }

    /// `gzprintf(file, "%s:%d:%c", text, number, letter)`.
    pub(crate) fn gz_print(&self, f: GzFile, text: &CString, number: c_int, letter: u8) -> c_int {
        // SAFETY: the arguments after the format are those that it names, and the text outlives the call.
        unsafe { (self.gzprintf)(f, c"%s:%d:%c".as_ptr(), text.as_ptr(), number, c_int::from(letter)) }
    }
}
