//! zlib-ng as its own build system makes it, in zlib's names (ZLIB_COMPAT=ON), from the sources that the libz-sys crate carries.
//! Nothing stands between the bench and it: libz-sys leaves a static `libz.a` in its OUT_DIR and scripts/bench turns
//! that archive into a shared library with `cc -shared -Wl,--whole-archive`.
#![forbid(unsafe_code)]

pub use libz_sys as _;
