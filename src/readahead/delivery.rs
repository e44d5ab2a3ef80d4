//! `Delivery`: a stretch that the decoder has reached, whose output is being delivered.

#![forbid(unsafe_code)]

use super::Source;
use super::memory::Memory;
use super::task::{Content, Decoded, Room, Spare};
use crate::inflate::{Inflate, Resolver, Waypoint};
use crate::raw::{Buffer, Output};

/// A stretch that is being delivered.
#[derive(Debug)]
pub(super) struct Delivery {
    content: Content,
    /// The number of bytes that were delivered, or that the decoder decoded instead.
    pub(super) at: usize,
    /// The offsets of the stretch's start and end.
    pub(super) from: u64,
    pub(super) next: u64,
    /// The compressed data that was decoded, and its offset.
    input: Buffer,
    input_offset: u64,
    /// The call in which the data was copied.
    call: u64,
}

/// How far a delivery got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivered {
    /// There was nothing to deliver.
    Nothing,
    /// The output is full, and there is more to deliver.
    Part,
    /// All was delivered; the decoder is after the stretch now.
    All {
        /// The offsets of the stretch's start and end.
        from: u64,
        next: u64,
        /// A member ended, and no other member's header follows.
        is_between_members: bool,
    },
}

impl Delivery {
    /// Begins to deliver a stretch that starts at `from`.
    pub(super) fn new(decoded: Decoded, from: u64) -> Self {
        let Decoded { content, next, input, input_offset, call } = decoded;
        Self { content, at: 0, from, next, input, input_offset, call }
    }

    /// The decoder that continues after the stretch, if the stretch is exact and its member continues.
    pub(super) fn decoder(&self) -> Option<&Inflate> {
        match &self.content {
            Content::Bytes { decoder, is_between_members: false, .. } => Some(decoder),
            Content::Bytes { .. } | Content::Marked { .. } => None,
        }
    }

    /// The total number of bytes to deliver.
    pub(super) fn len(&self) -> usize {
        self.content.len()
    }

    /// The offset of the data that is being delivered, by proportion.
    pub(super) fn offset(&self) -> u64 {
        let len = self.content.len().max(1) as u128;
        self.from + (u128::from(self.next - self.from) * self.at as u128 / len) as u64
    }

    /// Delivers as much as fits into `output`; returns the number of bytes.
    pub(super) fn put(
        &mut self,
        resolver: &Resolver,
        engine: &mut Inflate,
        output: &mut Output<'_>,
    ) -> usize {
        let count = match &self.content {
            Content::Bytes { bytes, .. } => output.put(&bytes[self.at..]),
            Content::Marked { marked, .. } => resolver.resolve(marked, self.at..marked.len(), engine, output),
        };
        self.at += count;
        count
    }

    /// Whether all was delivered.
    pub(super) fn is_over(&self) -> bool {
        self.at == self.content.len()
    }

    /// The last place that a decoder can be moved to at which `limit` bytes or fewer were delivered, and
    /// which is not after the offset `size`.
    fn place(&self, limit: usize, size: u64) -> Option<&Waypoint> {
        let Content::Marked { marked, end } = &self.content else { return None };
        let is_before =
            |place: &Waypoint| place.at <= limit && self.input_offset + place.consumed as u64 <= size;
        if is_before(end) {
            return Some(end);
        }
        let places = marked.waypoints();
        places.get(places.partition_point(is_before).checked_sub(1)?)
    }

    /// The number of bytes to the next place that a decoder can be moved to.
    pub(super) fn distance(&self) -> usize {
        let Content::Marked { marked, end } = &self.content else { return usize::MAX };
        let places = marked.waypoints();
        let next = places.get(places.partition_point(|place| place.at <= self.at));
        next.unwrap_or(end).at - self.at
    }

    /// Delivers up to the last place that fits into `output`, and moves `engine` and `source` there.
    /// Returns the number of bytes; `None` if `source` does not have the decoded data.
    pub(super) fn put_part(
        &mut self,
        resolver: &Resolver,
        engine: &mut Inflate,
        source: &mut Memory<'_>,
        call: u64,
        output: &mut Output<'_>,
    ) -> Option<usize> {
        let (offset, size) = (source.offset()?, source.readable_size()?);
        let place = self.place(self.at + output.room(), size);
        let Some(place) = place.filter(|place| place.at > self.at) else { return Some(0) };
        let taken = usize::try_from(offset.checked_sub(self.input_offset)?).ok()?;
        let rest = self.input.get(taken..place.consumed)?;
        if self.call != call {
            let last = taken.checked_sub(1).map(|last| self.input[last]);
            let is_same = last.is_none_or(|last| engine.holds_end_of(last)) && source.begins_with(rest);
            if !is_same {
                return None;
            }
        }
        let Content::Marked { marked, .. } = &self.content else { return None };
        let count = resolver.resolve(marked, self.at..place.at, engine, output);
        source.go_to(self.input_offset + place.consumed as u64)?;
        resolver.pass(place, count, engine).ok()?;
        self.at += count;
        Some(count)
    }

    /// Its memory.
    pub(super) fn into_spare(self) -> Spare {
        Spare { input: Some(self.input), room: self.content.into_room() }
    }

    /// Moves `engine` after the stretch, all of which was delivered.
    pub(super) fn finish(self, resolver: &Resolver, engine: &mut Inflate) -> (Delivered, Spare) {
        let Self { content, from, next, input, .. } = self;
        let mut is_between_members = false;
        let room = match content {
            Content::Bytes { bytes, decoder, is_between_members: is_between } => {
                *engine = decoder;
                engine.begin_call();
                is_between_members = is_between;
                Room { bytes: Some(bytes), marked: None }
            }
            Content::Marked { marked, end } => {
                // A decoder that is refused memory for tables reports it when it continues.
                resolver.pass(&end, marked.len(), engine).ok();
                Room { bytes: None, marked: Some(marked) }
            }
        };
        (Delivered::All { from, next, is_between_members }, Spare { input: Some(input), room })
    }
}
