//! `BackStream`: decompression that gets its input and delivers its output by call-backs, zlib's `inflateBack()`.

#![forbid(unsafe_code)]

use super::stats::{Operation, Stats};
use crate::error::{Error, Result};
use crate::inflate::{Goal, Inflate};
use crate::pipeline::Counters;
use crate::raw::{Allocator, Output};
use core::ffi::CStr;

pub use crate::error::Status;

/// A decoder of raw streams, one after another.
#[derive(Debug)]
pub struct BackStream {
    engine: Inflate,
    stats: Stats,
}

impl BackStream {
    /// Creates a decoder for windows of `1 << window_bits` bytes, 8 to 15; [`Error::Stream`] for others.
    pub fn new(window_bits: i32, allocator: Allocator) -> Result<Self> {
        if !(8..=15).contains(&window_bits) {
            return Err(Error::Stream);
        }
        let stats = Stats::new(Operation::InflateBack);
        Ok(Self { engine: Inflate::new(-window_bits, allocator)?, stats })
    }

    /// Decodes one stream. Input is `input`, then the slices that `read` returns; an empty one means that there is no
    /// more. Output goes to the buffers that `room` returns. `write` is called with the number of bytes filled; it returns false
    /// if it cannot take them.
    ///
    /// Returns the unused part of the last input, or `None` when the input ran out. [`Error::Buffer`] when a call-back
    /// failed.
    pub fn run<'i, 'o>(
        &mut self,
        mut input: &'i [u8],
        mut read: impl FnMut() -> &'i [u8],
        mut room: impl FnMut() -> Output<'o>,
        mut write: impl FnMut(usize) -> bool,
    ) -> (Option<&'i [u8]>, Result<Status>) {
        self.engine.reset();
        let mut output = room();
        let (rest, outcome) = loop {
            let (given, written) = (input.len(), output.written());
            let timer = self.stats.timer();
            let outcome = self.engine.inflate(&mut input, &mut output, Goal::Progress, &mut |_| {});
            self.stats.count(timer, given - input.len(), output.written() - written);
            match outcome {
                Ok(Status::Ok) | Err(Error::Buffer) if output.is_full() => {
                    if !write(output.written()) {
                        self.stats.finish(Counters::default());
                        return (Some(input), Err(Error::Buffer));
                    }
                    output = room();
                }
                // All output of the input is delivered, including a match across the end of the room, before more is
                // requested.
                Ok(Status::Ok) | Err(Error::Buffer) => {
                    input = read();
                    if input.is_empty() {
                        break (None, Err(Error::Buffer));
                    }
                }
                outcome => break (Some(input), outcome),
            }
        };
        self.stats.finish(Counters::default());
        // Data decoded before an end of any kind is delivered.
        let is_taken = output.written() == 0 || write(output.written());
        let is_lost = outcome == Ok(Status::StreamEnd) && !is_taken;
        (rest, if is_lost { Err(Error::Buffer) } else { outcome })
    }

    /// zlib's text for the last error.
    pub fn message(&self) -> Option<&'static CStr> {
        self.engine.message()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::deflate::{Config, DeflateStream};
    use crate::stream::{Flush, Strategy};

    fn packed(data: &[u8]) -> Vec<u8> {
        let config = Config {
            level: crate::stream::Level::DEFAULT,
            window_bits: -15,
            mem_level: 8,
            strategy: Strategy::Default,
        };
        let mut stream = DeflateStream::new(config, Allocator::SYSTEM).unwrap();
        let mut bytes = vec![0; data.len() + 100];
        let mut output = Output::new(&mut bytes);
        assert_eq!(stream.deflate(&mut &*data, &mut output, Flush::Finish), Ok(Status::StreamEnd));
        let len = output.written();
        bytes.truncate(len);
        bytes
    }

    #[test]
    fn input_comes_in_pieces_and_unused_input_is_returned() {
        let data = b"fetch, decode, deliver; ".repeat(10_000);
        let mut bytes = packed(&data);
        bytes.extend_from_slice(b"after");
        for piece in [1, 7, 1000, bytes.len()] {
            let mut pieces = bytes.chunks(piece);
            let mut windows = vec![vec![0; 1 << 15]; data.len().div_ceil(1 << 15)];
            let mut rooms = windows.iter_mut().map(|window| Output::new(window));
            let mut lens = Vec::new();
            let mut back = BackStream::new(15, Allocator::SYSTEM).unwrap();
            let (rest, outcome) = back.run(
                &[],
                || pieces.next().unwrap_or_default(),
                || rooms.next().unwrap(),
                |len| {
                    lens.push(len);
                    true
                },
            );
            assert_eq!(outcome, Ok(Status::StreamEnd));
            let left = rest.unwrap().len() + pieces.map(<[u8]>::len).sum::<usize>();
            assert_eq!(left, b"after".len());
            let decoded: Vec<u8> =
                windows.iter().zip(lens).flat_map(|(window, len)| &window[..len]).copied().collect();
            assert!(decoded == data, "pieces of {piece}");
        }
    }

    #[test]
    fn a_match_across_the_windows_end_is_delivered_whole_when_the_input_ends_with_it() {
        let data = [&b"one two three "[..], &b"a".repeat(1500), &b"one two three ".repeat(60)].concat();
        let bytes = packed(&data);
        for cut in 0..bytes.len() {
            let mut whole = Inflate::new(-15, Allocator::SYSTEM).unwrap();
            let mut decoded = vec![0; data.len()];
            let mut output = Output::new(&mut decoded);
            // No output from an empty input is not an error here.
            let _ = whole.inflate(&mut &bytes[..cut], &mut output, Goal::Progress, &mut |_| {});
            let want = output.written();
            let mut windows = vec![vec![0; 512]; data.len() / 512 + 2];
            let mut rooms = windows.iter_mut().map(|window| Output::new(window));
            let mut given = 0;
            let mut write = |len| {
                given += len;
                true
            };
            let mut back = BackStream::new(15, Allocator::SYSTEM).unwrap();
            let ended = back.run(&bytes[..cut], || &[], || rooms.next().unwrap(), &mut write);
            assert_eq!((ended, given), ((None, Err(Error::Buffer)), want), "cut {cut} of {}", bytes.len());
        }
    }

    #[test]
    fn a_refused_output_and_a_missing_input_are_buffer_errors() {
        let data = b"no more".repeat(10);
        let bytes = packed(&data);
        let mut back = BackStream::new(15, Allocator::SYSTEM).unwrap();
        let mut room = [0; 1000];
        let mut rooms = vec![Output::new(&mut room)];
        let mut next = || rooms.pop().unwrap();
        let (rest, outcome) = back.run(&bytes, || &[], &mut next, |_| false);
        assert_eq!((rest.map(<[u8]>::len), outcome), (Some(0), Err(Error::Buffer)));
        let mut room = [0; 1000];
        let mut rooms = vec![Output::new(&mut room)];
        let (rest, outcome) = back.run(&bytes[..9], || &[], || rooms.pop().unwrap(), |_| true);
        assert_eq!((rest, outcome), (None, Err(Error::Buffer)));
    }
}
