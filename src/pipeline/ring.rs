//! The ring: a stream's jobs in order, from the oldest undelivered one on, and the buffers they leave.
//!
//! Jobs are settled in any order and delivered in this one. The ring is bounded, and so is a stream's memory. It belongs to the
//! stream's thread; only the jobs in it are shared.

use super::encoder::{ChunkEncoder, bound};
use super::job::{Chunk, Encoded, Job};
use super::pool::{Epoch, Pool};
use super::sync::Arc;
use crate::checksum::Check;
use crate::error::{Error, Result};
use crate::raw::Output;
use std::collections::VecDeque;

/// What delivering a job's last byte tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivered {
    pub(super) check: Check,
    pub(super) data_len: usize,
    pub(super) by_worker: bool,
}

#[derive(Debug)]
pub(super) struct Ring {
    jobs: VecDeque<Arc<Job>>,
    /// Bytes of the front job that were delivered.
    delivered: usize,
    depth: usize,
    /// The epoch in which the jobs were offered; in another one no worker has them.
    epoch: Epoch,
    pool: &'static Pool,
    /// The stream's own encoder, for jobs done on its thread.
    encoder: ChunkEncoder,
    spare_inputs: Vec<Vec<u8>>,
    spare_outputs: Vec<Vec<u8>>,
}

impl Ring {
    /// An empty ring, as deep as the workers can use.
    pub(super) fn new() -> Result<Self> {
        let pool = Pool::current();
        // Two jobs for each thread, one running and one waiting, and one being delivered. Without workers a chunk is done
        // as soon as it is full, while its bytes are in the cache.
        let depth = if pool.workers() == 0 { 1 } else { 2 * (pool.workers() + 1) + 1 };
        let mut ring = Self {
            jobs: VecDeque::new(),
            delivered: 0,
            depth,
            epoch: Epoch::now(),
            pool,
            encoder: ChunkEncoder::default(),
            spare_inputs: Vec::new(),
            spare_outputs: Vec::new(),
        };
        ring.reserve()?;
        Ok(ring)
    }

    fn reserve(&mut self) -> Result<()> {
        self.jobs.try_reserve(self.depth).map_err(|_| Error::Memory)?;
        self.spare_inputs.try_reserve(self.depth + 1).map_err(|_| Error::Memory)?;
        self.spare_outputs.try_reserve(self.depth + 1).map_err(|_| Error::Memory)
    }

    /// How many threads the pipeline may keep busy for this stream.
    pub(super) fn threads(&self) -> usize {
        self.pool.workers() + 1
    }

    pub(super) fn is_full(&self) -> bool {
        self.jobs.len() >= self.depth
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// A buffer for a chunk, used before if possible.
    pub(super) fn input_buffer(&mut self, capacity: usize) -> Result<Vec<u8>> {
        buffer(&mut self.spare_inputs, capacity)
    }

    /// A buffer for the result of a chunk with `data_len` bytes, used before if possible.
    pub(super) fn output_buffer(&mut self, data_len: usize) -> Result<Vec<u8>> {
        buffer(&mut self.spare_outputs, bound(data_len))
    }

    /// Puts a chunk and the buffer for its result in line and lets the workers have them.
    pub(super) fn push(&mut self, chunk: Chunk, out: Vec<u8>) {
        let job = Arc::new(Job::new(Arc::new(chunk), out));
        self.pool.offer(Arc::clone(&job));
        self.jobs.push_back(job);
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

    /// Bytes that [`deliver`](Self::deliver) could copy at once.
    pub(super) fn settled_len(&self) -> usize {
        let lens =
            self.jobs.iter().map_while(|job| job.with_result(|encoded| encoded.bytes.len()).ok().flatten());
        lens.sum::<usize>().saturating_sub(self.delivered)
    }

    /// Does something useful while the front job is not settled: a job of this ring that still waits, or else sleep until the
    /// worker that has the front job is through.
    pub(super) fn work(&mut self) -> Result<()> {
        let Some(front) = self.jobs.front() else { return Ok(()) };
        if front.is_settled() {
            return Ok(());
        }
        for job in &self.jobs {
            if let Some(outcome) = job.run(&mut self.encoder, false) {
                return outcome;
            }
        }
        front.wait();
        Ok(())
    }

    /// After a `fork`: jobs that the parent's workers had are offered anew to this process's own. Their old selves may be
    /// locked for ever, so they are not even looked at; only their chunks, which never change, are taken over.
    pub(super) fn check_epoch(&mut self) -> Result<()> {
        let now = Epoch::now();
        if now == self.epoch {
            return Ok(());
        }
        let pool = Pool::current();
        for index in 0..self.jobs.len() {
            let chunk = Arc::clone(self.jobs[index].chunk());
            let out = self.output_buffer(chunk.data().len())?;
            let old = std::mem::replace(&mut self.jobs[index], Arc::new(Job::new(chunk, out)));
            // A worker of the parent may hold its lock; dropping it could free a locked mutex.
            std::mem::forget(old);
            pool.offer(Arc::clone(&self.jobs[index]));
        }
        (self.pool, self.epoch) = (pool, now);
        Ok(())
    }

    /// A ring with the same jobs, each of which is still done only once.
    pub(super) fn try_clone(&self) -> Result<Self> {
        let mut ring = Ring::new()?;
        ring.depth = self.depth;
        ring.reserve()?;
        ring.jobs.extend(self.jobs.iter().map(Arc::clone));
        (ring.delivered, ring.pool, ring.epoch) = (self.delivered, self.pool, self.epoch);
        Ok(ring)
    }

    fn pop(&mut self) {
        self.delivered = 0;
        if let Some(job) = self.jobs.pop_front().and_then(Arc::into_inner) {
            let (input, output) = job.into_buffers();
            self.spare_inputs.extend(input);
            self.spare_outputs.extend(output);
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if self.epoch != Epoch::now() {
            // In a forked child the jobs may be locked for ever; leave them as they are.
            std::mem::forget(std::mem::take(&mut self.jobs));
            return;
        }
        for job in &self.jobs {
            // The ring's own reference and the pool's; one more is a copied stream's, which still wants the job.
            if Arc::strong_count(job) <= 2 {
                job.cancel();
            }
        }
    }
}

/// A buffer of at least `capacity` bytes, from `spare` if one is there.
fn buffer(spare: &mut Vec<Vec<u8>>, capacity: usize) -> Result<Vec<u8>> {
    let mut buffer = spare.pop().unwrap_or_default();
    buffer.clear();
    buffer.try_reserve_exact(capacity).map_err(|_| Error::Memory)?;
    Ok(buffer)
}
