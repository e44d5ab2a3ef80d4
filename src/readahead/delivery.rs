//! `Delivery`: a stretch that the decoder has reached, whose output is being delivered.

#![forbid(unsafe_code)]

use super::stretch::{Content, Decoded, Room};
use crate::inflate::{Inflate, Resolver};
use crate::raw::Output;

/// A stretch that is being delivered.
#[derive(Debug)]
pub(super) struct Delivery {
    content: Content,
    /// The number of bytes that were delivered.
    at: usize,
    /// The offsets of the stretch's start and end.
    pub(super) from: u64,
    pub(super) next: u64,
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
        Self { content: decoded.content, at: 0, from, next: decoded.next }
    }

    /// The decoder that continues after the stretch, if the stretch is exact and a member goes on.
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
            Content::Marked { marked, .. } => resolver.resolve(marked, self.at, engine, output),
        };
        self.at += count;
        count
    }

    /// Whether all was delivered.
    pub(super) fn is_over(&self) -> bool {
        self.at == self.content.len()
    }

    /// Moves `engine` after the stretch, all of which was delivered.
    pub(super) fn finish(self, resolver: &mut Resolver, engine: &mut Inflate) -> (Delivered, Room) {
        let Self { content, from, next, .. } = self;
        let mut is_between_members = false;
        let room = match content {
            Content::Bytes { bytes, decoder, is_between_members: is_between } => {
                *engine = decoder;
                engine.begin_call();
                is_between_members = is_between;
                Room { bytes: Some(bytes), marked: None }
            }
            Content::Marked { marked, passed } => {
                // The window has its memory already, or the decoder would not be between two blocks.
                resolver.pass(&marked, &passed, engine).ok();
                Room { bytes: None, marked: Some(marked) }
            }
        };
        (Delivered::All { from, next, is_between_members }, room)
    }
}
