//! `Placed`: one value in memory of an [`Allocator`], which may refuse it. What `Box` is to the system's allocator.

use super::Allocator;
use crate::error::{Error, Result};
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// A value's only owner. Whoever drops one of a foreign allocator does so on the host's thread.
#[derive(Debug)]
pub struct Placed<T> {
    place: NonNull<T>,
    allocator: Allocator,
}

// SAFETY: the value is owned alone; for the threads on which the allocator is called see `Allocator::foreign`.
unsafe impl<T: Send> Send for Placed<T> {}
// SAFETY: a shared owner only lends the value.
unsafe impl<T: Sync> Sync for Placed<T> {}

impl<T> Placed<T> {
    /// Moves `value` there.
    pub fn try_new(value: T, allocator: Allocator) -> Result<Self> {
        let place = allocator.place(value).map_err(|_| Error::Memory)?;
        Ok(Self { place, allocator })
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `place` holds a value for as long as `self` lives, and nobody else knows of it.
        unsafe { self.place.as_ref() }
    }
}

impl<T> DerefMut for Placed<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `&mut self` makes this the only reference.
        unsafe { self.place.as_mut() }
    }
}

impl<T> Drop for Placed<T> {
    fn drop(&mut self) {
        // SAFETY: `try_new` placed it with this allocator, and it is taken once, here.
        drop(unsafe { self.allocator.take(self.place) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_changed_in_its_place_and_dropped_with_its_owner() {
        let watched = std::rc::Rc::new(());
        let mut placed = Placed::try_new((1, watched.clone()), Allocator::SYSTEM).expect("16 bytes");
        placed.0 += 1;
        assert_eq!((placed.0, std::rc::Rc::strong_count(&watched)), (2, 2));
        drop(placed);
        assert_eq!(std::rc::Rc::strong_count(&watched), 1);
    }
}
