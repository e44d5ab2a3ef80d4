//! The encoder engines: DEFLATE (RFC 1951) from input that arrives in pieces, on one thread.
//!
//! ```text
//! match finder -> parser -> open block of tokens -> emitter -> output
//! ```
//!
//! - `match_finder` finds earlier occurrences of the bytes at a position.
//! - `parse` chooses which of those matches save bits.
//! - `token` stores the open block's literals and matches and counts symbols; `block_split` decides where the block ends.
//! - `block` finds the shortest form (stored, fixed, dynamic) and its code, with `huffman`; `emitter` writes the block while the
//!   output has room.
//! - `level` is the table of each level's parser and parameters.
//!
//! Two encoders are built from these parts:
//!
//! - [`ChunkEncoder`] compresses *chunks*: bulk data in pieces of 128 KiB and more. Each is preceded by a window of up to 32 KiB
//!   that matches may refer to. A chunk becomes a run of blocks that depends only on its level, its input, its window and its
//!   end. So any number of encoders can encode the chunks of a stream in any order, and the results are concatenated. The
//!   encoder's tables take up to 1 MiB and belong to the library, which lends them to one stream after another.
//! - [`MessageEncoder`] compresses everything else: short messages between two flushes, small windows, little memory. It keeps
//!   its history between messages and allocates everything with the caller's allocator, no more than zlib would.
//!
//! Both guarantee three properties. **The output depends only on the input and its flushes**, not on how calls split the input or
//! the output: decisions are made on a grid counted from the chunk's first byte, once all bytes they depend on have arrived.
//! **Output is written as soon as it is decided**: only the open block and a few KiB not yet parsed are held back. **No output
//! is longer than the input in stored blocks** ([`bound`]).

mod block;
mod block_split;
mod chunk;
mod emitter;
mod entropy;
mod huffman;
mod level;
mod match_finder;
mod message;
mod parse;
mod token;

pub use crate::format::params::Level;
pub use chunk::{ChunkEncoder, Progress};
pub use emitter::bound;
pub use message::{MessageEncoder, MessageSettings};

/// How a chunk or a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkEnd {
    /// Ends with an empty stored block (00 00 FF FF) at a byte boundary; more may follow (`Z_SYNC_FLUSH`).
    Sync,
    /// Ends with an empty fixed block of 10 bits (`Z_PARTIAL_FLUSH`).
    Partial,
    /// Ends with the end of its last block; the last byte may be incomplete (`Z_BLOCK`).
    Block,
    /// The last block is final, and the last byte is padded.
    Finish,
}

/// The bits of an output byte that is not complete yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingBits {
    /// The bits, starting at the lowest.
    pub bits: u8,
    /// The number of bits, 0 to 7.
    pub count: u32,
}
