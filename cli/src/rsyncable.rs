//! `--rsyncable`: the data determines where chunks end, so that a small change of the input causes a small change of the output.
//!
//! The library's chunks begin at fixed positions, so a byte inserted at the front would change all of them. Here a rolling hash
//! over the last 64 bytes chooses the boundaries. A chunk's compressed bytes depend only on its own data and on the 32 KiB before
//! it, and they begin and end at byte boundaries. Chunks have at least 32 KiB, so an edit changes at most the chunk that
//! contains it and the next one. If it removes or adds a boundary, the old boundaries usually apply again after about two more
//! chunks; in data without boundaries, such as a long run of one byte, after the next boundary. All other bytes but the trailer
//! are unchanged, and rsync finds them. The chunks go through the pipeline like all others, on all threads.
//!
//! The cost, for seven concatenated files of the Silesia corpus at levels 9 and 6 (one run each, `time rigz -9 -R -p2 -c`): the output
//! is 0.05 and 0.07 % larger and takes 9 and 10 % more processor time, since chunks are shorter and each is primed with the window
//! before it. A file of ascending numbers becomes 6 % larger, since each chunk begins with new statistics.
//!
//! gzip and pigz have such boundaries every few kilobytes. Longer chunks compress better; a change costs rsync about 40 kB.

#![forbid(unsafe_code)]

use crate::options::Format;
use rigz::checksum::Check;
use rigz::config::config;
use rigz::error::{Result, Status};
use rigz::format::{gzip, zlib};
use rigz::pipeline::{Between, ChunkEnd, Compressor, Drive, Form, Level, PendingBits, Settings};
use rigz::raw::Output;

/// No chunk but the last is shorter, so that a window never extends past the previous chunk.
const SHORTEST: usize = 32 << 10;

/// After `SHORTEST`, one position in 2^17 is a boundary: chunks have 160 KiB on average.
const BITS: u32 = 17;

/// The maximum length of a chunk in bytes: it ends here if the data has no boundary before.
const LONGEST: usize = 512 << 10;

/// One arbitrary number per byte value, by splitmix64 from a fixed seed.
const GEAR: [u64; 256] = {
    let mut table = [0; 256];
    let mut state = 0u64;
    let mut index = 0;
    while index < 256 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[index] = mixed ^ (mixed >> 31);
        index += 1;
    }
    table
};

/// Finds the boundaries with a Gear hash. Each step shifts the hash by a bit, so a byte has no effect after 64 steps.
#[derive(Debug, Default)]
struct Cutter {
    hash: u64,
    /// Bytes since the last boundary.
    len: usize,
}

impl Cutter {
    /// How many bytes of `data` belong to the open chunk, and whether it ends after them.
    fn find(&mut self, data: &[u8]) -> (usize, bool) {
        let skipped = SHORTEST.saturating_sub(self.len).min(data.len());
        self.len += skipped;
        let room = LONGEST - self.len;
        for (index, &byte) in data[skipped..].iter().take(room).enumerate() {
            self.hash = (self.hash << 1).wrapping_add(GEAR[usize::from(byte)]);
            if self.hash >> (64 - BITS) == 0 {
                *self = Self::default();
                return (skipped + index + 1, true);
            }
        }
        if data.len() - skipped >= room {
            *self = Self::default();
            return (skipped + room, true);
        }
        self.len += data.len() - skipped;
        (data.len(), false)
    }
}

/// A gzip or zlib stream with the boundaries that `Cutter` finds.
pub(crate) struct Rsyncable {
    format: Format,
    compressor: Compressor,
    cutter: Cutter,
    /// Bytes at the front of the input that belong to the open chunk.
    granted: usize,
    /// Whether the open chunk ends after the `granted` bytes. The compressor ends it only when another byte follows, so that no
    /// chunk is empty.
    ends: bool,
    /// The header or trailer that is being written.
    wrap: Vec<u8>,
    /// Bytes of it that are written.
    wrap_done: usize,
    /// Bytes of input taken, for the gzip trailer.
    taken: u64,
    is_trailer: bool,
}

impl Rsyncable {
    pub(crate) fn new(format: Format, level: Level, header: &gzip::Header<'_>) -> Result<Self> {
        let (wrap, check) = match format {
            Format::Zlib => {
                let effort = match level.number() {
                    ..2 => 0,
                    2..6 => 1,
                    6 => 2,
                    _ => 3,
                };
                (zlib::header(15, effort, false).to_vec(), Check::Adler(0).fresh())
            }
            Format::Gzip | Format::Bgzf => {
                let effort = match level.number() {
                    9.. => 2,
                    1 => 4,
                    _ => 0,
                };
                let mut bytes = vec![0; header.encoded_len()];
                header.write(effort, &mut 0, &mut Output::new(&mut bytes));
                (bytes, Check::Crc(0).fresh())
            }
        };
        let level = Level::new(config().level_map.get(level.number())).unwrap_or(level);
        let settings = Settings {
            form: Form::Raw,
            level,
            chunk_len: |_| LONGEST,
            parallel_from: 1 << 20,
            check,
            before: PendingBits::default(),
        };
        Ok(Self {
            format,
            compressor: Compressor::new(settings, &[], &[])?,
            cutter: Cutter::default(),
            granted: 0,
            ends: false,
            wrap,
            wrap_done: 0,
            taken: 0,
            is_trailer: false,
        })
    }

    /// Consumes input and writes output, until the output is full or the input is consumed. `is_last`: no more input follows;
    /// the call is repeated until `StreamEnd`.
    pub(crate) fn deflate(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        is_last: bool,
    ) -> Result<Status> {
        loop {
            self.wrap_done += output.put(&self.wrap[self.wrap_done..]);
            if self.wrap_done < self.wrap.len() {
                return Ok(Status::Ok);
            }
            if self.is_trailer {
                return Ok(Status::StreamEnd);
            }
            if self.granted == 0 && !input.is_empty() {
                if self.ends {
                    self.compressor.cut();
                }
                (self.granted, self.ends) = self.cutter.find(input);
            }
            let end = (is_last && self.granted == input.len()).then_some(ChunkEnd::Finish);
            let mut part = &input[..self.granted];
            let how = Drive { end, may_hold: true, between: Between::GoOn };
            let is_done = self.compressor.drive(&mut part, output, how)?;
            let count = self.granted - part.len();
            *input = &input[count..];
            self.granted -= count;
            self.taken += count as u64;
            if is_done {
                self.begin_trailer();
            } else if output.is_full() || (input.is_empty() && !is_last) {
                return Ok(Status::Ok);
            }
        }
    }

    fn begin_trailer(&mut self) {
        let check = self.compressor.check().value();
        self.wrap = match self.format {
            Format::Zlib => check.to_be_bytes().to_vec(),
            Format::Gzip | Format::Bgzf => gzip::trailer(check, self.taken).to_vec(),
        };
        self.wrap_done = 0;
        self.is_trailer = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn noise(len: usize) -> Vec<u8> {
        Random::new(9).bytes(len)
    }

    fn boundaries(data: &[u8], piece: usize) -> Vec<usize> {
        let (mut cutter, mut found, mut at) = (Cutter::default(), Vec::new(), 0);
        for mut part in data.chunks(piece) {
            while !part.is_empty() {
                let (count, is_end) = cutter.find(part);
                at += count;
                part = &part[count..];
                if is_end {
                    found.push(at);
                }
            }
        }
        found
    }

    #[test]
    fn boundaries_do_not_depend_on_how_the_data_is_divided() {
        let data = noise(3 << 20);
        let whole = boundaries(&data, data.len());
        assert!(whole.len() > 8, "{whole:?}");
        for piece in [1000, 65_536, 1 << 20] {
            assert_eq!(boundaries(&data, piece), whole);
        }
    }

    #[test]
    fn boundaries_keep_their_distances() {
        for data in [noise(4 << 20), vec![0; 4 << 20]] {
            let mut last = 0;
            for at in boundaries(&data, 100_000) {
                assert!((SHORTEST..=LONGEST).contains(&(at - last)), "{last} to {at}");
                last = at;
            }
            assert!(data.len() - last <= LONGEST);
        }
    }

    #[test]
    fn an_insertion_moves_no_later_boundary_in_the_data() {
        let data = noise(4 << 20);
        let mut edited = data.clone();
        edited.splice(1_000_000..1_000_000, *b"seven b");
        let before = boundaries(&data, data.len());
        let after: Vec<_> = boundaries(&edited, data.len()).iter().map(|at| at - 7).collect();
        let tail: Vec<_> = before.into_iter().filter(|&at| at > 2 << 20).collect();
        assert!(tail.len() > 4);
        assert!(after.ends_with(&tail), "{after:?} {tail:?}");
    }
}
