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
//! A worker decodes until it reaches the stretch's end, or until its owner asks it to end soon
//! ([`Stretch::hurry`]), which happens when the decoder is close to the stretch's start. Workers
//! report their progress while they decode.
//!
//! The owner uses a result only if its decoder is exactly at the stretch's start, and then the
//! result is the only possible one. A stretch that is late, wrong, cancelled or lost in a `fork`
//! costs time and nothing else. Workers own all memory that they use.

#![forbid(unsafe_code)]

use super::worker;
use crate::inflate::{Inflate, Marked, Search, Waypoint};
use crate::pool::handover::{Handover, Taken};
use crate::pool::{Epoch, Pool};
use crate::raw::{Buffer, SharedFile};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How a stretch begins.
#[expect(
    clippy::large_enum_variant,
    reason = "a decoder moves once per stretch, and `Box` cannot report that memory was refused"
)]
#[derive(Debug)]
pub(super) enum Beginning {
    /// At the first byte of the input, with this decoder.
    Exact(Inflate),
    /// At the first start that the finder finds in the input.
    Guessed(Search),
}

/// Memory for results.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// For bytes.
    pub(super) bytes: Option<Buffer>,
    /// For elements that may be markers.
    pub(super) marked: Option<Marked>,
}

/// A stretch to decode.
#[derive(Debug)]
pub(super) struct StretchTask {
    pub(super) beginning: Beginning,
    /// The file that the worker reads `input_len` bytes from, into `input`; without it, `input` is a
    /// copy of the compressed data.
    pub(super) file: Option<SharedFile>,
    pub(super) input_len: usize,
    pub(super) input: Buffer,
    /// The offset of its first byte.
    pub(super) offset: u64,
    /// Decoding ends at the first suitable place after this byte of the input.
    pub(super) until: usize,
    /// The most bytes or elements to decode.
    pub(super) capacity: usize,
    /// The number of elements between two waypoints.
    pub(super) spacing: usize,
    /// Memory of earlier results.
    pub(super) room: Room,
    pub(super) fault: InjectedFault,
}

/// A fault that tests inject into a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InjectedFault {
    /// None.
    #[default]
    None,
    /// The worker reports a start that is not the true one.
    Miss,
    /// The worker waits until its stretch is dropped.
    Late,
}

/// Where a stretch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StretchStart {
    /// At this byte: a member's header.
    Member(u64),
    /// At this bit: a block.
    Block(u64),
}

/// The result of decoding.
#[derive(Debug)]
pub(super) enum Content {
    /// Bytes.
    Bytes {
        bytes: Buffer,
        /// The decoder after these bytes; it has counted and checked them.
        decoder: Inflate,
        /// A member ended, and no other member's header follows.
        is_between_members: bool,
    },
    /// Elements that may be markers.
    Marked {
        marked: Marked,
        /// Where they end.
        end: Waypoint,
    },
}

impl Content {
    /// The number of bytes that it resolves to.
    pub(super) fn len(&self) -> usize {
        match self {
            Content::Bytes { bytes, .. } => bytes.len(),
            Content::Marked { marked, .. } => marked.len(),
        }
    }

    /// Its memory.
    pub(super) fn into_room(self) -> Room {
        match self {
            Content::Bytes { bytes, .. } => Room { bytes: Some(bytes), marked: None },
            Content::Marked { marked, .. } => Room { bytes: None, marked: Some(marked) },
        }
    }
}

/// A decoded stretch.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) content: Content,
    /// The offset of the first byte after the stretch's input.
    pub(super) next: u64,
    /// The compressed data, and the offset of its first byte.
    pub(super) input: Buffer,
    pub(super) input_offset: u64,
    /// The call in which this was copied. Set by the owner.
    pub(super) call: u64,
}

/// A worker's report.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The result; `None` if there was no place to start.
    pub(super) decoded: Option<Decoded>,
    /// The search to use for a stretch that starts not far after this one.
    pub(super) search: Search,
    /// Memory for further stretches.
    pub(super) spare: Spare,
    /// Wall time.
    pub(super) took: Duration,
    /// The part of `took` in which the worker searched for a start.
    pub(super) sought: Duration,
    /// The part of `took` in which the worker had a processor.
    pub(super) ran: Duration,
}

/// Memory that is free for further stretches.
#[derive(Debug, Default)]
pub(super) struct Spare {
    pub(super) input: Option<Buffer>,
    pub(super) room: Room,
}

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

/// The state that the owner and the worker share, not the pointer type `pool::sync::Shared`.
#[derive(Debug)]
pub(super) struct Shared {
    handover: Handover<Report>,
    /// The start that the worker found, published before decoding begins. Encoded as twice the bit
    /// number, plus 1 for a block or 2 for a member, which may start at bit 0. 0: not known yet;
    /// all ones: there is none. Relaxed: no other data depends on it.
    start: AtomicU64,
    /// The offset that the worker has reached, and the number of bytes decoded up to there.
    /// Relaxed, as `start`.
    reached: AtomicU64,
    produced: AtomicU64,
    /// Set by the owner, read by the worker: the result is wanted soon. Relaxed, as `start`.
    is_hurried: AtomicBool,
}

/// `Shared::start` when there is no start.
const NO_START: u64 = u64::MAX;

impl Shared {
    /// Whether the worker should continue to decode.
    pub(super) fn goes_on(&self) -> bool {
        self.handover.is_wanted() && !self.is_hurried.load(Ordering::Relaxed)
    }

    /// Whether the owner still wants the result.
    pub(super) fn is_wanted(&self) -> bool {
        self.handover.is_wanted()
    }

    pub(super) fn note_progress(&self, reached: u64, produced: usize) {
        self.reached.store(reached, Ordering::Relaxed);
        self.produced.store(produced as u64, Ordering::Relaxed);
    }

    pub(super) fn note_start(&self, start: Option<StretchStart>) {
        let code = match start {
            None => NO_START,
            Some(StretchStart::Member(byte)) => byte * 16 + 2,
            Some(StretchStart::Block(bit)) => bit * 2 + 1,
        };
        self.start.store(code, Ordering::Relaxed);
    }
}

impl Stretch {
    /// Gives `task` to a worker.
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

    /// Where it starts, if that is known yet.
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

    /// Whether the worker was asked to end.
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
