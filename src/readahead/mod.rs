//! Decoding ahead: a decoder that other threads help.
//!
//! A [`Decoder`] decodes a stream from a [`Source`], a file or the caller's memory, on the caller's
//! thread. It could decode all of it alone. If enough data is left, workers decode *stretches* of it
//! ahead. When the decoder reaches the first bit of a stretch, it delivers the stretch's output
//! instead of decoding it, and continues after it:
//!
//! ```text
//! the host waits:  decoder |=========>  gap  |found====================|   gap   |found=====...
//!                           decodes           a worker, with markers    decodes
//!
//! the host works:  decoder |----------------|----------------|----------------|
//!                           a worker, exactly  a worker, exactly       the decoder only delivers
//! ```
//!
//! A stretch that the decoder never reaches is dropped, and every error is found by the decoder
//! itself or by a copy of it. So bytes, return values, positions and messages do not depend on
//! threads, and `fork`, seeking and closing only need to drop the stretches.
//!
//! | file | holds |
//! |---|---|
//! | `ahead` | which stretches are begun, and which of them the decoder reaches |
//! | `plan` | where guessed stretches start, how long they are, when there should be none |
//! | `pace`, `costs` | whether the host works between reads, whether processors are idle; the gain |
//! | `stretch`, `worker` | one stretch: its owner's side, its worker's side |
//! | `delivery` | the stretch whose output is being delivered |
//! | `memory` | the caller's memory as a source |
//! | `buffers`, `counters`, `tuning` | memory to use again; statistics; settings for tests |

#![forbid(unsafe_code)]

mod ahead;
mod buffers;
mod calls;
mod costs;
mod counters;
mod delivery;
mod memory;
mod pace;
mod plan;
mod stretch;
mod task;
mod tuning;
mod worker;

use self::ahead::Ahead;
use self::delivery::Delivered;
use crate::error::{Error, Result, Status};
use crate::inflate::{Bookmark, Goal, HeaderPart, Inflate, Scratch, ScratchMemory};
use crate::pool::thread_limit;
use crate::raw::{Allocator, Output, Placed, SharedFile};

pub use self::counters::ReadCounters;
pub use self::task::InjectedFault;
pub use self::tuning::{Tuning, Way};

/// Compressed data, and a position in it.
pub trait Source {
    /// The data at the position, as far as it is in memory.
    fn input(&self) -> &[u8];

    /// Moves the position past the first `count` bytes of the input.
    fn consume(&mut self, count: usize);

    /// The position; `None` if the source cannot seek.
    fn offset(&self) -> Option<u64>;

    /// Moves the position to `offset`; `None` if that fails. The input may be empty then.
    fn go_to(&mut self, offset: u64) -> Option<()>;

    /// The offset of the data's end; `None` if the data cannot be read ahead.
    fn readable_size(&self) -> Option<u64>;

    /// The file, if workers may read the data for themselves.
    fn share(&self) -> Option<SharedFile> {
        None
    }

    /// Copies the data from `offset` on, as much as fits and exists. Called only if `share` returns `None`.
    fn copy(&self, offset: u64, output: &mut Output<'_>);
}

/// Compressed bytes after which a stream requests again the memory that other streams hold.
const RETRY_AFTER: u64 = 2 << 20;

/// Where the compressed data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A file, of one member or several.
    File,
    /// The memory of a caller, which is valid during a call only.
    Memory,
}

/// A decoder that other threads help.
#[derive(Debug)]
pub struct Decoder {
    engine: Inflate,
    kind: SourceKind,
    tuning: Tuning,
    /// Whether the stream is left to the serial decoder.
    is_declined: bool,
    /// Compressed bytes that were consumed in a row, and the number from which workers are used.
    consumed: u64,
    engage_at: u64,
    /// Compressed bytes that were passed in total, by decoding or by delivering.
    passed: u64,
    /// The stretches that workers decode; `None` while no stretch may begin.
    ahead: Option<Placed<Ahead>>,
    /// Statistics of `Ahead`s that were dropped.
    counters: ReadCounters,
}

impl Decoder {
    /// A decoder that continues from the state of `engine`.
    #[inline(always)]
    pub fn new(engine: Inflate, kind: SourceKind, tuning: Tuning) -> Self {
        Self {
            engine,
            kind,
            tuning,
            is_declined: false,
            consumed: 0,
            engage_at: engage_after(tuning),
            passed: 0,
            ahead: None,
            counters: ReadCounters::default(),
        }
    }

    /// An independent copy of the decoder; nothing is decoded ahead of it yet.
    pub fn try_clone(&self) -> Result<Self> {
        let clone = Self::new(self.engine.try_clone()?, self.kind, self.tuning);
        Ok(Self { is_declined: self.is_declined, ..clone })
    }

    /// Decodes from `source` to `output` until the output is full, the source's input is used up,
    /// or the stream ends. Like [`Inflate::inflate`], but may also move the source's position: the
    /// caller then has to provide the input from there, and to call again even if the output is full.
    pub fn decode(
        &mut self,
        source: &mut impl Source,
        output: &mut Output<'_>,
        goal: Goal,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Result<Status> {
        let before = output.written();
        if let Some(ahead) = self.active() {
            ahead.enter();
        }
        let mut memory = ScratchMemory::uninit();
        let mut scratch = Scratch::new(&mut memory);
        self.engine.begin_call();
        let outcome = self.decode_on(&mut scratch, source, output, goal, report);
        let outcome = self.engine.end_call(&mut scratch, outcome, goal);
        if let Some(ahead) = &mut self.ahead {
            if outcome == Ok(Status::Ok) && output.is_full() {
                ahead.rest(&self.engine, source);
            }
            ahead.leave(output.written() - before);
        }
        self.yield_memory();
        outcome
    }

    fn decode_on(
        &mut self,
        scratch: &mut Scratch<'_>,
        source: &mut impl Source,
        output: &mut Output<'_>,
        goal: Goal,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Result<Status> {
        loop {
            if let Some(outcome) = self.deliver(source, output) {
                return outcome;
            }
            let stops = self.active().is_some_and(|ahead| ahead.wants_stops());
            let part_goal = if stops { Goal::Block } else { goal };
            let timer = self.active().map(|ahead| ahead.timer());
            let mut input = source.input();
            let (offered, before) = (input.len(), output.written());
            let outcome = self.engine.advance(scratch, &mut input, output, part_goal, report);
            let consumed = offered - input.len();
            source.consume(consumed);
            if let (Some(ahead), Some(timer)) = (self.active(), timer) {
                ahead.decoded(timer, consumed, output.written() - before);
            }
            self.count(consumed, source);
            // The call does not end where the engine stopped between two blocks for `Ahead`.
            let goes_on = stops && self.engine.is_between_blocks() && !output.is_full();
            if outcome != Ok(Status::Ok) || !goes_on {
                return outcome;
            }
        }
    }

    /// Delivers stretches as long as there is one to deliver. Returns the call's outcome if the call
    /// must end then.
    fn deliver(&mut self, source: &mut impl Source, output: &mut Output<'_>) -> Option<Result<Status>> {
        let ahead = self.ahead.as_mut()?;
        loop {
            match ahead.deliver(&mut self.engine, output) {
                Delivered::Nothing => {}
                Delivered::Part => return Some(Ok(Status::Ok)),
                Delivered::All { from, next, is_between_members } => {
                    self.passed += next - from;
                    if source.go_to(next).is_none() {
                        return Some(Err(Error::Stream));
                    }
                    if is_between_members {
                        return Some(Ok(Status::StreamEnd));
                    }
                    if source.input().is_empty() {
                        return Some(Ok(Status::Ok));
                    }
                }
            }
            if !ahead.arrive(&self.engine, source) {
                return None;
            }
        }
    }

    /// Counts input. After enough of it, stretches may begin.
    fn count(&mut self, consumed: usize, source: &impl Source) {
        self.consumed += consumed as u64;
        self.passed += consumed as u64;
        if self.consumed < self.engage_at {
            return;
        }
        self.engage_at = u64::MAX;
        let (Some(offset), Some(size)) = (source.offset(), source.readable_size()) else { return };
        let least_left = ahead::least_left_at_first(self.kind, &self.tuning);
        if self.is_declined || thread_limit() < 2 || size < offset + least_left {
            return;
        }
        match Ahead::engage(self.kind, self.tuning, source) {
            Ok(ahead) => self.ahead = Placed::try_new(ahead, Allocator::SYSTEM).ok(),
            // Other streams hold the memory. Request it again later.
            Err(Error::Memory) => self.engage_at = self.consumed + RETRY_AFTER,
            Err(_) => {}
        }
    }

    /// Returns unused memory to the budget if another stream was refused memory.
    fn yield_memory(&mut self) {
        if self.ahead.as_ref().is_some_and(|ahead| ahead.should_yield()) {
            self.forget();
        }
    }

    fn active(&mut self) -> Option<&mut Ahead> {
        self.ahead.as_deref_mut()
    }

    /// The offset of the data that is being delivered, if a stretch is; else the decoder is at the
    /// source's position.
    pub fn offset(&self) -> Option<u64> {
        self.ahead.as_ref()?.offset()
    }

    /// The decoder's position and the data before it, if it can [`resume`](Self::resume) there.
    pub fn bookmark(&mut self) -> Option<(Bookmark, &[u8])> {
        if self.offset().is_some() { None } else { self.engine.bookmark() }
    }

    /// Continues at `bookmark`, after data that ends with `window`; an error leaves the decoder at
    /// the start of a stream.
    pub fn resume(&mut self, bookmark: &Bookmark, window: &[u8]) -> Result<()> {
        self.forget();
        self.engine.resume(bookmark, window)
    }

    /// The next stream of the source begins. Keeps the stretches: they remain useful.
    pub fn begin_next(&mut self) {
        self.engine.reset();
    }

    /// Returns to the start of a stream, at any place of the source.
    pub fn reset(&mut self) {
        self.restart();
        self.engine.reset();
    }

    /// Returns to the start of a stream in another format.
    pub fn reset2(&mut self, window_bits: i32) -> Result<()> {
        self.restart();
        self.engine.reset2(window_bits)
    }

    fn restart(&mut self) {
        self.forget();
        self.is_declined = false;
        if self.kind == SourceKind::Memory {
            self.counters = ReadCounters::default();
        }
    }

    /// Drops all stretches, and frees their memory.
    pub fn forget(&mut self) {
        if let Some(mut ahead) = self.ahead.take() {
            ahead.drop_all();
            self.counters.add(&ahead.counters());
        }
        (self.consumed, self.engage_at) = (0, engage_after(self.tuning));
    }

    /// Changes the settings; drops all stretches.
    pub fn tune(&mut self, tuning: Tuning) {
        self.tuning = tuning;
        self.forget();
    }

    /// Statistics of reading ahead.
    pub fn counters(&self) -> ReadCounters {
        let mut counters = self.counters;
        if let Some(ahead) = &self.ahead {
            counters.add(&ahead.counters());
        }
        counters
    }

    /// Leaves the rest of the stream to the serial decoder.
    pub fn decline(&mut self) {
        self.forget();
        self.is_declined = true;
    }

    /// Compressed bytes that were passed in total, by decoding or by delivering.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// [`Inflate::dictionary`]. Keeps the stretches.
    pub fn dictionary(&mut self) -> &[u8] {
        self.engine.dictionary()
    }

    /// The serial decoder.
    pub fn engine(&self) -> &Inflate {
        &self.engine
    }

    /// The serial decoder, for changes; drops all stretches.
    pub fn engine_mut(&mut self) -> &mut Inflate {
        if self.ahead.is_some() || self.consumed > 0 {
            self.forget();
        }
        &mut self.engine
    }
}

/// Compressed bytes that must be consumed before workers are used.
fn engage_after(tuning: Tuning) -> u64 {
    if tuning.way == Way::Serial { u64::MAX } else { tuning.engage_after }
}
