//! Libraries loaded at run time. The judge is the system's zlib, the reference that our results are compared with; it is loaded
//! so that its symbols and ours do not clash.
//!
//! `RTLD_LOCAL` keeps the two apart, and with `RTLD_DEEPBIND` each binds its internal calls to its own functions (sanitizers
//! reject that flag; their processes have no other zlib whose symbols could take precedence). [`Library::system`] proves that it
//! did not load our library: a preloaded or replaced libz.so.1 would be compared with itself and agree with everything.

#![allow(dead_code, reason = "each test uses its part")]

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ulong, c_void};
use std::path::Path;
use std::sync::OnceLock;

/// C's `z_stream` on a 64-bit machine, 112 bytes.
#[repr(C)]
#[derive(Clone)]
pub(crate) struct ZStream {
    pub(crate) next_in: *const u8,
    pub(crate) avail_in: c_uint,
    pub(crate) total_in: c_ulong,
    pub(crate) next_out: *mut u8,
    pub(crate) avail_out: c_uint,
    pub(crate) total_out: c_ulong,
    pub(crate) msg: *const c_char,
    pub(crate) state: *mut c_void,
    pub(crate) zalloc: usize,
    pub(crate) zfree: usize,
    pub(crate) opaque: usize,
    pub(crate) data_type: c_int,
    pub(crate) adler: c_ulong,
    pub(crate) reserved: c_ulong,
}

impl ZStream {
    /// On the heap, because a stream's state points back to it and rejects calls from another address.
    pub(crate) fn new() -> Box<Self> {
        Box::new(ZStream {
            next_in: std::ptr::null(),
            avail_in: 0,
            total_in: 0,
            next_out: std::ptr::null_mut(),
            avail_out: 0,
            total_out: 0,
            msg: std::ptr::null(),
            state: std::ptr::null_mut(),
            zalloc: 0,
            zfree: 0,
            opaque: 0,
            data_type: 0,
            adler: 0,
            reserved: 0,
        })
    }
}

/// C's `gz_header`, 80 bytes.
#[repr(C)]
#[derive(Clone)]
pub(crate) struct GzHeader {
    pub(crate) text: c_int,
    pub(crate) time: c_ulong,
    pub(crate) xflags: c_int,
    pub(crate) os: c_int,
    pub(crate) extra: *mut u8,
    pub(crate) extra_len: c_uint,
    pub(crate) extra_max: c_uint,
    pub(crate) name: *mut u8,
    pub(crate) name_max: c_uint,
    pub(crate) comment: *mut u8,
    pub(crate) comm_max: c_uint,
    pub(crate) hcrc: c_int,
    pub(crate) done: c_int,
}

/// An open zlib, the judge or another. It is never closed: its functions live as long as the process.
#[derive(Clone, Copy)]
pub(crate) struct Library(*mut c_void);

impl Library {
    /// Loads the library at `path`, or from the loader's search path if `path` has no slash.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let name = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|error| error.to_string())?;
        let deepbind = if cfg!(any(fuzzing, rigz_sanitizer)) { 0 } else { libc::RTLD_DEEPBIND };
        let flags = libc::RTLD_NOW | libc::RTLD_LOCAL | deepbind;
        // SAFETY: the path ends with a zero; zlib runs no code when it is loaded, and ours only the code under test.
        let handle = unsafe { libc::dlopen(name.as_ptr(), flags) };
        if handle.is_null() {
            // SAFETY: dlopen just failed on this thread, so dlerror has a message.
            let message = unsafe { libc::dlerror() };
            // SAFETY: a message is a string.
            return Err(unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned());
        }
        Ok(Self(handle))
    }

    /// The judge: the system's zlib, proved not to be ours.
    pub(crate) fn system() -> Self {
        let judge = Self::open("libz.so.1".as_ref()).expect("the tests need the system's libz.so.1");
        assert!(judge.symbol("rigz_version").is_err(), "the judge is rigz itself");
        let file = defining_file(judge.function("zlibVersion"));
        assert!(file.contains("libz.so"), "the judge is {file}");
        judge
    }

    /// The address of a symbol.
    pub(crate) fn symbol(self, name: &str) -> Result<*mut c_void, String> {
        let name = CString::new(name).map_err(|error| error.to_string())?;
        // SAFETY: the handle came from dlopen and was never closed.
        let at = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if at.is_null() { Err(format!("no symbol {name:?}")) } else { Ok(at) }
    }

    /// The address of a function that every zlib has.
    pub(crate) fn function(self, name: &str) -> *mut c_void {
        self.symbol(name).expect("the function is as old as its library")
    }
}

/// The file of the library that holds `symbol`.
fn defining_file(symbol: *mut c_void) -> String {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: `info` is writable.
    assert_ne!(unsafe { libc::dladdr(symbol, info.as_mut_ptr()) }, 0);
    // SAFETY: `dladdr` succeeded, so it filled `info`.
    let info = unsafe { info.assume_init() };
    // SAFETY: `dladdr` gave a string.
    unsafe { CStr::from_ptr(info.dli_fname) }.to_string_lossy().into_owned()
}

type Init = unsafe extern "C" fn(*mut ZStream, c_int, *const c_char, c_int) -> c_int;
type Inflate = unsafe extern "C" fn(*mut ZStream, c_int) -> c_int;
type End = unsafe extern "C" fn(*mut ZStream) -> c_int;

/// The three functions of the system's zlib that decode.
pub(crate) struct Zlib {
    pub(crate) init: Init,
    pub(crate) inflate: Inflate,
    pub(crate) end: End,
}

pub(crate) fn zlib() -> &'static Zlib {
    static ZLIB: OnceLock<Zlib> = OnceLock::new();
    ZLIB.get_or_init(|| {
        let judge = Library::system();
        Zlib {
            // SAFETY: the signature is zlib.h's.
            init: unsafe { core::mem::transmute::<*mut c_void, Init>(judge.function("inflateInit2_")) },
            // SAFETY: the signature is zlib.h's.
            inflate: unsafe { core::mem::transmute::<*mut c_void, Inflate>(judge.function("inflate")) },
            // SAFETY: the signature is zlib.h's.
            end: unsafe { core::mem::transmute::<*mut c_void, End>(judge.function("inflateEnd")) },
        }
    })
}
