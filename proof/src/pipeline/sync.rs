//! loom's locks, and shared ownership whose every count is a step that loom can interleave.
//!
//! It stands for `raw::shared`; loom's own `Arc` has no weak references. Here the strong count is loom's atomic number and decides; std's `Arc` only keeps the
//! memory, and its count is never behind: a handle gives the memory up in the same step in which it was counted out.

use std::ops::Deref;
use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};

pub(super) use loom::sync::{Condvar, Mutex, MutexGuard};
pub(super) use loom::thread::yield_now;

/// As `pipeline::sync::lock`.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// As `pipeline::sync::wait`.
pub(super) fn wait<'a, T>(told: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    told.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner)
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

/// Stands for `raw::shared::Shared`.
#[derive(Debug)]
pub(super) struct Shared<T> {
    /// `None` once this handle was counted out.
    value: Option<Arc<T>>,
    strong: Arc<AtomicUsize>,
}

#[derive(Debug)]
pub(super) struct WeakShared<T> {
    value: std::sync::Weak<T>,
    strong: Arc<AtomicUsize>,
}

impl<T> Shared<T> {
    /// Never refused here.
    pub(super) fn try_new(value: T) -> Result<Self, T> {
        Ok(Self { value: Some(Arc::new(value)), strong: Arc::new(AtomicUsize::new(1)) })
    }

    pub(super) fn downgrade(&self) -> WeakShared<T> {
        WeakShared { value: Arc::downgrade(self.shared()), strong: Arc::clone(&self.strong) }
    }

    pub(super) fn owners(&self) -> usize {
        self.strong.load(Ordering::Acquire)
    }

    pub(super) fn into_inner(mut self) -> Option<T> {
        let is_last = self.strong.fetch_sub(1, Ordering::AcqRel) == 1;
        let value = self.value.take()?;
        match is_last {
            true => Some(Arc::into_inner(value).expect("the last handle has the memory alone")),
            false => None,
        }
    }

    pub(super) fn try_unwrap(mut self) -> Result<T, Self> {
        if self.strong.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return Err(self);
        }
        let value = self.value.take().expect("a handle that is in use was not counted out");
        Ok(Arc::into_inner(value).expect("the last handle has the memory alone"))
    }

    fn shared(&self) -> &Arc<T> {
        self.value.as_ref().expect("a handle that is in use was not counted out")
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        self.strong.fetch_add(1, Ordering::Relaxed);
        Self { value: Some(Arc::clone(self.shared())), strong: Arc::clone(&self.strong) }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.shared()
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.value.is_some() {
            self.strong.fetch_sub(1, Ordering::AcqRel);
            self.value = None;
        }
    }
}

impl<T> WeakShared<T> {
    pub(super) fn upgrade(&self) -> Option<Shared<T>> {
        let mut count = self.strong.load(Ordering::Relaxed);
        while count != 0 {
            match self.strong.compare_exchange(count, count + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    let value = self.value.upgrade().expect("the memory outlives the count");
                    return Some(Shared { value: Some(value), strong: Arc::clone(&self.strong) });
                }
                Err(now) => count = now,
            }
        }
        None
    }
}
