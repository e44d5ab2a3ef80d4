//! `Stretch`: a piece of the compressed data that a worker decodes before the decoder gets there.
//!
//! A stretch begins in one of two ways:
//!
//! - *Exact*: with a copy of the decoder, at the decoder's position. The result is the next output
//!   of that decoder, and the decoder's state after it: also when a member ended, the input ended
//!   or the data is damaged.
//! - *Guessed*: at the first place that the start finder finds. From a member's header on, decoding
//!   is exact. From a block in the middle of a member, references into the unknown 32 KiB before it
//!   become markers; such a stretch holds whole, undamaged blocks only.
//!
//! A worker decodes until it reaches the stretch's end, or until its owner requests it to end soon
//! ([`Stretch::hurry`]), when the decoder is close to the stretch's start. Workers
//! report their progress while they decode.
//!
//! The owner uses a result only if its decoder is exactly at the stretch's start, and then the
//! result is the only possible one. A stretch that is late, wrong, cancelled or lost in a `fork`
//! costs time and nothing else. Workers own all memory that they use.

#![forbid(unsafe_code)]

use super::task::{NO_START, Report, Shared, StretchStart, StretchTask};
use super::worker;
use crate::pool::handover::{Handover, Taken};
use crate::pool::{Epoch, Pool};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The result of waiting for a stretch.
#[expect(
    clippy::large_enum_variant,
    reason = "a decoder moves once per stretch, and `Box` cannot report that memory was refused"
)]
#[derive(Debug)]
pub(super) enum Outcome {
    Ready(Report),
    /// No worker began it.
    NotBegun,
    /// It took too long.
    GivenUp,
}

/// The state of the search for a stretch's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartSearch {
    /// A worker is searching, or has not begun.
    Running,
    Found(StretchStart),
    /// There is no place to start.
    Failed,
}

/// The owner's side of a stretch that was begun.
#[derive(Debug)]
pub(super) struct Stretch {
    shared: Arc<Shared>,
    epoch: Epoch,
}

impl Stretch {
    /// Offers `task` to the workers.
    pub(super) fn begin(task: StretchTask) -> Self {
        let shared = Arc::new(Shared {
            handover: Handover::new(),
            start: AtomicU64::new(0),
            reached: AtomicU64::new(task.offset),
            produced: AtomicU64::new(0),
            is_hurried: AtomicBool::new(false),
        });
        let worker = Arc::clone(&shared);
        let work = move || {
            if worker.handover.begin() {
                let report = worker::run(task, &worker);
                worker.handover.settle(report);
            }
        };
        if let Some(pool) = Pool::current() {
            pool.spawn(work);
        }
        Self { shared, epoch: Epoch::now() }
    }

    /// The state of the search for its start.
    pub(super) fn start(&self) -> StartSearch {
        match self.shared.start.load(Ordering::Relaxed) {
            0 => StartSearch::Running,
            NO_START => StartSearch::Failed,
            code if code & 1 == 0 => StartSearch::Found(StretchStart::Member(code / 16)),
            code => StartSearch::Found(StretchStart::Block(code / 2)),
        }
    }

    /// The offset that the worker has reached, and the number of bytes decoded up to there.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.shared.reached.load(Ordering::Relaxed), self.shared.produced.load(Ordering::Relaxed))
    }

    /// Asks the worker to end at the next suitable place.
    pub(super) fn hurry(&self) {
        self.shared.is_hurried.store(true, Ordering::Relaxed);
    }

    /// Whether the worker was requested to end.
    pub(super) fn is_hurried(&self) -> bool {
        self.shared.is_hurried.load(Ordering::Relaxed)
    }

    /// Whether the result is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.is_of_this_process() && self.shared.handover.is_done()
    }

    /// Takes the result; waits for a worker that has begun, for at most `patience`.
    pub(super) fn take(self, patience: Duration) -> Outcome {
        if !self.is_of_this_process() {
            return Outcome::NotBegun;
        }
        match self.shared.handover.take(patience) {
            Taken::Done(report) => Outcome::Ready(report),
            Taken::NotBegun => Outcome::NotBegun,
            Taken::GivenUp => Outcome::GivenUp,
        }
    }

    /// False in the child of a `fork`: its parent's workers do not exist there, and one of them may
    /// have held the lock.
    fn is_of_this_process(&self) -> bool {
        self.epoch == Epoch::now()
    }
}

impl Drop for Stretch {
    fn drop(&mut self) {
        if self.is_of_this_process() {
            self.shared.handover.cancel();
        } else {
            // The parent's worker may have been changing it, so it is leaked.
            std::mem::forget(Arc::clone(&self.shared));
        }
    }
}
