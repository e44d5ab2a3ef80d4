//! The entropy of symbols: an estimate of the bits that they take.
//!
//! A symbol that makes up the share `f / total` of a block takes `log2(total / f)` bits in an ideal
//! code. A Huffman code needs whole bits, so it takes at least as many in total. With the
//! frequencies 4 2 1 1:
//!
//! ```text
//! 4 * log2(8/4) + 2 * log2(8/2) + 1 * log2(8/1) + 1 * log2(8/1) = 4 + 4 + 3 + 3 = 14 bits
//! ```
//!
//! No code is built, so this costs a fraction of the exact size: one pass over the frequencies, and
//! a table look-up for each symbol that occurs. It serves comparisons: whether a block has become
//! too large, whether two blocks would be smaller than one, and whether literals alone would be
//! smaller. The header is not included; callers add an allowance where it matters.
//!
//! Logarithms are in sixteenths of a bit, as are the costs of `parse/cost.rs`. Integers give the
//! same output on all processors.

#![forbid(unsafe_code)]

use super::block::fixed_body_bits;
use super::token::Frequencies;
use crate::format::deflate::{FIRST_LENGTH, LENGTH_EXTRA, OFFSET_EXTRA};

/// Sixteenths per bit.
pub(super) const BIT: u32 = 16;

/// Whether symbols with these frequencies take more than `len` bytes, by their entropy. The parsers
/// check this at the end of a span.
pub(super) fn is_larger(frequencies: &Frequencies, len: usize) -> bool {
    // The first test is fast, and decides when even the fixed code is small enough: it needs no
    // logarithms.
    fixed_body_bits(frequencies) > 8 * len as u64 && entropy(frequencies) > 8 * len as u64
}

/// The entropy of symbols with these frequencies, including their extra bits, in bits. Literals and
/// lengths share one code, offsets have another (RFC 1951, 3.2.5), so each alphabet has its own
/// total.
pub(super) fn entropy(frequencies: &Frequencies) -> u64 {
    let mut bits = 0;
    let alphabets = [
        (frequencies.litlen(), FIRST_LENGTH, &LENGTH_EXTRA[..]),
        (frequencies.offset(), 0, &OFFSET_EXTRA[..]),
    ];
    for (frequencies, first, extra) in alphabets {
        let total = log2_sixteenths(frequencies.iter().sum::<u32>().max(1));
        // The difference is never negative: `log2_sixteenths` does not decrease, and no frequency
        // is over the total.
        let cost = |&frequency: &u32| match frequency {
            0 => 0,
            _ => u64::from(frequency) * u64::from(total - log2_sixteenths(frequency)),
        };
        bits += frequencies.iter().map(cost).sum::<u64>() / u64::from(BIT);
        let extra = frequencies[first..].iter().zip(extra);
        bits += extra.map(|(&frequency, &extra)| u64::from(frequency) * u64::from(extra)).sum::<u64>();
    }
    bits
}

/// `16 * log2(value)`, less than one off, for `value > 0`: from the top bit's position, and a table
/// for the six bits below it. With `value = 2^top * (1 + m)`, `log2(value) = top + log2(1 + m)`,
/// and `m` lies in 0..1. The bits of `m` after the sixth are dropped.
pub(super) fn log2_sixteenths(value: u32) -> u32 {
    let top = value.ilog2();
    // Shifts the top bit to bit 6, so that the six bits below it are the lowest. 64 bits, since
    // values may have all 32.
    let mantissa = (u64::from(value) << 6 >> top) as usize & 63;
    16 * top + u32::from(FRACTIONS[mantissa])
}

/// `16 * log2(1 + i / 64)`, rounded to nearest. The last entry is 16, as for the next power of two,
/// so the logarithm never decreases.
const FRACTIONS: [u8; 64] = fractions();

const fn fractions() -> [u8; 64] {
    let mut table = [0; 64];
    let mut i = 0;
    while i < 64 {
        // Computes five binary digits of the logarithm by repeatedly squaring a number in 1..2 with
        // 30 fractional bits: squaring doubles the logarithm, and if the square is 2 or more, the
        // next digit is 1. The fifth digit, a thirty-second, rounds.
        let mut x: u64 = (64 + i as u64) << 24;
        let mut digits: u8 = 0;
        let mut n = 0;
        while n < 5 {
            x = (x * x) >> 30;
            digits <<= 1;
            if x >= 2 << 30 {
                digits |= 1;
                x >>= 1;
            }
            n += 1;
        }
        table[i] = digits.div_ceil(2);
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_right_to_a_sixteenth_of_a_bit() {
        for value in (1..100_000u32).chain([1 << 31, u32::MAX]) {
            let exact = 16.0 * f64::from(value).log2();
            assert!((f64::from(log2_sixteenths(value)) - exact).abs() < 1.0, "{value}");
        }
    }
}
