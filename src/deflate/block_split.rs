//! Block splitting: a block ends where the new symbols differ from those in the block so far.
//!
//! Literals are counted in eight classes, by their top two bits and the lowest: enough to
//! distinguish text from binary, case, digits and even/odd structure. Matches are counted in two
//! classes (short, long). Each check compares the classes' shares among the new symbols with those
//! in the block before them; the block ends if the difference is large for the number of symbols
//! seen. The longer the block, the smaller the difference needed.
//!
//! With 10,000 symbols in the block, half of them in class A and half in B, and 512 new ones, three
//! quarters of them in A, the shares differ by 1/4 + 1/4 = 256/512. That is more than 200/512, so
//! the block ends.
//!
//! Classes do not show a slow drift, such as that of a table of increasing numbers. So every [`DRIFT_AFTER`] symbols the entropy
//! of the block is compared with that of its two parts, before and after the previous such check.
//!
//! This needs no counting per symbol: each check sums the parser's symbol frequencies by class and
//! subtracts the old sums. It decides only whether a block ends *here*, at the end of a span. It
//! does not go back to where the change was, so the change may have been some hundred symbols
//! earlier.

#![forbid(unsafe_code)]

use super::entropy::entropy;
use super::token::Frequencies;
use crate::format::deflate::FIRST_LENGTH;

/// The minimum block size in bytes. A block is not closed earlier, nor if fewer bytes would be left
/// for the next one: a header takes several hundred bits. Only a block whose token memory is full
/// is closed even then.
pub(super) const MIN_BLOCK: usize = 5000;
/// The maximum block size in bytes. 600000 gains 0.01 %, 150000 loses 0.03 %.
pub(super) const MAX_BLOCK: usize = 300_000;

/// New symbols that trigger a check.
const CHECK_AFTER: u32 = 512;
/// The block ends if the differences of the classes' shares add up to this, in 512ths; the sum is
/// at most two. 150 and 250 are worse on some data, 200 on none.
const CUTOFF: u64 = 200;

/// Symbols between two drift checks. Each computes three entropies, so they are much rarer than the
/// other checks.
const DRIFT_AFTER: u32 = 8192;
/// Bits that splitting a block in two must save: more than a header takes, plus 1/16 bit for each new symbol.
const DRIFT_BITS: u64 = 1024;

const CLASSES: usize = 10;
/// Length slots from this one on, lengths of 9 and more, count as long.
const FIRST_LONG_SLOT: usize = 6;

/// The statistics of the open block.
#[derive(Debug)]
pub(super) struct BlockSplit {
    /// Symbols per class at the last check: those of the block before the new symbols.
    seen: [u32; CLASSES],
    seen_total: u32,
    /// The block's symbols at the last drift check.
    earlier: Frequencies,
    earlier_total: u32,
}

impl BlockSplit {
    pub(super) fn new() -> Self {
        Self { seen: [0; CLASSES], seen_total: 0, earlier: Frequencies::NONE, earlier_total: 0 }
    }

    /// Starts a new block.
    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }

    /// Whether a block of `len` bytes with these frequencies should end here.
    pub(super) fn should_end(&mut self, frequencies: &Frequencies, len: usize) -> bool {
        let now = classes(frequencies);
        let total: u32 = now.iter().sum();
        // Literals that were counted may have been replaced by a match since
        // (`OpenBlock::add_match_early`), so a count may be lower than before.
        let new_total = total.saturating_sub(self.seen_total);
        if new_total < CHECK_AFTER {
            return false;
        }
        if self.seen_total > 0 {
            // Both shares are scaled by both totals, so that no division is needed: `seen /
            // seen_total` and `new / new_total`, each times `seen_total * new_total`.
            let mut difference = 0;
            for (now, seen) in now.iter().zip(&self.seen) {
                let expected = u64::from(*seen) * u64::from(new_total);
                let actual = u64::from(now.saturating_sub(*seen)) * u64::from(self.seen_total);
                difference += expected.abs_diff(actual);
            }
            let mut cutoff = u64::from(new_total) * CUTOFF / 512 * u64::from(self.seen_total);
            // A short block with few symbols must differ more: its header costs relatively more.
            if len < 10_000 && total < 8192 {
                cutoff += cutoff * u64::from(8192 - total) / 8192;
            }
            // The second term lowers the difference needed with the block's length: with 512 new
            // symbols, by 1/512 for each 4 KiB.
            if difference + (len as u64 / 4096) * u64::from(self.seen_total) >= cutoff && len >= MIN_BLOCK {
                return true;
            }
        }
        self.seen = now;
        self.seen_total = total;
        if total.saturating_sub(self.earlier_total) < DRIFT_AFTER {
            return false;
        }
        self.earlier_total = total;
        drifts(&mut self.earlier, frequencies)
    }
}

/// Whether a block with these frequencies would be smaller if split where it had the frequencies
/// `earlier`, if it had any. Then `earlier` becomes equal to `frequencies`, for the next check.
///
/// The entropy of two parts, each with a code of its own, is never more than that of the whole, so
/// only a gain over [`DRIFT_BITS`] counts.
pub(super) fn drifts(earlier: &mut Frequencies, frequencies: &Frequencies) -> bool {
    let symbols =
        |frequencies: &Frequencies| frequencies.litlen().iter().map(|&count| u64::from(count)).sum::<u64>();
    let before = symbols(earlier);
    let drifts = before > 0 && {
        let parts = entropy(earlier) + entropy(&frequencies.less(earlier));
        entropy(frequencies) > parts + DRIFT_BITS + symbols(frequencies).saturating_sub(before) / 16
    };
    earlier.clone_from(frequencies);
    drifts
}

/// Symbols per class: literals by top two bits and lowest bit, short matches, long matches.
fn classes(frequencies: &Frequencies) -> [u32; CLASSES] {
    let mut classes = [0; CLASSES];
    for (quarter, literals) in frequencies.litlen[..256].chunks_exact(64).enumerate() {
        let (mut even, mut odd) = (0, 0);
        for pair in literals.chunks_exact(2) {
            even += pair[0];
            odd += pair[1];
        }
        classes[2 * quarter] = even;
        classes[2 * quarter + 1] = odd;
    }
    let (short, long) = frequencies.litlen()[FIRST_LENGTH..].split_at(FIRST_LONG_SLOT);
    classes[8] = short.iter().sum();
    classes[9] = long.iter().sum();
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_where_its_symbols_change() {
        let mut split = BlockSplit::new();
        let mut frequencies = Frequencies::NONE;
        for len in (1024..=32 * 1024).step_by(1024) {
            for byte in b'a'..=b'z' {
                frequencies.litlen[byte as usize] += 40;
            }
            assert!(!split.should_end(&frequencies, len), "no change at {len}");
        }
        for literal in &mut frequencies.litlen[128..256] {
            *literal += 8;
        }
        assert!(split.should_end(&frequencies, 33 * 1024));
    }

    #[test]
    fn a_block_ends_when_its_symbols_drift() {
        let (mut earlier, mut frequencies) = (Frequencies::NONE, Frequencies::NONE);
        // A table of increasing numbers: half of the literals are the same in all parts, the others differ.
        for part in 1..=3 {
            for byte in 0..64 {
                frequencies.litlen[byte] += 64;
                frequencies.litlen[64 * part + byte] += 64;
            }
            assert_eq!(drifts(&mut earlier, &frequencies), part > 1, "part {part}");
        }
    }

    #[test]
    fn a_block_continues_while_its_symbols_stay() {
        let (mut earlier, mut frequencies) = (Frequencies::NONE, Frequencies::NONE);
        for part in 1..=4 {
            frequencies.litlen[..128].iter_mut().for_each(|count| *count += 64);
            assert!(!drifts(&mut earlier, &frequencies), "part {part}");
        }
    }

    #[test]
    fn literals_may_have_been_replaced_since_the_last_check() {
        let mut split = BlockSplit::new();
        let mut frequencies = Frequencies::NONE;
        frequencies.litlen[..256].fill(64);
        let mut earlier = frequencies.clone();
        assert!(!split.should_end(&frequencies, 16 * 1024));
        frequencies.litlen[0] -= 2;
        assert!(!split.should_end(&frequencies, 17 * 1024));
        assert!(!drifts(&mut earlier, &frequencies));
        frequencies.litlen[1..256].iter_mut().for_each(|count| *count += 4);
        assert!(!split.should_end(&frequencies, 18 * 1024));
        assert!(!drifts(&mut earlier, &frequencies));
    }

    #[test]
    fn every_symbol_is_in_a_class() {
        let mut frequencies = Frequencies::NONE;
        frequencies.litlen = core::array::from_fn(|symbol| u32::from(symbol != 256 && symbol < 286));
        assert_eq!(classes(&frequencies), [32, 32, 32, 32, 32, 32, 32, 32, 6, 23]);
    }
}
