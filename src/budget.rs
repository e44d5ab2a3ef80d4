//! `Share`: a part of the memory that the library may use for speed.
//!
//! zlib allocates a known amount of memory when a program creates a stream. This library uses more memory to be fast: chunks in
//! the pipeline, results decoded ahead of a reader, checkpoints, tables, cached buffers. Their total is bounded for the whole
//! process. Code that needs such memory first takes a share of the bound. If it gets none, the stream is compressed or decoded
//! serially, as in zlib.
//!
//! The bound is 64 MiB, or 4 MiB for each thread of the pool if that is more, since with less there would be too few jobs to
//! keep all threads busy. `RIGZ_MEMORY` sets another one.
//!
//! A share is a number, not memory: its owner allocates and frees the memory, and drops the share afterwards. Taking a share is
//! one atomic operation without locks, so the sum is valid after a `fork` at any moment. In the child the sum still includes the
//! shares of the parent's threads, so the child gets less memory rather than too much.

#![forbid(unsafe_code)]

use crate::config::config;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The smallest bound if `RIGZ_MEMORY` is not set.
const DEFAULT: usize = 64 << 20;

/// Bytes per thread, if this gives a larger bound.
const FOR_EACH_THREAD: usize = 4 << 20;

/// Bytes in all shares. No other memory access is ordered by it, so all operations on it are relaxed.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// The bound that the pool's threads need. Written by the thread that creates the pool, read by every request.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// The number of refused requests. Owners of shares compare it with an earlier value.
static REFUSALS: AtomicUsize = AtomicUsize::new(0);

/// Bytes that its owner may allocate. Dropping it returns them.
#[derive(Debug, Default)]
pub struct Share {
    bytes: usize,
}

impl Share {
    /// A share of 0 bytes.
    pub const fn none() -> Self {
        Self { bytes: 0 }
    }

    /// A share of `bytes`; `None` if fewer are left.
    pub fn try_new(bytes: usize) -> Option<Self> {
        let mut share = Self::none();
        share.resize(bytes).then_some(share)
    }

    /// A share of `bytes`, even if fewer are left: for indispensable memory, so that others get less.
    pub fn overdrawn(bytes: usize) -> Self {
        IN_USE.fetch_add(bytes, Ordering::Relaxed);
        Self { bytes }
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Changes the size to `bytes`. Returns false, and changes nothing, if too few are left.
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

    /// Adds up to `wanted` units of `unit` bytes, as far as they are left, and returns their number: 0 if fewer than `least` are
    /// left.
    pub fn add_units(&mut self, unit: usize, wanted: usize, least: usize) -> usize {
        let left = bound().saturating_sub(IN_USE.load(Ordering::Relaxed));
        let units = wanted.min(left / unit.max(1));
        // `resize` fails if another thread has taken some meanwhile: an unnecessary refusal, but harmless.
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

/// Raises the bound so that it suffices for `threads` threads.
pub fn provide_for(threads: usize) {
    WANTED.fetch_max(threads.saturating_mul(FOR_EACH_THREAD), Ordering::Relaxed);
}

/// A number that changes when a request is refused. An owner that holds more than it needs should return it when this changes.
pub fn refusals() -> usize {
    REFUSALS.load(Ordering::Relaxed)
}

/// The maximum number of bytes in all shares.
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

    /// Other tests of the process take shares at the same time, so this checks only values that they cannot change.
    #[test]
    fn shares_never_exceed_the_bound_and_are_returned() {
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
        // All shares were returned once: an unsigned sum below zero would be enormous.
        assert!(IN_USE.load(Ordering::Relaxed) < 1 << 40);
    }
}
