//! The fast loop: decodes symbols while both input and output have slack.
//!
//! A decoder spends nearly all its time here. One turn of the loop decodes up to three literals, or up to two literals
//! and a match:
//!
//! ```text
//! entry = litlen[next bits]                       // loaded ahead, before the previous copy
//! loop while the input has 32 bytes left and the output room for 3 literals:
//!     up to three times: entry is a literal -> drop, load the next entry, store
//!     entry is a length  -> drop code and extra bits at once; cut the extra bits from the old buffer
//!     offset entry       -> the same
//!     load the next entry; refill; copy the match with wide stores
//! ```
//!
//! Optimisations, most of them from libdeflate or ISA-L:
//! - The refill has no branch: load eight bytes, shift them above the buffered bits, OR, advance by the bytes that fit.
//!   The bits above the count are then already the stream's next bits, and the next refill ORs the same values again.
//!   The count is in the low six bits of a word whose upper bits are garbage, so that subtracting a whole entry updates
//!   it. `bzhi` also takes the whole entry as a count of bits.
//! - The entry holds base, code length and total drop (`table`), so a length or offset costs one lookup and one shift on
//!   the critical path; its extra bits are extracted from a saved copy off that path.
//! - The next entry is loaded before the match is copied, so the copy hides the load's latency.
//! - The sign bit marks a literal; all rare cases share one flag and leave the straight path, by branches marked cold for
//!   the compiler. Values that only a rare exit needs are computed out of line ([`match_bits`]).
//!
//! The loop checks slack once per turn: it drops at most 68 bits and loads 8 bytes, for which 32 bytes of input are
//! enough. A match that would end past the limit is not copied but returned, so the output needs slop only for the
//! overshoot of wide stores, and the loop runs to within three elements of the limit. `blocks` decodes the rest, the
//! last symbols before either end and every rare case, one symbol at a time. A shorter input is copied to a larger
//! array, with zeros after it ([`Padded`]): in a message of 1 KiB the last 32 bytes are a large part.
//!
//! If the codeword lengths suggest it (`table::pair_likelihood`), root entries hold two literals, and a turn decodes up
//! to six. Both are stored with one store, and the entry has the number to advance by, so a pair costs no branch. That
//! loop is compiled separately, since with data without pairs the wider store costs 3 to 10 %.
//!
//! The history may be a ring (`history`). Then a match may begin before the ring's base, at the ring's other end: this
//! costs one conditional move. The few matches that cross the base leave the loop through the exit that, without a
//! ring, is for matches that reach too far. That loop is compiled separately, too.
//!
//! One body serves bytes and 16-bit elements, and is compiled twice for x86-64: with BMI2 and AVX2, for their
//! three-operand shifts (which gained 4 to 12 % in a prototype), and without. The processor's features are checked at
//! each call, which costs a load and a test.
//!
//! The function is long because it is one loop whose variables are in registers; it has no other state.

use super::bit_reader::BitReader;
use super::history::{Element, FastParts, History};
use super::table::{self, Codes, END_OF_BLOCK, EXCEPTIONAL, LITERAL, LITLEN_ROOT_BITS, PAIR, SUBTABLE};
use crate::raw::{copy, load};

/// Why the fast loop stopped. The bits of the symbol or match in question have been dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Input or output lacks slack; the next symbol was not read.
    Slack,
    /// The end-of-block symbol was read.
    EndOfBlock,
    /// A match was read that does not fit or reaches too far; none of it was copied.
    Match {
        /// How many elements.
        length: u32,
        /// How far back they begin.
        distance: u32,
        /// How many bits the match took.
        bits: u32,
    },
    /// A literal/length codeword without a meaning.
    BadLitlen,
    /// An offset codeword without a meaning.
    BadOffset,
}

/// Input bytes that must be left at the top of a turn: see the head of this file.
const INPUT_SLACK: usize = 32;
/// Literals that a turn may append before it checks the limit again: those of three entries.
const fn literals_per_turn(has_pairs: bool) -> usize {
    if has_pairs { 6 } else { 3 }
}

/// Decodes symbols of a block until something stops it.
pub(super) fn run<T: Element>(
    reader: &mut BitReader<'_>,
    history: &mut History<'_, T>,
    codes: Codes<'_>,
) -> Exit {
    run_as(reader, history, codes, false)
}

/// [`run`], without BMI2 and AVX2 if `portable`.
#[inline(always)]
fn run_as<T: Element>(
    reader: &mut BitReader<'_>,
    history: &mut History<'_, T>,
    codes: Codes<'_>,
    portable: bool,
) -> Exit {
    let (input, consumed) = reader.parts();
    let rest = &input[consumed..];
    let parts = history.fast_parts();
    let room = (parts.end as usize - parts.next as usize) / size_of::<T>();
    if room < literals_per_turn(codes.has_pairs()) {
        return Exit::Slack;
    }
    let (bits, count) = (reader.bits(), reader.count());
    let padded;
    let mut turn = Turn { input: rest, bits, count, parts, codes, taken: 0 };
    let mut surplus = 0;
    let exit = if rest.len() >= INPUT_SLACK {
        // SAFETY: both sides have slack, and the parts are those of `history`, which is borrowed.
        unsafe { turn.run(portable) }
    } else {
        if rest.len() < Padded::LEAST || room < 2 * literals_per_turn(true) {
            return Exit::Slack;
        }
        padded = Padded::new(rest);
        turn.input = padded.input(rest.len());
        // SAFETY: as above; the padded input has slack too.
        let exit = unsafe { turn.run(portable) };
        surplus = turn.taken.saturating_sub(rest.len());
        exit
    };
    // Bits of the padding were examined but not dropped, so they are the last ones in the buffer.
    let taken = turn.taken - surplus;
    reader.resume(consumed + taken, turn.bits, (turn.count & 63) - 8 * surplus as u32);
    let next = turn.parts.next;
    // SAFETY: the loop only moved `next` forward, to `end` at most, and wrote every element it passed.
    unsafe { history.advance_to(next) };
    exit
}

/// The end of the input, with zeros after it as slack for its last bytes.
///
/// A turn begins with 56 buffered bits and at least `TRUE_SLACK` bytes of real input left, 88 bits in all, and drops at most
/// 68: two literals of `LITLEN_ROOT_BITS`, and 20 and 28 bits for a match. So zeros are loaded but never dropped.
struct Padded([u8; 2 * INPUT_SLACK]);

impl Padded {
    /// Real bytes that must be left at the top of a turn.
    const TRUE_SLACK: usize = 4;
    /// A shorter input is not worth the copy.
    const LEAST: usize = 14;

    fn new(rest: &[u8]) -> Self {
        let mut bytes = [0; 2 * INPUT_SLACK];
        bytes[..rest.len()].copy_from_slice(rest);
        Self(bytes)
    }

    /// The input for the loop, which continues until fewer than `INPUT_SLACK` bytes of it are left.
    fn input(&self, len: usize) -> &[u8] {
        &self.0[..len - Self::TRUE_SLACK + INPUT_SLACK]
    }
}

/// The loop's input, output and state, before and after it.
struct Turn<'a, T> {
    input: &'a [u8],
    /// Bytes taken from the input.
    taken: usize,
    /// The bit buffer. Above the count it may have further bits of the stream.
    bits: u64,
    /// The number of buffered bits, in the low six bits; the others are garbage.
    count: u32,
    parts: FastParts<T>,
    codes: Codes<'a>,
}

/// The number of bits of a match, of which `root_bits` were dropped before a subtable's. Not inlined, so that the loop
/// need not keep the parts in registers.
#[cold]
#[inline(never)]
fn match_bits(root_bits: u32, length: u32, offset: u32) -> u32 {
    root_bits + table::total_bits(length) + table::total_bits(offset)
}

/// Marks the calling path as rarely taken.
#[cold]
#[inline]
fn cold() {}

/// A condition that is rarely true.
#[inline(always)]
fn unlikely(is: bool) -> bool {
    if is {
        cold();
    }
    is
}

/// The low bits of `word`, as many as `entry` drops.
#[inline(always)]
fn low_bits<const BMI2: bool>(word: u64, entry: u32) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if BMI2 {
        // SAFETY: `BMI2` is set in the compilation for processors that have it, which is entered on no other.
        return unsafe { core::arch::x86_64::_bzhi_u64(word, entry) };
    }
    word & ((1 << table::total_bits(entry)) - 1)
}

impl<T: Element> Turn<'_, T> {
    /// Runs the version of the loop for the history, the codes and this processor.
    ///
    /// # Safety
    /// - As for [`body`](Self::body), except for the processor and `WRAPS`, which this function checks.
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "there is one copy only"))]
    unsafe fn run(&mut self, portable: bool) -> Exit {
        #[cfg(target_arch = "x86_64")]
        if !portable
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("avx2")
        {
            return match (self.codes.has_pairs(), self.parts.wraps) {
                // SAFETY: the processor has the features that the function uses; the rest is the caller's promise.
                (false, false) => unsafe { self.run_bmi2::<false, false>() },
                // SAFETY: as above.
                (false, true) => unsafe { self.run_bmi2::<false, true>() },
                // SAFETY: as above.
                (true, false) => unsafe { self.run_bmi2::<true, false>() },
                // SAFETY: as above.
                (true, true) => unsafe { self.run_bmi2::<true, true>() },
            };
        }
        match (self.codes.has_pairs(), self.parts.wraps) {
            // SAFETY: the caller's promise.
            (false, false) => unsafe { self.body::<false, false, false>() },
            // SAFETY: as above.
            (false, true) => unsafe { self.body::<false, true, false>() },
            // SAFETY: as above.
            (true, false) => unsafe { self.body::<true, false, false>() },
            // SAFETY: as above.
            (true, true) => unsafe { self.body::<true, true, false>() },
        }
    }

    /// The loop with BMI2 and AVX2.
    ///
    /// # Safety
    /// - The processor has both; otherwise as for [`body`](Self::body).
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "bmi1,bmi2,avx2")]
    unsafe fn run_bmi2<const HAS_PAIRS: bool, const WRAPS: bool>(&mut self) -> Exit {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.body::<HAS_PAIRS, WRAPS, true>() }
    }

    /// The loop.
    ///
    /// # Safety
    /// - The input has at least `INPUT_SLACK` bytes, the output room for a turn's literals before `parts.end`.
    /// - `parts` came from a live history, which wraps if and only if `WRAPS`.
    /// - `BMI2` only on a processor that has it.
    #[inline(always)]
    unsafe fn body<const HAS_PAIRS: bool, const WRAPS: bool, const BMI2: bool>(&mut self) -> Exit {
        let FastParts { base, wraps: _, low, next: mut out, end } = self.parts;
        let scale = size_of::<T>();
        let start = self.input.as_ptr();
        let mut next = start;
        // The last places at which a turn may begin. Both exist, by the caller's promise.
        let last_next = start.wrapping_add(self.input.len() - INPUT_SLACK);
        let last_out = end.wrapping_sub(literals_per_turn(HAS_PAIRS));
        let codes = self.codes;
        let litlen_mask = codes.litlen_mask();
        let mut bits = self.bits;
        let mut count = self.count;
        let mut saved;

        macro_rules! litlen_entry {
            () => {
                // SAFETY: `litlen_mask` is the codes' own.
                unsafe { codes.litlen_root(bits & litlen_mask) }
            };
        }
        macro_rules! refill {
            () => {
                // SAFETY: the refill before the first turn loads the input's first 8 bytes, of at
                // least 32. A turn begins with 32 bytes left. It drops 68 bits at most, and its
                // refills replace only dropped bits, so its last load begins at most 10 bytes after
                // the place where the turn began.
                bits |= unsafe { load::u64_le(next) } << (count & 63);
                next = next.wrapping_add(7 - (count as usize >> 3 & 7));
                count |= 56;
            };
        }
        macro_rules! drop_entry {
            ($entry:expr) => {
                saved = bits;
                bits >>= table::total_bits($entry);
                count = count.wrapping_sub($entry);
            };
        }
        macro_rules! store_literal {
            ($entry:expr) => {
                if HAS_PAIRS {
                    // SAFETY: a turn begins with room for six elements before `end`; each of its three entries at most
                    // adds two.
                    unsafe { T::store_two(($entry >> 16 & 0x7fff) as u16, out) };
                    out = out.wrapping_add(1 + ($entry / PAIR & 1) as usize);
                } else {
                    // SAFETY: a turn begins with room for three elements before `end` and stores at most three literals.
                    unsafe { out.write(T::literal(($entry >> 16) as u8)) };
                    out = out.wrapping_add(1);
                }
            };
        }
        // Base plus extra bits of an entry whose bits were just dropped. `saved` has codeword and
        // extra bits lowest; the shift by the codeword's length leaves the extra bits. Bit 31 is
        // not set here, and bits 12 and 13 are zero in the entry of a length or offset, so `& 63`
        // cuts the length.
        macro_rules! value {
            ($entry:expr) => {
                ($entry >> 16) + (low_bits::<BMI2>(saved, $entry) >> ($entry >> 8 & 63)) as u32
            };
        }

        refill!();
        let mut entry = litlen_entry!();
        // A turn: 56 bits are buffered, `entry` was looked up for them. A root literal takes at most `LITLEN_ROOT_BITS`.
        let exit = loop {
            if next > last_next || out > last_out {
                break Exit::Slack;
            }
            drop_entry!(entry);
            if entry & LITERAL != 0 {
                // The next entry is loaded before this literal is stored. No refill is needed
                // first: of 56 bits two root entries drop 20 at most.
                let first = entry;
                entry = litlen_entry!();
                store_literal!(first);
                drop_entry!(entry);
                if entry & LITERAL != 0 {
                    let second = entry;
                    entry = litlen_entry!();
                    if !HAS_PAIRS {
                        refill!();
                    }
                    store_literal!(second);
                    drop_entry!(entry);
                    if entry & LITERAL != 0 {
                        let third = entry;
                        entry = litlen_entry!();
                        refill!();
                        store_literal!(third);
                        continue;
                    }
                }
            }
            // Bits that a root entry took before a subtable's.
            let mut root_bits = 0;
            if unlikely(entry & EXCEPTIONAL != 0) {
                if entry & SUBTABLE != 0 {
                    root_bits = table::total_bits(entry);
                    // SAFETY: an entry of the root, with the flag.
                    entry = unsafe { codes.in_subtable(entry, bits) };
                    drop_entry!(entry);
                    // A rare literal. It is at most the third symbol of the turn, so there is room.
                    if entry & LITERAL != 0 {
                        store_literal!(entry);
                        refill!();
                        entry = litlen_entry!();
                        continue;
                    }
                }
                if entry & END_OF_BLOCK != 0 {
                    break Exit::EndOfBlock;
                }
                if entry & EXCEPTIONAL != 0 {
                    break Exit::BadLitlen;
                }
            }
            let length = value!(entry);
            let length_entry = entry;

            // Two literals and a length have taken 40 bits at most. An offset needs up to 28, or 21 without a subtable,
            // and the lookup of the next entry `LITLEN_ROOT_BITS`.
            entry = codes.offset_root(bits);
            if unlikely(entry & EXCEPTIONAL != 0) {
                if (count & 63) < 28 + LITLEN_ROOT_BITS {
                    refill!();
                }
                if entry & SUBTABLE != 0 {
                    root_bits += table::total_bits(entry);
                    bits >>= table::total_bits(entry);
                    count = count.wrapping_sub(entry);
                    // SAFETY: an entry of the root, with the flag.
                    entry = unsafe { codes.in_subtable(entry, bits) };
                }
                if entry & EXCEPTIONAL != 0 {
                    drop_entry!(entry);
                    let _ = saved;
                    break Exit::BadOffset;
                }
            } else if unlikely((count & 63) < 21 + LITLEN_ROOT_BITS) {
                refill!();
            }
            drop_entry!(entry);
            let distance = value!(entry) as usize;

            let mut source = out.wrapping_sub(distance).cast_const();
            let match_end = out.wrapping_add(length as usize);
            // In a ring, a source before the base is read at the ring's other end. `before_base` is
            // the number of bytes from the source to the base, minus one; a huge number if the
            // source is not before the base. If fewer than `length` elements are before the base,
            // the match crosses it. The test requires 16 bytes more: then the distance of a source
            // that passes is at least 16 bytes, so the match is copied by `copy_far`.
            let before_base = (base as usize).wrapping_sub(source as usize).wrapping_sub(1);
            let is_outside = match WRAPS {
                true => before_base < length as usize * scale + 15,
                false => (source as usize) < low as usize,
            };
            if unlikely(is_outside || match_end as usize > end as usize) {
                let bits = match_bits(root_bits, length_entry, entry);
                break Exit::Match { length, distance: distance as u32, bits };
            }
            // Before the refill, so that the lookup does not wait for it.
            entry = litlen_entry!();
            refill!();
            let length = length as usize * scale;
            if distance * scale >= 16 {
                if WRAPS && (source as usize) < base as usize {
                    source = source.wrapping_add(History::<T>::RING);
                }
                // SAFETY: `distance` elements lie before `out`, or at the end of the ring, where the source ends before
                // the ring does, and at least `GAP` elements past `out`; they were written, or were there.
                // The match ends at `end` at most, and `SLOP` more elements past `end` are
                // writable: `end` is not `out`, since `length` is not 0 (see `FastParts::end`).
                unsafe { copy::copy_far(source.cast(), out.cast(), length) };
            } else {
                // SAFETY: the source does not lie before the base, or it would be as close to it as is refused above. The
                // rest is as above.
                unsafe { copy::copy_match(out.cast(), distance * scale, length) };
            }
            out = match_end;
        };

        self.taken = next as usize - start as usize;
        self.bits = bits;
        self.count = count;
        self.parts.next = out;
        exit
    }
}

#[cfg(test)]
mod tests {
    use super::super::bit_reader::HeldBits;
    use super::super::table::Tables;
    use super::*;
    use crate::format::deflate::WINDOW_SIZE;
    use crate::random::Random;

    /// The expected result of the loop, computed one symbol at a time; `out` is the output before the first.
    fn plain(input: &[u8], codes: Codes<'_>, mut out: Vec<u8>, room: usize) -> (Exit, Vec<u8>, u64) {
        let mut position = 0u64;
        let room = out.len() + room;
        let bits_at = |position: u64| {
            let at = (position / 8) as usize;
            let mut word = [0; 16];
            let len = word.len().min(input.len() - at);
            word[..len].copy_from_slice(&input[at..at + len]);
            (u128::from_le_bytes(word) >> (position % 8)) as u64
        };
        loop {
            let left = input.len() as u64 * 8 - position;
            if left < 32 * 8 || room - out.len() < literals_per_turn(codes.has_pairs()) {
                return (Exit::Slack, out, position);
            }
            let start = position;
            let value = |entry: u32, root: u32, position: &mut u64| {
                let extra = table::total_bits(entry) - table::code_bits(entry);
                *position += u64::from(root + table::code_bits(entry));
                let value = table::base(entry) + (bits_at(*position) & ((1 << extra) - 1)) as u32;
                *position += u64::from(extra);
                value
            };
            let (entry, root) = codes.litlen(bits_at(position));
            if entry & LITERAL != 0 {
                position += u64::from(root + table::code_bits(entry));
                out.push(table::base(entry) as u8);
                continue;
            }
            let length = value(entry, root, &mut position);
            if entry & EXCEPTIONAL != 0 {
                let exit = if entry & END_OF_BLOCK != 0 { Exit::EndOfBlock } else { Exit::BadLitlen };
                return (exit, out, position);
            }
            let (entry, root) = codes.offset(bits_at(position));
            if entry & EXCEPTIONAL != 0 {
                position += u64::from(root + table::code_bits(entry));
                return (Exit::BadOffset, out, position);
            }
            let distance = value(entry, root, &mut position);
            if distance as usize > out.len() || length as usize > room - out.len() {
                return (Exit::Match { length, distance, bits: (position - start) as u32 }, out, position);
            }
            for _ in 0..length {
                out.push(out[out.len() - distance as usize]);
            }
        }
    }

    /// Runs the loop, and copies the matches that it leaves to its caller: those at a ring's seam that fit.
    fn ours(
        input: &[u8],
        codes: Codes<'_>,
        history: &mut History<'_, u8>,
        portable: bool,
    ) -> (Exit, u64, usize) {
        let mut reader = BitReader::new(HeldBits::default(), input);
        let mut seams = 0;
        let exit = loop {
            match run_as(&mut reader, history, codes, portable) {
                Exit::Match { length, distance, .. }
                    if distance as usize <= history.reach() && length as usize <= history.room() =>
                {
                    history.repeat(distance as usize, length as usize);
                    seams += 1;
                }
                exit => break exit,
            }
        };
        reader.give_back(0);
        (exit, reader.consumed() as u64 * 8 - u64::from(reader.count()), seams)
    }

    /// Lengths of a complete code: a full tree of `2^depth` symbols, some of them split further.
    fn lengths(symbols: usize, depth: u8, random: &mut Random) -> Vec<u8> {
        let mut leaves = vec![depth; 1 << depth];
        while leaves.len() < symbols {
            let at = random.below(leaves.len());
            if leaves[at] < 15 {
                leaves[at] += 1;
                leaves.push(leaves[at]);
            }
        }
        leaves
    }

    /// A round's input, its codes in `tables` or those of fixed blocks, and room.
    fn case(round: u64, tables: &mut Tables) -> (Vec<u8>, Codes<'_>, usize) {
        let mut random = Random::new(round);
        let input = random.bytes(if round.is_multiple_of(7) { 20 } else { 3000 });
        let room = 20 + random.below(10_000);
        if round % 8 == 7 {
            return (input, table::fixed(), room);
        }
        let mut litlen = lengths(280, 1 + (round % 8) as u8, &mut random);
        let shift = random.below(litlen.len());
        litlen.rotate_left(shift);
        let offset = lengths(26, 1 + (round % 4) as u8, &mut random);
        tables.lens[..litlen.len()].copy_from_slice(&litlen);
        tables.lens[litlen.len()..litlen.len() + offset.len()].copy_from_slice(&offset);
        let root_bits = LITLEN_ROOT_BITS - (round % 3) as u32;
        tables.build(litlen.len(), offset.len(), root_bits).expect("complete");
        (input, tables.codes(), room)
    }

    #[test]
    fn both_compilations_agree_with_the_plain_loop() {
        let mut exits = std::collections::HashMap::new();
        let mut pairs = 0;
        for round in 0..800u64 {
            let mut tables = Tables::new();
            let (input, codes, room) = case(round, &mut tables);
            let (exit, expected, position) = plain(&input, codes, Vec::new(), room);
            pairs += usize::from(codes.has_pairs());
            *exits.entry(core::mem::discriminant(&exit)).or_insert(0) += 1;
            for portable in [false, true] {
                let mut buffer = vec![0u8; room + History::<u8>::SLOP];
                let base = buffer.as_mut_ptr();
                let capacity = buffer.len();
                // SAFETY: the buffer has this size and is used through the history alone until that is gone.
                let mut history = unsafe { History::from_raw(base, 0, 0, room, capacity) };
                let (ours, ours_at, _) = ours(&input, codes, &mut history, portable);
                let done = history.position();
                if exit == Exit::Slack {
                    // The loop checks its slack once a turn, and padded input gives it more, so it may have decoded more.
                    let both = done.min(expected.len());
                    assert_eq!(buffer[..both], expected[..both], "round {round}");
                    continue;
                }
                assert_eq!(
                    (ours, done, ours_at),
                    (exit, expected.len(), position),
                    "round {round} portable {portable}"
                );
                assert_eq!(buffer[..done], expected, "round {round}");
            }
        }
        assert_eq!(exits.len(), 5, "every exit must occur: {exits:?}");
        assert!(pairs > 30, "pairs must occur: {pairs}");
    }

    #[test]
    fn a_ring_decodes_as_a_linear_buffer_does() {
        const RING: usize = History::<u8>::RING;
        let mut crossings = 0;
        for round in 0..800u64 {
            let mut tables = Tables::new();
            let (input, codes, room) = case(round, &mut tables);
            let before: Vec<u8> = (0..WINDOW_SIZE as u64).map(|at| ((at * at) >> 9 ^ at) as u8).collect();
            let start = round as usize * if round % 2 == 0 { 41 } else { 1 };
            let room = room.min(RING - start);
            let (exit, expected, position) = plain(&input, codes, before.clone(), room);
            let expected = &expected[WINDOW_SIZE..];
            for portable in [false, true] {
                let mut buffer = vec![0u8; RING + History::<u8>::SLOP];
                for (at, &byte) in before.iter().enumerate() {
                    buffer[(start + RING - WINDOW_SIZE + at) % RING] = byte;
                }
                let base = buffer.as_mut_ptr();
                // SAFETY: the buffer has this size and is used through the history alone until that is gone.
                let mut history = unsafe { History::from_ring(base, WINDOW_SIZE, start, start + room) };
                let (ours, ours_at, seams) = ours(&input, codes, &mut history, portable);
                crossings += seams;
                let done = &buffer[start..history.position()];
                let both = done.len().min(expected.len());
                assert_eq!(done[..both], expected[..both], "round {round} from {start}");
                if exit != Exit::Slack {
                    assert_eq!(
                        (ours, done.len(), ours_at),
                        (exit, expected.len(), position),
                        "round {round}"
                    );
                }
            }
        }
        assert!(crossings > 50, "matches must cross the seam: {crossings}");
    }
}
