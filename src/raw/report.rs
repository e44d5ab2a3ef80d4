//! Appends lines to a log file without any effect on the host.
//!
//! The path may name anything: a FIFO without a reader, a full pipe, a terminal whose output is stopped, a directory, a socket, a
//! file at its size limit. None of these blocks the calling thread, raises a signal in the process or changes `errno`: a line that
//! cannot be written at once is dropped.

use super::process::{KeptErrno, NoCancel};
use core::mem::MaybeUninit;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Signals that a write raises in its thread: for a pipe without a reader, a file at its limit, a terminal of other processes.
const RAISED: [i32; 3] = [libc::SIGPIPE, libc::SIGXFSZ, libc::SIGTTOU];

/// Without O_NONBLOCK, opening a FIFO waits for a reader. With O_NOCTTY a terminal does not become the controlling terminal.
const FLAGS: i32 = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;

/// Appends `line` to the file at `path`, which is created if it does not exist, or drops the line.
pub(crate) fn append(path: &Path, line: &[u8]) {
    let _whole = NoCancel::new();
    let _quiet = Quiet::new();
    if let Ok(mut file) = OpenOptions::new().append(true).create(true).custom_flags(FLAGS).open(path) {
        // One write, so that lines of several processes do not mix.
        _ = file.write_all(line);
    }
}

/// As [`append`], for a file that begins with `head`; drops the line once the file has `most` bytes. A new file is made
/// under another name and linked into place, so that `head` always comes first.
pub(crate) fn append_to_list(path: &Path, line: &[u8], head: &[u8], most: u64) {
    let _whole = NoCancel::new();
    let _quiet = Quiet::new();
    let mut options = OpenOptions::new();
    options.append(true).custom_flags(FLAGS);
    let file = options.open(path).or_else(|_| {
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let mut file = OpenOptions::new().write(true).create_new(true).custom_flags(FLAGS).open(&new)?;
        // Another thread or process may be faster: then its file is used.
        let linked = file.write_all(head).and_then(|()| fs::hard_link(&new, path));
        fs::remove_file(&new)?;
        options.open(path).map_err(|error| linked.err().unwrap_or(error))
    });
    if let Ok(mut file) = file
        && file.metadata().is_ok_and(|status| status.len() < most)
    {
        _ = file.write_all(line);
    }
}

/// Blocks the signals of [`RAISED`] on the calling thread. When dropped, discards those raised meanwhile and restores `errno`.
struct Quiet {
    /// The thread's previous signal mask.
    before: libc::sigset_t,
    /// The signals that were not already pending.
    fresh: libc::sigset_t,
    /// Dropped last.
    _errno: KeptErrno,
}

impl Quiet {
    fn new() -> Self {
        let errno = KeptErrno::now();
        let (mut fresh, mut raised, mut waiting) = (empty_set(), empty_set(), empty_set());
        // SAFETY: `waiting` is a writable set.
        unsafe { libc::sigpending(&raw mut waiting) };
        for signal in RAISED {
            // SAFETY: a set that is initialised, and a valid signal.
            unsafe { libc::sigaddset(&raw mut raised, signal) };
            // SAFETY: as above.
            if unsafe { libc::sigismember(&raw const waiting, signal) } == 0 {
                // SAFETY: as above.
                unsafe { libc::sigaddset(&raw mut fresh, signal) };
            }
        }
        let mut before = empty_set();
        // SAFETY: both sets are initialised.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const raised, &raw mut before) };
        Self { before, fresh, _errno: errno }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let no_time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: an initialised set of blocked signals, a null place for the signal's data, and a timeout of zero.
        while unsafe { libc::sigtimedwait(&raw const self.fresh, core::ptr::null_mut(), &raw const no_time) }
            > 0
        {}
        // SAFETY: `before` came from the same function.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, core::ptr::null_mut()) };
    }
}

fn empty_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the set it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised above.
    unsafe { set.assume_init() }
}
