//! The task that a [`Stretch`](super::stretch::Stretch) passes to its worker, and the data that both use.

#![forbid(unsafe_code)]

use crate::inflate::{Inflate, Marked, Search, Waypoint};
use crate::pool::handover::Handover;
use crate::raw::{Buffer, SharedFile};
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
    /// The worker reports a wrong start.
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

/// The state that the owner and the worker share, not the pointer type `pool::sync::Shared`.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) handover: Handover<Report>,
    /// The start that the worker found, published before decoding begins. Encoded as twice the bit
    /// number, plus 1 for a block or 2 for a member, which may start at bit 0. 0: not known yet;
    /// all ones: there is none. Relaxed: no other data depends on it.
    pub(super) start: AtomicU64,
    /// The offset that the worker has reached, and the number of bytes decoded up to there.
    /// Relaxed, as `start`.
    pub(super) reached: AtomicU64,
    pub(super) produced: AtomicU64,
    /// Set by the owner, read by the worker: the result is wanted soon. Relaxed, as `start`.
    pub(super) is_hurried: AtomicBool,
}

/// `Shared::start` when there is no start.
pub(super) const NO_START: u64 = u64::MAX;

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
