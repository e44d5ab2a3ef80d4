//! The workers: one private rayon pool per process, started by the first stream that is large enough.
//!
//! Never rayon's global pool: it hangs after `fork` and aborts when threads cannot be made. This one is built at first need
//! with threads that block every signal and have small stacks. When the system refuses a thread, the process simply has no
//! workers: callers do all jobs themselves, which is a correct state at any time.
//!
//! rayon makes the threads and ends them; the queue that they serve is ours. rayon's own takes memory for each job, which ends the
//! process when it is refused, and its idle workers spin for a while. Ours may refuse a job, which its owner then does
//! himself, and an idle worker sleeps. With jobs of a millisecond and more a lock is nothing.
//!
//! A pool belongs to one *epoch*: a process between two forks. The child of a `fork` has no workers, whatever the copied
//! memory says, so it leaves the old pool unseen and builds its own when it needs one. An `atfork` handler counts
//! forks; process ids are compared too, because a raw `clone` runs no handler.

use super::encoder::ChunkEncoder;
use super::job::Job;
use super::sync::{Condvar, Mutex, WeakShared, lock, wait};
use crate::config::config;
use crate::raw::process;
use crate::raw::{Allocator, Buffer};
use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuilder};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

pub(super) use crate::raw::process::Epoch;

/// Enough for zlib-ng and for our own engines, which keep their tables on the heap.
const STACK_BYTES: usize = 256 * 1024;

/// Memory to be seen free before a pool is built, beside [`STACK_BYTES`] for each thread: making threads takes a few small pieces
/// for each, in rayon and in the standard library, and both end the process when one is refused. Measured: 13 KiB for one worker
/// and 7.5 KiB for each more (bytes out behind the first large stream, by a counting malloc); `c_tests/refused_malloc.c` tries with
/// every amount of memory.
const BUILD_BYTES: usize = 64 * 1024;

/// What is seen free beside a box before it is made, since making it ends the process when it is refused.
const SPARE_BYTES: usize = 4 * 1024;

/// The workers of one epoch; none when threads are refused or one is all we may use.
#[derive(Debug)]
pub(super) struct Pool {
    epoch: Epoch,
    workers: Option<ThreadPool>,
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
    pub(super) fn current() -> Option<&'static Pool> {
        let epoch = Epoch::now();
        let seen = CURRENT.load(Ordering::Acquire);
        if let Some(pool) = process::leaked(seen)
            && pool.epoch == epoch
        {
            return Some(pool);
        }
        let built = Pool {
            epoch,
            workers: build()?,
            line: Mutex::default(),
            offered: Condvar::new(),
            arrived: Condvar::new(),
        };
        // When another thread was faster, its pool serves all, and ours ends its threads.
        let (pool, ours) = process::publish(&CURRENT, seen, built)?;
        if let (Some(workers), None) = (&pool.workers, ours) {
            workers.spawn_broadcast(|_| pool.serve());
            pool.await_workers();
        }
        Some(pool)
    }

    /// Sleeps until all workers serve: what a thread takes memory for when it begins is then behind it, before the caller goes
    /// on to use up what was seen free.
    fn await_workers(&self) {
        let mut line = lock(&self.line);
        while line.serving < self.workers() {
            line = wait(&self.arrived, line);
        }
    }

    /// How many threads besides the caller do jobs.
    pub(super) fn workers(&self) -> usize {
        self.workers.as_ref().map_or(0, ThreadPool::current_num_threads)
    }

    /// Lets a worker do `job`, unless its owner is faster, or drops it first. Without memory to put it in line it is the owner's.
    pub(super) fn offer(&self, job: WeakShared<Job>) {
        self.put_in_line(Task::Job(job));
    }

    /// Lets a worker do `work`; it is dropped when there is none, or no memory.
    pub(super) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        if is_free(size_of_val(&work) + SPARE_BYTES).is_some() {
            self.put_in_line(Task::Work(Box::new(work)));
        }
    }

    fn put_in_line(&self, task: Task) {
        if self.workers.is_none() {
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
    fn serve(&self) {
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

/// How many threads, the caller's included, may compress at once. One, for the moment, without memory to find out.
pub fn thread_limit() -> usize {
    /// 0 before it is known.
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    let known = LIMIT.load(Ordering::Relaxed);
    if known > 0 {
        return known;
    }
    let found = config().threads.or_else(|| {
        // Files are read for this, and small pieces of memory taken.
        let _whole = process::NoCancel::new();
        is_free(BUILD_BYTES)?;
        // It heeds the affinity mask and cgroup quotas.
        std::thread::available_parallelism().ok().map(usize::from)
    });
    LIMIT.store(found.unwrap_or(0), Ordering::Relaxed);
    found.unwrap_or(1)
}

/// Starts the workers, as many as there may be; `None` when there is not enough memory to try.
fn build() -> Option<Option<ThreadPool>> {
    is_free(BUILD_BYTES)?;
    let workers = thread_limit() - 1;
    if workers == 0 {
        return Some(None);
    }
    is_free((BUILD_BYTES + STACK_BYTES) * workers)?;
    let _whole = process::NoCancel::new();
    process::watch_forks();
    let builder = ThreadPoolBuilder::new().num_threads(workers).spawn_handler(spawn);
    // A job's panic is the job's error; if anything else ever panics, the process loses a worker and nothing more.
    Some(builder.panic_handler(|_| {}).build().ok())
}

/// Whether so much memory could be had.
fn is_free(bytes: usize) -> Option<()> {
    let mut memory = Buffer::new(Allocator::SYSTEM);
    let outcome = memory.reserve(bytes).ok();
    // Seen, or the compiler would spare us the asking: what nobody looks at is as good as granted to it.
    std::hint::black_box(&memory);
    outcome
}

/// Starts one worker; a refusal is the pool's to handle.
fn spawn(thread: ThreadBuilder) -> std::io::Result<()> {
    let builder = std::thread::Builder::new().name("rigz".into()).stack_size(STACK_BYTES);
    // The new thread inherits the mask: no signal of the host is ever delivered to it.
    let _blocked = process::BlockedSignals::new();
    builder.spawn(move || thread.run()).map(drop)
}
