//! The bit writer: bits into bytes, least significant first (RFC 1951, 3.1.1).
//!
//! A 64-bit buffer takes bits from the bottom. [`flush`](BitWriter::flush) stores all eight bytes and advances by the whole
//! ones, so it has no branch on the bit count; after it at most 7 bits are pending and 56 more may be added without a check.
//!
//! It writes into the spare capacity of the caller's vector. The encoder knows the size of every block before it writes it,
//! so the room was reserved and checked; should that accounting ever be wrong, a flush that finds no room writes nothing and
//! sets a sticky flag, which [`finish`](BitWriter::finish) turns into an error.

use core::mem::MaybeUninit;

use crate::error::{Error, Result};

/// The most bits that may be added between two flushes.
pub(super) const FLUSH_BITS: u32 = 56;

/// Appends bits to a vector whose capacity was reserved.
pub(super) struct BitWriter<'a> {
    spare: &'a mut [MaybeUninit<u8>],
    state: State,
}

/// What moves as bits are added. It is passed by value even where that is cold, so that a loop that borrows the writer
/// ([`BitWriter::by_value`]) keeps it in registers.
#[derive(Clone, Copy)]
struct State {
    /// Whole bytes written to `spare`; all bytes before it are initialised.
    position: usize,
    bits: u64,
    count: u32,
    overflow: bool,
}

impl<'a> BitWriter<'a> {
    /// A writer at the start of `spare`, with nothing pending.
    pub(super) fn new(spare: &'a mut [MaybeUninit<u8>]) -> Self {
        Self { spare, state: State { position: 0, bits: 0, count: 0, overflow: false } }
    }

    /// Lets `write` go on with a writer of its own, which the compiler need not keep in memory.
    #[inline(always)]
    pub(super) fn by_value(&mut self, write: impl FnOnce(&mut BitWriter<'_>)) {
        let mut own = BitWriter { spare: &mut *self.spare, state: self.state };
        write(&mut own);
        self.state = own.state;
    }

    /// Bits written so far, pending ones included.
    pub(super) fn len_bits(&self) -> u64 {
        self.state.position as u64 * 8 + u64::from(self.state.count)
    }

    /// Adds the low `count` bits of `bits`, whose other bits are zero. At most [`FLUSH_BITS`] between two flushes.
    #[inline(always)]
    pub(super) fn add(&mut self, bits: u64, count: u32) {
        debug_assert!(self.state.count + count < 64 && bits >> count == 0);
        self.state.bits |= bits << self.state.count;
        self.state.count += count;
    }

    /// Moves the whole bytes of the buffer to the output.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        let State { position, bits, count, overflow } = self.state;
        match self.spare.get_mut(position..).and_then(|rest| rest.first_chunk_mut::<8>()) {
            Some(place) => {
                *place = bits.to_le_bytes().map(MaybeUninit::new);
                self.state = State {
                    position: position + (count >> 3) as usize,
                    bits: bits >> (count & !7),
                    count: count & 7,
                    overflow,
                };
            }
            None => self.state = flush_near_end(self.spare, self.state),
        }
    }

    /// Adds and flushes: for headers, where speed does not matter.
    pub(super) fn put(&mut self, bits: u32, count: u32) {
        self.add(u64::from(bits), count);
        self.flush();
    }

    /// Fills the last byte with zero bits. Tells how many of its bits were in use before: 8 at a byte boundary.
    pub(super) fn align(&mut self) -> u32 {
        let used = (self.state.count.wrapping_sub(1) & 7) + 1;
        self.state.count = (self.state.count + 7) & !7;
        self.flush();
        used
    }

    /// Appends whole bytes at a byte boundary.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) {
        debug_assert_eq!(self.state.count, 0);
        match self.spare.get_mut(self.state.position..).and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => {
                for (place, &byte) in place.iter_mut().zip(bytes) {
                    place.write(byte);
                }
                self.state.position += bytes.len();
            }
            None => self.state.overflow = true,
        }
    }

    /// How many bytes were written and initialised, at a byte boundary.
    pub(super) fn finish(self) -> Result<usize> {
        debug_assert_eq!(self.state.count, 0);
        if self.state.overflow { Err(Error::Buffer) } else { Ok(self.state.position) }
    }
}

/// The flush of the last seven bytes of the room: byte by byte.
#[cold]
#[inline(never)]
fn flush_near_end(spare: &mut [MaybeUninit<u8>], mut state: State) -> State {
    while state.count >= 8 {
        match spare.get_mut(state.position) {
            Some(place) => {
                place.write(state.bits as u8);
                state.position += 1;
            }
            None => state.overflow = true,
        }
        state.bits >>= 8;
        state.count -= 8;
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(room: usize, write: impl FnOnce(&mut BitWriter)) -> Result<Vec<u8>> {
        let mut out: Vec<u8> = Vec::with_capacity(room);
        let mut writer = BitWriter::new(&mut out.spare_capacity_mut()[..room]);
        write(&mut writer);
        let count = writer.finish()?;
        // SAFETY: `finish` tells how many bytes from the start of the spare capacity are initialised.
        unsafe { out.set_len(count) };
        Ok(out)
    }

    #[test]
    fn bits_fill_bytes_from_the_bottom() {
        let out = written(16, |w| {
            w.put(0b1, 1);
            w.put(0b01, 2);
            w.put(0x1234, 16);
            assert_eq!(w.len_bits(), 19);
            assert_eq!(w.align(), 3);
            assert_eq!(w.align(), 8);
            w.put_bytes(b"ab");
        });
        assert_eq!(out.unwrap(), [0xa3, 0x91, 0x00, b'a', b'b']);
    }

    #[test]
    fn the_last_byte_of_the_room_is_usable() {
        let out = written(3, |w| w.put(0x00c0_ffee, 24));
        assert_eq!(out.unwrap(), [0xee, 0xff, 0xc0]);
    }

    #[test]
    fn a_full_room_is_an_error_not_a_write() {
        assert_eq!(written(2, |w| w.put(0x00c0_ffee, 24)), Err(Error::Buffer));
        assert_eq!(written(2, |w| w.put_bytes(b"abc")), Err(Error::Buffer));
    }
}
