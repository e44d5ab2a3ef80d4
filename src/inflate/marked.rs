//! Decoding from the middle of a stream, before the data before it is known.
//!
//! The elements are 16 bits wide. The 32 KiB before the first block are unknown, so each of these
//! bytes is represented by a *marker* with its index: `0x8000 | index`. Matches copy markers as they
//! copy literals, so the fast loop is the same as for bytes, without a test for markers. Once the 32 KiB
//! are known, [`Resolver`](super::Resolver) turns every element into its byte.
//!
//! ```text
//! elements:  | 32 Ki markers | elements of decoded blocks ... | slop |
//! ```
//!
//! For example: the unknown window ends with "abc", which has the markers fffd, fffe and ffff. The
//! first block has a literal x, and then a match of length 5 and distance 4. The match copies the
//! three markers, the x, and the first marker again, which it has just written:
//!
//! ```text
//! elements  ... fffd fffe ffff |  x  | fffd fffe ffff  x  fffd
//! bytes     ...  a    b    c   |  x  |  a    b    c    x   a       once the window is known
//! ```
//!
//! No match is refused as reaching too far, since 32 KiB precede the first element.
//!
//! A *waypoint* is a place in the result to which a decoder of the same stream can be moved, without
//! decoding the data before it.
//!
//! The start is a guess, and the data may be damaged after it. So the result always has whole,
//! valid blocks only. Data after them is left to the stream's own decoder, which reports the
//! errors.

use core::mem::MaybeUninit;

use super::bit_reader::{BitReader, HeldBits};
use super::blocks::{Event, Saved, Stop, WithTables};
use super::finder::reader_at;
use super::history::History;
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;

/// The bit that distinguishes a marker from a literal. Literals are below 256, and the other 15
/// bits are an index into 32 KiB, so all of them are needed.
pub(super) const MARKER: u16 = 0x8000;

/// Elements, and memory for more.
#[derive(Debug)]
pub struct Marked {
    /// The markers, and room after them; the first `WINDOW_SIZE + len` elements are initialised.
    elements: Vec<MaybeUninit<u16>>,
    /// The number of elements decoded, up to the end of the last complete block.
    len: usize,
    waypoints: Vec<Waypoint>,
}

/// A place in a stream to which a decoder can be moved.
#[derive(Clone, Copy, Debug)]
pub struct Waypoint {
    /// The number of elements before it.
    pub at: usize,
    /// The number of bytes of the input that were taken before it.
    pub consumed: usize,
    /// The bits of the last byte taken that are not used yet.
    pub(super) held: HeldBits,
    /// The block machine's state there. The place may be in the middle of a block.
    pub(super) saved: Saved,
}

impl Waypoint {
    fn new(machine: &WithTables, reader: &BitReader<'_>, base: usize, at: usize) -> Option<Self> {
        let saved = machine.save()?;
        Some(Self { at, consumed: base + reader.consumed(), held: reader.held(), saved })
    }
}

impl Marked {
    /// Allocates memory for `capacity` elements.
    pub fn new(capacity: usize) -> Result<Self> {
        let size = WINDOW_SIZE + capacity + History::<u16>::SLOP;
        let mut elements: Vec<MaybeUninit<u16>> = Vec::new();
        elements.try_reserve_exact(size).map_err(|_| Error::Memory)?;
        elements.extend((0..WINDOW_SIZE as u16).map(|place| MaybeUninit::new(MARKER | place)));
        // SAFETY: `MaybeUninit` needs no initialisation, and `size` elements were reserved.
        unsafe { elements.set_len(size) };
        Ok(Self { elements, len: 0, waypoints: Vec::new() })
    }

    /// The number of elements that were decoded.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was decoded.
    #[cfg(any(test, feature = "internals"))]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Places inside the result, in ascending order, about `spacing` elements apart (see
    /// [`decode`](Self::decode)).
    pub fn waypoints(&self) -> &[Waypoint] {
        &self.waypoints
    }

    /// Decodes blocks from `start`, a bit of `input`, to the first that ends at or after the byte
    /// `until`. Ends earlier if a block as long as the last one would not fit, or with the last block
    /// that is complete in the input, fits, and is not damaged. Returns the end; `None` when there is
    /// no such block. Leaves a waypoint every `spacing` elements, as far as there is memory for them.
    ///
    /// After each block, `goes_on` is called with the number of bytes taken and of elements decoded,
    /// and returns whether to continue.
    pub fn decode(
        &mut self,
        input: &[u8],
        start: u64,
        until: usize,
        spacing: usize,
        mut goes_on: impl FnMut(usize, usize) -> bool,
    ) -> Option<Waypoint> {
        self.len = 0;
        self.waypoints.clear();
        let mut reader = reader_at(input, start)?;
        let base = input.len() - reader.rest().len();
        let capacity = self.elements.len();
        let limit = capacity - History::<u16>::SLOP;
        let memory = self.elements.as_mut_ptr().cast::<u16>();
        // SAFETY: the memory is `capacity` elements borrowed from `self`, and the markers before `WINDOW_SIZE` are there.
        let mut history = unsafe { History::from_raw(memory, 0, WINDOW_SIZE, limit, capacity) };
        let mut machine = WithTables::new();
        let mut end = None;
        machine.await_block(false);
        loop {
            // The room is cut at the next waypoint. The machine stops there as it does for a caller
            // whose output is full: one more symbol is read, and a match may be copied in part. So
            // a decoder that is moved there is in the state in which it would have stopped itself.
            history.set_limit(limit.min(history.position().saturating_add(spacing)));
            let event = machine.step(&mut reader, &mut history, Stop::Blocks);
            reader.give_back(0);
            assert!(history.is_over(memory));
            let at = history.position() - WINDOW_SIZE;
            match event {
                // A block has ended.
                Event::Stopped => {}
                // A waypoint. If it cannot be kept, the data is only delivered in larger parts.
                Event::NeedRoom if history.position() < limit => {
                    if let Some(place) = Waypoint::new(&machine, &reader, base, at)
                        && self.waypoints.try_reserve(1).is_ok()
                    {
                        self.waypoints.push(place);
                    }
                    continue;
                }
                // The memory is full, the input ends, or the data is damaged. The block that was
                // begun is dropped.
                _ => break,
            }
            let block = at - self.len;
            self.len = at;
            end = Waypoint::new(&machine, &reader, base, at);
            let consumed = base + reader.consumed();
            // Decoding a block that does not fit is wasted; most blocks are about as long as the last.
            let fits = block <= limit - history.position();
            if !goes_on(consumed, at) || machine.is_final() || consumed >= until || !fits {
                break;
            }
            machine.await_block(false);
        }
        // Waypoints in a block that was dropped are not valid.
        let complete = self.waypoints.partition_point(|place| place.at < self.len);
        self.waypoints.truncate(complete);
        end
    }

    /// The markers and the decoded elements.
    pub(super) fn elements(&self) -> &[u16] {
        let elements = &self.elements[..WINDOW_SIZE + self.len];
        // SAFETY: that many elements are initialised: the markers by `new`, those after them by `decode`, which counts what its
        // history wrote.
        unsafe { &*(elements as *const [MaybeUninit<u16>] as *const [u16]) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{deflated, sample};
    use super::super::{Goal, Inflate, Resolver, Scratch, ScratchMemory, Search, Start, find_start};
    use super::*;
    use crate::raw::{Allocator, Output};

    #[test]
    fn blocks_decoded_from_the_middle_resolve_and_the_stream_continues_after_them() {
        let data = sample(4_000_000);
        for level in [3, 6, 9] {
            let raw = deflated(&data, level);
            let (cut, until) = (raw.len() / 3, raw.len() / 3 * 2);
            let Some(Start::Block(found)) = find_start(&raw[cut..], Search::All) else {
                panic!("no block found")
            };
            let mut marked = Marked::new(data.len()).expect("memory");
            let end =
                marked.decode(&raw[cut..], found, until - cut, usize::MAX, |_, _| true).expect("a block");
            assert!(cut + end.consumed >= until && !marked.is_empty());
            let start = cut as u64 * 8 + found;

            // From the beginning to that bit.
            let mut stream = Inflate::new(-15, Allocator::SYSTEM).expect("memory");
            let mut decoded = vec![0; data.len() + 1];
            let mut output = Output::new(&mut decoded);
            let mut input = &raw[..];
            loop {
                stream
                    .inflate(&mut input, &mut output, Goal::Block, &mut |_| {})
                    .expect("the stream is complete");
                let held = stream.bits_before_block().expect("between blocks");
                let bit = (raw.len() - input.len()) as u64 * 8 - u64::from(held);
                assert!(bit <= start, "level {level}: the block at {start} is real");
                if bit == start {
                    break;
                }
            }
            let mut resolver = Resolver::new().expect("memory");
            resolver.set_window(stream.full_history().expect("a full window"));
            stream.begin_call();
            let len = marked.len();
            assert_eq!(resolver.resolve(&marked, 0..len, &mut stream, &mut output), len);
            resolver.pass(&end, len, &mut stream).expect("memory is available");
            let mut input = &raw[cut + end.consumed..];
            let end = stream.inflate(&mut input, &mut output, Goal::Finish, &mut |_| {});
            assert_eq!((end, output.written()), (Ok(crate::error::Status::StreamEnd), data.len()));
            decoded.pop();
            assert!(decoded == data, "level {level}");
        }
    }

    #[test]
    fn blocks_that_do_not_fit_or_are_incomplete_are_left_out() {
        let data = sample(4_000_000);
        let raw = deflated(&data, 6);
        let mut marked = Marked::new(1_000_000).expect("memory");
        let passed = marked.decode(&raw, 0, raw.len(), usize::MAX, |_, _| true).expect("a block fits");
        assert!(marked.len() <= 1_000_000 && passed.consumed < raw.len() / 2);
        let half = &raw[..raw.len() / 2];
        let mut marked = Marked::new(data.len()).expect("memory");
        let passed =
            marked.decode(half, 0, half.len(), usize::MAX, |_, _| true).expect("a block is complete");
        assert!(passed.consumed <= half.len());
        assert!(marked.decode(&raw[..100], 0, 100, usize::MAX, |_, _| true).is_none());
        assert!(marked.is_empty());
    }

    /// Decodes `raw` up to the output byte `until`, at which the room ends.
    fn decoded_until(raw: &[u8], until: usize) -> (Inflate, usize) {
        let mut stream = Inflate::new(-15, Allocator::SYSTEM).expect("memory");
        let mut decoded = vec![0; until];
        let (mut input, mut output) = (raw, Output::new(&mut decoded));
        stream.inflate(&mut input, &mut output, Goal::Progress, &mut |_| {}).expect("the stream is complete");
        (stream, raw.len() - input.len())
    }

    #[test]
    fn a_stream_moved_to_a_waypoint_is_as_if_it_had_decoded_up_to_there() {
        let data = sample(3_000_000);
        let raw = deflated(&data, 6);
        let (mut first, mut taken) = decoded_until(&raw, 500_000);
        while first.bits_before_block().is_none() {
            let (mut input, mut bytes) = (&raw[taken..], [0; 1 << 20]);
            let mut output = Output::new(&mut bytes);
            first.inflate(&mut input, &mut output, Goal::Block, &mut |_| {}).expect("the stream is complete");
            taken = raw.len() - input.len();
        }
        let held = first.bits_before_block().expect("between blocks");
        let mut marked = Marked::new(data.len()).expect("memory");
        let start = taken as u64 * 8 - u64::from(held);
        let end = marked.decode(&raw, start, raw.len() / 2, 4096, |_, _| true).expect("blocks");
        let before = first.total() as usize;
        assert!(marked.waypoints().len() > marked.len() / 8192);
        let mut resolver = Resolver::new().expect("memory");
        resolver.set_window(first.full_history().expect("a full window"));
        let mut from = 0;
        for (number, place) in marked.waypoints().iter().chain([&end]).enumerate() {
            let mut bytes = vec![0; place.at - from];
            let mut output = Output::new(&mut bytes);
            first.begin_call();
            resolver.resolve(&marked, from..place.at, &mut first, &mut output);
            resolver.pass(place, place.at - from, &mut first).expect("memory is available");
            // Continue as a decoder without more room does.
            let mut input = &raw[place.consumed..];
            let mut memory = ScratchMemory::uninit();
            let mut scratch = Scratch::new(&mut memory);
            let outcome = first.advance(&mut scratch, &mut input, &mut output, Goal::Progress, &mut |_| {});
            first.end_call(&mut scratch, outcome, Goal::Progress).expect("progress");
            assert!(bytes == data[before + from..before + place.at]);
            from = place.at;
            if number % 50 == 0 || place.at == end.at {
                let (mut serial, used) = decoded_until(&raw, before + place.at);
                let face = |stream: &Inflate, used: usize| {
                    (used, stream.data_type(), stream.mark(), stream.codes_used(), stream.total())
                };
                assert_eq!(face(&first, raw.len() - input.len()), face(&serial, used));
                assert!(first.dictionary() == serial.dictionary());
            }
        }
    }
}
