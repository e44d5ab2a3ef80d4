//! Locks, condition variables and shared ownership of the pool and its users. Under `cfg(loom)` they are loom's, so that
//! models run the same code (scripts/loom).

pub(crate) use crate::raw::shared::{Shared, WeakShared};
#[cfg(loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool, atomic::AtomicUsize};
#[cfg(not(loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool, atomic::AtomicUsize};
use std::time::Duration;

/// Locks, and ignores poisoning: every state that a panicking holder can leave is valid.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits until notified or woken spuriously, and locks again.
pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Waits while `goes_on` returns true, but no longer than `patience`.
#[cfg(not(loom))]
pub(crate) fn wait_while<'a, T>(
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

/// loom does not model time: `Duration::MAX` waits without limit, anything else not at all.
#[cfg(loom)]
pub(crate) fn wait_while<'a, T>(
    condvar: &Condvar,
    mut guard: MutexGuard<'a, T>,
    patience: Duration,
    mut goes_on: impl FnMut(&T) -> bool,
) -> MutexGuard<'a, T> {
    while patience == Duration::MAX && goes_on(&guard) {
        guard = wait(condvar, guard);
    }
    guard
}
