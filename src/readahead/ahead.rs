//! `Ahead`: the stretches that workers decode for one decoder.
//!
//! The *decoder* is the serial one on the caller's thread, the *host* the program that calls it. A
//! stretch is *pending* from its beginning until the decoder reaches or passes its start, and then it
//! is delivered or dropped:
//!
//! ```text
//! begin -> pending -> delivery: the decoder is at its start -> all delivered: the decoder is after it
//!             |
//!             +-----> dropped: the decoder is past its start, or there is no usable result
//! ```
//!
//! While stretches are pending, the decoder stops between blocks, where [`Ahead::arrive`] compares its
//! position with their starts. While a stretch is delivered, the next ones are decoded.
//!
//! **Exact or guessed stretches** (`stretch.rs` defines them): [`Pace`] decides by the time that
//! the host spends between reads. **No stretch begins** before enough data was read, near the end
//! of the data, if little time would be saved, or if no processor is idle. After misses, and when
//! workers had to share their processors, none begins for a while, which doubles each time.
//!
//! **Where stretches start and end** is decided by [`Plan`]. With one worker, a stretch ends when the
//! decoder reaches its start: the worker is requested to end one block before that (`hurry`), and begins
//! the next stretch while the decoder decodes that block and then delivers. With several workers,
//! stretches end where the next one may start.
//!
//! The decoder waits only for a stretch whose start it has reached, and only for a short time.

#![forbid(unsafe_code)]

use super::buffers::BufferPool;
use super::costs::Costs;
use super::counters::{ReadCounters, add};
use super::delivery::{Delivered, Delivery};
use super::memory::Memory;
use super::pace::{Pace, was_undisturbed};
use super::plan::{Ending, Plan};
use super::stretch::{Outcome, StartSearch, Stretch};
use super::task::{
    Beginning, Content, Decoded, InjectedFault, Report, Room, Spare, StretchStart, StretchTask,
};
use super::tuning::{Tuning, Way};
use super::{Source, SourceKind};
use crate::budget::{self, Share};
use crate::error::{Error, Result};
use crate::inflate::{Inflate, Resolver};
use crate::pool::{Epoch, Pool, thread_limit};
use crate::raw::{Output, SharedFile, process};
use crate::trace::Span;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Compressed bytes that must be left for an exact stretch.
const LEAST_LEFT: u64 = 512 << 10;

/// The same for the first stretch: of a file, and of a caller's memory.
const LEAST_LEFT_AT_FIRST: u64 = 2 << 20;
const LEAST_LEFT_IN_MEMORY: u64 = 768 << 10;

/// Guessed stretches are tried if they are expected to save this much. Starting a worker and allocating its memory takes
/// about one millisecond.
const LEAST_SAVING: Duration = Duration::from_micros(1500);

/// Elements (the 16-bit units of a guessed stretch's result) between two waypoints, for outputs of a MiB and more, and for
/// smaller ones. A call delivers up to a waypoint, and the decoder decodes the rest of the room: less than one distance.
const SPACING: usize = 64 << 10;
const SPACING_IN_SMALL_ROOMS: usize = 4 << 10;

/// Compressed bytes after a stretch's end that it may use to complete its last block or member.
const MARGIN: u64 = 64 << 10;

/// The most bytes of an exact stretch: they are still in the second- or third-level cache when delivered.
const MOST_BYTES: usize = 1 << 20;

/// The most workers for one decoder: more would wait for the decoder's own work.
const MOST_WORKERS: usize = 7;

/// Compressed bytes that must be left for the first stretch.
pub(super) fn least_left_at_first(kind: SourceKind, tuning: &Tuning) -> u64 {
    let least = match kind {
        SourceKind::File => LEAST_LEFT_AT_FIRST,
        SourceKind::Memory => LEAST_LEFT_IN_MEMORY,
    };
    least.min(4 * tuning.stretch)
}

/// If there is memory for fewer stretches, nothing is decoded ahead: one is decoded while another is delivered.
const LEAST_STRETCHES: usize = 2;

/// Takes a share of the process's memory for stretches of `elements` elements; returns the number of
/// stretches, 0 if there is not enough. Tests that fix the way always get the memory.
fn take_share(share: &mut Share, tuning: Tuning, workers: usize, elements: usize) -> usize {
    // One for each worker, one that waits, one that is delivered.
    let wanted = workers + 2;
    // The result, two bytes for each element, and the input.
    let unit = 2 * elements + (tuning.stretch + MARGIN) as usize;
    if tuning.way == Way::Measured {
        return share.add_units(unit, wanted, LEAST_STRETCHES);
    }
    *share = Share::overdrawn(wanted * unit);
    wanted
}

/// A stretch that was begun.
#[derive(Debug)]
struct Pending {
    stretch: Stretch,
    is_exact: bool,
    /// The call in which it was begun, and its input copied.
    call: u64,
    /// The offset of its input's first byte. A guessed stretch starts there or later.
    from: u64,
    /// The planned end: it ends at the first suitable place after this offset, or earlier if its memory is full or it is
    /// requested to end.
    until: u64,
}

/// The stretches of one decoder.
#[derive(Debug)]
pub(super) struct Ahead {
    kind: SourceKind,
    tuning: Tuning,
    /// Counts the host's calls.
    call: u64,
    /// Elements between two waypoints.
    spacing: usize,
    /// The file that workers read.
    file: Option<SharedFile>,
    /// For the memory of all stretches, including spare buffers; it is returned when this value is dropped.
    _share: Share,
    /// The number of refused requests for memory when this one was granted.
    refusals: usize,
    /// In the order of their offsets, which is that of their beginning. Has room for all from the start, so that adding one
    /// allocates nothing.
    pending: VecDeque<Pending>,
    /// The stretch that the decoder has reached; the decoder is at its start or inside it.
    pub(super) delivery: Option<Delivery>,
    resolver: Resolver,
    buffers: BufferPool,
    /// The process that began to read ahead; the workers exist only there.
    epoch: Epoch,
    /// How many workers the stretches are planned for; 0 in the child of a fork, where none begins.
    workers: usize,
    /// Stretches begun.
    begun: u64,
    plan: Plan,
    /// Whether the result of the last stretch that was reached was bytes, not elements. The next is expected to be the same.
    were_bytes: bool,
    /// The last place where the decoder was between two blocks or members, and the length of recent ones.
    last_stop: u64,
    block_len: u64,
    pace: Pace,
    costs: Costs,
    counters: ReadCounters,
    /// When this value was created.
    since: Instant,
}

impl Ahead {
    /// Begins to read ahead. Fails with [`Error::Memory`] if other streams hold the memory, and with
    /// [`Error::Stream`] if there are no workers.
    pub(super) fn engage(kind: SourceKind, tuning: Tuning, source: &impl Source) -> Result<Self> {
        // The memory comes first, for as many workers as are allowed: without it no pool is made.
        let workers = (thread_limit() - 1).min(MOST_WORKERS);
        let mut plan = Plan::new(kind, tuning);
        plan.divide_memory(workers > 1);
        let mut share = Share::none();
        let mut stretches = take_share(&mut share, tuning, workers, plan.elements());
        if stretches == 0 && workers == 1 {
            // Shorter stretches are better than none.
            plan.divide_memory(true);
            stretches = take_share(&mut share, tuning, workers, plan.elements());
        }
        if stretches == 0 {
            return Err(Error::Memory);
        }
        // The pool may have fewer workers: the system may refuse threads.
        let workers = Pool::current().map_or(0, Pool::workers).min(MOST_WORKERS);
        if workers == 0 {
            return Err(Error::Stream);
        }
        let mut pending = VecDeque::new();
        pending.try_reserve(MOST_WORKERS + 1).map_err(|_| Error::Memory)?;
        Ok(Self {
            kind,
            tuning,
            call: 0,
            spacing: usize::MAX,
            file: source.share(),
            _share: share,
            refusals: budget::refusals(),
            pending,
            delivery: None,
            resolver: Resolver::new()?,
            buffers: BufferPool::default(),
            epoch: Epoch::now(),
            // One stretch waits and one is delivered; the others have a worker each. There is at least one worker.
            workers: workers.min((stretches - 1).max(2) - 1),
            begun: 0,
            plan,
            were_bytes: false,
            last_stop: 0,
            block_len: 0,
            pace: Pace::default(),
            costs: Costs::default(),
            counters: ReadCounters::default(),
            since: Instant::now(),
        })
    }

    /// Makes the workers stop reading, and waits for a read that has begun: afterwards the host may close the descriptor.
    fn close_file(&mut self) {
        if let Some(file) = self.file.take() {
            file.close();
        }
    }

    /// Statistics.
    pub(super) fn counters(&self) -> ReadCounters {
        let since = self.since.elapsed().as_nanos() as u64;
        ReadCounters { gap: self.plan.gap(), since, ..self.counters }
    }

    /// Drops all stretches without waiting for their workers, which own their memory and will notice.
    pub(super) fn drop_all(&mut self) {
        self.counters.misses += self.pending.len() as u64;
        self.pending.clear();
        self.delivery = None;
    }

    /// Whether another stream was refused memory that this one does not use now, so that this value should be dropped.
    pub(super) fn should_yield(&self) -> bool {
        self.pending.is_empty() && self.delivery.is_none() && budget::refusals() != self.refusals
    }

    /// A call of the host begins.
    pub(super) fn enter(&mut self) {
        self.pace.enter();
    }

    /// A call of the host that returned `bytes` ends.
    pub(super) fn leave(&mut self, bytes: usize) {
        self.pace.leave(bytes as u64);
    }

    /// Whether the decoder must stop between blocks, where a stretch may start.
    pub(super) fn wants_stops(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Starts to measure a piece of decoding, which ends with [`decoded`](Self::decoded).
    pub(super) fn timer(&self) -> Instant {
        Instant::now()
    }

    /// The decoder has decoded `bytes_in` to `bytes_out` since `began`.
    pub(super) fn decoded(&mut self, began: Instant, bytes_in: usize, bytes_out: usize) {
        let took = began.elapsed();
        add(&mut self.counters.decoded, took);
        self.costs.decoded(took, bytes_out as u64);
        self.pace.decoded(took, bytes_out as u64);
        self.plan.count_ratio(bytes_in as u64, bytes_out as u64);
    }

    /// The offset of the data that is being delivered.
    pub(super) fn offset(&self) -> Option<u64> {
        self.delivery.as_ref().map(Delivery::offset)
    }

    /// Delivers from the stretch that the decoder has reached; when all is delivered, moves `engine`
    /// after it.
    pub(super) fn deliver(&mut self, engine: &mut Inflate, output: &mut Output<'_>) -> Delivered {
        let Some(mut delivery) = self.delivery.take() else { return Delivered::Nothing };
        let _delivering = Span::call("deliver read-ahead");
        let began = Instant::now();
        let count = delivery.put(&self.resolver, engine, output);
        self.note_delivered(count, began.elapsed());
        // The engine has counted the bytes of a guessed stretch, but its position moves only after the last one.
        if !delivery.is_over() {
            self.delivery = Some(delivery);
            return Delivered::Part;
        }
        self.note_over(&delivery);
        let (delivered, spare) = delivery.finish(&self.resolver, engine);
        self.buffers.keep(spare);
        delivered
    }

    /// For a source in memory, where the engine must be at the right bit after every call: delivers up to
    /// the last waypoint that fits, and moves `engine` and `source` there. Returns the number of
    /// compressed bytes that this passes.
    pub(super) fn deliver_part(
        &mut self,
        engine: &mut Inflate,
        source: &mut Memory<'_>,
        output: &mut Output<'_>,
    ) -> u64 {
        let Some(delivery) = &mut self.delivery else { return 0 };
        let _delivering = Span::call("deliver read-ahead");
        let (began, from) = (Instant::now(), source.offset());
        let count = delivery.put_part(&self.resolver, engine, source, self.call, output);
        let is_over = delivery.is_over();
        match count {
            Some(count) => self.note_delivered(count, began.elapsed()),
            // The caller offers data other than the decoded data.
            None => self.counters.misses += 1,
        }
        if is_over || count.is_none() {
            self.end_delivery();
        }
        source.offset().zip(from).map_or(0, |(to, from)| to - from)
    }

    /// The decoder is past the stretch that was being delivered.
    pub(super) fn end_delivery(&mut self) {
        if let Some(delivery) = self.delivery.take() {
            self.note_over(&delivery);
            self.buffers.keep(delivery.into_spare());
        }
    }

    /// A result of bytes is only copied, so its time does not count as the cost of resolving
    /// elements.
    fn note_delivered(&mut self, count: usize, took: Duration) {
        self.counters.bytes += count as u64;
        add(&mut self.counters.delivered, took);
        if !self.were_bytes {
            self.costs.delivered(took, count as u64);
        }
    }

    /// A stretch was delivered. With one worker, checks whether such stretches pay.
    fn note_over(&mut self, delivery: &Delivery) {
        self.plan.count_ratio(delivery.next - delivery.from, delivery.len() as u64);
        let is_measured = self.workers == 1 && self.tuning.way == Way::Measured;
        if is_measured && !self.were_bytes && self.costs.are_too_high() {
            self.counters.pauses += 1;
            self.plan.pause_long(delivery.next);
        }
    }

    /// A call begins that has room for `room` bytes.
    pub(super) fn set_room(&mut self, room: usize) {
        self.spacing = if room < 1 << 20 { SPACING_IN_SMALL_ROOMS } else { SPACING };
    }

    /// A call begins, with input that may differ from the last call's.
    pub(super) fn begin_call(&mut self) {
        self.call += 1;
    }

    /// The decoder is at the source's position. Returns whether that is the start of a stretch, to be
    /// delivered next. Begins stretches where they seem useful.
    ///
    /// A stretch is used only if the decoder is exactly at its start: for a guess, at the same bit and
    /// between the same two blocks or members. So a wrong guess is never delivered, since the decoder
    /// does not stop there; it is dropped when the decoder has passed it.
    pub(super) fn arrive(&mut self, engine: &Inflate, source: &impl Source) -> bool {
        if self.epoch != Epoch::now() {
            // This is the child of a fork. Its parent's workers do not exist here. A stretch that is being delivered is
            // the child's own.
            self.pending.clear();
            self.workers = 0;
        }
        let Some(next) = source.offset().filter(|_| self.workers > 0) else { return false };
        let (member, block) = self.note_stop(engine, next);
        while let Some(front) = self.pending.front() {
            if front.is_exact {
                // Its decoder was a copy of this one at that offset.
                if front.from != next {
                    self.drop_front();
                    continue;
                }
                let Some(decoded) = self.take_front() else { continue };
                self.begin_delivery(decoded, next);
                self.begin_next_exact(source);
                return true;
            }
            while self.tuning.patient && next >= front.from && front.stretch.start() == StartSearch::Running {
                std::thread::yield_now();
            }
            // `there` is the start that the worker found, in bits; `here` is the decoder's position if it is at a place of
            // the same kind.
            let (here, there) = match front.stretch.start() {
                // The decoder is not far into the stretch's data yet, and goes on decoding.
                StartSearch::Running if next < front.from + (front.until - front.from) / 2 => break,
                StartSearch::Running => {
                    self.plan.came_late();
                    self.miss_front(next);
                    continue;
                }
                StartSearch::Failed => {
                    self.miss_front(next);
                    continue;
                }
                StartSearch::Found(StretchStart::Member(byte)) => (member, byte * 8),
                StartSearch::Found(StretchStart::Block(bit)) => (block, bit),
            };
            if here == Some(there) {
                // Markers can be resolved only with all of the 32 KiB before the block.
                if here == block && !self.set_resolver_window(engine) {
                    self.miss_front(next);
                    continue;
                }
                let Some(decoded) = self.take_front() else { continue };
                self.begin_delivery(decoded, next);
                // Before the delivery, so that workers decode meanwhile.
                self.begin_guessed(next, source);
                return true;
            }
            if next * 8 <= there {
                // Not reached yet. Later stretches start after this one, so they need no check.
                self.approach(there / 8 - next.min(there / 8), source);
                break;
            }
            // The decoder has passed the start without stopping there: a wrong guess.
            self.miss_front(next);
        }
        self.begin_guessed(next, source);
        false
    }

    /// The bit offsets of a member's start and of a block's start, if the decoder at byte `next` is
    /// at one; notes how long blocks are.
    fn note_stop(&mut self, engine: &Inflate, next: u64) -> (Option<u64>, Option<u64>) {
        let member = engine.is_at_start().then_some(next * 8);
        let block = engine.bits_before_block().map(|bits| next * 8 - u64::from(bits));
        if member.is_some() || block.is_some() {
            // The longest recent length: between long blocks there may be empty ones, which end in
            // a sync marker.
            let passed = next.saturating_sub(self.last_stop).min(MARGIN);
            let faded = self.block_len - self.block_len / 8;
            (self.last_stop, self.block_len) = (next, passed.max(faded));
        }
        (member, block)
    }

    /// The decoder is `distance` bytes before the start of the first stretch. A single worker is
    /// requested to end when that is about one block, or when it has little left to do anyway, and
    /// its next stretch is queued, so that it continues at once. The next one is queued before the
    /// request, so the worker finds it when it ends.
    fn approach(&mut self, distance: u64, source: &impl Source) {
        let (1, Some(front)) = (self.workers, self.pending.front()) else { return };
        let (is_ready, block) = (front.stretch.is_ready(), self.block_len);
        let (reached, produced) = front.stretch.progress();
        // The compressed bytes that fill the rest of its memory, at its own compression ratio so far.
        let room =
            (self.plan.elements() as u64).saturating_sub(produced) * reached.saturating_sub(front.from);
        let room = room.checked_div(produced).unwrap_or(u64::MAX);
        let end = front.until.min(reached.saturating_add(room));
        let is_to_end = !is_ready && (distance <= block * 5 / 4 || end <= reached + 2 * block);
        if self.pending.len() == 1 && (is_ready || is_to_end) {
            // The worker may be in the middle of a block.
            let end = (if is_ready { reached } else { reached + block }).max(front.from);
            if is_ready {
                self.plan.was_idle();
            }
            // The worker has decoded the data before the next stretch, so its ratio is an estimate for that.
            self.plan.foresee(reached.saturating_sub(front.from), produced);
            self.begin_next(end, true, source);
        }
        if is_to_end && let Some(front) = self.pending.front() {
            front.stretch.hurry();
        }
    }

    /// The host's call ends with the decoder at the source's position. A worker may decode the next data
    /// until the host calls again: exactly, since a host that works between calls gains from that.
    pub(super) fn rest(&mut self, engine: &Inflate, source: &impl Source) {
        if self.is_exact_wanted()
            && self.pending.is_empty()
            && self.delivery.is_none()
            && self.workers > 0
            && self.epoch == Epoch::now()
            && let Some(next) = source.offset()
            && let Ok(decoder) = engine.try_clone()
        {
            self.begin_exact(decoder, next, source);
        }
    }

    fn is_exact_wanted(&self) -> bool {
        match self.tuning.way {
            // The decoder's memory may be from the host's allocator, which workers must not call.
            _ if self.kind == SourceKind::Memory => false,
            Way::Exact => true,
            Way::Guessed | Way::Serial => false,
            Way::Measured => self.pace.host_is_busy(),
        }
    }

    /// Sets the resolver's window to the 32 KiB before the decoder's position; false if there are fewer.
    fn set_resolver_window(&mut self, engine: &Inflate) -> bool {
        let window = engine.full_history();
        if let Some(window) = window {
            self.resolver.set_window(window);
        }
        window.is_some()
    }

    /// Begins an exact stretch after the one that is about to be delivered.
    fn begin_next_exact(&mut self, source: &impl Source) {
        if self.is_exact_wanted()
            && self.pending.is_empty()
            && let Some(delivery) = &self.delivery
            && let Some(Ok(decoder)) = delivery.decoder().map(Inflate::try_clone)
        {
            let next = delivery.next;
            self.begin_exact(decoder, next, source);
        }
    }

    /// Begins guessed stretches after the pending ones, after the one that is being delivered, or after
    /// offset `next`.
    fn begin_guessed(&mut self, next: u64, source: &impl Source) {
        let next = self.delivery.as_ref().map_or(next, |delivery| delivery.next);
        // With one worker `approach` begins the second one, after the place where the first will end. With several, one more
        // than workers, so that none has to wait for the decoder.
        let most = if self.workers == 1 { 1 } else { self.workers + 1 };
        while self.pending.len() < most {
            let frontier = self.pending.back().map_or(next, |last| last.until.max(next));
            // One gap, which the decoder decodes, for each round of the workers.
            let has_gap = self.begun.is_multiple_of(self.workers as u64);
            if !self.begin_next(frontier, has_gap, source) {
                return;
            }
        }
    }

    /// Begins the next guessed stretch, unless exact ones are wanted or none seems useful. All data before
    /// `frontier` is decoded or pending. `may_try` is tested last, because it may query the system.
    fn begin_next(&mut self, frontier: u64, has_gap: bool, source: &impl Source) -> bool {
        if self.is_exact_wanted() {
            return false;
        }
        let is_measured = self.workers == 1 && self.tuning.way == Way::Measured;
        if is_measured && self.plan.is_highly_compressed() {
            return false;
        }
        let Some(size) = source.readable_size() else { return false };
        let Some((from, len)) = self.plan.next(frontier, size, has_gap) else { return false };
        if !self.may_try(frontier, size) {
            return false;
        }
        let room = self.buffers.room(self.were_bytes);
        let beginning = Beginning::Guessed(self.plan.search());
        let begun = self.begin(beginning, from, len, self.plan.elements(), room, source);
        if begun {
            self.plan.begun();
        }
        begun
    }

    /// Whether guessed stretches may be tried in the data from `from` to `size`: they are expected to save enough time, and a
    /// processor is idle. Decided for the first stretch, and for the first ones after a pause, while none is pending: with a
    /// pending one, the thread that makes a processor busy may be its worker.
    fn may_try(&mut self, from: u64, size: u64) -> bool {
        let is_decided = !self.pending.is_empty() || self.begun > 0 && !self.plan.is_on_trial();
        if self.tuning.way != Way::Measured || is_decided {
            return true;
        }
        let bytes = self.plan.output_of(size.saturating_sub(from));
        if self.costs.saving(bytes, self.workers).is_none_or(|saving| saving < LEAST_SAVING) {
            return false;
        }
        let is_idle = process::has_idle_processor();
        if !is_idle {
            self.counters.pauses += 1;
            self.plan.pause_briefly(from);
        }
        is_idle
    }

    /// Begins an exact stretch at `from`.
    fn begin_exact(&mut self, decoder: Inflate, from: u64, source: &impl Source) {
        let is_enough = |size| size >= from + LEAST_LEFT.min(2 * self.tuning.stretch);
        if !self.plan.is_paused(from) && source.readable_size().is_some_and(is_enough) {
            // A little more input than expected, so that the memory is full before the input is
            // used up.
            let len = self.plan.len_for(MOST_BYTES * 17 / 16);
            let room = self.buffers.room(true);
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
        let mut input = self.buffers.input();
        let wanted = (len + MARGIN) as usize;
        if input.reserve(wanted).is_err() {
            return false;
        }
        // A worker reads its part of a file by itself. Memory is the caller's and valid during this call only, so it is copied.
        let file = self.file.clone();
        if file.is_none() {
            input.append(|output| {
                output.limited(wanted, |output| source.copy(from, output));
            });
        }
        let is_even = self.begun.is_multiple_of(2);
        let fault = if is_even { self.tuning.fault } else { InjectedFault::None };
        let until = len as usize;
        let spacing = self.spacing;
        let task = StretchTask {
            beginning,
            file,
            input_len: wanted,
            input,
            offset: from,
            until,
            capacity,
            spacing,
            room,
            fault,
        };
        let (stretch, call) = (Stretch::begin(task), self.call);
        self.pending.push_back(Pending { stretch, is_exact, call, from, until: from + len });
        self.begun += 1;
        true
    }

    /// Takes the result of the first stretch, at whose start the decoder is, and reports to the plan how it
    /// went; `None` when there is no result that can be used. Either way the stretch is no longer pending.
    fn take_front(&mut self) -> Option<Decoded> {
        let front = self.pending.pop_front()?;
        while self.tuning.patient && !front.stretch.is_ready() {
            std::thread::yield_now();
        }
        // Measured before the wait below: whether the decoder came too early, and whether workers have nothing to do.
        let was_ready = front.stretch.is_ready();
        let is_idle = was_ready && self.pending.iter().all(|pending| pending.stretch.is_ready());
        let Pending { stretch, is_exact, call, from, until } = front;
        let was_hurried = stretch.is_hurried();
        // Long enough for a worker that has a processor, but not for one that has none. A single worker
        // was requested to end one block ago.
        let waits_from = Instant::now();
        let patience = match self.workers {
            _ if self.plan.is_on_trial() => Duration::from_micros(200),
            1 => self.plan.typical / 4 + Duration::from_millis(1),
            _ => 2 * self.plan.typical + Duration::from_millis(2),
        };
        let waiting = Span::call("wait for read-ahead");
        let outcome = stretch.take(patience);
        drop(waiting);
        let waited = waits_from.elapsed();
        let Outcome::Ready(report) = outcome else {
            self.counters.misses += 1;
            // A worker that has begun and is this late has no processor. One that has not begun costs nothing.
            if matches!(outcome, Outcome::GivenUp) {
                self.counters.pauses += 1;
                self.plan.pause_from(from);
            }
            return None;
        };
        let Report { decoded, search, spare, took, sought, ran } = report;
        self.buffers.keep(spare);
        add(&mut self.counters.waited, waited);
        let is_undisturbed = was_undisturbed(took, ran) && waited < ran / 2 + Duration::from_millis(1);
        if self.plan.disturbed(until, !is_undisturbed) {
            self.counters.pauses += 1;
        }
        // A stretch before damage may be empty. Then the decoder itself must continue: another stretch here would be empty, too.
        let Some(decoded) = decoded.filter(|decoded| decoded.next > from || decoded.content.len() > 0) else {
            self.missed(from);
            return None;
        };
        let decoded = Decoded { call, ..decoded };
        add(&mut self.counters.ran, ran);
        add(&mut self.counters.sought, sought);
        self.were_bytes = matches!(decoded.content, Content::Bytes { .. });
        if is_exact {
            self.counters.exact += 1;
            // The decoder itself decodes little then, so its speed is measured here.
            self.pace.decoded(ran, decoded.content.len() as u64);
            return Some(decoded);
        }
        self.counters.hits += 1;
        if !self.were_bytes {
            self.costs.marked(ran, decoded.content.len() as u64);
        }
        self.plan.found(search);
        // The plan widens or narrows the gap by this.
        let ending = match (was_hurried, was_ready, is_idle) {
            (true, ..) => {
                // How much of its input or of its memory was used, in 64ths.
                let by_input = decoded.next.saturating_sub(from) * 64 / (until - from).max(1);
                let by_output = decoded.content.len() as u64 * 64 / self.plan.elements() as u64;
                Ending::Hurried(by_input.max(by_output))
            }
            (_, false, _) => Ending::Late,
            (_, true, true) if self.workers > 1 => Ending::Idle,
            (_, true, _) => Ending::Full,
        };
        self.plan.met(ending, ran);
        if is_undisturbed && self.counters.hits.is_multiple_of(16) {
            self.plan.forgive();
        }
        Some(decoded)
    }

    /// The decoder continues after the stretch, so the length of the next block is counted from there.
    fn begin_delivery(&mut self, decoded: Decoded, from: u64) {
        self.last_stop = decoded.next;
        self.delivery = Some(Delivery::new(decoded, from));
    }

    /// Drops the first stretch; keeps its memory if its result is ready.
    fn drop_front(&mut self) {
        let Some(front) = self.pending.pop_front() else { return };
        self.counters.misses += 1;
        if let Outcome::Ready(report) = front.stretch.take(Duration::ZERO) {
            self.buffers.keep(report.spare);
            if let Some(decoded) = report.decoded {
                let room = decoded.content.into_room();
                self.buffers.keep(Spare { input: Some(decoded.input), room });
            }
        }
    }

    /// Drops the first stretch: its guess was wrong, or it is late.
    fn miss_front(&mut self, at: u64) {
        self.drop_front();
        self.missed(at);
    }

    /// A guess was of no use, with the decoder at offset `at`.
    fn missed(&mut self, at: u64) {
        if self.plan.missed(at) {
            self.counters.pauses += 1;
        }
    }
}

impl Drop for Ahead {
    /// Afterwards the host may close the file.
    fn drop(&mut self) {
        self.close_file();
    }
}

/// For sources in memory, where the decoder decodes parts of a stretch by itself (see `calls.rs`).
impl Ahead {
    /// Whether the decoder is inside a stretch.
    pub(super) fn is_delivering(&self) -> bool {
        self.delivery.is_some()
    }

    /// The number of bytes to the next waypoint, if the decoder is inside a stretch.
    pub(super) fn distance(&self) -> Option<usize> {
        self.delivery.as_ref().map(|delivery| delivery.distance())
    }

    /// The decoder has decoded `produced` bytes by itself, inside a stretch or not.
    pub(super) fn follow(&mut self, produced: usize) {
        if let Some(delivery) = &mut self.delivery {
            delivery.at += produced;
            if delivery.at >= delivery.len() {
                self.end_delivery();
            }
        }
    }
}
