//! Locks, condition variables and shared ownership of the pipeline, in one place so that a model checker's can stand in: `proof/` runs
//! the ring and its jobs with loom's in the place of this file.

pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
pub(super) use std::thread::yield_now;

/// Locks, whatever a panicking holder left: every state that a job can be left in is a valid one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
