//! The gz functions behave like zlib's: most tests make the same calls on the system's libz and on this crate, and compare the
//! results. Where this crate intentionally differs (PORTING.md, "gzip files"), a test states the result expected from this crate,
//! and compares with zlib only what must be equal. Features that the system's libz may lack, such as non-blocking descriptors, are
//! tested on this crate alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(clippy::multiple_unsafe_ops_per_block, reason = "several C calls share one safety comment")]

mod api;
mod descriptors;
#[path = "../judge/mod.rs"]
mod judge;
#[path = "../../src/random.rs"]
mod random;
mod reading;
mod seeking;
mod writing;

use random::Random;

/// Compressible text with lines of many lengths, the same on every run.
pub(crate) fn text(len: usize) -> Vec<u8> {
    let words: [&[u8]; 8] =
        [b"window ", b"literal ", b"match ", b"offset ", b"\n", b"block ", b"chunk\n", b"lazy "];
    let mut random = Random::new(1);
    let mut text = Vec::with_capacity(len + 64);
    while text.len() < len {
        text.extend_from_slice(random.pick(&words));
        // A number that hardly ever repeats.
        if random.below(8) == 0 {
            text.extend_from_slice(format!("{:x}", random.next() as u32).as_bytes());
        }
    }
    text.truncate(len);
    text
}

/// Incompressible bytes, the same on every run.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    Random::new(2).bytes(len)
}

/// A gzip member written by the system's zlib, so that tests of reading do not depend on our encoder.
pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let system = api::Api::system();
    let scratch = api::Scratch::new("gzip");
    let path = scratch.path("member");
    let gz = api::Gz::open(&system, &path, "wb").unwrap();
    assert_eq!(gz.write(data), data.len() as i32);
    assert_eq!(gz.close(), 0);
    std::fs::read(&path).unwrap()
}

/// The file's contents as the system's zlib reads them: a gzip file is decompressed, any other file is read unchanged.
pub(crate) fn gunzip(path: &std::path::Path) -> Vec<u8> {
    let system = api::Api::system();
    let gz = api::Gz::open(&system, path, "rb").unwrap();
    let (status, data) = gz.read_all(65536);
    assert_eq!((status, gz.error().0), (0, 0), "{}: {:?}", path.display(), gz.error());
    assert_eq!(gz.close(), 0);
    data
}
