//! Decoding with the caller's memory as the source: `inflate()` and similar functions over a large input.
//!
//! Nothing that the caller can observe depends on threads: after every call the decoder is exactly at
//! the bit where a serial decoder would be. So a stretch is delivered only up to the last of its
//! waypoints that fits into the output; from there the serial decoder fills the rest. Waypoints are
//! close together if the caller's output buffers are small, for example 16 KiB.
//!
//! **Between calls.** The input belongs to the caller, and is valid during a call only. Workers get
//! copies, and may continue between calls. Before a result is used, the next call's input is compared
//! with the copy, byte by byte: the caller may offer different data.
//!
//! **Decoded only by the serial decoder:** the last 64 KiB of the input and all errors; windows of less
//! than 32 KiB; calls that stop between blocks; streams with primed bits. Only blocks are searched for,
//! since `inflate()` ends with its member.

#![forbid(unsafe_code)]

use super::memory::Memory;
use super::{Decoder, Source, Way};
use crate::error::{Error, Result, Status};
use crate::inflate::{Goal, HeaderPart, Scratch, ScratchMemory};
use crate::pool::thread_limit;
use crate::raw::Output;

/// Bytes at the end of the input that the serial decoder decodes alone.
const TAIL: usize = 64 << 10;

/// Bytes of output after which the decoder checks whether stretches may begin.
const PART: usize = 256 << 10;

impl Decoder {
    /// Whether workers may help with a call that offers `len` bytes.
    pub fn may_be_helped(&self, len: usize, goal: Goal) -> bool {
        let is_enough = len >= self.tuning.least_input || (len >= TAIL && self.ahead.is_some());
        is_enough
            && matches!(goal, Goal::Progress | Goal::Finish)
            && !self.is_declined
            && self.tuning.way != Way::Serial
            && self.engine.has_largest_window()
            && thread_limit() > 1
    }

    /// As [`Inflate::inflate`](crate::inflate::Inflate::inflate), with the help of workers. Not inlined, because
    /// it needs much stack.
    #[inline(never)]
    pub fn inflate(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        goal: Goal,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Result<Status> {
        let mut source = Memory::new(self.passed, input);
        self.engine.begin_call();
        if let Some(ahead) = &mut self.ahead {
            ahead.begin_call();
        }
        let mut memory = ScratchMemory::uninit();
        let mut scratch = Scratch::new(&mut memory);
        let outcome = self.inflate_parts(&mut scratch, &mut source, output, goal, report);
        let outcome = self.engine.end_call(&mut scratch, outcome, goal);
        *input = source.rest();
        if matches!(outcome, Ok(Status::Ok) | Err(Error::Buffer)) {
            self.yield_memory();
        } else {
            self.forget();
        }
        outcome
    }

    fn inflate_parts(
        &mut self,
        scratch: &mut Scratch<'_>,
        source: &mut Memory<'_>,
        output: &mut Output<'_>,
        goal: Goal,
        report: &mut dyn FnMut(HeaderPart<'_>),
    ) -> Result<Status> {
        let room = output.room();
        loop {
            let mut part = Part::WHOLE;
            if source.rest().len() < TAIL {
                self.forget();
            } else {
                self.count(0, source);
                part = self.next_part(source, output, room);
            }
            let part_goal = if part.stops { Goal::Block } else { goal };
            let timer = self.active().map(|ahead| ahead.timer());
            let (mut input, before) = (source.rest(), output.written());
            let offered = input.len();
            let outcome = output.limited(part.limit, |output| {
                self.engine.advance(scratch, &mut input, output, part_goal, report)
            });
            let (consumed, produced) = (offered - input.len(), output.written() - before);
            source.consume(consumed);
            self.count(consumed, source);
            if let (Some(ahead), Some(timer)) = (self.active(), timer) {
                ahead.decoded(timer, consumed, produced);
                ahead.follow(produced);
            }
            let is_stopped = part.stops && self.engine.is_between_blocks();
            let is_cut = produced == part.limit && !output.is_full();
            if outcome != Ok(Status::Ok) || !(is_stopped || is_cut) {
                return outcome;
            }
        }
    }

    /// Delivers as much as fits, and returns how far the serial decoder must decode then.
    fn next_part(&mut self, source: &mut Memory<'_>, output: &mut Output<'_>, room: usize) -> Part {
        let Some(ahead) = &mut self.ahead else {
            let limit = if self.engage_at < u64::MAX { PART } else { usize::MAX };
            return Part { limit, stops: false };
        };
        if output.is_full() {
            return Part::WHOLE;
        }
        ahead.set_room(room);
        if ahead.is_delivering() || ahead.arrive(&self.engine, source) {
            self.passed += ahead.deliver_part(&mut self.engine, source, output);
        }
        match ahead.distance() {
            Some(distance) => Part { limit: distance, stops: false },
            None if output.is_full() => Part::WHOLE,
            None if ahead.wants_stops() => Part { limit: usize::MAX, stops: true },
            None => Part { limit: PART, stops: false },
        }
    }
}

/// How far the serial decoder decodes before it checks for stretches again.
struct Part {
    /// Bytes of output.
    limit: usize,
    /// Whether it stops between two blocks.
    stops: bool,
}

impl Part {
    /// To the end of the call.
    const WHOLE: Self = Self { limit: usize::MAX, stops: false };
}
