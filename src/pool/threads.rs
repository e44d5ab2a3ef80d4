//! `Pool`: one private pool of threads per process, and the queue they serve.
//!
//! A worker is started when a task is offered and no worker waits for one, and ends after half a second without a task. So a
//! process has no more workers than it has work for, and is soon single-threaded again. Workers block every signal and
//! have small stacks. Any step may fail: if the system refuses a thread, there are fewer workers or none for a while, and callers do
//! all tasks themselves, which is correct at any time. If the queue cannot take a task, it remains with its owner. Tasks take a
//! millisecond or more, so one lock is cheap enough (docs/PHASES.md, phase 6).
//!
//! rayon's pool was used before. Its workers use a crossbeam collector that is initialised once; after a `fork` at that moment the
//! child's workers never stopped waiting (`c_tests/fork_first_use.c`). It also aborts the process if an allocation fails, during
//! its creation and for each job.
//!
//! A pool belongs to one [`Epoch`]. The child of a `fork` has no workers, although the copied memory shows some, so it does not
//! touch the old pool and makes its own when it needs one.

use super::sync::{AtomicUsize, Condvar, Mutex, WeakShared, lock, wait_while};
use super::{Epoch, Task};
use crate::raw::thread::Work;
use crate::raw::{Allocator, Buffer};
use crate::trace;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
#[cfg(not(loom))]
use {
    crate::budget,
    crate::config::config,
    crate::raw::process::{self, Published},
};

/// Enough for zlib-ng and for our own engines, which keep their tables on the heap.
#[cfg(not(loom))]
const STACK_BYTES: usize = 256 * 1024;

/// How long a worker waits for a task before it ends. Starting one takes about 50 µs.
#[cfg(not(loom))]
const PATIENCE: Duration = Duration::from_millis(500);

/// After the system refuses a thread, none is started for this time. Then it may succeed again.
const AFTER_REFUSAL: Duration = Duration::from_millis(500);

/// Memory probed before the standard library counts the processors: it makes small allocations, and aborts if one fails.
#[cfg(not(loom))]
const COUNTING_BYTES: usize = 64 * 1024;

/// Extra memory probed before `Box::new`, which aborts on allocation failure.
const SPARE_BYTES: usize = 4 * 1024;

/// The workers of one epoch.
#[derive(Debug)]
pub(crate) struct Pool {
    epoch: Epoch,
    /// The maximum number of workers.
    limit: usize,
    /// `limit`, or the number of workers when the system last refused one. Written by threads that start a worker; users read it
    /// as a hint.
    workers: AtomicUsize,
    /// How long a worker waits for a task.
    patience: Duration,
    queue: Mutex<TaskQueue>,
    /// Notified when a task is queued for a waiting worker.
    offered: Condvar,
}

/// A task in the queue.
enum Queued {
    /// Its owner may run it first, or drop it.
    Shared(WeakShared<dyn Task>),
    /// The queue owns it.
    Owned(Box<dyn FnOnce() + Send>),
}

impl Queued {
    /// Runs it and catches a panic.
    fn run(self) {
        let outcome = catch_unwind(AssertUnwindSafe(|| match self {
            Self::Shared(task) => _ = task.upgrade().map(|task| task.run()),
            Self::Owned(work) => work(),
        }));
        // The payload is leaked: dropping it may panic again.
        std::mem::forget(outcome);
    }
}

impl std::fmt::Debug for Queued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Shared(_)) { "Shared" } else { "Owned" })
    }
}

#[derive(Debug, Default)]
struct TaskQueue {
    /// Tasks not yet begun, oldest first.
    tasks: VecDeque<Queued>,
    /// Workers that run or are being started.
    serving: usize,
    /// How many of these wait for a task. A notified worker counts until it has woken up.
    idle: usize,
    /// When the system last refused a thread.
    refused: Option<Instant>,
    /// Set by loom models to end the workers.
    #[cfg(loom)]
    is_closed: bool,
}

impl TaskQueue {
    fn may_start(&self, limit: usize) -> bool {
        self.serving < limit && self.refused.is_none_or(|at| at.elapsed() >= AFTER_REFUSAL)
    }

    /// Whether a worker should wait.
    fn is_quiet(&self) -> bool {
        #[cfg(loom)]
        if self.is_closed {
            return false;
        }
        self.tasks.is_empty()
    }
}

impl Pool {
    /// A pool that has no workers yet.
    fn new(epoch: Epoch, limit: usize, patience: Duration) -> Self {
        Self {
            epoch,
            limit,
            workers: AtomicUsize::new(limit),
            patience,
            queue: Mutex::default(),
            offered: Condvar::new(),
        }
    }

    /// The epoch that the pool belongs to.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How many threads besides the caller run tasks.
    pub(crate) fn workers(&self) -> usize {
        self.workers.load(Ordering::Relaxed)
    }

    /// Queues `task` for a worker, unless the owner runs it first or drops it. If the queue has no memory, only the owner can run
    /// it.
    pub(crate) fn offer(&'static self, task: WeakShared<dyn Task>) {
        self.enqueue(Queued::Shared(task));
    }

    /// Queues `work` for a worker; drops it if there is no worker, or no memory.
    pub(crate) fn spawn(&'static self, work: impl FnOnce() + Send + 'static) {
        if is_free(size_of_val(&work) + SPARE_BYTES).is_some() {
            self.enqueue(Queued::Owned(Box::new(work)));
        }
    }

    fn enqueue(&'static self, task: Queued) {
        let mut queue = lock(&self.queue);
        if queue.serving == 0 && !queue.may_start(self.limit) || queue.tasks.try_reserve(1).is_err() {
            return;
        }
        queue.tasks.push_back(task);
        // There is a waiting worker for each queued task. One that was notified earlier counts as waiting, and its task as queued,
        // until it wakes up; a worker empties the queue before it waits again.
        if queue.idle >= queue.tasks.len() {
            drop(queue);
            self.offered.notify_one();
        } else if queue.may_start(self.limit) {
            queue.serving += 1;
            drop(queue);
            self.start();
        }
    }

    /// Starts a worker, which is already counted in `serving`.
    fn start(&'static self) {
        if start_thread(self) {
            self.workers.store(self.limit, Ordering::Relaxed);
            return;
        }
        let mut queue = lock(&self.queue);
        queue.serving -= 1;
        queue.refused = Some(Instant::now());
        self.workers.store(queue.serving, Ordering::Relaxed);
        // No worker is left to run them.
        let left = if queue.serving == 0 { std::mem::take(&mut queue.tasks) } else { VecDeque::new() };
        drop(queue);
        drop(left);
    }
}

impl Work for Pool {
    /// The body of a worker: runs tasks until it has waited `patience` without one.
    fn work(&'static self) {
        trace::worker();
        let mut queue = lock(&self.queue);
        loop {
            if let Some(task) = queue.tasks.pop_front() {
                drop(queue);
                task.run();
                queue = lock(&self.queue);
                continue;
            }
            queue.idle += 1;
            queue = wait_while(&self.offered, queue, self.patience, |queue| queue.is_quiet());
            queue.idle -= 1;
            if queue.tasks.is_empty() {
                queue.serving -= 1;
                #[cfg(loom)]
                self.offered.notify_all();
                return;
            }
        }
    }
}

#[cfg(not(loom))]
fn start_thread(pool: &'static Pool) -> bool {
    crate::raw::thread::start(pool, STACK_BYTES)
}

#[cfg(loom)]
fn start_thread(pool: &'static Pool) -> bool {
    loom::thread::spawn(move || pool.work());
    true
}

#[cfg(not(loom))]
impl Pool {
    /// This epoch's pool, made if it does not exist yet; `None` if there is no memory for one, and then later calls try again.
    pub(crate) fn current() -> Option<&'static Pool> {
        /// Published by the thread that made the current epoch's pool, read by every user. Pools are never freed: an epoch has
        /// one, and a forked child must not touch its parent's.
        static CURRENT: Published<Pool> = Published::new();

        let seen = CURRENT.get();
        if let Some(pool) = seen
            && pool.epoch == Epoch::now()
        {
            return Some(pool);
        }
        let limit = known_limit()? - 1;
        budget::provide_for(limit + 1);
        let made = Pool::new(Epoch::watch(), limit, PATIENCE);
        // If another thread was faster, all threads use its pool.
        let (pool, ours) = CURRENT.replace(seen, made).ok()?;
        if ours.is_none() && limit > 0 {
            // Start one worker now, to learn whether the system allows threads.
            lock(&pool.queue).serving += 1;
            pool.start();
        }
        Some(pool)
    }
}

#[cfg(loom)]
impl Pool {
    /// The pool of this run of a model: two workers, which end as soon as they have nothing to do.
    pub(crate) fn current() -> Option<&'static Pool> {
        loom::lazy_static! {
            static ref CURRENT: &'static Pool = Pool::leaked(2, Duration::ZERO);
        }
        Some(&CURRENT)
    }

    /// Leaked, because a worker may use it for a moment after its model has ended.
    fn leaked(limit: usize, patience: Duration) -> &'static Pool {
        Box::leak(Box::new(Pool::new(Epoch::now(), limit, patience)))
    }

    /// Makes idle workers end instead of wait, and waits until all have ended.
    pub(crate) fn close(&self) {
        let mut queue = lock(&self.queue);
        queue.is_closed = true;
        self.offered.notify_all();
        while queue.serving > 0 {
            queue = super::sync::wait(&self.offered, queue);
        }
    }
}

/// How many threads, the caller's included, may compress or decode at once. Returns 1, and tries again next time, if there is no
/// memory to count the processors.
#[cfg(not(loom))]
pub fn thread_limit() -> usize {
    known_limit().unwrap_or(1)
}

/// The two workers of the models' pool, and the caller.
#[cfg(loom)]
pub fn thread_limit() -> usize {
    3
}

/// As [`thread_limit`]; `None` if there is no memory to count the processors.
#[cfg(not(loom))]
fn known_limit() -> Option<usize> {
    use std::sync::atomic::AtomicUsize;

    /// 0 before it is known.
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    let known = LIMIT.load(Ordering::Relaxed);
    if known > 0 {
        return Some(known);
    }
    let found = config().threads.or_else(|| {
        // `available_parallelism` reads files and makes small allocations.
        let _whole = process::NoCancel::new();
        is_free(COUNTING_BYTES)?;
        // It respects the affinity mask and cgroup quotas.
        std::thread::available_parallelism().ok().map(usize::from)
    });
    LIMIT.store(found.unwrap_or(0), Ordering::Relaxed);
    found
}

/// Whether `bytes` of memory can be allocated.
fn is_free(bytes: usize) -> Option<()> {
    let mut memory = Buffer::new(Allocator::SYSTEM);
    let outcome = memory.reserve(bytes).ok();
    // Without this the compiler may remove the unused allocation.
    std::hint::black_box(&memory);
    outcome
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn pool(limit: usize, patience: Duration) -> &'static Pool {
        Box::leak(Box::new(Pool::new(Epoch::now(), limit, patience)))
    }

    /// Waits, at most some seconds, until `serving` is `count`.
    fn serving_becomes(pool: &Pool, count: usize) -> bool {
        (0..3000).any(|_| {
            std::thread::sleep(Duration::from_millis(2));
            lock(&pool.queue).serving == count
        })
    }

    #[test]
    fn workers_start_with_tasks_and_end_without() {
        let pool = pool(3, Duration::from_millis(20));
        for _ in 0..2 {
            let (begun, is_begun) = channel();
            let (free, is_free) = channel::<()>();
            let is_free = std::sync::Arc::new(std::sync::Mutex::new(is_free));
            for _ in 0..5 {
                let (begun, is_free) = (begun.clone(), is_free.clone());
                pool.spawn(move || {
                    begun.send(()).expect("the receiver exists");
                    is_free.lock().expect("no panic").recv().ok();
                });
            }
            for _ in 0..3 {
                is_begun.recv().expect("a worker began");
            }
            assert_eq!(lock(&pool.queue).serving, 3);
            drop(free);
            assert!(serving_becomes(pool, 0));
        }
        assert_eq!(pool.workers(), 3);
    }

    #[test]
    fn one_worker_runs_tasks_that_come_one_at_a_time() {
        let pool = pool(4, Duration::from_secs(5));
        for _ in 0..20 {
            let (done, is_done) = channel();
            pool.spawn(move || done.send(()).expect("the receiver exists"));
            is_done.recv().expect("a worker ran it");
            while lock(&pool.queue).idle == 0 {
                std::thread::yield_now();
            }
        }
        assert_eq!(lock(&pool.queue).serving, 1);
    }

    #[test]
    fn a_panic_ends_a_task_and_no_worker() {
        let pool = pool(1, Duration::from_secs(5));
        pool.spawn(|| std::panic::resume_unwind(Box::new("expected by the test")));
        let (done, is_done) = channel();
        pool.spawn(move || done.send(()).expect("the receiver exists"));
        assert_eq!(is_done.recv(), Ok(()));
    }

    #[test]
    fn a_pool_without_workers_runs_nothing() {
        let pool = pool(0, Duration::ZERO);
        let (done, is_done) = channel::<()>();
        pool.spawn(move || done.send(()).expect("no worker runs this"));
        assert!(is_done.recv().is_err());
        assert_eq!(pool.workers(), 0);
    }
}

/// `scripts/loom` tries every interleaving of the threads.
#[cfg(all(test, loom))]
mod loom_tests {
    use super::super::sync::wait;
    use super::*;
    use loom::sync::Arc;

    /// Offers two tasks. At the second one a worker may be waiting, about to end, or gone. If a task is lost, this thread never
    /// stops waiting, which loom reports.
    fn tasks_are_done_with(limit: usize, patience: Duration) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(Some(3));
        builder.check(move || {
            let pool = Pool::leaked(limit, patience);
            let done = Arc::new((Mutex::new(0), Condvar::new()));
            for _ in 0..2 {
                let done = done.clone();
                pool.spawn(move || {
                    *lock(&done.0) += 1;
                    done.1.notify_one();
                });
            }
            let mut count = lock(&done.0);
            while *count < 2 {
                count = wait(&done.1, count);
            }
            drop(count);
            pool.close();
        });
    }

    #[test]
    fn loom_a_task_is_done_though_a_worker_is_about_to_end() {
        tasks_are_done_with(1, Duration::ZERO);
    }

    #[test]
    fn loom_a_task_is_done_by_a_worker_that_waits() {
        tasks_are_done_with(1, Duration::MAX);
    }

    #[test]
    fn loom_two_workers_do_two_tasks() {
        tasks_are_done_with(2, Duration::ZERO);
    }
}
