//! Removes unfinished outputs when a signal ends the command.
//!
//! The paths of unfinished files are in a table of atomic pointers, which a handler may read: it unlinks
//! the files and then lets the signal have its default effect. Handlers run on
//! the main thread only, since all other threads block every signal. A thread changes the table, and
//! makes, renames or removes such a file, only as one *change*: the main thread blocks signals
//! during it, and the handler waits until no other thread is in a change and lets none begin. So
//! nothing is freed while a handler reads it, and every created file is in the table.

use rigz::raw::process::BlockedSignals;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// The signals that gzip catches.
const CAUGHT: [libc::c_int; 6] =
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGPIPE, libc::SIGXCPU, libc::SIGXFSZ];

/// One file for each possible worker, and one for the main thread.
const MOST_FILES: usize = 1 + 1024;

/// The paths of the files to remove when the process ends; null for unused entries. They come from `CString::into_raw`.
static UNFINISHED: [AtomicPtr<libc::c_char>; MOST_FILES] = [const { AtomicPtr::new(null_mut()) }; MOST_FILES];

/// Threads that are in a change. Both variables are read and written in one order by all threads
/// (SeqCst): a thread counts itself before it reads `IS_ENDING`, the handler sets that before it
/// reads the count.
static CHANGING: AtomicUsize = AtomicUsize::new(0);
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Milliseconds that a handler waits for changes, so that a hanging file system cannot keep the process alive.
const PATIENCE: usize = 1000;

extern "C" fn on_signal(signal: libc::c_int) {
    remove_unfinished();
    // SAFETY: both may be called in a handler; the signal is delivered, with its usual effect, as soon as we return.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    // SAFETY: as above.
    unsafe { libc::raise(signal) };
}

/// Removes unfinished files before the process ends. Call it on the main thread, outside of a change.
pub(crate) fn remove_unfinished() {
    IS_ENDING.store(true, Ordering::SeqCst);
    for _ in 0..PATIENCE {
        if CHANGING.load(Ordering::SeqCst) == 0 {
            break;
        }
        let pause = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        // SAFETY: it may be called in a handler; `pause` is readable, and no remaining time is requested.
        unsafe { libc::nanosleep(&raw const pause, null_mut()) };
    }
    for place in &UNFINISHED {
        let path = place.load(Ordering::Relaxed);
        if !path.is_null() {
            // SAFETY: a path that was published is a C string, and no thread is in a change, so none is freed. `unlink` may be
            // called in a handler.
            unsafe { libc::unlink(path) };
        }
    }
}

/// Whether the parent process ignores `SIGPIPE`, so that a closed pipe is an error and no signal. Written only by
/// [`record_pipe`], before there are other threads.
static IS_PIPE_IGNORED: AtomicBool = AtomicBool::new(false);

/// Rust's runtime ignores the signal before `main`. The loader calls the functions in this section earlier.
// SAFETY: the section contains addresses of functions of this type; `record_pipe` uses nothing that the runtime sets up.
#[used]
#[unsafe(link_section = ".init_array")]
static RECORD_PIPE: extern "C" fn() = record_pipe;

extern "C" fn record_pipe() {
    // SAFETY: ignoring a signal has no requirements. The runtime does the same next.
    let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    IS_PIPE_IGNORED.store(before == libc::SIG_IGN, Ordering::Relaxed);
}

/// See [`IS_PIPE_IGNORED`].
pub(crate) fn is_pipe_ignored() -> bool {
    IS_PIPE_IGNORED.load(Ordering::Relaxed)
}

/// Sets the handlers. A signal that the parent process ignores, as nohup does, stays ignored. The runtime always ignores
/// `SIGPIPE`, but that signal should end a filter silently.
pub(crate) fn install() {
    for signal in CAUGHT {
        let handler = on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // SAFETY: the handler calls only functions that are allowed in a handler.
        let before = unsafe { libc::signal(signal, handler) };
        let is_ignored = match signal {
            libc::SIGPIPE => is_pipe_ignored(),
            _ => before == libc::SIG_IGN,
        };
        if is_ignored {
            // SAFETY: restores the previous action.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
    }
}

/// Restores the action of `SIGPIPE` that the parent process chose, for a program that is about to start. May be called
/// between fork and exec.
pub(crate) fn restore_pipe() {
    let action = if is_pipe_ignored() { libc::SIG_IGN } else { libc::SIG_DFL };
    // SAFETY: setting either action has no requirements.
    unsafe { libc::signal(libc::SIGPIPE, action) };
}

/// Makes a change: no signal interrupts its steps, and no change begins once the process is ending.
pub(crate) fn while_blocked<T>(change: impl FnOnce() -> T) -> T {
    let _blocked = BlockedSignals::new();
    let _counted = Change::begin();
    change()
}

/// A thread in a change.
struct Change;

impl Change {
    fn begin() -> Self {
        CHANGING.fetch_add(1, Ordering::SeqCst);
        if IS_ENDING.load(Ordering::SeqCst) {
            CHANGING.fetch_sub(1, Ordering::SeqCst);
            // The main thread is about to end the process.
            loop {
                std::thread::park();
            }
        }
        Self
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        CHANGING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Creates a file that is unfinished from now on. `options` must refuse a path that exists.
pub(crate) fn create(options: &OpenOptions, path: &Path) -> io::Result<(File, Option<Watched>)> {
    while_blocked(|| Ok((options.open(path)?, watch(path))))
}

/// Removes an unfinished file.
pub(crate) fn remove(path: &Path, watched: Option<&Watched>) {
    while_blocked(|| {
        _ = fs::remove_file(path);
        watched.inspect(|watched| watched.forget());
    });
}

/// A file that is removed if the process ends before it is complete.
#[derive(Debug)]
pub(crate) struct Watched(&'static AtomicPtr<libc::c_char>);

/// The file at `path` is unfinished from now on. Call it inside [`while_blocked`].
fn watch(path: &Path) -> Option<Watched> {
    // A path that was opened contains no zero byte.
    let path = CString::new(path.as_os_str().as_bytes()).ok()?.into_raw();
    let publish = |place: &&AtomicPtr<libc::c_char>| {
        place.compare_exchange(null_mut(), path, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    };
    let place = UNFINISHED.iter().find(publish);
    if place.is_none() {
        // SAFETY: it came from `CString::into_raw` above, and was not published.
        drop(unsafe { CString::from_raw(path) });
    }
    place.map(Watched)
}

impl Watched {
    /// The file is complete, or gone. Call it inside [`while_blocked`].
    pub(crate) fn forget(&self) {
        let path = self.0.swap(null_mut(), Ordering::Relaxed);
        if !path.is_null() {
            // SAFETY: it came from `CString::into_raw`, and within a change no handler reads it.
            drop(unsafe { CString::from_raw(path) });
        }
    }
}

/// Whether a file has capabilities.
pub(crate) fn has_capabilities(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: both are C strings; only the value's length is requested.
    let len = unsafe { libc::getxattr(path.as_ptr(), c"security.capability".as_ptr(), null_mut(), 0) };
    len > 0
}

/// Seconds of processor time of the child processes that were waited for, and of their children.
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
