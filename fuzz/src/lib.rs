//! What the fuzz targets hold equal. Each target is a function from bytes to a panic or none.
//!
//! An input's bytes are the fuzzer's to choose, and serve two purposes: content (a compressed stream, a file, something to compress),
//! and a *script* of choices (which call, how much of the input, how much room). [`split`] tells where one ends and the other
//! begins. Coverage steers both.
//!
//! [`calls`] lends the testers of `tests/sequences`, which make random calls on ours and on the system's zlib and know every
//! place where an equal answer is not asked for; here the script makes the choices and the content is hostile. [`engines`]
//! holds our own parts against each other, below the C border.
//!
//! Ours is linked in, so that it is instrumented; the judge is loaded by path, and must not be able to call ours.

pub mod calls;
pub mod engines;
mod linked;
pub mod seeds;

// The testers know each other by these paths; the targets use a part of each.
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

/// Content and script. The last byte tells how long the script before it is, so that content can be a stream as it stands.
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
