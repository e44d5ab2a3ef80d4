//! `librigz.so` and `librigz.a`: the exports of the `rigz` crate (`src/capi`), and nothing else.
//!
//! rustc exports the `#[no_mangle]` functions of the crates that a C library links. `build.rs` adds
//! the SONAME, zlib's version nodes and `-z nodelete`.

#![forbid(unsafe_code)]

extern crate engine as _;
