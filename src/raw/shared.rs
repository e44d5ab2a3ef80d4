//! `Shared`: a value with several owners, whose allocation may fail.
//!
//! Like `Arc`, but `Arc::new` aborts the process if there is no memory, which a library must not do. The
//! algorithm is the usual one: all strong owners together count as one weak one, the last strong owner drops the value, the last
//! weak one frees the memory. A value has a handful of owners. An overflowed count would free memory in use, so counting panics
//! long before.

use super::Allocator;
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;
use std::sync::atomic::Ordering;

#[cfg(loom)]
use loom::sync::atomic::AtomicUsize;
#[cfg(not(loom))]
use std::sync::atomic::AtomicUsize;

/// Work of any type, which any thread may do.
pub(crate) trait Task: Send + Sync {
    /// Does the work.
    fn run(&self);
}

struct Counted<T: ?Sized> {
    strong: AtomicUsize,
    /// Weak owners, and one more while there are strong ones.
    weak: AtomicUsize,
    /// Not dropped while there are strong owners, and only read by them.
    value: UnsafeCell<ManuallyDrop<T>>,
}

/// A strong owner: the value lives as long as one of them does.
pub(crate) struct Shared<T: ?Sized>(NonNull<Counted<T>>);

/// A weak owner: it can check whether the value still lives.
pub(crate) struct WeakShared<T: ?Sized>(NonNull<Counted<T>>);

// SAFETY: owners in several threads read the value (`Sync`), and any of them may take or drop it (`Send`).
unsafe impl<T: Send + Sync + ?Sized> Send for Shared<T> {}
// SAFETY: as above: through `&Shared` another thread can clone an owner.
unsafe impl<T: Send + Sync + ?Sized> Sync for Shared<T> {}
// SAFETY: a weak owner can become a strong one.
unsafe impl<T: Send + Sync + ?Sized> Send for WeakShared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync + ?Sized> Sync for WeakShared<T> {}

impl<T> Shared<T> {
    /// The first owner of `value`; returns `value` as the error if allocation fails.
    pub(crate) fn try_new(value: T) -> Result<Self, T> {
        let place = Counted {
            strong: AtomicUsize::new(1),
            weak: AtomicUsize::new(1),
            value: UnsafeCell::new(ManuallyDrop::new(value)),
        };
        Allocator::SYSTEM
            .place(place)
            .map(Self)
            .map_err(|place| ManuallyDrop::into_inner(place.value.into_inner()))
    }

    /// Gives up this owner; returns the value if it was the last strong one.
    pub(crate) fn into_inner(self) -> Option<T> {
        let this = ManuallyDrop::new(self);
        if !this.release() {
            return None;
        }
        // The weak count of all strong owners, as in `drop`.
        let _weak = WeakShared(this.0);
        // SAFETY: this was the last strong owner, so no other owner reads the value, now or later.
        let value = unsafe { &mut *this.counted().value.get() };
        // SAFETY: this owner's `drop` does not run, so the value is taken only here.
        Some(unsafe { ManuallyDrop::take(value) })
    }
}

impl<T: Task + 'static> Shared<T> {
    /// A weak owner, as `dyn Task`; it does not keep the value alive.
    pub(crate) fn downgrade(&self) -> WeakShared<dyn Task> {
        check_count(self.counted().weak.fetch_add(1, Ordering::Relaxed));
        WeakShared(self.0)
    }
}

impl<T: ?Sized> Shared<T> {
    /// Gives up this owner's count; true if it was the last.
    fn release(&self) -> bool {
        // Release orders this owner's accesses before the decrement; Acquire lets the last owner see all of them. One
        // operation, not Release and a fence, since ThreadSanitizer does not support fences.
        self.counted().strong.fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: the memory is not freed while there is an owner.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        check_count(self.counted().strong.fetch_add(1, Ordering::Relaxed));
        Self(self.0)
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the value is not written while there is a strong owner.
        unsafe { &*self.counted().value.get() }
    }
}

impl<T: ?Sized> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.release() {
            // The weak count of all strong owners, given up even if dropping the value panics.
            let _share = WeakShared(self.0);
            // SAFETY: this was the last strong owner, so no other owner reads the value.
            let value = unsafe { &mut *self.counted().value.get() };
            // SAFETY: the last owner drops the value once, here.
            unsafe { ManuallyDrop::drop(value) };
        }
    }
}

/// Panics if the count, `before` the increment, comes near overflow because owners were leaked.
fn check_count(before: usize) {
    assert!(before < usize::MAX / 2);
}

impl<T: ?Sized> WeakShared<T> {
    /// A strong owner, if there still is another one.
    pub(crate) fn upgrade(&self) -> Option<Shared<T>> {
        let add = |strong: usize| (strong > 0).then_some(strong + 1);
        // Acquire: this thread sees the complete value.
        self.counted()
            .strong
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, add)
            .ok()
            .map(|_| Shared(self.0))
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: the memory is not freed while there is an owner.
        unsafe { self.0.as_ref() }
    }
}

impl<T: ?Sized> Drop for WeakShared<T> {
    fn drop(&mut self) {
        // As in `release`.
        if self.counted().weak.fetch_sub(1, Ordering::AcqRel) == 1 {
            let (_, free, opaque) = Allocator::SYSTEM.parts();
            // SAFETY: `try_new` got the memory from the same allocator, the last owner frees it once, and the value was dropped
            // or taken before.
            unsafe { free(opaque, self.0.as_ptr().cast()) };
        }
    }
}

impl<T: fmt::Debug + ?Sized> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&&**self).finish()
    }
}

impl<T: ?Sized> fmt::Debug for WeakShared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakShared")
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Counts how often it was run and dropped.
    struct Probe {
        runs: Arc<AtomicUsize>,
        drops: Arc<AtomicUsize>,
    }

    impl Task for Probe {
        fn run(&self) {
            assert_eq!(self.drops.load(Ordering::Relaxed), 0);
            self.runs.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Drop for Probe {
        fn drop(&mut self) {
            self.drops.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A value and its drop counter.
    fn counted() -> (Shared<Probe>, Arc<AtomicUsize>) {
        let (runs, drops) = (Arc::default(), Arc::<AtomicUsize>::default());
        let value = Probe { runs, drops: Arc::clone(&drops) };
        (Shared::try_new(value).ok().expect("malloc returns a few bytes"), drops)
    }

    #[test]
    fn the_last_strong_owner_drops_the_value() {
        let (first, drops) = counted();
        let (second, weak) = (first.clone(), first.downgrade());
        drop(first);
        assert_eq!(drops.load(Ordering::Relaxed), 0);
        weak.upgrade().expect("an owner is left").run();
        assert_eq!(second.runs.load(Ordering::Relaxed), 1);
        drop(second);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn the_last_owner_takes_the_value_out() {
        let first = Shared::try_new(String::from("chunk")).expect("malloc returns a few bytes");
        let second = first.clone();
        assert_eq!(first.into_inner(), None);
        assert_eq!(second.into_inner().as_deref(), Some("chunk"));
    }

    #[test]
    fn threads_that_upgrade_while_the_value_is_dropped_see_it_whole_or_not_at_all() {
        for _ in 0..100 {
            let (first, drops) = counted();
            let weak = first.downgrade();
            let start = std::sync::Barrier::new(2);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    start.wait();
                    weak.upgrade().map(|value| value.run())
                });
                start.wait();
                drop(first);
            });
            assert!(weak.upgrade().is_none());
            assert_eq!(drops.load(Ordering::Relaxed), 1);
        }
    }
}
