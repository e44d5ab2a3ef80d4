//! loom's locks, and shared ownership whose every count is a step that loom can interleave.
//!
//! loom's own `Arc` has no weak references. Here the strong count is loom's atomic number and decides; std's `Arc` only keeps the
//! memory, and its count is never behind: a handle gives the memory up in the same step in which it was counted out.

use std::ops::Deref;
use std::sync::Arc as Shared;

use loom::sync::atomic::{AtomicUsize, Ordering};

pub(super) use loom::sync::{Condvar, Mutex, MutexGuard};
pub(super) use loom::thread::yield_now;

/// As `pipeline::sync::lock`.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// As `pipeline::sync::model` under `cfg(loom)`.
pub(super) mod model {
    use std::time::Duration;

    pub(in super::super) use super::lock;
    pub(in super::super) use loom::sync::{Condvar, Mutex, MutexGuard, atomic::AtomicBool};

    /// loom knows no time: patience is none or endless.
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

#[derive(Debug)]
pub(super) struct Arc<T> {
    /// `None` once this handle was counted out.
    value: Option<Shared<T>>,
    strong: Shared<AtomicUsize>,
}

#[derive(Debug)]
pub(super) struct Weak<T> {
    value: std::sync::Weak<T>,
    strong: Shared<AtomicUsize>,
}

impl<T> Arc<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value: Some(Shared::new(value)), strong: Shared::new(AtomicUsize::new(1)) }
    }

    pub(super) fn downgrade(this: &Self) -> Weak<T> {
        Weak { value: Shared::downgrade(this.shared()), strong: Shared::clone(&this.strong) }
    }

    pub(super) fn strong_count(this: &Self) -> usize {
        this.strong.load(Ordering::Acquire)
    }

    pub(super) fn into_inner(mut this: Self) -> Option<T> {
        let is_last = this.strong.fetch_sub(1, Ordering::AcqRel) == 1;
        let value = this.value.take()?;
        match is_last {
            true => Some(Shared::into_inner(value).expect("the last handle has the memory alone")),
            false => None,
        }
    }

    pub(super) fn try_unwrap(mut this: Self) -> Result<T, Self> {
        if this.strong.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return Err(this);
        }
        let value = this.value.take().expect("a handle that is in use was not counted out");
        Ok(Shared::into_inner(value).expect("the last handle has the memory alone"))
    }

    fn shared(&self) -> &Shared<T> {
        self.value.as_ref().expect("a handle that is in use was not counted out")
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        self.strong.fetch_add(1, Ordering::Relaxed);
        Self { value: Some(Shared::clone(self.shared())), strong: Shared::clone(&self.strong) }
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.shared()
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        if self.value.is_some() {
            self.strong.fetch_sub(1, Ordering::AcqRel);
            self.value = None;
        }
    }
}

impl<T> Weak<T> {
    pub(super) fn upgrade(&self) -> Option<Arc<T>> {
        let mut count = self.strong.load(Ordering::Relaxed);
        while count != 0 {
            match self.strong.compare_exchange(count, count + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    let value = self.value.upgrade().expect("the memory outlives the count");
                    return Some(Arc { value: Some(value), strong: Shared::clone(&self.strong) });
                }
                Err(now) => count = now,
            }
        }
        None
    }
}
