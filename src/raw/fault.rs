//! Panics on order: how the tests find out what a panic of ours does to a host.
//!
//! The code has *points* at which a panic would be as bad as anywhere. They are nothing unless the library was built with the
//! feature `faults`, which `build.rs` refuses in a release; then it exports `rigz_fault(point, count)`, and the `count`th time that any
//! thread comes by the point it panics, once.

/// Where a panic can be ordered; C knows them by these numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Point {
    /// At the beginning of an export.
    Call = 0,
    /// In a job, on whatever thread does it.
    Job = 1,
    /// In `deflate`, when input and output were exchanged and nothing is settled.
    Deflate = 2,
    /// The same in `inflate`.
    Inflate = 3,
    /// In a gzFile, behind a write to its descriptor or a read from it.
    File = 4,
}

/// Panics if that was ordered.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub(crate) fn point(_: Point) {}

#[cfg(feature = "faults")]
pub(crate) use ordered::point;

#[cfg(feature = "faults")]
mod ordered {
    use super::Point;
    use core::ffi::{c_int, c_uint};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// How many more times each point is passed before it panics, plus one; 0 is never.
    static COUNTS: [AtomicU32; 5] = [const { AtomicU32::new(0) }; 5];

    pub(crate) fn point(point: Point) {
        let next = |count: u32| count.checked_sub(1);
        if COUNTS[point as usize].fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) == Ok(1) {
            panic!("a fault was ordered at {point:?}");
        }
    }

    /// Orders a panic at `point` when it is passed for the `count`th time from now; 0 takes the order back. Tells how many passes
    /// were left of the order before: 0 when it was carried out.
    #[unsafe(no_mangle)]
    extern "C" fn rigz_fault(point: c_int, count: c_uint) -> c_uint {
        COUNTS.get(point as usize).map_or(0, |counter| counter.swap(count, Ordering::Relaxed))
    }
}
