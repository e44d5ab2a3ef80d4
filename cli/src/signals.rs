//! A signal that ends the command takes the unfinished output along.
//!
//! The path of the one file that is not complete lies behind an atomic pointer, where a handler may read it: it unlinks the file and lets
//! the signal do what it would have done. Handlers run on the main thread only, since the library's workers block every
//! signal, and the main thread blocks them too while it changes the path. So nothing is freed under a handler's eyes.

use rigz::raw::process::BlockedSignals;
use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

/// The signals that gzip catches.
const CAUGHT: [libc::c_int; 6] =
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGPIPE, libc::SIGXCPU, libc::SIGXFSZ];

/// The path of the file that goes with us; null when there is none. Came from `CString::into_raw`.
static UNFINISHED: AtomicPtr<libc::c_char> = AtomicPtr::new(null_mut());

extern "C" fn on_signal(signal: libc::c_int) {
    let path = UNFINISHED.load(Ordering::Relaxed);
    if !path.is_null() {
        // SAFETY: a path that was published is a C string, and is taken back with this handler blocked. `unlink` may be
        // called in a handler.
        unsafe { libc::unlink(path) };
    }
    // SAFETY: both may be called in a handler; the signal is delivered, with its usual effect, as soon as we return.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    // SAFETY: as above.
    unsafe { libc::raise(signal) };
}

/// Sets the handlers. A signal that the caller wants ignored, as nohup does, stays so; but Rust's start ignores `SIGPIPE`, where
/// every filter is expected to end quietly.
pub(crate) fn install() {
    for signal in CAUGHT {
        let handler = on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // SAFETY: the handler does only what a handler may.
        let before = unsafe { libc::signal(signal, handler) };
        if before == libc::SIG_IGN && signal != libc::SIGPIPE {
            // SAFETY: puts back what was.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
    }
}

/// Gives `SIGPIPE` its usual effect, for a program that is to be started.
pub(crate) fn restore_pipe() {
    // SAFETY: the default action needs nothing from us.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// Runs `change` with no signal between its steps: a file that is made and watched, say, is never made and not watched.
pub(crate) fn while_blocked<T>(change: impl FnOnce() -> T) -> T {
    let _blocked = BlockedSignals::new();
    change()
}

/// The file at `path` is unfinished from now on. Call it inside [`while_blocked`].
pub(crate) fn watch(path: &Path) {
    // A path that was opened has no zero inside.
    let path = CString::new(path.as_os_str().as_bytes()).map_or(null_mut(), CString::into_raw);
    replace(path);
}

/// No file is unfinished any more. Call it inside [`while_blocked`].
pub(crate) fn forget() {
    replace(null_mut());
}

fn replace(path: *mut libc::c_char) {
    let old = UNFINISHED.swap(path, Ordering::Relaxed);
    if !old.is_null() {
        // SAFETY: it came from `CString::into_raw`, and with signals blocked no handler reads it.
        drop(unsafe { CString::from_raw(old) });
    }
}

/// The program that signals are passed on to; 0 when there is none.
static CHILD: AtomicI32 = AtomicI32::new(0);

extern "C" fn pass_on(signal: libc::c_int) {
    let child = CHILD.load(Ordering::Relaxed);
    if child > 0 {
        // SAFETY: `kill` may be called in a handler; the child is ours and not waited for yet, so its number is its own.
        unsafe { libc::kill(child, signal) };
    }
}

/// Until dropped, a signal that asks us to end goes to `child` instead, which decides.
pub(crate) fn pass_on_to(child: u32) -> PassingOn {
    CHILD.store(i32::try_from(child).unwrap_or(0), Ordering::Relaxed);
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        let handler = pass_on as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // SAFETY: the handler does only what a handler may.
        unsafe { libc::signal(signal, handler) };
    }
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: ignoring needs nothing from us. The terminal sends these to the child too.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    PassingOn
}

/// See [`pass_on_to`].
#[derive(Debug)]
pub(crate) struct PassingOn;

impl Drop for PassingOn {
    fn drop(&mut self) {
        CHILD.store(0, Ordering::Relaxed);
    }
}

/// Whether a file has capabilities.
pub(crate) fn has_capabilities(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: both are C strings; no value is asked for, only its length.
    let len = unsafe { libc::getxattr(path.as_ptr(), c"security.capability".as_ptr(), null_mut(), 0) };
    len > 0
}

/// Seconds of processor time of the programs that were waited for, theirs included.
pub(crate) fn cpu_of_children() -> f64 {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: `usage` is writable for one `rusage`.
    if unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) } != 0 {
        return 0.0;
    }
    // SAFETY: the call succeeded, so it filled `usage`.
    let usage = unsafe { usage.assume_init() };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
