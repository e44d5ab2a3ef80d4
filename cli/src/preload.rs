//! Finds the library to preload: a file with the SONAME `libz.so.1`, in a private folder.

#![forbid(unsafe_code)]

use crate::say::shown;
use std::path::{Path, PathBuf};

/// The variable that names another file; the scripts read it too.
pub(crate) const OVERRIDE: &str = "RIGZ_PRELOAD_FILE";

/// From the folder of this program: an installation's `LIBDIR/rigz`, for the usual forms of `LIBDIR`; then what `scripts/common`
/// places next to `target/release`.
fn places() -> Vec<String> {
    let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
    vec![
        "../lib/rigz/libz.so.1".into(),
        format!("../lib/{triplet}/rigz/libz.so.1"),
        "../lib64/rigz/libz.so.1".into(),
        "../rigz/libz.so.1".into(),
    ]
}

/// The file to preload; the error is a message.
pub(crate) fn library() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os(OVERRIDE).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        return match path.canonicalize() {
            Ok(path) if path.is_file() => Ok(path),
            _ => Err(format!("{OVERRIDE}: no such file: {}", shown(&path))),
        };
    }
    let me =
        std::env::current_exe().map_err(|error| format!("cannot find this command's own path: {error}"))?;
    let folder = me.parent().unwrap_or(Path::new("/"));
    let places = places();
    let found =
        places.iter().filter_map(|place| folder.join(place).canonicalize().ok()).find(|path| path.is_file());
    found.ok_or_else(|| {
        format!(
            "no library in {}, relative to {}; set {OVERRIDE} to its path",
            places.join(", "),
            shown(&folder)
        )
    })
}

/// The value of `LD_PRELOAD`: our library first, since the first one's symbols win; then the user's.
pub(crate) fn variable(library: &Path) -> Result<std::ffi::OsString, String> {
    // The loader treats both as separators, and has no way to escape them.
    if library.as_os_str().as_encoded_bytes().iter().any(|byte| matches!(byte, b' ' | b':')) {
        return Err(format!("the loader cannot preload a path with a space or a colon: {}", shown(&library)));
    }
    let mut value = library.as_os_str().to_owned();
    if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
        value.push(":");
        value.push(others);
    }
    Ok(value)
}
