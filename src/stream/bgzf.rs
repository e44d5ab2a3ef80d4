//! `BgzfStream`: compresses to a BGZF file (`format::bgzf`); its calls are those of `DeflateStream`.
//!
//! All data goes through the pipeline in chunks of whole BGZF blocks, so workers may compress chunks, and the bytes are
//! the same as without workers. A flush of any kind ends the open block: blocks end at a byte boundary and refer to
//! nothing before them, which is all that a full flush requires. A flush without data writes nothing, since an empty
//! block marks the end of the file.
//!
//! `Finish` ends the open block and writes that empty block. Output after a [`reset`](BgzfStream::reset) is a separate
//! file. Two files concatenated are again a BGZF file, with an empty block in its middle that readers skip.

#![forbid(unsafe_code)]

use super::log::{Decision, Log};
use super::policy::{self, Hold};
use super::stats::{Operation, Stats};
use super::{Flush, Level, Strategy};
use crate::checksum::Check;
use crate::deflate::PendingBits;
use crate::error::{Error, Result, Status};
use crate::pipeline::{ChunkEnd, Compressor, Counters, Drive, Form, Settings};
use crate::raw::{Allocator, Output};

/// A stream that writes BGZF.
#[derive(Debug)]
pub struct BgzfStream {
    level: Level,
    allocator: Allocator,
    /// Compresses the data since the last flush; `None` when there is no such data.
    segment: Option<Box<Compressor>>,
    is_finished: bool,
    counters: Counters,
    stats: Stats,
    log: Log,
}

impl BgzfStream {
    /// Creates a stream.
    pub fn new(level: Level, allocator: Allocator) -> Self {
        Self {
            level,
            allocator,
            segment: None,
            is_finished: false,
            counters: Counters::default(),
            stats: Stats::new(Operation::Deflate),
            log: Log::new(),
        }
    }

    /// Compresses: takes input and writes output as far as `flush` requires and the room allows. A call that filled the
    /// room must be repeated with the same `flush`.
    ///
    /// [`Status::StreamEnd`] when the end of the file is written. [`Error::Buffer`] when there is no room at all, which
    /// is not fatal; [`Error::Stream`] for `Flush::Trees`, and for input after the end.
    pub fn deflate(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        let (given, written) = (input.len(), output.written());
        let timer = self.stats.timer();
        let outcome = self.advance(input, output, flush);
        self.stats.count(timer, given - input.len(), output.written() - written);
        outcome
    }

    fn advance(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<Status> {
        if flush == Flush::Trees || (self.is_finished && !input.is_empty()) {
            return Err(Error::Stream);
        }
        if output.is_full() {
            return Err(Error::Buffer);
        }
        while !self.is_finished {
            if self.segment.is_none() {
                if input.is_empty() && flush != Flush::Finish {
                    return Ok(Status::Ok);
                }
                let compressor = Compressor::new(self.settings()?, &[], &[])?;
                self.segment = Some(Box::new(compressor));
            }
            if !self.advance_segment(input, output, flush)? {
                return Ok(Status::Ok);
            }
        }
        Ok(Status::StreamEnd)
    }

    /// Compresses more of the segment. Returns true when it has ended and all of it is written.
    fn advance_segment(&mut self, input: &mut &[u8], output: &mut Output<'_>, flush: Flush) -> Result<bool> {
        let Some(compressor) = &mut self.segment else { return Ok(true) };
        let end = match flush {
            Flush::None => None,
            Flush::Finish => Some(ChunkEnd::Finish),
            Flush::Partial | Flush::Sync | Flush::Full | Flush::Block | Flush::Trees => Some(ChunkEnd::Sync),
        };
        // C programs cannot create this stream, and its Rust callers are expected to fetch all output.
        let how = Drive { end, may_hold: true, between: policy::between(&self.allocator) };
        if !compressor.drive(input, output, how)? {
            return Ok(false);
        }
        self.is_finished = compressor.end() == Some(ChunkEnd::Finish);
        if self.log.is_on() {
            let (taken, threads) = (compressor.taken(), compressor.counters().threads);
            let is_system_memory = self.allocator.is_system();
            let decision = match taken < policy::parallel_from() {
                true => Decision::Short(taken),
                false => Decision::Long { threads, hold: Hold::OwnOutput, is_system_memory },
            };
            self.log.note(self.level, decision);
        }
        self.counters.add(compressor.counters());
        self.segment = None;
        Ok(true)
    }

    /// Changes the level for later data. Data taken before is compressed at the old level, as far as the room allows;
    /// [`Error::Buffer`] if there is not enough room, and then the level is unchanged.
    pub fn set_level(&mut self, level: Level, output: &mut Output<'_>) -> Result<()> {
        if level != self.level && self.segment.is_some() {
            self.deflate(&mut &[][..], output, Flush::Block)?;
            if self.segment.is_some() {
                return Err(Error::Buffer);
            }
        }
        self.level = level;
        Ok(())
    }

    /// Starts a new file, at the same level. Output not yet written is discarded.
    pub fn reset(&mut self) {
        self.finish_stats();
        self.segment = None;
        self.is_finished = false;
        self.counters = Counters::default();
    }

    fn settings(&self) -> Result<Settings> {
        Ok(Settings {
            form: Form::Bgzf,
            level: policy::level_for(self.level, Strategy::Default),
            chunk_len: policy::bgzf_chunk_len,
            parallel_from: policy::parallel_from(),
            // Each block has its own check value.
            check: Check::None,
            before: PendingBits::default(),
        })
    }

    fn finish_stats(&mut self) {
        if let Some(compressor) = &self.segment {
            self.counters.add(compressor.counters());
        }
        self.stats.level = Some(self.level);
        self.stats.finish(self.counters);
    }
}

impl Drop for BgzfStream {
    fn drop(&mut self) {
        self.finish_stats();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::bgzf;
    use crate::random::Random;

    fn rows(len: usize) -> Vec<u8> {
        let mut random = Random::new(3);
        let mut data = Vec::with_capacity(len + 40);
        while data.len() < len {
            let (number, position) = (random.below(8), random.below(1 << 21));
            data.extend_from_slice(format!("chr{number}\t{position}\tA\tC\n").as_bytes());
        }
        data.truncate(len);
        data
    }

    /// Compresses the parts, each followed by its flush, by calls with at most `piece` bytes of input and `room` of output.
    fn compress(level: u32, parts: &[(&[u8], Flush)], piece: usize, room: usize) -> Vec<u8> {
        let mut stream = BgzfStream::new(Level::new(level).unwrap(), Allocator::SYSTEM);
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; room]);
        let mut call = |input: &mut &[u8], flush| {
            loop {
                let mut output = Output::new(&mut buffer);
                let status = stream.deflate(input, &mut output, flush).unwrap();
                let count = output.written();
                bytes.extend_from_slice(&buffer[..count]);
                if status == Status::StreamEnd || (input.is_empty() && count < room) {
                    return status;
                }
            }
        };
        for (data, flush) in parts {
            for mut input in data.chunks(piece) {
                call(&mut input, Flush::None);
            }
            let status = call(&mut &[][..], *flush);
            assert_eq!(status == Status::StreamEnd, *flush == Flush::Finish);
        }
        bytes
    }

    /// The length of each block's data, from its trailer. The size in the header leads to the next block.
    fn blocks(mut bytes: &[u8]) -> Vec<usize> {
        let mut sizes = Vec::new();
        while !bytes.is_empty() {
            assert_eq!(bytes[..16], bgzf::END_OF_FILE[..16]);
            let (block, after) = bytes.split_at(usize::from(u16::from_le_bytes([bytes[16], bytes[17]])) + 1);
            let len = block.last_chunk().map(|len| u32::from_le_bytes(*len));
            sizes.push(len.unwrap() as usize);
            bytes = after;
        }
        sizes
    }

    #[test]
    fn an_empty_file_is_only_the_end_of_file_block() {
        assert_eq!(compress(6, &[(b"", Flush::Finish)], 1, 100), bgzf::END_OF_FILE);
        assert_eq!(compress(6, &[(b"", Flush::Sync), (b"", Flush::Finish)], 1, 3), bgzf::END_OF_FILE);
    }

    #[test]
    fn blocks_are_full_except_the_last_before_a_flush() {
        let data = rows(bgzf::BLOCK_DATA * 21);
        let parts = [(&data[..100], Flush::Sync), (&data[..], Flush::Full), (&data[..70_000], Flush::Finish)];
        let sizes = blocks(&compress(1, &parts, 50_000, 1 << 16));
        let full = bgzf::BLOCK_DATA;
        assert_eq!(sizes[..2], [100, full]);
        assert!(sizes[1..22].iter().all(|&size| size == full));
        assert_eq!(sizes[22..], [full, 70_000 - full, 0]);
    }

    #[test]
    fn bytes_do_not_depend_on_the_sizes_of_input_and_output_pieces() {
        for len in [1, bgzf::BLOCK_DATA * 2, bgzf::BLOCK_DATA * 2 + 1, 2_500_000] {
            let data = rows(len);
            let whole = compress(1, &[(&data, Flush::Finish)], len, 4_000_000);
            for (piece, room) in [(8191, 65_536), (1 << 20, 777)] {
                assert_eq!(
                    compress(1, &[(&data, Flush::Finish)], piece, room),
                    whole,
                    "{len} {piece} {room}"
                );
            }
        }
    }

    #[test]
    fn a_changed_level_begins_a_block() {
        let data = rows(50_000);
        let mut stream = BgzfStream::new(Level::new(0).unwrap(), Allocator::SYSTEM);
        let mut buffer = vec![0; 200_000];
        let mut output = Output::new(&mut buffer);
        stream.deflate(&mut &data[..], &mut output, Flush::None).unwrap();
        let nine = Level::new(9).unwrap();
        let mut little = [0; 10];
        assert_eq!(stream.set_level(nine, &mut Output::new(&mut little)), Err(Error::Buffer));
        stream.set_level(nine, &mut output).unwrap();
        let stored = little.len() + output.written();
        assert!(stored > data.len());
        assert_eq!(stream.deflate(&mut &data[..], &mut output, Flush::Finish), Ok(Status::StreamEnd));
        let len = output.written();
        let bytes = [&little[..], &buffer[..len]].concat();
        assert!(len + little.len() - stored < data.len() / 2);
        assert_eq!(blocks(&bytes), [50_000, 50_000, 0]);
    }
}
