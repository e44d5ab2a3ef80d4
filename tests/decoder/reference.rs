//! The system's zlib, the reference: all functions that these tests call, and wrappers that compress data and decode streams.

use crate::judge::{GzHeader, Library, ZStream};
use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::sync::OnceLock;

macro_rules! symbols {
    ($($name:ident: fn($($arg:ty),*) -> $result:ty;)*) => {
        #[expect(non_snake_case, reason = "the names are zlib's")]
        pub(crate) struct Zlib {
            $(pub(crate) $name: unsafe extern "C" fn($($arg),*) -> $result,)*
        }

        impl Zlib {
            fn load() -> Self {
                let judge = Library::system();
                Self { $($name: {
                    let address = judge.function(stringify!($name));
                    // SAFETY: the function's type is that in zlib.h.
                    unsafe { core::mem::transmute::<*mut c_void, unsafe extern "C" fn($($arg),*) -> $result>(address) }
                },)* }
            }
        }
    };
}

symbols! {
    inflateInit2_: fn(*mut ZStream, c_int, *const c_char, c_int) -> c_int;
    inflate: fn(*mut ZStream, c_int) -> c_int;
    inflateEnd: fn(*mut ZStream) -> c_int;
    inflateReset: fn(*mut ZStream) -> c_int;
    inflateResetKeep: fn(*mut ZStream) -> c_int;
    inflateReset2: fn(*mut ZStream, c_int) -> c_int;
    inflateMark: fn(*mut ZStream) -> c_long;
    inflateSync: fn(*mut ZStream) -> c_int;
    inflateSyncPoint: fn(*mut ZStream) -> c_int;
    inflatePrime: fn(*mut ZStream, c_int, c_int) -> c_int;
    inflateValidate: fn(*mut ZStream, c_int) -> c_int;
    inflateCodesUsed: fn(*mut ZStream) -> c_ulong;
    inflateGetHeader: fn(*mut ZStream, *mut GzHeader) -> c_int;
    inflateSetDictionary: fn(*mut ZStream, *const u8, c_uint) -> c_int;
    inflateGetDictionary: fn(*mut ZStream, *mut u8, *mut c_uint) -> c_int;
    deflateInit2_: fn(*mut ZStream, c_int, c_int, c_int, c_int, c_int, *const c_char, c_int) -> c_int;
    deflateSetDictionary: fn(*mut ZStream, *const u8, c_uint) -> c_int;
    deflate: fn(*mut ZStream, c_int) -> c_int;
    deflateEnd: fn(*mut ZStream) -> c_int;
    uncompress2: fn(*mut u8, *mut c_ulong, *const u8, *mut c_ulong) -> c_int;
}

/// zlib's init functions compare only the first character with their own version.
const VERSION: &CStr = c"1.2.11";

/// The system's zlib, loaded by the first call.
pub(crate) fn zlib() -> &'static Zlib {
    static ZLIB: OnceLock<Zlib> = OnceLock::new();
    ZLIB.get_or_init(Zlib::load)
}

impl ZStream {
    pub(crate) fn message(&self) -> Option<&'static CStr> {
        // SAFETY: zlib's messages are string literals, and the library is never closed.
        (!self.msg.is_null()).then(|| unsafe { CStr::from_ptr(self.msg) })
    }
}

/// The parameters of a compression.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) level: i32,
    pub(crate) window_bits: i32,
    pub(crate) mem_level: i32,
    pub(crate) strategy: i32,
    /// The flush value of each call before Z_FINISH, and how many bytes each call gets; 0 means one call for all data.
    pub(crate) flush: (i32, usize),
}

impl How {
    pub(crate) const PLAIN: Self =
        Self { level: 6, window_bits: 15, mem_level: 8, strategy: 0, flush: (0, 0) };
}

impl Zlib {
    /// Compresses `data`, with a preset dictionary unless `dictionary` is empty.
    pub(crate) fn compress(&self, data: &[u8], how: How, dictionary: &[u8]) -> Vec<u8> {
        let mut strm = ZStream::new();
        let size = size_of::<ZStream>() as c_int;
        let (version, p) = (VERSION.as_ptr(), &raw mut *strm);
        // SAFETY: the stream is boxed and does not move while it is open.
        let code = unsafe {
            (self.deflateInit2_)(p, how.level, 8, how.window_bits, how.mem_level, how.strategy, version, size)
        };
        assert_eq!(code, 0, "{how:?}");
        if !dictionary.is_empty() {
            // SAFETY: the dictionary is readable.
            let code =
                unsafe { (self.deflateSetDictionary)(p, dictionary.as_ptr(), dictionary.len() as c_uint) };
            assert_eq!(code, 0);
        }
        // Enough for stored blocks too; a flush adds less than 64 bytes.
        let mut out = vec![0; data.len() * 2 + 4096 + data.len().checked_div(how.flush.1).unwrap_or(0) * 64];
        (strm.next_out, strm.avail_out) = (out.as_mut_ptr(), out.len() as c_uint);
        let step = if how.flush.1 == 0 { data.len().max(1) } else { how.flush.1 };
        for piece in data.chunks(step) {
            (strm.next_in, strm.avail_in) = (piece.as_ptr(), piece.len() as c_uint);
            // SAFETY: `piece` has `avail_in` bytes, and `out` has `avail_out` bytes from `next_out`.
            let code = unsafe { (self.deflate)(&raw mut *strm, how.flush.0) };
            assert_eq!((code, strm.avail_in), (0, 0), "{how:?}");
        }
        // SAFETY: no input is left, and `out` has `avail_out` bytes from `next_out`. 4 is Z_FINISH.
        let code = unsafe { (self.deflate)(&raw mut *strm, 4) };
        assert_eq!(code, 1, "Z_STREAM_END; {how:?}");
        let len = out.len() - strm.avail_out as usize;
        // SAFETY: the stream is open.
        unsafe { (self.deflateEnd)(&raw mut *strm) };
        out.truncate(len);
        out
    }

    /// Opens a decompressor; `None` if zlib rejects the window bits.
    pub(crate) fn inflater(&'static self, window_bits: i32) -> Option<Inflater> {
        let mut strm = ZStream::new();
        // SAFETY: the stream is boxed and does not move while it is open.
        let code = unsafe {
            (self.inflateInit2_)(&raw mut *strm, window_bits, VERSION.as_ptr(), size_of::<ZStream>() as c_int)
        };
        (code == 0).then_some(Inflater { zlib: self, strm })
    }
}

/// An open decompressor of the system's zlib.
pub(crate) struct Inflater {
    pub(crate) zlib: &'static Zlib,
    pub(crate) strm: Box<ZStream>,
}

impl Inflater {
    /// The pointer that zlib's functions take.
    pub(crate) fn ptr(&mut self) -> *mut ZStream {
        &raw mut *self.strm
    }

    /// Calls `inflate` once. Returns its code, and the numbers of bytes consumed and produced.
    pub(crate) fn call(&mut self, input: &[u8], output: &mut [u8], flush: c_int) -> (c_int, usize, usize) {
        (self.strm.next_in, self.strm.avail_in) = (input.as_ptr(), input.len() as c_uint);
        (self.strm.next_out, self.strm.avail_out) = (output.as_mut_ptr(), output.len() as c_uint);
        let ptr = self.ptr();
        // SAFETY: the stream is open; `avail_in` and `avail_out` are the lengths of `input` and `output`.
        let code = unsafe { (self.zlib.inflate)(ptr, flush) };
        (code, input.len() - self.strm.avail_in as usize, output.len() - self.strm.avail_out as usize)
    }

    /// The history, as returned by `inflateGetDictionary`.
    pub(crate) fn dictionary(&mut self) -> Vec<u8> {
        let mut out = vec![0; 32768];
        let mut len = 0;
        let ptr = self.ptr();
        // SAFETY: the stream is open, and `out` is as large as the largest window.
        assert_eq!(unsafe { (self.zlib.inflateGetDictionary)(ptr, out.as_mut_ptr(), &raw mut len) }, 0);
        out.truncate(len as usize);
        out
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        let ptr = self.ptr();
        // SAFETY: the stream is open.
        unsafe { (self.zlib.inflateEnd)(ptr) };
    }
}
