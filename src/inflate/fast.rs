//! The fast loop: symbols while both sides have slack.
//!
//! Nearly all time of a decoder goes here. One turn of the loop decodes up to three literals, or up to two literals
//! and a match:
//!
//! ```text
//! entry = litlen[next bits]                       // loaded ahead, before the previous copy
//! loop while the input has 32 bytes left and the output room for 3:
//!     up to three times: entry is a literal -> drop, load the next entry, store
//!     entry is a length  -> drop code and extra bits at once; cut the extra bits from the old buffer
//!     offset entry       -> the same
//!     load the next entry; refill; copy the match in wide strokes
//! ```
//!
//! What makes it quick, each a known idea of libdeflate's or ISA-L's:
//! - The refill has no branch: load eight bytes, shift them behind the bits at hand, OR, step on by the bytes that
//!   fit. The bits above the count are then already true bits of the stream, and the OR of the next refill repeats
//!   them harmlessly. The count lives in the low six bits of a word whose upper bits are rubbish, so that subtracting
//!   a whole entry updates it.
//! - The entry holds base, code length and total drop (`table`), so a length or offset costs one lookup, one shift on the
//!   critical path, and its extra bits are cut from a saved copy off that path.
//! - The next entry is loaded before the match is copied, so the load's latency hides behind the copy.
//! - A literal shows in the sign bit; everything rare shares one flag and leaves the straight path.
//!
//! The loop checks slack once per turn: 32 bytes of input serve three refills of at most 7 bytes each and a load of
//! 8. A match that would end behind the limit is not copied but handed back, so the output needs slop only for the
//! strokes' overshoot and the loop runs to within three elements of the limit. All that is left, the last symbols
//! before either end and every rare event, is done one symbol at a time by `blocks`.
//!
//! Where the codeword lengths promise it (`table::pair_likelihood`), root entries stand for two literals, and a turn decodes up to
//! six. Both are stored in one stroke, and how far to step on comes out of the entry, so a pair costs no branch. That loop is a
//! compilation of its own, since the wider store costs data without pairs 3 to 10 %.
//!
//! One body serves bytes and 16-bit elements, and is compiled twice for x86-64: with BMI2 and AVX2, for their
//! three-operand shifts (worth 4 to 12 % to a prototype), and without. The processor is asked at each entry, which
//! costs a load and a test.
//!
//! The function is long because it is one loop whose variables live in registers; it has no state besides.

use super::bit_reader::BitReader;
use super::history::{Element, FastParts, History};
use super::table::{self, Code, END_OF_BLOCK, EXCEPTIONAL, LITERAL, LITLEN_ROOT_BITS, PAIR, SUBTABLE};
use crate::raw::{copy, load};

/// Why the fast loop stopped. The bits of what it names have been dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// One side lacks slack; the next symbol is not touched.
    Slack,
    /// The end-of-block symbol was read.
    EndOfBlock,
    /// A match was read that does not fit or reaches too far; nothing of it is copied.
    Match {
        /// How many elements.
        length: u32,
        /// How far back they begin.
        distance: u32,
        /// How many bits the match took.
        bits: u32,
    },
    /// A literal/length codeword means nothing.
    BadLitlen,
    /// An offset codeword means nothing.
    BadOffset,
}

/// Input bytes that must be left at the top of a turn: see the head of this file.
const INPUT_SLACK: usize = 32;
/// Literals that a turn may append before it looks at the limit again: three entries' worth.
const fn literals_per_turn(has_pairs: bool) -> usize {
    if has_pairs { 6 } else { 3 }
}

/// Decodes symbols of a block until something stops it.
pub(super) fn run<T: Element>(
    reader: &mut BitReader<'_>,
    history: &mut History<'_, T>,
    litlen: Code<'_>,
    offset: Code<'_>,
) -> Exit {
    run_as(reader, history, litlen, offset, false)
}

/// [`run`], by the portable compilation if so asked.
#[inline(always)]
fn run_as<T: Element>(
    reader: &mut BitReader<'_>,
    history: &mut History<'_, T>,
    litlen: Code<'_>,
    offset: Code<'_>,
    portable: bool,
) -> Exit {
    let (input, consumed) = reader.parts();
    let parts = history.fast_parts();
    let room = (parts.end as usize - parts.next as usize) / size_of::<T>();
    if input.len() - consumed < INPUT_SLACK || room < literals_per_turn(litlen.has_pairs()) {
        return Exit::Slack;
    }
    let mut turn = Turn {
        input: &input[consumed..],
        bits: reader.bits(),
        count: reader.count(),
        parts,
        litlen,
        offset,
        taken: 0,
    };
    let exit = turn.run(portable);
    let taken = turn.taken;
    reader.resume(consumed + taken, turn.bits, turn.count & 63);
    // SAFETY: the loop only moved `next` forward, to `end` at most, and wrote every element it passed.
    unsafe { history.advance_to(turn.parts.next) };
    exit
}

/// What the loop takes and leaves.
struct Turn<'a, T> {
    input: &'a [u8],
    /// Bytes taken from the input.
    taken: usize,
    bits: u64,
    /// Bits at hand; only the low six bits count.
    count: u32,
    parts: FastParts<T>,
    litlen: Code<'a>,
    offset: Code<'a>,
}

impl<T: Element> Turn<'_, T> {
    /// Runs the copy of the loop that suits this processor.
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "there is one copy only"))]
    fn run(&mut self, portable: bool) -> Exit {
        #[cfg(target_arch = "x86_64")]
        if !portable
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("avx2")
        {
            if self.litlen.has_pairs() {
                // SAFETY: the processor has what the function was compiled for, and `run` above checked the slack.
                return unsafe { self.run_bmi2::<true>() };
            }
            // SAFETY: as above.
            return unsafe { self.run_bmi2::<false>() };
        }
        if self.litlen.has_pairs() {
            // SAFETY: `run` above checked the slack.
            return unsafe { self.body::<true>() };
        }
        // SAFETY: as above.
        unsafe { self.body::<false>() }
    }

    /// The loop with BMI2 and AVX2.
    ///
    /// # Safety
    /// - The processor has both; otherwise as for [`body`](Self::body).
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "bmi1,bmi2,avx2")]
    unsafe fn run_bmi2<const HAS_PAIRS: bool>(&mut self) -> Exit {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.body::<HAS_PAIRS>() }
    }

    /// The loop.
    ///
    /// # Safety
    /// - The input has at least `INPUT_SLACK` bytes, the output room for a turn's literals before `parts.end`.
    /// - `parts` came from a live history.
    #[inline(always)]
    unsafe fn body<const HAS_PAIRS: bool>(&mut self) -> Exit {
        let FastParts { low, next: mut out, end } = self.parts;
        let scale = size_of::<T>();
        let start = self.input.as_ptr();
        let mut next = start;
        // The last places at which a turn may begin. Both exist, by the caller's promise.
        let last_next = start.wrapping_add(self.input.len() - INPUT_SLACK);
        let last_out = end.wrapping_sub(literals_per_turn(HAS_PAIRS));
        let litlen = self.litlen.entries();
        let offset = self.offset.entries();
        let (litlen_mask, offset_mask) = (self.litlen.mask(), self.offset.mask());
        let mut bits = self.bits;
        let mut count = self.count;
        let mut saved;

        // The table lookups below index with a masked value that is smaller than the number of root entries: `Code`
        // sees to that.
        macro_rules! litlen_entry {
            () => {
                // SAFETY: `mask() < entries().len()`.
                *unsafe { litlen.get_unchecked((bits & litlen_mask) as usize) }
            };
        }
        macro_rules! refill {
            () => {
                // SAFETY: a turn begins with 32 bytes left and refills at most three times, each stepping on by at
                // most 7: the third load ends at most 14 + 8 bytes behind where the turn began.
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
                    // SAFETY: a turn begins with room for six elements before `end`; each of its three entries at most adds two.
                    unsafe { T::store_two(($entry >> 16 & 0x7fff) as u16, out) };
                    out = out.wrapping_add(1 + ($entry / PAIR & 1) as usize);
                } else {
                    // SAFETY: a turn begins with room for three elements before `end` and stores at most three literals.
                    unsafe { out.write(T::literal(($entry >> 16) as u8)) };
                    out = out.wrapping_add(1);
                }
            };
        }
        // Base plus extra bits of an entry whose bits were just dropped.
        macro_rules! value {
            ($entry:expr) => {
                ($entry >> 16)
                    + ((saved & ((1 << table::total_bits($entry)) - 1)) >> ($entry >> 8 & 63)) as u32
            };
        }

        refill!();
        let mut entry = litlen_entry!();
        // A turn: 56 bits at hand, `entry` looked up for them. A root literal takes 11 at most.
        let exit = loop {
            if next > last_next || out > last_out {
                break Exit::Slack;
            }
            drop_entry!(entry);
            if entry & LITERAL != 0 {
                let first = entry;
                entry = litlen_entry!();
                store_literal!(first);
                drop_entry!(entry);
                if entry & LITERAL != 0 {
                    let second = entry;
                    entry = litlen_entry!();
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
            if entry & EXCEPTIONAL != 0 {
                if entry & SUBTABLE != 0 {
                    root_bits = table::total_bits(entry);
                    let index =
                        (entry >> 16) as usize + (bits & ((1 << table::code_bits(entry)) - 1)) as usize;
                    entry = litlen[index];
                    drop_entry!(entry);
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

            // Two literals and a length have taken 42 bits at most. An offset needs up to 28, and the lookup of the
            // next entry 11.
            // SAFETY: `mask() < entries().len()`.
            entry = *unsafe { offset.get_unchecked((bits & offset_mask) as usize) };
            if (count & 63) < 28 + LITLEN_ROOT_BITS {
                refill!();
            }
            if entry & EXCEPTIONAL != 0 {
                if entry & SUBTABLE != 0 {
                    root_bits += table::total_bits(entry);
                    bits >>= table::total_bits(entry);
                    count = count.wrapping_sub(entry);
                    let index =
                        (entry >> 16) as usize + (bits & ((1 << table::code_bits(entry)) - 1)) as usize;
                    entry = offset[index];
                }
                if entry & EXCEPTIONAL != 0 {
                    drop_entry!(entry);
                    let _ = saved;
                    break Exit::BadOffset;
                }
            }
            drop_entry!(entry);
            let distance = value!(entry);

            let reach = (out as usize - low as usize) / scale;
            let room = (end as usize - out as usize) / scale;
            if distance as usize > reach || length as usize > room {
                let bits = root_bits + table::total_bits(length_entry) + table::total_bits(entry);
                break Exit::Match { length, distance, bits };
            }
            // Before the refill, so that the lookup does not wait for it.
            entry = litlen_entry!();
            refill!();
            // SAFETY: `distance` elements lie before `out` (just compared) and were written, or were there; behind
            // `out` lie `length` elements up to `end` at most, and `SLOP` more behind `end`, which is more than `out`
            // as `length` is not 0.
            unsafe { copy::copy_match(out.cast::<u8>(), distance as usize * scale, length as usize * scale) };
            out = out.wrapping_add(length as usize);
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
    use super::super::table::{LITLEN_MEANINGS, LitlenTable, OFFSET_MEANINGS, OFFSET_ROOT_BITS, OffsetTable};
    use super::*;

    /// What the loop must do, one symbol at a time.
    fn plain(
        input: &[u8],
        litlen: Code<'_>,
        offset: Code<'_>,
        room: usize,
        has_pairs: bool,
    ) -> (Exit, Vec<u8>, u64) {
        let mut position = 0u64;
        let mut out: Vec<u8> = Vec::new();
        let bits_at = |position: u64| {
            let at = (position / 8) as usize;
            let mut word = [0; 16];
            let len = word.len().min(input.len() - at);
            word[..len].copy_from_slice(&input[at..at + len]);
            (u128::from_le_bytes(word) >> (position % 8)) as u64
        };
        loop {
            if input.len() as u64 * 8 - position < 32 * 8 || room - out.len() < literals_per_turn(has_pairs) {
                return (Exit::Slack, out, position);
            }
            let start = position;
            let (entry, root) = litlen.lookup(bits_at(position));
            let value = |entry: u32, root: u32, position: &mut u64| {
                let extra = table::total_bits(entry) - table::code_bits(entry);
                *position += u64::from(root + table::code_bits(entry));
                let value = table::base(entry) + (bits_at(*position) & ((1 << extra) - 1)) as u32;
                *position += u64::from(extra);
                value
            };
            let length = value(entry, root, &mut position);
            if entry & LITERAL != 0 {
                out.push(length as u8);
                continue;
            }
            if entry & EXCEPTIONAL != 0 {
                let exit = if entry & END_OF_BLOCK != 0 { Exit::EndOfBlock } else { Exit::BadLitlen };
                return (exit, out, position);
            }
            let (entry, root) = offset.lookup(bits_at(position));
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

    /// Lengths of a complete code: a full tree of `2^depth` symbols, some of them split further.
    fn lengths(symbols: usize, depth: u8, mut seed: u64) -> Vec<u8> {
        let mut leaves = vec![depth; 1 << depth];
        while leaves.len() < symbols {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (seed >> 33) as usize % leaves.len();
            if leaves[at] < 15 {
                leaves[at] += 1;
                leaves.push(leaves[at]);
            }
        }
        leaves
    }

    #[test]
    fn both_compilations_agree_with_the_plain_loop() {
        let mut state = 5u64;
        let mut exits = std::collections::HashMap::new();
        let mut pairs = 0;
        for round in 0..400u64 {
            let mut random = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 24) as u8
            };
            let input: Vec<u8> = (0..3000).map(|_| random()).collect();
            let mut litlen_lens =
                lengths(if round % 4 == 0 { 288 } else { 280 }, 1 + (round % 8) as u8, round);
            let shift = usize::from(random()) % litlen_lens.len();
            litlen_lens.rotate_left(shift);
            let offset_lens =
                lengths(if round % 3 == 0 { 32 } else { 26 }, 1 + (round % 4) as u8, round + 99);
            let (mut litlen, mut offset) = (LitlenTable::empty(), OffsetTable::empty());
            let root_bits = LITLEN_ROOT_BITS - (round % 3) as u32;
            litlen.build(&litlen_lens, &LITLEN_MEANINGS, root_bits).expect("complete");
            offset.build(&offset_lens, &OFFSET_MEANINGS, OFFSET_ROOT_BITS).expect("complete");
            let room = 20 + usize::from(random()) * 40;
            let has_pairs = round % 5 < 2;
            let (exit, expected, position) = plain(&input, litlen.code(), offset.code(), room, has_pairs);
            if has_pairs {
                litlen.pair_literals();
                pairs += litlen
                    .code()
                    .entries()
                    .iter()
                    .filter(|&entry| entry & LITERAL != 0 && entry & PAIR != 0)
                    .count();
            }
            *exits.entry(core::mem::discriminant(&exit)).or_insert(0) += 1;
            for portable in [false, true] {
                let mut buffer = vec![0u8; room + History::<u8>::SLOP];
                let base = buffer.as_mut_ptr();
                let capacity = buffer.len();
                // SAFETY: the buffer is as large as said and used through the history alone until that is gone.
                let mut history = unsafe { History::from_raw(base, 0, 0, room, capacity) };
                let mut reader = BitReader::new(HeldBits::default(), &input);
                let ours = run_as(&mut reader, &mut history, litlen.code(), offset.code(), portable);
                let done = history.position();
                reader.give_back(0);
                let ours_at = reader.consumed() as u64 * 8 - u64::from(reader.count());
                if exit == Exit::Slack {
                    // The plain loop looks at its slack more often, so the others may be a turn ahead or behind; a turn with pairs is
                    // long enough for another end to come in it.
                    assert!(ours == Exit::Slack || has_pairs, "round {round}");
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
        assert_eq!(exits.len(), 5, "every way out was taken: {exits:?}");
        assert!(pairs > 1000, "there were pairs: {pairs}");
    }
}
