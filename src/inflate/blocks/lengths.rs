//! The codeword lengths in a dynamic block's header (RFC 1951, 3.2.7).
//!
//! The lengths of both codes are one sequence: first `HLIT + 257` lengths of the literal/length
//! code, then `HDIST + 1` of the offset code. It is written in the precode, whose symbols mean:
//!
//! ```text
//!  0..=15   a length
//!  16       the previous length, 3 to 6 times      (2 extra bits)
//!  17       a length of 0, 3 to 10 times           (3 extra bits)
//!  18       a length of 0, 11 to 138 times         (7 extra bits)
//! ```
//!
//! A repeat may cross from the first code to the second. Two repeats are errors: 16 without a
//! previous length, and one that exceeds the total.
//!
//! The lengths are a large part of a 1 KiB message, so a first loop reads most of them with the
//! bits in registers. At the end of the input, or at an error, a second loop reads them one at a
//! time, so that the input taken and the bits dropped are exactly zlib's. The first loop reports no
//! error: it stops before the symbol in question, and the second loop reads that symbol again.

#![forbid(unsafe_code)]

use super::Event;
use crate::inflate::bit_reader::BitReader;
use crate::inflate::message;
use crate::inflate::table::{self, Tables};
use crate::raw::load;

/// How many lengths were read, and how many there will be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    pub(super) read: usize,
    pub(super) total: usize,
}

impl Lengths {
    /// Reads lengths until all are read; returns the event to stop for, if any.
    pub(super) fn read(&mut self, reader: &mut BitReader<'_>, tables: &mut Tables) -> Option<Event> {
        self.read_plain(reader, tables);
        self.read_careful(reader, tables)
    }

    /// Reads lengths while the input has eight more bytes and there is no error.
    fn read_plain(&mut self, reader: &mut BitReader<'_>, tables: &mut Tables) {
        let (input, mut next) = reader.parts();
        let (mut bits, mut count) = (reader.bits(), reader.count());
        let mut at = self.read;
        while at < self.total {
            // A codeword has at most 7 bits, and a repeat at most 7 extra bits. The refill is that
            // of `fast`: it loads eight bytes and counts only those that fit; for a count below 56,
            // `count |= 56` adds eight for each of them. The bits above the count are already the
            // stream's next ones, so the next refill combines them with equal bits.
            if count < 14 {
                let Some(word) = load::first_u64_le(&input[next..]) else { break };
                bits |= word << count;
                next += (63 - count as usize) / 8;
                count |= 56;
            }
            let entry = tables.precode(bits);
            let (symbol, total_bits) = (table::base(entry) as u8, table::total_bits(entry));
            if symbol < 16 {
                tables.lens[at] = symbol;
                at += 1;
            } else {
                let extra = ((bits & ((1 << total_bits) - 1)) >> table::code_bits(entry)) as usize;
                // Neither error has dropped any bits of its symbol yet.
                let (len, repeat) = match symbol {
                    16 if at == 0 => break,
                    16 => (tables.lens[at - 1], 3 + extra),
                    17 => (0, 3 + extra),
                    _ => (0, 11 + extra),
                };
                if at + repeat > self.total {
                    break;
                }
                // One store of fixed size is cheaper than a loop, and most repeats are short. Bytes
                // written past the repeat are overwritten by later lengths; past the last length
                // they are not used.
                match tables.lens[at..].first_chunk_mut::<16>() {
                    Some(stroke) if repeat <= 16 => *stroke = [len; 16],
                    _ => tables.lens[at..at + repeat].fill(len),
                }
                at += repeat;
            }
            bits >>= total_bits;
            count -= total_bits;
        }
        reader.resume(next, bits, count);
        self.read = at;
    }

    /// Reads lengths one at a time.
    fn read_careful(&mut self, reader: &mut BitReader<'_>, tables: &mut Tables) -> Option<Event> {
        while self.read < self.total {
            // 14 bits hold any codeword with its extra bits; near the end of the input fewer may be enough.
            let _ = reader.need(14);
            // If bits are missing, the lookup uses zeros in their place. An entry that takes no
            // more than the buffered bits does not depend on these zeros.
            let entry = tables.precode(reader.bits());
            if table::total_bits(entry) > reader.count() {
                return Some(Event::NeedInput);
            }
            let symbol = table::base(entry) as u8;
            reader.drop_bits(table::code_bits(entry));
            if symbol < 16 {
                tables.lens[self.read] = symbol;
                self.read += 1;
                continue;
            }
            // zlib has read the two extra bits of the first error and not dropped them. It has
            // dropped those of the second.
            let (len, least) = match symbol {
                16 if self.read == 0 => return Some(Event::Damaged { message: message::REPEAT, held: 2 }),
                16 => (tables.lens[self.read - 1], 3),
                17 => (0, 3),
                _ => (0, 11),
            };
            let extra_bits = table::total_bits(entry) - table::code_bits(entry);
            let end = self.read + least + reader.take(extra_bits) as usize;
            if end > self.total {
                return Some(Event::Damaged { message: message::REPEAT, held: 0 });
            }
            tables.lens[self.read..end].fill(len);
            self.read = end;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::deflate::{LITLEN_SYMBOLS, OFFSET_SYMBOLS, PRECODE_SYMBOLS};
    use crate::inflate::bit_reader::HeldBits;
    use crate::random::Random;

    #[test]
    fn lengths_read_in_registers_are_those_read_one_at_a_time() {
        let mut random = Random::new(1);
        let mut outcomes = [0; 3];
        for round in 0..3000 {
            let mut tables = Tables::new();
            // A complete code of eleven symbols: now without the repeats, now with them.
            let first = random.below(PRECODE_SYMBOLS - 10);
            tables.precode_lens[first..first + 11].copy_from_slice(&[3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4]);
            tables.precode_lens[first + 10] = 4;
            if tables.build_precode().is_err() {
                tables.precode_lens = [0; PRECODE_SYMBOLS];
                tables.precode_lens[first..first + 8].fill(3);
                tables.build_precode().expect("a complete code");
            }
            let len = random.below(160);
            let input = random.bytes(len);
            let total = 200 + random.below(LITLEN_SYMBOLS + OFFSET_SYMBOLS - 200);
            let mut both = [false, true].map(|is_plain| {
                let mut tables = tables;
                let mut reader = BitReader::new(HeldBits { bits: 0b101, count: 3 }, &input);
                let mut lengths = Lengths { read: 0, total };
                let event = match is_plain {
                    true => lengths.read(&mut reader, &mut tables),
                    false => lengths.read_careful(&mut reader, &mut tables),
                };
                reader.give_back(0);
                (event, lengths.read, tables.lens, reader.consumed(), reader.held().bits, reader.count())
            });
            for (_, read, lens, ..) in &mut both {
                lens[*read..].fill(0);
            }
            assert_eq!(both[0], both[1], "round {round}");
            outcomes[match both[0].0 {
                None => 0,
                Some(Event::NeedInput) => 1,
                _ => 2,
            }] += 1;
        }
        assert!(outcomes.iter().all(|&number| number > 50), "all outcomes: {outcomes:?}");
    }
}
