//! `Shared`: a value with several owners, in memory that may be refused.
//!
//! What `Arc` is, but `Arc::new` ends the process when there is no memory, and a library may not do that to its host. The
//! algorithm is the usual one: all strong owners together count as one weak one, the last strong owner drops the value, the last
//! weak one frees the memory. Counts are never large enough to overflow: a job has a handful of owners.

use super::Allocator;
use core::cell::UnsafeCell;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::Deref;
use core::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug)]
struct Place<T> {
    strong: AtomicUsize,
    /// Weak owners, and one more while there are strong ones.
    weak: AtomicUsize,
    /// Initialised while there are strong owners, and only read by them.
    value: UnsafeCell<MaybeUninit<T>>,
}

/// A strong owner: the value lives as long as one of them does.
#[derive(Debug)]
pub(crate) struct Shared<T>(NonNull<Place<T>>);

/// A weak owner: it may ask whether the value still lives.
#[derive(Debug)]
pub(crate) struct WeakShared<T>(NonNull<Place<T>>);

// SAFETY: owners in several threads read the value, and any of them may be the one that drops it.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above; a shared owner can be cloned.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}
// SAFETY: a weak owner can become a strong one.
unsafe impl<T: Send + Sync> Send for WeakShared<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for WeakShared<T> {}

impl<T> Shared<T> {
    /// The first owner of `value`; gives it back when memory is refused.
    pub(crate) fn try_new(value: T) -> Result<Self, T> {
        let place = Place {
            strong: AtomicUsize::new(1),
            weak: AtomicUsize::new(1),
            value: UnsafeCell::new(MaybeUninit::new(value)),
        };
        // SAFETY: nobody else has seen the value, which was initialised two lines above.
        Allocator::SYSTEM
            .place(place)
            .map(Self)
            .map_err(|place| unsafe { place.value.into_inner().assume_init() })
    }

    /// An owner that does not keep the value alive.
    pub(crate) fn downgrade(&self) -> WeakShared<T> {
        self.place().weak.fetch_add(1, Ordering::Relaxed);
        WeakShared(self.0)
    }

    /// The value, if this is the only strong owner; else the owner itself. In one step: there is no moment in which another owner may
    /// become the last.
    pub(crate) fn try_unwrap(self) -> Result<T, Self> {
        // Acquire: as in `release`.
        let strong = &self.place().strong;
        if strong.compare_exchange(1, 0, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return Err(self);
        }
        Ok(ManuallyDrop::new(self).take())
    }

    /// How many strong owners there are at this moment.
    pub(crate) fn owners(&self) -> usize {
        self.place().strong.load(Ordering::Acquire)
    }

    /// The value, if nobody else owns it.
    pub(crate) fn into_inner(self) -> Option<T> {
        let this = ManuallyDrop::new(self);
        this.release().then(|| this.take())
    }

    /// Moves the value out. Called once, by who was the last strong owner and is dropped no more.
    fn take(&self) -> T {
        // SAFETY: this was the last strong owner, so nobody reads the value any more, now or later.
        let value = unsafe { self.place().value.get().read() };
        drop(WeakShared(self.0));
        // SAFETY: it was initialised by `try_new` and is taken here only.
        unsafe { value.assume_init() }
    }

    /// Gives this owner's share up; true when it was the last.
    fn release(&self) -> bool {
        // Release and Acquire pair: what other owners did with the value happened before it is taken or dropped. In one operation,
        // since ThreadSanitizer does not know what a fence does.
        self.place().strong.fetch_sub(1, Ordering::AcqRel) == 1
    }

    fn place(&self) -> &Place<T> {
        // SAFETY: the place is not freed while there is an owner.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        self.place().strong.fetch_add(1, Ordering::Relaxed);
        Self(self.0)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: nobody writes to the value while there is a strong owner.
        let value = unsafe { &*self.place().value.get() };
        // SAFETY: it stays initialised while there is a strong owner.
        unsafe { value.assume_init_ref() }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if self.release() {
            // All strong owners' share in the place, given up even if dropping the value panics.
            let _share = WeakShared(self.0);
            // SAFETY: this was the last strong owner, so nobody else reads the value.
            let value = unsafe { &mut *self.place().value.get() };
            // SAFETY: it was initialised by `try_new` and is dropped here only.
            unsafe { value.assume_init_drop() };
        }
    }
}

impl<T> WeakShared<T> {
    /// A strong owner, if there still is another one.
    pub(crate) fn upgrade(&self) -> Option<Shared<T>> {
        let add = |strong: usize| (strong > 0).then_some(strong + 1);
        // Acquire: the value is seen as its makers left it.
        self.place()
            .strong
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, add)
            .ok()
            .map(|_| Shared(self.0))
    }

    fn place(&self) -> &Place<T> {
        // SAFETY: the place is not freed while there is an owner.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Drop for WeakShared<T> {
    fn drop(&mut self) {
        // As in `release`.
        if self.place().weak.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: `try_new` placed it, and the last owner takes it once. The value itself was taken before; `MaybeUninit`
            // drops nothing.
            let _: Place<T> = unsafe { Allocator::SYSTEM.take(self.0) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often it was dropped.
    struct Counted<'a>(&'a AtomicUsize);

    impl Counted<'_> {
        fn drops(&self) -> &AtomicUsize {
            self.0
        }
    }

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_last_strong_owner_drops_the_value() {
        let drops = AtomicUsize::new(0);
        let first = Shared::try_new(Counted(&drops)).ok().expect("malloc gives a few bytes");
        let (second, weak) = (first.clone(), first.downgrade());
        assert_eq!(first.owners(), 2);
        drop(first);
        assert_eq!(drops.load(Ordering::Relaxed), 0);
        assert!(weak.upgrade().is_some());
        drop(second);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn a_sole_owner_takes_the_value_out() {
        let first = Shared::try_new(String::from("chunk")).expect("malloc gives a few bytes");
        let (second, weak) = (first.clone(), first.downgrade());
        let first = Shared::try_unwrap(first).expect_err("there is another owner");
        assert_eq!(first.into_inner(), None);
        assert_eq!(second.try_unwrap().ok().as_deref(), Some("chunk"));
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn threads_that_upgrade_while_the_value_goes_see_it_whole_or_not_at_all() {
        for _ in 0..100 {
            let drops = AtomicUsize::new(0);
            let first = Shared::try_new(Counted(&drops)).ok().expect("malloc gives a few bytes");
            let weak = first.downgrade();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    if let Some(value) = weak.upgrade() {
                        let drops: &AtomicUsize = Counted::drops(&value);
                        assert_eq!(drops.load(Ordering::Relaxed), 0);
                    }
                });
                drop(first);
            });
            assert!(weak.upgrade().is_none());
            assert_eq!(drops.load(Ordering::Relaxed), 1);
        }
    }
}
