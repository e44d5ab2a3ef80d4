//! `Inflate`: a stream that decodes input and output in pieces of any size, with the meaning of zlib's `inflate()`.
//!
//! A call runs a state machine with a few modes (header, dictionary, blocks, trailer, end, and three failed states) until
//! input or room runs out or the stream reaches a place where the caller wants to stop. All observable behaviour is exactly
//! zlib's: how much input each call takes, the bits in `data_type`, when no progress is an error, how much history a match
//! may use and `inflateGetDictionary` returns, and the state of a stream after damage.
//!
//! Two differences are not observable. Input is read ahead in words, and the surplus is given back at the end of a call.
//! Output is decoded into the window and copied out from there; see `window`.
//!
//! ```text
//! Header -+-> Dictionary -+-> Blocks --> Check --> Length --> Done
//!         +---------------+              (a raw stream reads nothing in Check and Length)
//!
//! from any mode:  Bad       damage was found
//!                 NoMemory  an allocation failed
//!                 Sync      inflateSync() has found no marker yet
//! ```
//!
//! One call of `inflate()` is `begin_call`, `advance` at least once, and `end_call`. `readahead`
//! calls `advance` several times, and between these calls delivers output that other threads decoded. Everything that zlib
//! does once per call is in `begin_call` and `end_call`: whether no progress is an error, the
//! history that is kept, `data_type`.
//!
//! The stream has two notions of history. The *window* holds the bytes that a match can be copied
//! from. `history_size` and `history_len` describe the window that zlib would have: it decides
//! which matches reach too far, and the result of `inflateGetDictionary`.
//!
//! Memory is allocated when it is needed: a stream begins with a few hundred bytes, gets tables (6 KB) at its first dynamic
//! block, and a window when a call's output must be kept for the next. Together they take no more memory than zlib.

#![forbid(unsafe_code)]

mod bookmark;
mod marker;

pub use bookmark::Bookmark;

use core::ffi::CStr;
use marker::{MARKER, find_marker};

use super::bit_reader::{BitReader, HeldBits};
use super::blocks::{BlockState, Blocks, Event, Stop};
use super::history::History;
use super::marked::Waypoint;
use super::message;
use super::table::Tables;
use super::window::{Scratch, ScratchMemory, Window};
use super::wrap::{Found, HeaderEvent, HeaderPart, HeaderReader, Surroundings, Wrap};
use crate::checksum::adler32;
use crate::error::{Error, Result, Status};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Allocator, Output, Placed};

/// Where a call stops, besides at the end of input or room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// As much as input and room allow.
    Progress,
    /// The end of the stream: anything less is [`Error::Buffer`].
    Finish,
    /// Stop at the next block boundary, and after the wrap's header.
    Block,
    /// As `Block`, and also stop after each block header.
    BlockHeader,
}

/// The part of the format that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Header,
    /// Decoding cannot continue before the dictionary is set.
    Dictionary,
    Blocks,
    /// Before the trailer's check value.
    Check,
    /// Before the trailer's length.
    Length,
    Done,
    /// The data is damaged.
    Bad,
    /// Memory was refused.
    NoMemory,
    /// `inflateSync` searches for a marker; this many of its bytes were found.
    Sync(usize),
}

/// How a pass through the modes ended.
///
/// The difference between `Leave` and `Abort` follows zlib's code: most places end with
/// `goto inf_leave`, where the window, the totals and `data_type` are updated. A needed dictionary,
/// refused memory and a wrong state end with `return`, which skips this.
enum Pass {
    /// Stop here; the reader gives back to the input all but this many bits.
    Leave { held: u32, outcome: Result<Status> },
    /// Stop here, with all input taken.
    Starved,
    /// Stop at once, without the usual work at the end of a call.
    Abort(Result<Status>),
}

/// Progress of the current call.
#[derive(Clone, Copy, Debug, Default)]
struct Call {
    /// Whether it took any input.
    taken: bool,
    /// Bytes of output, decoded here or elsewhere: those that zlib would copy to its window.
    produced: usize,
    /// Whether it ended at once, without the usual work at the end of a call.
    is_aborted: bool,
}

/// The short path is for calls with at most this much room. If it does not fill the room, the general path decodes again; until
/// then this many bytes after the position, and one wide store, may have been overwritten. No match may need those: in the ring
/// the oldest bytes that a match may need are at least `GAP` bytes after the position.
const FEW: usize = 32;
const _: () = assert!(FEW + History::<u8>::SLOP <= History::<u8>::GAP);

/// A decoder of one stream after another.
#[derive(Debug)]
pub struct Inflate {
    mode: Mode,
    wrap: Wrap,
    /// Whether the caller requested a raw stream; then [`check`](Self::check) returns `None`.
    /// Unlike `wrap`, it is not changed by `inflateSync`.
    is_raw: bool,
    /// The size of zlib's window as a power of two; 0 if the header is to set it.
    window_bits: u32,
    /// Also holds the check value of the data so far, in `check`.
    header: HeaderReader,
    /// Whether `set_dictionary` was called since the start of the stream.
    has_dictionary: bool,
    /// Bits that were taken from earlier input and not used.
    held: HeldBits,
    blocks: Blocks,
    /// Allocated at the first dynamic block: a short message has none.
    tables: Option<Placed<Tables>>,
    window: Window,
    /// The size of zlib's window if zlib would have allocated one by now, else 0.
    history_size: usize,
    /// How many bytes of it zlib would have filled.
    history_len: usize,
    /// Whether this call has read the trailer's check value.
    is_checked: bool,
    call: Call,
    /// Bytes of output, modulo 2^32, for a gzip trailer.
    total: u32,
    /// The check value that the caller sees. It does not follow `header.check` while a gzip header
    /// is read, since that is the header's own CRC then.
    shown_check: u32,
    data_type: i32,
    message: Option<&'static CStr>,
}

impl Inflate {
    /// Creates a stream. `window_bits` is as for `inflateInit2()`: 8 to 15 for zlib, plus 16 for gzip, plus 32 for
    /// either, negative for raw, 0 to use the size in the zlib header. Fails with [`Error::Stream`] for other values.
    #[inline(always)]
    pub fn new(window_bits: i32, allocator: Allocator) -> Result<Self> {
        let (wrap, bits) = Wrap::parse(window_bits).ok_or(Error::Stream)?;
        let mut stream = Self {
            mode: Mode::Header,
            wrap,
            is_raw: wrap.is_raw(),
            window_bits: bits,
            header: HeaderReader::new(),
            has_dictionary: false,
            held: HeldBits::default(),
            blocks: Blocks::new(),
            tables: None,
            window: Window::new(allocator),
            history_size: 0,
            history_len: 0,
            is_checked: false,
            call: Call::default(),
            total: 0,
            shown_check: 0,
            data_type: 0,
            message: None,
        };
        stream.reset_keep();
        Ok(stream)
    }

    /// Decodes from the front of `input` to `output` until one of them runs out, the stream ends, or `goal` is met.
    /// Parts of a gzip header are passed to `report` as they are read.
    ///
    /// [`Error::Buffer`], which is not fatal, if no progress was possible, or with `Goal::Finish` if the end was not reached;
    /// [`Error::Data`] with a [`message`](Self::message); [`Error::Memory`]; [`Error::Stream`] after an unsuccessful `sync`.
    pub fn inflate(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        goal: Goal,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Result<Status> {
        if goal == Goal::Progress && self.may_continue(output.room()) {
            return self.inflate_few(input, output, report);
        }
        self.inflate_any(input, output, goal, report)
    }

    /// [`inflate`](Self::inflate) in general. Not inlined, because its scratch takes 4 KiB of stack.
    #[inline(never)]
    fn inflate_any(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        goal: Goal,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Result<Status> {
        let mut memory = ScratchMemory::uninit();
        let mut scratch = Scratch::new(&mut memory);
        self.begin_call();
        let outcome = self.advance(&mut scratch, input, output, goal, report);
        self.end_call(&mut scratch, outcome, goal)
    }

    /// Whether a call with `room` bytes of room can take the short path: the room is small, as when a program reads one number at a
    /// time, and the call begins within a block of symbols.
    fn may_continue(&self, room: usize) -> bool {
        (1..=FEW).contains(&room)
            && self.mode == Mode::Blocks
            && self.history_size > 0
            && self.window.has_room(room)
            && self.blocks.is_in_symbols()
    }

    /// [`inflate`](Self::inflate) for a call that [`may_continue`](Self::may_continue), in less time. Usually the room is
    /// filled; otherwise the general path decodes the same symbols again. For that, nothing of the
    /// stream changes before `fill_few` has returned true: the reader is a copy, and the window
    /// counts nothing.
    ///
    /// The short path omits the checks of the general path that have a known result here: the room
    /// was filled, so there was progress; the window has memory; zlib would have a window already.
    fn inflate_few(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Result<Status> {
        let mut reader = BitReader::new(self.held, input);
        let room = output.room();
        let limit = self.history_len;
        let (blocks, tables) = (&mut self.blocks, self.tables.as_deref());
        let is_full = self.window.fill_few(limit, room, |history| blocks.fill(&mut reader, history, tables));
        if !is_full {
            return self.inflate_any(input, output, Goal::Progress, report);
        }
        // As `begin_call` does. `call` stays zero: only `end_call`, which is not called here, reads it.
        (self.is_checked, self.call) = (false, Call::default());
        self.deliver(output, None);
        reader.give_back(0);
        self.held = reader.held();
        *input = reader.rest();
        self.history_len = self.history_size.min(self.history_len + room);
        self.data_type = self.current_data_type();
        Ok(Status::Ok)
    }

    /// Begins a call by the caller, which may make several calls of [`advance`](Self::advance).
    ///
    /// Matches may reach back as far as zlib's window does, which may be less than is kept, and to
    /// all bytes that this call appends.
    pub fn begin_call(&mut self) {
        if self.mode == Mode::Blocks && self.blocks.state() == BlockState::Type {
            // The last call already stopped here.
            self.blocks.await_block(false);
        }
        self.window.begin_call(self.history_len);
        self.is_checked = false;
        self.call = Call::default();
    }

    /// Decodes as [`inflate`](Self::inflate) does, after [`begin_call`](Self::begin_call). `scratch` must be
    /// the same for the whole call.
    pub fn advance(
        &mut self,
        scratch: &mut Scratch<'_>,
        input: &mut &[u8],
        output: &mut Output<'_>,
        goal: Goal,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Result<Status> {
        let stops = matches!(goal, Goal::Block | Goal::BlockHeader);
        if stops && self.mode == Mode::Blocks && self.blocks.state() == BlockState::Type {
            // An earlier `advance` of this call already stopped here.
            self.blocks.await_block(false);
        }
        let mut reader = BitReader::new(self.held, input);
        let before = output.written();
        let pass = self.run(&mut reader, output, scratch, goal, report);
        let outcome = match pass {
            Pass::Leave { held, outcome } => {
                reader.give_back(held);
                outcome
            }
            Pass::Starved => Ok(Status::Ok),
            Pass::Abort(outcome) => {
                // `end_call` does not move the scratch to memory then, and the scratch does not
                // outlive its call.
                self.window.drop_scratch();
                reader.give_back(0);
                self.call.is_aborted = true;
                outcome
            }
        };
        self.held = reader.held();
        self.call.taken |= reader.consumed() > 0;
        self.call.produced += output.written() - before;
        *input = reader.rest();
        outcome
    }

    /// Ends a call whose last part ended with `outcome`: returns the outcome of the call.
    pub fn end_call(
        &mut self,
        scratch: &mut Scratch<'_>,
        outcome: Result<Status>,
        goal: Goal,
    ) -> Result<Status> {
        if self.call.is_aborted {
            return outcome;
        }
        let Call { taken, produced, .. } = self.call;
        // The order matters: `keep_history` empties a window of which zlib would keep nothing, and
        // then `keep` allocates no memory for it.
        self.keep_history(produced, goal);
        if self.window.keep(scratch).is_err() {
            self.window.drop_scratch();
            self.mode = Mode::NoMemory;
            return Err(Error::Memory);
        }
        self.data_type = self.current_data_type();
        // zlib's `Z_BUF_ERROR`: no progress, or `Z_FINISH` without the end of the stream.
        match outcome {
            Ok(Status::Ok) if goal == Goal::Finish || (!taken && produced == 0) => Err(Error::Buffer),
            outcome => outcome,
        }
    }

    /// Runs from mode to mode until something stops it.
    fn run(
        &mut self,
        reader: &mut BitReader<'_>,
        output: &mut Output<'_>,
        scratch: &mut Scratch<'_>,
        goal: Goal,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Pass {
        loop {
            match self.mode {
                Mode::Header if self.wrap.is_raw() => {
                    // A raw stream does not stop before its first block, even if the goal is a
                    // block's end. After a wrap's header it does: see `begin_data`.
                    self.blocks.await_block(false);
                    self.mode = Mode::Blocks;
                }
                Mode::Header => {
                    let mut around =
                        Surroundings { wrap: self.wrap, window_bits: &mut self.window_bits, report };
                    match self.header.step(reader, &mut around) {
                        HeaderEvent::NeedInput => return Pass::Starved,
                        HeaderEvent::Damaged { message, held } => return self.damaged(message, held),
                        HeaderEvent::NeedDictionary => {
                            self.shown_check = self.header.check;
                            self.mode = Mode::Dictionary;
                        }
                        HeaderEvent::Done => self.begin_data(),
                    }
                }
                Mode::Dictionary => {
                    if !self.has_dictionary {
                        return Pass::Abort(Ok(Status::NeedDictionary));
                    }
                    // It was the dictionary's check value. Now that of the data begins (RFC 1950,
                    // 2.2).
                    self.header.check = adler32::INITIAL;
                    self.begin_data();
                }
                Mode::Blocks => {
                    if let Some(pass) = self.run_blocks(reader, output, scratch, goal) {
                        return pass;
                    }
                    self.mode = Mode::Check;
                }
                Mode::Check => {
                    if !self.wrap.is_raw() {
                        if !reader.need(32) {
                            return Pass::Starved;
                        }
                        self.is_checked = true;
                        // Adler-32 is sent from the high byte on, CRC-32 from the low byte on.
                        // As in zlib, primed bits beyond the field are part of the value, except where the bytes are swapped.
                        reader.give_back(32);
                        let value = match self.header.found {
                            Found::Zlib => u64::from(reader.peek(32).swap_bytes()),
                            _ => reader.bits(),
                        };
                        if self.wrap.checked && value != u64::from(self.header.check) {
                            return self.damaged(message::DATA_CHECK, 32);
                        }
                        Self::drop_trailer_field(reader);
                    }
                    self.mode = Mode::Length;
                }
                Mode::Length => {
                    // ISIZE, only in a gzip trailer (RFC 1952, 2.3.1).
                    if !self.wrap.is_raw() && self.header.found != Found::Zlib {
                        if !reader.need(32) {
                            return Pass::Starved;
                        }
                        reader.give_back(32);
                        if self.wrap.checked && reader.bits() != u64::from(self.total) {
                            return self.damaged(message::LENGTH_CHECK, 32);
                        }
                        Self::drop_trailer_field(reader);
                    }
                    self.mode = Mode::Done;
                }
                Mode::Done => return Pass::Leave { held: 0, outcome: Ok(Status::StreamEnd) },
                Mode::Bad => return Pass::Leave { held: 0, outcome: Err(Error::Data) },
                Mode::NoMemory => return Pass::Abort(Err(Error::Memory)),
                Mode::Sync(_) => return Pass::Abort(Err(Error::Stream)),
            }
        }
    }

    /// Decodes blocks into the window and copies the result to the output; returns `None` after the final block.
    ///
    /// Each turn decodes at most as much as the output has room for, so everything decoded is
    /// delivered in the same turn. The window may have less room: its ring or its scratch ends.
    /// Then `blocks.step` stops with `NeedRoom` although the output is not full, and the next turn
    /// begins at the ring's base or in newly allocated memory.
    fn run_blocks(
        &mut self,
        reader: &mut BitReader<'_>,
        output: &mut Output<'_>,
        scratch: &mut Scratch<'_>,
        goal: Goal,
    ) -> Option<Pass> {
        let stop = match goal {
            Goal::Progress | Goal::Finish => Stop::Nowhere,
            Goal::Block => Stop::Blocks,
            Goal::BlockHeader => Stop::Headers,
        };
        let here = || Pass::Leave { held: 0, outcome: Ok(Status::Ok) };
        loop {
            let (blocks, tables) = (&mut self.blocks, self.tables.as_deref_mut());
            let step = |history: &mut History<'_, u8>| blocks.step(reader, history, stop, tables);
            let Ok(event) = self.window.fill(scratch, output.room(), step) else {
                return Some(self.refused());
            };
            self.deliver(output, Some(scratch));
            match event {
                Event::End => return None,
                Event::NeedInput => return Some(Pass::Starved),
                Event::NeedRoom if output.is_full() => return Some(here()),
                Event::NeedRoom => {}
                Event::NeedTables => {
                    if self.take_tables().is_err() {
                        return Some(self.refused());
                    }
                }
                Event::Stopped => return Some(here()),
                Event::Damaged { message, held } => return Some(self.damaged(message, held)),
            }
        }
    }

    /// Allocates the tables, unless they exist. They stay until the stream is dropped, since the
    /// next stream of the same kind needs them again.
    fn take_tables(&mut self) -> Result<()> {
        if self.tables.is_none() {
            self.tables = Some(Placed::zeroed(self.window.allocator())?);
        }
        Ok(())
    }

    /// Records that an allocation failed.
    #[cold]
    fn refused(&mut self) -> Pass {
        self.mode = Mode::NoMemory;
        Pass::Abort(Err(Error::Memory))
    }

    /// Copies new bytes from the window to the output, and counts and checks them while they are in cache.
    #[inline(always)]
    fn deliver(&mut self, output: &mut Output<'_>, scratch: Option<&Scratch<'_>>) {
        let bytes = self.window.deliver(scratch);
        if bytes.is_empty() {
            return;
        }
        let count = output.put(bytes);
        debug_assert_eq!(count, bytes.len());
        self.total = self.total.wrapping_add(bytes.len() as u32);
        if self.wrap.checked {
            self.header.check = self.header.found.update(self.header.check, bytes);
            self.shown_check = self.header.check;
        }
    }

    /// Continues with the data after the header. As in zlib, a call whose goal is a block's end
    /// stops here.
    fn begin_data(&mut self) {
        self.shown_check = self.header.check;
        self.blocks.await_block(true);
        self.mode = Mode::Blocks;
    }

    /// Records that the data is damaged.
    fn damaged(&mut self, message: &'static CStr, held: u32) -> Pass {
        self.message = Some(message);
        self.mode = Mode::Bad;
        Pass::Leave { held, outcome: Err(Error::Data) }
    }

    /// Drops four bytes of the trailer, and any bits primed beyond them. Bytes read ahead are given
    /// back before the rest is cleared, so only primed bits are lost.
    fn drop_trailer_field(reader: &mut BitReader<'_>) {
        reader.drop_bits(32);
        reader.give_back(0);
        reader.clear();
    }

    /// Tracks zlib's window: whether zlib would have one now, and how much of it would be filled.
    ///
    /// zlib copies a call's output to its window at the end of the call, and allocates the window
    /// at the first call that has something to copy.
    fn keep_history(&mut self, produced: usize, goal: Goal) {
        // Once zlib has read the check value, it keeps no history of the call's output. Nor does it allocate a window if the
        // stream's data ends in a call with `Z_FINISH`.
        let produced = if self.is_checked { 0 } else { produced };
        let is_over = matches!(self.mode, Mode::Check | Mode::Length | Mode::Done) && goal == Goal::Finish;
        let begins = produced > 0 && self.mode != Mode::Bad && !is_over;
        if self.history_size != 0 || begins {
            if self.is_checked {
                self.window.end_as_begun(self.history_len);
            }
            self.grow_history(produced);
        } else {
            // zlib would have no window: the call's output is not kept.
            self.window.clear();
        }
    }

    /// Counts bytes into zlib's window, which begins now if there was none.
    fn grow_history(&mut self, count: usize) {
        if self.history_size == 0 {
            self.history_size = 1 << self.window_bits;
            self.history_len = 0;
        }
        self.history_len = self.history_size.min(self.history_len + count);
    }

    /// The `data_type` that `inflate()` sets: the number of bits held, plus 64 from the final
    /// block's header on, plus 128 if the call stopped between two blocks, or 256 if after a
    /// block's header.
    fn current_data_type(&self) -> i32 {
        let place = match self.blocks.state() {
            _ if self.mode != Mode::Blocks => 0,
            BlockState::Type => 128,
            BlockState::SymbolsStart | BlockState::StoredStart => 256,
            _ => 0,
        };
        self.held.count as i32 + if self.blocks.is_final() { 64 } else { 0 } + place
    }

    /// Returns to the start of a stream in the same format. Memory for tables and window is kept.
    pub fn reset(&mut self) {
        self.window.clear();
        (self.history_size, self.history_len) = (0, 0);
        self.reset_keep();
    }

    /// Returns to the start of a stream in another format. Fails as [`new`](Self::new) does, and then changes nothing.
    pub fn reset2(&mut self, window_bits: i32) -> Result<()> {
        let (wrap, bits) = Wrap::parse(window_bits).ok_or(Error::Stream)?;
        (self.wrap, self.window_bits, self.is_raw) = (wrap, bits, wrap.is_raw());
        self.reset();
        Ok(())
    }

    /// `inflateResetKeep()`: returns to the start, with the history unchanged.
    pub fn reset_keep(&mut self) {
        self.mode = Mode::Header;
        self.header = HeaderReader::new();
        self.has_dictionary = false;
        self.held = HeldBits::default();
        self.blocks.reset();
        self.total = 0;
        // zlib sets `adler` to 1 if a zlib header is accepted, else to 0; in a raw stream it keeps
        // it.
        if !self.wrap.is_raw() {
            self.shown_check = u32::from(self.wrap.zlib);
        }
        self.data_type = 0;
        self.message = None;
    }

    /// `inflatePrime()`: inserts `count` bits before the input; a negative count drops all bits held. Fails with
    /// [`Error::Stream`] if `count` exceeds 16, or more than 32 bits would be held.
    pub fn prime(&mut self, count: i32, value: i32) -> Result<()> {
        match count {
            0 => {}
            ..0 => self.held = HeldBits::default(),
            1..=16 if self.held.count + count as u32 <= 32 => {
                let value = value as u32 as u64 & ((1 << count) - 1);
                self.held.bits |= value << self.held.count;
                self.held.count += count as u32;
            }
            _ => return Err(Error::Stream),
        }
        Ok(())
    }

    /// `inflateMark()`. Upper bits: how many bits before the current position the unfinished symbol begins. Low 16 bits: how
    /// many bytes of that match are copied, or how many of a stored block are still to come.
    pub fn mark(&self) -> i64 {
        let (back, bytes) = self.blocks.mark();
        let bytes = if self.mode == Mode::Blocks { bytes } else { 0 };
        (i64::from(back) << 16) + i64::from(bytes)
    }

    /// `inflateSync()`: skips input to the end of the next flush marker. Fails with [`Error::Data`] if the input has none, and
    /// with [`Error::Buffer`] if there is no input.
    pub fn sync(&mut self, input: &mut &[u8]) -> Result<()> {
        if input.is_empty() && self.held.count < 8 {
            return Err(Error::Buffer);
        }
        // A search may continue over several calls. The first one begins with the whole bytes among
        // the bits held, which precede the input.
        let mut seen = 0;
        if let Mode::Sync(before) = self.mode {
            seen = before;
        } else {
            let bits = self.held.bits >> (self.held.count & 7);
            let bytes = bits.to_le_bytes();
            find_marker(&mut seen, &bytes[..self.held.count as usize / 8]);
            self.held = HeldBits::default();
        }
        let used = find_marker(&mut seen, input);
        *input = &input[used..];
        self.mode = Mode::Sync(seen);
        if seen != MARKER.len() {
            return Err(Error::Data);
        }
        // If no header was read, the data after the marker is decoded as raw. If one was, check values are no longer compared;
        // the value is kept, because `inflateValidate` can enable the comparison again.
        let (found, check) = (self.header.found, self.header.check);
        match found {
            Found::Nothing => self.wrap = Wrap::RAW,
            _ => self.wrap.checked = false,
        }
        self.reset();
        (self.header.found, self.header.check) = (found, check);
        self.blocks.await_block(true);
        self.mode = Mode::Blocks;
        Ok(())
    }

    /// `inflateSyncPoint()`: whether the lengths of a stored block come next, on a byte boundary.
    pub fn is_sync_point(&self) -> bool {
        self.mode == Mode::Blocks && self.blocks.state() == BlockState::StoredLengths && self.held.count == 0
    }

    /// `inflateSetDictionary()`: sets the dictionary that the header requires, or, for a raw stream at any time, history. Fails
    /// with [`Error::Stream`] if no dictionary is required, [`Error::Data`] if another one is, or [`Error::Memory`].
    pub fn set_dictionary(&mut self, dictionary: &[u8]) -> Result<()> {
        if !self.wrap.is_raw() && self.mode != Mode::Dictionary {
            return Err(Error::Stream);
        }
        if self.mode == Mode::Dictionary && adler32::update(adler32::INITIAL, dictionary) != self.header.check
        {
            return Err(Error::Data);
        }
        if self.window.remember(dictionary).is_err() {
            self.mode = Mode::NoMemory;
            return Err(Error::Memory);
        }
        self.grow_history(dictionary.len());
        self.has_dictionary = true;
        Ok(())
    }

    /// `inflateGetDictionary()`: the history that zlib would have kept.
    pub fn dictionary(&mut self) -> &[u8] {
        self.window.last(self.history_len)
    }

    /// `inflateValidate()`: sets whether check values are compared.
    pub fn validate(&mut self, check: bool) {
        self.wrap.checked = check && !self.wrap.is_raw();
    }

    /// `inflateCodesUsed()`: how many table entries zlib would have used for the last dynamic block.
    pub fn codes_used(&self) -> usize {
        self.blocks.codes_used(self.tables.as_deref())
    }

    /// Whether a gzip header is accepted, so that `inflateGetHeader` makes sense. After `inflateSync` before any header the
    /// stream is raw.
    pub fn accepts_gzip(&self) -> bool {
        self.wrap.gzip
    }

    /// The value of `z_stream.adler`: the check value of the output so far, or of the required dictionary. `None` for a raw
    /// stream.
    pub fn check(&self) -> Option<u32> {
        (!self.is_raw).then_some(self.shown_check)
    }

    /// The value of `z_stream.data_type`: unused bits of the last byte, and flags for the position among the blocks.
    pub fn data_type(&self) -> i32 {
        self.data_type
    }

    /// zlib's text for the last error.
    pub fn message(&self) -> Option<&'static CStr> {
        self.message
    }

    /// Bytes of output, modulo 2^32.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Whether the stream has read no input yet.
    pub fn is_at_start(&self) -> bool {
        self.mode == Mode::Header && self.held.count == 0 && self.header.is_at_start()
    }

    /// How many bits of the input taken so far belong to the next block, if the stream is between blocks.
    /// With the position in the input this is the position of the block's first bit. `None` after
    /// the final block, which no block follows.
    pub fn bits_before_block(&self) -> Option<u32> {
        let is_between = matches!(self.blocks.state(), BlockState::Type | BlockState::TypeBits);
        (self.mode == Mode::Blocks && is_between && !self.blocks.is_final()).then_some(self.held.count)
    }

    /// Whether the last call stopped between two blocks as its goal required.
    pub fn is_between_blocks(&self) -> bool {
        self.mode == Mode::Blocks && self.blocks.state() == BlockState::Type
    }

    /// The last 32 KiB, in two parts, when a match may reach back that far.
    pub fn full_history(&self) -> Option<[&[u8]; 2]> {
        (self.window.reach() >= WINDOW_SIZE).then(|| self.window.last_parts(WINDOW_SIZE))
    }

    /// Whether matches may reach back 32 KiB, whatever the stream's header specifies.
    pub fn has_largest_window(&self) -> bool {
        self.window_bits == 15
    }

    /// Whether the bits that were read but not used are the upper bits of `byte`. The caller passes
    /// the last byte taken from its own copy of the input: if they agree, decoding can continue
    /// after that byte of the copy.
    pub fn holds_end_of(&self, byte: u8) -> bool {
        self.held.count < 8 && u64::from(byte) >> (8 - self.held.count) == self.held.bits
    }

    /// Skips the next `count` bytes, which were decoded elsewhere: the history does not keep them.
    /// At least 32 KiB that it does keep must follow.
    pub(super) fn skip_history(&mut self, count: usize) {
        self.window.skip(count);
    }

    /// Counts and checks bytes of this stream that were decoded elsewhere, and keeps the last `kept` of
    /// them. [`pass_to`](Self::pass_to) must follow.
    pub(super) fn count_decoded(&mut self, bytes: &[u8], kept: usize) -> Result<()> {
        self.total = self.total.wrapping_add(bytes.len() as u32);
        if self.wrap.checked {
            self.header.check = self.header.found.update(self.header.check, bytes);
            self.shown_check = self.header.check;
        }
        self.window.remember(&bytes[bytes.len() - kept..])
    }

    /// Moves the stream to `place`, after `count` bytes that were decoded elsewhere and counted by
    /// [`count_decoded`](Self::count_decoded). The caller moves its input to the place too.
    /// Fails with `Error::Memory`, or `Error::Data` if the codes at `place` are not valid.
    pub(super) fn pass_to(&mut self, place: &Waypoint, count: usize) -> Result<()> {
        self.held = place.held;
        self.call.produced += count;
        if place.saved.has_codes() {
            self.take_tables().inspect_err(|_| self.mode = Mode::NoMemory)?;
        }
        let is_there = self.blocks.pass_to(&place.saved, self.tables.as_deref_mut());
        if is_there { Ok(()) } else { Err(Error::Data) }
    }

    /// An independent copy of the stream in its present state. Tables are copied as they are, and
    /// the window with its uninitialised part, so nothing is decoded or built again.
    pub fn try_clone(&self) -> Result<Self> {
        let window = self.window.try_clone()?;
        let tables = match &self.tables {
            Some(tables) => Some(Placed::copy_of(&**tables, window.allocator())?),
            None => None,
        };
        Ok(Self { window, tables, ..*self })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::super::window::WINDOW_BYTES;
    use super::*;
    use crate::deflate::{ChunkEncoder, ChunkEnd, Level};
    use crate::random::Random;

    #[test]
    fn a_stream_takes_no_more_memory_than_zlibs() {
        // The allocations of `inflateInit` and of the first call, in zlib 1.2.13. Ours does not include what `stream` and
        // `capi` add: `memory.c` of the C tests counts everything.
        const ZLIB: usize = 7152 + (1 << 15);
        let ours = size_of::<Inflate>() + size_of::<Tables>() + WINDOW_BYTES;
        assert!(ours + 160 <= ZLIB, "{} + {} + {WINDOW_BYTES}", size_of::<Inflate>(), size_of::<Tables>());
    }

    #[test]
    fn calls_with_little_room_agree_with_the_general_path() {
        let mut random = Random::varied(11);
        let data = sample(if cfg!(miri) { 2000 } else { 120_000 });
        let mut packed = Vec::new();
        let level = Level::new(6).expect("a level");
        let mut encoder = ChunkEncoder::new().expect("memory");
        encoder.encode_to_vec(level, &data, 0, ChunkEnd::Finish, &mut packed).expect("memory");
        let mut short = Inflate::new(-15, Allocator::SYSTEM).expect("valid bits");
        let mut general = Inflate::new(-15, Allocator::SYSTEM).expect("valid bits");
        let (mut decoded, mut done, mut in_short_path) = (Vec::new(), 0, 0);
        loop {
            let room = 1 + random.below(2 * FEW);
            let given = &packed[done..packed.len().min(done + 1 + random.below(80))];
            let (mut input, mut input_twin) = (given, given);
            let (mut bytes, mut bytes_twin) = (vec![0; room], vec![0; room]);
            let (mut output, mut output_twin) = (Output::new(&mut bytes), Output::new(&mut bytes_twin));
            in_short_path += usize::from(short.may_continue(room));
            let outcome = short.inflate(&mut input, &mut output, Goal::Progress, &mut |_| {});
            let twin = general.inflate_any(&mut input_twin, &mut output_twin, Goal::Progress, &mut |_| {});
            let written = output.written();
            assert_eq!((outcome, input.len(), written), (twin, input_twin.len(), output_twin.written()));
            assert_eq!(bytes[..written], bytes_twin[..written]);
            assert_eq!((short.data_type(), short.mark()), (general.data_type(), general.mark()));
            if random.below(50) == 0 {
                assert_eq!(short.dictionary(), general.dictionary());
            }
            decoded.extend_from_slice(&bytes[..written]);
            done += given.len() - input.len();
            if outcome == Ok(Status::StreamEnd) {
                break;
            }
        }
        assert!(
            decoded == data && in_short_path > data.len() / 200,
            "{in_short_path} calls took the short path"
        );
    }
}
