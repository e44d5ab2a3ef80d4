//! `Allocator`: the host's `zalloc`/`zfree` pair, or the system's.
//!
//! zlib lets a program supply its own allocator per stream. If it does, the stream's own memory, the part that zlib would also
//! allocate, comes from it, on the calling thread only. All other memory comes from `malloc`. Either may fail.

use core::alloc::Layout;
use core::ffi::{c_uint, c_void};
use core::ptr::NonNull;

/// zlib's `alloc_func`: `opaque, items, size`; returns null on failure.
pub type AllocFn = unsafe extern "C" fn(*mut c_void, c_uint, c_uint) -> *mut c_void;
/// zlib's `free_func`: `opaque, address`.
pub type FreeFn = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// Where a stream's own memory comes from.
#[derive(Clone, Copy, Debug)]
pub struct Allocator {
    alloc: AllocFn,
    free: FreeFn,
    opaque: *mut c_void,
}

// SAFETY: the value only holds two function pointers and an argument. Its creator guaranteed that they may be
// called on every thread that uses it.
unsafe impl Send for Allocator {}
// SAFETY: as above.
unsafe impl Sync for Allocator {}

impl Allocator {
    /// The system's allocator.
    pub const SYSTEM: Self = Self { alloc: system_alloc, free: system_free, opaque: core::ptr::null_mut() };

    /// The host's allocator.
    ///
    /// # Safety
    /// - `alloc` returns null or memory for `items * size` bytes, aligned as `malloc` does, that lives until `free`.
    /// - Both may be called with `opaque` for as long as this value or anything allocated by it lives.
    /// - Both may be called on every thread that makes, grows or drops a value allocated here. Such values are `Send`: code that
    ///   sends one to a thread on which the host must not be called has to get it back before it is grown or dropped.
    pub unsafe fn foreign(alloc: AllocFn, free: FreeFn, opaque: *mut c_void) -> Self {
        Self { alloc, free, opaque }
    }

    /// Whether both functions are the system's, which any thread may call.
    pub fn is_system(&self) -> bool {
        core::ptr::fn_addr_eq(self.alloc, system_alloc as AllocFn)
            && core::ptr::fn_addr_eq(self.free, system_free as FreeFn)
    }

    /// The triple that C passes.
    pub fn parts(&self) -> (AllocFn, FreeFn, *mut c_void) {
        (self.alloc, self.free, self.opaque)
    }

    /// Moves `value` into memory of this allocator; returns it as the error if allocation fails.
    #[inline(always)]
    pub fn place<T>(&self, value: T) -> Result<NonNull<T>, T> {
        const { assert!(align_of::<T>() <= 16, "malloc and zalloc align to 16 bytes") };
        const { assert!(size_of::<T>() <= c_uint::MAX as usize, "zalloc counts in 32 bits") };
        // SAFETY: the constructor's contract allows the call.
        let memory = unsafe { (self.alloc)(self.opaque, size_of::<T>() as c_uint, 1) }.cast::<T>();
        match NonNull::new(memory) {
            Some(place) => {
                // SAFETY: freshly allocated for one `T`, aligned as asserted above.
                unsafe { place.write(value) };
                Ok(place)
            }
            None => Err(value),
        }
    }

    /// Drops in place a value that [`place`](Self::place) of the same allocator returned, and frees its memory.
    ///
    /// # Safety
    /// - `place` came from `place` of an equal allocator, and is not used after this.
    pub unsafe fn discard<T>(&self, place: NonNull<T>) {
        // SAFETY: the caller guarantees that a `T` lives there, and that it is not used after this.
        unsafe { place.drop_in_place() };
        // SAFETY: the memory came from `alloc` of the same pair, and its value is gone.
        unsafe { (self.free)(self.opaque, place.as_ptr().cast()) };
    }

    /// Moves a value out of memory that [`place`](Self::place) of the same allocator returned, and frees the memory.
    ///
    /// # Safety
    /// - `place` came from `place` of an equal allocator and was not taken before.
    pub unsafe fn take<T>(&self, place: NonNull<T>) -> T {
        // SAFETY: the caller guarantees that a `T` lives there.
        let value = unsafe { place.read() };
        // SAFETY: the memory came from `alloc` of the same pair, and its value was moved out.
        unsafe { (self.free)(self.opaque, place.as_ptr().cast()) };
        value
    }
}

/// `len` zero bytes; `None` if allocation fails. Pages that are fresh from the system are not touched.
pub fn zeroed_bytes(len: usize) -> Option<Vec<u8>> {
    let layout = Layout::array::<u8>(len).ok().filter(|_| len > 0)?;
    // SAFETY: the layout has at least one byte.
    let start = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })?;
    // SAFETY: the global allocator returned `len` bytes, all of them zero.
    Some(unsafe { Vec::from_raw_parts(start.as_ptr(), len, len) })
}

/// `zalloc` by `malloc`.
pub(crate) unsafe extern "C" fn system_alloc(_: *mut c_void, items: c_uint, size: c_uint) -> *mut c_void {
    match (items as usize).checked_mul(size as usize) {
        // SAFETY: `malloc` may be called with any size.
        Some(bytes) => unsafe { libc::malloc(bytes) },
        None => core::ptr::null_mut(),
    }
}

/// `zfree` by `free`.
pub(crate) unsafe extern "C" fn system_free(_: *mut c_void, address: *mut c_void) {
    // SAFETY: `address` came from `system_alloc`, as `FreeFn` requires of its caller.
    unsafe { libc::free(address) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placed_value_can_be_taken_out() {
        let place = Allocator::SYSTEM.place(String::from("window")).expect("malloc returns 24 bytes");
        // SAFETY: placed one line above.
        assert_eq!(unsafe { Allocator::SYSTEM.take(place) }, "window");
    }

    #[test]
    fn a_failed_allocation_returns_the_value() {
        unsafe extern "C" fn refuse(_: *mut c_void, _: c_uint, _: c_uint) -> *mut c_void {
            core::ptr::null_mut()
        }
        // SAFETY: `refuse` always returns null, so `free` is never called.
        let allocator = unsafe { Allocator::foreign(refuse, system_free, core::ptr::null_mut()) };
        assert_eq!(allocator.place(7u64), Err(7));
    }
}
