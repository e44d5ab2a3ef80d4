//! The gz tester: random sequences of gz* calls on real files, to write (`gz_write.rs`) and to read (`gz_read.rs`).

use std::ffi::{CString, c_int};
use std::path::Path;

use crate::random::Rng;
use crate::run::{Setup, Trace, Verdict};
use crate::zlib::{GzFile, Zlib, text};

pub(crate) fn run(setup: &Setup, seed: u64, trace: &mut Trace) -> Verdict {
    let mut rng = Rng::new(seed);
    let is_large = setup.is_large(seed);
    let max = if is_large { 6 << 20 } else { 200_000 };
    if rng.chance(45) {
        crate::gz_write::run(setup, max, &mut rng, trace)
    } else {
        crate::gz_read::run(setup, max, &mut rng, trace)
    }
}

pub(crate) fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_encoded_bytes()).expect("a path has no zero byte")
}

/// Opens through gzopen, or through gzdopen on a descriptor that gzclose then closes.
pub(crate) fn open(lib: &Zlib, path: &Path, mode: &str, by_descriptor: bool) -> GzFile {
    let c_mode = CString::new(mode).expect("a mode has no zero byte");
    if !by_descriptor {
        return lib.gzopen(c_path(path).as_ptr(), c_mode.as_ptr());
    }
    let flags = match mode.as_bytes()[0] {
        b'r' => libc::O_RDONLY,
        b'a' => libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND,
        _ => libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC,
    };
    // SAFETY: the path is a zero-terminated string.
    let fd = unsafe { libc::open(c_path(path).as_ptr(), flags | libc::O_CLOEXEC, 0o600) };
    assert!(fd >= 0, "our own file can be opened");
    let file = lib.gzdopen(fd, c_mode.as_ptr());
    if file.is_null() {
        // SAFETY: if gzdopen fails, the descriptor is still ours.
        unsafe { libc::close(fd) };
    }
    file
}

/// gzerror's code, and its text without the leading path (each library has its own file).
pub(crate) fn error(lib: &Zlib, file: GzFile) -> (c_int, String) {
    let mut code: c_int = 99;
    let message = text(lib.gzerror(file, &mut code));
    let message = match message.split_once(": ") {
        Some((path, rest)) if path.starts_with('/') || path.starts_with("<fd:") => format!("PATH: {rest}"),
        _ => message,
    };
    (code, message)
}
