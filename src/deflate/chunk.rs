//! `ChunkEncoder`: encodes one chunk after another, each from input that may arrive in pieces.
//!
//! ```text
//! loop: write all decided output that fits              out of room: return NeedsRoom
//!       the chunk's end is written:                     return Done
//!       a block was written: open the next one
//!       a block is due: choose its form and start to write it
//!       parse the next span of 1 KiB                    not arrived yet: return NeedsInput
//! ```
//!
//! The order matters. A block's tokens stay in the open block until all of them are written, and
//! the parser waits for that: there is one token memory, and no output buffer. So each turn begins
//! with writing, and only an idle emitter lets the parser go on. A call that returns may be
//! continued at any later time, since everything is in the struct: the emitter's position in the
//! block, the parser's position in the input, and three flags.
//!
//! A chunk starts with fresh state and its window, independent of earlier chunks. So a stream's
//! chunks may be encoded by several encoders in any order. In return each chunk enters its window
//! in the tables, and its statistics start empty: docs/ENCODER.md has the figures.
//!
//! The output depends only on the arguments, not on how the input arrived: the parsers stop at a
//! grid of 1 KiB counted from the chunk's first byte, and parse a span only when all bytes that its
//! decisions depend on are there.

use super::block_split::MIN_BLOCK;
#[cfg(any(test, feature = "internals"))]
use super::emitter::bound;
use super::emitter::{Decision, Emitter, STORED_MIN};
use super::level::Method;
use super::match_finder::distance_rings::DistanceRings;
use super::parse::Arrived;
use super::parse::FlatMemory;
use super::parse::adaptive::Adaptive;
use super::parse::fast::{self, Fast, FastTable};
use super::parse::near_optimal::{Memory, NearOptimal};
use super::token::{OpenBlock, TOKEN_SLACK};
use super::{ChunkEnd, Level, PendingBits};
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Allocator, Output, Placed};

/// Tokens after which a block ends. The memory holds a reserve more ([`TOKEN_SLACK`]), so the
/// tokens of a whole span always fit.
const BLOCK_TOKENS: usize = 32 << 10;

/// How far [`advance`](ChunkEncoder::advance) got, and why it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The output is full.
    NeedsRoom,
    /// All decided output is written; more input, or the end, is needed.
    NeedsInput,
    /// The chunk has ended and is completely written.
    Done,
}

/// The parser of the current chunk: its position and its small state. Large tables are members of
/// the encoder, which lends them for each span, so that later chunks reuse them.
#[expect(clippy::large_enum_variant, reason = "one per engine; `Box::new` aborts if allocation fails")]
#[derive(Debug)]
enum Parser {
    Stored { position: usize },
    Fast(Fast),
    Adaptive(Adaptive),
    NearOptimal(NearOptimal),
}

impl Parser {
    /// Everything before this position is parsed: tokens for it are in the open block, or written.
    fn position(&self) -> usize {
        match self {
            Self::Stored { position } => *position,
            Self::Fast(parser) => parser.position(),
            Self::Adaptive(parser) => parser.position(),
            Self::NearOptimal(parser) => parser.position(),
        }
    }

    /// The minimum saving of a dynamic code, in 256ths of a block of `len` bytes. Level 1 gives up
    /// a small saving for the time to build the code; the other levels do not.
    fn margin(&self, len: usize) -> u32 {
        if matches!(self, Self::Fast(_)) { fast::margin(len) } else { 0 }
    }
}

/// The encoder: tables and buffers that are reused between chunks, and the state of the current
/// chunk. Memory of one level's parser alone is allocated when a chunk first uses that level.
pub struct ChunkEncoder {
    rings: DistanceRings,
    /// For level 1; allocated on first use.
    table: Option<FastTable>,
    /// For levels 10 to 12; allocated on first use.
    near_optimal: Option<Placed<Memory>>,
    /// For levels 3 to 9; allocated on first use.
    flat: Option<Placed<FlatMemory>>,
    /// The tokens that are decided and not written. Between the end of a block and its last bit,
    /// the block that is being written.
    block: OpenBlock,
    emitter: Emitter,
    /// Replaced by `begin`; it does not outlive its chunk.
    parser: Parser,
    /// Where the chunk's own bytes begin, after the window.
    start: usize,
    /// The block ends at the parser's position and is to be written once the output before it is.
    /// Set until the emitter has accepted the block: a pending stored range comes first.
    is_block_due: bool,
    /// The block is being written. When the emitter is idle again, its tokens are dropped. A stored
    /// block does not set this: the emitter writes it from the input.
    is_block_written: bool,
    /// The end mark was passed to the emitter, so nothing may follow. Once the emitter is idle the
    /// chunk is done.
    is_ended: bool,
}

impl ChunkEncoder {
    /// Returns an encoder. Its tables grow with the first chunks, up to 1 MiB, and are kept, as is the additional memory of
    /// levels 10 to 12, up to 8 MiB.
    pub fn new() -> Result<Self> {
        Ok(Self {
            rings: DistanceRings::new()?,
            table: None,
            near_optimal: None,
            flat: None,
            block: OpenBlock::new(BLOCK_TOKENS + TOKEN_SLACK, Allocator::SYSTEM)?,
            emitter: Emitter::new(Allocator::SYSTEM)?,
            parser: Parser::Stored { position: 0 },
            start: 0,
            is_block_due: false,
            is_block_written: false,
            is_ended: false,
        })
    }

    /// Begins a chunk with a window of `window_len` bytes, at most 32768. `is_first`: the chunk is
    /// the first of its segment, so it may be short, and the lazy parser begins with small tables.
    /// `before`: the bits of an output byte begun before the chunk.
    pub fn begin(
        &mut self,
        level: Level,
        window_len: usize,
        is_first: bool,
        before: PendingBits,
    ) -> Result<()> {
        if window_len > WINDOW_SIZE {
            return Err(Error::Stream);
        }
        let start = window_len;
        self.start = start;
        let rings = &mut self.rings;
        self.parser = match level.method() {
            Method::Stored => Parser::Stored { position: start },
            Method::Fast => {
                let table = match &mut self.table {
                    Some(table) => table,
                    none => none.insert(FastTable::new(Allocator::SYSTEM)?),
                };
                Parser::Fast(Fast::new(table, start))
            }
            Method::Adaptive(adaptive) => {
                Parser::Adaptive(Adaptive::new(adaptive, level.is_filtered(), start, !is_first))
            }
            Method::NearOptimal(level) => {
                let memory = match &mut self.near_optimal {
                    Some(memory) => memory,
                    none => none.insert(placed_memory()?),
                };
                Parser::NearOptimal(NearOptimal::new(level, memory, rings, start)?)
            }
        };
        // Positions count from the window's first byte, so the chunk's own bytes begin at `start`,
        // and offsets may reach back to 0.
        self.block.open(start);
        self.block.prepare(BLOCK_TOKENS + TOKEN_SLACK);
        self.emitter.begin(start, before);
        (self.is_block_due, self.is_block_written, self.is_ended) = (false, false, false);
        Ok(())
    }

    /// Continues the chunk. `data` is its window followed by the chunk's bytes that have arrived,
    /// all of them from the first one on: the parsers and the emitter read earlier bytes. If `end`
    /// is given, all of them have arrived, and `end` must be the same in every later call. Writes
    /// to `out` while it has room.
    ///
    /// Fails with `Error::Memory` if the memory of a parser cannot be allocated (levels 2 to 12); the call may be repeated.
    pub fn advance(&mut self, data: &[u8], end: Option<ChunkEnd>, out: &mut Output<'_>) -> Result<Progress> {
        let arrived = Arrived { data, is_whole: end.is_some() };
        loop {
            if !self.emitter.run(self.block.tokens(), data, out) {
                return Ok(Progress::NeedsRoom);
            }
            if self.is_ended {
                return Ok(Progress::Done);
            }
            if self.is_block_written {
                // The parser has not moved since the block ended, so the next one begins at its
                // position.
                self.is_block_written = false;
                self.block.open(self.parser.position());
            }
            if self.is_block_due {
                // The block is written in the next turn. The flag may stay set: if stored bytes
                // must be written before the block, the form is chosen again afterwards.
                self.end_block(data, end);
                continue;
            }
            let position = self.parser.position();
            if arrived.is_whole && position == data.len() && self.block.is_empty() {
                self.end_chunk(end);
                continue;
            }
            match self.parse(arrived)? {
                Some(is_due) => self.is_block_due = is_due,
                None => return Ok(Progress::NeedsInput),
            }
        }
    }

    /// After [`Progress::NeedsInput`]: the length of `data` with which [`advance`](Self::advance) can
    /// continue.
    pub fn needed_len(&self) -> usize {
        Arrived::needed_len(self.start, self.parser.position())
    }

    /// Encodes a whole chunk to `out`, which must have room for [`bound`] bytes.
    pub fn encode(
        &mut self,
        level: Level,
        (data, window_len): (&[u8], usize),
        is_first: bool,
        end: ChunkEnd,
        out: &mut Output<'_>,
    ) -> Result<()> {
        if window_len > data.len() {
            return Err(Error::Stream);
        }
        self.begin(level, window_len, is_first, PendingBits::default())?;
        match self.advance(data, Some(end), out)? {
            Progress::Done => Ok(()),
            Progress::NeedsRoom | Progress::NeedsInput => Err(Error::Buffer),
        }
    }

    #[cfg(any(test, feature = "internals"))]
    /// As [`encode`](Self::encode), appending to a vector. Returns [`used_bits`](Self::used_bits).
    pub fn encode_to_vec(
        &mut self,
        level: Level,
        data: &[u8],
        window_len: usize,
        end: ChunkEnd,
        out: &mut Vec<u8>,
    ) -> Result<u32> {
        let room = bound(data.len().saturating_sub(window_len));
        out.try_reserve(room).map_err(|_| Error::Memory)?;
        let before = out.len();
        let mut output = Output::of_uninit(&mut out.spare_capacity_mut()[..room]);
        self.encode(level, (data, window_len), window_len == 0, end, &mut output)?;
        let count = output.written();
        // SAFETY: `written` counts the bytes after the vector's own that are initialised.
        unsafe { out.set_len(before + count) };
        Ok(self.used_bits())
    }

    /// The bits of the last, incomplete byte of a completed chunk.
    pub fn pending_bits(&self) -> PendingBits {
        self.emitter.pending_bits()
    }

    /// The number of bits in use in the last byte before it was padded, 1 to 8.
    pub fn used_bits(&self) -> u32 {
        self.emitter.used_bits()
    }

    /// The number of bits that are decided but not yet written.
    pub fn waiting_bits(&self) -> u64 {
        self.emitter.remaining_bits(self.block.tokens())
    }

    /// Parses the next span. Returns `None` if it has not arrived, otherwise whether the block ends
    /// there.
    ///
    /// At level 0 the parser only counts. Its blocks have five spans, the first multiple of 1 KiB
    /// that is not below [`MIN_BLOCK`]; the emitter joins them to ranges of [`STORED_MIN`] bytes.
    fn parse(&mut self, arrived: Arrived<'_>) -> Result<Option<bool>> {
        let Self { rings, block, start, flat, .. } = self;
        Ok(match (&mut self.parser, &mut self.table, &mut self.near_optimal) {
            (Parser::Stored { position }, ..) => arrived.span_end(*start, *position).map(|to| {
                *position = to;
                to - block.start >= MIN_BLOCK || to == arrived.data.len()
            }),
            (Parser::Fast(parser), Some(table), _) => parser.advance(arrived, table, block),
            (Parser::Adaptive(parser), ..) => parser.advance(arrived, rings, flat, block)?,
            (Parser::NearOptimal(parser), _, Some(memory)) => {
                parser.advance(arrived, memory, rings, block)?
            }
            // `begin` allocates the memory of these parsers, so this does not happen.
            (Parser::Fast(_) | Parser::NearOptimal(_), ..) => return Err(Error::Stream),
        })
    }

    /// Chooses the form of the block that ends at the parser's position, and starts to write it.
    ///
    /// A stored block is not written at once but joined with its neighbours, which saves up to five
    /// bytes for each block joined. Its tokens are dropped, and the next block begins. A compressed
    /// block must wait until such a range is written.
    fn end_block(&mut self, data: &[u8], end: Option<ChunkEnd>) {
        let to = self.parser.position();
        // The block ends the chunk only if no byte follows it.
        let end = end.filter(|_| to == data.len());
        // All bytes of the chunk are in `data`, so any block may be stored or written as literals.
        let bytes = Some(&data[self.block.start..to]);
        self.block.close();
        let decision = match self.parser {
            Parser::Stored { .. } => Decision::Store,
            _ => self.emitter.plan(
                &self.block,
                to,
                bytes,
                end.is_some(),
                self.parser.margin(to - self.block.start),
            ),
        };
        match decision {
            Decision::Store => {
                self.emitter.store(to);
                self.block.open(to);
                self.is_block_due = false;
                if end.is_some() || self.emitter.waiting() >= STORED_MIN {
                    self.emitter.start_stored(end);
                    self.is_ended = end.is_some();
                }
            }
            // The stored bytes before the block are written first; then the same decision is made
            // again, on the same counts: the block is still due.
            Decision::Compress(_) if self.emitter.waiting() > 0 => self.emitter.start_stored(None),
            Decision::Compress(coding) => {
                self.emitter.start_block(&self.block, coding, bytes, to, end);
                (self.is_block_due, self.is_block_written) = (false, true);
                self.is_ended = end.is_some();
            }
        }
    }

    /// Ends a chunk that has no bytes after its last block, such as an empty one. The end mark
    /// needs no block: [`ChunkEnd::Finish`] then writes an empty final block.
    fn end_chunk(&mut self, end: Option<ChunkEnd>) {
        let Some(end) = end else { return };
        self.is_ended = true;
        if self.emitter.waiting() > 0 {
            self.emitter.start_stored(Some(end));
        } else {
            self.emitter.start_end(end);
        }
    }
}

/// The memory of levels 10 to 12. Not inlined, so that other levels do not pay for the stack space of the move.
#[inline(never)]
fn placed_memory() -> Result<Placed<Memory>> {
    Placed::try_new(Memory::new()?, Allocator::SYSTEM)
}

impl core::fmt::Debug for ChunkEncoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ChunkEncoder").finish_non_exhaustive()
    }
}
