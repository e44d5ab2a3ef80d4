//! Finds the library under test.

use std::path::{Path, PathBuf};

/// The shared library that `RIGZ_LIB` names, else the one that cargo built for this test's profile. Panics if there is none.
pub(crate) fn library() -> PathBuf {
    if let Some(path) = std::env::var_os("RIGZ_LIB") {
        // Tests run in cdylib/; a relative path is meant from the root of the checkout.
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path);
        assert!(path.is_file(), "RIGZ_LIB names no file: {}", path.display());
        return path.canonicalize().expect("the file exists");
    }
    // This program is target/PROFILE/deps/NAME-HASH. `cargo build` writes the library to target/PROFILE, `cargo test` to deps.
    let me = std::env::current_exe().expect("the test has a path");
    let deps = me.parent().expect("a file is in a folder");
    let profile = deps.parent().expect("deps is in a profile's folder");
    [deps, profile]
        .iter()
        .map(|folder| folder.join("librigz.so"))
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok())
        .unwrap_or_else(|| {
            panic!("no librigz.so in {}: run `cargo build` or set RIGZ_LIB", profile.display())
        })
}
