//! Loads a shared library that has zlib's API, and wraps the calls that the benchmark makes.
//!
//! The library is opened with RTLD_LOCAL and RTLD_DEEPBIND: calls between its own functions (gzwrite to deflate, deflate to crc32)
//! then reach itself and not another zlib in the process, such as the *judge*, the system's zlib that checks all output. Symbols are looked up
//! when a handle is made, so a library that lacks one (libdeflate cannot stream) fails with `Failure::Lacks` for that
//! operation only. Every handle owns its stream and ends it when dropped.

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_long, c_uint, c_ulong, c_void};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub const NO_FLUSH: c_int = 0;
pub const SYNC_FLUSH: c_int = 2;
pub const FINISH: c_int = 4;
pub const OK: c_int = 0;
pub const STREAM_END: c_int = 1;
pub const BUF_ERROR: c_int = -5;

/// Window bits for the zlib format.
pub const ZLIB: c_int = 15;
/// Window bits for the gzip format.
pub const GZIP: c_int = 31;
/// Window bits for the raw format.
pub const RAW: c_int = -15;

/// Why an operation has no measurement.
#[derive(Debug)]
pub enum Failure {
    /// The library lacks this function or level: its cell of the table stays empty.
    Lacks(String),
    /// The result is wrong: the row is marked, and the run fails.
    Wrong(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Lacks(what) => write!(f, "lacks {what}"),
            Failure::Wrong(what) => write!(f, "wrong: {what}"),
        }
    }
}

impl std::error::Error for Failure {}

pub type Result<T> = std::result::Result<T, Failure>;

fn wrong<T>(what: impl Into<String>) -> Result<T> {
    Err(Failure::Wrong(what.into()))
}

#[repr(C)]
struct ZStream {
    next_in: *const u8,
    avail_in: c_uint,
    total_in: c_ulong,
    next_out: *mut u8,
    avail_out: c_uint,
    total_out: c_ulong,
    msg: *const c_char,
    state: *mut c_void,
    zalloc: *mut c_void,
    zfree: *mut c_void,
    opaque: *mut c_void,
    data_type: c_int,
    adler: c_ulong,
    reserved: c_ulong,
}

impl ZStream {
    fn boxed() -> Box<ZStream> {
        Box::new(ZStream {
            next_in: std::ptr::null(),
            avail_in: 0,
            total_in: 0,
            next_out: std::ptr::null_mut(),
            avail_out: 0,
            total_out: 0,
            msg: std::ptr::null(),
            state: std::ptr::null_mut(),
            zalloc: std::ptr::null_mut(),
            zfree: std::ptr::null_mut(),
            opaque: std::ptr::null_mut(),
            data_type: 0,
            adler: 0,
            reserved: 0,
        })
    }
}

const STREAM_SIZE: c_int = size_of::<ZStream>() as c_int;
const VERSION: &CStr = c"1.3.1";

type DeflateInit2 =
    unsafe extern "C" fn(*mut ZStream, c_int, c_int, c_int, c_int, c_int, *const c_char, c_int) -> c_int;
type InflateInit2 = unsafe extern "C" fn(*mut ZStream, c_int, *const c_char, c_int) -> c_int;
type Step = unsafe extern "C" fn(*mut ZStream, c_int) -> c_int;
type OnStream = unsafe extern "C" fn(*mut ZStream) -> c_int;
type Copy2 = unsafe extern "C" fn(*mut ZStream, *mut ZStream) -> c_int;
type Compress2 = unsafe extern "C" fn(*mut u8, *mut c_ulong, *const u8, c_ulong, c_int) -> c_int;
type Uncompress = unsafe extern "C" fn(*mut u8, *mut c_ulong, *const u8, c_ulong) -> c_int;
type Bound = unsafe extern "C" fn(c_ulong) -> c_ulong;
type Checksum = unsafe extern "C" fn(c_ulong, *const u8, c_uint) -> c_ulong;
type Text = unsafe extern "C" fn() -> *const c_char;
type GzOpen = unsafe extern "C" fn(*const c_char, *const c_char) -> *mut c_void;
type GzRead = unsafe extern "C" fn(*mut c_void, *mut u8, c_uint) -> c_int;
type GzWrite = unsafe extern "C" fn(*mut c_void, *const u8, c_uint) -> c_int;
type GzGets = unsafe extern "C" fn(*mut c_void, *mut c_char, c_int) -> *mut c_char;
type GzSeek = unsafe extern "C" fn(*mut c_void, c_long, c_int) -> c_long;
type OnFile = unsafe extern "C" fn(*mut c_void) -> c_int;
type GzNumber = unsafe extern "C" fn(*mut c_void, c_int) -> c_int;
type GzPrintf = unsafe extern "C" fn(*mut c_void, *const c_char, ...) -> c_int;

/// An open shared library. Never closed: the process that opened it exits after its measurement.
pub struct Library {
    handle: *mut c_void,
}

impl Library {
    pub fn open(path: &Path) -> Result<Library> {
        let name = c_path(path)?;
        // SAFETY: `name` is a valid C string; loading runs the library's constructors, as the caller intends.
        let handle =
            unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL | libc::RTLD_DEEPBIND) };
        if handle.is_null() {
            return Err(Failure::Lacks(format!(
                "a loadable file at {}: {}",
                path.display(),
                last_dl_error()
            )));
        }
        Ok(Library { handle })
    }

    fn address(&self, name: &CStr) -> Option<*mut c_void> {
        // SAFETY: the handle came from dlopen and is never closed; `name` is a valid C string.
        let found = unsafe { libc::dlsym(self.handle, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    }

    /// Looks up `name` as a function of type `F`, which must be its function pointer type in zlib.h.
    fn function<F: Copy>(&self, name: &CStr) -> Result<F> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let address =
            self.address(name).ok_or_else(|| Failure::Lacks(name.to_string_lossy().into_owned()))?;
        // SAFETY: same size, checked above; the callers in this file pass the type that zlib.h declares for `name`.
        Ok(unsafe { std::mem::transmute_copy::<*mut c_void, F>(&address) })
    }

    /// Returns zlibVersion(), and the library's own version if it exports a function for that.
    pub fn version(&self) -> String {
        let mut words = Vec::new();
        for (name, prefix) in [(c"zlibVersion", ""), (c"rigz_version", "rigz "), (c"peer_version", "")] {
            if let Ok(call) = self.function::<Text>(name) {
                // SAFETY: takes nothing and returns a static C string.
                let text = unsafe { call() };
                if !text.is_null() {
                    // SAFETY: just checked for null; the library promises a terminated static string.
                    let text = unsafe { CStr::from_ptr(text) };
                    words.push(format!("{prefix}{}", text.to_string_lossy()));
                }
            }
        }
        words.join(", ")
    }

    /// Returns the file from which the dynamic linker loaded `crc32`; `None` if it is unknown.
    pub fn file(&self) -> Option<PathBuf> {
        let address = self.address(c"crc32")?;
        // SAFETY: Dl_info is plain pointers, for which all-zero is a valid value.
        let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is writable; dladdr accepts any address.
        let known = unsafe { libc::dladdr(address, &mut info) };
        if known == 0 || info.dli_fname.is_null() {
            return None;
        }
        // SAFETY: dladdr set a terminated file name that is valid as long as the library is loaded.
        let name = unsafe { CStr::from_ptr(info.dli_fname) };
        std::fs::canonicalize(OsStr::from_bytes(name.to_bytes())).ok()
    }

    pub fn compress_bound(&self, len: usize) -> Result<usize> {
        let call: Bound = self.function(c"compressBound")?;
        // SAFETY: takes and returns a number.
        Ok(unsafe { call(len as c_ulong) } as usize)
    }

    pub fn compressor(&self) -> Result<Compressor> {
        self.function(c"compress2").map(Compressor)
    }

    pub fn decompressor(&self) -> Result<Decompressor> {
        self.function(c"uncompress").map(Decompressor)
    }

    /// Returns `crc32` or `adler32`.
    pub fn checksum(&self, name: &CStr) -> Result<impl Fn(u64, &[u8]) -> u64 + use<>> {
        let call: Checksum = self.function(name)?;
        Ok(move |value: u64, data: &[u8]| {
            // SAFETY: the slice is valid for its length, which fits c_uint: it is at most that of a corpus.
            unsafe { call(value as c_ulong, data.as_ptr(), data.len() as c_uint) as u64 }
        })
    }
}

/// compress2.
pub struct Compressor(Compress2);

impl Compressor {
    pub fn run(&self, input: &[u8], output: &mut [u8], level: i32) -> Result<usize> {
        let mut len = output.len() as c_ulong;
        // SAFETY: both slices are valid for the lengths passed with them.
        let code =
            unsafe { (self.0)(output.as_mut_ptr(), &mut len, input.as_ptr(), input.len() as c_ulong, level) };
        if code == OK { Ok(len as usize) } else { wrong(format!("compress2 returned {code}")) }
    }
}

/// uncompress.
pub struct Decompressor(Uncompress);

impl Decompressor {
    pub fn run(&self, input: &[u8], output: &mut [u8]) -> Result<usize> {
        let mut len = output.len() as c_ulong;
        // SAFETY: both slices are valid for the lengths passed with them.
        let code = unsafe { (self.0)(output.as_mut_ptr(), &mut len, input.as_ptr(), input.len() as c_ulong) };
        if code == OK { Ok(len as usize) } else { wrong(format!("uncompress returned {code}")) }
    }
}

/// The result of one call: input bytes consumed, output bytes produced, return code.
pub struct Progress {
    pub consumed: usize,
    pub produced: usize,
    pub code: c_int,
}

/// A deflate or inflate stream.
pub struct Stream {
    strm: Box<ZStream>,
    step: Step,
    reset: OnStream,
    end: OnStream,
}

impl Stream {
    pub fn deflate(library: &Library, level: i32, window_bits: c_int) -> Result<Stream> {
        let init: DeflateInit2 = library.function(c"deflateInit2_")?;
        let mut strm = ZStream::boxed();
        // SAFETY: a zeroed z_stream selects the default allocator; size and version match this layout.
        let code = unsafe { init(&mut *strm, level, 8, window_bits, 8, 0, VERSION.as_ptr(), STREAM_SIZE) };
        if code != OK {
            return Err(Failure::Lacks(format!("deflateInit2 at level {level} ({code})")));
        }
        Ok(Stream {
            strm,
            step: library.function(c"deflate")?,
            reset: library.function(c"deflateReset")?,
            end: library.function(c"deflateEnd")?,
        })
    }

    pub fn inflate(library: &Library, window_bits: c_int) -> Result<Stream> {
        let init: InflateInit2 = library.function(c"inflateInit2_")?;
        let mut strm = ZStream::boxed();
        // SAFETY: as in `deflate`.
        let code = unsafe { init(&mut *strm, window_bits, VERSION.as_ptr(), STREAM_SIZE) };
        if code != OK {
            return wrong(format!("inflateInit2 returned {code}"));
        }
        Ok(Stream {
            strm,
            step: library.function(c"inflate")?,
            reset: library.function(c"inflateReset")?,
            end: library.function(c"inflateEnd")?,
        })
    }

    pub fn step(&mut self, input: &[u8], output: &mut [u8], flush: c_int) -> Progress {
        self.strm.next_in = input.as_ptr();
        self.strm.avail_in = input.len() as c_uint;
        self.strm.next_out = output.as_mut_ptr();
        self.strm.avail_out = output.len() as c_uint;
        // SAFETY: this library opened the stream, and its box keeps it at one address; the pointers and lengths are those of the slices.
        let code = unsafe { (self.step)(&mut *self.strm, flush) };
        Progress {
            consumed: input.len() - self.strm.avail_in as usize,
            produced: output.len() - self.strm.avail_out as usize,
            code,
        }
    }

    /// `deflateCopy()`: a stream in the same state, of the same library.
    pub fn copy(&mut self, library: &Library) -> Result<Stream> {
        let copy: Copy2 = library.function(c"deflateCopy")?;
        let mut strm = ZStream::boxed();
        // SAFETY: the source is an open deflate stream, and the target is writable.
        let code = unsafe { copy(&mut *strm, &mut *self.strm) };
        if code != OK {
            return wrong(format!("deflateCopy returned {code}"));
        }
        Ok(Stream { strm, step: self.step, reset: self.reset, end: self.end })
    }

    pub fn reset(&mut self) -> Result<()> {
        // SAFETY: the stream is open.
        let code = unsafe { (self.reset)(&mut *self.strm) };
        if code == OK { Ok(()) } else { wrong(format!("reset returned {code}")) }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the stream is open and not used again. An unfinished deflate stream returns Z_DATA_ERROR, which is harmless.
        let _ = unsafe { (self.end)(&mut *self.strm) };
    }
}

/// A gzFile and the functions that the benchmark calls on it.
pub struct GzFile {
    file: *mut c_void,
    read: GzRead,
    write: GzWrite,
    putc: GzNumber,
    printf: GzPrintf,
    flush: GzNumber,
    gets: GzGets,
    getc: OnFile,
    seek: GzSeek,
    close: OnFile,
}

impl GzFile {
    pub fn open(library: &Library, path: &Path, mode: &str) -> Result<GzFile> {
        let open: GzOpen = library.function(c"gzopen")?;
        let name = c_path(path)?;
        let mode = CString::new(mode).map_err(|_| Failure::Wrong("mode with a NUL".into()))?;
        // SAFETY: two valid C strings.
        let file = unsafe { open(name.as_ptr(), mode.as_ptr()) };
        if file.is_null() {
            return wrong(format!("gzopen({}) failed", path.display()));
        }
        Ok(GzFile {
            file,
            read: library.function(c"gzread")?,
            write: library.function(c"gzwrite")?,
            putc: library.function(c"gzputc")?,
            printf: library.function(c"gzprintf")?,
            flush: library.function(c"gzflush")?,
            gets: library.function(c"gzgets")?,
            getc: library.function(c"gzgetc")?,
            seek: library.function(c"gzseek")?,
            close: library.function(c"gzclose")?,
        })
    }

    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        // SAFETY: the file is open; the slice is valid for its length.
        let n = unsafe { (self.write)(self.file, data.as_ptr(), data.len() as c_uint) };
        if n as usize == data.len() { Ok(()) } else { wrong(format!("gzwrite returned {n}")) }
    }

    /// Writes one byte.
    pub fn putc(&mut self, byte: u8) -> Result<()> {
        // SAFETY: the file is open.
        let code = unsafe { (self.putc)(self.file, c_int::from(byte)) };
        if code == c_int::from(byte) { Ok(()) } else { wrong(format!("gzputc returned {code}")) }
    }

    /// Writes a line with the format `"%s\n"`.
    pub fn printf_line(&mut self, line: &CStr) -> Result<()> {
        // SAFETY: the file is open, and the format takes one C string.
        let n = unsafe { (self.printf)(self.file, c"%s\n".as_ptr(), line.as_ptr()) };
        if n as usize == line.count_bytes() + 1 { Ok(()) } else { wrong(format!("gzprintf returned {n}")) }
    }

    /// `gzflush(Z_SYNC_FLUSH)`.
    pub fn flush(&mut self) -> Result<()> {
        // SAFETY: the file is open.
        let code = unsafe { (self.flush)(self.file, SYNC_FLUSH) };
        if code == OK { Ok(()) } else { wrong(format!("gzflush returned {code}")) }
    }

    pub fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        // SAFETY: the file is open; the slice is writable for its length.
        let n = unsafe { (self.read)(self.file, into.as_mut_ptr(), into.len() as c_uint) };
        usize::try_from(n).or_else(|_| wrong(format!("gzread returned {n}")))
    }

    /// Reads one line, or as much of it as fits, and returns its length; `None` at the end of the file. Uses strlen, as C programs do.
    pub fn gets(&mut self, into: &mut [u8]) -> Option<usize> {
        // SAFETY: the file is open; the slice is writable for its length.
        let line = unsafe { (self.gets)(self.file, into.as_mut_ptr().cast(), into.len() as c_int) };
        if line.is_null() {
            return None;
        }
        // SAFETY: gzgets returned its buffer, terminated.
        Some(unsafe { libc::strlen(line) })
    }

    /// Calls the function gzgetc; the macro in zlib.h would read from the buffer instead.
    pub fn getc(&mut self) -> Option<u8> {
        // SAFETY: the file is open.
        u8::try_from(unsafe { (self.getc)(self.file) }).ok()
    }

    pub fn seek_to(&mut self, offset: u64) -> Result<()> {
        // SAFETY: the file is open; 0 is SEEK_SET.
        let at = unsafe { (self.seek)(self.file, offset as c_long, 0) };
        if at == offset as c_long { Ok(()) } else { wrong(format!("gzseek({offset}) returned {at}")) }
    }

    pub fn close(self) -> Result<()> {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: the file is open, and `ManuallyDrop` keeps `drop` from closing it a second time.
        let code = unsafe { (this.close)(this.file) };
        if code == OK { Ok(()) } else { wrong(format!("gzclose returned {code}")) }
    }
}

impl Drop for GzFile {
    fn drop(&mut self) {
        // SAFETY: the file is open and not used again.
        let _ = unsafe { (self.close)(self.file) };
    }
}

fn c_path(path: &Path) -> Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Failure::Wrong("path with a NUL".into()))
}

fn last_dl_error() -> String {
    // SAFETY: dlerror has no conditions.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "no reason given".into();
    }
    // SAFETY: just checked for null; dlerror's text is terminated and lives until the next dl call of this thread.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Opens the system's zlib, which checks the output of all libraries. Call this before another libz.so.1 is loaded.
pub fn judge() -> Result<Library> {
    Library::open(Path::new("libz.so.1"))
}
