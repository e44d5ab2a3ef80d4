//! The reader's cursor: buffered decoded bytes, and the position in the decoded data.

#![forbid(unsafe_code)]

use super::super::Fault;
use super::super::buffer::Buffer;
use crate::raw::Output;

/// The buffered decoded bytes and their position.
#[derive(Default)]
pub(super) struct Cursor {
    pub(super) output: Buffer,
    /// The offset of the next byte to deliver.
    position: i64,
    /// The number of bytes that a seek still has to skip.
    skip: i64,
    /// A request went past the end.
    is_past_end: bool,
    /// A fault to report once the buffered bytes are taken.
    pending: Option<Fault>,
}

impl Cursor {
    /// The offset of the next byte to deliver.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// The same, a pending seek included.
    pub(super) fn tell(&self) -> i64 {
        self.position + self.skip
    }

    /// The number of bytes that a seek still has to skip.
    pub(super) fn skip(&self) -> i64 {
        self.skip
    }

    /// Makes the cursor skip `count` bytes, buffered ones first.
    pub(super) fn set_skip(&mut self, count: i64) {
        self.skip = count;
        self.skip_waiting();
    }

    /// Skips buffered bytes for a pending seek.
    pub(super) fn skip_waiting(&mut self) {
        let count = i64::try_from(self.output.len()).map_or(self.skip, |len| len.min(self.skip));
        self.take(count as usize);
        self.skip -= count;
    }

    /// Counts `count` bytes of a pending seek as skipped, and drops the buffered bytes.
    pub(super) fn jump(&mut self, count: i64) {
        self.skip -= count;
        self.position += count;
        self.output.clear();
    }

    /// Continues at `position`, with nothing buffered.
    pub(super) fn go_to(&mut self, position: i64) {
        (self.position, self.skip) = (position, 0);
        self.output.clear();
        self.forget_end();
    }

    /// Clears a pending fault, and that a request went past the end.
    pub(super) fn forget_end(&mut self) {
        self.is_past_end = false;
        self.pending = None;
    }

    /// Counts `count` of the buffered bytes as delivered.
    pub(super) fn take(&mut self, count: usize) {
        self.output.consume(count);
        self.position += count as i64;
    }

    /// Counts `count` bytes that were delivered without being buffered.
    pub(super) fn pass(&mut self, count: usize) {
        self.position += count as i64;
    }

    /// Delivers the buffered bytes, as far as they fit.
    pub(super) fn take_into(&mut self, output: &mut Output<'_>) {
        let count = output.put(self.output.bytes());
        self.take(count);
    }

    /// Pushes a byte back before all others; false when there is no room for it.
    pub(super) fn unread(&mut self, byte: u8) -> bool {
        let is_pushed = self.output.push_front(byte);
        if is_pushed {
            self.position -= 1;
            self.is_past_end = false;
        }
        is_pushed
    }

    /// Keeps a fault until the buffered bytes are taken.
    pub(super) fn suspend(&mut self, fault: Fault) {
        self.pending = Some(fault);
    }

    /// Reports a suspended fault, if no bytes are buffered any more.
    pub(super) fn surface(&mut self) -> Result<(), Fault> {
        if !self.output.is_empty() {
            return Ok(());
        }
        self.pending.take().map_or(Ok(()), Err)
    }

    /// Whether no fault is suspended.
    pub(super) fn is_clean(&self) -> bool {
        self.pending.is_none()
    }

    /// Whether neither bytes nor a fault are buffered.
    pub(super) fn is_drained(&self) -> bool {
        self.output.is_empty() && self.pending.is_none()
    }

    pub(super) fn is_past_end(&self) -> bool {
        self.is_past_end
    }

    /// A request goes past the end.
    pub(super) fn note_past_end(&mut self) {
        self.is_past_end = true;
    }
}
