//! The state of descriptors that the standard library cannot change.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Clears `O_NONBLOCK` of a file that was opened with no other status flag, such as `O_APPEND`.
pub(crate) fn set_blocking(file: &File) -> io::Result<()> {
    // SAFETY: an open descriptor, and `F_SETFL` takes an integer.
    let outcome = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, 0) };
    if outcome == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
