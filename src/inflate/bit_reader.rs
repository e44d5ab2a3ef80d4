//! The input side: a slice and the bits taken from it but not used yet.
//!
//! zlib reads one byte at a time, exactly when the next item needs it. Callers can observe this: in `next_in` when a call
//! returns, and in the bit count in `data_type`. Reading whole words is much faster. So this reader reads ahead during a
//! call and returns the surplus at its end: [`BitReader::give_back`] leaves in the buffer only the bits that zlib would
//! hold. If a call ends because the input has run out, there is no surplus, and the buffer already holds zlib's bits.
//!
//! DEFLATE takes bits from the low end of each byte (RFC 1951, 3.1.1). So a byte is added to the
//! bit buffer above the bits that it has, and the next bit of the stream is always the lowest:
//!
//! ```text
//! bit 63     count                                                  0
//!  |  zeros  |  bytes pulled in this call  |  bits of earlier calls  |
//! ```
//!
//! Only whole bytes at the upper end can be given back, and only those of this call's input: the
//! caller no longer has the bytes of an earlier call, and bits from `inflatePrime` never were
//! input.
//!
//! For example: three bits are held, and a call takes 14 bits. `need` pulls seven
//! bytes, so 59 bits are buffered, and 45 remain. At the end five whole bytes are given back, and
//! five bits of the second byte stay, as in zlib, which would have read two bytes.

#![forbid(unsafe_code)]

use crate::raw::load;

/// The bits that are kept between two calls.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeldBits {
    /// The bits, the next one lowest; zero above `count`.
    pub(crate) bits: u64,
    /// The number of bits.
    pub(crate) count: u32,
}

/// A reader of bits over the input of one call.
#[derive(Debug)]
pub(crate) struct BitReader<'a> {
    input: &'a [u8],
    /// Index of the first byte of `input` that was not taken.
    next: usize,
    /// The bit buffer, as above; zero above `count`.
    bits: u64,
    /// At most 63, so that a shift by it is defined.
    count: u32,
    /// Bytes moved from this call's input to the bit buffer: no more can be given back. Bytes whose
    /// bits were dropped are counted too; then all buffered bits are from this call, and `count` is
    /// the tighter limit.
    pulled: usize,
}

impl<'a> BitReader<'a> {
    /// A reader of `held`, then `input`.
    pub(crate) fn new(held: HeldBits, input: &'a [u8]) -> Self {
        Self { input, next: 0, bits: held.bits, count: held.count, pulled: 0 }
    }

    /// How many bytes of the input were taken.
    pub(crate) fn consumed(&self) -> usize {
        self.next
    }

    /// The input not taken yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.input[self.next..]
    }

    /// The whole input and how much of it was taken.
    pub(super) fn parts(&self) -> (&'a [u8], usize) {
        (self.input, self.next)
    }

    /// The buffered bits, the next one lowest; zero above [`count`](Self::count).
    #[inline(always)]
    pub(crate) fn bits(&self) -> u64 {
        self.bits
    }

    /// The number of buffered bits.
    #[inline(always)]
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The buffered bits, in the form that is kept between calls.
    pub(crate) fn held(&self) -> HeldBits {
        HeldBits { bits: self.bits, count: self.count }
    }

    /// Continues from the state that the fast path left: `next` bytes were taken, and the low
    /// `count` of `bits` are buffered. The bits above them may be anything.
    pub(super) fn resume(&mut self, next: usize, bits: u64, count: u32) {
        debug_assert!(next <= self.input.len() && count < 64);
        self.pulled += next - self.next;
        (self.next, self.count) = (next, count);
        self.bits = bits & ((1 << count) - 1);
    }

    /// Reads until at least `count` bits (at most 56) are buffered; returns false if the input ends first.
    #[inline(always)]
    pub(crate) fn need(&mut self, count: u32) -> bool {
        self.count >= count || self.refill(count)
    }

    /// Reads as many bytes as fit; returns false if there are fewer than `count` bits then.
    ///
    /// With `(63 - count) / 8` more bytes the buffer holds 56 to 63 bits. If the input has at least
    /// eight bytes, they come from one load; otherwise bytes are added one at a time. So if this
    /// returns false, the whole input was taken, as by zlib.
    fn refill(&mut self, count: u32) -> bool {
        let bytes = (63 - self.count) / 8;
        if let Some(word) = load::first_u64_le(&self.input[self.next..]) {
            let taken = word & ((1 << (bytes * 8)) - 1);
            self.bits |= taken << self.count;
            self.next += bytes as usize;
            self.pulled += bytes as usize;
            self.count += bytes * 8;
        } else {
            for _ in 0..bytes {
                let Some(&byte) = self.input.get(self.next) else { break };
                self.bits |= u64::from(byte) << self.count;
                self.next += 1;
                self.pulled += 1;
                self.count += 8;
            }
        }
        self.count >= count
    }

    /// Returns the low `count` buffered bits, at most 32, without dropping them.
    #[inline(always)]
    pub(crate) fn peek(&self, count: u32) -> u32 {
        (self.bits & ((1 << count) - 1)) as u32
    }

    /// Drops `count` buffered bits.
    #[inline(always)]
    pub(crate) fn drop_bits(&mut self, count: u32) {
        debug_assert!(count <= self.count);
        self.bits >>= count;
        self.count -= count;
    }

    /// Drops the rest of a byte. Bytes are pulled whole, so `count & 7` bits are left of the one
    /// that was begun.
    pub(crate) fn align_to_byte(&mut self) {
        self.drop_bits(self.count & 7);
    }

    /// Takes the low `count` buffered bits, at most 32.
    #[inline(always)]
    pub(crate) fn take(&mut self, count: u32) -> u32 {
        let bits = self.peek(count);
        self.drop_bits(count);
        bits
    }

    /// Returns whole bytes read in this call to the input, except those that `keep` bits need.
    ///
    /// With `keep` 0, less than a byte stays buffered, unless bits of an earlier call are left.
    /// More must stay where zlib stops with a field that it has read but not dropped, for example a
    /// wrong check value.
    pub(crate) fn give_back(&mut self, keep: u32) {
        let bytes = (self.count.saturating_sub(keep) as usize / 8).min(self.pulled);
        self.next -= bytes;
        self.pulled -= bytes;
        self.count -= bytes as u32 * 8;
        self.bits &= (1 << self.count) - 1;
    }

    /// Drops all buffered bits.
    pub(crate) fn clear(&mut self) {
        (self.bits, self.count, self.pulled) = (0, 0, 0);
    }

    /// Takes and returns up to `count` whole bytes of the input, after any buffered bits.
    ///
    /// The buffer should have been emptied, or hold only primed bits, which stay buffered, as in
    /// zlib. Afterwards no buffered bits can be given back, since bytes after them were taken.
    pub(crate) fn take_bytes(&mut self, count: usize) -> &'a [u8] {
        let end = self.next + count.min(self.input.len() - self.next);
        let bytes = &self.input[self.next..end];
        self.next = end;
        self.pulled = 0;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_ahead_are_given_back() {
        let input: Vec<u8> = (1..=20).collect();
        let mut reader = BitReader::new(HeldBits { bits: 0b101, count: 3 }, &input);
        assert!(reader.need(14));
        assert_eq!(reader.take(14), 0b101 | (1 | (2 << 8) & 0x7ff) << 3);
        reader.give_back(0);
        assert_eq!((reader.consumed(), reader.count()), (2, 5));
    }

    #[test]
    fn bits_of_an_earlier_call_are_not_given_back() {
        let mut reader = BitReader::new(HeldBits { bits: 0xABCD, count: 16 }, &[9]);
        assert!(reader.need(20));
        assert_eq!(reader.take(1), 1);
        reader.give_back(0);
        assert_eq!((reader.consumed(), reader.count()), (0, 15));
    }

    #[test]
    fn bytes_taken_past_the_bit_buffer_are_not_given_back() {
        let mut reader = BitReader::new(HeldBits { bits: 0xABCD, count: 16 }, &[1, 2, 3]);
        assert_eq!(reader.take_bytes(2), [1, 2]);
        assert_eq!(reader.take(3), 0xABCD & 7);
        reader.give_back(0);
        assert_eq!((reader.consumed(), reader.count()), (2, 13));
    }

    #[test]
    fn all_bits_of_a_short_input_stay_buffered() {
        let mut reader = BitReader::new(HeldBits::default(), &[0xff, 1]);
        assert!(!reader.need(17));
        assert_eq!((reader.consumed(), reader.count(), reader.bits()), (2, 16, 0x1ff));
    }
}
