//! The ring: a stream's jobs in order, from the oldest undelivered one on, and the buffers they leave.
//!
//! Jobs are settled in any order and delivered in this one. The ring is bounded, and so is a stream's memory. It belongs to the
//! stream's thread; only the jobs in it are shared.

use super::encoder::ChunkEncoder;
use super::job::{Buffers, Chunk, Encoded, Job};
use super::pool::{Epoch, Pool, thread_limit};
use super::sync::{Shared, yield_now};
use crate::checksum::Check;
use crate::error::{Error, Result};
use crate::raw::{Allocator, Buffer, Output};
use std::collections::VecDeque;

/// What delivering a job's last byte tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    pub(super) check: Check,
    pub(super) used_bits: u32,
    pub(super) data_len: usize,
    pub(super) by_worker: bool,
}

#[derive(Debug)]
pub(super) struct Ring {
    jobs: VecDeque<Shared<Job>>,
    /// Bytes of the front job that were delivered.
    delivered: usize,
    depth: usize,
    /// Jobs, from the front on, that workers may have.
    offered: usize,
    /// Whether a job is offered as soon as it is pushed.
    is_open: bool,
    /// The epoch in which the jobs were offered; in another one no worker has them.
    epoch: Epoch,
    /// None before the segment is large enough for workers.
    pool: Option<&'static Pool>,
    /// The stream's own encoder, for jobs done on its thread.
    encoder: ChunkEncoder,
    allocator: Allocator,
    spare_inputs: Vec<Buffer>,
    spare_outputs: Vec<Buffer>,
}

impl Ring {
    /// An empty ring without workers: a chunk is done as soon as it is full, while its bytes are in the cache. Its buffers come
    /// from `allocator`.
    pub(super) fn new(allocator: Allocator) -> Result<Self> {
        let mut ring = Self {
            jobs: VecDeque::new(),
            delivered: 0,
            depth: 1,
            offered: 0,
            is_open: allocator.is_system(),
            epoch: Epoch::now(),
            pool: None,
            encoder: ChunkEncoder::default(),
            allocator,
            spare_inputs: Vec::new(),
            spare_outputs: Vec::new(),
        };
        ring.reserve()?;
        Ok(ring)
    }

    /// Calls the workers, if there are any, and grows as deep as they can use and `allow` permits: it is given the number of
    /// jobs that would be good, and returns how many there may be, or 0. No thread is started for a stream that gets none.
    pub(super) fn use_workers(&mut self, allow: impl FnOnce(usize) -> usize) -> Result<()> {
        if self.pool.is_some() {
            return Ok(());
        }
        let wanted = self.depth_for(thread_limit());
        let allowed = if wanted > 1 { allow(wanted) } else { wanted };
        if allowed == 0 {
            return Ok(());
        }
        // Without memory for a pool the stream's thread does all jobs; the next write tries again.
        let Some(pool) = Pool::current() else { return Ok(()) };
        self.depth = self.depth_for(pool.workers() + 1).min(allowed);
        self.reserve()?;
        self.pool = Some(pool);
        Ok(())
    }

    /// How many jobs so many threads can use.
    fn depth_for(&self, threads: usize) -> usize {
        match (threads, self.allocator.is_system()) {
            (1, _) => 1,
            // For each thread one job running and one waiting, and one being delivered.
            (_, true) => 2 * threads + 1,
            // Work only goes on within calls: small writes are collected until all threads have something to do. More would
            // even out what the last jobs of a call differ in, but is no longer in the cache when it is compressed.
            (_, false) => 2 * threads,
        }
    }

    /// Lets the workers go and frees the spare buffers. Only an empty ring can.
    pub(super) fn leave_workers(&mut self) {
        debug_assert!(self.jobs.is_empty());
        (self.depth, self.pool) = (1, None);
        self.spare_inputs.clear();
        self.spare_outputs.clear();
    }

    /// Whether workers were called.
    pub(super) fn has_workers(&self) -> bool {
        self.pool.is_some()
    }

    fn reserve(&mut self) -> Result<()> {
        self.jobs.try_reserve(self.depth).map_err(|_| Error::Memory)?;
        self.spare_inputs.try_reserve(self.depth + 1).map_err(|_| Error::Memory)?;
        self.spare_outputs.try_reserve(self.depth + 1).map_err(|_| Error::Memory)
    }

    /// How many threads the pipeline may keep busy for this stream.
    pub(super) fn threads(&self) -> usize {
        self.pool.map_or(1, |pool| pool.workers() + 1)
    }

    pub(super) fn is_full(&self) -> bool {
        self.jobs.len() >= self.depth
    }

    /// Whether one chunk is done at a time, on the caller's thread.
    pub(super) fn is_serial(&self) -> bool {
        self.depth == 1
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// A buffer for a chunk, used before if possible.
    pub(super) fn input_buffer(&mut self, capacity: usize) -> Result<Buffer> {
        buffer(&mut self.spare_inputs, capacity, self.allocator)
    }

    /// A buffer for the result of a chunk, used before if possible.
    pub(super) fn output_buffer(&mut self, capacity: usize) -> Result<Buffer> {
        buffer(&mut self.spare_outputs, capacity, self.allocator)
    }

    /// Puts a chunk and the buffer for its result in line; gives the buffers back when memory is refused.
    pub(super) fn push(&mut self, chunk: Chunk, out: Buffer) -> std::result::Result<(), Buffers> {
        self.jobs.push_back(Job::share(chunk, out)?);
        if self.is_open {
            self.offer();
        }
        Ok(())
    }

    /// Keeps buffers that nobody needs now.
    pub(super) fn keep(&mut self, input: Option<Buffer>, output: Option<Buffer>) {
        self.spare_inputs.extend(input.filter(|_| self.spare_inputs.len() < self.spare_inputs.capacity()));
        self.spare_outputs
            .extend(output.filter(|_| self.spare_outputs.len() < self.spare_outputs.capacity()));
    }

    /// Lets the workers have all jobs.
    fn offer(&mut self) {
        let Some(pool) = self.pool else { return };
        for job in self.jobs.range(self.offered..) {
            pool.offer(job.downgrade());
        }
        self.offered = self.jobs.len();
    }

    /// Copies settled results to `output`, in order, as far as both go. Calls `note` for each job delivered to its end.
    pub(super) fn deliver(&mut self, output: &mut Output<'_>, mut note: impl FnMut(Delivered)) -> Result<()> {
        while let Some(job) = self.jobs.front() {
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
                    }),
                )
            };
            let Some((count, complete)) = job.with_result(copy)? else { return Ok(()) };
            self.delivered += count;
            let Some(delivered) = complete else { return Ok(()) };
            self.pop();
            note(delivered);
        }
        Ok(())
    }

    /// Bytes that [`deliver`](Self::deliver) could copy at once. In a forked child the jobs may be locked for ever: none.
    pub(super) fn settled_len(&self) -> usize {
        if self.epoch != Epoch::now() {
            return 0;
        }
        let lens =
            self.jobs.iter().map_while(|job| job.with_result(|encoded| encoded.bytes.len()).ok().flatten());
        lens.sum::<usize>().saturating_sub(self.delivered)
    }

    /// Does something useful while the front job is not settled: a job of this ring that still waits, or else sleep until the
    /// worker that has the front job is through.
    pub(super) fn work(&mut self) -> Result<()> {
        if self.jobs.front().is_none_or(|front| front.is_settled()) {
            return Ok(());
        }
        self.is_open = true;
        self.offer();
        for job in &self.jobs {
            if let Some(outcome) = job.run(&mut self.encoder, false) {
                return outcome;
            }
        }
        if let Some(front) = self.jobs.front() {
            front.wait();
        }
        Ok(())
    }

    /// Ends a call. Memory of the host's own allocator may vanish between two calls, with an arena say, so no worker may touch
    /// it then: what was begun is brought to an end, and what comes next is only collected. The system's memory stays, and
    /// so workers go on.
    pub(super) fn rest(&mut self) {
        self.encoder.rest();
        if self.allocator.is_system() || !self.is_open {
            return;
        }
        self.is_open = false;
        // First whatever nobody has begun, then what the workers have. A job that fails is settled, or waits again when memory was
        // refused; its time to be reported will come.
        for job in &self.jobs {
            job.run(&mut self.encoder, false);
        }
        for job in &self.jobs {
            job.wait();
        }
    }

    /// After a `fork`: jobs that the parent's workers had are offered anew to this process's own. Their old selves may be
    /// locked for ever, so they are not even looked at; only their chunks, which never change, are taken over.
    pub(super) fn check_epoch(&mut self) -> Result<()> {
        let now = Epoch::now();
        if now == self.epoch {
            return Ok(());
        }
        self.pool = self.pool.and_then(|_| Pool::current());
        if self.allocator.is_system() {
            let mut renewed = VecDeque::new();
            renewed.try_reserve(self.depth.max(self.jobs.len())).map_err(|_| Error::Memory)?;
            for index in 0..self.jobs.len() {
                let chunk = Shared::clone(self.jobs[index].chunk());
                let out = self.output_buffer(chunk.bound())?;
                renewed.push_back(Shared::try_new(Job::new(chunk, out)).map_err(|_| Error::Memory)?);
            }
            // Dropping the old jobs could free a locked mutex, so they are left alone.
            std::mem::replace(&mut self.jobs, renewed).into_iter().for_each(std::mem::forget);
            self.offered = 0;
            self.offer();
        }
        self.epoch = now;
        Ok(())
    }

    /// A ring with the same jobs.
    pub(super) fn try_clone(&self) -> Result<Self> {
        let mut ring = Ring::new(self.allocator)?;
        ring.depth = self.depth;
        ring.pool = self.pool;
        ring.reserve()?;
        for job in &self.jobs {
            let job = if self.allocator.is_system() {
                Shared::clone(job)
            } else {
                // The host's allocator frees on the host's thread only, which shared buffers could not promise.
                let chunk = job.chunk().try_clone()?;
                let out = ring.output_buffer(chunk.bound())?;
                Job::share(chunk, out).map_err(|_| Error::Memory)?
            };
            ring.jobs.push_back(job);
        }
        if self.allocator.is_system() {
            ring.offered = self.offered;
        }
        // In a forked child this is still the parent's, and so is the pool: the copy's first call will see that.
        ring.epoch = self.epoch;
        ring.delivered = self.delivered;
        Ok(ring)
    }

    fn pop(&mut self) {
        self.delivered = 0;
        self.offered = self.offered.saturating_sub(1);
        if let Some(job) = self.jobs.pop_front().and_then(|job| self.sole(job)) {
            let (input, output) = job.into_buffers();
            self.keep(input, output);
        }
    }

    /// The job itself, if nobody else holds it. A worker that is about to let go of buffers of the host's allocator is waited for:
    /// they are freed on this thread.
    fn sole(&self, mut job: Shared<Job>) -> Option<Job> {
        loop {
            // In one step: a worker may take hold between a look at the count and letting go, and would then be the last.
            match Shared::try_unwrap(job) {
                Ok(job) => return Some(job),
                Err(_) if self.allocator.is_system() => return None,
                Err(shared) => job = shared,
            }
            yield_now();
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let jobs = std::mem::take(&mut self.jobs);
        if self.epoch != Epoch::now() {
            // In a forked child the jobs may be locked for ever; leave them as they are.
            std::mem::forget(jobs);
            return;
        }
        for job in jobs {
            // Another reference is a worker's, which has begun, or a copied stream's, which still wants the job.
            if job.owners() == 1 {
                job.cancel();
            }
            drop(self.sole(job));
        }
    }
}

/// A buffer of at least `capacity` bytes, from `spare` if one is there.
fn buffer(spare: &mut Vec<Buffer>, capacity: usize, allocator: Allocator) -> Result<Buffer> {
    // One that is too small goes before its successor comes.
    let fitting = spare.pop().filter(|buffer| buffer.capacity() >= capacity);
    let mut buffer = fitting.unwrap_or_else(|| Buffer::new(allocator));
    buffer.clear();
    buffer.reserve(capacity)?;
    Ok(buffer)
}
