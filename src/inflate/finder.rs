//! The start finder: places in the middle of a gzip file from which decoding can begin.
//!
//! Searches for three kinds of place, in order of search cost and usefulness:
//!
//! 1. **A member's header**: `1f 8b 08` and plausible fields. Decoding from it needs no history. Files of many members, such as
//!    BGZF, have one every few KiB.
//! 2. **After a sync marker**, `00 00 ff ff`, a block begins on a byte boundary. Parallel compressors write one about every
//!    128 KiB of their input.
//! 3. **A dynamic block's header**, at any bit. Nothing marks it, but few bit strings are valid. The cheapest tests come first:
//!
//! ```text
//! 64 bits at once:   not final, dynamic, at most 286 and 30 symbols      1 in 9 bit offsets passes
//! by table:          the precode's lengths make a complete code          1 in 2000
//! length by length:  the literal/length code is not oversubscribed       1 in 100,000 or so; most fall within twenty lengths
//! block machine:     both sets of lengths make codes that zlib accepts   real headers, and very few others
//! ```
//!
//! Apart from final blocks, the first three tests reject only headers that the block machine would
//! reject too. Without the third, most of the search time is spent in the machine, which reads all
//! lengths of a header before it checks their sum.
//!
//! Does not search for stored and fixed blocks: their first bytes are too common, and files worth decoding in parallel have
//! dynamic blocks nearby.
//!
//! A result is a guess. It is confirmed when a decoder that started at the file's beginning reaches this bit between two
//! blocks. Nothing relies on an unconfirmed guess, so a wrong one costs only time.

#![forbid(unsafe_code)]

use super::bit_reader::{BitReader, HeldBits};
use super::blocks::{BlockState, Event, Stop, WithTables};
use super::history::History;
use crate::format::deflate::{PRECODE_ORDER, PRECODE_SYMBOLS};
use crate::raw::{find_byte, load};

/// A place from which decoding can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The first byte of a member's header.
    Member(usize),
    /// The first bit of a block, after a sync marker.
    Marked(u64),
    /// The first bit of a block.
    Block(u64),
}

/// Which places to search for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Search {
    /// All kinds, the most useful first.
    #[default]
    All,
    /// Only blocks, with or without a marker before them: used after a search that found neither member nor marker.
    Blocks,
}

/// Bytes searched for a member's header. If members are longer than this, a block inside one is nearer.
const MEMBER_REACH: usize = 128 << 10;

/// Bytes searched for a sync marker. The longest interval in common use is 512 KiB of input; as compressed text it fits here.
const MARKER_REACH: usize = 256 << 10;

/// Bytes searched for a block. If there is none this far, there may be none at all: stored data, or one giant block.
const BLOCK_REACH: usize = 256 << 10;

/// Searches `input`, a part from the middle of a gzip file, for a place to begin decoding.
pub fn find_start(input: &[u8], search: Search) -> Option<Start> {
    let reach = |reach: usize| &input[..reach.min(input.len())];
    // In the order of the head of this file. A member is preferred even if a block is nearer, since
    // decoding from it is exact.
    let mut machine = WithTables::new();
    if search == Search::All {
        if let Some(at) = find_member(reach(MEMBER_REACH)) {
            return Some(Start::Member(at));
        }
        if let Some(bit) = find_after_marker(input, MARKER_REACH, &mut machine) {
            return Some(Start::Marked(bit));
        }
    }
    find_block(input, BLOCK_REACH, &mut machine).map(Start::Block)
}

/// Whether `bytes` begin with a plausible gzip header. Besides the magic bytes it checks that the reserved flags are zero,
/// `XFL` is one of three values, and `OS` is one of fourteen or 255 (unknown).
fn is_member(bytes: &[u8]) -> bool {
    matches!(bytes.first_chunk(), Some([0x1f, 0x8b, 8, 0..0x20, _, _, _, _, 0 | 2 | 4, 0..=13 | 255]))
}

/// Searches for a member's header; `find_byte` is the C library's `memchr`.
fn find_member(input: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += find_byte(0x1f, &input[at..])?;
        if is_member(&input[at..]) {
            return Some(at);
        }
        at += 1;
    }
}

/// Searches for a sync marker in the first `reach` bytes after which a dynamic block begins;
/// returns the block's first bit.
///
/// It looks for the marker's third byte, 0xff, and compares the bytes around it. The four bytes may
/// also occur by chance or in stored data. A dynamic block's header confirms them; other blocks
/// have nothing that could be verified.
fn find_after_marker(input: &[u8], reach: usize, machine: &mut WithTables) -> Option<u64> {
    let mut at = 2;
    while at < reach.min(input.len()) {
        at += find_byte(0xff, &input[at..reach.min(input.len())])?;
        if input[at - 2..].starts_with(&[0, 0, 0xff, 0xff]) {
            let bit = (at as u64 + 2) * 8;
            if is_dynamic_header(input, bit, machine) {
                return Some(bit);
            }
        }
        at += 1;
    }
    None
}

/// Searches for a dynamic block's header that begins in the first `reach` bytes.
///
/// The tests run in the order of the head of this file, each on the candidates that the one before
/// has left:
///
/// ```text
/// bit  0      1..2   3..7   8..12  13..16  17 ..
///      BFINAL BTYPE  HLIT   HDIST  HCLEN   precode lengths, 3 bits each, then codeword lengths
/// ```
fn find_block(input: &[u8], reach: usize, machine: &mut WithTables) -> Option<u64> {
    /// Bit offsets that are tested with one 64-bit word: the fixed part of a header has 17 bits, so
    /// a header at offset 47 ends with bit 63.
    const STEP: usize = 48;
    let mut at = 0;
    while at < reach {
        let word = load::first_u64_le(input.get(at..)?)?;
        let mut candidates = plausible_offsets(word) & ((1 << STEP) - 1);
        while candidates != 0 {
            let offset = candidates.trailing_zeros();
            candidates &= candidates - 1;
            let bit = at as u64 * 8 + u64::from(offset);
            let (symbols, lengths) =
                (257 + (word >> (offset + 3) & 31), 4 + (word >> (offset + 13) & 15) as u32);
            let Some(precode) = complete_precode(input, bit + 17, lengths) else { continue };
            let after = bit + 17 + 3 * u64::from(lengths);
            if may_be_litlen_lengths(input, after, precode, symbols as u32)
                && is_dynamic_header(input, bit, machine)
            {
                return Some(bit);
            }
        }
        at += STEP / 8;
    }
    None
}

/// Returns a mask of the bit offsets in `word` at which a non-final dynamic block may begin: the bits 0, 0, 1, then two
/// counts of five bits, neither of which is 30 or 31.
///
/// Bit `i` of the shifted word `word >> n` is bit `i + n` of the input, so each operation tests all
/// offsets at once. A count is 30 or 31 if its upper four bits are ones; those of HLIT are bits 4
/// to 7 of a header, those of HDIST 9 to 12.
fn plausible_offsets(word: u64) -> u64 {
    let begins = !word & !(word >> 1) & (word >> 2);
    let top_bits = word & word >> 1 & word >> 2 & word >> 3;
    begins & !(top_bits >> 4) & !(top_bits >> 9)
}

/// Sums of 2^(7 - length) over four lengths of three bits each; a length of 0 adds nothing. A code
/// is complete if the sum over all its symbols is 2^7 (Kraft's equality).
static KRAFT: [u16; 4096] = {
    let mut sums = [0; 4096];
    let mut index = 0;
    while index < sums.len() {
        let mut lengths = index;
        while lengths != 0 {
            if lengths & 7 != 0 {
                sums[index] += 128 >> (lengths & 7);
            }
            lengths >>= 3;
        }
        index += 1;
    }
    sums
};

/// Returns the `count` three-bit lengths that begin at `bit`, if they make a complete code.
fn complete_precode(input: &[u8], bit: u64, count: u32) -> Option<u64> {
    let word = load::first_u64_le(input.get((bit / 8) as usize..)?)?;
    // At least 57 bits are left, and 19 lengths take 57. No branches: they would be unpredictable.
    let lengths = word >> (bit % 8) & ((1 << (3 * count)) - 1);
    let sum = |shift: u32| KRAFT[(lengths >> shift & 0xfff) as usize];
    (sum(0) + sum(12) + sum(24) + sum(36) + sum(48) == 128).then_some(lengths)
}

/// Whether the codeword lengths that begin at `bit` may make a literal/length code of `symbols` symbols. Random lengths soon
/// oversubscribe the code space. Returns true if the input ends first.
///
/// It reads the lengths as `blocks::lengths` does, but keeps only their sum, and stops at the first
/// length with which the sum exceeds the whole.
fn may_be_litlen_lengths(input: &[u8], mut bit: u64, precode: u64, symbols: u32) -> bool {
    /// A complete code's sum of 2^(15 - length).
    const WHOLE: u32 = 1 << 15;
    /// The share of a repeat that has no length before it: larger than the whole, so it is rejected at once.
    const NONE: u32 = WHOLE + 1;
    /// The share of the whole that one symbol of this length takes; 0 for precode symbols that encode zeros.
    const SHARES: [u32; 32] = {
        let mut shares = [0; 32];
        let mut len = 1;
        while len < 16 {
            shares[len] = WHOLE >> len;
            len += 1;
        }
        shares
    };
    /// For each precode symbol, the minimum repeat count and the number of extra bits that are added to it.
    const REPEATS: [(u8, u8); 32] = {
        let mut repeats = [(1, 0); 32];
        (repeats[16], repeats[17], repeats[18]) = ((3, 2), (3, 3), (11, 7));
        repeats
    };
    let table = precode_table(precode);
    let (mut done, mut sum, mut last) = (0, 0, NONE);
    while done < symbols {
        let Some(word) = input.get((bit / 8) as usize..).and_then(load::first_u64_le) else { return true };
        let bits = word >> (bit % 8);
        let entry = table[(bits & 0x7f) as usize];
        let (symbol, taken) = (usize::from(entry & 31), u32::from(entry >> 5));
        // No branch on the symbol, which is unpredictable.
        let (least, extra_bits) = REPEATS[symbol];
        let repeat = u32::from(least) + ((bits >> taken) as u32 & ((1 << extra_bits) - 1));
        let share = if symbol == 16 { last } else { SHARES[symbol] };
        // Repeats past the last literal/length symbol belong to the offset code.
        sum += share * repeat.min(symbols - done);
        if sum > WHOLE {
            return false;
        }
        last = share;
        done += repeat;
        bit += u64::from(taken + u32::from(extra_bits));
    }
    // An incomplete code is valid only with a single symbol, of one bit. Other codes with half the
    // sum are left to the block machine.
    sum == WHOLE || sum == WHOLE / 2
}

/// Maps each value of seven bits to the precode's symbol, in the low five bits of the entry, and its length above them.
///
/// `lengths` are known to make a complete code, so every entry is filled.
fn precode_table(lengths: u64) -> [u8; 128] {
    let length_of = |place: usize| (lengths >> (3 * place) & 7) as u8;
    let mut by_symbol = [0; PRECODE_SYMBOLS];
    for (place, &symbol) in PRECODE_ORDER.iter().enumerate() {
        by_symbol[symbol] = length_of(place);
    }
    // With the first bit highest, codewords count up by length and then by symbol (RFC 1951,
    // 3.2.2). `next` has the next codeword of each length, in the upper bits of seven: a codeword
    // of `len` bits takes `128 >> len` of the 128 values. At first it has the number of codewords.
    let mut next = [0u8; 8];
    for &len in &by_symbol {
        next[usize::from(len)] += 1;
    }
    let mut sum = 0u8;
    for (place, len) in next[1..].iter_mut().zip(1..) {
        let count = core::mem::replace(place, sum);
        sum = sum.wrapping_add(count.wrapping_mul(128 >> len));
    }
    let mut table = [0; 128];
    for (symbol, &len) in by_symbol.iter().enumerate().filter(|&(_, &len)| len != 0) {
        // Codewords are read from their first bit, so the index is bit-reversed.
        let mut place = usize::from(next[usize::from(len)].reverse_bits() >> 1);
        next[usize::from(len)] = next[usize::from(len)].wrapping_add(128 >> len);
        while let Some(entry) = table.get_mut(place) {
            *entry = symbol as u8 | len << 5;
            place += 1 << len;
        }
    }
    table
}

/// Whether a dynamic block's header begins at `bit` with codes that zlib would accept.
///
/// The machine stops after the header, before the first symbol, so the history needs no room. If
/// the input ends in the header, the answer is no.
fn is_dynamic_header(input: &[u8], bit: u64, machine: &mut WithTables) -> bool {
    let Some(mut reader) = reader_at(input, bit) else { return false };
    let mut nothing: [u8; 0] = [];
    let mut history = History::new(&mut nothing, 0);
    if !reader.need(3) || reader.peek(3) != 0b100 {
        return false;
    }
    machine.reset();
    machine.step(&mut reader, &mut history, Stop::Headers) == Event::Stopped
        && machine.state() == BlockState::SymbolsStart
}

/// Returns a reader positioned at `bit` of `input`; `None` if that is past the end.
pub(super) fn reader_at(input: &[u8], bit: u64) -> Option<BitReader<'_>> {
    let (byte, used) = ((bit / 8) as usize, (bit % 8) as u32);
    if used == 0 {
        return Some(BitReader::new(HeldBits::default(), input.get(byte..)?));
    }
    let held = HeldBits { bits: u64::from(*input.get(byte)? >> used), count: 8 - used };
    Some(BitReader::new(held, &input[byte + 1..]))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{deflated, sample};
    use super::*;
    use crate::random::Random;

    /// Where each block of a raw stream begins, and whether it is a dynamic one that is not the last.
    fn blocks_of(stream: &[u8], len: usize) -> Vec<(u64, bool)> {
        let mut out = vec![0u8; len];
        let mut history = History::new(&mut out, 0);
        let mut reader = BitReader::new(HeldBits::default(), stream);
        let mut machine = WithTables::new();
        let mut starts = Vec::new();
        while !machine.is_final() {
            reader.give_back(0);
            let bit = reader.consumed() as u64 * 8 - u64::from(reader.count());
            assert!(reader.need(3));
            starts.push((bit, reader.peek(3) == 0b100));
            machine.await_block(false);
            assert_eq!(machine.step(&mut reader, &mut history, Stop::Blocks), Event::Stopped);
        }
        starts
    }

    #[test]
    fn every_dynamic_block_is_found_and_nothing_else() {
        let data = sample(3_000_000);
        let (mut found, mut false_ones) = (0, 0);
        for level in [3, 6, 9] {
            let stream = deflated(&data, level);
            let starts: Vec<u64> =
                blocks_of(&stream, data.len()).iter().filter(|block| block.1).map(|block| block.0).collect();
            let mut machine = WithTables::new();
            let mut from = 0;
            // The search begins on byte boundaries, so the header may begin up to seven bits before it.
            while let Some(bit) = find_block(&stream[from..], stream.len(), &mut machine) {
                let bit = from as u64 * 8 + bit;
                if starts.contains(&bit) {
                    found += 1
                } else {
                    false_ones += 1
                }
                let missed = starts.iter().filter(|&&start| start >= from as u64 * 8 && start < bit).count();
                assert_eq!(missed, 0, "level {level}: a block between byte {from} and bit {bit}");
                from = bit as usize / 8 + 1;
            }
        }
        assert!(found > 15, "{found} blocks found");
        assert!(false_ones <= 1, "{false_ones} false blocks");
    }

    #[test]
    fn noise_has_almost_no_false_blocks() {
        let noise = Random::new(1).bytes(2 << 20);
        let mut machine = WithTables::new();
        let mut from = 0;
        let mut false_ones = 0;
        while let Some(bit) = find_block(&noise[from..], noise.len(), &mut machine) {
            false_ones += 1;
            from += bit as usize / 8 + 1;
        }
        assert!(false_ones <= 2, "{false_ones} false blocks in 2 MiB");
    }

    #[test]
    fn every_bit_offset_of_a_header_is_found() {
        let data = sample(3_000_000);
        let stream = deflated(&data, 6);
        let (start, _) =
            blocks_of(&stream, data.len()).into_iter().find(|block| block.1).expect("a dynamic block");
        for shift in 0..48u64 {
            // `shift` one bits, then the stream from its block on.
            let mut shifted = vec![0xffu8; 6];
            let bits = (start..start + 8000).map(|bit| stream[bit as usize / 8] >> (bit % 8) & 1);
            shifted.resize(6 + 1000 + 8, 0);
            for (at, bit) in bits.enumerate() {
                let at = shift as usize + at;
                let byte = &mut shifted[at / 8];
                *byte = *byte & !(1 << (at % 8)) | bit << (at % 8);
            }
            assert_eq!(find_block(&shifted, 6, &mut WithTables::new()), Some(shift), "shift {shift}");
        }
    }

    #[test]
    fn a_member_is_preferred_to_a_marker_and_a_marker_to_a_block() {
        let data = sample(3_000_000);
        let stream = deflated(&data, 6);
        let starts = blocks_of(&stream, data.len());
        let (block, _) = starts[starts.len() / 2];
        assert!(starts[0].1 && starts[starts.len() / 2].1, "both are dynamic");
        let middle = &stream[block as usize / 8 - 100..][..20_000];
        let Some(Start::Block(first)) = find_start(middle, Search::All) else { panic!("no block found") };
        let mut marked = middle.to_vec();
        marked.extend_from_slice(&[0, 0, 0xff, 0xff]);
        marked.extend_from_slice(&stream[..20_000]);
        assert_ne!(first, (middle.len() as u64 + 4) * 8);
        assert_eq!(find_start(&marked, Search::All), Some(Start::Marked((middle.len() as u64 + 4) * 8)));
        assert_eq!(find_start(&marked, Search::Blocks), Some(Start::Block(first)));
        marked.extend_from_slice(&[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0]);
        assert_eq!(find_start(&marked, Search::All), Some(Start::Member(marked.len() - 12)));
    }

    #[test]
    fn an_input_of_any_short_length_is_searched_to_its_end() {
        let stream = deflated(&sample(50_000), 6);
        for len in 0..200 {
            find_start(&stream[..len], Search::All);
        }
    }
}
