//! `MessageEncoder`: a DEFLATE stream within zlib's memory limits, for everything except bulk data (long
//! streams with the usual settings, which `ChunkEncoder` compresses).
//!
//! ```text
//! input -> window -> parser (`parse/fast.rs`, or `chain.rs` here) -> open block -> emitter -> output
//! ```
//!
//! One call of [`MessageEncoder::advance`] repeats these steps:
//!
//! 1. Write decided output. If some is left, return: the output is full.
//! 2. Copy input to the window. Return if no flush has come and fewer than 4 KiB can be parsed.
//! 3. Parse up to the flush that ends the message, or to `lookahead` bytes before the end of what
//!    has arrived.
//! 4. End the block if it is full, its symbols drift, the kind of data changes or a stored range must
//!    be written, else move
//!    the window if the parser is near the buffer's end, else end the message if all of it is parsed.
//!
//! **Memory.** All state kept between calls is in a few tables, allocated at the start, and in this
//! struct: the window, the search tables, and the tokens of the open block. Together they take no
//! more than zlib does (zconf.h: `(1 << (windowBits + 2)) + (1 << (memLevel + 9))` and 8 KiB).
//! There is no output buffer: blocks are written from the tokens while the caller's buffer has
//! room. With the usual sizes, a window of 32 KiB and `memLevel` 8:
//!
//! ```text
//! window         65,638 bytes    twice the window, 38 more (`buffer_len`), and padding
//! chains         65,536          the previous position of each position, 16 bits
//! heads          65,536          2^15 positions
//! three bytes     4,096          2^11 positions
//! tokens         60,096          15,024 tokens
//! drift           1,280          the block's symbol counts at the last check
//! ```
//!
//! **Window.** Its buffer has little more than twice the window's size. When the parser comes near its end, the
//! upper half is moved down, and all positions in the tables are reduced. Positions therefore
//! always fit 16 bits. Offsets are limited to a little less than the window ([`max_offset`]), so that a
//! match remains in the buffer across a move.
//!
//! ```text
//! before    0 ........ size ................... slide_at ... buffer_len
//!                      |<-------- moved --------------------------->|
//! after     0 ................... position ... size ... free ...
//! ```
//!
//! **The output does not depend on how calls split the input.** The window is moved at positions
//! that depend only on the input, and the parser waits until all bytes that a decision depends on
//! have arrived, or a flush.

mod chain;
mod nature;

use super::block_split::drifts;
use super::emitter::{Decision, Emitter, STORED_MIN};
use super::parse::SAMPLE_MIN;
use super::parse::fast::{self, FastTable, Keys, Span};
use super::token::{Frequencies, OpenBlock};
use super::{ChunkEnd, PendingBits, Progress};
use crate::error::{Error, Result};
use crate::format::deflate::{MAX_MATCH, WINDOW_SIZE};
use crate::raw::{Allocator, Output, Placed, Table};
use chain::{Chain, Search};
use nature::Choice;

/// Readable bytes past the window's end, for loads of whole words. Half of them are zeroed where a
/// message ends, so that the words loaded there do not depend on earlier data.
const PADDING: usize = 64;
/// Unparsed bytes, in addition to `lookahead`, that are collected before the parser is called without
/// a flush. Each call of the
/// parser has a fixed cost, and programs may pass a few bytes at a time.
const BATCH: usize = 4 << 10;
/// Maximum unparsed bytes that are taken: while the output is full they stay in the window.
const UNPARSED_MAX: usize = 12 << 10;
/// Maximum tokens of a block, regardless of memory, since its output must wait until it ends; and
/// minimum: a step of the chain parser needs room for up to [`TURN_TOKENS`].
const TOKENS: (usize, usize) = (16 << 10, 96);
/// Tokens after which the drift of the block's symbols is checked. The check makes output with small
/// windows 0.05 to 0.1 % smaller (mean of seven files), and tables of increasing numbers 3 %.
const DRIFT_TOKENS: usize = 4096;
// `parse` relies on it: a sample is within the lookahead, and a key within 8 bytes and within a sample.
const _: () = assert!(nature::SAMPLE < MAX_MATCH + 8 && chain::KEY_MAX <= 8 && chain::KEY_MAX <= SAMPLE_MIN);
/// A block of fewer tokens does not end where the nature of the data changes.
const SPLIT_TOKENS: usize = 1000;
/// Maximum tokens that one step of the chain parser adds.
const TURN_TOKENS: usize = 8;
/// Bytes that zlib allocates in addition to its tables. This struct, its small allocations, the bytes of the window's buffer
/// past twice the window, and the owner's additions take less.
const ZLIB_STATE: usize = 8 << 10;

/// If more than this percentage of a block is literals, level 1 searches for three-byte matches in the next.
const OPEN_MESSAGE: u32 = 50;
/// The minimum number of heads with which level 1 uses no chains: that of `memLevel` 5.
const FAST_HEADS: usize = 1 << 12;

/// The parameters that determine a stream's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageSettings {
    /// 9 to 15: the window's size as a power of two.
    pub window_bits: u32,
    /// 1 to 9.
    pub mem_level: u32,
}

/// How to search for matches.
#[derive(Clone, Copy, Debug)]
enum Method {
    /// Stored blocks only.
    Store,
    /// The most recent position of each string of four bytes, or of three or five (`Keys`).
    Fast,
    /// Chains of positions.
    Chain(Search),
}

/// Which parser's tables contain the positions of the window. Both parsers share the table of
/// heads, so only one can. After a change of the level, or of the data's nature, the window is
/// inserted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entered {
    Nothing,
    Fast,
    /// Chains with a key of this many bytes.
    Chain(usize),
}

/// The encoder.
#[derive(Debug)]
pub struct MessageEncoder {
    window: Table<u8>,
    /// The window's size; its table is twice as large.
    size: usize,
    /// The table of the fast parser, and the heads of the chains: the same memory, since only
    /// one of them is in use.
    table: FastTable,
    chain: Chain,
    block: OpenBlock,
    /// The open block's symbols at the last drift check; `None` if memory is short.
    earlier: Option<Placed<Frequencies>>,
    emitter: Emitter,
    method: Method,
    is_filtered: bool,
    /// The nature of the data, which chooses the chains' key.
    choice: Choice,
    entered: Entered,
    /// Everything before this position is parsed. The chain parser may have a pending match at the
    /// byte before it, for which there is no token yet ([`decided`](Self::decided)).
    position: usize,
    /// The end of the bytes that have arrived.
    end: usize,
    /// Where the current message begins.
    message: usize,
    /// Whether the window still contains all bytes of the open block and all bytes that wait to be
    /// stored. A block whose first bytes are gone can only be written from its tokens.
    is_block_whole: bool,
    /// The block is being written: its tokens, and its bytes in the window, must be kept.
    is_writing: bool,
    /// The end of the message is being written.
    is_ending: bool,
    /// The open block ends at the position, since the data after it is of another nature.
    must_end: bool,
}

/// The number of bytes past a position that affect its decisions: its match, the positions that are
/// entered in a batch ahead of it, and whole-word loads.
fn lookahead(size: usize) -> usize {
    MAX_MATCH + Chain::batch(size) + 8
}

/// The maximum offset of a match in a window of `size` bytes: zlib's (deflate.h, `MAX_DIST`), since
/// data may repeat at just that distance.
///
/// The ring of the chains has `size` entries, of which the newest may be as far ahead as a match and
/// a batch. So of the most distant positions the links may be overwritten: there a search ends.
fn max_offset(size: usize) -> usize {
    size - MAX_MATCH - 4
}

/// The length of the window's buffer: a move takes the parser from `slide_at` or later to at least
/// `slide_at - size`, and as many bytes must precede it there as a match may refer to.
fn buffer_len(size: usize) -> usize {
    size + max_offset(size) + 2 + lookahead(size)
}

impl MessageEncoder {
    /// Returns an encoder at the start of a stream, at level 0. Fails with `Error::Memory` if `allocator` does.
    pub fn new(settings: MessageSettings, allocator: Allocator) -> Result<Self> {
        let size = 1usize << settings.window_bits;
        let head_count = 1usize << (settings.mem_level + 7).min(15);
        // `rest` is what zlib's formula leaves after the window, the chain (both as large as zlib's)
        // and the heads. zlib
        // divides `1 << (memLevel + 9)` equally between its heads and its symbols; here the heads'
        // half is smaller at `memLevel` 9, since 2^15 heads are enough for a window, and the rest
        // serves the table of three bytes and the tokens.
        let limit = ZLIB_STATE + (1usize << (settings.mem_level + 9));
        let rest = limit.saturating_sub(ZLIB_STATE + PADDING + 2 * head_count);
        let short_count = Chain::short_count(rest);
        let rest = rest - 2 * short_count;
        // A shorter block has no second check, and the first one has nothing to compare with.
        let checks_drift = rest / 4 > 2 * DRIFT_TOKENS;
        let rest = if checks_drift { rest - size_of::<Frequencies>() } else { rest };
        let token_count = (rest / 4).clamp(TOKENS.1, TOKENS.0);
        let mut encoder = Self {
            window: Table::new(buffer_len(size) + PADDING, allocator)?,
            size,
            table: FastTable::of(Table::new(head_count, allocator)?, Table::new(short_count, allocator)?),
            chain: Chain::new(size, allocator)?,
            block: OpenBlock::new(token_count, allocator)?,
            earlier: checks_drift.then(|| Placed::zeroed(allocator)).transpose()?,
            emitter: Emitter::new(allocator)?,
            method: Method::Store,
            is_filtered: false,
            choice: Choice::new(&[], 0),
            entered: Entered::Nothing,
            position: 0,
            end: 0,
            message: 0,
            is_block_whole: true,
            is_writing: false,
            is_ending: false,
            must_end: false,
        };
        encoder.restart(&[], PendingBits::default());
        Ok(encoder)
    }

    /// Changes the level from here on. All earlier input must have been flushed.
    pub fn set_level(&mut self, level: u32, is_filtered: bool) {
        // As in zlib, the lowest levels ignore `Z_FILTERED` (`deflate_fast` does not look at it).
        self.is_filtered = is_filtered && level > 3;
        self.method = match level {
            0 => Method::Store,
            // A small table loses too many positions to work without chains.
            1 if self.table.len() >= FAST_HEADS => Method::Fast,
            _ => Method::Chain(chain::search(level)),
        };
    }

    /// Uses search limits in zlib's terms (`deflateTune()`) from here on, until the level is set again. Has no effect at
    /// level 0, which does not search.
    pub fn tune(&mut self, good: usize, lazy: usize, nice: usize, chain: u32) {
        if !matches!(self.method, Method::Store) {
            self.method = Method::Chain(chain::tuned(good, lazy, nice, chain));
        }
    }

    /// Returns to the start of a stream. `keeps_history`: later data may refer to the input so far.
    pub fn reset(&mut self, keeps_history: bool) {
        let from = if keeps_history { self.window_start() } else { self.end };
        self.window.copy_within(from..self.end, 0);
        let len = self.end - from;
        self.emitter.begin(len, PendingBits::default());
        self.go_on_at(len);
    }

    /// Appends `dictionary` to the history. No input may have been taken since the last message.
    pub fn add_history(&mut self, dictionary: &[u8]) {
        let dictionary = &dictionary[dictionary.len().saturating_sub(self.size)..];
        let kept = (self.end - self.window_start()).min(self.size - dictionary.len());
        self.window.copy_within(self.end - kept..self.end, 0);
        let len = kept + dictionary.len();
        self.window.extend_to(len + PADDING, 0);
        self.window[kept..len].copy_from_slice(dictionary);
        self.go_on_at(len);
    }

    /// Restarts after `history` (only the last window of it is used). Output begins with the bits `before`.
    pub fn restart(&mut self, history: &[u8], before: PendingBits) {
        let history = &history[history.len().saturating_sub(self.size)..];
        let len = history.len();
        self.window.extend_to(len + PADDING, 0);
        self.window[..len].copy_from_slice(history);
        self.emitter.begin(len, before);
        self.go_on_at(len);
    }

    /// Continues with the first `len` bytes of the window as history.
    fn go_on_at(&mut self, len: usize) {
        // The tables are not cleared here but when they are next used: a stream may be reset
        // without compressing anything.
        (self.position, self.end, self.message) = (len, len, len);
        self.entered = Entered::Nothing;
        self.emitter.go_on_at(len);
        self.open_block(len);
        self.chain.restart();
        (self.is_block_whole, self.is_writing, self.is_ending) = (true, false, false);
    }

    /// Drops the history (`Z_FULL_FLUSH`). Only between two messages.
    pub fn forget(&mut self) {
        self.go_on_at(0);
    }

    /// Takes input, and writes decided output while `out` has room. Takes all input unless `out` is
    /// full. With `end`, the message ends with the input; once all input is taken, only calls with
    /// the same `end` may follow until [`Progress::Done`].
    pub fn advance(&mut self, input: &mut &[u8], end: Option<ChunkEnd>, out: &mut Output<'_>) -> Progress {
        loop {
            if !self.write(out) {
                return Progress::NeedsRoom;
            }
            if self.is_ending {
                self.is_ending = false;
                self.message = self.position;
                // `compressBound` is kept by each message alone: none must make up for an earlier one that took more.
                self.emitter.restart_account();
                return Progress::Done;
            }
            self.take(input, UNPARSED_MAX);
            // The message ends here only if all of its input is in the window. Otherwise this pass
            // parses as if more were to follow.
            let end = end.filter(|_| input.is_empty());
            if input.is_empty() && end.is_none() && self.end - self.position < BATCH + self.lookahead() {
                return Progress::NeedsInput;
            }
            self.parse(end.is_some());
            // The order determines a block's contents, so it must not depend on calls: a full block
            // ends before the window moves, and both before the message ends.
            let has_room = self.block.room() > self.turn_tokens() || self.extend_block();
            if self.must_end || !has_room || self.is_store_due() {
                self.end_block(None);
            } else if self.position >= self.slide_at() {
                self.slide();
            } else if let (Some(end), true) = (end, self.position == self.end) {
                self.end_block(Some(end));
            }
        }
    }

    /// Takes input without parsing it, while it fits the window: another encoder may take over the
    /// message ([`give_up`](Self::give_up)). Once the buffer is full the message is parsed, so that
    /// the window can move; but no block is ended here, so nothing is written.
    pub fn hold(&mut self, input: &mut &[u8]) {
        loop {
            self.take(input, usize::MAX);
            if input.is_empty() {
                return;
            }
            self.parse(false);
            if self.position >= self.slide_at() {
                self.slide();
            } else {
                return;
            }
        }
    }

    /// Bytes of the current message taken so far.
    pub fn message_len(&self) -> usize {
        self.end - self.message
    }

    /// Gives up the current message, which was only [held](Self::hold), so that another encoder can take it. Returns the
    /// history before it and its bytes. `most` is the length from which on messages are given up: the history that is kept
    /// depends on it, and so not on how the input was split.
    pub fn give_up(&mut self, most: usize) -> (&[u8], &[u8]) {
        // If `most` bytes of the message do not fit the buffer, the window has moved while they
        // were held, or not, depending on how the input was split. A move leaves the history from
        // `size` on, so only that is used in either case.
        let first = if self.message + most > buffer_len(self.size) { self.size } else { 0 };
        let from = first.max(self.message.saturating_sub(self.size));
        self.position = self.message;
        self.open_block(self.message);
        self.chain.restart();
        self.entered = Entered::Nothing;
        self.window[from..self.end].split_at(self.message - from)
    }

    /// The history, including the bytes taken of the current message: at most the window's size.
    pub fn window(&self) -> &[u8] {
        &self.window[self.window_start()..self.end]
    }

    /// Where the history begins: it never has more bytes than the window.
    fn window_start(&self) -> usize {
        self.end.saturating_sub(self.size)
    }

    /// The bits of the last, incomplete byte, when nothing else is left to write.
    pub fn pending_bits(&self) -> PendingBits {
        self.emitter.pending_bits()
    }

    /// The number of bits that are decided but not yet written, including those of the incomplete last byte.
    pub fn waiting_bits(&self) -> u64 {
        self.emitter.remaining_bits(if self.is_writing { self.block.tokens() } else { &[] })
    }

    /// Whether no input was taken since the last message ended, and nothing waits to be written.
    pub fn is_at_rest(&self) -> bool {
        self.end == self.message && self.emitter.is_idle() && !self.is_ending
    }

    /// Whether the history may be changed: no input was taken since the last message, which is written.
    pub fn is_between_messages(&self) -> bool {
        self.end == self.message && !self.is_writing && !self.is_ending
    }

    /// Primed bytes that wait for room. In the output they precede [`pending_bits`](Self::pending_bits). Only between two messages.
    pub fn primed_bytes(&self) -> &[u8] {
        self.emitter.staged()
    }

    /// Writes waiting primed bytes. True when none is left.
    pub fn write_primed(&mut self, out: &mut Output<'_>) -> bool {
        self.write(out)
    }

    /// The number of bits in use in the last byte before it was padded, 1 to 8.
    pub fn used_bits(&self) -> u32 {
        self.emitter.used_bits()
    }

    /// Inserts the low `count` bits of `bits`, at most 16, before the following output. Fails with `Error::Buffer` if a block
    /// is being written or too many bits are already waiting.
    pub fn prime(&mut self, bits: u32, count: u32) -> Result<()> {
        if self.is_writing || self.is_ending { Err(Error::Buffer) } else { self.emitter.prime(bits, count) }
    }

    /// An encoder in the same state, in memory of the same allocator.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self {
            window: self.window.try_clone()?,
            table: self.table.try_clone()?,
            chain: self.chain.try_clone()?,
            block: self.block.try_clone()?,
            earlier: self.earlier.as_ref().map(Placed::try_clone).transpose()?,
            emitter: self.emitter.try_clone()?,
            ..*self
        })
    }

    /// Maximum tokens that one step of the parser in use adds.
    fn turn_tokens(&self) -> usize {
        if matches!(self.method, Method::Fast) { fast::TURN_TOKENS } else { TURN_TOKENS }
    }

    /// [`lookahead`] with this window.
    fn lookahead(&self) -> usize {
        lookahead(self.size)
    }

    /// The window is moved once the parser reaches this position: the `lookahead` of the next
    /// position would pass the buffer's end.
    fn slide_at(&self) -> usize {
        buffer_len(self.size) - self.lookahead()
    }

    /// Moves input to the window, up to `most` unparsed bytes.
    fn take(&mut self, input: &mut &[u8], most: usize) {
        let count = input
            .len()
            .min(buffer_len(self.size) - self.end)
            .min(most.saturating_sub(self.end - self.position));
        if count > 0 {
            self.window.extend_to(self.end + count + PADDING, 0);
            self.window[self.end..self.end + count].copy_from_slice(&input[..count]);
            self.end += count;
            *input = &input[count..];
        }
    }

    /// Writes decided output. True when all of it is written.
    fn write(&mut self, out: &mut Output<'_>) -> bool {
        if self.emitter.is_idle() {
            return true;
        }
        let tokens = if self.is_writing { self.block.tokens() } else { &[] };
        if !self.emitter.run(tokens, &self.window, out) {
            return false;
        }
        if self.is_writing {
            self.is_writing = false;
            self.is_block_whole = true;
            self.open_block(self.decided());
        }
        true
    }

    /// Parses as far as decisions can be made: up to the end with `is_last`, else up to `lookahead`
    /// bytes before it. Stops at [`slide_at`](Self::slide_at), so that the window moves at the same
    /// position however much has arrived, and where the block must end.
    fn parse(&mut self, is_last: bool) {
        let limit = if is_last { self.end } else { self.end.saturating_sub(self.lookahead()) };
        // A key may not fit in fewer than 8 bytes after the slide position, and the parser would stop
        // before it. So a message that ends there is parsed to its end before a move; the buffer has
        // room for it.
        let ends_there = is_last && self.end < self.slide_at() + 8;
        let limit = if ends_there { limit } else { limit.min(self.slide_at()) }.max(self.position);
        if self.must_end || self.position == limit && !(is_last && self.chain.has_match()) {
            return;
        }
        let is_last = is_last && limit == self.end;
        if is_last {
            // Loads past the end must not read bytes of an earlier stream.
            self.window[self.end..self.end + PADDING / 2].fill(0);
        }
        // At most one token for each byte, and the free tokens that the parsers require.
        self.block.prepare(limit - self.position + MAX_MATCH + 2 * fast::TURN_TOKENS);
        loop {
            let is_chained = matches!((self.method, self.entered), (Method::Chain(_), Entered::Chain(_)));
            if is_chained && self.position >= self.choice.until {
                self.choose();
                if self.must_end {
                    return;
                }
            }
            self.enter_history();
            // In the last bytes of a message no sample is taken. A stop there might never be
            // reached, since a position without a whole key is not searched.
            let stops = matches!(self.method, Method::Chain(_)) && self.choice.until + SAMPLE_MIN < self.end;
            let stop = if stops { limit.min(self.choice.until) } else { limit };
            self.parse_to(stop, is_last && stop == limit);
            let is_full = self.block.room() <= self.turn_tokens();
            if is_full || stop == limit || self.position < stop || self.position >= limit && !is_last {
                return;
            }
        }
    }

    /// Chooses the nature of the data at the position. If it changes, the open block must end if it has
    /// enough tokens, except with a window of 32 KiB: [`hold`](Self::hold) must not end blocks.
    fn choose(&mut self) {
        let earlier = self.choice.nature;
        self.choice = self.choice.next(&self.window[self.position..self.end], self.position);
        self.must_end = self.choice.nature != earlier
            && self.size < WINDOW_SIZE
            && self.block.tokens().len() >= SPLIT_TOKENS;
    }

    /// Parses up to `limit`, or until the block is full. `is_last`: the message ends there.
    fn parse_to(&mut self, limit: usize, is_last: bool) {
        let span = Span { from: self.position, limit, end: self.end, is_last };
        let max_offset = max_offset(self.size);
        self.position = match self.method {
            // Level 0 has no tokens: it advances to the end of the range that is stored next.
            Method::Store => limit.min(self.emitter.waiting_from() + self.stored_min()),
            Method::Fast => self.table.parse(&self.window, span, max_offset, &mut self.block),
            Method::Chain(search) => {
                let heads = self.table.lend();
                let shortest = if self.is_filtered { chain::FILTERED_SHORTEST } else { 0 };
                self.chain.parse(search, shortest, heads, &self.window, span, max_offset, &mut self.block)
            }
        };
    }

    /// Inserts the history into the tables of the method in use, if it is not there yet. The first
    /// bytes that are not parsed decide the keys. All bytes of that sample have arrived,
    /// since it is shorter than `lookahead`, or the message ends.
    fn enter_history(&mut self) {
        let input = &self.window[self.position..self.end];
        match self.method {
            Method::Store => {}
            Method::Fast if self.entered == Entered::Fast => {}
            Method::Fast => {
                self.table.clear(Keys::at_start(input));
                self.table.enter(&self.window, 0, self.position);
                self.entered = Entered::Fast;
            }
            Method::Chain(search) => {
                let is_chained = matches!(self.entered, Entered::Chain(_));
                if !is_chained {
                    self.chain.clear();
                    self.choice = Choice::new(input, self.position);
                }
                self.chain.nature = self.choice.nature;
                let key = search.key(self.choice.nature, self.table.has_short());
                if self.entered != Entered::Chain(key) {
                    // The chains enter positions themselves before the first search. The table
                    // only holds their heads.
                    self.table.clear(Keys::Four);
                    self.chain.enter_again(if is_chained {
                        self.position.saturating_sub(self.size)
                    } else {
                        0
                    });
                    self.entered = Entered::Chain(key);
                }
            }
        }
    }

    /// Empties the block; its input begins at `start`.
    fn open_block(&mut self, start: usize) {
        self.must_end = false;
        self.block.open(start);
        if let Some(earlier) = &mut self.earlier {
            **earlier = Frequencies::NONE;
            self.block.limit_to(DRIFT_TOKENS);
        }
    }

    /// Allows the full block more tokens, unless memory is short or its symbols drift. A block's
    /// limit begins at [`DRIFT_TOKENS`] and grows by as many, so that "full" is also the time to
    /// check the drift.
    fn extend_block(&mut self) -> bool {
        let Some(earlier) = self.earlier.as_mut().filter(|_| self.block.can_grow()) else { return false };
        if drifts(earlier, &self.block.frequencies) {
            return false;
        }
        self.block.limit_to(self.block.tokens().len() + DRIFT_TOKENS);
        true
    }

    /// All tokens are for bytes before this position: the last byte parsed may have a pending match.
    fn decided(&self) -> usize {
        self.position - usize::from(self.chain.has_match())
    }

    /// The number of bytes stored at a time, limited so that they are still in the window when they are written.
    fn stored_min(&self) -> usize {
        STORED_MIN.min(self.size - self.lookahead())
    }

    /// Whether stored bytes must be written before more are taken.
    fn is_store_due(&self) -> bool {
        matches!(self.method, Method::Store)
            && self.position - self.emitter.waiting_from() >= self.stored_min()
    }

    /// Moves the upper half of the window down.
    ///
    /// If bytes that wait to be stored would leave the buffer, they are written first: the emitter
    /// reads them from the window. The move follows in the next pass. An open block need not be
    /// written, since its tokens do not refer to the window.
    fn slide(&mut self) {
        let size = self.size;
        if self.emitter.waiting() > 0 && self.emitter.waiting_from() < size {
            self.emitter.start_stored(None);
            return;
        }
        if self.block.start < size {
            self.is_block_whole = false;
        }
        self.window.copy_within(size..self.end, 0);
        self.position -= size;
        self.end -= size;
        self.message = self.message.saturating_sub(size);
        self.block.move_down(size);
        self.emitter.move_down(size);
        self.choice.until = self.choice.until.saturating_sub(size);
        match self.entered {
            Entered::Nothing => {}
            Entered::Fast => self.table.move_down(size),
            Entered::Chain(_) => {
                self.table.move_down(size);
                self.chain.move_down(size);
            }
        }
    }

    /// Chooses the form of the block that ends here, and starts to write it, followed by `end`. As
    /// in `ChunkEncoder`, adjacent stored blocks are joined, and are written before the next
    /// compressed block.
    fn end_block(&mut self, end: Option<ChunkEnd>) {
        let to = self.decided();
        let is_empty = self.block.is_empty() && (to == self.block.start);
        if is_empty {
            if let Some(end) = end {
                self.is_ending = true;
                match self.emitter.waiting() {
                    0 => self.emitter.start_end(end),
                    _ => self.emitter.start_stored(Some(end)),
                }
            }
            return;
        }
        if matches!(self.method, Method::Fast) {
            // The bytes up to `to`, not all that have arrived: their number depends on the calls.
            let window = to.saturating_sub(self.size);
            self.table.note_block(&self.block.frequencies, &self.window[..to], window, OPEN_MESSAGE);
        }
        self.block.close();
        let margin = match self.method {
            Method::Fast => fast::margin(to - self.block.start),
            _ => 0,
        };
        let bytes = self.is_block_whole.then(|| &self.window[self.block.start..to]);
        let decision = match self.method {
            Method::Store => Decision::Store,
            _ => self.emitter.plan(&self.block, to, bytes, end.is_some(), margin),
        };
        match decision {
            Decision::Store => {
                self.emitter.store(to);
                self.open_block(to);
                self.is_block_whole = true;
                if end.is_some() || self.emitter.waiting() >= self.stored_min() {
                    self.emitter.start_stored(end);
                    self.is_ending = end.is_some();
                }
            }
            // The stored bytes before the block are written first, then the next pass decides again,
            // with the same result, except that a block that drifted may go on, since `extend_block`
            // compares with the counts of its own last check.
            Decision::Compress(_) if self.emitter.waiting() > 0 => self.emitter.start_stored(None),
            Decision::Compress(coding) => {
                self.emitter.start_block(&self.block, coding, bytes, to, end);
                self.is_writing = true;
                self.is_ending = end.is_some();
            }
        }
    }
}
