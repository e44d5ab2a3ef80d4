//! Locks, condition variables and shared ownership of the pipeline, in one place so that a model checker's can stand in: `proof/` runs
//! the ring and its jobs with loom's in the place of this file.

pub(super) use crate::raw::shared::{Shared, WeakShared};
pub(super) use std::sync::{Condvar, Mutex, MutexGuard};
pub(super) use std::thread::yield_now;

/// Locks, whatever a panicking holder left: every state that a job can be left in is a valid one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits to be told, and locks again.
pub(super) fn wait<'a, T>(told: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    told.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The same for what loom checks, with its types in their place under `cfg(loom)`.
pub(super) mod model {
    #[cfg(loom)]
    pub(in super::super) use loom::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};
    #[cfg(not(loom))]
    pub(in super::super) use std::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};
    use std::time::Duration;

    pub(in super::super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits on `condvar` while `goes_on`, as long as `patience` goes.
    #[cfg(not(loom))]
    pub(in super::super) fn wait<'a, T>(
        condvar: &Condvar,
        guard: MutexGuard<'a, T>,
        patience: Duration,
        mut goes_on: impl FnMut(&T) -> bool,
    ) -> MutexGuard<'a, T> {
        condvar
            .wait_timeout_while(guard, patience, |state| goes_on(state))
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .0
    }

    /// loom knows no time: patience is none or endless.
    #[cfg(loom)]
    pub(in super::super) fn wait<'a, T>(
        condvar: &Condvar,
        mut guard: MutexGuard<'a, T>,
        patience: Duration,
        mut goes_on: impl FnMut(&T) -> bool,
    ) -> MutexGuard<'a, T> {
        while patience != Duration::ZERO && goes_on(&guard) {
            guard = condvar.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        guard
    }
}
