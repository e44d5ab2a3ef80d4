//! zlib-ng with zlib's API (ZLIB_COMPAT=ON), built by zlib-ng's build system from the sources in the libz-sys crate. libz-sys makes a
//! static `libz.a` in its OUT_DIR, and scripts/bench links it into a shared library with `cc -shared -Wl,--whole-archive`. So the
//! benchmark calls zlib-ng directly.
#![forbid(unsafe_code)]

pub use libz_sys as _;
