//! Locks and condition variables of the pipeline, in one place so that a model checker's can stand in.

pub(super) use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};

/// Locks, whatever a panicking holder left: every state that a job can be left in is a valid one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
