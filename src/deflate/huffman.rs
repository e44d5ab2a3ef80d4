//! Length-limited Huffman codes, canonical as RFC 1951, 3.2.2 wants them.
//!
//! Symbols that occur are sorted by frequency; Moffat and Katajainen's in-place method turns the sorted frequencies into
//! codeword lengths in one pass up and two passes down the same array, with no tree and no heap. Lengths over the limit are
//! cut back to it, and the code made complete again by lengthening the cheapest shorter codewords: not always the optimal
//! limited code (package-merge is), but the limit is seldom met, and what that loses there was not measurable.
//!
//! A code always has two codewords at least, because decoders exist that refuse a code of one.

#![forbid(unsafe_code)]

use crate::format::deflate::MAX_CODEWORD;

/// The largest alphabet.
pub(super) const MAX_SYMBOLS: usize = 288;

const LIMIT: usize = MAX_CODEWORD as usize;

/// Fills `lengths` with the codeword length of every symbol, 0 for those that do not occur, none over `limit`.
///
/// Frequencies are below 2^23, and `2^limit` is at least the number of symbols.
pub(super) fn build_lengths(frequencies: &[u32], limit: u32, lengths: &mut [u8]) {
    debug_assert!(frequencies.len() == lengths.len() && frequencies.len() <= MAX_SYMBOLS);
    lengths.fill(0);
    // Frequency above, symbol below: sorting orders by frequency with ties by symbol.
    let mut sorted = [0u32; MAX_SYMBOLS];
    let mut count = 0;
    for (symbol, &frequency) in frequencies.iter().enumerate() {
        debug_assert!(frequency < 1 << 23);
        // Stored either way, so that no branch asks whether the symbol occurs: in short blocks it guesses wrong.
        if let Some(entry) = sorted.get_mut(count) {
            *entry = frequency << 9 | symbol as u32;
        }
        count += usize::from(frequency != 0);
    }
    if count < 2 {
        let present = if count == 1 { (sorted[0] & 511) as usize } else { 0 };
        lengths[present] = 1;
        lengths[usize::from(present == 0)] = 1;
        return;
    }
    let sorted = &mut sorted[..count];
    sorted.sort_unstable();

    let mut work = [0u32; MAX_SYMBOLS];
    for (weight, entry) in work.iter_mut().zip(sorted.iter()) {
        *weight = entry >> 9;
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
        for entry in next.by_ref().take(per_length[length] as usize) {
            lengths[(entry & 511) as usize] = length as u8;
        }
    }
}

/// Turns at least two ascending weights into the codeword lengths of a minimum-redundancy code, descending.
fn minimum_redundancy(a: &mut [u32]) {
    let n = a.len();
    // Up: join the two lightest of the leaves left and the inner nodes made. A joined node's place then holds its parent.
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
    // Down: parents become depths of the inner nodes.
    a[n - 2] = 0;
    for next in (0..n - 2).rev() {
        a[next] = a[a[next] as usize] + 1;
    }
    // Down: inner nodes per depth tell how many leaves each depth has.
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

/// Restores Kraft's equality after lengths were cut to the last index of `per_length`.
fn make_complete(per_length: &mut [u32]) {
    let limit = per_length.len() - 1;
    let mut kraft: u64 = (1..=limit).map(|length| u64::from(per_length[length]) << (limit - length)).sum();
    while kraft > 1 << limit {
        // Split the longest codeword below the limit: it and one of the limit's become two, one bit longer.
        let split = (1..limit).rev().find(|&length| per_length[length] > 0).expect("2^limit symbols at most");
        per_length[limit] -= 1;
        per_length[split] -= 1;
        per_length[split + 1] += 2;
        kraft -= 1;
    }
}

/// The canonical codewords of `lengths`, bits reversed as the bit writer wants them.
pub(super) fn assign_codewords(lengths: &[u8], codewords: &mut [u16]) {
    let mut per_length = [0u16; LIMIT + 1];
    for &length in lengths {
        per_length[length as usize] += 1;
    }
    per_length[0] = 0;
    let mut next = [0u16; LIMIT + 2];
    for length in 1..=LIMIT {
        next[length + 1] = (next[length] + per_length[length]) << 1;
    }
    for (codeword, &length) in codewords.iter_mut().zip(lengths) {
        let length = length as usize;
        if length != 0 {
            *codeword = next[length].reverse_bits() >> (16 - length);
            next[length] += 1;
        }
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
            build_lengths(&frequencies, limit, &mut lengths);
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
            build_lengths(&frequencies, 15, &mut lengths);
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
            let mut codewords = vec![0; frequencies.len()];
            build_lengths(&frequencies, 7, &mut lengths);
            assign_codewords(&lengths, &mut codewords);
            for a in 0..lengths.len() {
                for b in 0..lengths.len() {
                    if a != b && lengths[a] > 0 && lengths[a] <= lengths[b] {
                        prop_assert_ne!(codewords[b] & ((1 << lengths[a]) - 1), codewords[a]);
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
            build_lengths(&frequencies, limit, &mut lengths);
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
            build_lengths(&frequencies, 15, &mut lengths);
            assert_eq!(lengths.iter().filter(|&&l| l == 1).count(), 2);
            assert!(present.is_none_or(|symbol| lengths[symbol] == 1));
        }
    }
}
