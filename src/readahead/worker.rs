//! The worker's side of a [`Stretch`](super::stretch::Stretch): finds a start, decodes, reports.

#![forbid(unsafe_code)]

use super::task::{
    Beginning, Content, Decoded, InjectedFault, Report, Room, Shared, Spare, StretchStart, StretchTask,
};
use crate::error::Status;
use crate::inflate::{Goal, Inflate, Marked, Search, Start, find_start};
use crate::raw::process::thread_time;
use crate::raw::{Allocator, Buffer};
use crate::trace::Span;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Window bits of 32 KiB, with a gzip wrapper.
const GZIP_WINDOW_BITS: i32 = 15 + 16;

/// The first bytes of a member.
const MEMBER: [u8; 2] = [0x1f, 0x8b];

/// Decodes a stretch.
pub(super) fn run(mut task: StretchTask, shared: &Shared) -> Report {
    while task.fault == InjectedFault::Late && shared.is_wanted() {
        std::thread::yield_now();
    }
    let mut span = Span::work("decode ahead");
    read(&mut task, shared);
    span.note("bytes", task.input.len() as u64);
    let (began, ran_before) = (Instant::now(), thread_time());
    // A panic would be a bug in this library; the host's reader continues without this stretch.
    let report = catch_unwind(AssertUnwindSafe(|| decode(task, shared))).unwrap_or_default();
    let ran = thread_time().saturating_sub(ran_before);
    Report { took: began.elapsed(), ran, ..report }
}

/// Reads the input of a stretch of a file. If reading fails, the input is empty.
fn read(task: &mut StretchTask, shared: &Shared) {
    let Some(file) = task.file.take() else { return };
    let (offset, len) = (task.offset, task.input_len);
    let is_read = task
        .input
        .append(|output| output.limited(len, |output| file.read_at(offset, output, || shared.is_wanted())));
    if !is_read {
        task.input.clear();
    }
}

fn decode(task: StretchTask, shared: &Shared) -> Report {
    let StretchTask { beginning, input, offset, until, capacity, spacing, mut room, fault, .. } = task;
    let mut report = Report::default();
    let mut worker = Worker { input: &input, offset, until, capacity, spacing, room: &mut room, shared };
    let result = match beginning {
        Beginning::Exact(decoder) => worker.decode_exactly(decoder, 0),
        Beginning::Guessed(search) => {
            let began = Instant::now();
            let start = find_start(&input, search);
            report.sought = began.elapsed();
            if let Some(Start::Block(_)) = start {
                report.search = Search::Blocks;
            }
            worker.decode_from(start, u64::from(fault == InjectedFault::Miss))
        }
    };
    match result {
        Some((content, consumed)) => {
            let next = offset + consumed as u64;
            report.decoded = Some(Decoded { content, next, input, input_offset: offset, call: 0 });
            report.spare = Spare { input: None, room };
        }
        None => report.spare = Spare { input: Some(input), room },
    }
    report
}

/// Everything that decoding needs except the start.
struct Worker<'a> {
    input: &'a [u8],
    offset: u64,
    until: usize,
    capacity: usize,
    spacing: usize,
    room: &'a mut Room,
    shared: &'a Shared,
}

impl Worker<'_> {
    /// Decodes from a start that was found, reporting a place `shift` bytes or bits off. Returns
    /// the content and the number of bytes of the input up to its end.
    fn decode_from(&mut self, start: Option<Start>, shift: u64) -> Option<(Content, usize)> {
        match start {
            None => {
                self.shared.note_start(None);
                None
            }
            Some(Start::Member(at)) => {
                self.shared.note_start(Some(StretchStart::Member(self.offset + at as u64 + shift)));
                let decoder = Inflate::new(GZIP_WINDOW_BITS, Allocator::SYSTEM).ok()?;
                self.decode_exactly(decoder, at)
            }
            Some(Start::Block(bit) | Start::Marked(bit)) => {
                self.shared.note_start(Some(StretchStart::Block(self.offset * 8 + bit + shift)));
                self.decode_marked(bit)
            }
        }
    }

    /// Decodes from byte `start` on as the decoder itself would, member after member, until the input
    /// or the room ends.
    fn decode_exactly(&mut self, mut decoder: Inflate, start: usize) -> Option<(Content, usize)> {
        let mut bytes = self.room.bytes.take().unwrap_or_else(|| Buffer::new(Allocator::SYSTEM));
        bytes.clear();
        bytes.reserve(self.capacity).ok()?;
        let input = &self.input[..self.until.clamp(start, self.input.len())];
        let mut at = start;
        let is_between_members = bytes.append(|output| {
            loop {
                let mut rest = &input[at..];
                let status = decoder.inflate(&mut rest, output, Goal::Block, &mut |_| {});
                at = input.len() - rest.len();
                self.shared.note_progress(self.offset + at as u64, output.written());
                match status {
                    Ok(Status::StreamEnd) if rest.starts_with(&MEMBER) => decoder.reset(),
                    Ok(Status::StreamEnd) => break true,
                    Ok(_) if !rest.is_empty() && !output.is_full() => {}
                    // Also for damage: the decoder keeps the error and reports it again when it continues.
                    _ => break false,
                }
                if !self.shared.goes_on() {
                    break false;
                }
            }
        });
        Some((Content::Bytes { bytes, decoder, is_between_members }, at))
    }

    /// Decodes blocks from bit `start` on, with unknown history.
    fn decode_marked(&mut self, start: u64) -> Option<(Content, usize)> {
        let marked = self.room.marked.take().map_or_else(|| Marked::new(self.capacity), Ok);
        let mut marked = marked.ok()?;
        let goes_on = |at: usize, produced| {
            self.shared.note_progress(self.offset + at as u64, produced);
            self.shared.goes_on()
        };
        match marked.decode(self.input, start, self.until, self.spacing, goes_on) {
            Some(end) => Some((Content::Marked { marked, end }, end.consumed)),
            None => {
                self.room.marked = Some(marked);
                None
            }
        }
    }
}
