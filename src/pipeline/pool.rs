//! The workers: one private pool of threads per process, started by the first stream that is large enough.
//!
//! They block every signal and have small stacks, and serve one queue under a lock. Any step of making them may be refused: when
//! the system refuses a thread, the process has fewer workers or none, and callers do all jobs themselves, which is a correct
//! state at any time. The queue may refuse a job, which its owner then does himself, and an idle worker sleeps. With jobs of a
//! millisecond and more a lock is nothing (docs/PHASES.md, 6).
//!
//! Not rayon's pool, which was here before: its workers use a collector of crossbeam's that is made once, and a `fork`
//! in that moment left the child's workers waiting for ever for a maker that had stayed behind (`c_tests/fork_first_use.c`);
//! and it takes memory, while it is made and for each job, whose refusal ends the process.
//!
//! A pool belongs to one *epoch*: a process between two forks. The child of a `fork` has no workers, whatever the copied
//! memory says, so it leaves the old pool unseen and makes its own when it needs one. An `atfork` handler counts
//! forks; process ids are compared too, because a raw `clone` runs no handler.

use super::encoder::ChunkEncoder;
use super::job::Job;
use super::sync::{Condvar, Mutex, WeakShared, lock, wait};
use crate::budget;
use crate::config::config;
use crate::raw::process;
use crate::raw::thread::{self, Work};
use crate::raw::{Allocator, Buffer};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

pub(super) use crate::raw::process::Epoch;

/// Enough for zlib-ng and for our own engines, which keep their tables on the heap.
const STACK_BYTES: usize = 256 * 1024;

/// Memory to be seen free before the standard library is asked for the number of processors, since it takes small pieces for that
/// and ends the process when one is refused.
const ASKING_BYTES: usize = 64 * 1024;

/// What is seen free beside a box before it is made, since making it ends the process when it is refused.
const SPARE_BYTES: usize = 4 * 1024;

/// The workers of one epoch; none when threads are refused or one is all we may use.
#[derive(Debug)]
pub(crate) struct Pool {
    epoch: Epoch,
    /// How many there are, or are about to be. Written by who published the pool, once it knows how many were refused;
    /// read by every stream, for which the number is advice.
    workers: AtomicUsize,
    line: Mutex<Line>,
    /// Told when a job was put in line.
    offered: Condvar,
    /// Told when a worker began to serve.
    arrived: Condvar,
}

/// What a worker may do.
enum Task {
    /// A chunk to compress, if its ring still wants it.
    Job(WeakShared<Job>),
    /// Anything else.
    Work(Box<dyn FnOnce() + Send>),
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Job(_)) { "Job" } else { "Work" })
    }
}

#[derive(Debug, Default)]
struct Line {
    /// What was offered and is not yet looked at, oldest first. Filled by the streams' threads, emptied by the workers.
    tasks: VecDeque<Task>,
    /// Workers that serve.
    serving: usize,
}

/// Published by whoever built the current epoch's pool, read by every stream. Release and Acquire pair here. Pools are
/// never freed: an epoch has one, and a forked child must not touch its parent's.
static CURRENT: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());

impl Pool {
    /// This epoch's pool, built if it is not there yet; `None` when there is no memory for one, and then later calls try again.
    pub(crate) fn current() -> Option<&'static Pool> {
        let epoch = Epoch::now();
        let seen = CURRENT.load(Ordering::Acquire);
        if let Some(pool) = process::leaked(seen)
            && pool.epoch == epoch
        {
            return Some(pool);
        }
        let workers = known_limit()? - 1;
        // A moment without memory is not for ever.
        is_free(STACK_BYTES * workers)?;
        let _whole = process::NoCancel::new();
        process::watch_forks();
        let made = Pool {
            epoch,
            workers: AtomicUsize::new(workers),
            line: Mutex::default(),
            offered: Condvar::new(),
            arrived: Condvar::new(),
        };
        // When another thread was faster, its pool serves all.
        let (pool, ours) = process::publish(&CURRENT, seen, made)?;
        if ours.is_none() {
            pool.start(workers);
        }
        Some(pool)
    }

    /// Starts so many workers, or as many as may be, and sleeps until they serve: what a thread takes memory for when it begins is
    /// then behind it.
    fn start(&'static self, workers: usize) {
        let started = (0..workers).take_while(|_| thread::start(self, STACK_BYTES)).count();
        self.workers.store(started, Ordering::Relaxed);
        budget::provide_for(started + 1);
        let mut line = lock(&self.line);
        if started == 0 {
            // Nobody will look at what others put there meanwhile.
            let left = std::mem::take(&mut line.tasks);
            drop(line);
            drop(left);
            return;
        }
        while line.serving < started {
            line = wait(&self.arrived, line);
        }
    }

    /// How many threads besides the caller do jobs.
    pub(crate) fn workers(&self) -> usize {
        self.workers.load(Ordering::Relaxed)
    }

    /// Lets a worker do `job`, unless its owner is faster, or drops it first. Without memory to put it in line it is the owner's.
    pub(super) fn offer(&self, job: WeakShared<Job>) {
        self.put_in_line(Task::Job(job));
    }

    /// Lets a worker do `work`; it is dropped when there is none, or no memory.
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        if is_free(size_of_val(&work) + SPARE_BYTES).is_some() {
            self.put_in_line(Task::Work(Box::new(work)));
        }
    }

    fn put_in_line(&self, task: Task) {
        if self.workers() == 0 {
            return;
        }
        let mut line = lock(&self.line);
        if line.tasks.try_reserve(1).is_ok() {
            line.tasks.push_back(task);
            drop(line);
            self.offered.notify_one();
        }
    }

    /// A worker's life.
    fn serve(&self) -> ! {
        let mut encoder = ChunkEncoder::default();
        let mut line = lock(&self.line);
        line.serving += 1;
        self.arrived.notify_all();
        loop {
            let Some(task) = line.tasks.pop_front() else {
                line = wait(&self.offered, line);
                continue;
            };
            drop(line);
            match task {
                Task::Job(job) => _ = job.upgrade().map(|job| job.run(&mut encoder, true)),
                Task::Work(work) => work(),
            }
            line = lock(&self.line);
        }
    }
}

impl Work for Pool {
    fn work(&'static self) {
        self.serve();
    }
}

/// How many threads, the caller's included, may compress at once. One, for the moment, without memory to find out.
pub fn thread_limit() -> usize {
    known_limit().unwrap_or(1)
}

/// The same; `None` without memory to find out.
fn known_limit() -> Option<usize> {
    /// 0 before it is known.
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    let known = LIMIT.load(Ordering::Relaxed);
    if known > 0 {
        return Some(known);
    }
    let found = config().threads.or_else(|| {
        // Files are read for this, and small pieces of memory taken.
        let _whole = process::NoCancel::new();
        is_free(ASKING_BYTES)?;
        // It heeds the affinity mask and cgroup quotas.
        std::thread::available_parallelism().ok().map(usize::from)
    });
    LIMIT.store(found.unwrap_or(0), Ordering::Relaxed);
    found
}

/// Whether so much memory could be had.
fn is_free(bytes: usize) -> Option<()> {
    let mut memory = Buffer::new(Allocator::SYSTEM);
    let outcome = memory.reserve(bytes).ok();
    // Seen, or the compiler would spare us the asking: what nobody looks at is as good as granted to it.
    std::hint::black_box(&memory);
    outcome
}
