//! Fault injection: panics at a chosen point, so that tests can check the effect of our panics on a host.
//!
//! The code has *points* at places where a panic does the most harm. They compile to nothing unless the library is built with the
//! feature `faults`, which `build.rs` rejects in a release. With it the library exports `rigz_fault(point, count)`: the `count`th
//! time that any thread passes the point, it panics, once.

/// Where a panic can be injected; C passes these numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Point {
    /// At the beginning of an export.
    Call = 0,
    /// In a job, on whatever thread does it.
    Job = 1,
    /// In `deflate`, after it has moved input and output but before it has updated the stream.
    Deflate = 2,
    /// The same in `inflate`.
    Inflate = 3,
    /// In a gzFile, before each read from its descriptor or write to it.
    File = 4,
}

/// Panics if a fault was injected here.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub(crate) fn point(_: Point) {}

#[cfg(feature = "faults")]
pub(crate) use injected::point;

#[cfg(feature = "faults")]
mod injected {
    use super::Point;
    use core::ffi::{c_int, c_uint};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// How many more times each point is passed before it panics, plus one; 0 means never.
    static COUNTS: [AtomicU32; 5] = [const { AtomicU32::new(0) }; 5];

    pub(crate) fn point(point: Point) {
        let next = |count: u32| count.checked_sub(1);
        if COUNTS[point as usize].fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) == Ok(1) {
            panic!("a fault was injected at {point:?}");
        }
    }

    /// Injects a panic at `point` for the `count`th pass from now; 0 cancels it. Returns how many passes the previous injection
    /// had left: 0 if it has panicked.
    #[unsafe(no_mangle)]
    extern "C" fn rigz_fault(point: c_int, count: c_uint) -> c_uint {
        COUNTS.get(point as usize).map_or(0, |counter| counter.swap(count, Ordering::Relaxed))
    }
}
