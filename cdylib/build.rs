//! Links `librigz.so` with its SONAME and zlib's version nodes.

#[path = "../build/link.rs"]
mod link;

fn main() {
    link::as_librigz_so();
}
