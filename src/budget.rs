//! `Share`: a part of the memory budget, which limits the memory that the library uses for speed.
//!
//! zlib allocates a known amount of memory per stream. This library uses more memory to be fast: chunks in the pipeline, results
//! decoded ahead of a reader, checkpoints, tables, larger buffers. Code that needs such memory first takes a share of the budget,
//! which all streams of the process have in common. If it gets none, it works without: a stream is compressed or decoded
//! serially, a reader keeps its small buffers or omits a checkpoint.
//!
//! The limit is 64 MiB, or 4 MiB for each thread of the pool if that is more, since with less there would be too few jobs to
//! keep all threads busy. `RIGZ_MEMORY` sets another limit. Memory that a stream cannot do without, such as an engine, is
//! counted too, but allowed even if it exceeds the limit (`Share::overdrawn`); then other requests get less.
//!
//! A share is a number, not memory: its owner allocates and frees the memory, and drops the share afterwards. The sum of all
//! shares is one atomic variable and has no lock, so it is valid after a `fork` at any moment. In the child it still includes the
//! shares of the parent's threads, so the child gets less memory rather than too much.

#![forbid(unsafe_code)]

use crate::config::config;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The smallest limit if `RIGZ_MEMORY` is not set.
const DEFAULT_LIMIT: usize = 64 << 20;

/// Bytes per thread, if this makes the limit larger.
const BYTES_PER_THREAD: usize = 4 << 20;

/// Bytes in all shares. No other memory access is ordered by it, so all operations on it are relaxed.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// The limit that the pool's threads need. Written by the thread that creates the pool, read by every request.
static POOL_LIMIT: AtomicUsize = AtomicUsize::new(0);

/// The number of refused requests. Owners of shares compare it with an earlier value.
static REFUSALS: AtomicUsize = AtomicUsize::new(0);

/// Bytes that its owner may allocate. Dropping it returns them to the budget.
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

    /// A share of `bytes`, even if this exceeds the limit: for indispensable memory. It is counted, so later requests get less.
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
            if more > 0 && !try_take(more) {
                return false;
            }
        } else {
            IN_USE.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        true
    }

    /// Adds as many units of `unit` bytes as are left, at most `wanted`, and returns their number. Adds none and returns 0 if
    /// fewer than `least` are left.
    pub fn add_units(&mut self, unit: usize, wanted: usize, least: usize) -> usize {
        let left = limit().saturating_sub(IN_USE.load(Ordering::Relaxed));
        let units = wanted.min(left / unit.max(1));
        // `resize` fails if another thread has taken some of them meanwhile. Fewer units might still fit, but a refusal is
        // harmless.
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

/// Raises the default limit so that it suffices for `threads` threads.
pub fn provide_for(threads: usize) {
    POOL_LIMIT.fetch_max(threads.saturating_mul(BYTES_PER_THREAD), Ordering::Relaxed);
}

/// A number that changes when a request is refused. An owner that holds more than it needs should return it when this changes.
pub fn refusals() -> usize {
    REFUSALS.load(Ordering::Relaxed)
}

/// The number of bytes in all shares up to which requests succeed.
fn limit() -> usize {
    config().memory.unwrap_or_else(|| DEFAULT_LIMIT.max(POOL_LIMIT.load(Ordering::Relaxed)))
}

/// Adds `bytes` to the sum of all shares. Returns false, and counts a refusal, if the sum would exceed the limit.
fn try_take(bytes: usize) -> bool {
    let limit = limit();
    let add = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= limit);
    let is_taken = IN_USE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok();
    if !is_taken {
        REFUSALS.fetch_add(1, Ordering::Relaxed);
    }
    is_taken
}

#[cfg(test)]
mod tests {
    use super::*;

    // Other tests of the process take shares at the same time, so these tests check only values that they cannot change.

    #[test]
    fn a_request_beyond_the_limit_is_refused_and_counted() {
        let before = refusals();
        assert!(Share::try_new(limit() + 1).is_none());
        let refused_new = refusals();
        assert!(refused_new > before);
        let mut share = Share::try_new(1 << 20).expect("a small part of the budget");
        assert!(!share.resize(limit() + 1));
        let refused_resize = refusals();
        assert!(refused_resize > refused_new);
        assert_eq!(share.add_units(limit(), 3, 1), 0);
        assert!(refusals() > refused_resize);
        assert_eq!(share.bytes(), 1 << 20, "a refusal changes nothing");
    }

    #[test]
    fn a_share_shrinks_and_grows_by_units() {
        let mut share = Share::try_new(1 << 20).expect("a small part of the budget");
        assert!(share.resize(10));
        assert_eq!(share.add_units(5, 3, 1), 3);
        assert_eq!(share.bytes(), 25);
    }

    #[test]
    fn dropped_and_shrunk_shares_return_their_bytes() {
        const MIB: usize = 1 << 20;
        // Together these are more than twice the limit.
        for _ in 0..=limit() / MIB {
            let mut shrunk = Share::try_new(MIB).expect("a small part of the budget");
            assert!(shrunk.resize(0));
            drop(Share::try_new(MIB).expect("a small part of the budget"));
        }
    }

    #[test]
    fn threads_that_take_shares_at_once_return_no_more_than_they_took() {
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
        // A sum below zero would wrap to an enormous number.
        assert!(IN_USE.load(Ordering::Relaxed) < 1 << 40);
    }
}
