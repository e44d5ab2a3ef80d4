//! Links `librigz.so` as zlib's stand-in.

#[path = "../build/link.rs"]
mod link;

fn main() {
    link::as_librigz_so();
}
