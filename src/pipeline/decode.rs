//! `Stretch`: a stretch of a gzip file, decoded by a worker while the file's reader is elsewhere.
//!
//! The reader decodes its file as it would alone. A stretch is work done ahead of it, from one of two beginnings:
//!
//! - *Exact*: a copy of the reader's own decoder, from where that stands. The result is what the reader would have decoded next, to the
//!   byte, with the decoder as it stands behind: also when that has found the end of a member, the end of the input or damage.
//! - *Guessed*: whatever the start finder finds. From a member's header on, decoding is exact too; from a block in the middle of
//!   one it gives markers for what it does not know. Such a stretch holds whole, undamaged blocks only.
//!
//! A worker goes on until it comes to the stretch's end or its owner has *enough*: that is said when the reader is about to come to the beginning. So
//! the reader never waits for a worker that has far to go, and the worker has always something to do. How far it is, it says all the while.
//!
//! A result is worth something only to a reader that stands exactly at its start, and what it decodes to is then the only thing it can be.
//! So stretches need no trust: one that is late, wrong, cancelled or lost in a `fork` costs time and nothing else.
//!
//! The bytes of the file are read by the reader's thread and belong to the stretch; workers touch no descriptor.

#![forbid(unsafe_code)]

use crate::error::Status;
use crate::inflate::{Goal, Inflate, Marked, Passed, Search, Start, find_start};
use crate::pool::handover::{Handover, Taken};
use crate::pool::{Epoch, Pool};
use crate::raw::process::thread_time;
use crate::raw::{Allocator, Buffer};
use crate::trace::Span;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Window bits of 32 KiB, with a gzip wrapper.
const GZIP_WINDOW_BITS: i32 = 15 + 16;

/// How a member begins; what a reader looks for behind another one.
const MEMBER: [u8; 2] = [0x1f, 0x8b];

/// Where a stretch begins.
#[expect(clippy::large_enum_variant, reason = "as for `Content`")]
#[derive(Debug)]
pub enum Beginning {
    /// At the first byte of the input, with this decoder.
    Exact(Inflate),
    /// At the first place in the input that the finder finds.
    Guessed(Search),
}

/// Memory for results, to be used again.
#[derive(Debug, Default)]
pub struct Room {
    /// For bytes.
    pub bytes: Option<Buffer>,
    /// For elements that may be markers.
    pub marked: Option<Marked>,
}

/// What is to be decoded, and where to.
#[derive(Debug)]
pub struct Order {
    /// How it begins.
    pub beginning: Beginning,
    /// Bytes of the file.
    pub input: Buffer,
    /// The file offset of the first of them.
    pub offset: u64,
    /// The byte of the input behind which decoding ends at the next good place.
    pub until: usize,
    /// The most bytes or elements that may come out.
    pub capacity: usize,
    /// Memory of earlier results.
    pub room: Room,
    /// For tests: what goes wrong on purpose.
    pub hurdle: Hurdle,
}

/// What goes wrong on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hurdle {
    /// Nothing.
    #[default]
    None,
    /// The start is given as another than it is.
    Miss,
    /// The worker idles until nobody wants its result any more.
    Late,
}

/// Where a decoded stretch begins in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where the decoder stood that the stretch was begun with.
    Given,
    /// At a byte: a member's header.
    Member(u64),
    /// At a bit: a block.
    Block(u64),
}

/// What a stretch decodes to.
#[expect(
    clippy::large_enum_variant,
    reason = "a decoder is moved once in a stretch, and a box could not be refused memory"
)]
#[derive(Debug)]
pub enum Content {
    /// Bytes, and the decoder behind them.
    Bytes {
        /// The bytes.
        bytes: Buffer,
        /// As it stands behind them; it has counted and checked them.
        decoder: Inflate,
        /// Whether a member ended, and what follows is not the header of another one.
        is_between_members: bool,
    },
    /// Elements that may be markers, and how to go on behind them.
    Marked {
        /// The elements.
        marked: Marked,
        /// Where they end.
        passed: Passed,
    },
}

/// A stretch, decoded.
#[derive(Debug)]
pub struct Decoded {
    /// Where it begins.
    pub place: Place,
    /// What it decodes to.
    pub content: Content,
    /// The file offset of the first byte that was not used for it.
    pub next: u64,
    /// When it was ready.
    pub ready: Instant,
}

/// What a worker reports.
#[derive(Debug)]
pub struct Report {
    /// The result; `None` when there was no place to begin at.
    pub decoded: Option<Decoded>,
    /// What a search would be right that begins not far behind this one.
    pub search: Search,
    /// The input's buffer, and memory for further results.
    pub spare: Spare,
    /// How long it took.
    pub took: Duration,
    /// For how much of this a place to begin was looked for.
    pub sought: Duration,
    /// For how much of this the worker had a processor.
    pub ran: Duration,
}

/// Memory to be used again.
#[derive(Debug, Default)]
pub struct Spare {
    /// An input buffer.
    pub input: Option<Buffer>,
    /// Room for results.
    pub room: Room,
}

impl Spare {
    /// Whether all of it is in use again.
    pub fn is_empty(&self) -> bool {
        self.input.is_none() && self.room.bytes.is_none() && self.room.marked.is_none()
    }
}

impl Content {
    /// How many bytes it stands for.
    pub fn len(&self) -> usize {
        match self {
            Content::Bytes { bytes, .. } => bytes.len(),
            Content::Marked { marked, .. } => marked.len(),
        }
    }

    /// Whether it stands for none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its memory.
    pub fn into_room(self) -> Room {
        match self {
            Content::Bytes { bytes, .. } => Room { bytes: Some(bytes), marked: None },
            Content::Marked { marked, .. } => Room { bytes: None, marked: Some(marked) },
        }
    }
}

/// How waiting for a stretch ended.
#[expect(clippy::large_enum_variant, reason = "as for `Content`")]
#[derive(Debug)]
pub enum Outcome {
    /// It is there.
    Ready(Report),
    /// No worker had time for it.
    NotBegun,
    /// It takes too long.
    GivenUp,
}

/// A stretch on its way.
#[derive(Debug)]
pub struct Stretch {
    shared: Arc<Shared>,
    epoch: Epoch,
}

/// What the owner and the worker of a stretch have in common.
#[derive(Debug)]
struct Shared {
    handover: Handover<Report>,
    /// The place that the worker found, said as soon as it is known: twice the bit, and one more for a block, two more for a member, which may
    /// begin at the file's first bit. 0 before that, all ones when there is no place. Relaxed: it is compared and nothing else is read behind it.
    place: AtomicU64,
    /// The file offset of the byte that the worker has come to, and how much was decoded up to there. Hints, and relaxed, as `place`.
    reached: AtomicU64,
    produced: AtomicU64,
    /// Set by the owner: a result is wanted, and soon. A hint too.
    is_enough: AtomicBool,
}

impl Shared {
    fn goes_on(&self) -> bool {
        self.handover.is_wanted() && !self.is_enough.load(Ordering::Relaxed)
    }

    fn note(&self, reached: u64, produced: usize) {
        self.reached.store(reached, Ordering::Relaxed);
        self.produced.store(produced as u64, Ordering::Relaxed);
    }
}

/// What is known of where a stretch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// A worker still looks for a place, or has yet to begin.
    Nothing,
    /// It begins there.
    Place(Place),
    /// There is no place to begin at.
    Nowhere,
}

/// How many threads besides the caller's may decode; the first call that is not made for nothing starts them.
pub fn decoding_workers() -> usize {
    if may_have_workers() { Pool::current().map_or(0, Pool::workers) } else { 0 }
}

/// Whether threads besides the caller's may ever decode, without starting any.
pub fn may_have_workers() -> bool {
    crate::pool::thread_limit() > 1
}

impl Stretch {
    /// Lets a worker decode.
    pub fn begin(order: Order) -> Self {
        let shared = Arc::new(Shared {
            handover: Handover::new(),
            place: AtomicU64::new(0),
            reached: AtomicU64::new(order.offset),
            produced: AtomicU64::new(0),
            is_enough: AtomicBool::new(false),
        });
        let worker = Arc::clone(&shared);
        let work = move || {
            if worker.handover.begin() {
                let report = run(order, &worker);
                worker.handover.settle(report);
            }
        };
        if let Some(pool) = Pool::current() {
            pool.spawn(work);
        }
        Self { shared, epoch: Epoch::now() }
    }

    /// Where it begins, as far as that is known.
    pub fn sight(&self) -> Sight {
        match self.shared.place.load(Ordering::Relaxed) {
            0 => Sight::Nothing,
            u64::MAX => Sight::Nowhere,
            place if place & 1 == 0 => Sight::Place(Place::Member(place / 16)),
            place => Sight::Place(Place::Block(place / 2)),
        }
    }

    /// The file offset up to which the worker has decoded, and to how many bytes.
    pub fn progress(&self) -> (u64, u64) {
        (self.shared.reached.load(Ordering::Relaxed), self.shared.produced.load(Ordering::Relaxed))
    }

    /// Lets the worker end at the next good place.
    pub fn hurry(&self) {
        self.shared.is_enough.store(true, Ordering::Relaxed);
    }

    /// Whether the worker was told to end.
    pub fn is_hurried(&self) -> bool {
        self.shared.is_enough.load(Ordering::Relaxed)
    }

    /// Whether the result is there.
    pub fn is_ready(&self) -> bool {
        self.is_of_this_process() && self.shared.handover.is_done()
    }

    /// The result; a worker that is at it is waited for as long as `patience` goes.
    pub fn take(self, patience: Duration) -> Outcome {
        if !self.is_of_this_process() {
            return Outcome::NotBegun;
        }
        match self.shared.handover.take(patience) {
            Taken::Done(report) => Outcome::Ready(report),
            Taken::NotBegun => Outcome::NotBegun,
            Taken::GivenUp => Outcome::GivenUp,
        }
    }

    /// In the child of a `fork` nobody is there to run a stretch of its parent's, and its lock may be held for ever.
    fn is_of_this_process(&self) -> bool {
        self.epoch == Epoch::now()
    }
}

impl Drop for Stretch {
    fn drop(&mut self) {
        if self.is_of_this_process() {
            self.shared.handover.cancel();
        } else {
            // Dropping what another process's worker may be in the middle of is not for us.
            std::mem::forget(Arc::clone(&self.shared));
        }
    }
}

/// Decodes; what a worker does.
fn run(order: Order, shared: &Shared) -> Report {
    let (began, ran_before) = (Instant::now(), thread_time());
    while order.hurdle == Hurdle::Late && shared.handover.is_wanted() {
        std::thread::yield_now();
    }
    let mut span = Span::work("decode ahead");
    span.note("bytes", order.input.len() as u64);
    let mut found = Found::default();
    // A panic is a defect, but not one that the host should hear of: the reader goes on alone.
    let (decoded, spare) =
        catch_unwind(AssertUnwindSafe(|| decode(order, shared, &mut found))).unwrap_or_default();
    let (took, ran) = (began.elapsed(), thread_time().saturating_sub(ran_before));
    Report { decoded, search: found.search, spare, took, sought: found.sought, ran }
}

/// What was found out while a place to begin was looked for.
#[derive(Default)]
struct Found {
    search: Search,
    sought: Duration,
}

fn decode(order: Order, shared: &Shared, found: &mut Found) -> (Option<Decoded>, Spare) {
    let Order { beginning, input, offset, until, capacity, mut room, hurdle } = order;
    let shift = if hurdle == Hurdle::Miss { 1 } else { 0 };
    let (place, content, consumed) = match beginning {
        Beginning::Exact(decoder) => {
            let note = |at, produced| shared.note(offset + at as u64, produced);
            let (content, consumed) =
                decode_exactly(decoder, &input[..until.min(input.len())], capacity, &mut room, shared, note);
            (Place::Given, content, consumed)
        }
        Beginning::Guessed(search) => {
            let began = Instant::now();
            let start = find_start(&input, search);
            found.sought = began.elapsed();
            match start {
                None => {
                    shared.place.store(u64::MAX, Ordering::Relaxed);
                    return (None, Spare { input: Some(input), room });
                }
                Some(Start::Member(at)) => {
                    let place = offset + at as u64 + shift;
                    shared.place.store(place * 16 + 2, Ordering::Relaxed);
                    let note = |taken, produced| shared.note(offset + (at + taken) as u64, produced);
                    let part = &input[at..until.clamp(at, input.len())];
                    let (content, consumed) = match Inflate::new(GZIP_WINDOW_BITS, Allocator::SYSTEM) {
                        Ok(decoder) => decode_exactly(decoder, part, capacity, &mut room, shared, note),
                        Err(_) => (None, 0),
                    };
                    (Place::Member(place), content, at + consumed)
                }
                Some(Start::Block(bit) | Start::Marked(bit)) => {
                    if let Some(Start::Block(_)) = start {
                        found.search = Search::Blocks;
                    }
                    let place = offset * 8 + bit + shift;
                    shared.place.store(place * 2 + 1, Ordering::Relaxed);
                    let goes_on = |at: usize, produced| {
                        shared.note(offset + at as u64, produced);
                        shared.goes_on()
                    };
                    let (content, consumed) = decode_marked(&input, bit, until, capacity, &mut room, goes_on);
                    (Place::Block(place), content, consumed)
                }
            }
        }
    };
    let next = offset + consumed as u64;
    let decoded = content.map(|content| Decoded { place, content, next, ready: Instant::now() });
    (decoded, Spare { input: Some(input), room })
}

/// Decodes as the reader itself would, member after member, as far as the input and the room go.
fn decode_exactly(
    mut decoder: Inflate,
    input: &[u8],
    capacity: usize,
    room: &mut Room,
    shared: &Shared,
    note: impl Fn(usize, usize),
) -> (Option<Content>, usize) {
    let mut bytes = room.bytes.take().unwrap_or_else(|| Buffer::new(Allocator::SYSTEM));
    bytes.clear();
    if bytes.reserve(capacity).is_err() {
        return (None, 0);
    }
    let mut at = 0;
    let is_between_members = bytes.append(|output| {
        loop {
            let mut rest = &input[at..];
            let status = decoder.inflate(&mut rest, output, Goal::Block, &mut |_| {});
            at = input.len() - rest.len();
            note(at, output.written());
            match status {
                Ok(Status::StreamEnd) if rest.starts_with(&MEMBER) => decoder.reset(),
                Ok(Status::StreamEnd) => break true,
                Ok(_) if !rest.is_empty() && !output.is_full() => {}
                // Damage too: the decoder remembers it for whoever goes on with it.
                _ => break false,
            }
            if !shared.goes_on() {
                break false;
            }
        }
    });
    (Some(Content::Bytes { bytes, decoder, is_between_members }), at)
}

/// Decodes blocks whose history is not known.
fn decode_marked(
    input: &[u8],
    start: u64,
    until: usize,
    capacity: usize,
    room: &mut Room,
    goes_on: impl FnMut(usize, usize) -> bool,
) -> (Option<Content>, usize) {
    let marked = room.marked.take().map_or_else(|| Marked::new(capacity), Ok);
    let Ok(mut marked) = marked else { return (None, 0) };
    match marked.decode(input, start, until, goes_on) {
        Some(passed) => (Some(Content::Marked { marked, passed }), passed.consumed),
        None => {
            room.marked = Some(marked);
            (None, 0)
        }
    }
}
