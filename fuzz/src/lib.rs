//! The comparisons of the fuzz targets. Each target is a function that takes the input's bytes and panics if results differ.
//!
//! An input consists of content (a compressed stream, a file, or data to compress) and a *script* of choices (which call, how much
//! input, how much output space); [`split`] separates them. Guided by coverage, the fuzzer changes both.
//!
//! [`calls`] uses the testers of `tests/sequences`, which make random calls to our library and to the system's zlib, and know every
//! case in which results may differ. Here the script makes their choices and the content is hostile. [`engines`] compares our own
//! parts with each other, below the C interface.
//!
//! Our library is linked in, so that it is instrumented. The judge, the system's zlib, is loaded at run time. Our functions are not
//! visible to the dynamic linker, so the judge's internal calls cannot be bound to them.

pub mod calls;
pub mod engines;
mod linked;
pub mod seeds;

// The testers refer to each other as `crate::...`, so all are modules of this crate; the targets use only parts of each.
#[allow(dead_code)]
#[path = "../../tests/sequences/decoder.rs"]
mod decoder;
#[allow(dead_code)]
#[path = "../../tests/sequences/deflate.rs"]
mod deflate;
#[allow(dead_code)]
#[path = "../../tests/sequences/deflate_pair.rs"]
mod deflate_pair;
#[allow(dead_code)]
#[path = "../../tests/sequences/gz.rs"]
mod gz;
#[allow(dead_code)]
#[path = "../../tests/sequences/gz_read.rs"]
mod gz_read;
#[allow(dead_code)]
#[path = "../../tests/sequences/gz_write.rs"]
mod gz_write;
#[allow(dead_code)]
#[path = "../../tests/sequences/inflate.rs"]
mod inflate;
#[allow(dead_code)]
#[path = "../../tests/sequences/inflate_back.rs"]
mod inflate_back;
#[path = "../../tests/judge/mod.rs"]
mod judge;
#[path = "../../src/random.rs"]
mod numbers;
#[allow(dead_code)]
#[path = "../../tests/sequences/oneshot.rs"]
mod oneshot;
#[allow(dead_code)]
#[path = "../../tests/sequences/params.rs"]
mod params;
#[allow(dead_code)]
#[path = "../../tests/sequences/port.rs"]
mod port;
#[allow(dead_code)]
#[path = "../../tests/sequences/random.rs"]
mod random;
#[allow(dead_code)]
#[path = "../../tests/sequences/run.rs"]
mod run;
#[allow(dead_code)]
#[path = "../../tests/sequences/streams.rs"]
mod streams;
#[allow(dead_code)]
#[path = "../../tests/sequences/zlib.rs"]
mod zlib;

/// Splits an input into content and script. The last byte is the length of the script, which is before it; if it exceeds the rest,
/// all of the rest is script. The content is at the front, so a seed can begin with an unchanged stream.
pub fn split(input: &[u8]) -> (&[u8], &[u8]) {
    match input.split_last() {
        Some((&len, rest)) => rest.split_at(rest.len() - usize::from(len).min(rest.len())),
        None => (input, input),
    }
}

/// The inverse of [`split`].
pub fn join(content: &[u8], script: &[u8]) -> Vec<u8> {
    let len = u8::try_from(script.len()).expect("a script of 255 bytes at most");
    [content, script, &[len]].concat()
}
