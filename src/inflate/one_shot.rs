//! A whole raw DEFLATE stream from one slice into one buffer.
//!
//! No state is kept, so there is no window: the output is its own history, and the tables live on the stack. That is what
//! `uncompress()` and its kin ask for.

#![forbid(unsafe_code)]

use core::ffi::CStr;

use super::bit_reader::{BitReader, HeldBits};
use super::blocks::{Blocks, Event, Stop};
use super::history::OutputHistory;
use crate::raw::Output;

/// How a one-shot decoding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The stream is complete.
    Complete,
    /// The input ends before the stream does.
    InputEnds,
    /// The stream has more to give than fits in the output.
    OutputFull,
    /// The data is damaged; zlib's words for it.
    Damaged(&'static CStr),
}

/// What a one-shot decoding did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the input that belong to the stream, or were looked at.
    pub consumed: usize,
    /// Bytes appended to the output.
    pub produced: usize,
    /// How it ended.
    pub end: End,
}

/// Decodes the raw DEFLATE stream at the start of `input` to `output`.
///
/// Whatever room the output has may be scribbled over, but never a byte behind it.
pub fn decode(input: &[u8], output: &mut Output<'_>) -> Decoded {
    let mut blocks = Blocks::new();
    let mut reader = BitReader::new(HeldBits::default(), input);
    let mut history = OutputHistory::new(output);
    let event = blocks.step(&mut reader, history.history(), Stop::Nowhere);
    if event != Event::NeedInput {
        reader.give_back(0);
    }
    let end = match event {
        Event::End | Event::Stopped => End::Complete,
        Event::NeedInput => End::InputEnds,
        Event::NeedRoom => End::OutputFull,
        Event::Damaged { message, .. } => End::Damaged(message),
    };
    let produced = history.finish();
    Decoded { consumed: reader.consumed(), produced, end }
}
