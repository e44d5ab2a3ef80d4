//! What a fuzzer asks of the inside: decoding to markers, without the window, beside decoding to bytes, with it.
//!
//! A stream that is entered in its middle is decoded to 16-bit elements: a byte, or 0x8000 and the place in the unknown window of the
//! byte that stands there. This is that way and the usual one, from a raw stream and a window to what comes of them.

use super::bit_reader::{BitReader, HeldBits};
use super::blocks::{Blocks, Event, Stop};
use super::history::{Element, History};
use crate::format::deflate::WINDOW_SIZE;

/// What came of a stream: the bytes, how it ended, and how many bytes of input were looked at.
pub type Outcome = (Vec<u8>, String, usize);

/// Decodes `input` after the 32 KiB of `window`, to `room` bytes at most, in pieces of input that end at `cuts`.
pub fn with_window(input: &[u8], window: &[u8; WINDOW_SIZE], room: usize, cuts: &[usize]) -> Outcome {
    let (bytes, end, consumed) = decode(input, window.to_vec(), room, cuts);
    (bytes[WINDOW_SIZE..].to_vec(), end, consumed)
}

/// The same by way of markers.
pub fn by_markers(input: &[u8], window: &[u8; WINDOW_SIZE], room: usize, cuts: &[usize]) -> Outcome {
    let markers = (0..WINDOW_SIZE as u16).map(|at| 0x8000 | at).collect();
    let (elements, end, consumed) = decode::<u16>(input, markers, room, cuts);
    let resolve = |&element: &u16| match element.checked_sub(0x8000) {
        Some(at) => window[usize::from(at)],
        None => u8::try_from(element).expect("an element is a byte or a marker"),
    };
    (elements[WINDOW_SIZE..].iter().map(resolve).collect(), end, consumed)
}

fn decode<T: Element + Default>(
    input: &[u8],
    mut elements: Vec<T>,
    room: usize,
    cuts: &[usize],
) -> (Vec<T>, String, usize) {
    let mut machine = Blocks::new();
    let mut held = HeldBits::default();
    let mut consumed = 0;
    let ends = cuts.iter().copied().chain([input.len()]);
    let mut event = Event::NeedInput;
    for end in ends.filter(|&end| end <= input.len()) {
        if end < consumed || event != Event::NeedInput {
            continue;
        }
        let done = elements.len();
        elements.resize(WINDOW_SIZE + room, T::default());
        let mut history = History::new(&mut elements, done);
        let mut reader = BitReader::new(held, &input[consumed..end]);
        event = machine.step(&mut reader, &mut history, Stop::Nowhere);
        let position = history.position();
        elements.truncate(position);
        if event != Event::NeedInput {
            reader.give_back(0);
        }
        held = reader.held();
        consumed += reader.consumed();
    }
    (elements, format!("{event:?}"), consumed)
}
