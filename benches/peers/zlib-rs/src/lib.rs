//! zlib-rs as a C shared library, for the benchmarks. It re-exports libz-rs-sys, as zlib-rs's own crate libz-rs-sys-cdylib does;
//! that crate is only a cdylib, so cargo cannot use it as a dependency.
#![forbid(unsafe_code)]

pub use libz_rs_sys::*;
