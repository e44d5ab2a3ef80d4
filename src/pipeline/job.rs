//! A job: one chunk to compress, on whichever thread is free first.
//!
//! The chunk never changes and the result is a function of it, so any thread can do any job, and a chunk can be compressed
//! twice. That makes `fork`, a copied stream and a refused thread harmless.
//!
//! ```text
//! Waiting --run_with--> Running --+--> Done             the result, in the job's own buffer
//!    ^  |                         +--> Failed           delivery ends with the error
//!    |  +--cancel--> Cancelled    |
//!    +----------------------------+    memory was refused: it may be run again
//! ```
//!
//! The change from `Waiting` to `Running` is made under the lock, so only one thread runs the
//! job. That thread encodes without the lock, and takes it again only to store the outcome. A
//! running job cannot be cancelled; it ends, and its last owner frees it.
//!
//! Owners: the stream's ring has a strong reference, the pool's queue a weak one. A worker upgrades
//! it while it runs the job. So a dropped ring frees the jobs that no worker runs, and the queue's
//! references to them are dead.

use super::encoder::{ChunkEncoder, ChunkEnd, Form, Level};
use crate::checksum::Check;
use crate::config::config;
use crate::error::{Error, Result};
use crate::pool::Task;
use crate::pool::sync::{Condvar, Mutex, Shared, lock, wait};
use crate::raw::Buffer;
use crate::raw::fault::{Point, point};
use crate::raw::process::thread_time;
use crate::trace::Span;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// A chunk's bytes and everything that its encoding depends on.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) form: Form,
    pub(super) level: Level,
    /// The window, then the chunk's own bytes.
    pub(super) bytes: Buffer,
    pub(super) window_len: usize,
    /// Whether it is the first chunk of its segment: the encoder knows then that it may be short.
    pub(super) is_first: bool,
    /// `Sync` for a chunk within the segment, so that its output ends on a byte boundary and the
    /// chunks' outputs can be joined as bytes.
    pub(super) end: ChunkEnd,
    /// The kind of check value to compute for the chunk's own bytes.
    pub(super) check: Check,
}

impl Chunk {
    /// The maximum size of its result.
    pub(super) fn bound(&self) -> usize {
        self.form.bound(self.data().len())
    }

    /// The chunk's own bytes.
    pub(super) fn data(&self) -> &[u8] {
        &self.bytes[self.window_len..]
    }
}

/// The result of a job that is done.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) bytes: Buffer,
    pub(super) check: Check,
    /// Bits used in the chunk's last byte before it was padded.
    pub(super) used_bits: u32,
    pub(super) by_worker: bool,
    /// A worker's processor time for it, if statistics are wanted.
    pub(super) cpu: Duration,
}

/// `Waiting`, `Done` and `Failed` own the buffer for the result. While the job is `Running`, the
/// thread that runs it owns the buffer.
#[derive(Debug)]
enum JobState {
    /// No thread has begun it; holds the buffer for the result.
    Waiting(Buffer),
    /// One thread encodes it.
    Running,
    Done(Encoded),
    /// Any error but refused memory. The buffer is kept for reuse.
    Failed(Error, Buffer),
    /// The stream that created it has ended.
    Cancelled,
}

/// The buffers of a job that is over, its chunk's bytes and its result, unless they are still in use elsewhere.
pub(super) type Buffers = (Option<Buffer>, Option<Buffer>);

/// One chunk, and the state of its compression.
#[derive(Debug)]
pub(super) struct Job {
    chunk: Shared<Chunk>,
    /// Written by the thread that does the job and by the stream's thread; no thread holds the lock while it encodes.
    state: Mutex<JobState>,
    /// Notified by the thread that ran the job, after it stored a state other than `Running`.
    /// Waited for by the stream's thread, in [`wait`](Self::wait).
    settled: Condvar,
}

impl Job {
    /// A waiting job; `out` has room for the result. `chunk` is shared because a forked child or a copied stream makes
    /// another job for it.
    pub(super) fn new(chunk: Shared<Chunk>, out: Buffer) -> Self {
        Self { chunk, state: Mutex::new(JobState::Waiting(out)), settled: Condvar::new() }
    }

    pub(super) fn chunk(&self) -> &Shared<Chunk> {
        &self.chunk
    }

    /// Runs the job if it is waiting; returns `None` if another thread runs it or it is settled. After `Error::Memory` it
    /// waits again, since a later attempt may succeed; any other error settles it.
    pub(super) fn run_with(&self, encoder: &mut ChunkEncoder, by_worker: bool) -> Option<Result<()>> {
        // The claim. A job in any other state gets its state back unchanged.
        let mut out = {
            let mut state = lock(&self.state);
            match std::mem::replace(&mut *state, JobState::Running) {
                JobState::Waiting(mut out) => {
                    out.clear();
                    out
                }
                other => {
                    *state = other;
                    return None;
                }
            }
        };
        // Nothing below returns early: a state that stayed `Running` would let the stream's thread
        // wait forever. That is also why a panic is caught here and not only by the worker.
        let mut span = Span::work("chunk");
        span.note("bytes", self.chunk.data().len() as u64);
        let clock = (by_worker && config().stats.is_some()).then(thread_time);
        let encoded = catch_unwind(AssertUnwindSafe(|| {
            // The check value begins anew in each chunk; delivery combines those of all chunks, in
            // order.
            let mut check = self.chunk.check.fresh();
            check.update(self.chunk.data());
            point(Point::Job);
            let Chunk { form, level, bytes, window_len, is_first, end, .. } = &*self.chunk;
            out.append(|out| match form {
                Form::Raw => encoder.encode(*level, (bytes, *window_len), *is_first, *end, out),
                // Every block pads its last byte, so all its bits count as used.
                Form::Bgzf => encoder.encode_blocks(*level, bytes, *end, out).map(|()| 8),
            })
            .map(|used_bits| (check, used_bits))
        }));
        let (state, outcome) = match encoded {
            Ok(Ok((check, used_bits))) => {
                let cpu = clock.map_or(Duration::ZERO, |start| thread_time().saturating_sub(start));
                (JobState::Done(Encoded { bytes: out, check, used_bits, by_worker, cpu }), Ok(()))
            }
            // Low memory may be temporary.
            Ok(Err(Error::Memory)) => (JobState::Waiting(out), Err(Error::Memory)),
            Ok(Err(error)) => (JobState::Failed(error, out), Err(error)),
            Err(_panic) => {
                // Its state may be inconsistent, so it must not return to the idle ones.
                encoder.discard();
                (JobState::Failed(Error::Stream, out), Err(Error::Stream))
            }
        };
        drop(span);
        // The lock orders the result's bytes before the state, for whichever thread reads it.
        *lock(&self.state) = state;
        self.settled.notify_all();
        Some(outcome)
    }

    /// Whether the job has succeeded or failed.
    pub(super) fn is_settled(&self) -> bool {
        matches!(*lock(&self.state), JobState::Done(_) | JobState::Failed(..))
    }

    /// Waits while another thread runs the job. Returns at once if it is in any other state, also
    /// `Waiting`, to which a refused allocation returns it.
    pub(super) fn wait(&self) {
        let _waiting = Span::call("wait for chunk");
        let mut state = lock(&self.state);
        while matches!(*state, JobState::Running) {
            state = wait(&self.settled, state);
        }
    }

    /// Calls `read` with the result, if the job is done; returns the job's error if it failed.
    /// `read` runs under the lock: once a job is settled, other threads need it only briefly.
    pub(super) fn with_result<T>(&self, read: impl FnOnce(&Encoded) -> T) -> Result<Option<T>> {
        match &*lock(&self.state) {
            JobState::Done(encoded) => Ok(Some(read(encoded))),
            JobState::Failed(error, _) => Err(*error),
            JobState::Waiting(_) | JobState::Running | JobState::Cancelled => Ok(None),
        }
    }

    /// Cancels the job if it is still waiting: its result is no longer needed.
    pub(super) fn cancel(&self) {
        let mut state = lock(&self.state);
        if matches!(*state, JobState::Waiting(_)) {
            *state = JobState::Cancelled;
        }
    }

    /// As [`new`](Self::new), reference-counted; returns the buffers if allocation fails.
    pub(super) fn share(chunk: Chunk, out: Buffer) -> std::result::Result<Shared<Self>, Buffers> {
        match Shared::try_new(chunk) {
            Ok(chunk) => Shared::try_new(Self::new(chunk, out)).map_err(Self::into_buffers),
            Err(chunk) => Err((Some(chunk.bytes), Some(out))),
        }
    }

    /// Returns the two buffers of a delivered job for reuse, except those that are still in use elsewhere.
    pub(super) fn into_buffers(self) -> Buffers {
        let input = self.chunk.into_inner().map(|chunk| chunk.bytes);
        let state = self.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let output = match state {
            JobState::Done(encoded) => Some(encoded.bytes),
            JobState::Waiting(out) | JobState::Failed(_, out) => Some(out),
            JobState::Running | JobState::Cancelled => None,
        };
        (input, output)
    }
}

impl Task for Job {
    /// A worker's side. The encoder is one for this job only: it takes an idle engine, and its drop
    /// returns it, so idle workers hold no engines.
    fn run(&self) {
        self.run_with(&mut ChunkEncoder::default(), true);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::encoder::bound;
    use super::*;
    use crate::raw::Allocator;

    fn job() -> Job {
        let bytes = Buffer::copy_of(&b"one chunk, one job; ".repeat(500), Allocator::SYSTEM).expect("10 KB");
        let mut out = Buffer::new(Allocator::SYSTEM);
        out.reserve(bound(bytes.len())).expect("10 KB");
        let chunk = Chunk {
            form: Form::Raw,
            level: Level::MAX,
            bytes,
            window_len: 0,
            is_first: true,
            end: ChunkEnd::Finish,
            check: Check::Crc(0),
        };
        Job::new(Shared::try_new(chunk).expect("malloc returns a few bytes"), out)
    }

    #[test]
    fn a_job_is_done_once() {
        let job = job();
        let mut encoder = ChunkEncoder::default();
        assert!(!job.is_settled());
        assert_eq!(job.run_with(&mut encoder, false), Some(Ok(())));
        assert_eq!(job.run_with(&mut encoder, true), None);
        assert!(job.is_settled());
        let by_worker = job.with_result(|encoded| encoded.by_worker).expect("it did not fail");
        assert_eq!(by_worker, Some(false));
    }

    #[test]
    fn a_cancelled_job_is_not_run() {
        let job = job();
        job.cancel();
        assert_eq!(job.run_with(&mut ChunkEncoder::default(), true), None);
        assert_eq!(job.with_result(|_| ()), Ok(None));
    }

    #[test]
    fn a_delivered_job_returns_its_buffers() {
        let job = job();
        job.run_with(&mut ChunkEncoder::default(), false);
        let (input, output) = job.into_buffers();
        assert!(input.is_some() && output.is_some());
    }
}
