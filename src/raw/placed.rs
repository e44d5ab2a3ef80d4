//! `Placed`: one value in memory of an [`Allocator`]. Like `Box`, for any such allocator; fails with [`Error::Memory`] if
//! allocation fails.

use super::Allocator;
use crate::error::{Error, Result};
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// A value's only owner. With a foreign allocator it must be dropped on the host's thread.
#[derive(Debug)]
pub struct Placed<T> {
    place: NonNull<T>,
    allocator: Allocator,
}

// SAFETY: the value is owned alone; for the threads on which the allocator is called see `Allocator::foreign`.
unsafe impl<T: Send> Send for Placed<T> {}
// SAFETY: a shared owner only lends the value.
unsafe impl<T: Sync> Sync for Placed<T> {}

/// A type for which all-zero bytes are a valid value.
///
/// # Safety
/// - Zero bytes of the type's size and alignment are a valid value of the type.
pub unsafe trait Zeroed {}

impl<T: Zeroed> Placed<T> {
    /// A value of zeros, made in its final place: [`try_new`](Self::try_new) would move a large value over the stack, perhaps
    /// several times, and a host's thread may have a very small stack.
    pub fn zeroed(allocator: Allocator) -> Result<Self> {
        let mut place = Placed::try_new(MaybeUninit::<T>::uninit(), allocator)?;
        // SAFETY: the memory is that of one `T`, and ours.
        unsafe { place.as_mut_ptr().write_bytes(0, 1) };
        let place = core::mem::ManuallyDrop::new(place);
        Ok(Self { place: place.place.cast(), allocator })
    }
}

impl<T: Copy> Placed<T> {
    /// A copy of `value`, made in its final place, for the same reason.
    pub fn copy_of(value: &T, allocator: Allocator) -> Result<Self> {
        let mut place = Placed::try_new(MaybeUninit::<T>::uninit(), allocator)?;
        // SAFETY: `value` is one `T`, which may be copied bytewise, and the new memory is apart from it.
        unsafe { place.as_mut_ptr().copy_from_nonoverlapping(value, 1) };
        let place = core::mem::ManuallyDrop::new(place);
        Ok(Self { place: place.place.cast(), allocator })
    }
}

impl<T> Placed<T> {
    /// Moves `value` into memory of `allocator`.
    pub fn try_new(value: T, allocator: Allocator) -> Result<Self> {
        let place = allocator.place(value).map_err(|_| Error::Memory)?;
        Ok(Self { place, allocator })
    }
}

impl<T: Zeroed + Clone> Placed<T> {
    /// A copy in memory of the same allocator.
    pub fn try_clone(&self) -> Result<Self> {
        let mut copy = Self::zeroed(self.allocator)?;
        copy.clone_from(self);
        Ok(copy)
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `place` holds a value for as long as `self` lives, and no other pointer to it exists.
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
        // SAFETY: it was placed with this allocator, and ends here.
        unsafe { self.allocator.discard(self.place) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tables([u32; 1000]);
    // SAFETY: numbers may be zero.
    unsafe impl Zeroed for Tables {}

    #[test]
    fn a_value_of_zeros_is_changed_in_its_place() {
        let mut tables = Placed::<Tables>::zeroed(Allocator::SYSTEM).expect("malloc returns 4 KB");
        assert!(tables.0.iter().all(|&entry| entry == 0));
        tables.0[999] = 7;
        let copy = Placed::copy_of(&tables.0, Allocator::SYSTEM).expect("malloc returns 4 KB");
        assert_eq!(copy[998..], [0, 7]);
    }

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
