//! The process and its threads: blocked signals, deferred cancellation, `errno`, values initialised once, clocks and names.

use super::Allocator;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use std::io::Read;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

/// The CPU time that the calling thread has used so far.
pub fn thread_time() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn clock(kind: libc::clockid_t) -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `time` is writable for one `timespec`.
    if unsafe { libc::clock_gettime(kind, time.as_mut_ptr()) } != 0 {
        return Duration::ZERO;
    }
    // SAFETY: the call succeeded, so it filled `time`.
    let time = unsafe { time.assume_init() };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Whether the machine has a processor on which nothing runs at this moment, as far as is known: whether fewer threads can run than
/// there are processors. Returns true if that is unknown. Does not consider which processors this process may use.
pub fn has_idle_processor() -> bool {
    let _no_cancel = NoCancel::new();
    // SAFETY: `sysconf` reads no memory of ours.
    let online = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    let mut text = [0; 128];
    let Ok(len) = std::fs::File::open("/proc/loadavg").and_then(|mut file| file.read(&mut text)) else {
        return true;
    };
    running_threads(&text[..len]).is_none_or(|running| running < online)
}

/// The number of running threads in the text of `/proc/loadavg` (proc(5)): `0.20 0.18 0.12 1/80 11206` has 1.
fn running_threads(text: &[u8]) -> Option<i64> {
    let field = core::str::from_utf8(text).ok()?.split(' ').nth(3)?;
    field.split('/').next()?.parse().ok()
}

/// The time since a fixed moment that is the same for all processes of the machine.
pub fn monotonic() -> Duration {
    clock(libc::CLOCK_MONOTONIC)
}

/// The kernel's id of the calling thread.
pub fn thread_id() -> i64 {
    // SAFETY: it takes no arguments and cannot fail. A raw system call, since old C libraries lack the function.
    unsafe { libc::syscall(libc::SYS_gettid) }
}

/// The name by which this program was called, without its folder; empty if it is not UTF-8.
pub fn program_name() -> &'static str {
    unsafe extern "C" {
        /// Not declared by the libc crate.
        static program_invocation_short_name: *const core::ffi::c_char;
    }
    // SAFETY: the C library sets it before anything else runs, and nothing changes it later.
    let name = unsafe { program_invocation_short_name };
    if name.is_null() {
        return "";
    }
    // SAFETY: not null, so it is a C string, which lives as long as the process.
    unsafe { core::ffi::CStr::from_ptr(name) }.to_str().unwrap_or("")
}

/// The calling thread's `errno`.
pub fn errno() -> c_int {
    // SAFETY: no preconditions.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the place is the calling thread's for as long as it lives.
    unsafe { place.read() }
}

/// Sets the calling thread's `errno`.
pub fn set_errno(value: c_int) {
    // SAFETY: no preconditions.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the place is the calling thread's for as long as it lives.
    unsafe { place.write(value) };
}

/// Sets the calling thread's `errno` back when dropped: a call that succeeds must leave it as it was, and the system calls
/// of the library do not. `ENOMEM` stays, as after every `malloc` that fails.
#[derive(Debug)]
pub struct KeptErrno(c_int);

impl KeptErrno {
    /// The current value.
    pub fn now() -> Self {
        Self(errno())
    }

    /// Leaves `errno` as it is now: it has the reason of a failure.
    pub fn release(self) {
        core::mem::forget(self);
    }
}

impl Drop for KeptErrno {
    fn drop(&mut self) {
        if errno() != libc::ENOMEM {
            set_errno(self.0);
        }
    }
}

/// Blocks every signal on the calling thread until dropped.
#[derive(Debug)]
pub struct BlockedSignals {
    before: libc::sigset_t,
}

impl BlockedSignals {
    /// Blocks them.
    pub fn new() -> Self {
        let mut all = MaybeUninit::uninit();
        // SAFETY: `sigfillset` initialises the set it is given.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        let mut before = MaybeUninit::uninit();
        // SAFETY: `all` is initialised, and `before` is writable.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        // SAFETY: with valid arguments the call above cannot fail, and then it has written `before`.
        Self { before: unsafe { before.assume_init() } }
    }
}

impl Default for BlockedSignals {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: `before` came from `pthread_sigmask`.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, core::ptr::null_mut()) };
    }
}

/// Disables `pthread_cancel` for the calling thread until dropped.
///
/// `pthread_cancel` unwinds the stack from wherever the thread waits. If an export's panic guard is on that stack, a foreign
/// unwind aborts the process. So this guards every call that may be a cancellation point: a system call that waits, or a
/// function of the host. The thread is cancelled at the next cancellation point after our call returns.
#[derive(Debug)]
pub struct NoCancel {
    before: c_int,
}

unsafe extern "C" {
    /// Not declared by the libc crate.
    fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
}

impl NoCancel {
    const DISABLE: c_int = 1;

    /// Disables it.
    pub fn new() -> Self {
        let mut before = 0;
        // SAFETY: a valid state, and `before` is writable.
        unsafe { pthread_setcancelstate(Self::DISABLE, &raw mut before) };
        Self { before }
    }
}

impl Default for NoCancel {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for NoCancel {
    fn drop(&mut self) {
        // SAFETY: `before` came from the same function. The call itself is no cancellation point.
        unsafe { pthread_setcancelstate(self.before, core::ptr::null_mut()) };
    }
}

/// A value that a process makes at first use, without any thread waiting for another: if several threads need it at once, all
/// of them make it, and the first to publish wins.
///
/// With `std`'s `Once` and `OnceLock` the others would wait. In the child of a `fork` that wait never ends if the thread that
/// makes the value exists only in the parent.
#[derive(Debug)]
pub(crate) struct FirstMade<T>(Published<T>);

impl<T: Send + Sync + 'static> FirstMade<T> {
    pub(crate) const fn new() -> Self {
        Self(Published::new())
    }

    /// The value; `None` if allocation fails, and then the next call tries again.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> Option<&'static T> {
        self.0.get().or_else(|| self.0.replace(None, make()).ok().map(|(value, _)| value))
    }

    /// Publishes `value`. Drops it and returns false if there is one already, or no memory.
    pub(crate) fn set(&self, value: T) -> bool {
        self.0.replace(None, value).is_ok_and(|(_, ours)| ours.is_none())
    }
}

/// A value that all threads can read once it is published. It is never freed, but a newer one may replace it.
#[derive(Debug)]
pub(crate) struct Published<T>(
    /// Null, or a pointer from [`Allocator::place`]. Release and Acquire pair: a value is complete before a reader sees it.
    AtomicPtr<T>,
);

impl<T: Send + Sync + 'static> Published<T> {
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// The newest value.
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: null, or a value that `replace` published.
        unsafe { Self::published(self.0.load(Ordering::Acquire)) }
    }

    /// Publishes `value` if `seen` is still the newest one. Returns the newest value, and `value` back if another thread
    /// published first. `Err(value)` if allocation fails.
    pub(crate) fn replace(&self, seen: Option<&'static T>, value: T) -> Result<(&'static T, Option<T>), T> {
        let made: NonNull<T> = Allocator::SYSTEM.place(value)?;
        let seen = seen.map_or(core::ptr::null_mut(), |seen| core::ptr::from_ref(seen).cast_mut());
        match self.0.compare_exchange(seen, made.as_ptr(), Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: placed above; from now on it is never freed or changed.
            Ok(_) => Ok((unsafe { made.as_ref() }, None)),
            Err(newest) => {
                // SAFETY: placed above, and no other thread has seen it.
                let value = unsafe { Allocator::SYSTEM.take(made) };
                // SAFETY: null, or a value that `replace` published.
                match unsafe { Self::published(newest) } {
                    Some(newest) => Ok((newest, Some(value))),
                    None => Err(value),
                }
            }
        }
    }

    /// # Safety
    /// - `place` is null, or was published.
    unsafe fn published(place: *mut T) -> Option<&'static T> {
        // SAFETY: a published value is never freed, and never changed while shared references exist.
        unsafe { place.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_threads_are_the_fourth_field() {
        assert_eq!(running_threads(b"0.20 0.18 0.12 1/80 11206\n"), Some(1));
        assert_eq!(running_threads(b"12.00 9.5 7 33/8000 11206\n"), Some(33));
        assert_eq!([&b""[..], b"1 2 3", b"1 2 3 x/4", b"\xff"].map(running_threads), [None; 4]);
    }

    #[test]
    fn the_first_made_value_stays() {
        static VALUE: FirstMade<std::thread::ThreadId> = FirstMade::new();
        let make = || *VALUE.get_or_make(|| std::thread::current().id()).expect("malloc returns a few bytes");
        let seen: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(seen.iter().all(|&id| id == make()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no signal masks")]
    fn signals_are_blocked_only_inside() {
        let is_blocked = || {
            let mut mask = MaybeUninit::uninit();
            // SAFETY: with a null set the call only writes the current mask to `mask`.
            unsafe { libc::pthread_sigmask(0, core::ptr::null(), mask.as_mut_ptr()) };
            // SAFETY: `mask` was written above.
            unsafe { libc::sigismember(mask.as_ptr(), libc::SIGALRM) == 1 }
        };
        assert!(!is_blocked());
        let guard = BlockedSignals::new();
        assert!(is_blocked());
        drop(guard);
        assert!(!is_blocked());
    }
}
