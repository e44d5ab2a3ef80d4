//! The reading side of a gzFile: bytes of the file in, decoded bytes out.
//!
//! A reader is in one of three states. *Looking*, it decides by the next two bytes whether a member begins. *Decoding*, it is
//! inside a member. *Copying*, the file did not begin with a member and is handed through as it is. A file of several
//! members goes back to looking behind each; whatever stands behind the last member and does not begin another is ignored.
//!
//! Decoded bytes wait in `output`, whose front the host may also take through the `gzgetc` macro. A request at least as large
//! as that buffer is decoded straight into the host's memory.
//!
//! **Faults surface where they are.** Damage, a file that ends inside a member, or a failing read may be found while good
//! bytes still wait. The fault is then kept in `pending` and surfaces with the last good byte before it: the request that
//! takes this byte returns what it got and leaves the error behind. A non-blocking descriptor that has nothing to give is
//! also reported as a fault, marked `again`, but leaves the reader as it was: the same request may simply be made again.
//!
//! **How much is read at once.** zlib's buffers are 8 KiB in and 16 KiB out unless `gzbuffer` says otherwise, and ours start
//! so. Once a load filled them they grow to 128 KiB each, if the file is a regular one and `gzbuffer` was not called: fewer
//! system calls and fewer interruptions of the decoder are worth about a tenth of the time, and only `gzoffset` can tell the
//! difference. Pipes, sockets and terminals are always read as zlib reads them, because a larger read would take bytes from
//! them that zlib would have left, or wait for bytes that zlib would not have waited for.

#![forbid(unsafe_code)]

mod leap;

use super::buffer::Buffer;
use super::checkpoints::Checkpoints;
use super::fd::{Descriptor, Errno, Filled, Origin};
use super::mode::Framing;
use super::{DEFAULT_SIZE, Fault};
use crate::budget::Share;
use crate::error::{Error, Status};
use crate::raw::{Allocator, Output, find_byte};
use crate::stream::ahead::{Ahead, Delivery, ReadCounters, Tuning};
use crate::stream::inflate::InflateStream;

/// What both buffers of a regular file grow to.
const LARGE_SIZE: usize = 128 * 1024;

/// What a large output buffer leaves free for bytes that are pushed back: all that zlib could ever take.
const PUSH_ROOM: usize = 2 * DEFAULT_SIZE;

/// Window bits of 32 KiB, with a gzip wrapper.
const GZIP_WINDOW_BITS: i32 = 15 + 16;

/// What the next bytes of the file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Perhaps the beginning of a member.
    Looking,
    /// Bytes to hand through.
    Copying,
    /// The inside of a member.
    Decoding,
}

/// What is known about the file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing yet; the first bytes decide.
    Unknown,
    /// Nothing yet, but the host insists on gzip.
    Insisted,
    /// At least one member began.
    Gzip,
    /// No gzip file.
    Plain,
}

/// How a seek got where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// By going on, past errors that may stand.
    On,
    /// By placing the file anew, which forgets errors.
    Anew,
}

/// The reading side of a gzFile.
pub(super) struct Reader {
    descriptor: Descriptor,
    /// Where the descriptor stood when it was opened, for rewinding.
    start: i64,
    /// What `gzbuffer` set: the input buffer's size, half the output buffer's.
    size: Option<usize>,
    /// Whether this is a file on a disk; asked before its first byte is read.
    is_regular: bool,
    /// Whether the last load filled the input buffer, so that a larger one would be filled too.
    input_was_filled: bool,
    framing: Framing,
    kind: Kind,
    state: State,
    input: Buffer,
    output: Buffer,
    /// For the two, where they are larger than zlib's.
    share: Share,
    inflater: Option<InflateStream>,
    /// How many bytes were decoded since the file's start.
    decoded: u64,
    checkpoints: Checkpoints,
    /// What other threads decode of what is to come.
    ahead: Ahead,
    /// The file ended, as far as the last read could see.
    eof: bool,
    /// The file ended inside a member and the decoder gave all it had.
    truncated: bool,
    /// A request went beyond the end.
    past: bool,
    /// Where bytes stand that begin no member behind the last one.
    ignored_from: Option<i64>,
    /// Waits for the output buffer to be emptied.
    pending: Option<Fault>,
    /// A failed read that had got some bytes first; the next read reports it.
    owed: Option<Errno>,
    /// Offset of the next byte to hand out.
    position: i64,
    /// How far a seek still has to go.
    skip: i64,
}

impl Reader {
    /// Reads from where `descriptor` stands, touching nothing before the first request.
    pub(super) fn new(descriptor: Descriptor, framing: Framing) -> Self {
        let start = descriptor.seek(0, Origin::Current).unwrap_or(0);
        Self {
            descriptor,
            start,
            size: None,
            is_regular: false,
            input_was_filled: false,
            framing,
            kind: Kind::at_start(framing),
            state: State::Looking,
            input: Buffer::default(),
            output: Buffer::default(),
            share: Share::none(),
            inflater: None,
            decoded: 0,
            checkpoints: Checkpoints::new(),
            ahead: Ahead::new(Tuning::default()),
            eof: false,
            truncated: false,
            past: false,
            ignored_from: None,
            pending: None,
            owed: None,
            position: 0,
            skip: 0,
        }
    }

    /// Sets the size of the buffers, unless they are in use already.
    pub(super) fn set_size(&mut self, size: usize) -> bool {
        let untouched = self.input.capacity() == 0;
        if untouched {
            self.size = Some(size);
        }
        untouched
    }

    /// Sets how the file is read ahead, dropping what was.
    pub(super) fn tune(&mut self, tuning: Tuning) {
        self.ahead = Ahead::new(tuning);
    }

    /// What happened while the file was read ahead.
    pub(super) fn counters(&self) -> ReadCounters {
        self.ahead.counters()
    }

    /// The decoded bytes that wait, which the host may take through the `gzgetc` macro.
    pub(super) fn waiting(&self) -> &[u8] {
        self.output.bytes()
    }

    /// Counts `count` of the waiting bytes as taken by the host.
    pub(super) fn take(&mut self, count: usize) {
        self.output.consume(count);
        self.position += count as i64;
    }

    /// Drops the decoded bytes that wait, as zlib does when an error is reported.
    pub(super) fn discard(&mut self) {
        self.output.clear();
    }

    /// Offset of the next byte to hand out.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// Offset of the next byte to hand out, a pending seek included.
    pub(super) fn tell(&self) -> i64 {
        self.position + self.skip
    }

    /// Where in the file the decoder stands; `None` where the file has no positions.
    pub(super) fn offset(&self) -> Option<i64> {
        if let Some(offset) = self.ahead.offset() {
            return i64::try_from(offset).ok();
        }
        Some(self.descriptor.seek(0, Origin::Current)? - self.input.len() as i64)
    }

    /// Where in the file the bytes begin that were ignored behind the last member.
    pub(super) fn ignored_from(&self) -> Option<i64> {
        self.ignored_from
    }

    /// Whether a request went beyond the end.
    pub(super) fn is_past_end(&self) -> bool {
        self.past
    }

    /// Whether the file is handed through as it is, or would be if it stayed empty.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.kind, Kind::Unknown | Kind::Plain)
    }

    /// Forgets that the file ended, in case it grew, and what else the next request will find out again.
    pub(super) fn forget_end(&mut self) {
        self.eof = false;
        self.truncated = false;
        self.past = false;
        self.ignored_from = None;
        self.pending = None;
        self.owed = None;
    }

    /// Decodes until `output` is full or the file ends. What was got before a fault is in `output`.
    pub(super) fn read(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        let result = self.read_on(output);
        if self.is_at_end() && !output.is_full() {
            self.past = true;
        }
        result
    }

    fn read_on(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        loop {
            self.take_into(output);
            self.surface()?;
            if output.is_full() || self.is_at_end() {
                return Ok(());
            }
            // A request as large as the buffer bypasses it; a smaller one fills it, which also leaves room for `unread`.
            if self.state == State::Looking || output.room() < self.output.capacity() {
                self.fetch()?;
            } else {
                let before = output.written();
                let result = self.run(output);
                self.position += (output.written() - before) as i64;
                result?;
            }
        }
    }

    /// Decodes up to and including the next newline, or until `output` is full or the file ends.
    pub(super) fn read_line(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        while !output.is_full() {
            if self.output.is_empty() {
                let result = self.surface().and_then(|()| self.fetch());
                if self.is_at_end() {
                    self.past = true;
                    return result;
                }
                result?;
                continue;
            }
            let waiting = self.output.bytes();
            let candidate = &waiting[..waiting.len().min(output.room())];
            let newline = find_byte(b'\n', candidate);
            let count = newline.map_or(candidate.len(), |at| at + 1);
            output.put(&candidate[..count]);
            self.take(count);
            if newline.is_some() {
                break;
            }
        }
        self.surface()
    }

    /// Pushes a byte back in front of everything; `false` when there is no room for it.
    pub(super) fn unread(&mut self, byte: u8) -> bool {
        let pushed = self.output.push_front(byte);
        if pushed {
            self.position -= 1;
            self.past = false;
        }
        pushed
    }

    /// Finds out what the file is, as far as that is possible without handing out anything.
    pub(super) fn sniff(&mut self) -> Result<(), Fault> {
        if self.state == State::Looking && self.output.is_empty() {
            self.look()?;
            // A plain file's first bytes wait now, and a seek that was made before they were read goes over them.
            self.skip_waiting();
        }
        Ok(())
    }

    /// Goes where a seek wanted to go, or to the end of the file if that comes first.
    pub(super) fn finish_seek(&mut self) -> Result<(), Fault> {
        self.leap()?;
        while self.skip > 0 {
            if !self.output.is_empty() {
                self.skip_waiting();
                continue;
            }
            let result = self.surface().and_then(|()| self.fetch());
            if self.is_at_end() {
                self.skip = 0;
            }
            result?;
        }
        Ok(())
    }

    /// Moves to the offset `target`; the decoding that this needs is left to the next request. `None` where the file cannot go
    /// there, which drops a pending seek all the same.
    pub(super) fn seek(&mut self, target: i64) -> Option<Moved> {
        self.skip = 0;
        // Behind bytes pushed back at the start the position is negative, and may be stayed at or left forward.
        if target < 0 && target < self.position {
            return None;
        }
        if self.state == State::Copying && target >= 0 {
            return self.seek_plain(target);
        }
        let moved = if target < self.position { self.rewind()? } else { Moved::On };
        // From a negative position the distance may not fit.
        self.skip = target.checked_sub(self.position)?;
        self.skip_waiting();
        Some(moved)
    }

    /// In a file that is handed through, the file's own position is all there is.
    fn seek_plain(&mut self, target: i64) -> Option<Moved> {
        let distance = target.checked_sub(self.position)?.checked_sub(self.output.len() as i64)?;
        self.descriptor.seek(distance, Origin::Current)?;
        self.output.clear();
        self.forget_end();
        self.position = target;
        Some(Moved::Anew)
    }

    /// Starts over; `None` where the file has no positions.
    pub(super) fn rewind(&mut self) -> Option<Moved> {
        self.descriptor.seek(self.start, Origin::Start)?;
        self.ahead.reset();
        self.forget_end();
        self.input.clear();
        self.output.clear();
        self.kind = Kind::at_start(self.framing);
        self.state = State::Looking;
        self.decoded = 0;
        self.position = 0;
        self.skip = 0;
        Some(Moved::Anew)
    }

    /// Closes the file.
    pub(super) fn close(&mut self) -> Result<(), Errno> {
        self.descriptor.close()
    }

    /// Takes what waits off a pending seek.
    fn skip_waiting(&mut self) {
        let count = i64::try_from(self.output.len()).map_or(self.skip, |len| len.min(self.skip));
        self.take(count as usize);
        self.skip -= count;
    }

    /// Moves what waits, as far as it fits.
    fn take_into(&mut self, output: &mut Output<'_>) {
        let count = output.put(self.output.bytes());
        self.take(count);
    }

    /// Lets a pending fault out, if all good bytes before it are gone.
    fn surface(&mut self) -> Result<(), Fault> {
        if !self.output.is_empty() {
            return Ok(());
        }
        self.pending.take().map_or(Ok(()), Err)
    }

    /// Whether no request can get anything more.
    fn is_at_end(&self) -> bool {
        let drained = self.state != State::Decoding || self.truncated;
        self.eof && drained && self.input.is_empty() && self.output.is_empty() && self.pending.is_none()
    }

    /// Puts decoded bytes into the empty output buffer, unless the file is at its end.
    fn fetch(&mut self) -> Result<(), Fault> {
        while self.output.is_empty() && !self.is_at_end() {
            if self.state == State::Looking {
                self.look()?;
            } else {
                self.produce()?;
            }
        }
        Ok(())
    }

    /// Decides what the next bytes are: a member, bytes to hand through, or something to ignore.
    fn look(&mut self) -> Result<(), Fault> {
        if self.decoded == 0 && self.kind != Kind::Gzip {
            let version = self.descriptor.version();
            self.is_regular = version.is_some();
            self.checkpoints.begin(version);
        }
        let size = self.size.unwrap_or(DEFAULT_SIZE);
        self.input.grow(size).map_err(|_| Fault::MEMORY)?;
        self.output.grow(2 * size).map_err(|_| Fault::MEMORY)?;
        if self.kind == Kind::Insisted {
            return self.begin_member();
        }
        // A file of one byte is not a gzip file: writers are assumed to write the header in one piece.
        while self.input.len() < 2 && !self.eof {
            self.load()?;
        }
        if self.input.bytes().starts_with(&[0x1f, 0x8b]) {
            return self.begin_member();
        }
        if self.kind == Kind::Gzip {
            self.ignored_from = if self.input.is_empty() { None } else { self.offset() };
            self.input.clear();
            self.eof = true;
        } else if !self.input.is_empty() {
            // A large input buffer, grown before a rewind, would fill the output buffer to the last byte.
            let spare = if self.input.len() > size { PUSH_ROOM } else { 0 };
            self.output.clear();
            self.output.grow(self.input.len() + spare).map_err(|_| Fault::MEMORY)?;
            self.output.append(self.input.bytes());
            self.input.clear();
            self.kind = Kind::Plain;
            self.state = State::Copying;
        }
        Ok(())
    }

    /// Readies the decoder for a member that begins with the next byte.
    fn begin_member(&mut self) -> Result<(), Fault> {
        match &mut self.inflater {
            Some(inflater) => inflater.reset(),
            None => {
                let inflater = InflateStream::new(GZIP_WINDOW_BITS, Allocator::SYSTEM);
                self.inflater = Some(inflater.map_err(|_| Fault::MEMORY)?);
            }
        }
        self.kind = Kind::Gzip;
        self.state = State::Decoding;
        Ok(())
    }

    /// Fills the empty output buffer as far as the file allows. A fault behind good bytes stays pending.
    fn produce(&mut self) -> Result<(), Fault> {
        if self.output.is_full() && self.takes_share() {
            // Refused memory is no fault here: the buffer serves as it is.
            self.output.grow(LARGE_SIZE).ok();
        }
        self.output.clear();
        // Small buffers are filled as zlib fills them, so that as many bytes can be pushed back as there.
        let spare = if self.output.capacity() >= LARGE_SIZE && self.may_grow() { PUSH_ROOM } else { 0 };
        let mut lent = self.output.lend();
        let mut output = lent.output(spare);
        let result = self.run(&mut output);
        let added = output.written();
        self.output.take_back(lent, added);
        match result {
            // A stall is found again by whoever wants more.
            Err(fault) if added > 0 => {
                self.pending = (!fault.again).then_some(fault);
                Ok(())
            }
            result => result,
        }
    }

    /// Decodes or copies into `output`.
    fn run(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        if self.state == State::Copying { self.fill(output) } else { self.decode(output) }
    }

    /// Decodes until `output` is full, the member ends or the file does.
    fn decode(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        let before = output.written();
        self.ahead.enter();
        let result = self.decode_on(output);
        if self.ahead.is_on() {
            if let (Ok(()), State::Decoding, Some(next), Some(inflater)) =
                (result, self.state, self.next_offset(), &self.inflater)
            {
                self.ahead.rest(inflater, next, &self.descriptor);
            }
            self.ahead.leave(output.written() - before);
        }
        result
    }

    fn decode_on(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        loop {
            if self.ahead.is_on() && self.take_ahead(output)? {
                return Ok(());
            }
            let Some(inflater) = &mut self.inflater else { return Err(Fault::INFLATE_STATE) };
            let mut input = self.input.bytes();
            let (offered, before) = (input.len(), output.written());
            let timer = self.ahead.timer();
            let flush = self.ahead.flush();
            let result = output.limited(self.checkpoints.room(self.decoded), |output| {
                inflater.inflate(&mut input, output, flush)
            });
            let consumed = offered - input.len();
            let is_between_blocks = inflater.engine().is_between_blocks();
            self.ahead.decoded(timer, consumed, output.written() - before);
            self.input.consume(consumed);
            self.decoded += (output.written() - before) as u64;
            match result {
                Ok(Status::StreamEnd) => {
                    self.state = State::Looking;
                    self.keep_checkpoint();
                    return Ok(());
                }
                Ok(Status::Ok) | Err(Error::Buffer) => self.keep_checkpoint(),
                Err(Error::Data) => return Err(Fault::data(inflater.message())),
                Err(Error::Memory) => return Err(Fault::MEMORY),
                Ok(Status::NeedDictionary) | Err(Error::Stream | Error::Io) => {
                    return Err(Fault::INFLATE_STATE);
                }
            }
            if output.is_full() {
                return Ok(());
            }
            // The decoder may have held bytes back while room was short, so only a call that gave nothing and took nothing
            // tells that it needs more than the file has. Nor does one that stopped between two blocks for a stretch.
            let stuck = consumed == 0 && output.written() == before && !is_between_blocks;
            if self.input.is_empty() && !self.eof {
                self.load()?;
            } else if stuck && self.input.is_empty() {
                self.truncated = true;
                return Err(Fault::TRUNCATED);
            } else if stuck {
                return Err(Fault::INFLATE_STATE);
            }
        }
    }

    /// Delivers what others have decoded, if the decoder stands where that begins; whether the request is served by it.
    fn take_ahead(&mut self, output: &mut Output<'_>) -> Result<bool, Fault> {
        loop {
            let Some(inflater) = &mut self.inflater else { return Err(Fault::INFLATE_STATE) };
            let before = output.written();
            let delivery = self.ahead.deliver(inflater, output);
            self.decoded += (output.written() - before) as u64;
            match delivery {
                Delivery::Nothing => {}
                Delivery::Full => return Ok(true),
                Delivery::Landed { next, is_between_members } => {
                    let next = i64::try_from(next).ok();
                    next.and_then(|next| self.descriptor.seek(next, Origin::Start))
                        .ok_or(Fault::INFLATE_STATE)?;
                    self.input.clear();
                    self.eof = false;
                    if is_between_members {
                        self.state = State::Looking;
                    }
                    self.keep_checkpoint();
                    if is_between_members {
                        return Ok(true);
                    }
                    if output.is_full() {
                        // A decoder that has filled its output looks at the next symbol, which may be damaged.
                        self.load()?;
                    }
                }
            }
            let (Some(next), Some(inflater)) = (self.next_offset(), &self.inflater) else { return Ok(false) };
            if !self.ahead.arrive(inflater, next, &self.descriptor) {
                return Ok(false);
            }
        }
    }

    /// The file offset of the byte that the decoder needs next.
    fn next_offset(&self) -> Option<u64> {
        u64::try_from(self.descriptor.seek(0, Origin::Current)?).ok()?.checked_sub(self.input.len() as u64)
    }

    /// Loads the input buffer behind what is left in it.
    fn load(&mut self) -> Result<(), Fault> {
        self.input.compact();
        if self.input.capacity() < LARGE_SIZE && self.input_was_filled && self.takes_share() {
            self.input.grow(LARGE_SIZE).ok();
        }
        let mut lent = self.input.lend();
        let mut output = lent.output(0);
        let result = self.fill(&mut output);
        let added = output.written();
        self.input_was_filled = output.is_full();
        self.input.take_back(lent, added);
        self.ahead.loaded(added, &self.descriptor);
        result
    }

    /// Whether the buffers may be larger than zlib's.
    fn may_grow(&self) -> bool {
        self.size.is_none() && self.is_regular
    }

    /// Whether they may be, and the process's budget has memory for it.
    fn takes_share(&mut self) -> bool {
        self.may_grow() && (self.share.bytes() > 0 || self.share.resize(2 * LARGE_SIZE))
    }

    /// Reads from the file until `output` is full, the file ends or a read fails. A failure behind good bytes is owed to the
    /// next call.
    fn fill(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        if let Some(errno) = self.owed.take() {
            return Err(Fault::io(errno));
        }
        let before = output.written();
        match self.descriptor.fill(output) {
            Filled::Full => {}
            Filled::EndOfFile => self.eof = true,
            Filled::Failed(errno) if output.written() == before => return Err(Fault::io(errno)),
            Filled::Failed(errno) => self.owed = (!errno.would_block()).then_some(errno),
        }
        Ok(())
    }
}

impl Kind {
    /// What is known before anything was read.
    fn at_start(framing: Framing) -> Self {
        if framing == Framing::Gzip { Self::Insisted } else { Self::Unknown }
    }
}
