//! The system's `libz.so.1`, loaded by `rigz bench` for comparison: its gz functions process standard
//! input to standard output.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::io::{Read, Write};

type Open = unsafe extern "C" fn(c_int, *const c_char) -> *mut c_void;
type Transfer = unsafe extern "C" fn(*mut c_void, *mut c_void, c_uint) -> c_int;
type Close = unsafe extern "C" fn(*mut c_void) -> c_int;

/// Bytes per call.
const PIECE: usize = 1 << 20;

struct Library {
    handle: *mut c_void,
}

impl Library {
    /// The error is a message. It is also an error if that library is rigz.
    fn load() -> Result<Self, String> {
        // SAFETY: a library whose initialisation does nothing.
        let handle = unsafe { libc::dlopen(c"libz.so.1".as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            return Err("there is no libz.so.1".into());
        }
        let library = Self { handle };
        if !library.symbol(c"rigz_version").is_null() {
            return Err("the system's libz.so.1 is rigz".into());
        }
        Ok(library)
    }

    fn symbol(&self, name: &CStr) -> *mut c_void {
        // SAFETY: a handle that is never closed, and a C string.
        unsafe { libc::dlsym(self.handle, name.as_ptr()) }
    }

    fn found(&self, name: &CStr) -> Result<*mut c_void, String> {
        let symbol = self.symbol(name);
        if symbol.is_null() { Err(format!("libz.so.1 lacks {}", name.to_string_lossy())) } else { Ok(symbol) }
    }

    /// A file on a descriptor, and the function that moves its data.
    fn open(&self, descriptor: c_int, mode: &str, transfer: &CStr) -> Result<ZFile, String> {
        // SAFETY: `gzdopen` has this type (zlib.h).
        let open: Open = unsafe { std::mem::transmute(self.found(c"gzdopen")?) };
        // SAFETY: `gzread` and `gzwrite` have this type, except for a `const`.
        let transfer: Transfer = unsafe { std::mem::transmute(self.found(transfer)?) };
        // SAFETY: `gzclose` has this type.
        let close: Close = unsafe { std::mem::transmute(self.found(c"gzclose")?) };
        let mode = CString::new(mode).unwrap_or_default();
        // SAFETY: a descriptor of ours, which it owns from now on, and a C string.
        let file = unsafe { open(descriptor, mode.as_ptr()) };
        if file.is_null() { Err("gzdopen failed".into()) } else { Ok(ZFile { file, transfer, close }) }
    }
}

struct ZFile {
    file: *mut c_void,
    transfer: Transfer,
    close: Close,
}

impl ZFile {
    /// Reads into, or writes from, the buffer.
    fn transfer(&self, buffer: &mut [u8]) -> Result<usize, String> {
        // SAFETY: an open file, and memory of that length.
        let count = unsafe { (self.transfer)(self.file, buffer.as_mut_ptr().cast(), buffer.len() as c_uint) };
        usize::try_from(count).map_err(|_| "zlib failed".into())
    }

    fn close(self) -> Result<(), String> {
        // SAFETY: an open file, which is not used afterwards.
        if unsafe { (self.close)(self.file) } == 0 { Ok(()) } else { Err("gzclose failed".into()) }
    }
}

/// Compresses standard input to standard output.
pub(crate) fn compress(level: u32) -> Result<(), String> {
    let file = Library::load()?.open(1, &format!("wb{level}"), c"gzwrite")?;
    let mut buffer = vec![0; PIECE];
    loop {
        let count = std::io::stdin().read(&mut buffer).map_err(|error| error.to_string())?;
        if count == 0 {
            return file.close();
        }
        if file.transfer(&mut buffer[..count])? != count {
            return Err("gzwrite failed".into());
        }
    }
}

/// Decompresses standard input to standard output.
pub(crate) fn decompress() -> Result<(), String> {
    let file = Library::load()?.open(0, "rb", c"gzread")?;
    let mut buffer = vec![0; PIECE];
    loop {
        let count = file.transfer(&mut buffer)?;
        if count == 0 {
            return file.close();
        }
        std::io::stdout().write_all(&buffer[..count]).map_err(|error| error.to_string())?;
    }
}
