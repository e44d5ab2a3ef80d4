//! Length-limited Huffman codes, canonical as required by RFC 1951, 3.2.2.
//!
//! Frequencies become codewords in four steps:
//!
//! 1. [`UsedSymbols`] lists the symbols that occur. All later steps use this list: short blocks use
//!    few of the 286.
//! 2. The list is sorted by frequency, ascending.
//! 3. Moffat and Katajainen's in-place method turns the sorted frequencies into codeword lengths in
//!    one pass up and two passes down the same array, without a tree or a heap. Lengths over the
//!    limit are cut to it, and the code is made complete again by lengthening the cheapest shorter
//!    codewords.
//! 4. [`assign_codewords`] numbers the codewords of each length in the order of the symbols.
//!
//! Steps 3 and 4 for five symbols with the frequencies 1 1 2 3 5 and a limit of 3:
//!
//! ```text
//! lengths              4 4 3 2 1
//! cut to the limit     3 3 3 2 1    in eighths: 1 + 1 + 1 + 2 + 4 = 9, one too many
//! made complete        3 3 3 3 1    1 + 1 + 1 + 1 + 4 = 8
//! codewords            100 101 110 111 0
//! ```
//!
//! The result is not always the optimal limited code (which package-merge computes), but the limit
//! is seldom reached, and the loss was too small to measure. The code is always complete: most
//! decoders refuse an incomplete one, and it would waste bits.

#![forbid(unsafe_code)]

use crate::format::deflate::MAX_CODEWORD;

/// The largest alphabet: 286 literal/length symbols, and two that only the fixed code contains.
pub(super) const MAX_SYMBOLS: usize = 288;

/// The longest codeword that DEFLATE allows in any of its codes; the size of the tables by length.
const LIMIT: usize = MAX_CODEWORD as usize;

/// A symbol that occurs: the symbol in the low [`SYMBOL_BITS`] bits, its frequency above them. One
/// store moves such an entry, and comparing two entries compares frequencies first, then symbols.
pub(super) type Used = u32;

const SYMBOL_BITS: u32 = 9;

/// The symbol of an entry.
#[inline(always)]
pub(super) fn symbol_of(entry: Used) -> usize {
    (entry & ((1 << SYMBOL_BITS) - 1)) as usize
}

/// The frequency of an entry.
#[inline(always)]
pub(super) fn frequency_of(entry: Used) -> u32 {
    entry >> SYMBOL_BITS
}

/// The symbols that occur in an alphabet of at most `N` symbols, ascending. Frequencies are below
/// 2^23, so that an entry fits 32 bits; the sum of 288 of them is below 2^32, too, which
/// [`minimum_redundancy`] needs.
#[derive(Debug)]
pub(super) struct UsedSymbols<const N: usize> {
    entries: [Used; N],
    len: usize,
}

impl<const N: usize> UsedSymbols<N> {
    /// The used symbols of an alphabet with these frequencies: at least two, since some decoders
    /// refuse a code of one symbol. Symbols added for that have frequency 0. They cost one or two
    /// lengths in the header and no bits in the body.
    pub(super) fn new(frequencies: &[u32]) -> Self {
        let mut used = Self { entries: [0; N], len: 0 };
        for (symbol, &frequency) in frequencies.iter().enumerate() {
            debug_assert!(frequency < 1 << 23);
            // Stored unconditionally: in short blocks a branch would often be mispredicted. The
            // entry of a symbol that does not occur is overwritten by the next one.
            used.entries[used.len] = frequency << SYMBOL_BITS | symbol as u32;
            used.len += usize::from(frequency != 0);
        }
        while used.len < 2 {
            // Add symbol 0, or symbol 1 if symbol 0 is the one that occurs.
            let only = used.entries[0];
            let is_zero_taken = used.len == 1 && symbol_of(only) == 0;
            if used.len == 1 && !is_zero_taken {
                used.entries[1] = only;
                used.entries[0] = 0;
            } else {
                used.entries[used.len] = u32::from(is_zero_taken);
            }
            used.len += 1;
        }
        used
    }

    pub(super) fn entries(&self) -> &[Used] {
        &self.entries[..self.len]
    }
}

/// Sets the codeword length of each used symbol in `lengths`, at most `limit`; all other lengths
/// become 0. There may be at most `2^limit` used symbols, or no code with that limit exists.
///
/// Only the number of codewords of each length is taken from the unlimited code. Giving the longest
/// to the rarest symbols is optimal for any such numbers, also after they were changed to keep the
/// limit.
pub(super) fn build_lengths(used: &[Used], limit: u32, lengths: &mut [u8]) {
    lengths.fill(0);
    let count = used.len();
    let mut sorted = [0u32; MAX_SYMBOLS];
    sorted[..count].copy_from_slice(used);
    let mut work = [0u32; MAX_SYMBOLS];
    sort(&mut sorted[..count], &mut work[..count]);
    for (weight, &entry) in work.iter_mut().zip(&sorted[..count]) {
        *weight = frequency_of(entry);
    }
    minimum_redundancy(&mut work[..count]);

    let mut per_length = [0u32; LIMIT + 1];
    for &length in &work[..count] {
        per_length[(length.min(limit)) as usize] += 1;
    }
    make_complete(&mut per_length[..=limit as usize]);

    // The rarest symbols come first in `sorted` and get the longest codewords.
    let mut next = sorted.iter();
    for length in (1..=limit as usize).rev() {
        for &entry in next.by_ref().take(per_length[length] as usize) {
            lengths[symbol_of(entry)] = length as u8;
        }
    }
}

/// Sorts entries by frequency, ascending; `spare` has the same length. The entries arrive in
/// ascending order of symbols, and both sorting methods keep that order among equal frequencies, so
/// the code depends on the frequencies alone.
///
/// Few entries are sorted by insertion, since a radix pass clears and sums 64 counters, however few
/// entries there are. Others are sorted by digits of six bits of the frequency, lowest first: one
/// pass if all frequencies are below 64, two below 4096.
fn sort(entries: &mut [Used], spare: &mut [Used]) {
    const INSERTION_MAX: usize = 24;
    const DIGIT: u32 = 6;
    if entries.len() <= INSERTION_MAX {
        for index in 1..entries.len() {
            let entry = entries[index];
            let mut place = index;
            while place > 0 && entries[place - 1] > entry {
                entries[place] = entries[place - 1];
                place -= 1;
            }
            entries[place] = entry;
        }
        return;
    }
    // The bits that any frequency has: passes over higher digits would change nothing.
    let all_bits = entries.iter().fold(0, |bits, &entry| bits | frequency_of(entry));
    let (mut from, mut to) = (&mut *entries, &mut *spare);
    let mut shift = SYMBOL_BITS;
    let mut is_in_spare = false;
    while shift == SYMBOL_BITS || all_bits >> (shift - SYMBOL_BITS) != 0 {
        // Count each digit, turn the counts into start positions, move the entries there.
        let digit = |entry: Used| (entry >> shift) as usize & ((1 << DIGIT) - 1);
        let mut next = [0u16; 1 << DIGIT];
        for &entry in from.iter() {
            next[digit(entry)] += 1;
        }
        let mut sum = 0;
        for place in &mut next {
            sum += core::mem::replace(place, sum);
        }
        for &entry in from.iter() {
            let place = &mut next[digit(entry)];
            to[*place as usize] = entry;
            *place += 1;
        }
        core::mem::swap(&mut from, &mut to);
        is_in_spare = !is_in_spare;
        shift += DIGIT;
    }
    // The passes alternate between the two arrays. After an odd number of them the result, now
    // `from`, is in the spare one.
    if is_in_spare {
        to.copy_from_slice(from);
    }
}

/// Turns at least two ascending weights into the codeword lengths of a minimum-redundancy code,
/// descending.
///
/// Huffman's method repeatedly joins the two lightest nodes, under a new inner node. Leaves are
/// sorted, and inner nodes are made in ascending order of weight, so both form queues, and the
/// lightest node is the first of one of them. Both queues fit the one array:
///
/// ```text
/// a[..root]       inner nodes that have a parent: its index
/// a[root..next]   inner nodes without a parent yet: their weights
/// a[leaf..]       leaves without a parent yet: their weights
/// ```
///
/// The slot of the next inner node is always free. `next` nodes were made, each of two others, so
/// `2 * next = root + leaf`, and `root < next` gives `leaf > next`. The array after each pass, for
/// the weights 1 1 2 3 5:
///
/// ```text
/// up      1 2 3 12 5    nodes 0 to 2 have the parents 1 to 3; node 3 is the root, of weight 12
/// down    3 2 1  0 5    the depths of nodes 0 to 3
/// down    4 4 3 2 1     the lengths of the leaves
/// ```
///
/// Of a leaf and an inner node with equal weights the leaf is taken, which makes the longest
/// codeword as short as possible, so that the limit is reached less often.
fn minimum_redundancy(a: &mut [u32]) {
    let n = a.len();
    // Up: join the two lightest nodes without a parent. The slot of a joined inner node then holds
    // its parent.
    a[0] += a[1];
    let (mut root, mut leaf) = (0, 2);
    for next in 1..n - 1 {
        if leaf >= n || a[root] < a[leaf] {
            a[next] = a[root];
            a[root] = next as u32;
            root += 1;
        } else {
            a[next] = a[leaf];
            leaf += 1;
        }
        if leaf >= n || (root < next && a[root] < a[leaf]) {
            a[next] += a[root];
            a[root] = next as u32;
            root += 1;
        } else {
            a[next] += a[leaf];
            leaf += 1;
        }
    }
    // Down: replace the parent indices of the inner nodes by depths. A parent has a higher index
    // than its children, so its own depth is known.
    a[n - 2] = 0;
    for next in (0..n - 2).rev() {
        a[next] = a[a[next] as usize] + 1;
    }
    // Down: the number of inner nodes at each depth determines the number of leaves there: of the
    // `available` places, two for each inner node one level higher, those without an inner node are
    // leaves. The heaviest leaves, at the end of the array, get the smallest depths. Before each
    // write, at most as many leaves were written as inner nodes were read, so no unread entry is
    // overwritten.
    let (mut available, mut depth) = (1usize, 0);
    let (mut inner, mut next) = (n as isize - 2, n as isize - 1);
    while available > 0 {
        let mut used = 0;
        while inner >= 0 && a[inner as usize] == depth {
            used += 1;
            inner -= 1;
        }
        while available > used {
            a[next as usize] = depth;
            next -= 1;
            available -= 1;
        }
        available = 2 * used;
        depth += 1;
    }
}

/// Restores Kraft's equality after lengths were limited to the last index of `per_length`: the sum
/// of `2^-length` must be 1. `kraft` is that sum in units of `2^-limit`. Cutting lengths can only
/// have increased it.
fn make_complete(per_length: &mut [u32]) {
    let limit = per_length.len() - 1;
    let mut kraft: u64 = (1..=limit).map(|length| u64::from(per_length[length]) << (limit - length)).sum();
    while kraft > 1 << limit {
        // Replace the longest codeword below the limit and one at the limit by two codewords one
        // bit longer than the first. With `u` units for the first, the two had `u + 1` units and
        // now have `2 * (u / 2)`: one less, so the loop ends at exactly 1. The longest codeword is
        // the cheapest choice: its symbol is the rarest of those below the limit.
        let split = (1..limit).rev().find(|&length| per_length[length] > 0).expect("2^limit symbols at most");
        per_length[limit] -= 1;
        per_length[split] -= 1;
        per_length[split + 1] += 2;
        kraft -= 1;
    }
}

/// Writes the canonical codeword of each used symbol, in order, bit-reversed as DEFLATE stores them
/// (RFC 1951, 3.1.1 and 3.2.2). `codewords` has an entry for each entry of `used`, not for each
/// symbol.
pub(super) fn assign_codewords(used: &[Used], lengths: &[u8], codewords: &mut [u16; MAX_SYMBOLS]) {
    let mut per_length = [0u16; LIMIT + 1];
    for &entry in used {
        per_length[lengths[symbol_of(entry)] as usize] += 1;
    }
    let mut next = [0u16; LIMIT + 2];
    for length in 1..=LIMIT {
        // The first codeword of a length follows the last one of the length before, extended by a
        // zero bit.
        next[length + 1] = (next[length] + per_length[length]) << 1;
    }
    for (codeword, &entry) in codewords.iter_mut().zip(used) {
        let length = lengths[symbol_of(entry)] as usize;
        *codeword = next[length].reverse_bits() >> (16 - length);
        next[length] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kraft(lengths: &[u8]) -> u64 {
        lengths.iter().filter(|&&l| l > 0).map(|&l| 1u64 << (LIMIT - l as usize)).sum()
    }

    proptest! {
        #[test]
        fn codes_are_complete_limited_and_ordered_by_frequency(
            frequencies in proptest::collection::vec(prop_oneof![Just(0u32), 1u32..10, 1u32..1 << 22], 2..=288),
            limit in 9u32..=15,
        ) {
            let mut lengths = vec![0; frequencies.len()];
            build_lengths(UsedSymbols::<MAX_SYMBOLS>::new(&frequencies).entries(), limit, &mut lengths);
            prop_assert_eq!(kraft(&lengths), 1 << LIMIT);
            prop_assert!(lengths.iter().all(|&l| u32::from(l) <= limit));
            for (a, &fa) in frequencies.iter().enumerate() {
                if fa > 0 {
                    prop_assert!(lengths[a] > 0);
                    for (b, &fb) in frequencies.iter().enumerate() {
                        prop_assert!(fb == 0 || fa <= fb || lengths[a] <= lengths[b]);
                    }
                }
            }
        }

        #[test]
        fn an_unlimited_code_costs_what_huffman_costs(frequencies in proptest::collection::vec(1u32..1000, 2..64)) {
            let mut lengths = vec![0; frequencies.len()];
            build_lengths(UsedSymbols::<MAX_SYMBOLS>::new(&frequencies).entries(), 15, &mut lengths);
            let cost: u64 = frequencies.iter().zip(&lengths).map(|(&f, &l)| u64::from(f) * u64::from(l)).sum();
            let mut heap: std::collections::BinaryHeap<_> =
                frequencies.iter().map(|&f| std::cmp::Reverse(u64::from(f))).collect();
            let mut huffman = 0;
            while let (Some(a), Some(b)) = (heap.pop(), heap.pop()) {
                huffman += a.0 + b.0;
                heap.push(std::cmp::Reverse(a.0 + b.0));
                if heap.len() == 1 { break; }
            }
            prop_assert_eq!(cost, huffman);
        }

        #[test]
        fn codewords_are_prefix_free(frequencies in proptest::collection::vec(0u32..50, 2..40)) {
            let mut lengths = vec![0; frequencies.len()];
            let used = UsedSymbols::<MAX_SYMBOLS>::new(&frequencies);
            let mut codewords = [0; MAX_SYMBOLS];
            build_lengths(used.entries(), 7, &mut lengths);
            assign_codewords(used.entries(), &lengths, &mut codewords);
            let length = |index: usize| lengths[symbol_of(used.entries()[index])];
            for a in 0..used.len {
                for b in 0..used.len {
                    if a != b && length(a) <= length(b) {
                        prop_assert_ne!(codewords[b] & ((1 << length(a)) - 1), codewords[a]);
                    }
                }
            }
        }
    }

    #[test]
    fn fibonacci_frequencies_meet_the_limit() {
        let mut frequencies = [1u32; 30];
        for i in 2..30 {
            frequencies[i] = frequencies[i - 1] + frequencies[i - 2];
        }
        for limit in [7, 10, 15] {
            let mut lengths = [0; 30];
            build_lengths(UsedSymbols::<MAX_SYMBOLS>::new(&frequencies).entries(), limit, &mut lengths);
            assert_eq!(kraft(&lengths), 1 << LIMIT);
            assert_eq!(u32::from(*lengths.iter().max().unwrap()), limit);
        }
    }

    #[test]
    fn a_code_has_two_codewords_at_least() {
        for present in [None, Some(0), Some(5)] {
            let mut frequencies = [0u32; 30];
            if let Some(symbol) = present {
                frequencies[symbol] = 7;
            }
            let mut lengths = [0; 30];
            build_lengths(UsedSymbols::<MAX_SYMBOLS>::new(&frequencies).entries(), 15, &mut lengths);
            assert_eq!(lengths.iter().filter(|&&l| l == 1).count(), 2);
            assert!(present.is_none_or(|symbol| lengths[symbol] == 1));
        }
    }
}
