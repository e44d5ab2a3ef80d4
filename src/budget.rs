//! `Share`: a part of the memory that the library may take for its own purposes.
//!
//! zlib takes memory for a stream when the program makes one, and the program knows how much. What this library takes beyond that,
//! to be fast, belongs to no stream alone: chunks on their way through the pipeline, results that are decoded ahead of a reader,
//! checkpoints, tables, buffers that wait for their next use. All of it together is bounded for the whole process. Whoever
//! wants such memory first takes a share of the bound; who gets none works without: a stream is then compressed or decoded
//! serially, as zlib would.
//!
//! The bound is 64 MiB, or 4 MiB for each thread of the pool if that is more, since fewer jobs than threads would keep none
//! of them busy. `RIGZ_MEMORY` sets another one.
//!
//! A share is a number, not memory: its owner allocates and frees for itself, and drops the share afterwards. Counting is one
//! atomic operation for a share, and nothing waits, so a `fork` at any moment leaves a valid sum. In its child the sum still counts what
//! the parent's threads had in hand, which is an error to the safe side.

#![forbid(unsafe_code)]

use crate::config::config;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The least bound without `RIGZ_MEMORY`.
const DEFAULT: usize = 64 << 20;

/// For each thread, where there are many.
const FOR_EACH_THREAD: usize = 4 << 20;

/// Bytes in all shares. Only a sum: nothing else is read or written by its order, so all operations on it are relaxed.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// What the threads of the pool ask for. Written by whoever starts the pool, read by every request.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// Requests that were refused. Written by who was refused; owners of shares compare it with what it was earlier.
static REFUSALS: AtomicUsize = AtomicUsize::new(0);

/// Bytes that its owner may allocate. Dropping it gives them back.
#[derive(Debug, Default)]
pub struct Share {
    bytes: usize,
}

impl Share {
    /// Of no bytes.
    pub const fn none() -> Self {
        Self { bytes: 0 }
    }

    /// Of `bytes`; `None` when fewer are left.
    pub fn try_new(bytes: usize) -> Option<Self> {
        let mut share = Self::none();
        share.resize(bytes).then_some(share)
    }

    /// Of `bytes`, whether they are left or not: for what cannot be done without, so that others take less.
    pub fn overdrawn(bytes: usize) -> Self {
        IN_USE.fetch_add(bytes, Ordering::Relaxed);
        Self { bytes }
    }

    /// How many bytes it is.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes it `bytes`. False when fewer are left; then nothing is changed.
    #[must_use]
    pub fn resize(&mut self, bytes: usize) -> bool {
        if let Some(more) = bytes.checked_sub(self.bytes) {
            if more > 0 && !take(more) {
                return false;
            }
        } else {
            IN_USE.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        true
    }

    /// Adds as many of `wanted` units of `unit` bytes as are left, and returns how many these are: none if fewer than `least` are.
    pub fn add_units(&mut self, unit: usize, wanted: usize, least: usize) -> usize {
        let left = bound().saturating_sub(IN_USE.load(Ordering::Relaxed));
        let units = wanted.min(left / unit.max(1));
        // Another thread may have taken some since; then this is one refusal more than there need be.
        if units >= least && self.resize(self.bytes + units * unit) {
            return units;
        }
        REFUSALS.fetch_add(1, Ordering::Relaxed);
        0
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.bytes > 0 {
            IN_USE.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// Notes how many threads there are to be kept busy.
pub fn provide_for(threads: usize) {
    WANTED.fetch_max(threads.saturating_mul(FOR_EACH_THREAD), Ordering::Relaxed);
}

/// A number that changes when a request is refused. Who has more than it needs at the moment, and sees it change, should give it back.
pub fn refusals() -> usize {
    REFUSALS.load(Ordering::Relaxed)
}

/// The bytes that all shares together may have.
fn bound() -> usize {
    config().memory.unwrap_or_else(|| DEFAULT.max(WANTED.load(Ordering::Relaxed)))
}

fn take(bytes: usize) -> bool {
    let bound = bound();
    let add = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= bound);
    let is_taken = IN_USE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok();
    if !is_taken {
        REFUSALS.fetch_add(1, Ordering::Relaxed);
    }
    is_taken
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other tests of the process take shares meanwhile, so only differences that they cannot make are looked at.
    #[test]
    fn shares_never_exceed_the_bound_and_come_back() {
        assert!(Share::try_new(bound() + 1).is_none());
        let before = refusals();
        let mut share = Share::try_new(1 << 20).expect("a small part of the bound");
        assert!(!share.resize(bound() + 1));
        assert!(refusals() > before);
        assert_eq!(share.bytes(), 1 << 20);
        assert!(share.resize(10));
        assert_eq!(share.add_units(bound(), 3, 1), 0);
        assert_eq!(share.add_units(5, 3, 1), 3);
        assert_eq!(share.bytes(), 25);
    }

    #[test]
    fn threads_that_take_shares_at_once_leave_the_sum_right() {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for size in 0..1000 {
                        let overdrawn = Share::overdrawn(size);
                        assert!(IN_USE.load(Ordering::Relaxed) >= size);
                        drop((overdrawn, Share::try_new(size)));
                    }
                });
            }
        });
        // Nobody's difference is left: an unsigned sum that went below zero would be enormous.
        assert!(IN_USE.load(Ordering::Relaxed) < 1 << 40);
    }
}
