//! `ChunkEncoder`: encodes one chunk after another, each from input that may arrive in pieces.
//!
//! ```text
//! loop: write all decided output that fits
//!       parse the next span of 1 KiB, if enough input has arrived
//!       at the end of a block: choose its form and start to write it
//! ```
//!
//! A chunk starts with fresh state and its window, independent of earlier chunks.

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

/// Maximum tokens in a block.
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

/// The parser of the current chunk.
#[derive(Debug)]
enum Parser {
    Stored { position: usize },
    Fast(Fast),
    Adaptive(Adaptive),
    NearOptimal(NearOptimal),
}

impl Parser {
    fn position(&self) -> usize {
        match self {
            Self::Stored { position } => *position,
            Self::Fast(parser) => parser.position(),
            Self::Adaptive(parser) => parser.position(),
            Self::NearOptimal(parser) => parser.position(),
        }
    }

    /// The minimum saving of a dynamic code, in 256ths of a block of `len` bytes.
    fn margin(&self, len: usize) -> u32 {
        if matches!(self, Self::Fast(_)) { fast::margin(len) } else { 0 }
    }
}

/// The encoder: tables and buffers that are reused between chunks, and the state of the current chunk.
pub struct ChunkEncoder {
    rings: DistanceRings,
    /// For level 1; allocated on first use.
    table: Option<FastTable>,
    /// For levels 10 to 12; allocated on first use.
    near_optimal: Option<Placed<Memory>>,
    /// For levels 3 to 9; allocated on first use.
    flat: Option<Placed<FlatMemory>>,
    block: OpenBlock,
    emitter: Emitter,
    parser: Parser,
    /// Where the chunk's own bytes begin, after the window.
    start: usize,
    /// The block ends at the parser's position and is to be written once the output before it is.
    is_block_due: bool,
    /// The block is being written.
    is_block_written: bool,
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

    /// Begins a chunk with a window of `window_len` bytes, at most 32768. `is_first`: the chunk is the first of its segment, so
    /// it may be short. `before`: the bits of an output byte begun before the chunk.
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
        self.block.open(start);
        self.block.prepare(BLOCK_TOKENS + TOKEN_SLACK);
        self.emitter.begin(start, before);
        (self.is_block_due, self.is_block_written, self.is_ended) = (false, false, false);
        Ok(())
    }

    /// Continues the chunk. `data` is its window followed by the chunk's bytes that have arrived. If `end` is given, all of them
    /// have, and `end` must be the same in every later call. Writes to `out` while it has room.
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
                self.is_block_written = false;
                self.block.open(self.parser.position());
            }
            if self.is_block_due {
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

    /// Parses the next span. Returns `None` if it has not arrived, otherwise whether the block ends there.
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
            (Parser::Fast(_) | Parser::NearOptimal(_), ..) => return Err(Error::Stream),
        })
    }

    /// Chooses the form of the block that ends at the parser's position, and starts to write it.
    fn end_block(&mut self, data: &[u8], end: Option<ChunkEnd>) {
        let to = self.parser.position();
        let end = end.filter(|_| to == data.len());
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
            // The stored bytes before the block are written first; then the same decision is made again.
            Decision::Compress(_) if self.emitter.waiting() > 0 => self.emitter.start_stored(None),
            Decision::Compress(coding) => {
                self.emitter.start_block(&self.block, coding, bytes, to, end);
                (self.is_block_due, self.is_block_written) = (false, true);
                self.is_ended = end.is_some();
            }
        }
    }

    /// Ends a chunk that has no bytes after its last block.
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
