//! zlib-rs as a C shared library: the same re-export that its own libz-rs-sys-cdylib consists of.
//! That crate is a cdylib only and so cannot be named as a dependency.
#![forbid(unsafe_code)]

pub use libz_rs_sys::*;
