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
//! **The gap** is what the head decodes itself between two guessed stretches. It should come to the end of it just when the worker is
//! through with the stretch behind. So it is widened when the head had to wait, and narrowed when all workers were idle.
//!
//! At any time the head is a complete serial reader, and what workers do is a hint. So `fork` needs no more than to drop the
//! stretches, and so do seeking and closing; nothing is ever waited for but a stretch at whose beginning the head stands, and that not for
//! long.

#![forbid(unsafe_code)]

use super::inflate::InflateStream;
use super::pace::{Pace, was_undisturbed};
use super::{Flush, stats};
use crate::config::config;
use crate::inflate::Resolver;
use crate::pipeline::decode::{
    Beginning, Content, Decoded, Order, Outcome, Place, Report, Room, Sight, Spare, Stretch,
    decoding_workers, may_have_workers,
};
use crate::raw::process::Epoch;
use crate::raw::{Allocator, Buffer, Output};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub use crate::pipeline::decode::Hurdle;

/// Compressed bytes that must have been read in a row before workers are asked: programs that look at a file's beginning only should cost
/// nothing.
const ENGAGE_AFTER: u64 = 256 << 10;

/// Compressed bytes that must be left for anything to be decoded ahead.
const LEAST_LEFT: u64 = 512 << 10;

/// Compressed bytes that must be left for the first stretch.
const LEAST_LEFT_AT_FIRST: u64 = 2 << 20;

/// Compressed bytes of a stretch. Longer ones make more of the time that finding a beginning takes, and use more memory.
const STRETCH: u64 = 512 << 10;

/// Compressed bytes of the first stretch; each of the next is twice as long, up to `STRETCH`.
const FIRST_STRETCH: u64 = 128 << 10;

/// The gap at first, in 64ths of a stretch.
const FIRST_GAP: u64 = 40;

/// Compressed bytes behind a stretch's end that it may use to complete its last block or member.
const MARGIN: u64 = 128 << 10;

/// The most elements of a guessed stretch, two bytes each. With two threads there are three stretches at most: one being
/// delivered, one being decoded, one waiting to be.
const MOST_ELEMENTS: usize = 2 << 20;

/// The most bytes of an exact stretch: still in the second or third cache when they are delivered.
const MOST_BYTES: usize = 1 << 20;

/// More workers than this are not asked for one file: what the head does alone would keep them waiting.
const MOST_WORKERS: usize = 7;

/// Compressed bytes for which nothing is tried after trouble; doubled each time, up to 16 times this.
const PAUSE: u64 = 4 << 20;

/// A file to read ahead in.
pub trait Source {
    /// How long it is, if it is one that can be read ahead in.
    fn readable_size(&self) -> Option<u64>;
    /// Reads from `offset` on, as much as fits and is there.
    fn read_at(&self, offset: u64, output: &mut Output<'_>);
}

/// What tests and experiments may set.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// Whether anything is decoded ahead, and how.
    pub way: Way,
    /// Compressed bytes that must have been read before.
    pub engage_after: u64,
    /// Compressed bytes of a stretch.
    pub stretch: u64,
    /// What goes wrong on purpose, with every stretch of an even number.
    pub hurdle: Hurdle,
    /// Whether stretches that the head comes to are waited for however long they take, so that what happens does not depend on time.
    pub patient: bool,
}

/// How to decode ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Serial,
    /// As seems best, if it seems good at all.
    Measured,
    /// Exact stretches only, whatever is measured.
    Exact,
    /// Guessed stretches only, whatever is measured.
    Guessed,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            way: Way::Measured,
            engage_after: ENGAGE_AFTER,
            stretch: STRETCH,
            hurdle: Hurdle::None,
            patient: false,
        }
    }
}

/// What happened while a file was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounters {
    /// Exact stretches delivered.
    pub exact: u64,
    /// Guessed stretches delivered.
    pub hits: u64,
    /// Stretches dropped: the head never met them, or they came too late.
    pub misses: u64,
    /// Bytes delivered from stretches.
    pub bytes: u64,
    /// Times that reading ahead paused.
    pub pauses: u64,
    /// Nanoseconds for which workers ran for stretches that were delivered.
    pub ran: u64,
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
    pending: VecDeque<Pending>,
    /// None or one; in memory of its own, since few readers ever have one.
    landing: Vec<Landing>,
    resolver: Option<Resolver>,
    spare: Vec<Spare>,
    epoch: Epoch,
    workers: usize,
    /// Compressed bytes of the next stretch.
    stretch: u64,
    /// The gap, in 64ths of a stretch.
    gap: u64,
    /// Stretches begun; every `workers` of them follow a gap.
    begun: u64,
    /// Before this offset nothing is begun.
    resume_at: u64,
    /// How long the next pause is.
    pause: u64,
    misses_in_a_row: u32,
    disturbed_in_a_row: u32,
    /// What a guessed stretch takes a worker that has a processor.
    typical: Duration,
    /// Output and input bytes of the head and of stretches, fading: how well the file is compressed.
    ratio: (u64, u64),
    pace: Pace,
    counters: ReadCounters,
}

impl Ahead {
    /// Nothing, yet.
    pub fn new(tuning: Tuning) -> Self {
        let interest = if tuning.way == Way::Serial { Interest::No } else { Interest::Later };
        Self {
            tuning,
            interest,
            loaded: 0,
            pending: VecDeque::new(),
            landing: Vec::new(),
            resolver: None,
            spare: Vec::new(),
            epoch: Epoch::now(),
            workers: 0,
            stretch: FIRST_STRETCH.min(tuning.stretch),
            gap: FIRST_GAP,
            begun: 0,
            resume_at: 0,
            pause: PAUSE,
            misses_in_a_row: 0,
            disturbed_in_a_row: 0,
            typical: Duration::from_millis(4),
            ratio: (4, 1),
            pace: Pace::default(),
            counters: ReadCounters::default(),
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
        if self.interest != Interest::Later || self.loaded < self.tuning.engage_after {
            return;
        }
        self.interest = Interest::No;
        let large = |size| size >= self.loaded + LEAST_LEFT_AT_FIRST.min(4 * self.tuning.stretch);
        if may_have_workers() && source.readable_size().is_some_and(large) {
            self.workers = decoding_workers().min(MOST_WORKERS);
            self.resolver = Resolver::new().ok();
            if self.workers > 0
                && self.resolver.is_some()
                && self.pending.try_reserve(self.workers + 1).is_ok()
                && self.landing.try_reserve(1).is_ok()
            {
                (self.interest, self.epoch) = (Interest::Yes, Epoch::now());
            }
        }
    }

    /// The reader goes to another place: all that was decoded for this one is dropped.
    pub fn reset(&mut self) {
        self.counters.misses += self.pending.len() as u64;
        self.pending.clear();
        self.landing.clear();
        self.loaded = 0;
        (self.resume_at, self.pause) = (0, PAUSE);
        (self.misses_in_a_row, self.disturbed_in_a_row) = (0, 0);
        self.stretch = FIRST_STRETCH.min(self.tuning.stretch);
        self.pace.interrupt();
        if self.interest == Interest::Yes {
            self.interest = Interest::Later;
        }
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
            self.pace.decoded(start.elapsed(), bytes_out as u64);
            self.count_ratio(bytes_in as u64, bytes_out as u64);
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
        let count = match &landing.content {
            Content::Bytes { bytes, .. } => output.put(&bytes[landing.at..]),
            Content::Marked { marked, .. } => {
                resolver.resolve(marked, landing.at, stream.engine_mut(), output)
            }
        };
        landing.at += count;
        self.counters.bytes += count as u64;
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
        self.count_ratio(next - from, at as u64);
        self.keep(Spare { input: None, room });
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
                    self.gap = (self.gap + 16).min(256);
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
                        break;
                    }
                    self.drop_front();
                    self.missed(next);
                }
            }
        }
        if !self.is_exact_wanted() {
            self.begin_guessed(next, source);
        }
        false
    }

    /// The read ends with the head standing at `next`: what comes next may be decoded until the host comes again.
    pub fn rest(&mut self, stream: &InflateStream, next: u64, source: &impl Source) {
        if self.is_exact_wanted()
            && self.pending.is_empty()
            && self.landing.is_empty()
            && self.epoch == Epoch::now()
            && let Ok(decoder) = stream.engine().try_clone()
        {
            self.begin(Beginning::Exact(decoder), next, source);
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
                self.begin(Beginning::Exact(decoder), next, source);
            }
        }
    }

    /// Begins guessed stretches behind those there are, or behind `head`.
    fn begin_guessed(&mut self, head: u64, source: &impl Source) {
        let head = self.landing.last().map_or(head, |landing| landing.next);
        while self.pending.len() <= self.workers {
            let frontier = self.pending.back().map_or(head, |last| last.until.max(head));
            let gap = if self.begun.is_multiple_of(self.workers as u64) {
                self.stretch_len() * self.gap / 64
            } else {
                0
            };
            if !self.begin(Beginning::Guessed, frontier + gap, source) {
                return;
            }
        }
    }

    /// Compressed bytes that decode to what a stretch may hold.
    fn stretch_len(&self) -> u64 {
        let most = MOST_ELEMENTS as u64 * 15 / 16 * self.ratio.1 / self.ratio.0.max(1);
        self.stretch.min(most).max(16 << 10)
    }

    /// Begins a stretch at `from`; false when that is no good.
    fn begin(&mut self, beginning: Beginning, from: u64, source: &impl Source) -> bool {
        if from < self.resume_at {
            return false;
        }
        let Some(size) = source.readable_size() else { return false };
        if size < from + LEAST_LEFT.min(2 * self.tuning.stretch) {
            return false;
        }
        let is_exact = matches!(beginning, Beginning::Exact(_));
        let (len, capacity) = if is_exact {
            let enough = MOST_BYTES as u64 * 17 / 16 * self.ratio.1 / self.ratio.0.max(1);
            (self.stretch.min(enough).max(16 << 10), MOST_BYTES)
        } else {
            (self.stretch_len(), MOST_ELEMENTS)
        };
        let Spare { input, room } = self.spare_for(is_exact);
        let mut input = input.unwrap_or_else(|| Buffer::new(Allocator::SYSTEM));
        input.clear();
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
        self.stretch = (self.stretch * 2).min(self.tuning.stretch);
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
        let was_ready = front.stretch.is_ready();
        // Enough for a worker that has a processor; one that has none is not waited for.
        let waits_from = Instant::now();
        let outcome = front.stretch.take(2 * self.typical + Duration::from_millis(2));
        let waited = waits_from.elapsed();
        let Outcome::Ready(report) = outcome else {
            self.counters.misses += 1;
            if matches!(outcome, Outcome::GivenUp) {
                self.pause_from(front.from);
            }
            return None;
        };
        let Report { decoded, spare, took, ran } = report;
        self.keep(spare);
        let undisturbed = was_undisturbed(took, ran) && waited < ran / 2 + Duration::from_millis(1);
        self.disturbed_in_a_row = if undisturbed { 0 } else { self.disturbed_in_a_row + 1 };
        if self.disturbed_in_a_row >= 2 && self.tuning.way == Way::Measured {
            self.pause_from(front.until);
        }
        let Some(decoded) = decoded else {
            self.missed(front.from);
            return None;
        };
        self.counters.ran += ran.as_nanos() as u64;
        if front.is_exact {
            self.counters.exact += 1;
            self.pace.decoded(ran, decoded.content.len() as u64);
        } else {
            self.counters.hits += 1;
            self.misses_in_a_row = 0;
            self.typical = (self.typical * 3 + ran) / 4;
            // A step is small against the gap, so that one late worker does not upset it.
            let step = self.gap / 16 + 1;
            self.gap = match (was_ready, is_idle) {
                (false, _) => (self.gap + step).min(256),
                (true, true) => (self.gap - step).max(8),
                (true, false) => self.gap,
            };
            if undisturbed && self.counters.hits.is_multiple_of(16) {
                self.pause = PAUSE;
            }
        }
        Some(decoded)
    }

    fn land(&mut self, decoded: Decoded, from: u64) {
        self.landing.push(Landing { content: decoded.content, at: 0, from, next: decoded.next });
    }

    fn drop_front(&mut self) {
        if let Some(front) = self.pending.pop_front() {
            self.counters.misses += 1;
            if let Outcome::Ready(report) = front.stretch.take(Duration::ZERO) {
                self.keep(report.spare);
                if let Some(decoded) = report.decoded {
                    self.keep(Spare { input: None, room: decoded.content.into_room() });
                }
            }
        }
    }

    /// A guess was wrong or late. After two of them in a row it is better to read on alone for a while.
    fn missed(&mut self, at: u64) {
        self.misses_in_a_row += 1;
        if self.misses_in_a_row >= 2 && self.tuning.way == Way::Measured {
            self.pause_from(at);
        }
    }

    fn pause_from(&mut self, offset: u64) {
        self.counters.pauses += 1;
        self.resume_at = offset + self.pause;
        self.pause = (self.pause * 2).min(16 * PAUSE);
        (self.misses_in_a_row, self.disturbed_in_a_row) = (0, 0);
    }

    fn count_ratio(&mut self, bytes_in: u64, bytes_out: u64) {
        if self.ratio.1 > 4 << 20 {
            self.ratio = (self.ratio.0 / 2, self.ratio.1 / 2);
        }
        self.ratio = (self.ratio.0 + bytes_out, self.ratio.1 + bytes_in);
    }

    fn keep(&mut self, spare: Spare) {
        if self.spare.try_reserve(1).is_ok() {
            self.spare.push(spare);
        }
    }

    fn spare_for(&mut self, is_exact: bool) -> Spare {
        let mut found = Spare::default();
        for spare in &mut self.spare {
            if found.input.is_none() {
                found.input = spare.input.take();
            }
            if is_exact && found.room.bytes.is_none() {
                found.room.bytes = spare.room.bytes.take();
            }
            if !is_exact && found.room.marked.is_none() {
                found.room.marked = spare.room.marked.take();
            }
        }
        self.spare.retain(|spare| !spare.is_empty());
        found
    }
}

impl Drop for Ahead {
    /// Says what happened, if that is asked for.
    fn drop(&mut self) {
        if config().stats.is_none() || self.resolver.is_none() {
            return;
        }
        let ReadCounters { exact, hits, misses, bytes, pauses, ran } = self.counters;
        stats::append(&format!(
            "{{\"operation\":\"gzread\",\"engine\":\"{}\",\"bytes_ahead\":{bytes},\"read_ahead\":{exact},\"hits\":{hits},\
             \"misses\":{misses},\"pauses\":{pauses},\"gap\":{:.2},\"worker_seconds\":{:.6},\"pid\":{}}}\n",
            if bytes > 0 { "parallel" } else { "serial" },
            self.gap as f64 / 64.0,
            ran as f64 / 1e9,
            std::process::id(),
        ));
    }
}
