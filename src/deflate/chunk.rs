//! `ChunkEncoder`: one chunk after the other, each from input that may arrive piece by piece.
//!
//! ```text
//! loop: what is decided leaves, as far as there is room
//!       the parser goes on by a span of 1 KiB, if enough of the input has arrived
//!       where the block is to end, its form is decided and its writing begins
//! ```
//!
//! A chunk starts with fresh state, primed with its window, whatever the encoder did before.

use super::block_split::MIN_BLOCK;
#[cfg(any(test, feature = "internals"))]
use super::emitter::bound;
use super::emitter::{Decision, Emitter, STORED_MIN};
use super::level::Method;
use super::match_finder::distance_rings::DistanceRings;
use super::parse::Arrived;
use super::parse::fast::{self, Fast, FastTable};
use super::parse::fastest::Fastest;
use super::parse::lazy::Lazy;
use super::parse::near_optimal::{Memory, NearOptimal};
use super::token::{OpenBlock, TOKEN_SLACK};
use super::{ChunkEnd, Level, PendingBits};
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Allocator, Output, Placed};

/// Tokens of a block at most.
const BLOCK_TOKENS: usize = 32 << 10;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The output is full.
    NeedsRoom,
    /// All output that is decided is written; more input, or the end, must come.
    NeedsInput,
    /// The chunk has ended and all of it is written.
    Done,
}

/// The parser of the present chunk.
#[derive(Debug)]
enum Parser {
    Stored { position: usize },
    Fast(Fast),
    Fastest(Fastest<true>),
    Lazy(Lazy),
    NearOptimal(NearOptimal),
}

impl Parser {
    fn position(&self) -> usize {
        match self {
            Self::Stored { position } => *position,
            Self::Fast(parser) => parser.position(),
            Self::Fastest(parser) => parser.position(),
            Self::Lazy(parser) => parser.position(),
            Self::NearOptimal(parser) => parser.position(),
        }
    }

    /// What a dynamic code must save, in 256ths of a block of `len` bytes.
    fn margin(&self, len: usize) -> u32 {
        if matches!(self, Self::Fast(_)) { fast::margin(len) } else { 0 }
    }
}

/// The encoder: tables and buffers that outlive a chunk, and the state of the present one.
pub struct ChunkEncoder {
    rings: DistanceRings,
    /// Of level 1, from its first use on.
    table: Option<FastTable>,
    /// Of levels 10 to 12, from their first use on.
    near_optimal: Option<Placed<Memory>>,
    block: OpenBlock,
    emitter: Emitter,
    parser: Parser,
    /// Where the chunk's own bytes begin.
    start: usize,
    /// The block that ends at the parser's position is to be written, once what came before it is.
    is_block_due: bool,
    /// The block is being written.
    is_block_written: bool,
    is_ended: bool,
}

impl ChunkEncoder {
    /// An encoder. Its tables grow with the first chunks, up to 1 MiB, and stay, as does what levels 10 to 12 need beside,
    /// up to 8 MiB.
    pub fn new() -> Result<Self> {
        Ok(Self {
            rings: DistanceRings::new()?,
            table: None,
            near_optimal: None,
            block: OpenBlock::new(BLOCK_TOKENS + TOKEN_SLACK, Allocator::SYSTEM)?,
            emitter: Emitter::new(Allocator::SYSTEM)?,
            parser: Parser::Stored { position: 0 },
            start: 0,
            is_block_due: false,
            is_block_written: false,
            is_ended: false,
        })
    }

    /// Begins a chunk with a window of `window_len` bytes, at most 32768. `is_first`: no chunk came before it in its segment,
    /// so it may be short. `before` are the bits of an output byte begun before it.
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
            Method::Fastest => Parser::Fastest(Fastest::new(rings, start)?),
            Method::Lazy(lazy) => {
                Parser::Lazy(Lazy::new(lazy, level.is_filtered(), rings, start, !is_first)?)
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

    /// Goes on with the chunk. `data` is its window and then its bytes as far as they have arrived; all of them are there
    /// if `end` is given, which must then be the same at every call. Writes to `out` as far as it has room.
    ///
    /// `Error::Memory` when levels 10 to 12 get none; the call may be repeated.
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
                self.end_block(data.len(), end);
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

    /// After [`Progress::NeedsInput`]: the length of `data` from which on [`advance`](Self::advance) can
    /// decide more.
    pub fn needed_len(&self) -> usize {
        Arrived::needed_len(self.start, self.parser.position())
    }

    /// Encodes a whole chunk to `out`, which has room for [`bound`](super::bound) of it.
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

    /// The bits of the last, incomplete byte of a chunk that is done.
    pub fn pending_bits(&self) -> PendingBits {
        self.emitter.pending_bits()
    }

    /// Bits in use in the last byte before it was last filled up, 1 to 8.
    pub fn used_bits(&self) -> u32 {
        self.emitter.used_bits()
    }

    /// How many bits are decided but found no room.
    pub fn waiting_bits(&self) -> u64 {
        self.emitter.remaining_bits(self.block.tokens())
    }

    /// Goes on by a span, if it has arrived. Returns whether it has, and whether the block is to end.
    fn parse(&mut self, arrived: Arrived<'_>) -> Result<Option<bool>> {
        let Self { rings, block, start, .. } = self;
        Ok(match (&mut self.parser, &mut self.table, &mut self.near_optimal) {
            (Parser::Stored { position }, ..) => arrived.span_end(*start, *position).map(|to| {
                *position = to;
                to - block.start >= MIN_BLOCK || to == arrived.data.len()
            }),
            (Parser::Fast(parser), Some(table), _) => parser.advance(arrived, table, block),
            (Parser::Fastest(parser), ..) => parser.advance(arrived, rings, block),
            (Parser::Lazy(parser), ..) => parser.advance(arrived, rings, block),
            (Parser::NearOptimal(parser), _, Some(memory)) => {
                parser.advance(arrived, memory, rings, block)?
            }
            (Parser::Fast(_) | Parser::NearOptimal(_), ..) => return Err(Error::Stream),
        })
    }

    /// Decides how the block is written that ends at the parser's position, and begins to write it.
    fn end_block(&mut self, len: usize, end: Option<ChunkEnd>) {
        let to = self.parser.position();
        let end = end.filter(|_| to == len);
        self.block.close();
        let decision = match self.parser {
            Parser::Stored { .. } => Decision::Store,
            _ => self.emitter.plan(
                &self.block,
                to,
                true,
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
            // The stored bytes before it go first; then the same is decided again.
            Decision::Compress(..) if self.emitter.waiting() > 0 => self.emitter.start_stored(None),
            Decision::Compress(form, size) => {
                self.emitter.start_block(&self.block, (form, size), to, end);
                (self.is_block_due, self.is_block_written) = (false, true);
                self.is_ended = end.is_some();
            }
        }
    }

    /// Ends a chunk that has no bytes since the last block.
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

/// What levels 10 to 12 need. Not inlined: the stack that it is moved over is not for other levels.
#[inline(never)]
fn placed_memory() -> Result<Placed<Memory>> {
    Placed::try_new(Memory::new()?, Allocator::SYSTEM)
}

impl core::fmt::Debug for ChunkEncoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ChunkEncoder").finish_non_exhaustive()
    }
}
