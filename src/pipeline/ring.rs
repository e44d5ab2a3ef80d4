//! The ring: a stream's undelivered jobs in order, oldest first, and spare buffers of delivered ones.
//!
//! A job is *settled* when it is done or has failed, and *delivered* when its result is copied to the output. Jobs are settled
//! in any order and delivered in the ring's order. The ring's length is bounded, and so is a stream's
//! memory. The ring belongs to the stream's thread; only its jobs are shared, and each job belongs to one ring. Buffers come
//! from the system's allocator even if the stream has its own, because a worker may be the one to free them.
//!
//! ```text
//! front                                                    back
//! |  job, partly delivered  |  job  |  job  |  job  |  job  |   at most `depth`
//! |  <---------------- offered -----------> |  not offered  |
//! ```
//!
//! If the ring is full, or its results are needed before more input, the stream's thread does one of three things, tried in this order: it
//! copies the settled results at the front to the output (`deliver`); it runs a job that no thread
//! has begun (`work`); it sleeps until the front job is settled (also `work`). In the last case
//! another thread runs the front job, so the sleep ends.
//!
//! With [`Between::Rest`] the ring is *closed* at the beginning of a call: jobs are only collected.
//! It opens when the stream's thread would have to wait, or in a call that has enough input for
//! workers but must leave no job unfinished. At the end of the call all jobs of an open ring are
//! finished, and the ring closes.

use super::encoder::ChunkEncoder;
use super::job::{Buffers, Chunk, Encoded, Job};
use crate::checksum::Check;
use crate::error::{Error, Result};
use crate::pool::sync::Shared;
use crate::pool::{Epoch, Pool, thread_limit};
use crate::raw::{Allocator, Buffer, Output};
use std::collections::VecDeque;
use std::time::Duration;

/// A delivered job's result, without its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    pub(super) check: Check,
    pub(super) used_bits: u32,
    pub(super) data_len: usize,
    pub(super) by_worker: bool,
    pub(super) cpu: Duration,
}

/// What workers may do while the host is not in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// They continue: the library's work overlaps with the host's own.
    GoOn,
    /// They do nothing. Jobs are collected, also over several calls, and run together when the ring is full; jobs that were
    /// begun are finished before the call returns.
    Rest,
}

#[derive(Debug)]
pub(super) struct Ring {
    jobs: VecDeque<Shared<Job>>,
    /// Bytes of the front job that were delivered.
    delivered: usize,
    /// The maximum number of jobs in the ring.
    depth: usize,
    /// The number of jobs, from the front on, that were offered to workers.
    offered: usize,
    /// The epoch in which these were offered; in another one, after a `fork`, no worker of this process has them.
    epoch: Epoch,
    between: Between,
    /// Whether a job is offered as soon as it is pushed. Always true with [`Between::GoOn`].
    is_open: bool,
    /// Threads that the pipeline may keep busy for this stream; 1 before the segment is large enough for workers.
    threads: usize,
    /// The stream's own encoder, for jobs done on its thread, and for an open chunk that is encoded
    /// in place. Such a chunk keeps the engine between calls, but is begun only when the ring is
    /// empty, and no job is added before it ends.
    encoder: ChunkEncoder,
    /// Buffers of delivered jobs, so that a long stream does not allocate and touch new memory for
    /// each chunk.
    spare_inputs: Vec<Buffer>,
    spare_outputs: Vec<Buffer>,
}

impl Ring {
    /// An empty ring without workers: a chunk is done as soon as it is full, while its bytes are in the cache.
    pub(super) fn new(between: Between) -> Result<Self> {
        let mut ring = Self {
            jobs: VecDeque::new(),
            delivered: 0,
            depth: 1,
            offered: 0,
            epoch: Epoch::now(),
            between,
            is_open: between == Between::GoOn,
            threads: 1,
            encoder: ChunkEncoder::default(),
            spare_inputs: Vec::new(),
            spare_outputs: Vec::new(),
        };
        ring.reserve()?;
        Ok(ring)
    }

    /// Begins to use workers, if there are any, and sets the ring's depth. `allow` is called with the number of jobs that the
    /// workers can use, and returns how many are permitted, or 0. If it returns 0, no thread is started. Without memory the
    /// ring stays as it is: the stream's thread does all jobs, and the next write tries again.
    pub(super) fn use_workers(&mut self, allow: impl FnOnce(usize) -> usize) {
        if self.threads > 1 {
            return;
        }
        // The memory is granted before a thread is started, for the largest possible number of
        // threads. The system may refuse some of them; then the ring has fewer jobs than were granted.
        let wanted = self.depth_for(thread_limit());
        let allowed = if wanted > 1 { allow(wanted) } else { 0 };
        if allowed == 0 {
            return;
        }
        let Some(pool) = Pool::current() else { return };
        let threads = pool.workers() + 1;
        self.depth = self.depth_for(threads).min(allowed);
        if self.reserve().is_ok() {
            self.threads = threads;
        } else {
            self.depth = 1;
        }
    }

    /// How many jobs this number of threads can use.
    fn depth_for(&self, threads: usize) -> usize {
        match (threads, self.between) {
            (1, _) => 1,
            // For each thread one job running and one waiting, and one being delivered.
            (_, Between::GoOn) => 2 * threads + 1,
            // Small writes are collected until there are two jobs for each thread. With more, the threads would finish a call
            // closer together, but the data would no longer be in the cache when it is compressed.
            (_, Between::Rest) => 2 * threads,
        }
    }

    /// Stops using workers and frees the spare buffers. The ring must be empty.
    pub(super) fn leave_workers(&mut self) {
        debug_assert!(self.jobs.is_empty());
        (self.depth, self.threads) = (1, 1);
        self.spare_inputs.clear();
        self.spare_outputs.clear();
    }

    /// Whether workers are used.
    pub(super) fn has_workers(&self) -> bool {
        self.threads > 1
    }

    /// Sets what workers may do from now on while the host is not in a call. After a change to
    /// `Rest` the ring stays open until the end of the call, which then finishes all its jobs.
    pub(super) fn set_between(&mut self, between: Between) {
        self.between = between;
        self.is_open |= between == Between::GoOn;
    }

    /// Offers jobs to workers as soon as they are pushed, until the call ends.
    pub(super) fn open(&mut self) {
        self.is_open = true;
        self.offer();
    }

    /// The encoder of the stream's thread.
    pub(super) fn encoder(&mut self) -> &mut ChunkEncoder {
        &mut self.encoder
    }

    /// The engine that the stream's thread has now.
    pub(super) fn current_engine(&self) -> Option<&crate::deflate::ChunkEncoder> {
        self.encoder.current()
    }

    /// Reserves memory for the lists at their greatest length, so that pushing cannot fail later.
    /// There is one buffer more than jobs, since the open chunk has one too.
    fn reserve(&mut self) -> Result<()> {
        self.jobs.try_reserve(self.depth).map_err(|_| Error::Memory)?;
        self.spare_inputs.try_reserve(self.depth + 1).map_err(|_| Error::Memory)?;
        self.spare_outputs.try_reserve(self.depth + 1).map_err(|_| Error::Memory)
    }

    /// How many threads the pipeline may keep busy for this stream.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    pub(super) fn is_full(&self) -> bool {
        self.jobs.len() >= self.depth
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// A buffer for a chunk, reused if possible.
    pub(super) fn input_buffer(&mut self, capacity: usize) -> Result<Buffer> {
        buffer(&mut self.spare_inputs, capacity)
    }

    /// A buffer for the result of a chunk, reused if possible.
    pub(super) fn output_buffer(&mut self, capacity: usize) -> Result<Buffer> {
        buffer(&mut self.spare_outputs, capacity)
    }

    /// Appends a job for a chunk, with the buffer for its result; returns the buffers if allocation fails.
    pub(super) fn push(&mut self, chunk: Chunk, out: Buffer) -> std::result::Result<(), Buffers> {
        self.jobs.push_back(Job::share(chunk, out)?);
        if self.is_open {
            self.offer();
        }
        Ok(())
    }

    /// Keeps unused buffers for later jobs, as far as the lists have capacity; the others are
    /// freed.
    pub(super) fn keep(&mut self, input: Option<Buffer>, output: Option<Buffer>) {
        self.spare_inputs.extend(input.filter(|_| self.spare_inputs.len() < self.spare_inputs.capacity()));
        self.spare_outputs
            .extend(output.filter(|_| self.spare_outputs.len() < self.spare_outputs.capacity()));
    }

    /// Offers all jobs to the workers, if they are used. Jobs that were offered earlier must be from this epoch.
    ///
    /// They count as offered even if the queue has taken none of them, for lack of memory or
    /// workers: then the stream's thread does them, and a fork renews more jobs than necessary.
    fn offer(&mut self) {
        if self.threads == 1 || self.offered == self.jobs.len() {
            return;
        }
        let Some(pool) = Pool::current() else { return };
        self.epoch = pool.epoch();
        for job in self.jobs.range(self.offered..) {
            pool.offer(job.downgrade());
        }
        self.offered = self.jobs.len();
    }

    /// Copies settled results to `output`, in order, while there are results and room. Calls `note` for each job that is
    /// completely delivered.
    pub(super) fn deliver(&mut self, output: &mut Output<'_>, mut note: impl FnMut(Delivered)) -> Result<()> {
        while let Some(job) = self.jobs.front() {
            // A job's result is copied in as many calls as the room requires. `pop` resets the
            // count.
            let start = self.delivered;
            let data_len = job.chunk().data().len();
            let copy = |encoded: &Encoded| {
                let count = output.put(&encoded.bytes[start..]);
                let is_complete = start + count == encoded.bytes.len();
                (
                    count,
                    is_complete.then_some(Delivered {
                        check: encoded.check,
                        used_bits: encoded.used_bits,
                        data_len,
                        by_worker: encoded.by_worker,
                        cpu: encoded.cpu,
                    }),
                )
            };
            // Not settled: later jobs may be, but must wait for this one.
            let Some((count, complete)) = job.with_result(copy)? else { return Ok(()) };
            self.delivered += count;
            let Some(delivered) = complete else { return Ok(()) };
            self.pop();
            note(delivered);
        }
        Ok(())
    }

    /// Bytes that [`deliver`](Self::deliver) could copy at once; 0 in a forked child before its
    /// first call.
    pub(super) fn settled_len(&self) -> usize {
        if self.is_of_parent() {
            return 0;
        }
        let lens =
            self.jobs.iter().map_while(|job| job.with_result(|encoded| encoded.bytes.len()).ok().flatten());
        lens.sum::<usize>().saturating_sub(self.delivered)
    }

    /// If the front job is not settled, runs a waiting job of this ring; if none waits, sleeps until the worker that runs the
    /// front job has finished it. Opens the ring.
    pub(super) fn work(&mut self) -> Result<()> {
        if self.jobs.front().is_none_or(|front| front.is_settled()) {
            return Ok(());
        }
        self.is_open = true;
        self.offer();
        // From the front, so that the job that delivery waits for comes first. At most one job:
        // after it the front may be settled, and the caller can deliver.
        for job in &self.jobs {
            match job.run_with(&mut self.encoder, false) {
                // The job waits again.
                Some(Err(Error::Memory)) => return Err(Error::Memory),
                // Any other error is reported when the job is delivered, after those before it.
                Some(_) => return Ok(()),
                None => {}
            }
        }
        // No job waits, so another thread runs the front job or has settled it.
        if let Some(front) = self.jobs.front() {
            front.wait();
        }
        Ok(())
    }

    /// Ends a call: unless workers may continue, finishes all jobs of an open ring; later jobs are only collected.
    /// Returns the engine to the idle ones unless the stream `keeps` it.
    pub(super) fn rest(&mut self, keeps: bool) {
        self.finish_call();
        if !keeps {
            self.encoder.rest();
        }
    }

    /// Finishes the jobs and closes the ring, unless workers may continue. A ring that was not
    /// opened in this call keeps its jobs for a later one.
    fn finish_call(&mut self) {
        if self.between == Between::GoOn || !self.is_open {
            return;
        }
        self.is_open = false;
        if self.is_of_parent() {
            return;
        }
        // First run the jobs that no thread has begun, then wait for those of the workers. If a job fails, delivery
        // reports the error; if memory was refused, the job waits again, and a later call runs it.
        for job in &self.jobs {
            job.run_with(&mut self.encoder, false);
        }
        for job in &self.jobs {
            job.wait();
        }
    }

    /// Whether some jobs were offered to workers of this process's parent. A worker may have been using their locks and counts
    /// at the fork, so they must not be touched.
    fn is_of_parent(&self) -> bool {
        self.offered > 0 && self.epoch != Epoch::now()
    }

    /// After a `fork`, replaces the jobs that the parent's workers may have by new ones for the same chunks, which never change.
    pub(super) fn check_epoch(&mut self) -> Result<()> {
        if !self.is_of_parent() {
            return Ok(());
        }
        // From the last offered job to the first, so that `offered` is right at every step: if
        // memory is refused for one, the jobs before it are still known as the parent's, and the
        // next call continues.
        while let Some(index) = self.offered.checked_sub(1) {
            let renewed = self.renewed(index)?;
            // The old job's counts may stay wrong, so it is leaked.
            std::mem::forget(std::mem::replace(&mut self.jobs[index], renewed));
            self.offered = index;
        }
        if self.is_open {
            self.offer();
        }
        Ok(())
    }

    /// A new job for the chunk of an old one. Only the old job's reference to the chunk is read. No
    /// worker changes it or the chunk's count while the ring owns the job.
    fn renewed(&mut self, index: usize) -> Result<Shared<Job>> {
        let chunk = Shared::clone(self.jobs[index].chunk());
        let out = self.output_buffer(chunk.bound())?;
        Shared::try_new(Job::new(chunk, out)).map_err(|_| Error::Memory)
    }

    /// A ring with its own jobs for the same chunks.
    pub(super) fn try_clone(&self) -> Result<Self> {
        let mut ring = Ring::new(self.between)?;
        ring.depth = self.depth;
        ring.threads = self.threads;
        ring.reserve()?;
        for job in &self.jobs {
            let chunk = Shared::clone(job.chunk());
            let out = ring.output_buffer(chunk.bound())?;
            ring.jobs.push_back(Shared::try_new(Job::new(chunk, out)).map_err(|_| Error::Memory)?);
        }
        ring.delivered = self.delivered;
        Ok(ring)
    }

    /// Removes the front job, which is completely delivered.
    fn pop(&mut self) {
        self.delivered = 0;
        self.offered = self.offered.saturating_sub(1);
        // If a worker still holds the job, the worker frees its buffers.
        if let Some(job) = self.jobs.pop_front().and_then(Shared::into_inner) {
            let (input, output) = job.into_buffers();
            self.keep(input, output);
        }
    }
}

impl Drop for Ring {
    /// Jobs that no thread has begun are cancelled, also for a worker that upgrades its reference
    /// at this moment. Those that run are finished and freed by their workers. The parent's jobs
    /// are leaked.
    fn drop(&mut self) {
        if self.is_of_parent() {
            self.jobs.drain(..self.offered).for_each(std::mem::forget);
        }
        for job in &self.jobs {
            job.cancel();
        }
    }
}

/// An empty buffer with room for `capacity` bytes: the last of `spare` if it is large enough, else a new one.
fn buffer(spare: &mut Vec<Buffer>, capacity: usize) -> Result<Buffer> {
    // A buffer that is too small is freed before a new one is allocated.
    let fitting = spare.pop().filter(|buffer| buffer.capacity() >= capacity);
    let mut buffer = fitting.unwrap_or_else(|| Buffer::new(Allocator::SYSTEM));
    buffer.clear();
    buffer.reserve(capacity)?;
    Ok(buffer)
}
