//! `SharedFile`: the host's file, which other threads may read until its owner closes it.
//!
//! The descriptor is the host's, and the host may do anything with it after `close`, so `close` waits
//! for reads that have begun. The descriptor may refer to another file if a thread has its own
//! descriptor table (`unshare`), or if the host closed the descriptor itself. So the file's identity is
//! compared with the original after each read.

use super::Output;
use super::epoch::Epoch;
use super::shared::Shared;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use std::sync::{PoisonError, RwLock};

/// Bytes per read: `close` waits for at most one such read per reader.
const PIECE: usize = 256 << 10;

/// A file that several threads read from.
#[derive(Clone, Debug)]
pub struct SharedFile(Shared<Gate>);

#[derive(Debug)]
struct Gate {
    /// The device and inode of the file.
    identity: Identity,
    /// The process whose threads read.
    epoch: Epoch,
    /// Readers hold the lock while they read; `close` sets it to `None`.
    descriptor: RwLock<Option<c_int>>,
}

type Identity = (libc::dev_t, libc::ino_t);

impl SharedFile {
    /// Shares `descriptor`; `None` if `fstat` or allocation fails.
    pub fn new(descriptor: c_int) -> Option<Self> {
        let descriptor_lock = RwLock::new(Some(descriptor));
        let identity = identity(descriptor)?;
        let gate = Gate { identity, epoch: Epoch::watch(), descriptor: descriptor_lock };
        Shared::try_new(gate).ok().map(Self)
    }

    /// Reads from `offset` until `output` is full, the file ends, a read fails, or `is_wanted` returns
    /// false. Returns false if the file was closed, or if the descriptor now refers to another file: the
    /// output is then invalid.
    pub fn read_at(&self, offset: u64, output: &mut Output<'_>, is_wanted: impl Fn() -> bool) -> bool {
        let Ok(mut offset) = i64::try_from(offset) else { return false };
        while !output.is_full() && is_wanted() {
            let descriptor = self.0.descriptor.read().unwrap_or_else(PoisonError::into_inner);
            let Some(descriptor) = *descriptor else { return false };
            let wanted = output.room().min(PIECE);
            // SAFETY: `cursor()` is valid for writes of `room()` bytes.
            let got = unsafe { libc::pread(descriptor, output.cursor().cast(), wanted, offset) };
            if identity(descriptor) != Some(self.0.identity) {
                return false;
            }
            let Some(count) = usize::try_from(got).ok().filter(|&count| count > 0) else { break };
            offset += count as i64;
            // SAFETY: the kernel wrote `count <= wanted` bytes there.
            unsafe { output.advance(count) };
        }
        true
    }

    /// Prevents further reads; waits for reads that have begun. Does nothing in the child of a `fork`,
    /// where no thread reads and the lock may never be released.
    pub fn close(&self) {
        if self.0.epoch == Epoch::now() {
            *self.0.descriptor.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// The device and inode of the descriptor's file.
fn identity(descriptor: c_int) -> Option<Identity> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `status` is writable for one `stat`.
    if unsafe { libc::fstat(descriptor, status.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: `fstat` succeeded, so it filled `status`.
    let status = unsafe { status.assume_init_ref() };
    Some((status.st_dev, status.st_ino))
}
