//! Facts about descriptors that the standard library hides: which of the standard ones were closed when the
//! process started, which paths lead to one, whether a file's calls block and whether there is
//! space for more.
//!
//! Before `main`, Rust's runtime opens `/dev/null` in place of closed standard descriptors, so that no file gets
//! their numbers. Without more, the command would lose its output without an error. So a function that runs
//! before the runtime records which ones are closed, and [`stdin`], [`stdout`] and [`duplicate`] fail for these.
//! The command uses standard input and output only through them. Messages to a closed stderr are lost, as they
//! must be.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard input, output and error were closed. Written only by [`record`], before there are other threads.
static ARE_CLOSED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// The loader calls the functions in this section before the program's entry point, and so before Rust's runtime.
// SAFETY: the section contains addresses of functions of this type; `record` uses nothing that the runtime sets up.
#[used]
#[unsafe(link_section = ".init_array")]
static RECORD: extern "C" fn() = record;

extern "C" fn record() {
    for (descriptor, is_closed) in (0..).zip(&ARE_CLOSED) {
        // SAFETY: this call only asks, and accepts any number.
        let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFD) };
        is_closed.store(flags == -1, Ordering::Relaxed);
    }
}

/// Standard input; fails if it was closed.
pub(crate) fn stdin() -> io::Result<io::Stdin> {
    check(0).map(|()| io::stdin())
}

/// Standard output; fails if it was closed.
pub(crate) fn stdout() -> io::Result<io::Stdout> {
    check(1).map(|()| io::stdout())
}

fn check(descriptor: RawFd) -> io::Result<()> {
    let is_closed = usize::try_from(descriptor).ok().and_then(|index| ARE_CLOSED.get(index));
    match is_closed.is_some_and(|is_closed| is_closed.load(Ordering::Relaxed)) {
        true => Err(io::Error::from_raw_os_error(libc::EBADF)),
        false => Ok(()),
    }
}

/// Closes the standard descriptors that were closed when this process started, so that the program to be executed finds them
/// closed, too. Only calls `close`, which is allowed between fork and exec.
pub(crate) fn restore_closed() {
    for (descriptor, is_closed) in (0..).zip(&ARE_CLOSED) {
        if is_closed.load(Ordering::Relaxed) {
            // SAFETY: `/dev/null` is open there, by Rust's runtime, and the standard library never closes it.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// The descriptor of this process that a path such as `/dev/fd/1` or `/proc/self/fd/1` names.
pub(crate) fn named_by(path: &Path) -> Option<RawFd> {
    let number = path.file_name()?.to_str()?.parse().ok()?;
    let folder = path.parent()?.canonicalize().ok()?;
    (folder == fs::canonicalize("/proc/self/fd").ok()?).then_some(number)
}

/// A second descriptor of the same open file, with the same position.
pub(crate) fn duplicate(descriptor: RawFd) -> io::Result<File> {
    check(descriptor)?;
    // SAFETY: the call accepts any number.
    let copy = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3) };
    if copy == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so `copy` is an open descriptor, which nothing else uses.
    Ok(unsafe { File::from_raw_fd(copy) })
}

/// Fails if the disk is too full to append to this file. Allocates space past its end, if the file system can, and changes neither
/// its length nor its data.
pub(crate) fn check_space(file: &File) -> io::Result<()> {
    let len = libc::off_t::try_from(file.metadata()?.len()).unwrap_or(libc::off_t::MAX);
    // SAFETY: an open descriptor, and three numbers.
    let outcome = unsafe { libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, len, 4096) };
    let error = io::Error::last_os_error();
    if outcome == -1 && is_full(&error) { Err(error) } else { Ok(()) }
}

/// Whether this error of a write means that the disk, or the part that the user may fill, is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Clears `O_NONBLOCK` of a file that was opened with no other status flag, such as `O_APPEND`.
pub(crate) fn set_blocking(file: &File) -> io::Result<()> {
    // SAFETY: an open descriptor, and `F_SETFL` takes an integer.
    let outcome = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, 0) };
    if outcome == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
