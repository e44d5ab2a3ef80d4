//! zlib-rs as a C shared library: the same re-export as in its libz-rs-sys-cdylib, which is a cdylib and so cannot be a dependency.
#![forbid(unsafe_code)]

pub use libz_rs_sys::*;
