//! `SharedFile`: a file of the host's that other threads may read from, until its owner closes it.
//!
//! The descriptor is the host's, and the host may do anything with it once the owner is told to close:
//! so closing waits for reads that have begun. A thread whose table of descriptors is another one
//! (`unshare`), or a host that closed the descriptor without telling, would have it mean another file:
//! readers compare the file's identity before they read and after.

use super::Output;
use super::epoch::Epoch;
use super::shared::Shared;
use core::ffi::c_int;
use core::mem::MaybeUninit;
use std::sync::{PoisonError, RwLock};

/// Bytes that are read at once: closing waits for one such read at most.
const PIECE: usize = 256 << 10;

/// A file that several threads read from.
#[derive(Clone, Debug)]
pub struct SharedFile(Shared<Gate>);

#[derive(Debug)]
struct Gate {
    /// Which file the descriptor is of.
    identity: Identity,
    /// The process whose threads read.
    epoch: Epoch,
    /// Readers hold the lock while they read; whoever closes takes the descriptor out.
    descriptor: RwLock<Option<c_int>>,
}

type Identity = (libc::dev_t, libc::ino_t);

impl SharedFile {
    /// Shares `descriptor`; `None` when it is no file, or memory is refused.
    pub fn new(descriptor: c_int) -> Option<Self> {
        let descriptor_lock = RwLock::new(Some(descriptor));
        let identity = identity(descriptor)?;
        let gate = Gate { identity, epoch: Epoch::watch(), descriptor: descriptor_lock };
        Shared::try_new(gate).ok().map(Self)
    }

    /// Reads from `offset` on, as much as fits and exists, as long as `is_wanted`. Nothing counts as
    /// read if the file is closed or another one.
    pub fn read_at(&self, offset: u64, output: &mut Output<'_>, is_wanted: impl Fn() -> bool) -> bool {
        let Ok(mut offset) = i64::try_from(offset) else { return false };
        while !output.is_full() && is_wanted() {
            let descriptor = self.0.descriptor.read().unwrap_or_else(PoisonError::into_inner);
            let Some(descriptor) = *descriptor else { return false };
            let wanted = output.room().min(PIECE);
            // SAFETY: `Output` vouches for `room()` writable bytes at `cursor()`.
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

    /// Ends all reading; waits for reads that have begun. Does nothing in the child of a `fork`, where
    /// nobody reads and the lock may be held for ever.
    pub fn close(&self) {
        if self.0.epoch == Epoch::now() {
            *self.0.descriptor.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// Which file a descriptor is of.
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
