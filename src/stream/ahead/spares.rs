//! `Spares`: memory of stretches that were delivered or dropped, for the next ones.
//!
//! What was given back last is given out first: it is the likeliest to be in a cache, and its pages are there. Files are of one kind, so room
//! of the other kind is freed instead of being kept.

use crate::inflate::Marked;
use crate::pipeline::decode::{Room, Spare};
use crate::raw::{Allocator, Buffer};

#[derive(Debug, Default)]
pub(super) struct Spares {
    inputs: Vec<Buffer>,
    bytes: Vec<Buffer>,
    marked: Vec<Marked>,
}

impl Spares {
    pub(super) fn keep(&mut self, spare: Spare) {
        let Spare { input, room: Room { bytes, marked } } = spare;
        keep(&mut self.inputs, input);
        keep(&mut self.bytes, bytes);
        keep(&mut self.marked, marked);
    }

    /// An empty buffer for a stretch's input.
    pub(super) fn input(&mut self) -> Buffer {
        let mut input = self.inputs.pop().unwrap_or_else(|| Buffer::new(Allocator::SYSTEM));
        input.clear();
        input
    }

    /// Room for a result that will be bytes, or elements.
    pub(super) fn room(&mut self, for_bytes: bool) -> Room {
        if for_bytes {
            self.marked.clear();
            Room { bytes: self.bytes.pop(), marked: None }
        } else {
            self.bytes.clear();
            Room { bytes: None, marked: self.marked.pop() }
        }
    }
}

/// Without memory for the list, what should be on it is freed.
fn keep<T>(list: &mut Vec<T>, item: Option<T>) {
    if let Some(item) = item
        && list.try_reserve(1).is_ok()
    {
        list.push(item);
    }
}
