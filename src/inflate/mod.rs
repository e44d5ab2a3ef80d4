//! The decoder engine: DEFLATE (RFC 1951) from slices to slices.
//!
//! One thread, no file, no C type. The parts, from the bottom:
//!
//! - `table`: codeword lengths to packed lookup tables, zlib's rules on what is a code;
//! - `bit_reader`, `history`: the input as bits, the output as something that can be looked back into;
//! - `fast`: the loop that decodes nearly everything, while both sides have slack;
//! - `blocks`: the block machine around it, which can stop between any two bits;
//! - `window`, `wrap`, `stream`: [`Inflate`], the stream that goes on across calls, with zlib's exact meaning;
//! - `one_shot`: [`decode`], a whole raw stream from one slice into one buffer.
//!
//! docs/DECODER.md tells how fast it is and what was tried.

mod bit_reader;
mod blocks;
mod fast;
mod history;
mod message;
mod one_shot;
#[cfg(fuzzing)]
pub mod probe;
mod stream;
mod table;
mod window;
mod wrap;

pub use one_shot::{Decoded, End, decode};
pub use stream::{Goal, Inflate};
pub use wrap::HeaderPart;
