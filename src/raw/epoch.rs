//! `Epoch`: distinguishes a process from the processes it forks.
//!
//! Threads do not survive a `fork`: the child's memory shows whatever the parent's workers were doing at that moment, and no
//! thread will finish it. So everything that workers may hold carries the epoch of the process in which they received it.
//!
//! The epoch is a number on a page that the kernel zeroes in every child (`MADV_WIPEONFORK`, Linux 4.14), raw `clone` calls
//! included, also those into a new PID namespace, where the child may have its parent's process id. The first caller that reads
//! zero writes a new number. A `vfork` child shares its parent's memory and threads, and reads its parent's number. Reading
//! the epoch is one load.
//!
//! If the kernel has no such page, an `atfork` handler counts forks, and `getpid` is compared too, because a raw `clone`
//! runs no handlers.

use core::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// A process between two forks. Threads that were started in another epoch do not exist in this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(u64);

/// The page's first word, or [`NO_PAGE`]; null before the first request for a page. Written once per process and inherited by
/// its children. Release and Acquire pair: the word is mapped before a reader sees its address.
static WORD: AtomicPtr<AtomicU64> = AtomicPtr::new(core::ptr::null_mut());

/// The address of this word means "the kernel has no such page".
static NO_PAGE: AtomicU64 = AtomicU64::new(0);

/// The last epoch number that this process or any of its ancestors assigned.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Forks counted by the handler; used only without a page. The handler writes it while the child has one thread.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// The kernel rounds it up to one page.
const PAGE: usize = 4096;

impl Epoch {
    /// The epoch of the calling process. Before the first call of [`watch`](Self::watch) it is the same in all processes: none
    /// of them has threads of ours.
    pub fn now() -> Self {
        match WORD.load(Ordering::Acquire) {
            word if word.is_null() => Self(0),
            word if is_no_page(word) => Self::by_process_id(),
            // SAFETY: `watch` published it.
            word => unsafe { Self::on_page(word) },
        }
    }

    /// As [`now`](Self::now); from here on forks are noticed.
    pub fn watch() -> Self {
        if WORD.load(Ordering::Acquire).is_null() {
            let made = map_wiped_page().unwrap_or_else(|| {
                count_forks();
                (&raw const NO_PAGE).cast_mut()
            });
            let null = core::ptr::null_mut();
            let is_first = WORD.compare_exchange(null, made, Ordering::AcqRel, Ordering::Acquire).is_ok();
            if !is_first && !is_no_page(made) {
                // SAFETY: mapped above, and another thread's page was published instead of this one.
                unsafe { libc::munmap(made.cast(), PAGE) };
            }
        }
        Self::now()
    }

    /// # Safety
    /// - [`watch`](Self::watch) published `word`.
    unsafe fn on_page(word: *mut AtomicU64) -> Self {
        // SAFETY: a published page is mapped, and never unmapped.
        let word = unsafe { &*word };
        let number = word.load(Ordering::Relaxed);
        if number != 0 {
            return Self(number);
        }
        // No ancestor has used it: a child inherits LAST. If several threads see zero, one of them writes.
        let next = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        match word.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Self(next),
            Err(number) => Self(number),
        }
    }

    fn by_process_id() -> Self {
        // SAFETY: `getpid` has no preconditions and cannot fail.
        let process = unsafe { libc::getpid() } as u32;
        Self(u64::from(FORKS.load(Ordering::Relaxed)) << 32 | u64::from(process))
    }
}

fn is_no_page(word: *mut AtomicU64) -> bool {
    core::ptr::eq(word, &raw const NO_PAGE)
}

/// A page that reads as zeros in every child; `None` if there is no memory for it, or the kernel does not support the advice.
fn map_wiped_page() -> Option<*mut AtomicU64> {
    /// Advice that does not exist. Some versions of QEMU's user-mode emulation accept all advice and ignore it.
    const NONSENSE: c_int = -1;
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a new private mapping at an address of the kernel's choice touches no other memory.
    let page: *mut c_void = unsafe { libc::mmap(core::ptr::null_mut(), PAGE, access, flags, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    let advise = |advice| {
        // SAFETY: the page was mapped above, no other thread has its address, and it holds only zeros.
        unsafe { libc::madvise(page, PAGE, advice) == 0 }
    };
    if advise(libc::MADV_WIPEONFORK) && !advise(NONSENSE) {
        return Some(page.cast());
    }
    // SAFETY: mapped above, and not used.
    unsafe { libc::munmap(page, PAGE) };
    None
}

/// Counts the forks of this process from now on. If `pthread_atfork` fails, only process ids are compared.
fn count_forks() {
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    static IS_COUNTED: AtomicBool = AtomicBool::new(false);
    if !IS_COUNTED.swap(true, Ordering::Relaxed) {
        // SAFETY: the handler only counts, which is safe in a child; it stays mapped, since the library is never unloaded.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `test` in a child of a raw fork and returns whether it was true.
    fn in_child(test: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child only compares numbers and exits.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let status = if test() { 0 } else { 1 };
            // SAFETY: ends the child without running anything of the parent's.
            unsafe { libc::_exit(status) };
        }
        let mut status = 1;
        // SAFETY: `status` is writable.
        unsafe { libc::waitpid(child, &raw mut status, 0) == child && status == 0 }
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri cannot fork")]
    fn a_child_has_another_epoch_and_so_has_its_child() {
        let before = Epoch::watch();
        assert_eq!(before, Epoch::now());
        assert!(in_child(|| {
            let child = Epoch::now();
            child != before && child == Epoch::now() && in_child(|| ![before, child].contains(&Epoch::now()))
        }));
        assert_eq!(before, Epoch::now());
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri cannot fork")]
    fn without_a_page_a_child_has_another_epoch_too() {
        count_forks();
        let before = Epoch::by_process_id();
        assert!(in_child(|| Epoch::by_process_id() != before));
        assert_eq!(before, Epoch::by_process_id());
    }
}
