//! The user's local time, which only the C library can compute.

use std::mem::MaybeUninit;

/// Month (from 0), day, hour and minute of a time in seconds since 1970.
pub(crate) fn local(seconds: i64) -> (usize, i32, i32, i32) {
    let mut parts = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: the time is readable and `parts` writable.
    let converted = unsafe { libc::localtime_r(&raw const seconds, parts.as_mut_ptr()) };
    if converted.is_null() {
        // The year does not fit.
        return (usize::MAX, 0, 0, 0);
    }
    // SAFETY: a result that is not null is `parts`, filled.
    let parts = unsafe { parts.assume_init() };
    (usize::try_from(parts.tm_mon).unwrap_or(usize::MAX), parts.tm_mday, parts.tm_hour, parts.tm_min)
}
