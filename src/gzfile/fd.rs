//! `Descriptor`: a gzFile's file descriptor. No other file of `gzfile` makes system calls.
//!
//! It behaves as zlib does. A read or write that a signal interrupts fails with `EINTR`: the host may rely on
//! that. A thread is not cancelled in the middle of one (`NoCancel`). A short read is continued until the buffer is
//! full or the file ends, a short write until all is written. A descriptor from the host is used from its current
//! position. Only [`Descriptor::close`] closes a descriptor, so a failed `gzdopen` leaves the host's open.

#![expect(unsafe_code, reason = "system calls")]

use core::ffi::{CStr, c_int};

use super::mode::{Access, Mode};
use crate::raw::fault::{Point, point};
use crate::raw::process::{self, NoCancel};
use crate::raw::{Output, SharedFile};

/// Limits a read or write to 1 GiB, as zlib does: some systems refuse a count that does not fit an `int`.
const LARGEST_TRANSFER: usize = 1 << 30;

/// An error number of the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Errno(c_int);

impl Errno {
    /// The error number of this thread's last failed call.
    pub(super) fn last() -> Self {
        Self(process::errno())
    }

    /// Sets `errno` to this number again, in case later calls overwrote it.
    pub(super) fn restore(self) {
        process::set_errno(self.0);
    }

    /// Whether a non-blocking descriptor had no data or no room. This is not a failure: the host may repeat the call.
    pub(super) fn would_block(self) -> bool {
        self.0 == libc::EAGAIN || self.0 == libc::EWOULDBLOCK
    }

    /// The system's text for it, in the language of the current locale, without the terminating zero.
    pub(super) fn describe(self, buffer: &mut [u8; 256]) -> &[u8] {
        // SAFETY: the buffer is writable for the length given; the function ends what it writes with a zero.
        unsafe { libc::strerror_r(self.0, buffer.as_mut_ptr().cast(), buffer.len()) };
        CStr::from_bytes_until_nul(buffer).map_or(b"", CStr::to_bytes)
    }
}

/// How a [`Descriptor::fill`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// The buffer is full.
    Full,
    /// The file ended.
    EndOfFile,
    /// A read failed; the bytes read before it are in the buffer.
    Failed(Errno),
}

/// The origin of the offset of a [`Descriptor::seek`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Start,
    Current,
    End,
}

/// Identifies a file's content without reading it. If two are equal, the file was not modified between them, except by a write
/// within one step of its timestamps that kept the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    file: (libc::dev_t, libc::ino_t),
    size: i64,
    modified: (i64, i64),
    changed: (i64, i64),
}

#[cfg(test)]
impl Version {
    /// A version for tests, equal to all others of that size.
    pub(super) fn of_test(size: i64) -> Self {
        Self { file: (1, 1), size, modified: (1, 1), changed: (1, 1) }
    }
}

/// A file descriptor.
#[derive(Debug)]
pub(super) struct Descriptor(c_int);

impl Descriptor {
    /// Opens `path`; on `None`, `errno` has the reason.
    pub(super) fn open(path: &CStr, mode: &Mode) -> Option<Self> {
        let mut flags = libc::O_LARGEFILE
            | match mode.access {
                Access::Read => libc::O_RDONLY,
                Access::Write => libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC,
                Access::Append => libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND,
            };
        for (wanted, flag) in [
            (mode.exclusive && mode.access != Access::Read, libc::O_EXCL),
            (mode.close_on_exec, libc::O_CLOEXEC),
            (mode.non_blocking, libc::O_NONBLOCK),
        ] {
            flags |= if wanted { flag } else { 0 };
        }
        let _whole = NoCancel::new();
        // SAFETY: `path` ends with a zero; the mode bits are read because `O_CREAT` may be set.
        let fd = unsafe { libc::open(path.as_ptr(), flags, 0o666) };
        (fd != -1).then_some(Self(fd))
    }

    /// Takes over the host's descriptor and sets the flags that the mode requests. Failures are ignored: a bad descriptor fails
    /// at its first use.
    pub(super) fn adopt(fd: c_int, mode: &Mode) -> Self {
        let _whole = NoCancel::new();
        if mode.non_blocking {
            // SAFETY: `fcntl` accepts any number and fails if it is no descriptor.
            let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
            // SAFETY: as above.
            unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) };
        }
        if mode.close_on_exec {
            // SAFETY: as above.
            let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
            // SAFETY: as above.
            unsafe { libc::fcntl(fd, libc::F_SETFD, flags | libc::FD_CLOEXEC) };
        }
        Self(fd)
    }

    /// Reads until `output` is full, the file ends or a read fails.
    pub(super) fn fill(&self, output: &mut Output<'_>) -> Filled {
        let _whole = NoCancel::new();
        while !output.is_full() {
            point(Point::File);
            let wanted = output.room().min(LARGEST_TRANSFER);
            // SAFETY: `cursor()` is valid for writes of `room()` bytes.
            let got = unsafe { libc::read(self.0, output.cursor().cast(), wanted) };
            match usize::try_from(got) {
                Err(_) => return Filled::Failed(Errno::last()),
                Ok(0) => return Filled::EndOfFile,
                // SAFETY: the kernel wrote `count <= wanted` bytes there.
                Ok(count) => unsafe { output.advance(count) },
            }
        }
        Filled::Full
    }

    /// Writes all of `bytes`. Removes the written bytes from its front, also if it fails.
    pub(super) fn write_all(&self, bytes: &mut &[u8]) -> Result<(), Errno> {
        let _whole = NoCancel::new();
        while !bytes.is_empty() {
            point(Point::File);
            let wanted = bytes.len().min(LARGEST_TRANSFER);
            // SAFETY: `bytes` is readable for `wanted` bytes.
            let written = unsafe { libc::write(self.0, bytes.as_ptr().cast(), wanted) };
            match usize::try_from(written) {
                Err(_) => return Err(Errno::last()),
                // No system returns 0 for a count above 0; retrying might never end.
                Ok(0) => return Err(Errno(libc::EIO)),
                Ok(count) => *bytes = &bytes[count..],
            }
        }
        Ok(())
    }

    /// Moves the file position and returns it; `None` if `lseek` fails: `errno` has the reason.
    pub(super) fn seek(&self, offset: i64, origin: Origin) -> Option<i64> {
        let whence = match origin {
            Origin::Start => libc::SEEK_SET,
            Origin::Current => libc::SEEK_CUR,
            Origin::End => libc::SEEK_END,
        };
        // SAFETY: `lseek` accepts any numbers and fails if they are invalid.
        let position = unsafe { libc::lseek(self.0, offset, whence) };
        (position != -1).then_some(position)
    }

    /// The version of a regular file; `None` for other files, or if `fstat` fails. Only regular files can be read ahead: with
    /// a pipe that would wait for the writer, or take another reader's bytes.
    pub(super) fn version(&self) -> Option<Version> {
        let mut status = core::mem::MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `status` is writable for one `stat`.
        if unsafe { libc::fstat(self.0, status.as_mut_ptr()) } != 0 {
            return None;
        }
        // SAFETY: `fstat` succeeded, so it filled `status`.
        let status = unsafe { status.assume_init_ref() };
        (status.st_mode & libc::S_IFMT == libc::S_IFREG).then_some(Version {
            file: (status.st_dev, status.st_ino),
            size: status.st_size,
            modified: (status.st_mtime, status.st_mtime_nsec),
            changed: (status.st_ctime, status.st_ctime_nsec),
        })
    }

    /// The file, for other threads to read from. [`SharedFile::close`] waits for them; call it before [`close`](Self::close).
    /// `None` if `fstat` or an allocation fails.
    pub(super) fn share(&self) -> Option<SharedFile> {
        SharedFile::new(self.0)
    }

    /// The size of a regular file that is open read-only and blocking, and so can be read ahead; else `None`.
    pub(super) fn readable_size(&self) -> Option<u64> {
        // SAFETY: `fcntl` accepts any number and fails if it is no descriptor.
        let flags = unsafe { libc::fcntl(self.0, libc::F_GETFL) };
        if flags == -1 || flags & libc::O_ACCMODE != libc::O_RDONLY || flags & libc::O_NONBLOCK != 0 {
            return None;
        }
        u64::try_from(self.version()?.size).ok()
    }

    /// Closes the descriptor, which is then unusable, also if this fails. A second call fails with `EBADF`.
    pub(super) fn close(&mut self) -> Result<(), Errno> {
        let _whole = NoCancel::new();
        let fd = core::mem::replace(&mut self.0, -1);
        // SAFETY: this value owns the descriptor, and no longer holds it.
        match unsafe { libc::close(fd) } {
            0 => Ok(()),
            _ => Err(Errno::last()),
        }
    }
}
