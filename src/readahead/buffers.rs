//! `BufferPool`: reuses the memory of stretches that were delivered or dropped.
//!
//! The memory that was returned last is reused first: it is the most likely to be in a cache.
//! The stretches of a file are mostly of one kind, so asking for one kind frees the other.

#![forbid(unsafe_code)]

use super::task::{Room, Spare};
use crate::inflate::Marked;
use crate::raw::{Allocator, Buffer};

#[derive(Debug, Default)]
pub(super) struct BufferPool {
    inputs: Vec<Buffer>,
    bytes: Vec<Buffer>,
    marked: Vec<Marked>,
}

impl BufferPool {
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

    /// Memory for a result of bytes, or of elements.
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

/// Adds `item` to `list`; frees it if there is no memory for that.
fn keep<T>(list: &mut Vec<T>, item: Option<T>) {
    if let Some(item) = item
        && list.try_reserve(1).is_ok()
    {
        list.push(item);
    }
}
