//! `Blocks`: the sequence of DEFLATE blocks as a machine that can stop between any two bits.
//!
//! The machine reads from a `BitReader` and appends to a `History` until the input or the room runs out, it reaches a
//! place where the caller wants to stop, or the data ends or is damaged. It returns which, and continues from there when
//! called again.
//!
//! Its states are those of zlib's `inflate()`, because callers can observe them: how many bits have been dropped when
//! input runs out, that one more symbol is read when the room is used up (it may be the end of the block, or even of
//! the stream), and the result of `inflateMark`. `BlockState` describes everything that is pending between states. The
//! fast loop decodes almost all symbols in bulk; this machine decodes headers, ends, and the last symbols before input or
//! room is exhausted.
//!
//! ```text
//! Type -> TypeBits -+- stored --> StoredLengths -> StoredStart -> Stored ----------------> Type
//!                   +- fixed ---> SymbolsStart -> symbols ... end-of-block --------------> Type
//!                   +- dynamic -> Counts -> PrecodeLengths -> CodeLengths -> SymbolsStart  ...
//!                   +- (the last block was final) -> End
//!
//! symbols:   Litlen -> Literal -> Litlen
//!            Litlen -> LengthExtra -> Offset -> OffsetExtra -> Match -> Litlen
//! ```
//!
//! An item's bits are taken only when all of them are buffered, and then the state changes. So when
//! `run` returns `NeedInput` or `NeedRoom`, no item is half read, and the next call continues with
//! the same state. The bits that wait are in the reader; everything else is in the fields.
//!
//! In the states `Match` and `Literal` a symbol was read and is not appended yet. They are separate
//! states as in zlib, which reads one more symbol when the room is used up, and reports that symbol
//! in `inflateMark`.
//!
//! `run` is one long function on purpose: one arm per state, in the order of a stream.

mod lengths;
mod with_tables;

pub(super) use self::with_tables::WithTables;

use core::ffi::CStr;

use self::lengths::Lengths;
use super::bit_reader::BitReader;
use super::fast::{self, Exit};
use super::history::{Element, History};
use super::message;
use super::table::{self, BadCode, Codes, END_OF_BLOCK, EXCEPTIONAL, LITERAL, LITLEN_ROOT_BITS, Tables};
use crate::format::deflate::{END_OF_BLOCK as END_SYMBOL, LITLEN_SYMBOLS, OFFSET_SYMBOLS, PRECODE_ORDER};

/// Places where the caller wants to stop, besides those where the machine must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nowhere.
    Nowhere,
    /// Between blocks.
    Blocks,
    /// Between blocks and after each block header.
    Headers,
}

/// Why the machine stopped. After every event but `Damaged` the machine can be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The input ended inside an item. All of it was taken.
    NeedInput,
    /// The history is full, and something waits to be appended.
    NeedRoom,
    /// A place at which the caller wanted to stop.
    Stopped,
    /// A dynamic block begins, and there are no tables to build its codes in.
    NeedTables,
    /// The final block ended; the rest of its last byte was dropped.
    End,
    /// The data is damaged. `held` bits of the offending item are not dropped.
    Damaged {
        /// zlib's message.
        message: &'static CStr,
        /// The number of bits that zlib leaves in its bit buffer.
        held: u32,
    },
}

/// The machine's position in a block. The name in parentheses is the state of zlib's `inflate.c`.
///
/// The two states after a header, `StoredStart` and `SymbolsStart`, do no work. They exist because
/// a caller can see them: `data_type` has a flag for them (256).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockState {
    /// Between blocks, where a caller may want to stop (`TYPE`).
    Type,
    /// Before a block's three header bits (`TYPEDO`).
    TypeBits,
    /// Before the lengths of a stored block (`STORED`).
    StoredLengths,
    /// After the header of a stored block (`COPY_`).
    StoredStart,
    /// In a stored block with `length` bytes to come (`COPY`).
    Stored,
    /// Before the three counts of a dynamic block (`TABLE`).
    Counts,
    /// In the precode's lengths (`LENLENS`).
    PrecodeLengths,
    /// In the codeword lengths (`CODELENS`).
    CodeLengths,
    /// After the header of a block of symbols (`LEN_`).
    SymbolsStart,
    /// Before a literal/length codeword (`LEN`).
    Litlen,
    /// Before the extra bits of a length (`LENEXT`).
    LengthExtra,
    /// Before an offset codeword (`DIST`).
    Offset,
    /// Before the extra bits of an offset (`DISTEXT`).
    OffsetExtra,
    /// A match waits for room (`MATCH`).
    Match,
    /// A literal waits for room (`LIT`).
    Literal,
    /// After the final block (`CHECK` and later states).
    End,
}

/// Which tables the open block uses: the constant ones of a fixed block, or those of its own
/// header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Fixed,
    Dynamic,
}

/// Which tables were built for the last dynamic header before it ended or failed: for [`Blocks::codes_used`] and
/// [`Saved::has_codes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Built {
    Nothing,
    Precode,
    Litlen,
    Both,
}

/// The block machine. It owns no tables, since many streams need none; the caller passes them in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks {
    state: BlockState,
    /// The BFINAL bit of the open block or, between two blocks, of the last one.
    is_final: bool,
    /// Which tables the open block uses.
    codes: Kind,
    built: Built,
    /// How many symbols of each kind the tables were last built for.
    built_symbols: (u16, u16),
    /// Whether the tables were built from their present `lens` and `built_symbols`.
    has_tables: bool,
    /// The numbers of lengths in the last dynamic header: HLIT + 257, HDIST + 1, HCLEN + 4.
    litlen_symbols: u16,
    offset_symbols: u16,
    precode_symbols: u16,
    /// Lengths read so far, in whichever of the two length states.
    lens_read: u16,
    /// Elements of the pending match, bytes of the stored block, or the pending literal.
    length: u32,
    /// How far back the pending match begins.
    distance: u32,
    /// The number of extra bits of the pending length or offset.
    extra: u32,
    /// The full length of the last match. `length` counts down while it is copied in parts.
    full_length: u32,
    /// Bits taken since the start of the pending symbol, as `inflateMark` returns them; -1 when none is pending.
    back: i32,
    /// If `has_size`, the elements decoded since the last dynamic header: those of its block, and
    /// of fixed and stored blocks after it. During a call it is this number minus the history's
    /// position, so that appending does not have to update it. The subtraction wraps.
    size: usize,
    has_size: bool,
}

/// A machine without its tables, which can be rebuilt from the codeword lengths.
///
/// It has the fields of [`Blocks`] that are in use outside a dynamic header. The precode's count
/// and the number of lengths read are not among them, since no state is saved inside a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    state: BlockState,
    is_final: bool,
    codes: Kind,
    litlen_symbols: u16,
    offset_symbols: u16,
    length: u32,
    distance: u32,
    extra: u32,
    full_length: u32,
    back: i32,
    built: Built,
    built_symbols: (u16, u16),
    lens: [u8; LITLEN_SYMBOLS + OFFSET_SYMBOLS],
}

impl Saved {
    /// Whether the saved position is in a dynamic block.
    ///
    /// In the other states `codes` is that of an earlier block and has no meaning.
    pub(super) fn needs_tables(&self) -> bool {
        let uses_codes = !matches!(
            self.state,
            BlockState::Type
                | BlockState::TypeBits
                | BlockState::StoredLengths
                | BlockState::StoredStart
                | BlockState::Stored
        );
        uses_codes && self.codes == Kind::Dynamic
    }

    /// Whether a dynamic block began before the saved position, in the data that this machine
    /// decoded.
    pub(super) fn has_codes(&self) -> bool {
        self.built == Built::Both
    }

    /// A machine between two blocks.
    pub(super) const BETWEEN_BLOCKS: Self = Self {
        state: BlockState::TypeBits,
        is_final: false,
        codes: Kind::Fixed,
        litlen_symbols: 0,
        offset_symbols: 0,
        length: 0,
        distance: 0,
        extra: 0,
        full_length: 0,
        back: -1,
        built: Built::Nothing,
        built_symbols: (0, 0),
        lens: [0; LITLEN_SYMBOLS + OFFSET_SYMBOLS],
    };
}

/// Ends `run` with `Damaged`. `$held` is the number of bits that zlib has read but not dropped at
/// this error; the caller gives back to the input all bytes beyond these bits.
macro_rules! damaged {
    ($message:expr) => {
        return Event::Damaged { message: $message, held: 0 }
    };
    ($message:expr, $held:expr) => {
        return Event::Damaged { message: $message, held: $held }
    };
}

/// Ends `run` with `NeedInput` unless `$count` bits are available.
macro_rules! need {
    ($reader:expr, $count:expr) => {
        if !$reader.need($count) {
            return Event::NeedInput;
        }
    };
}

impl Blocks {
    /// A machine before the first block.
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self {
            state: BlockState::TypeBits,
            is_final: false,
            codes: Kind::Fixed,
            built: Built::Nothing,
            built_symbols: (0, 0),
            has_tables: false,
            litlen_symbols: 0,
            offset_symbols: 0,
            precode_symbols: 0,
            lens_read: 0,
            length: 0,
            distance: 0,
            extra: 0,
            full_length: 0,
            back: -1,
            size: 0,
            has_size: false,
        }
    }

    /// Returns to before the first block, in place. Keeps the last block's size: members of one file, or messages of one
    /// connection, are similar.
    pub(crate) fn reset(&mut self) {
        self.state = BlockState::TypeBits;
        self.is_final = false;
        self.built = Built::Nothing;
        self.back = -1;
    }

    /// Returns the state to continue from here later; `None` inside a dynamic block's header and after the final block.
    pub(super) fn save(&self, tables: Option<&Tables>) -> Option<Saved> {
        let is_in_header = matches!(
            self.state,
            BlockState::Counts | BlockState::PrecodeLengths | BlockState::CodeLengths | BlockState::End
        );
        (!is_in_header).then_some(Saved {
            state: self.state,
            is_final: self.is_final,
            codes: self.codes,
            litlen_symbols: self.litlen_symbols,
            offset_symbols: self.offset_symbols,
            length: self.length,
            distance: self.distance,
            extra: self.extra,
            full_length: self.full_length,
            back: self.back,
            built: self.built,
            built_symbols: self.built_symbols,
            lens: tables.map_or(Saved::BETWEEN_BLOCKS.lens, |tables| tables.lens),
        })
    }

    /// Restores the state `saved`. Returns false if it is not valid; then the machine must be reset. Needs `tables` if
    /// [`Saved::needs_tables`] is true.
    pub(super) fn restore(&mut self, saved: &Saved, tables: Option<&mut Tables>) -> bool {
        self.reset();
        self.set(saved);
        !saved.needs_tables() || tables.is_some_and(|tables| self.rebuild(saved, tables))
    }

    /// Moves a machine that is between two symbols forward to the state `saved` of another machine that
    /// decoded the same stream. Builds the tables only if they are not the block's already. Needs
    /// `tables` if [`Saved::has_codes`] is true.
    ///
    /// One block may contain many waypoints, so a block's tables are built once, at the first of
    /// them. At a place that is not in a dynamic block only the lengths are taken over, for
    /// `inflateCodesUsed`; `has_tables` is then false if the tables were built from other lengths.
    pub(super) fn pass_to(&mut self, saved: &Saved, tables: Option<&mut Tables>) -> bool {
        self.set(saved);
        if !saved.has_codes() {
            // The other machine began after the last dynamic header, if there was one. This machine
            // has read it already.
            return true;
        }
        let Some(tables) = tables else { return false };
        let symbols = usize::from(saved.built_symbols.0 + saved.built_symbols.1);
        let is_same = self.has_tables
            && self.built_symbols == saved.built_symbols
            && tables.lens[..symbols] == saved.lens[..symbols];
        if !is_same && saved.needs_tables() {
            return self.rebuild(saved, tables);
        }
        tables.lens = saved.lens;
        (self.built, self.built_symbols, self.has_tables) = (saved.built, saved.built_symbols, is_same);
        true
    }

    /// Sets all fields that do not concern the tables.
    fn set(&mut self, saved: &Saved) {
        self.state = saved.state;
        self.is_final = saved.is_final;
        self.codes = saved.codes;
        (self.litlen_symbols, self.offset_symbols) = (saved.litlen_symbols, saved.offset_symbols);
        (self.length, self.distance, self.extra) = (saved.length, saved.distance, saved.extra);
        (self.full_length, self.back) = (saved.full_length, saved.back);
    }

    /// Builds the tables of the open block; returns false if its codes are not valid.
    fn rebuild(&mut self, saved: &Saved, tables: &mut Tables) -> bool {
        tables.lens = saved.lens;
        // Places are saved in large streams, for which the widest tables are best.
        self.build_codes(tables, LITLEN_ROOT_BITS).is_ok()
    }

    /// The machine's position in a block.
    pub(crate) fn state(&self) -> BlockState {
        self.state
    }

    /// Puts the machine between two blocks; `stoppable` if a caller that stops between blocks must stop here.
    /// A caller that has stopped there calls this with false before it continues, or it would stop
    /// again.
    pub(crate) fn await_block(&mut self, stoppable: bool) {
        self.state = if stoppable { BlockState::Type } else { BlockState::TypeBits };
    }

    /// Whether the open block, or the last one, is the final block.
    pub(crate) fn is_final(&self) -> bool {
        self.is_final
    }

    /// The two parts of `inflateMark`: bits taken since the start of the pending symbol; bytes of a stored block still to
    /// come, or of a match already copied.
    pub(crate) fn mark(&self) -> (i32, u32) {
        let bytes = match self.state {
            BlockState::Stored => self.length,
            BlockState::Match => self.full_length - self.length,
            _ => 0,
        };
        (self.back, bytes)
    }

    /// How many table entries zlib would have used for the last dynamic block. The index bits 7, 9
    /// and 6 are those of zlib's tables, not of ours.
    pub(super) fn codes_used(&self, tables: Option<&Tables>) -> usize {
        let Some(Tables { lens, precode_lens, .. }) = tables else { return 0 };
        let (litlen, offset) = (usize::from(self.built_symbols.0), usize::from(self.built_symbols.1));
        match self.built {
            Built::Nothing => 0,
            Built::Precode => table::zlib_entries(precode_lens, 7),
            Built::Litlen => table::zlib_entries(&lens[..litlen], 9),
            Built::Both => {
                table::zlib_entries(&lens[..litlen], 9)
                    + table::zlib_entries(&lens[litlen..litlen + offset], 6)
            }
        }
    }

    /// Runs until something stops it. Without `tables` it stops at the first dynamic block; within a dynamic block, `tables`
    /// must be those that it began with.
    pub(super) fn step<T: Element>(
        &mut self,
        reader: &mut BitReader<'_>,
        history: &mut History<'_, T>,
        stop: Stop,
        tables: Option<&mut Tables>,
    ) -> Event {
        // Between calls `size` is a plain count, since the next call may have another history.
        self.size = self.size.wrapping_sub(history.position());
        let event = self.run(reader, history, stop, tables);
        self.size = self.size.wrapping_add(history.position());
        event
    }

    /// Whether the machine is within a block of symbols: between two of them, or at a match or literal that waits for room.
    #[inline(always)]
    pub(super) fn is_in_symbols(&self) -> bool {
        matches!(self.state, BlockState::Litlen | BlockState::Literal | BlockState::Match)
    }

    /// Fills the room of `history`, and decodes the symbol after it, as [`step`](Self::step) does.
    /// Only for a machine that [`is_in_symbols`](Self::is_in_symbols).
    ///
    /// Returns false if anything else is met: the block's end, damage, or less input than a symbol
    /// may take. Then it has changed nothing but elements past the position, as many as the room
    /// and a wide store. So the caller can decode the same symbols again from the old state: `fill`
    /// works on copies of the fields, and the caller drops `reader` and `history`.
    pub(super) fn fill<T: Element>(
        &mut self,
        reader: &mut BitReader<'_>,
        history: &mut History<'_, T>,
        tables: Option<&Tables>,
    ) -> bool {
        let codes = self.codes(tables);
        let room = history.room();
        let Self { mut state, mut length, mut full_length, mut distance, mut back, .. } = *self;
        loop {
            match state {
                BlockState::Litlen => {
                    // One check for the whole symbol, where `run` has one for each of its parts.
                    if !reader.need(MAX_SYMBOL_BITS) {
                        return false;
                    }
                    let (entry, root_bits) = codes.litlen(reader.bits());
                    if entry & (END_OF_BLOCK | EXCEPTIONAL) != 0 {
                        return false;
                    }
                    let mut bits = root_bits + table::code_bits(entry);
                    reader.drop_bits(bits);
                    length = table::base(entry);
                    if entry & LITERAL != 0 {
                        // If the entry holds two literals, the codeword's length is the first
                        // one's, and `length as u8` below drops the second.
                        (state, back) = (BlockState::Literal, bits as i32);
                        continue;
                    }
                    let extra = table::total_bits(entry) - table::code_bits(entry);
                    length += reader.take(extra);
                    bits += extra;
                    let (entry, root_bits) = codes.offset(reader.bits());
                    if entry & EXCEPTIONAL != 0 {
                        return false;
                    }
                    let extra = table::total_bits(entry) - table::code_bits(entry);
                    reader.drop_bits(root_bits + table::code_bits(entry));
                    distance = table::base(entry) + reader.take(extra);
                    bits += root_bits + table::code_bits(entry) + extra;
                    (state, full_length, back) = (BlockState::Match, length, bits as i32);
                }
                // Checked only after a symbol was read: as in zlib, one more symbol is read when
                // the room is used up.
                _ if history.room() == 0 => break,
                BlockState::Match => {
                    if distance as usize > history.reach() {
                        return false;
                    }
                    let count = (length as usize).min(history.room());
                    history.repeat(distance as usize, count);
                    length -= count as u32;
                    if length == 0 {
                        state = BlockState::Litlen;
                    }
                }
                _ => {
                    history.push(T::literal(length as u8));
                    state = BlockState::Litlen;
                }
            }
        }
        (self.state, self.length, self.full_length) = (state, length, full_length);
        (self.distance, self.back) = (distance, back);
        // The room is full, so exactly `room` elements were appended.
        self.size = self.size.wrapping_add(room);
        true
    }

    /// [`step`](Self::step) without its counting.
    fn run<T: Element>(
        &mut self,
        reader: &mut BitReader<'_>,
        history: &mut History<'_, T>,
        stop: Stop,
        mut tables: Option<&mut Tables>,
    ) -> Event {
        loop {
            match self.state {
                BlockState::Type | BlockState::TypeBits => {
                    if self.state == BlockState::Type && stop != Stop::Nowhere {
                        return Event::Stopped;
                    }
                    // Also after the final block the machine is in `Type` first, so a caller that
                    // stops between blocks stops there too.
                    if self.is_final {
                        reader.align_to_byte();
                        self.state = BlockState::End;
                        continue;
                    }
                    // BFINAL, then BTYPE (RFC 1951, 3.2.3).
                    need!(reader, 3);
                    let header = reader.take(3);
                    self.is_final = header & 1 != 0;
                    match header >> 1 {
                        0 => self.state = BlockState::StoredLengths,
                        1 => {
                            self.codes = Kind::Fixed;
                            self.state = BlockState::SymbolsStart;
                            if stop == Stop::Headers {
                                return Event::Stopped;
                            }
                        }
                        2 => self.state = BlockState::Counts,
                        _ => damaged!(message::BLOCK_TYPE),
                    }
                }
                BlockState::StoredLengths => {
                    // LEN and its complement NLEN, on a byte boundary (RFC 1951, 3.2.4).
                    reader.align_to_byte();
                    need!(reader, 32);
                    let lengths = reader.peek(32);
                    if lengths & 0xffff != !lengths >> 16 {
                        damaged!(message::STORED_LENGTHS, 32);
                    }
                    reader.drop_bits(32);
                    // Whole bytes follow. Gives back those read ahead; drops any other bits that the caller primed, as zlib
                    // does.
                    reader.give_back(0);
                    reader.clear();
                    self.length = lengths & 0xffff;
                    self.state = BlockState::StoredStart;
                    if stop == Stop::Headers {
                        return Event::Stopped;
                    }
                }
                BlockState::StoredStart => self.state = BlockState::Stored,
                BlockState::Stored => {
                    if let Some(event) = self.copy_stored(reader, history) {
                        return event;
                    }
                    self.state = BlockState::Type;
                }
                BlockState::Counts => {
                    // Before anything is taken, so that the caller can allocate tables and call
                    // again.
                    if tables.is_none() {
                        return Event::NeedTables;
                    }
                    // HLIT, HDIST, HCLEN (RFC 1951, 3.2.7). Their fields could express 288 and 32
                    // symbols; the last two of either code do not occur, and zlib refuses them.
                    need!(reader, 14);
                    self.litlen_symbols = reader.take(5) as u16 + 257;
                    self.offset_symbols = reader.take(5) as u16 + 1;
                    self.precode_symbols = reader.take(4) as u16 + 4;
                    if usize::from(self.litlen_symbols) > LITLEN_SYMBOLS
                        || usize::from(self.offset_symbols) > OFFSET_SYMBOLS
                    {
                        damaged!(message::TOO_MANY_SYMBOLS);
                    }
                    self.lens_read = 0;
                    self.state = BlockState::PrecodeLengths;
                }
                BlockState::PrecodeLengths => {
                    let Some(tables) = tables.as_deref_mut() else { return Event::NeedTables };
                    // The lengths come in an order that puts rarely used symbols last, so that an
                    // encoder can omit these; the omitted ones are 0.
                    while self.lens_read < self.precode_symbols {
                        need!(reader, 3);
                        tables.precode_lens[PRECODE_ORDER[usize::from(self.lens_read)]] =
                            reader.take(3) as u8;
                        self.lens_read += 1;
                    }
                    for &symbol in &PRECODE_ORDER[usize::from(self.precode_symbols)..] {
                        tables.precode_lens[symbol] = 0;
                    }
                    // The precode's table takes the place of the last block's tables.
                    self.built = Built::Nothing;
                    self.has_tables = false;
                    if tables.build_precode().is_err() {
                        damaged!(message::PRECODE);
                    }
                    self.built = Built::Precode;
                    self.lens_read = 0;
                    self.state = BlockState::CodeLengths;
                }
                BlockState::CodeLengths => {
                    let Some(tables) = tables.as_deref_mut() else { return Event::NeedTables };
                    let mut lengths = Lengths {
                        read: usize::from(self.lens_read),
                        total: usize::from(self.litlen_symbols + self.offset_symbols),
                    };
                    let event = lengths.read(reader, tables);
                    self.lens_read = lengths.read as u16;
                    if let Some(event) = event {
                        return event;
                    }
                    // Without an end-of-block codeword the block could not end.
                    if tables.lens[END_SYMBOL] == 0 {
                        damaged!(message::MISSING_END);
                    }
                    // Reads `size`, which still counts from the last dynamic header; then it
                    // restarts.
                    let root_bits = self.litlen_root_bits(reader.rest().len(), history.position());
                    if let Err(message) = self.build_codes(tables, root_bits) {
                        damaged!(message);
                    }
                    self.size = 0usize.wrapping_sub(history.position());
                    self.has_size = true;
                    self.codes = Kind::Dynamic;
                    self.state = BlockState::SymbolsStart;
                    if stop == Stop::Headers {
                        return Event::Stopped;
                    }
                }
                BlockState::SymbolsStart => self.state = BlockState::Litlen,
                BlockState::Litlen => {
                    self.back = -1;
                    let codes = self.codes(tables.as_deref());
                    // Every symbol begins here, so the fast loop starts again whenever there is
                    // slack, for example after a match that it left to this machine. Without slack
                    // it returns at once, and one symbol is decoded below.
                    match fast::run(reader, history, codes) {
                        Exit::Slack => {}
                        Exit::EndOfBlock => {
                            self.state = BlockState::Type;
                            continue;
                        }
                        Exit::Match { length, distance, bits } => {
                            (self.length, self.full_length, self.distance) = (length, length, distance);
                            self.back = bits as i32;
                            self.state = BlockState::Match;
                            continue;
                        }
                        Exit::BadLitlen => damaged!(message::LITLEN),
                        Exit::BadOffset => damaged!(message::OFFSET),
                    }
                    let mut back = 0;
                    let entry = take_codeword(reader, |bits| codes.litlen(bits), &mut back);
                    self.back = back;
                    let Some(entry) = entry else { return Event::NeedInput };
                    // The literal, or the length without its extra bits. The entry may hold a
                    // second literal: the codeword taken is the first one's, and `Literal` uses the
                    // low byte.
                    self.length = table::base(entry);
                    if entry & LITERAL != 0 {
                        self.state = BlockState::Literal;
                    } else if entry & END_OF_BLOCK != 0 {
                        self.back = -1;
                        self.state = BlockState::Type;
                    } else if entry & EXCEPTIONAL != 0 {
                        damaged!(message::LITLEN);
                    } else {
                        self.extra = table::total_bits(entry) - table::code_bits(entry);
                        self.state = BlockState::LengthExtra;
                    }
                }
                BlockState::LengthExtra => {
                    need!(reader, self.extra);
                    self.length += reader.take(self.extra);
                    self.back += self.extra as i32;
                    self.full_length = self.length;
                    self.state = BlockState::Offset;
                }
                BlockState::Offset => {
                    let mut back = self.back;
                    let codes = self.codes(tables.as_deref());
                    let entry = take_codeword(reader, |bits| codes.offset(bits), &mut back);
                    self.back = back;
                    let Some(entry) = entry else { return Event::NeedInput };
                    if entry & EXCEPTIONAL != 0 {
                        damaged!(message::OFFSET);
                    }
                    self.distance = table::base(entry);
                    self.extra = table::total_bits(entry) - table::code_bits(entry);
                    self.state = BlockState::OffsetExtra;
                }
                BlockState::OffsetExtra => {
                    need!(reader, self.extra);
                    self.distance += reader.take(self.extra);
                    self.back += self.extra as i32;
                    self.state = BlockState::Match;
                }
                BlockState::Match => {
                    // Room first, as in zlib: a match that reaches too far is reported only by a
                    // call that has room for its first byte.
                    if history.room() == 0 {
                        return Event::NeedRoom;
                    }
                    if self.distance as usize > history.reach() {
                        damaged!(message::TOO_FAR);
                    }
                    // The rest of a match that does not fit is copied later from the same distance:
                    // the source moves with the position.
                    let count = (self.length as usize).min(history.room());
                    history.repeat(self.distance as usize, count);
                    self.length -= count as u32;
                    if self.length == 0 {
                        self.state = BlockState::Litlen;
                    }
                }
                BlockState::Literal => {
                    if history.room() == 0 {
                        return Event::NeedRoom;
                    }
                    history.push(T::literal(self.length as u8));
                    self.state = BlockState::Litlen;
                }
                BlockState::End => return Event::End,
            }
        }
    }

    /// Copies as much of a stored block as possible; returns the event to stop for, if any.
    fn copy_stored<T: Element>(
        &mut self,
        reader: &mut BitReader<'_>,
        history: &mut History<'_, T>,
    ) -> Option<Event> {
        // An empty block, such as a sync marker, ends even if there is neither input nor room.
        if self.length == 0 {
            return None;
        }
        let bytes = reader.take_bytes((self.length as usize).min(history.room()));
        history.append(bytes);
        self.length -= bytes.len() as u32;
        match self.length {
            0 => None,
            _ if reader.rest().is_empty() => Some(Event::NeedInput),
            _ => Some(Event::NeedRoom),
        }
    }

    /// Builds both codes of a dynamic block; fails with zlib's message if they are not valid.
    /// Records how far it got, for [`codes_used`](Self::codes_used): zlib builds the literal/length
    /// table first, and keeps it if the offset code is bad.
    fn build_codes(&mut self, tables: &mut Tables, root_bits: u32) -> Result<(), &'static CStr> {
        self.built_symbols = (self.litlen_symbols, self.offset_symbols);
        let (litlen, offset) = (usize::from(self.litlen_symbols), usize::from(self.offset_symbols));
        let (built, outcome) = match tables.build(litlen, offset, root_bits) {
            Ok(()) => (Built::Both, Ok(())),
            Err(BadCode::Litlen) => (Built::Nothing, Err(message::LITLEN_SET)),
            Err(BadCode::Offset) => (Built::Litlen, Err(message::OFFSET_SET)),
        };
        self.built = built;
        self.has_tables = outcome.is_ok();
        outcome
    }

    /// Index bits for the literal/length table of a block that begins at `position`, with `input` bytes of input available.
    ///
    /// A table twice as large takes up to twice as long to fill and saves a second lookup for the codewords one bit
    /// longer. That pays for a large block, not for a few hundred bytes. A block's size is estimated by the last block's; for
    /// the first block, by twice the available input, which for a message is all of it.
    fn litlen_root_bits(&self, input: usize, position: usize) -> u32 {
        let size = if self.has_size { self.size.wrapping_add(position) } else { input.saturating_mul(2) };
        if size < SMALL_BLOCK { LITLEN_ROOT_BITS - 1 } else { LITLEN_ROOT_BITS }
    }

    /// The codes of the open block. The tables of a fixed block are constant (RFC 1951, 3.2.6), so
    /// such a block needs no memory.
    #[inline(always)]
    fn codes<'t>(&self, tables: Option<&'t Tables>) -> Codes<'t> {
        match (self.codes, tables) {
            (Kind::Dynamic, Some(tables)) => tables.codes(),
            _ => table::fixed(),
        }
    }
}

/// The most bits that a length with its offset takes, with all extra bits: 15 + 5 and 15 + 13. A
/// refill buffers at least 56 bits while the input lasts, so one check is enough for all parts.
const MAX_SYMBOL_BITS: u32 = 48;

/// Blocks that decode to fewer elements than this get a table with one index bit less.
const SMALL_BLOCK: usize = 4096;

/// Takes one codeword, but not its extra bits; `None` when the input ends inside it. Adds its
/// length to `back`.
///
/// The codeword's length is not known before the lookup, so the lookup comes first, with the bits
/// that are buffered and zeros above them. No codeword is the beginning of another one. So if the
/// entry that was found is not longer than the buffered bits, the zeros had no influence on it. A
/// codeword that ends with the last bit of the input is therefore decoded without reading past it,
/// as zlib does.
#[inline(always)]
fn take_codeword(
    reader: &mut BitReader<'_>,
    lookup: impl Fn(u64) -> (u32, u32),
    back: &mut i32,
) -> Option<u32> {
    loop {
        let (entry, root_bits) = lookup(reader.bits());
        let len = root_bits + table::code_bits(entry);
        if len <= reader.count() {
            reader.drop_bits(len);
            *back += len as i32;
            return Some(entry);
        }
        // The entry was looked up with zeros in place of the missing bits; with one more bit it may be a different one.
        if !reader.need(reader.count() + 1) {
            return None;
        }
    }
}

#[cfg(test)]
mod tests;
