//! The workers: one private rayon pool per process, started by the first stream that is large enough.
//!
//! Never rayon's global pool: it hangs after `fork` and aborts when threads cannot be made. This one is built at first need
//! with threads that block every signal and have small stacks. When the system refuses a thread, the process simply has no
//! workers: callers do all jobs themselves, which is a correct state at any time.
//!
//! A pool belongs to one *epoch*: a process between two forks. The child of a `fork` has no workers, whatever the copied
//! memory says, so it leaves the old pool unseen and builds its own when it needs one. An `atfork` handler counts
//! forks; process ids are compared too, because a raw `clone` runs no handler.

use super::encoder::ChunkEncoder;
use super::job::Job;
use super::sync::Weak;
use crate::config::config;
use crate::raw::process::{self, FirstMade};
use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuilder};
use std::cell::RefCell;
use std::sync::atomic::{AtomicPtr, Ordering};

pub(super) use crate::raw::process::Epoch;

/// Enough for zlib-ng and for our own engines, which keep their tables on the heap.
const STACK_BYTES: usize = 256 * 1024;

/// The workers of one epoch; none when threads are refused or one is all we may use.
#[derive(Debug)]
pub(super) struct Pool {
    epoch: Epoch,
    workers: Option<ThreadPool>,
}

/// Published by whoever built the current epoch's pool, read by every stream. Release and Acquire pair here. Pools are
/// leaked: an epoch has one, and a forked child must not touch its parent's.
static CURRENT: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());

impl Pool {
    /// This epoch's pool, built if it is not there yet.
    pub(super) fn current() -> &'static Pool {
        let epoch = Epoch::now();
        let seen = CURRENT.load(Ordering::Acquire);
        if let Some(pool) = process::leaked(seen)
            && pool.epoch == epoch
        {
            return pool;
        }
        let built = Box::leak(Box::new(Pool { epoch, workers: build() }));
        match CURRENT.compare_exchange(seen, built, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => built,
            // Another thread was faster: its pool serves all, and ours ends its threads.
            Err(other) => {
                built.workers = None;
                process::leaked(other).unwrap_or(built)
            }
        }
    }

    /// How many threads besides the caller do jobs.
    pub(super) fn workers(&self) -> usize {
        self.workers.as_ref().map_or(0, ThreadPool::current_num_threads)
    }

    /// Lets a worker do `work`; it is dropped when there is none.
    pub(super) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        if let Some(workers) = &self.workers {
            workers.spawn(work);
        }
    }

    /// Lets a worker do `job`, unless its owner is faster, or drops it first.
    pub(super) fn offer(&self, job: Weak<Job>) {
        thread_local! {
            static ENCODER: RefCell<ChunkEncoder> = RefCell::default();
        }
        if let Some(workers) = &self.workers {
            workers.spawn(move || {
                if let Some(job) = job.upgrade() {
                    ENCODER.with_borrow_mut(|encoder| job.run(encoder, true));
                }
            });
        }
    }
}

/// How many threads, the caller's included, may compress at once.
pub fn thread_limit() -> usize {
    static LIMIT: FirstMade<usize> = FirstMade::new();
    // `available_parallelism` heeds the affinity mask and cgroup quotas.
    *LIMIT.get_or_make(|| {
        config().threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    })
}

fn build() -> Option<ThreadPool> {
    let workers = thread_limit() - 1;
    if workers == 0 {
        return None;
    }
    process::watch_forks();
    ThreadPoolBuilder::new().num_threads(workers).spawn_handler(spawn).build().ok()
}

/// Starts one worker; a refusal is the pool's to handle.
fn spawn(thread: ThreadBuilder) -> std::io::Result<()> {
    let builder = std::thread::Builder::new().name("rigz".into()).stack_size(STACK_BYTES);
    // The new thread inherits the mask: no signal of the host is ever delivered to it.
    let _blocked = process::BlockedSignals::new();
    builder.spawn(move || thread.run()).map(drop)
}
