//! The five ways. Each does every job of a batch exactly once, and returns when all are done.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crossbeam_deque::{Injector, Steal, Stealer, Worker};
use rigz::deflate::ChunkEncoder;

/// A batch of `count` jobs.
pub struct Jobs<'a> {
    pub count: usize,
    pub work: &'a (dyn Fn(usize, &mut ChunkEncoder) + Sync),
}

impl Jobs<'_> {
    /// Does job `index` with the thread's own encoder.
    fn work_on(&self, index: usize) {
        thread_local! {
            static ENCODER: RefCell<ChunkEncoder> = RefCell::new(ChunkEncoder::new().expect("memory"));
        }
        ENCODER.with_borrow_mut(|encoder| (self.work)(index, encoder));
    }
}

pub trait Way {
    fn run(&self, jobs: &Jobs);
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started")
}

/// A rayon scope.
pub struct Scope(rayon::ThreadPool);

impl Scope {
    pub fn new(threads: usize) -> Self {
        Self(pool(threads))
    }
}

impl Way for Scope {
    fn run(&self, jobs: &Jobs) {
        self.0.scope(|scope| {
            for index in 0..jobs.count {
                scope.spawn(move |_| jobs.work_on(index));
            }
        });
    }
}

/// The state that the threads of a way share: which jobs of the batch are taken, and how many are done.
struct Batch {
    /// The lifetime is extended to `'static`: [`Batch::drive`] returns only when no thread will use it again.
    jobs: &'static Jobs<'static>,
    taken: Vec<AtomicBool>,
    done: AtomicUsize,
    finished: Mutex<bool>,
    /// Notified when `finished` becomes true.
    all_done: Condvar,
}

impl Batch {
    /// Runs a batch: `spread` offers the jobs to the other threads, `help` does jobs on the caller's thread; then waits for the rest.
    fn drive(jobs: &Jobs, spread: impl FnOnce(&Arc<Batch>), help: impl FnOnce(&Arc<Batch>)) {
        // SAFETY: only `claim` uses `jobs`, and runs each job once. This function returns after all jobs are done; no thread uses
        // `jobs` after that.
        let jobs = unsafe { std::mem::transmute::<&Jobs, &'static Jobs<'static>>(jobs) };
        let taken = (0..jobs.count).map(|_| AtomicBool::new(false)).collect();
        let batch = Arc::new(Batch {
            jobs,
            taken,
            done: AtomicUsize::new(0),
            finished: Mutex::new(false),
            all_done: Condvar::new(),
        });
        spread(&batch);
        help(&batch);
        let mut finished = lock(&batch.finished);
        while !*finished {
            finished = batch.all_done.wait(finished).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Does job `index` unless another thread has taken it.
    fn claim(&self, index: usize) {
        if !self.taken[index].swap(true, Ordering::AcqRel) {
            self.jobs.work_on(index);
            if self.done.fetch_add(1, Ordering::AcqRel) + 1 == self.taken.len() {
                *lock(&self.finished) = true;
                self.all_done.notify_all();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One rayon task per job; the caller claims jobs too.
pub struct Tokens(rayon::ThreadPool);

impl Tokens {
    pub fn new(threads: usize) -> Self {
        Self(pool(threads - 1))
    }
}

impl Way for Tokens {
    fn run(&self, jobs: &Jobs) {
        let spread = |batch: &Arc<Batch>| {
            for index in 0..batch.taken.len() {
                let batch = Arc::clone(batch);
                self.0.spawn(move || batch.claim(index));
            }
        };
        Batch::drive(jobs, spread, |batch| (0..batch.taken.len()).for_each(|index| batch.claim(index)));
    }
}

type Task = (Arc<Batch>, usize);

/// A queue under a lock. A `None` in it ends a thread.
pub struct Line {
    shared: Arc<(Mutex<VecDeque<Option<Task>>>, Condvar)>,
    threads: Vec<JoinHandle<()>>,
}

impl Line {
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new((Mutex::new(VecDeque::new()), Condvar::new()));
        let start = |_| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                while let Some((batch, index)) = Self::next(&shared) {
                    batch.claim(index)
                }
            })
        };
        Self { threads: (1..threads).map(start).collect(), shared }
    }

    fn next((queue, pushed): &(Mutex<VecDeque<Option<Task>>>, Condvar)) -> Option<Task> {
        let mut tasks = lock(queue);
        loop {
            match tasks.pop_front() {
                Some(task) => return task,
                None => tasks = pushed.wait(tasks).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn push(&self, task: Option<Task>) {
        lock(&self.shared.0).push_back(task);
        self.shared.1.notify_one();
    }
}

impl Way for Line {
    fn run(&self, jobs: &Jobs) {
        let spread = |batch: &Arc<Batch>| {
            (0..batch.taken.len()).for_each(|index| self.push(Some((Arc::clone(batch), index))))
        };
        Batch::drive(jobs, spread, |batch| (0..batch.taken.len()).for_each(|index| batch.claim(index)));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.threads.iter().for_each(|_| self.push(None));
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The number of calls so far, and the last call's task (`None` ends the threads).
type LastCall<T> = (Mutex<(u64, Option<T>)>, Condvar);

/// Our own threads, which sleep until there is a task.
struct Crew<T> {
    shared: Arc<LastCall<T>>,
    threads: Vec<JoinHandle<()>>,
}

impl<T: Clone + Send + 'static> Crew<T> {
    /// Starts a thread for each of `works`, which runs it for each task passed to [`call`](Self::call).
    fn new<W: FnMut(&T) + Send + 'static>(works: Vec<W>) -> Self {
        let shared = Arc::new((Mutex::new((0, None::<T>)), Condvar::new()));
        let start = |mut work: W| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                let mut seen = 0;
                loop {
                    let (state, called) = &*shared;
                    let mut call = lock(state);
                    while call.0 == seen {
                        call = called.wait(call).unwrap_or_else(PoisonError::into_inner);
                    }
                    seen = call.0;
                    let Some(task) = call.1.clone() else { return };
                    drop(call);
                    work(&task);
                }
            })
        };
        let threads = works.into_iter().map(start).collect();
        Self { shared, threads }
    }

    fn call(&self, task: Option<T>) {
        let mut call = lock(&self.shared.0);
        *call = (call.0 + 1, task);
        self.shared.1.notify_all();
    }
}

impl<T> Drop for Crew<T> {
    fn drop(&mut self) {
        {
            let mut call = lock(&self.shared.0);
            *call = (call.0 + 1, None);
            self.shared.1.notify_all();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// crossbeam-deque.
pub struct Deque {
    injector: Arc<Injector<(Arc<Batch>, usize)>>,
    crew: Crew<()>,
}

impl Deque {
    pub fn new(threads: usize) -> Self {
        let injector: Arc<Injector<Task>> = Arc::new(Injector::new());
        let deques: Vec<Worker<Task>> = (1..threads).map(|_| Worker::new_fifo()).collect();
        let stealers: Arc<Vec<Stealer<Task>>> = Arc::new(deques.iter().map(Worker::stealer).collect());
        let works = deques
            .into_iter()
            .map(|own| {
                let (injector, stealers) = (Arc::clone(&injector), Arc::clone(&stealers));
                move |(): &()| {
                    while let Some((batch, index)) = next(&own, &injector, &stealers) {
                        batch.claim(index);
                    }
                }
            })
            .collect();
        Self { injector, crew: Crew::new(works) }
    }
}

/// Takes a task from the thread's own deque, from the injector, or from another thread's deque.
fn next(own: &Worker<Task>, injector: &Injector<Task>, stealers: &[Stealer<Task>]) -> Option<Task> {
    own.pop().or_else(|| {
        std::iter::repeat_with(|| {
            injector.steal_batch_and_pop(own).or_else(|| stealers.iter().map(Stealer::steal).collect())
        })
        .find(|steal| !steal.is_retry())
        .and_then(Steal::success)
    })
}

impl Way for Deque {
    fn run(&self, jobs: &Jobs) {
        let spread = |batch: &Arc<Batch>| {
            for index in 0..batch.taken.len() {
                self.injector.push((Arc::clone(batch), index));
            }
            self.crew.call(Some(()));
        };
        Batch::drive(jobs, spread, |batch| (0..batch.taken.len()).for_each(|index| batch.claim(index)));
    }
}

/// An atomic counter.
pub struct Counter {
    crew: Crew<(Arc<Batch>, Arc<AtomicUsize>)>,
}

impl Counter {
    pub fn new(threads: usize) -> Self {
        Self { crew: Crew::new((1..threads).map(|_| count_on).collect()) }
    }
}

fn count_on((batch, next): &(Arc<Batch>, Arc<AtomicUsize>)) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= batch.taken.len() {
            return;
        }
        batch.claim(index);
    }
}

impl Way for Counter {
    fn run(&self, jobs: &Jobs) {
        let next = Arc::new(AtomicUsize::new(0));
        let spread = |batch: &Arc<Batch>| self.crew.call(Some((Arc::clone(batch), Arc::clone(&next))));
        Batch::drive(jobs, spread, |batch| count_on(&(Arc::clone(batch), Arc::clone(&next))));
    }
}
