//! The decoder engine: DEFLATE (RFC 1951) from slices to slices.
//!
//! It uses no threads, files or C types. The parts, lowest layer first:
//!
//! - `table`: builds packed lookup tables from codeword lengths, by zlib's rules for valid codes;
//! - `bit_reader`, `history`: the input as bits, the output as a buffer whose earlier elements can be repeated;
//! - `fast`: the loop that decodes nearly everything, while input and output have slack;
//! - `blocks`: the block machine around it, which can stop between any two bits;
//! - `window`, `wrap`, `stream`: [`Inflate`], a stream that continues across calls, with zlib's exact behaviour;
//!   `stream::bookmark` returns to a place in the middle of one;
//! - `finder`, `marked`, `resolve`: where in the middle of a stream to begin, decoding from there with an
//!   unknown window, and turning the result into bytes once the window is known;
//! - `one_shot`: [`decode`] and [`decode_zlib`], a whole stream from one slice into one buffer.
//!
//! docs/DECODER.md has measurements, and the alternatives that were tried.

mod bit_reader;
mod blocks;
mod fast;
mod finder;
mod history;
mod marked;
mod message;
mod one_shot;
mod resolve;
mod stream;
mod table;
mod window;
mod wrap;

pub use finder::{Search, Start, find_start};
pub use marked::{Marked, Waypoint};
#[cfg(any(test, feature = "internals"))]
pub use one_shot::{Decoded, decode};
pub use one_shot::{End, decode_zlib};
pub use resolve::Resolver;
pub use stream::{Bookmark, Goal, Inflate};
pub use window::{Scratch, ScratchMemory};
pub use wrap::HeaderPart;

#[cfg(test)]
mod tests {
    use crate::deflate::{ChunkEncoder, ChunkEnd, Level};
    use crate::random::Random;

    /// Text with near and far repeats.
    pub(super) fn sample(len: usize) -> Vec<u8> {
        let mut data = Vec::new();
        let mut random = Random::new(1);
        while data.len() < len {
            match random.below(4) {
                0 => data.extend_from_slice(format!("{} ", random.below(1 << 20)).as_bytes()),
                1 => data.extend(std::iter::repeat_n(random.pick(b"xy"), random.below(64))),
                _ => {
                    let reach = data.len().min(32_000);
                    if reach > 0 {
                        let far = random.below(reach);
                        let start = data.len() - 1 - far;
                        (start..start + 20.min(far)).for_each(|at| data.push(data[at]));
                    }
                }
            }
        }
        data.truncate(len);
        data
    }

    /// A raw DEFLATE stream of `data`.
    pub(super) fn deflated(data: &[u8], level: u32) -> Vec<u8> {
        let level = Level::new(level).expect("a level of ours");
        let mut stream = Vec::new();
        let mut encoder = ChunkEncoder::new().expect("memory for an encoder");
        encoder.encode_to_vec(level, data, 0, ChunkEnd::Finish, &mut stream).expect("memory for a stream");
        stream
    }
}
