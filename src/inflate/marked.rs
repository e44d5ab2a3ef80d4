//! Decoding from the middle of a stream, before it is known what stands before.
//!
//! The elements are 16 bits wide. The 32 KiB before the first block are not known yet, so each of their places is filled with a *marker*
//! that names the place: `0x8000` and its index. Matches copy markers as they copy literals, so the fast loop is the same as for bytes and needs
//! no test for them. Once the true window is known, a table of 64 Ki bytes turns every element, literal or marker, into its byte.
//!
//! ```text
//! elements:  | 32 Ki markers | what the blocks decode to ...  | slop |
//! table:     0..=255 -> itself       0x8000 | i -> window[i]
//! ```

use core::mem::MaybeUninit;

use super::bit_reader::HeldBits;
use super::blocks::{Event, Stop, WithTables};
use super::finder::reader_at;
use super::history::History;
use super::stream::Inflate;
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Output, load};

/// The bit that tells a marker from a literal.
const MARKER: u16 = 0x8000;

/// How many elements are resolved before they are counted and checked: they are still in the first cache then.
const STRETCH: usize = 16 << 10;

/// Elements that are looked at together: where none of them is a marker, and behind the first window few are, they are narrowed by
/// vectors.
const GROUP: usize = 64;

/// Elements of a cache line, and how many elements ahead lines are asked for: they were written by another processor, and come from its
/// cache. Worth 10 % of resolving.
const LINE: usize = 32;
const AHEAD: usize = 1024;

/// Room for elements, and those that were decoded into it.
#[derive(Debug)]
pub struct Marked {
    /// The markers, and room behind them; the first `WINDOW_SIZE + len` elements are initialised.
    elements: Vec<MaybeUninit<u16>>,
    len: usize,
}

/// Where decoding ended: behind a block.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    /// How much of the input was taken.
    pub consumed: usize,
    held: HeldBits,
    is_final: bool,
}

impl Marked {
    /// Room for `capacity` elements.
    pub fn new(capacity: usize) -> Result<Self> {
        let size = WINDOW_SIZE + capacity + History::<u16>::SLOP;
        let mut elements: Vec<MaybeUninit<u16>> = Vec::new();
        elements.try_reserve_exact(size).map_err(|_| Error::Memory)?;
        elements.extend((0..WINDOW_SIZE as u16).map(|place| MaybeUninit::new(MARKER | place)));
        // SAFETY: `MaybeUninit` needs no initialisation, and `size` elements were reserved.
        unsafe { elements.set_len(size) };
        Ok(Self { elements, len: 0 })
    }

    /// How many elements were decoded.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was decoded.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Decodes blocks from `start`, a bit of `input`, to the first that ends at or behind the byte `until`. Ends before that
    /// when a block as long as the last would not fit, and with the last block that is complete in the input, fits, and is not damaged; `None` when there is no such block. Asks
    /// `goes_on` behind each block, telling it how much of the input was taken and how much decoded.
    pub fn decode(
        &mut self,
        input: &[u8],
        start: u64,
        until: usize,
        mut goes_on: impl FnMut(usize, usize) -> bool,
    ) -> Option<Passed> {
        self.len = 0;
        let mut reader = reader_at(input, start)?;
        let base = input.len() - reader.rest().len();
        let capacity = self.elements.len();
        let limit = capacity - History::<u16>::SLOP;
        let memory = self.elements.as_mut_ptr().cast::<u16>();
        // SAFETY: the memory is `capacity` elements borrowed from `self`, and the markers before `WINDOW_SIZE` are there.
        let mut history = unsafe { History::from_raw(memory, 0, WINDOW_SIZE, limit, capacity) };
        let mut machine = WithTables::new();
        let mut passed = None;
        loop {
            machine.await_block(false);
            if machine.step(&mut reader, &mut history, Stop::Blocks) != Event::Stopped {
                return passed;
            }
            reader.give_back(0);
            let block = history.position() - WINDOW_SIZE - self.len;
            self.len += block;
            let consumed = base + reader.consumed();
            passed = Some(Passed { consumed, held: reader.held(), is_final: machine.is_final() });
            // One that does not fit would be decoded for nothing, and most are about as long as the one before.
            let fits = block <= history.room();
            if !goes_on(consumed, self.len) || machine.is_final() || consumed >= until || !fits {
                return passed;
            }
        }
    }

    /// The markers and all that was decoded.
    fn elements(&self) -> &[u16] {
        let elements = &self.elements[..WINDOW_SIZE + self.len];
        // SAFETY: that many elements are initialised: the markers by `new`, those behind by `decode`, which counts what it wrote.
        unsafe { &*(elements as *const [MaybeUninit<u16>] as *const [u16]) }
    }
}

/// Turns elements into bytes, once the window is known.
#[derive(Debug)]
pub struct Resolver {
    /// The byte that each element stands for.
    table: Box<[u8; 1 << 16]>,
    /// Room for a window.
    tail: Vec<u8>,
}

impl Resolver {
    /// A resolver that knows no window yet.
    pub fn new() -> Result<Self> {
        let (mut table, mut tail) = (Vec::new(), Vec::new());
        table.try_reserve_exact(1 << 16).map_err(|_| Error::Memory)?;
        tail.try_reserve_exact(WINDOW_SIZE).map_err(|_| Error::Memory)?;
        table.extend(0..=255);
        table.resize(1 << 16, 0);
        let table = table.into_boxed_slice().try_into().map_err(|_| Error::Memory)?;
        Ok(Self { table, tail })
    }

    /// Learns the 32 KiB before the elements to come, of which there are two parts.
    pub fn learn(&mut self, window: [&[u8]; 2]) {
        let (old, new) = self.table[usize::from(MARKER)..].split_at_mut(window[0].len());
        old.copy_from_slice(window[0]);
        new.copy_from_slice(window[1]);
    }

    /// Appends what the decoded elements from number `from` on stand for, as much as fits, counting it into `stream`; tells how
    /// much.
    pub fn resolve(
        &self,
        marked: &Marked,
        from: usize,
        stream: &mut Inflate,
        output: &mut Output<'_>,
    ) -> usize {
        let elements = &marked.elements()[WINDOW_SIZE + from..];
        let elements = &elements[..elements.len().min(output.room())];
        for stretch in elements.chunks(STRETCH) {
            let bytes = &mut output.spare()[..stretch.len()];
            let (mut places, mut groups) = (bytes.chunks_exact_mut(GROUP), stretch.chunks_exact(GROUP));
            for (bytes, group) in (&mut places).zip(&mut groups) {
                for line in 0..GROUP / LINE {
                    load::prefetch(group.as_ptr().wrapping_add(AHEAD + line * LINE));
                }
                self.write(group, bytes);
            }
            for (byte, &element) in places.into_remainder().iter_mut().zip(groups.remainder()) {
                byte.write(self.byte(element));
            }
            // SAFETY: all of them were written, for there are as many elements.
            stream.count_decoded(unsafe { &*(bytes as *const [MaybeUninit<u8>] as *const [u8]) });
            // SAFETY: as many bytes of the spare room were written from its front on.
            unsafe { output.advance(stretch.len()) };
        }
        elements.len()
    }

    /// Writes the bytes that the elements of a group stand for.
    #[inline(always)]
    fn write(&self, group: &[u16], bytes: &mut [MaybeUninit<u8>]) {
        // Of a length that is known when it is compiled; all groups are.
        let (Some(group), Some(bytes)) = (group.first_chunk::<GROUP>(), bytes.first_chunk_mut::<GROUP>())
        else {
            return;
        };
        let places = bytes.iter_mut().zip(group);
        if group.iter().fold(0, |all, element| all | element) & MARKER == 0 {
            places.for_each(|(byte, &element)| {
                byte.write(element as u8);
            });
        } else {
            places.for_each(|(byte, &element)| {
                byte.write(self.byte(element));
            });
        }
    }

    /// Moves `stream` from before the blocks that were decoded to behind them. All their bytes must have been counted.
    pub fn pass(&mut self, marked: &Marked, passed: &Passed, stream: &mut Inflate) -> Result<()> {
        let elements = marked.elements();
        let mut tail = core::mem::take(&mut self.tail);
        tail.clear();
        tail.extend(elements[elements.len() - WINDOW_SIZE..].iter().map(|&element| self.byte(element)));
        let result = stream.pass_blocks(passed.held, passed.is_final, &tail);
        self.tail = tail;
        result
    }

    #[inline(always)]
    fn byte(&self, element: u16) -> u8 {
        self.table[usize::from(element)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{deflated, sample};
    use super::super::{Goal, Inflate, Search, Start, find_start};
    use super::*;
    use crate::raw::Allocator;

    #[test]
    fn blocks_decoded_from_the_middle_resolve_and_the_stream_goes_on_behind_them() {
        let data = sample(4_000_000);
        for level in [3, 6, 9] {
            let raw = deflated(&data, level);
            let (cut, until) = (raw.len() / 3, raw.len() / 3 * 2);
            let Some(Start::Block(found)) = find_start(&raw[cut..], Search::All) else {
                panic!("no block found")
            };
            let mut marked = Marked::new(data.len()).expect("memory");
            let passed = marked.decode(&raw[cut..], found, until - cut, |_, _| true).expect("a block");
            assert!(cut + passed.consumed >= until && !marked.is_empty());
            let start = cut as u64 * 8 + found;

            // From the beginning to that very bit.
            let mut stream = Inflate::new(-15, Allocator::SYSTEM).expect("memory");
            let mut decoded = vec![0; data.len() + 1];
            let mut output = Output::new(&mut decoded);
            let mut input = &raw[..];
            loop {
                stream.inflate(&mut input, &mut output, Goal::Block, &mut |_| {}).expect("it is whole");
                let held = stream.bits_before_block().expect("between blocks");
                let bit = (raw.len() - input.len()) as u64 * 8 - u64::from(held);
                assert!(bit <= start, "level {level}: the block at {start} is a true one");
                if bit == start {
                    break;
                }
            }
            let mut resolver = Resolver::new().expect("memory");
            resolver.learn(stream.full_history().expect("a full window"));
            assert_eq!(resolver.resolve(&marked, 0, &mut stream, &mut output), marked.len());
            resolver.pass(&marked, &passed, &mut stream).expect("memory is there");
            let mut input = &raw[cut + passed.consumed..];
            let end = stream.inflate(&mut input, &mut output, Goal::Finish, &mut |_| {});
            assert_eq!((end, output.written()), (Ok(crate::error::Status::StreamEnd), data.len()));
            decoded.pop();
            assert!(decoded == data, "level {level}");
        }
    }

    #[test]
    fn what_does_not_fit_or_is_not_there_is_left_with_its_block() {
        let data = sample(4_000_000);
        let raw = deflated(&data, 6);
        let mut marked = Marked::new(1_000_000).expect("memory");
        let passed = marked.decode(&raw, 0, raw.len(), |_, _| true).expect("a block fits");
        assert!(marked.len() <= 1_000_000 && passed.consumed < raw.len() / 2);
        let half = &raw[..raw.len() / 2];
        let mut marked = Marked::new(data.len()).expect("memory");
        let passed = marked.decode(half, 0, half.len(), |_, _| true).expect("a block is whole");
        assert!(passed.consumed <= half.len());
        assert!(marked.decode(&raw[..100], 0, 100, |_, _| true).is_none());
        assert!(marked.is_empty());
    }
}
