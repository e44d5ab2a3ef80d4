//! `Memory`: the caller's memory as a source.

#![forbid(unsafe_code)]

use super::Source;
use crate::raw::Output;

/// The input of one call.
#[derive(Debug)]
pub(super) struct Memory<'a> {
    /// The offset of the call's first byte in the stream.
    base: u64,
    input: &'a [u8],
    at: usize,
}

impl<'a> Memory<'a> {
    /// `input`, which begins at offset `base` of the stream.
    pub(super) fn new(base: u64, input: &'a [u8]) -> Self {
        Self { base, input, at: 0 }
    }

    /// The input after the position.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.input[self.at..]
    }

    /// Whether the data at the position begins with `bytes`.
    pub(super) fn begins_with(&self, bytes: &[u8]) -> bool {
        self.rest().starts_with(bytes)
    }
}

impl Source for Memory<'_> {
    fn input(&self) -> &[u8] {
        self.rest()
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }

    fn offset(&self) -> Option<u64> {
        Some(self.base + self.at as u64)
    }

    fn go_to(&mut self, offset: u64) -> Option<()> {
        let at = usize::try_from(offset.checked_sub(self.base)?).ok()?;
        self.at = Some(at).filter(|&at| at <= self.input.len())?;
        Some(())
    }

    fn readable_size(&self) -> Option<u64> {
        Some(self.base + self.input.len() as u64)
    }

    fn copy(&self, offset: u64, output: &mut Output<'_>) {
        let at = offset.checked_sub(self.base).and_then(|at| usize::try_from(at).ok());
        output.put(at.and_then(|at| self.input.get(at..)).unwrap_or_default());
    }
}
