//! `Ahead`: decoding ahead of a gzip file's reader.
//!
//! The reader has a decoder of its own, the *head*, and would read the whole file with it. `Ahead` may have stretches of what is to come decoded by
//! workers (`pipeline::decode`), and moves the head behind a stretch when it stands exactly at its beginning. The bytes of the stretch
//! are then delivered in place of decoding them. All that can go wrong with a file the head finds by itself, where and when it would have
//! found it alone; a stretch that it never meets is dropped.
//!
//! ```text
//! the host waits:   head |=========>   gap   |found=====================|       gap      |found=====...
//!                         decodes plainly      a worker, with markers      the head again
//!
//! the host works:   head |-----------------|-----------------|-----------------|
//!                         a worker, exactly   a worker, exactly  ...                the head only lands
//! ```
//!
//! **Which way** `Pace` decides, by what the host takes between reads. **When not**: before the file was read for a while, near its
//! end, after misses and when workers had to share their processors, each for a while that doubles.
//!
//! **Where stretches begin and end** is `Plan`'s business. With one worker, a stretch ends when the head comes to its beginning: the worker is told so
//! a block before (`hurry`), and begins the next stretch, while the head decodes that block and then delivers. With several, stretches end
//! where the next one may begin.
//!
//! At any time the head is a complete serial reader, and what workers do is a hint. So `fork` needs no more than to drop the
//! stretches, and so do seeking and closing; nothing is ever waited for but a stretch at whose beginning the head stands, and that not for
//! long.

#![forbid(unsafe_code)]

mod counters;
mod plan;
mod spares;
mod tuning;

use super::Flush;
use super::inflate::InflateStream;
use super::pace::{Pace, was_undisturbed};
use crate::budget::{self, Share};
use crate::inflate::{Inflate, Resolver};
use crate::pipeline::decode::{
    Beginning, Content, Decoded, Order, Outcome, Place, Report, Room, Sight, Spare, Stretch,
    decoding_workers, may_have_workers,
};
use crate::pipeline::thread_limit;
use crate::raw::Output;
use crate::raw::process::Epoch;
use crate::trace::Span;
use counters::add;
use plan::{Ending, MOST_ELEMENTS, Plan};
use spares::Spares;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use crate::pipeline::decode::Hurdle;
pub use counters::ReadCounters;
pub use tuning::{Tuning, Way};

/// Compressed bytes that must be left for anything exact to be decoded ahead.
const LEAST_LEFT: u64 = 512 << 10;

/// Compressed bytes that must be left for the first stretch.
const LEAST_LEFT_AT_FIRST: u64 = 2 << 20;

/// Compressed bytes behind a stretch's end that it may use to complete its last block or member.
const MARGIN: u64 = 64 << 10;

/// The most bytes of an exact stretch: still in the second or third cache when they are delivered.
const MOST_BYTES: usize = 1 << 20;

/// More workers than this are not asked for one file: what the head does alone would keep them waiting.
const MOST_WORKERS: usize = 7;

/// Memory of a stretch at most: its input, and its result with markers.
const STRETCH_BYTES: usize = 2 * MOST_ELEMENTS + (512 << 10) + MARGIN as usize;

/// With fewer stretches' memory nothing is decoded ahead: one is decoded, one is delivered.
const LEAST_STRETCHES: usize = 2;

/// A file to read ahead in.
pub trait Source {
    /// How long it is, if it is one that can be read ahead in.
    fn readable_size(&self) -> Option<u64>;
    /// Reads from `offset` on, as much as fits and is there.
    fn read_at(&self, offset: u64, output: &mut Output<'_>);
}

/// Whether stretches are begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interest {
    /// Not yet.
    Later,
    Yes,
    /// Not in this file.
    No,
}

/// A stretch that was begun.
#[derive(Debug)]
struct Pending {
    stretch: Stretch,
    is_exact: bool,
    /// The first byte of its input.
    from: u64,
    /// The byte behind which it ends.
    until: u64,
}

/// A stretch that is being delivered.
#[derive(Debug)]
struct Landing {
    content: Content,
    /// How much was delivered.
    at: usize,
    /// Where the head stands.
    from: u64,
    /// Where it will stand.
    next: u64,
}

/// How far [`Ahead::deliver`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// There was nothing to deliver.
    Nothing,
    /// The output is full, and more is there.
    Full,
    /// All was delivered; the decoder has moved.
    Landed {
        /// The file offset of the byte it needs next.
        next: u64,
        /// It stands behind a member, and what follows is not known.
        is_between_members: bool,
    },
}

/// What is decoded ahead of one reader.
#[derive(Debug)]
pub struct Ahead {
    tuning: Tuning,
    interest: Interest,
    /// Compressed bytes that the reader has loaded in a row.
    loaded: u64,
    /// How many there must be before workers are asked.
    engage_at: u64,
    /// For stretches, those that are delivered and spare buffers included; and the number of refused requests when it was granted.
    share: Share,
    refusals: usize,
    pending: VecDeque<Pending>,
    /// None or one; in memory of its own, since few readers ever have one.
    landing: Vec<Landing>,
    resolver: Option<Resolver>,
    spares: Spares,
    epoch: Epoch,
    workers: usize,
    /// Stretches begun.
    begun: u64,
    plan: Plan,
    /// Whether the last stretch that was delivered was one of bytes.
    were_bytes: bool,
    /// Where the head stood between two blocks or members last, and how long these are.
    last_stop: u64,
    block_len: u64,
    pace: Pace,
    counters: ReadCounters,
    /// When workers were first asked.
    since: Option<Instant>,
}

impl Ahead {
    /// Nothing, yet.
    pub fn new(tuning: Tuning) -> Self {
        let interest = if tuning.way == Way::Serial { Interest::No } else { Interest::Later };
        Self {
            tuning,
            interest,
            loaded: 0,
            engage_at: tuning.engage_after,
            share: Share::none(),
            refusals: 0,
            pending: VecDeque::new(),
            landing: Vec::new(),
            resolver: None,
            spares: Spares::default(),
            epoch: Epoch::now(),
            workers: 0,
            begun: 0,
            plan: Plan::new(tuning),
            were_bytes: false,
            last_stop: 0,
            block_len: 0,
            pace: Pace::default(),
            counters: ReadCounters::default(),
            since: None,
        }
    }

    /// Whether [`deliver`](Self::deliver) and [`arrive`](Self::arrive) may have anything to do.
    pub fn is_on(&self) -> bool {
        self.interest == Interest::Yes
    }

    /// What happened so far.
    pub fn counters(&self) -> ReadCounters {
        self.counters
    }

    /// The reader has loaded `count` more bytes. Once there are enough, the file is looked at.
    pub fn loaded(&mut self, count: usize, source: &impl Source) {
        self.loaded += count as u64;
        if self.interest != Interest::Later || self.loaded < self.engage_at {
            return;
        }
        self.interest = Interest::No;
        let large = |size| size >= self.loaded + LEAST_LEFT_AT_FIRST.min(4 * self.tuning.stretch);
        if may_have_workers() && source.readable_size().is_some_and(large) {
            let stretches = self.take_share();
            if stretches == 0 {
                // Other files have the memory. It is asked for again later.
                (self.interest, self.engage_at) = (Interest::Later, self.loaded + LEAST_LEFT_AT_FIRST);
                return;
            }
            self.workers = decoding_workers().min(MOST_WORKERS).min((stretches - 1).max(2) - 1);
            self.resolver = Resolver::new().ok();
            if self.workers > 0
                && self.resolver.is_some()
                && self.pending.try_reserve(self.workers + 1).is_ok()
                && self.landing.try_reserve(1).is_ok()
            {
                (self.interest, self.epoch) = (Interest::Yes, Epoch::now());
                self.since = self.since.or_else(|| Some(Instant::now()));
            }
        }
    }

    /// The reader goes to another place: all that was decoded for this one is dropped.
    pub fn reset(&mut self) {
        self.counters.misses += self.pending.len() as u64;
        self.pending.clear();
        self.landing.clear();
        self.loaded = 0;
        self.give_back();
        self.plan.restart();
        self.pace.interrupt();
        if self.interest == Interest::Yes {
            self.interest = Interest::Later;
        }
    }

    /// Takes a share of the memory for stretches, and returns for how many there is some.
    fn take_share(&mut self) -> usize {
        // One for each worker, one that waits, one that is delivered.
        let wanted = (thread_limit() - 1).min(MOST_WORKERS) + 2;
        let stretches = if self.tuning.way == Way::Measured {
            self.share.add_units(STRETCH_BYTES, wanted, LEAST_STRETCHES)
        } else {
            self.share = Share::overdrawn(wanted * STRETCH_BYTES);
            wanted
        };
        self.refusals = budget::refusals();
        stretches
    }

    /// Gives memory back that nothing is in.
    fn give_back(&mut self) {
        self.spares = Spares::default();
        self.share = Share::none();
        self.engage_at = self.loaded + self.tuning.engage_after;
    }

    /// A read begins.
    pub fn enter(&mut self) {
        if self.is_on() {
            self.pace.enter();
        }
    }

    /// A read ends that gave `bytes`.
    pub fn leave(&mut self, bytes: usize) {
        if self.is_on() {
            self.pace.leave(bytes as u64);
            let is_idle = self.pending.is_empty() && self.landing.is_empty();
            if is_idle && budget::refusals() != self.refusals {
                // Another file was refused what this one does not use.
                self.give_back();
                self.interest = Interest::Later;
            }
        }
    }

    /// How the head should decode: it must stop where a stretch may begin.
    pub fn flush(&self) -> Flush {
        if self.pending.is_empty() { Flush::None } else { Flush::Block }
    }

    /// Starts the clock of a piece of decoding by the head.
    pub fn timer(&self) -> Option<Instant> {
        self.is_on().then(Instant::now)
    }

    /// The head has decoded `bytes_in` to `bytes_out`.
    pub fn decoded(&mut self, timer: Option<Instant>, bytes_in: usize, bytes_out: usize) {
        if let Some(start) = timer {
            let took = start.elapsed();
            add(&mut self.counters.decoded, took);
            self.pace.decoded(took, bytes_out as u64);
            self.plan.count_ratio(bytes_in as u64, bytes_out as u64);
        }
    }

    /// Where in the file the bytes come from that are being delivered.
    pub fn offset(&self) -> Option<u64> {
        let landing = self.landing.last()?;
        let len = landing.content.len().max(1) as u128;
        Some(landing.from + (u128::from(landing.next - landing.from) * landing.at as u128 / len) as u64)
    }

    /// Delivers from the stretch that the head has come to, and moves the head behind it when all is delivered.
    pub fn deliver(&mut self, stream: &mut InflateStream, output: &mut Output<'_>) -> Delivery {
        let (Some(landing), Some(resolver)) = (self.landing.last_mut(), &mut self.resolver) else {
            return Delivery::Nothing;
        };
        let _delivering = Span::call("deliver read-ahead");
        let began = Instant::now();
        let count = match &landing.content {
            Content::Bytes { bytes, .. } => output.put(&bytes[landing.at..]),
            Content::Marked { marked, .. } => {
                resolver.resolve(marked, landing.at, stream.engine_mut(), output)
            }
        };
        landing.at += count;
        self.counters.bytes += count as u64;
        add(&mut self.counters.delivered, began.elapsed());
        if landing.at < landing.content.len() {
            return Delivery::Full;
        }
        let Some(Landing { content, from, next, at }) = self.landing.pop() else { return Delivery::Nothing };
        stream.note_elsewhere(next - from, at as u64);
        let mut is_between = false;
        let room = match content {
            Content::Bytes { bytes, decoder, is_between_members } => {
                *stream.engine_mut() = decoder;
                is_between = is_between_members;
                Room { bytes: Some(bytes), marked: None }
            }
            Content::Marked { marked, passed } => {
                // The window has its memory already, or the head would not stand between two blocks.
                resolver.pass(&marked, &passed, stream.engine_mut()).ok();
                Room { bytes: None, marked: Some(marked) }
            }
        };
        self.plan.count_ratio(next - from, at as u64);
        self.spares.keep(Spare { input: None, room });
        Delivery::Landed { next, is_between_members: is_between }
    }

    /// The head stands where `next` is the file offset of the byte it needs next. Whether it stands at a stretch's beginning, which
    /// is then to be delivered. Begins stretches where that seems good.
    pub fn arrive(&mut self, stream: &InflateStream, next: u64, source: &impl Source) -> bool {
        if self.epoch != Epoch::now() {
            // This is the child of a fork. Its parent's workers do not exist here.
            self.pending.clear();
            self.interest = Interest::No;
            return false;
        }
        let engine = stream.engine();
        let member = engine.is_at_start().then_some(next * 8);
        let block = engine.bits_before_block().map(|bits| next * 8 - u64::from(bits));
        if member.is_some() || block.is_some() {
            // The longest of late: between long blocks there may be empty ones, before sync markers.
            let passed = next.saturating_sub(self.last_stop).min(MARGIN);
            (self.last_stop, self.block_len) = (next, passed.max(self.block_len - self.block_len / 8));
        }
        while let Some(front) = self.pending.front() {
            if front.is_exact {
                if front.from != next {
                    self.drop_front();
                    continue;
                }
                let Some(decoded) = self.take_front() else { continue };
                self.land(decoded, next);
                self.go_on_exactly(source);
                return true;
            }
            while self.tuning.patient && next >= front.from && front.stretch.sight() == Sight::Nothing {
                std::thread::yield_now();
            }
            match front.stretch.sight() {
                Sight::Nothing if next < front.from + (front.until - front.from) / 2 => break,
                Sight::Nothing => {
                    self.plan.came_late();
                    self.drop_front();
                    self.missed(next);
                }
                Sight::Nowhere => {
                    self.drop_front();
                    self.missed(next);
                }
                Sight::Place(place) => {
                    let (here, there) = match place {
                        Place::Member(byte) => (member, byte * 8),
                        Place::Block(bit) => (block, bit),
                        Place::Given => (None, 0),
                    };
                    if here == Some(there) {
                        if matches!(place, Place::Block(_)) && !self.learn(stream) {
                            self.drop_front();
                            self.missed(next);
                            continue;
                        }
                        let Some(decoded) = self.take_front() else { continue };
                        self.land(decoded, next);
                        self.begin_guessed(next, source);
                        return true;
                    }
                    if next * 8 <= there {
                        self.approach(there / 8 - next.min(there / 8), source);
                        break;
                    }
                    self.drop_front();
                    self.missed(next);
                }
            }
        }
        self.begin_guessed(next, source);
        false
    }

    /// The head is so many bytes before the beginning of the first stretch. A single worker is told to come to an end when it is about one block, or
    /// when there is little left to do for it anyway, and is given the next stretch, so that it goes on at once.
    fn approach(&mut self, distance: u64, source: &impl Source) {
        let (1, Some(front)) = (self.workers, self.pending.front()) else { return };
        let (is_ready, block) = (front.stretch.is_ready(), self.block_len);
        let (reached, produced) = front.stretch.progress();
        let room = (MOST_ELEMENTS as u64).saturating_sub(produced) * reached.saturating_sub(front.from);
        let room = room.checked_div(produced).unwrap_or(u64::MAX);
        let end = front.until.min(reached.saturating_add(room));
        let is_to_end = !is_ready && (distance <= block * 5 / 4 || end <= reached + 2 * block);
        if self.pending.len() == 1 && (is_ready || is_to_end) {
            // The worker may be in the middle of a block.
            let end = (if is_ready { reached } else { reached + block }).max(front.from);
            if is_ready {
                self.plan.was_idle();
            }
            self.plan.foresee(reached.saturating_sub(front.from), produced);
            self.begin_next(end, true, source);
        }
        if is_to_end && let Some(front) = self.pending.front() {
            front.stretch.hurry();
        }
    }

    /// The read ends with the head standing at `next`: what comes next may be decoded until the host comes again.
    pub fn rest(&mut self, stream: &InflateStream, next: u64, source: &impl Source) {
        if self.is_exact_wanted()
            && self.pending.is_empty()
            && self.landing.is_empty()
            && self.epoch == Epoch::now()
            && let Ok(decoder) = stream.engine().try_clone()
        {
            self.begin_exact(decoder, next, source);
        }
    }

    fn is_exact_wanted(&self) -> bool {
        match self.tuning.way {
            Way::Exact => true,
            Way::Guessed | Way::Serial => false,
            Way::Measured => self.pace.host_is_busy(),
        }
    }

    /// Lets the resolver know the bytes before the head, if there are enough.
    fn learn(&mut self, stream: &InflateStream) -> bool {
        match (&mut self.resolver, stream.engine().full_history()) {
            (Some(resolver), Some(window)) => {
                resolver.learn(window);
                true
            }
            _ => false,
        }
    }

    /// Goes on exactly where the stretch ends that is about to be delivered.
    fn go_on_exactly(&mut self, source: &impl Source) {
        let Some(Landing {
            content: Content::Bytes { decoder, is_between_members: false, .. }, next, ..
        }) = self.landing.last()
        else {
            return;
        };
        if self.is_exact_wanted() && self.pending.is_empty() {
            let next = *next;
            if let Ok(decoder) = decoder.try_clone() {
                self.begin_exact(decoder, next, source);
            }
        }
    }

    /// Begins guessed stretches behind those there are, or behind `head`.
    fn begin_guessed(&mut self, head: u64, source: &impl Source) {
        let head = self.landing.last().map_or(head, |landing| landing.next);
        let most = if self.workers == 1 { 1 } else { self.workers + 1 };
        while self.pending.len() < most {
            let frontier = self.pending.back().map_or(head, |last| last.until.max(head));
            let has_gap = self.begun.is_multiple_of(self.workers as u64);
            if !self.begin_next(frontier, has_gap, source) {
                return;
            }
        }
    }

    /// Begins the next guessed stretch, unless the host is busy; what lies before `frontier` is dealt with.
    fn begin_next(&mut self, frontier: u64, has_gap: bool, source: &impl Source) -> bool {
        if self.is_exact_wanted() {
            return false;
        }
        let Some(size) = source.readable_size() else { return false };
        let Some((from, len)) = self.plan.next(frontier, size, has_gap) else { return false };
        let room = self.spares.room(self.were_bytes);
        let begun = self.begin(Beginning::Guessed(self.plan.search), from, len, MOST_ELEMENTS, room, source);
        if begun {
            self.plan.begun();
        }
        begun
    }

    /// Begins an exact stretch at `from`.
    fn begin_exact(&mut self, decoder: Inflate, from: u64, source: &impl Source) {
        let is_enough = |size| size >= from + LEAST_LEFT.min(2 * self.tuning.stretch);
        if !self.plan.is_paused(from) && source.readable_size().is_some_and(is_enough) {
            let len = self.plan.len_for(MOST_BYTES * 17 / 16);
            let room = self.spares.room(true);
            self.begin(Beginning::Exact(decoder), from, len, MOST_BYTES, room, source);
        }
    }

    /// Begins a stretch of `len` bytes at `from`; false when there is no memory for it.
    fn begin(
        &mut self,
        beginning: Beginning,
        from: u64,
        len: u64,
        capacity: usize,
        room: Room,
        source: &impl Source,
    ) -> bool {
        let is_exact = matches!(beginning, Beginning::Exact(_));
        let mut input = self.spares.input();
        let wanted = (len + MARGIN) as usize;
        if input.reserve(wanted).is_err() {
            return false;
        }
        input.append(|output| {
            output.limited(wanted, |output| source.read_at(from, output));
        });
        let hurdle = if self.begun.is_multiple_of(2) { self.tuning.hurdle } else { Hurdle::None };
        let until = len as usize;
        let order = Order { beginning, input, offset: from, until, capacity, room, hurdle };
        self.pending.push_back(Pending { stretch: Stretch::begin(order), is_exact, from, until: from + len });
        self.begun += 1;
        true
    }

    /// Takes the result of the first stretch, at whose beginning the head stands; `None` when there is none.
    fn take_front(&mut self) -> Option<Decoded> {
        let front = self.pending.pop_front()?;
        while self.tuning.patient && !front.stretch.is_ready() {
            std::thread::yield_now();
        }
        let is_idle =
            front.stretch.is_ready() && self.pending.iter().all(|pending| pending.stretch.is_ready());
        let (was_ready, was_hurried) = (front.stretch.is_ready(), front.stretch.is_hurried());
        // Enough for a worker that has a processor; one that has none is not waited for.
        let waits_from = Instant::now();
        let waiting = Span::call("wait for read-ahead");
        let outcome = front.stretch.take(2 * self.plan.typical + Duration::from_millis(2));
        drop(waiting);
        let waited = waits_from.elapsed();
        let Outcome::Ready(report) = outcome else {
            self.counters.misses += 1;
            if matches!(outcome, Outcome::GivenUp) {
                self.counters.pauses += 1;
                self.plan.pause_from(front.from);
            }
            return None;
        };
        let Report { decoded, search, spare, took, sought, ran } = report;
        self.spares.keep(spare);
        add(&mut self.counters.waited, waited);
        let undisturbed = was_undisturbed(took, ran) && waited < ran / 2 + Duration::from_millis(1);
        if self.plan.disturbed(front.until, !undisturbed) {
            self.counters.pauses += 1;
        }
        let Some(decoded) = decoded else {
            self.missed(front.from);
            return None;
        };
        add(&mut self.counters.ran, ran);
        add(&mut self.counters.sought, sought);
        self.were_bytes = matches!(decoded.content, Content::Bytes { .. });
        if front.is_exact {
            self.counters.exact += 1;
            self.pace.decoded(ran, decoded.content.len() as u64);
        } else {
            self.counters.hits += 1;
            self.plan.search = search;
            let ending = match (was_hurried, was_ready, is_idle) {
                (true, ..) => {
                    let full = front.until - front.from;
                    let by_input = decoded.next.saturating_sub(front.from) * 64 / full.max(1);
                    Ending::Hurried(by_input.max(decoded.content.len() as u64 * 64 / MOST_ELEMENTS as u64))
                }
                (_, false, _) => Ending::Late,
                (_, true, true) if self.workers > 1 => Ending::Idle,
                (_, true, _) => Ending::Full,
            };
            self.plan.met(ending, ran);
            if undisturbed && self.counters.hits.is_multiple_of(16) {
                self.plan.forgive();
            }
        }
        Some(decoded)
    }

    fn land(&mut self, decoded: Decoded, from: u64) {
        self.last_stop = decoded.next;
        self.landing.push(Landing { content: decoded.content, at: 0, from, next: decoded.next });
    }

    fn drop_front(&mut self) {
        if let Some(front) = self.pending.pop_front() {
            self.counters.misses += 1;
            if let Outcome::Ready(report) = front.stretch.take(Duration::ZERO) {
                self.spares.keep(report.spare);
                if let Some(decoded) = report.decoded {
                    self.spares.keep(Spare { input: None, room: decoded.content.into_room() });
                }
            }
        }
    }

    /// A guess was wrong or late.
    fn missed(&mut self, at: u64) {
        if self.plan.missed(at) {
            self.counters.pauses += 1;
        }
    }
}

impl Drop for Ahead {
    /// Says what happened, if that is asked for.
    fn drop(&mut self) {
        if self.resolver.is_some() {
            self.counters.tell(self.plan.gap(), self.since);
        }
    }
}
