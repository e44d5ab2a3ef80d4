//! The encoder engines: DEFLATE (RFC 1951) from input that comes piece by piece, on one thread.
//!
//! ```text
//! match finder -> parser -> open block of tokens -> emitter -> output
//! ```
//!
//! - `match_finder`: where did these bytes occur before?
//! - `parse`: which of those matches are worth their bits?
//! - `token` holds the decisions of the open block and counts symbols; `block_split` decides where it ends.
//! - `block` finds the shortest form (stored, fixed, dynamic) and its code, with `huffman`; `emitter` writes it out, as far
//!   as the room goes.
//! - `level` is the table of what each level does.
//!
//! Two encoders are built from these parts:
//!
//! - [`ChunkEncoder`] compresses *chunks*: bulk data in pieces of 128 KiB and more, each with up to 32 KiB before it, the
//!   window, that matches may reach into. A chunk is a run of blocks that depends on nothing but its level, its input, its
//!   window and its end. So the chunks of a stream are encoded in any order, by any number of encoders, and joined.
//!   Its tables take up to 1 MiB and belong to the library, which lends them to one stream after the other.
//! - [`MessageEncoder`] compresses everything else: short messages between two flushes, small windows, little memory. It
//!   keeps its history from message to message, and all its memory is the caller's: no more than zlib would ask for.
//!
//! Promises that shape both: **The output depends on the input and its flushes alone**, not on how calls cut the input or
//! the output: decisions fall on a grid counted from the chunk's first byte, and wait until the bytes they look at are
//! there. **Output leaves as soon as it is decided**: what is held back is the open block and a few KiB not yet parsed.
//! **No output is longer than the input in stored blocks** ([`bound`]).

mod block;
mod block_split;
mod chunk;
mod emitter;
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
    /// An empty stored block (00 00 FF FF) ends it at a byte boundary, and more may follow (`Z_SYNC_FLUSH`).
    Sync,
    /// An empty fixed block of 10 bits ends it (`Z_PARTIAL_FLUSH`).
    Partial,
    /// Its last block ends; the last byte may be incomplete (`Z_BLOCK`).
    Block,
    /// The last block is final, and the last byte filled up.
    Finish,
}

/// The bits of an output byte that is not complete yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingBits {
    /// The bits, from the lowest on.
    pub bits: u8,
    /// How many they are, 0 to 7.
    pub count: u32,
}
