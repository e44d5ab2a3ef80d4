//! The gz functions of two libraries as one type, [`Api`]; an open file of either, [`Gz`]; and [`compare`], which runs a scenario
//! on both libraries and compares the logs.
//!
//! One library is this crate, the other the system's libz, as [`Library::system`] loads it, which is the reference.

use crate::judge::Library;
use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uint, c_void};
use std::path::{Path, PathBuf};

pub(crate) type File = *mut rigz::capi::gz::gzFile_s;

/// The type of `gzprintf`.
type Printf = unsafe extern "C" fn(File, *const c_char, ...) -> c_int;

macro_rules! api {
    ($($name:ident: fn($($arg:ty),*) -> $result:ty;)*) => {
        /// The gz functions of one library.
        pub(crate) struct Api {
            pub(crate) label: &'static str,
            $(pub(crate) $name: unsafe extern "C" fn($($arg),*) -> $result,)*
            pub(crate) gzprintf: Printf,
        }

        impl Api {
            /// This crate.
            pub(crate) fn ours() -> Self {
                let printf = rigz::capi::gz::gzprintf as unsafe extern "C" fn();
                Self {
                    label: "rigz",
                    $($name: rigz::capi::gz::$name,)*
                    // SAFETY: this crate's `gzprintf` is declared without arguments; it jumps to a C function of this type.
                    gzprintf: unsafe { std::mem::transmute::<unsafe extern "C" fn(), Printf>(printf) },
                }
            }

            /// The system's libz.
            pub(crate) fn system() -> Self {
                let libz = Library::system();
                // SAFETY: these are the types of zlib.h.
                unsafe {
                    Self {
                        label: "zlib",
                        $($name: std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($arg),*) -> $result>(
                            libz.function(stringify!($name)),
                        ),)*
                        gzprintf: std::mem::transmute::<*mut c_void, Printf>(libz.function("gzprintf")),
                    }
                }
            }
        }
    };
}

api! {
    gzopen: fn(*const c_char, *const c_char) -> File;
    gzdopen: fn(c_int, *const c_char) -> File;
    gzbuffer: fn(File, c_uint) -> c_int;
    gzsetparams: fn(File, c_int, c_int) -> c_int;
    gzread: fn(File, *mut c_void, c_uint) -> c_int;
    gzfread: fn(*mut c_void, usize, usize, File) -> usize;
    gzwrite: fn(File, *const c_void, c_uint) -> c_int;
    gzfwrite: fn(*const c_void, usize, usize, File) -> usize;
    gzputs: fn(File, *const c_char) -> c_int;
    gzgets: fn(File, *mut c_char, c_int) -> *mut c_char;
    gzputc: fn(File, c_int) -> c_int;
    gzgetc: fn(File) -> c_int;
    gzgetc_: fn(File) -> c_int;
    gzungetc: fn(c_int, File) -> c_int;
    gzflush: fn(File, c_int) -> c_int;
    gzseek: fn(File, c_long, c_int) -> c_long;
    gzrewind: fn(File) -> c_int;
    gztell: fn(File) -> c_long;
    gzoffset: fn(File) -> c_long;
    gzeof: fn(File) -> c_int;
    gzdirect: fn(File) -> c_int;
    gzclose: fn(File) -> c_int;
    gzclose_r: fn(File) -> c_int;
    gzclose_w: fn(File) -> c_int;
    gzerror: fn(File, *mut c_int) -> *const c_char;
    gzclearerr: fn(File) -> ();
}

/// A new directory, removed when the value is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(label: &str) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rigz-gz-{}-{label}-{count}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// What a scenario needs: a library, a directory for its files, and a log. `open` logs its result; the scenario makes the other
/// calls itself and logs their results with `note`.
pub(crate) struct Player<'a> {
    pub(crate) api: &'a Api,
    pub(crate) scratch: Scratch,
    pub(crate) log: Vec<String>,
}

impl<'a> Player<'a> {
    pub(crate) fn new(api: &'a Api) -> Self {
        Self { api, scratch: Scratch::new(api.label), log: Vec::new() }
    }

    pub(crate) fn note(&mut self, line: impl Into<String>) {
        self.log.push(line.into());
    }

    /// Writes the file `name` without either library, and returns its path.
    pub(crate) fn create_file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.scratch.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// `gzopen` of a file in the directory; `None` if it fails.
    pub(crate) fn open(&mut self, name: &str, mode: &str) -> Option<Gz<'a>> {
        let path = self.scratch.path(name);
        let gz = Gz::open(self.api, &path, mode);
        self.note(format!("gzopen({name}, {mode}) = {}", if gz.is_some() { "file" } else { "null" }));
        gz
    }
}

/// Runs `scenario` on both libraries and compares the logs.
pub(crate) fn compare(scenario: impl Fn(&mut Player<'_>)) {
    let (zlib, ours) = both(|player| {
        scenario(player);
        std::mem::take(&mut player.log)
    });
    for (step, (zlib, ours)) in zlib.iter().zip(&ours).enumerate() {
        assert_eq!(zlib, ours, "step {step}: zlib left, rigz right");
    }
    assert_eq!(zlib.len(), ours.len());
    assert!(!zlib.is_empty(), "the scenario logged nothing");
}

/// Runs `scenario` on both libraries, each with a directory and a log of its own. The first result is zlib's.
pub(crate) fn both<T>(scenario: impl Fn(&mut Player<'_>) -> T) -> (T, T) {
    let (zlib, ours) = (Api::system(), Api::ours());
    (scenario(&mut Player::new(&zlib)), scenario(&mut Player::new(&ours)))
}

/// An open file of one library. It is closed only by [`Gz::close`], not when it is dropped.
pub(crate) struct Gz<'a> {
    pub(crate) api: &'a Api,
    pub(crate) file: File,
    path: String,
}

impl<'a> Gz<'a> {
    pub(crate) fn open(api: &'a Api, path: &Path, mode: &str) -> Option<Self> {
        let path = path.to_str().unwrap().to_owned();
        let (c_path, mode) = (CString::new(path.clone()).unwrap(), CString::new(mode).unwrap());
        // SAFETY: two strings that end with a zero.
        let file = unsafe { (api.gzopen)(c_path.as_ptr(), mode.as_ptr()) };
        (!file.is_null()).then_some(Self { api, file, path })
    }

    /// `gzdopen`
    pub(crate) fn adopt(api: &'a Api, fd: c_int, mode: &str) -> Option<Self> {
        let mode = CString::new(mode).unwrap();
        // SAFETY: a string that ends with a zero.
        let file = unsafe { (api.gzdopen)(fd, mode.as_ptr()) };
        (!file.is_null()).then_some(Self { api, file, path: format!("<fd:{fd}>") })
    }

    /// Reads up to `len` bytes; returns `gzread`'s result and the bytes.
    pub(crate) fn read(&self, len: usize) -> (c_int, Vec<u8>) {
        let mut buffer = vec![0xa5u8; len];
        // SAFETY: the buffer has `len` bytes.
        let got = unsafe { (self.api.gzread)(self.file, buffer.as_mut_ptr().cast(), len as c_uint) };
        assert!(i64::from(got) <= len as i64, "gzread returns {got} for a request of {len} bytes");
        buffer.truncate(got.max(0) as usize);
        (got, buffer)
    }

    /// Reads pieces of `len` bytes until the end or an error; returns the last result and all bytes.
    pub(crate) fn read_all(&self, len: usize) -> (c_int, Vec<u8>) {
        let mut all = Vec::new();
        loop {
            let (got, bytes) = self.read(len);
            if got <= 0 {
                return (got, all);
            }
            all.extend_from_slice(&bytes);
        }
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> c_int {
        // SAFETY: the slice has `len()` bytes.
        unsafe { (self.api.gzwrite)(self.file, bytes.as_ptr().cast(), bytes.len() as c_uint) }
    }

    /// Reads a line with `gzgets`; `None` if it returns null. A line ends at the first zero byte, one in the data included.
    pub(crate) fn gets(&self, len: c_int) -> Option<Vec<u8>> {
        let mut buffer = vec![0xa5u8; len.max(1) as usize];
        // SAFETY: the buffer has at least `len` bytes.
        let line = unsafe { (self.api.gzgets)(self.file, buffer.as_mut_ptr().cast(), len) };
        let end = buffer.iter().position(|&byte| byte == 0);
        (!line.is_null()).then(|| buffer[..end.expect("gzgets ends a line with a zero")].to_vec())
    }

    /// Does the same as zlib.h's `gzgetc` macro.
    pub(crate) fn getc_macro(&self) -> c_int {
        // SAFETY: the file is open, and in every libz it begins with these fields. `next` has `have` readable bytes.
        unsafe {
            let head = &mut *self.file;
            if head.have == 0 {
                return (self.api.gzgetc_)(self.file);
            }
            head.have -= 1;
            head.pos += 1;
            let byte = *head.next;
            head.next = head.next.add(1);
            c_int::from(byte)
        }
    }

    /// `gzerror`'s number and message, the latter without the file's path, which differs between the libraries.
    pub(crate) fn error(&self) -> (c_int, String) {
        let mut number = 99;
        // SAFETY: the file is open, and the message is a string.
        let text = unsafe { CStr::from_ptr((self.api.gzerror)(self.file, &mut number)) };
        (number, text.to_str().unwrap().replace(&self.path, "PATH"))
    }

    /// Position, end and error, for the log.
    pub(crate) fn state(&self) -> String {
        let (tell, eof, error) = (self.tell(), self.eof(), self.error());
        format!("tell {tell} eof {eof} error {error:?}")
    }

    pub(crate) fn tell(&self) -> c_long {
        // SAFETY: the file is open.
        unsafe { (self.api.gztell)(self.file) }
    }

    pub(crate) fn eof(&self) -> c_int {
        // SAFETY: the file is open.
        unsafe { (self.api.gzeof)(self.file) }
    }

    pub(crate) fn direct(&self) -> c_int {
        // SAFETY: the file is open.
        unsafe { (self.api.gzdirect)(self.file) }
    }

    pub(crate) fn seek(&self, offset: c_long, whence: c_int) -> c_long {
        // SAFETY: the file is open.
        unsafe { (self.api.gzseek)(self.file, offset, whence) }
    }

    pub(crate) fn rewind(&self) -> c_int {
        // SAFETY: the file is open.
        unsafe { (self.api.gzrewind)(self.file) }
    }

    pub(crate) fn getc(&self) -> c_int {
        // SAFETY: the file is open.
        unsafe { (self.api.gzgetc)(self.file) }
    }

    pub(crate) fn ungetc(&self, c: c_int) -> c_int {
        // SAFETY: the file is open.
        unsafe { (self.api.gzungetc)(c, self.file) }
    }

    pub(crate) fn putc(&self, c: c_int) -> c_int {
        // SAFETY: the file is open.
        unsafe { (self.api.gzputc)(self.file, c) }
    }

    pub(crate) fn puts(&self, text: &str) -> c_int {
        let text = CString::new(text).unwrap();
        // SAFETY: the file is open, the string ends with a zero.
        unsafe { (self.api.gzputs)(self.file, text.as_ptr()) }
    }

    /// `gzprintf("%s", text)`
    pub(crate) fn printf(&self, text: &str) -> c_int {
        let text = CString::new(text).unwrap();
        // SAFETY: the file is open, the strings end with a zero.
        unsafe { (self.api.gzprintf)(self.file, c"%s".as_ptr(), text.as_ptr()) }
    }

    pub(crate) fn flush(&self, flush: c_int) -> c_int {
        // SAFETY: the file is open.
        unsafe { (self.api.gzflush)(self.file, flush) }
    }

    pub(crate) fn set_params(&self, level: c_int, strategy: c_int) -> c_int {
        // SAFETY: the file is open.
        unsafe { (self.api.gzsetparams)(self.file, level, strategy) }
    }

    pub(crate) fn buffer(&self, size: c_uint) -> c_int {
        // SAFETY: the file is open.
        unsafe { (self.api.gzbuffer)(self.file, size) }
    }

    pub(crate) fn clear_error(&self) {
        // SAFETY: the file is open.
        unsafe { (self.api.gzclearerr)(self.file) }
    }

    pub(crate) fn close(self) -> c_int {
        // SAFETY: the file is open, and not used after this.
        unsafe { (self.api.gzclose)(self.file) }
    }
}
