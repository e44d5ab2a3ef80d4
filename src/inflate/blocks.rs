//! `Blocks`: the sequence of DEFLATE blocks as a machine that can stop between any two bits.
//!
//! The machine appends to a `History` and reads from a `BitReader` until one of them runs dry, a place comes at which
//! the caller wants to stop, or the data ends or proves damaged. It then says which, and goes on from there when
//! called again.
//!
//! Its states are those of zlib's `inflate()`, because callers can see them: how many bits have been dropped when
//! input runs out, that one symbol more is read when the room is used up (it may be the end of the block, or even of
//! the stream), and what `inflateMark` tells. Between states nothing is pending but what `State` names. Almost all
//! symbols never come by here: the fast loop decodes them in bulk, and this machine does headers, ends, and the last
//! symbols before either side is exhausted.
//!
//! `step` is one long function on purpose: one arm per state, read from top to bottom as a stream would be.

use core::ffi::CStr;

use super::bit_reader::BitReader;
use super::fast::{self, Exit};
use super::history::{Element, History};
use super::message;
use super::table::{
    self, Code, END_OF_BLOCK, EXCEPTIONAL, LITERAL, LITLEN_MEANINGS, LITLEN_ROOT_BITS, LitlenTable,
    OFFSET_MEANINGS, OFFSET_ROOT_BITS, OffsetTable, PRECODE_MEANINGS, PRECODE_ROOT_BITS, PrecodeTable,
};
use crate::format::deflate::{
    END_OF_BLOCK as END_SYMBOL, LITLEN_SYMBOLS, OFFSET_SYMBOLS, PRECODE_ORDER, PRECODE_SYMBOLS,
};

/// Where the caller wants to stop besides where it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nowhere.
    Nowhere,
    /// Between blocks.
    Blocks,
    /// Between blocks and behind each block header.
    Headers,
}

/// Why the machine stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The input ended inside an item. All of it was taken.
    NeedInput,
    /// The history is full, and something waits to be appended.
    NeedRoom,
    /// A place at which the caller wanted to stop.
    Stopped,
    /// The final block ended; the rest of its last byte was dropped.
    End,
    /// The data is damaged. `held` bits of the offending item are not dropped.
    Damaged {
        /// zlib's words for it.
        message: &'static CStr,
        /// What zlib leaves in its bit buffer.
        held: u32,
    },
}

/// What the machine is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Between blocks, where a caller may want to stop.
    Type,
    /// Before a block's three header bits.
    TypeBits,
    /// Before the lengths of a stored block.
    StoredLengths,
    /// Behind the header of a stored block.
    StoredStart,
    /// In a stored block with this many bytes to come.
    Stored,
    /// Before the three counts of a dynamic block.
    Counts,
    /// In the precode's lengths.
    PrecodeLengths,
    /// In the codeword lengths.
    CodeLengths,
    /// Behind the header of a block of symbols.
    SymbolsStart,
    /// Before a literal/length codeword.
    Litlen,
    /// Before the extra bits of a length.
    LengthExtra,
    /// Before an offset codeword.
    Offset,
    /// Before the extra bits of an offset.
    OffsetExtra,
    /// A match waits for room.
    Match,
    /// A literal waits for room.
    Literal,
    /// Behind the final block.
    End,
}

/// Which tables the open block uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codes {
    Fixed,
    Dynamic,
}

/// Which tables the last dynamic header got as far as building; only for [`Blocks::codes_used`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Built {
    Nothing,
    Precode,
    Litlen,
    Both,
}

/// The block machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks {
    state: State,
    is_final: bool,
    /// Which tables the open block uses.
    codes: Codes,
    built: Built,
    /// How many symbols of each kind the tables were last built for.
    built_symbols: (u16, u16),
    /// Whether the tables are those of `lens` and `built_symbols`.
    has_tables: bool,
    litlen_symbols: u16,
    offset_symbols: u16,
    precode_symbols: u16,
    /// Lengths read so far, in whichever of the two length states.
    lens_read: u16,
    /// Elements of the pending match, bytes of the stored block, or the pending literal.
    length: u32,
    /// How far back the pending match begins.
    distance: u32,
    /// Extra bits of the pending length or offset.
    extra: u32,
    /// The full length of the last match.
    full_length: u32,
    /// Bits taken since the start of the pending symbol, as `inflateMark` tells them; -1 when none is pending.
    back: i32,
    precode_lens: [u8; PRECODE_SYMBOLS],
    lens: [u8; LITLEN_SYMBOLS + OFFSET_SYMBOLS],
    precode: PrecodeTable,
    litlen: LitlenTable,
    offset: OffsetTable,
}

/// A machine but for its tables, which the codeword lengths give again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    state: State,
    is_final: bool,
    codes: Codes,
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
    /// A machine between two blocks.
    pub(super) const BETWEEN_BLOCKS: Self = Self {
        state: State::TypeBits,
        is_final: false,
        codes: Codes::Fixed,
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

/// Ends `step` with `Damaged`.
macro_rules! damaged {
    ($message:expr) => {
        return Event::Damaged { message: $message, held: 0 }
    };
    ($message:expr, $held:expr) => {
        return Event::Damaged { message: $message, held: $held }
    };
}

/// Ends `step` with `NeedInput` unless that many bits can be had.
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
            state: State::TypeBits,
            is_final: false,
            codes: Codes::Fixed,
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
            precode_lens: [0; PRECODE_SYMBOLS],
            lens: [0; LITLEN_SYMBOLS + OFFSET_SYMBOLS],
            precode: PrecodeTable::empty(),
            litlen: LitlenTable::empty(),
            offset: OffsetTable::empty(),
        }
    }

    /// Back to before the first block, in place.
    pub(crate) fn reset(&mut self) {
        self.state = State::TypeBits;
        self.is_final = false;
        self.built = Built::Nothing;
        self.back = -1;
    }

    /// What it takes to go on from here later; `None` inside a dynamic block's header.
    pub(super) fn save(&self) -> Option<Saved> {
        let is_in_header =
            matches!(self.state, State::Counts | State::PrecodeLengths | State::CodeLengths | State::End);
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
            lens: self.lens,
        })
    }

    /// Back to where `saved` was taken; false if that makes no sense, and then the machine is good for nothing but a reset.
    pub(super) fn restore(&mut self, saved: &Saved) -> bool {
        self.reset();
        self.set(saved);
        // Whoever saves a place is in a large stream, for which the widest tables are right.
        !self.uses_tables() || self.build_codes(usize::MAX).is_ok()
    }

    /// Moves a machine between two symbols forward to where another one was that decoded the same
    /// stream. Builds the tables only if they are not those of the block already.
    pub(super) fn pass_to(&mut self, saved: &Saved) -> bool {
        let symbols = usize::from(saved.litlen_symbols + saved.offset_symbols);
        let has_tables = self.has_tables
            && self.built_symbols == (saved.litlen_symbols, saved.offset_symbols)
            && self.lens[..symbols] == saved.lens[..symbols];
        self.set(saved);
        (self.built, self.built_symbols) = (saved.built, saved.built_symbols);
        self.has_tables = has_tables;
        has_tables || !self.uses_tables() || self.build_codes(usize::MAX).is_ok()
    }

    /// Sets all but the tables.
    fn set(&mut self, saved: &Saved) {
        self.state = saved.state;
        self.is_final = saved.is_final;
        self.codes = saved.codes;
        (self.litlen_symbols, self.offset_symbols) = (saved.litlen_symbols, saved.offset_symbols);
        (self.length, self.distance, self.extra) = (saved.length, saved.distance, saved.extra);
        (self.full_length, self.back) = (saved.full_length, saved.back);
        self.lens = saved.lens;
    }

    /// Whether the machine is among the symbols of a block with codes of its own.
    fn uses_tables(&self) -> bool {
        let has_symbols = !matches!(
            self.state,
            State::Type | State::TypeBits | State::StoredLengths | State::StoredStart | State::Stored
        );
        has_symbols && self.codes == Codes::Dynamic
    }

    /// What the machine is in the middle of.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Puts the machine between two blocks; `stoppable` when a caller that stops there shall see the place.
    pub(crate) fn await_block(&mut self, stoppable: bool) {
        self.state = if stoppable { State::Type } else { State::TypeBits };
    }

    /// Whether the open block, or the last one, is the final block.
    pub(crate) fn is_final(&self) -> bool {
        self.is_final
    }

    /// What `inflateMark` adds up: bits taken since the start of the pending symbol, and bytes done of it or still to
    /// come.
    pub(crate) fn mark(&self) -> (i32, u32) {
        let bytes = match self.state {
            State::Stored => self.length,
            State::Match => self.full_length - self.length,
            _ => 0,
        };
        (self.back, bytes)
    }

    /// How many table entries zlib would have used for the last dynamic block.
    pub(crate) fn codes_used(&self) -> usize {
        let (litlen, offset) = (usize::from(self.built_symbols.0), usize::from(self.built_symbols.1));
        match self.built {
            Built::Nothing => 0,
            Built::Precode => table::zlib_entries(&self.precode_lens, 7),
            Built::Litlen => table::zlib_entries(&self.lens[..litlen], 9),
            Built::Both => {
                table::zlib_entries(&self.lens[..litlen], 9)
                    + table::zlib_entries(&self.lens[litlen..litlen + offset], 6)
            }
        }
    }

    /// Goes on until something stops it.
    pub(crate) fn step<T: Element>(
        &mut self,
        reader: &mut BitReader<'_>,
        history: &mut History<'_, T>,
        stop: Stop,
    ) -> Event {
        loop {
            match self.state {
                State::Type | State::TypeBits => {
                    if self.state == State::Type && stop != Stop::Nowhere {
                        return Event::Stopped;
                    }
                    if self.is_final {
                        reader.align_to_byte();
                        self.state = State::End;
                        continue;
                    }
                    need!(reader, 3);
                    let header = reader.take(3);
                    self.is_final = header & 1 != 0;
                    match header >> 1 {
                        0 => self.state = State::StoredLengths,
                        1 => {
                            self.codes = Codes::Fixed;
                            self.state = State::SymbolsStart;
                            if stop == Stop::Headers {
                                return Event::Stopped;
                            }
                        }
                        2 => self.state = State::Counts,
                        _ => damaged!(message::BLOCK_TYPE),
                    }
                }
                State::StoredLengths => {
                    reader.align_to_byte();
                    need!(reader, 32);
                    let lengths = reader.peek(32);
                    if lengths & 0xffff != !lengths >> 16 {
                        damaged!(message::STORED_LENGTHS, 32);
                    }
                    reader.drop_bits(32);
                    // What follows is bytes. Those read ahead go back; what a caller had primed besides is dropped,
                    // as zlib does.
                    reader.give_back(0);
                    reader.clear();
                    self.length = lengths & 0xffff;
                    self.state = State::StoredStart;
                    if stop == Stop::Headers {
                        return Event::Stopped;
                    }
                }
                State::StoredStart => self.state = State::Stored,
                State::Stored => {
                    if let Some(event) = self.copy_stored(reader, history) {
                        return event;
                    }
                    self.state = State::Type;
                }
                State::Counts => {
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
                    self.state = State::PrecodeLengths;
                }
                State::PrecodeLengths => {
                    while self.lens_read < self.precode_symbols {
                        need!(reader, 3);
                        self.precode_lens[PRECODE_ORDER[usize::from(self.lens_read)]] = reader.take(3) as u8;
                        self.lens_read += 1;
                    }
                    for &symbol in &PRECODE_ORDER[usize::from(self.precode_symbols)..] {
                        self.precode_lens[symbol] = 0;
                    }
                    self.built = Built::Nothing;
                    self.has_tables = false;
                    if self.build_precode().is_err() {
                        damaged!(message::PRECODE);
                    }
                    self.built = Built::Precode;
                    self.lens_read = 0;
                    self.state = State::CodeLengths;
                }
                State::CodeLengths => {
                    if let Some(event) = self.read_code_lengths(reader) {
                        return event;
                    }
                    if self.lens[END_SYMBOL] == 0 {
                        damaged!(message::MISSING_END);
                    }
                    if let Err(message) = self.build_codes(reader.rest().len().max(history.reach() / 2)) {
                        damaged!(message);
                    }
                    self.codes = Codes::Dynamic;
                    self.state = State::SymbolsStart;
                    if stop == Stop::Headers {
                        return Event::Stopped;
                    }
                }
                State::SymbolsStart => self.state = State::Litlen,
                State::Litlen => {
                    self.back = -1;
                    match fast::run(reader, history, self.litlen_code(), self.offset_code()) {
                        Exit::Slack => {}
                        Exit::EndOfBlock => {
                            self.state = State::Type;
                            continue;
                        }
                        Exit::Match { length, distance, bits } => {
                            (self.length, self.full_length, self.distance) = (length, length, distance);
                            self.back = bits as i32;
                            self.state = State::Match;
                            continue;
                        }
                        Exit::BadLitlen => damaged!(message::LITLEN),
                        Exit::BadOffset => damaged!(message::OFFSET),
                    }
                    let mut back = 0;
                    let entry = Self::take_codeword(reader, self.litlen_code(), &mut back);
                    self.back = back;
                    let Some(entry) = entry else { return Event::NeedInput };
                    self.length = table::base(entry);
                    if entry & LITERAL != 0 {
                        self.state = State::Literal;
                    } else if entry & END_OF_BLOCK != 0 {
                        self.back = -1;
                        self.state = State::Type;
                    } else if entry & EXCEPTIONAL != 0 {
                        damaged!(message::LITLEN);
                    } else {
                        self.extra = table::total_bits(entry) - table::code_bits(entry);
                        self.state = State::LengthExtra;
                    }
                }
                State::LengthExtra => {
                    need!(reader, self.extra);
                    self.length += reader.take(self.extra);
                    self.back += self.extra as i32;
                    self.full_length = self.length;
                    self.state = State::Offset;
                }
                State::Offset => {
                    let mut back = self.back;
                    let entry = Self::take_codeword(reader, self.offset_code(), &mut back);
                    self.back = back;
                    let Some(entry) = entry else { return Event::NeedInput };
                    if entry & EXCEPTIONAL != 0 {
                        damaged!(message::OFFSET);
                    }
                    self.distance = table::base(entry);
                    self.extra = table::total_bits(entry) - table::code_bits(entry);
                    self.state = State::OffsetExtra;
                }
                State::OffsetExtra => {
                    need!(reader, self.extra);
                    self.distance += reader.take(self.extra);
                    self.back += self.extra as i32;
                    self.state = State::Match;
                }
                State::Match => {
                    if history.room() == 0 {
                        return Event::NeedRoom;
                    }
                    if self.distance as usize > history.reach() {
                        damaged!(message::TOO_FAR);
                    }
                    let count = (self.length as usize).min(history.room());
                    history.repeat(self.distance as usize, count);
                    self.length -= count as u32;
                    if self.length == 0 {
                        self.state = State::Litlen;
                    }
                }
                State::Literal => {
                    if history.room() == 0 {
                        return Event::NeedRoom;
                    }
                    history.push(T::literal(self.length as u8));
                    self.state = State::Litlen;
                }
                State::End => return Event::End,
            }
        }
    }

    /// Moves what it can of a stored block; what to stop for, if anything.
    fn copy_stored<T: Element>(
        &mut self,
        reader: &mut BitReader<'_>,
        history: &mut History<'_, T>,
    ) -> Option<Event> {
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

    /// Builds the precode's table. Unlike the other two it must be complete, or have no symbol at all.
    fn build_precode(&mut self) -> Result<(), table::BadLengths> {
        self.precode.build(&self.precode_lens, &PRECODE_MEANINGS, PRECODE_ROOT_BITS)?;
        let used = self.precode_lens.iter().filter(|&&len| len != 0);
        if used.copied().eq([1]) { Err(table::BadLengths) } else { Ok(()) }
    }

    /// Reads codeword lengths until all are there; what to stop for, if anything.
    fn read_code_lengths(&mut self, reader: &mut BitReader<'_>) -> Option<Event> {
        let precode = self.precode.code();
        let mut at = usize::from(self.lens_read);
        let total = usize::from(self.litlen_symbols + self.offset_symbols);
        let event = loop {
            if at >= total {
                break None;
            }
            // 14 bits hold any codeword with its extra bits; near the end of the input fewer may do.
            let _ = reader.need(14);
            let entry = precode.entries()[(reader.bits() & precode.mask()) as usize];
            if table::total_bits(entry) > reader.count() {
                break Some(Event::NeedInput);
            }
            let symbol = table::base(entry) as u8;
            reader.drop_bits(table::code_bits(entry));
            if symbol < 16 {
                self.lens[at] = symbol;
                at += 1;
                continue;
            }
            let (len, least) = match symbol {
                16 if at == 0 => break Some(Event::Damaged { message: message::REPEAT, held: 2 }),
                16 => (self.lens[at - 1], 3),
                17 => (0, 3),
                _ => (0, 11),
            };
            let repeat = least + reader.take(table::total_bits(entry) - table::code_bits(entry)) as usize;
            if at + repeat > total {
                break Some(Event::Damaged { message: message::REPEAT, held: 0 });
            }
            self.lens[at..at + repeat].fill(len);
            at += repeat;
        };
        self.lens_read = at as u16;
        event
    }

    /// Builds both tables of a dynamic block, or says what is wrong with them. `size` is a guess at the stream's size.
    fn build_codes(&mut self, size: usize) -> Result<(), &'static CStr> {
        let (litlen, offset) = self.lens[..].split_at(usize::from(self.litlen_symbols));
        let offset = &offset[..usize::from(self.offset_symbols)];
        let root_bits = litlen_root_bits(size);
        (self.built, self.has_tables) = (Built::Nothing, false);
        self.built_symbols = (self.litlen_symbols, self.offset_symbols);
        self.litlen.build(litlen, &LITLEN_MEANINGS, root_bits).map_err(|_| message::LITLEN_SET)?;
        self.built = Built::Litlen;
        if root_bits == LITLEN_ROOT_BITS && table::pair_likelihood(litlen) >= PAIRS_PAY {
            self.litlen.pair_literals();
        }
        self.offset.build(offset, &OFFSET_MEANINGS, OFFSET_ROOT_BITS).map_err(|_| message::OFFSET_SET)?;
        self.built = Built::Both;
        self.has_tables = true;
        Ok(())
    }

    /// The literal/length code of the open block.
    #[inline(always)]
    fn litlen_code(&self) -> Code<'_> {
        match self.codes {
            Codes::Fixed => table::fixed_litlen(),
            Codes::Dynamic => self.litlen.code(),
        }
    }

    /// The offset code of the open block.
    #[inline(always)]
    fn offset_code(&self) -> Code<'_> {
        match self.codes {
            Codes::Fixed => table::fixed_offset(),
            Codes::Dynamic => self.offset.code(),
        }
    }

    /// Takes one codeword, but not its extra bits; `None` when the input ends inside it.
    #[inline(always)]
    fn take_codeword(reader: &mut BitReader<'_>, code: Code<'_>, back: &mut i32) -> Option<u32> {
        loop {
            let (entry, root_bits) = code.lookup(reader.bits());
            let len = root_bits + table::code_bits(entry);
            if len <= reader.count() {
                reader.drop_bits(len);
                *back += len as i32;
                return Some(entry);
            }
            // The entry was found with zeros in place of the missing bits. Any one more bit may make it another.
            if !reader.need(reader.count() + 1) {
                return None;
            }
        }
    }
}

/// How likely a pair of literals must be, in 2048ths, for a table with pairs to pay. Blocks of logs have 200 to 340 and of `nci`
/// 200 to 400, and gain; those of prose and programs have fewer than 50 and would lose 3 to 10 % (docs/DECODER.md).
const PAIRS_PAY: u32 = 200;

/// Index bits for a literal/length table of a stream that has or had about that many bytes, compressed.
///
/// What is known is the input at hand, and half of what can be looked back to, so that a large stream in small pieces
/// counts as large. A table twice as wide takes up to twice as long to fill and saves a second lookup for the
/// codewords one bit longer. That pays over a whole block of a large stream, not in a message of 1 KiB.
fn litlen_root_bits(size: usize) -> u32 {
    match size {
        0..1024 => LITLEN_ROOT_BITS - 2,
        1024..4096 => LITLEN_ROOT_BITS - 1,
        _ => LITLEN_ROOT_BITS,
    }
}

#[cfg(test)]
mod tests {
    use super::super::bit_reader::HeldBits;
    use super::super::tests::{deflated, sample};
    use super::*;
    use crate::format::deflate::WINDOW_SIZE;

    #[test]
    fn decoding_with_an_unknown_window_gives_markers_that_resolve() {
        let data = sample(400_000);
        let mut starts = 0;
        for level in [1, 6, 9] {
            let stream = deflated(&data, level);
            let mut out = vec![0u8; data.len()];
            let mut history = History::new(&mut out, 0);
            let mut reader = BitReader::new(HeldBits::default(), &stream);
            let mut blocks = Blocks::new();
            loop {
                blocks.await_block(false);
                assert_eq!(blocks.step(&mut reader, &mut history, Stop::Blocks), Event::Stopped);
                let done = history.position();
                if blocks.is_final() || done < WINDOW_SIZE {
                    if blocks.is_final() {
                        break;
                    }
                    continue;
                }
                starts += 1;
                let mut elements: Vec<u16> = (0..WINDOW_SIZE as u16).map(|at| 0x8000 | at).collect();
                elements.resize(WINDOW_SIZE + data.len() - done, 0);
                let mut marked = History::new(&mut elements, WINDOW_SIZE);
                let mut fork = BitReader::new(reader.held(), reader.rest());
                let mut machine = Blocks::new();
                assert_eq!(machine.step(&mut fork, &mut marked, Stop::Nowhere), Event::End);
                let window = &data[done - WINDOW_SIZE..done];
                let resolved =
                    elements[WINDOW_SIZE..].iter().map(|&element| match element.checked_sub(0x8000) {
                        Some(at) => window[usize::from(at)],
                        None => element as u8,
                    });
                assert!(resolved.eq(data[done..].iter().copied()), "level {level} from {done}");
            }
        }
        assert!(starts >= 2, "there must be blocks with a full window before them: {starts}");
    }
}
