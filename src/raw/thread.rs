//! The library's own threads, whose creation may fail without harm.
//!
//! `std::thread` allocates small pieces of memory for a thread and aborts the process if an allocation fails. `pthread_create`
//! allocates through the C library and returns an error. It also has no one-time initialisation that other threads wait for.

use super::process::BlockedSignals;
use core::cell::Cell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The body of a thread.
pub(crate) trait Work: Sync + 'static {
    /// Runs on the new thread, which ends when it returns. A panic ends the thread and nothing else.
    fn work(&'static self);
}

thread_local! {
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread is one of ours.
pub(crate) fn is_ours() -> bool {
    IS_OURS.try_with(Cell::get).unwrap_or(false)
}

/// Starts a detached thread named `rigz` that blocks every signal and can use at least `stack_bytes` of stack.
/// Returns false on failure.
pub(crate) fn start<W: Work>(worker: &'static W, stack_bytes: usize) -> bool {
    // The new thread inherits the mask.
    let _blocked = BlockedSignals::new();
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: `attributes` is writable for one `pthread_attr_t`.
    if unsafe { libc::pthread_attr_init(attributes) } != 0 {
        return false;
    }
    // SAFETY: initialised above.
    let least = unsafe { least_stack(attributes) };
    let size = (stack_bytes + least).next_multiple_of(STACK_UNIT);
    // SAFETY: as above.
    let is_sized = unsafe { libc::pthread_attr_setstacksize(attributes, size) } == 0;
    // SAFETY: initialised above.
    unsafe { libc::pthread_attr_setdetachstate(attributes, libc::PTHREAD_CREATE_DETACHED) };
    let mut thread = MaybeUninit::uninit();
    let argument: *const W = worker;
    // SAFETY: `run::<W>` takes a `&'static W`, which is `argument`; the other pointers are to local variables.
    let is_started = is_sized
        && unsafe {
            libc::pthread_create(
                thread.as_mut_ptr(),
                attributes,
                run::<W>,
                argument.cast_mut().cast::<c_void>(),
            )
        } == 0;
    // SAFETY: initialised above, and not used again.
    unsafe { libc::pthread_attr_destroy(attributes) };
    is_started
}

/// A multiple of every page size.
const STACK_UNIT: usize = 64 << 10;

/// Bytes of a new thread's stack that the C library uses itself. In glibc the static thread-local data of the program and its
/// libraries is on the stack, and a program may have any amount of it. Other C libraries map it separately.
///
/// # Safety
/// - `attributes` is initialised.
unsafe fn least_stack(attributes: *const libc::pthread_attr_t) -> usize {
    type LeastStack = unsafe extern "C" fn(*const libc::pthread_attr_t) -> usize;
    // SAFETY: a valid handle and a C string. The lookup returns null if the C library has no such function.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__pthread_get_minstack".as_ptr()) };
    // SAFETY: glibc's function has had this type since its first version, 2.15; null becomes `None`.
    let function = unsafe { core::mem::transmute::<*mut c_void, Option<LeastStack>>(function) };
    // SAFETY: the caller guarantees that the attributes are initialised.
    function.map_or(libc::PTHREAD_STACK_MIN, |least_stack| unsafe { least_stack(attributes) })
}

extern "C" fn run<W: Work>(worker: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passes a `&'static W`.
    let worker: &'static W = unsafe { &*worker.cast_const().cast::<W>() };
    IS_OURS.set(true);
    // SAFETY: always valid for the calling thread itself.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: a live thread, and a name of less than 16 bytes. The thread works without the name too.
    unsafe { libc::pthread_setname_np(this, c"rigz".as_ptr()) };
    // The panic payload is leaked: dropping it may panic again.
    core::mem::forget(catch_unwind(AssertUnwindSafe(|| worker.work())));
    core::ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

    struct Report(Mutex<Sender<(bool, bool)>>);

    impl Work for Report {
        fn work(&'static self) {
            let mut mask = MaybeUninit::uninit();
            // SAFETY: with a null set the call only writes the current mask to `mask`.
            unsafe { libc::pthread_sigmask(0, core::ptr::null(), mask.as_mut_ptr()) };
            // SAFETY: `mask` was written above.
            let is_blocked = unsafe { libc::sigismember(mask.as_ptr(), libc::SIGALRM) } == 1;
            let sender = self.0.lock().expect("no thread panics while it holds the lock");
            sender.send((is_ours(), is_blocked)).expect("the receiver exists");
            drop(sender);
            panic!("this ends only its thread");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no signal masks")]
    fn our_threads_are_marked_block_signals_and_panic_alone() {
        let (sender, receiver) = channel();
        let report: &'static Report = Box::leak(Box::new(Report(Mutex::new(sender))));
        assert!(!is_ours());
        assert!(start(report, 256 << 10));
        assert_eq!(receiver.recv(), Ok((true, true)));
    }
}
