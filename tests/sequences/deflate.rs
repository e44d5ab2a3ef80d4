//! The deflate tester: what ours writes under any sequence of calls, the system's inflate must read.
//!
//! Sizes differ between encoders, so the compressed bytes are not compared. There are two kinds of sequence:
//!
//! - *ample*: each call has room for all that can come. Then sizes decide nothing, the system's deflate gets the same
//!   calls, and code, message and consumed input must be equal after each, and so must data_type, where the input decides it.
//! - *tight*: room is scarce, and the answers are held to the manual's words (the rules stand at `judge_tight`).
//!
//! In both: the bookkeeping of `port.rs` at every call; after a completed flush (a flush value, room left) everything given
//! so far must be decodable and adler must be its checksum (Z_BLOCK may keep back the last bits: at most 7 symbols);
//! at the end the system's inflate must have seen the input, the right trailer and nothing behind it; a gzip header must
//! come back field by field; deflateGetDictionary must give the last bytes of the input; deflatePending must be zero
//! after a completed flush.
//!
//! Two shapes stand apart: *one shot*, where Z_FINISH gets exactly deflateBound's room, and *same bytes*, where level 9 is
//! given the same bytes and flushes under two different cuts and must write the same bytes twice.
//!
//! Where an equal answer is not asked for:
//! - deflateGetDictionary may be up to 300 bytes shorter than zlib's (an encoder's window bookkeeping decides that);
//! - adler between flushes: an encoder may sum its input when it comes or when it is encoded;
//! - an empty flush after a completed one (or deflateParams), with an empty Z_NO_FLUSH between: zlib writes the marker again (Z_OK), an encoder may
//!   see that it stands there (Z_BUF_ERROR);
//! - Z_OK for a call with nothing new that hands out what the pipeline has made meanwhile, where zlib says Z_BUF_ERROR;
//! - deflateParams: msg after it (zlib leaves that of an inner call), and whether it takes input, which depends on whether the
//!   encoder must change its way; it is given none in ample sequences, and is not called after the end;
//! - data_type, when the input holds text and binary bytes: the first block decides, and blocks differ.

use std::ffi::{c_int, c_uint};

use crate::decoder::Decoder;
use crate::params::{Format, Params, WrittenHeader};
use crate::port::{Port, Step};
use crate::random::{Rng, data};
use crate::run::{Bench, Trace, Verdict};
use crate::zlib::{
    BLOCK, BUF_ERROR, DATA_ERROR, FINISH, FULL_FLUSH, NO_FLUSH, OK, PARTIAL_FLUSH, STREAM_END, STREAM_ERROR,
    SYNC_FLUSH, ZStream, Zlib,
};

pub(crate) fn run(bench: &Bench, seed: u64, trace: &mut Trace) -> Verdict {
    let mut rng = Rng::new(seed);
    if bench.large_every != 0 && seed % bench.large_every as u64 == 7 {
        return large(bench, &mut rng, trace);
    }
    usual(bench, &mut rng, trace)
}

pub(crate) fn usual(bench: &Bench, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    match rng.below(10) {
        0 => one_shot(bench, rng, trace),
        1 => same_bytes(bench, rng, trace, 200_000),
        _ => sequence(bench, rng, trace),
    }
}

/// One stream of ours, the same stream of the judge where room is ample, and what is known about both.
struct Pair<'a> {
    bench: &'a Bench,
    ours: Box<ZStream>,
    theirs: Option<Box<ZStream>>,
    port: Port,
    params: Params,
    format: Format,
    /// What is still to be given, and how much of it was.
    data: Vec<u8>,
    pos: usize,
    /// Everything taken since the stream (re)started.
    fed: Vec<u8>,
    /// The last 64 KiB or so of dictionary and input, for deflateGetDictionary.
    history: Vec<u8>,
    /// Bytes of it since the last full flush, where zlib forgets its window.
    remembered: usize,
    sum: u64,
    decoder: Decoder<'a>,
    header: Option<std::rc::Rc<WrittenHeader>>,
    /// Some call has started the stream.
    started: bool,
    /// Z_FINISH was given and more room is needed.
    finishing: bool,
    /// And it has taken all input.
    heard: bool,
    ended: bool,
    /// The last call was a completed flush, so nothing is buffered and the next byte starts a block.
    clean: bool,
    /// Nothing was taken since, so a raw stream's dictionary may change. Bits may have been primed.
    at_rest: bool,
    /// The last call was a deflateParams that has flushed, perhaps.
    changed: bool,
    /// data_type follows from the input alone.
    plain: bool,
}

impl<'a> Pair<'a> {
    /// `None` where both libraries refuse the parameters.
    fn open(bench: &'a Bench, params: &Params, data: Vec<u8>, ample: bool) -> Result<Option<Self>, String> {
        let mut ours = ZStream::new();
        let mut theirs = ZStream::new();
        let our_code = bench.ours.deflate_init2(&mut ours, params);
        let their_code = bench.judge.deflate_init2(&mut theirs, params);
        if our_code != their_code {
            return Err(format!("deflateInit2{params:?} gives {our_code}, the system's {their_code}"));
        }
        if our_code != OK {
            return Ok(None);
        }
        if ours.zalloc == 0 || ours.zfree == 0 {
            return Err("deflateInit2 leaves zalloc or zfree empty".into());
        }
        let format = Format::of(params.window_bits);
        let theirs = if ample {
            Some(theirs)
        } else {
            bench.judge.deflate_end(&mut *theirs);
            None
        };
        Ok(Some(Pair {
            bench,
            ours,
            theirs,
            port: Port::default(),
            params: params.clone(),
            format,
            data,
            pos: 0,
            fed: Vec::new(),
            history: Vec::new(),
            remembered: 0,
            sum: format.start(),
            decoder: Decoder::new(bench, params.window_bits),
            header: None,
            started: false,
            finishing: false,
            heard: false,
            ended: false,
            clean: true,
            at_rest: true,
            changed: false,
            plain: params.level != 0,
        }))
    }

    fn left(&self) -> usize {
        self.data.len() - self.pos
    }

    /// Room for whatever may come out, in an ample sequence.
    fn ample_room(&self) -> usize {
        let all = self.fed.len() + self.left();
        all + all / 8 + 200_000
    }

    /// A call that takes input and gives output, on ours and, with ample room, on theirs.
    fn io(
        &mut self,
        cut: usize,
        room: usize,
        nulls: bool,
        call: impl Fn(&Zlib, *mut ZStream) -> c_int,
    ) -> Result<Step, String> {
        self.io_and_message(cut, room, nulls, true, call)
    }

    /// `io`, with a say about whether the message is compared.
    fn io_and_message(
        &mut self,
        cut: usize,
        room: usize,
        nulls: bool,
        compare_message: bool,
        call: impl Fn(&Zlib, *mut ZStream) -> c_int,
    ) -> Result<Step, String> {
        let input = &self.data[self.pos..self.pos + cut];
        let ours = &self.bench.ours;
        let step = self.port.call(&mut self.ours, input, room, nulls, |s| call(ours, s))?;
        let mut moot = false;
        if let Some(theirs) = &mut self.theirs {
            let judge = &self.bench.judge;
            let want = self.port.call(theirs, input, room, nulls, |s| call(judge, s))?;
            // Nothing to do but a marker that was there already; or output that was still being made is handed out.
            let codes_ok = [step.code, want.code].iter().all(|code| [OK, BUF_ERROR].contains(code));
            let is_same = (step.code, step.consumed) == (want.code, want.consumed);
            moot =
                !is_same && cut == 0 && codes_ok && (self.clean || self.changed || !step.output.is_empty());
            if !is_same && !moot {
                let (got, wanted) = ((step.code, step.consumed), (want.code, want.consumed));
                return Err(format!("code and consumed bytes are {got:?}, the system's {wanted:?}"));
            }
            let (got, want) = (self.ours.message(), theirs.message());
            if got != want && !moot && compare_message {
                return Err(format!("msg is {got:?}, the system's {want:?}"));
            }
        }
        if moot {
            self.forget_messages();
        }
        // A call that is refused changes nothing.
        self.changed &= step.code == STREAM_ERROR;
        let taken = &self.data[self.pos..self.pos + step.consumed];
        self.fed.extend_from_slice(taken);
        self.history.extend_from_slice(taken);
        self.remembered += taken.len();
        if self.history.len() > 1 << 17 {
            self.history.drain(..(1 << 17) - (1 << 16));
        }
        self.sum = self.format.update(&self.bench.judge, self.sum, taken);
        self.pos += step.consumed;
        self.decoder.feed(&step.output, &self.fed)?;
        Ok(step)
    }

    /// After an answer that need not be equal, the messages need not be either.
    fn forget_messages(&mut self) {
        for s in std::iter::once(&mut self.ours).chain(&mut self.theirs) {
            s.msg = std::ptr::null();
        }
    }

    /// deflate(), with all that must hold after it.
    fn deflate(&mut self, cut: usize, room: usize, flush: c_int, nulls: bool, trace: &mut Trace) -> Verdict {
        trace.about(|| format!("deflate(in {cut}, room {room}, flush {flush})"));
        let step = self.io(cut, room, nulls, |lib, s| lib.deflate(s, flush))?;
        trace.add(|| {
            let (taken, made) = (step.consumed, step.output.len());
            format!(
                "deflate(in {cut}, room {room}, flush {flush}) -> {}, took {taken}, made {made}",
                step.code
            )
        });
        let refused = step.code == STREAM_ERROR;
        if flush == FULL_FLUSH && step.code == OK {
            // It may still be on its way; when it is through, nothing before it is history.
            self.remembered = 0;
        }
        let valid = (NO_FLUSH..=BLOCK).contains(&flush);
        if valid && !refused && room > 0 {
            self.started = true;
        }
        if self.theirs.is_none() {
            self.judge_tight(&step, cut, room, flush)?;
        }
        if step.code == STREAM_END && !self.ended {
            self.ended = true;
            self.judge_end()?;
        }
        self.finishing |= flush == FINISH && step.code == OK;
        // Input was taken, so the header is out and did not keep the call from hearing it. zlib hears it only when its last block begins,
        // and takes other flushes until then.
        let took_all = step.consumed == cut && !self.fed.is_empty() && !self.bench.ours_is_zlib;
        self.heard |= flush == FINISH && step.code == OK && took_all;
        if step.code == OK && flush != NO_FLUSH && flush != FINISH && valid && step.room_left > 0 {
            self.judge_flush(flush)?;
            (self.clean, self.at_rest) = (true, true);
        } else if step.consumed > 0 || !step.output.is_empty() {
            (self.clean, self.at_rest) = (false, false);
        }
        if flush != NO_FLUSH && self.fed.is_empty() {
            // An empty first block has its own idea of the data's kind.
            self.plain = false;
        }
        Ok(())
    }

    /// What the manual says of a deflate call, whatever the encoder.
    fn judge_tight(&self, step: &Step, cut: usize, room: usize, flush: c_int) -> Verdict {
        let idle = step.consumed == 0 && step.output.is_empty();
        let say = |what: &str| Err(format!("deflate gives {}: {what}", step.code));
        if !(NO_FLUSH..=BLOCK).contains(&flush) || ((self.ended || self.heard) && flush != FINISH) {
            return if step.code == STREAM_ERROR && idle {
                Ok(())
            } else {
                say("must be refused with Z_STREAM_ERROR")
            };
        }
        if room == 0 {
            return if step.code == BUF_ERROR && idle { Ok(()) } else { say("no room must be Z_BUF_ERROR") };
        }
        if self.ended {
            let want = if cut == 0 { STREAM_END } else { BUF_ERROR };
            return if step.code == want && idle { Ok(()) } else { say("the stream had ended") };
        }
        match step.code {
            OK => {
                if flush == FINISH && step.room_left > 0 {
                    return say("Z_FINISH had room left, so the stream must end");
                }
                if step.consumed < cut && step.room_left > 0 {
                    return say("it must go on while there is input and room");
                }
                Ok(())
            }
            STREAM_END if flush == FINISH => {
                if step.consumed < cut {
                    say("ended before its input")
                } else {
                    Ok(())
                }
            }
            BUF_ERROR => {
                if !idle {
                    return say("Z_BUF_ERROR means no progress, but there was");
                }
                if cut > 0 || flush == FINISH {
                    return say("there was something to do and room for it");
                }
                Ok(())
            }
            _ => say("not a code that this call may give"),
        }
    }

    fn judge_sum(&self) -> Verdict {
        let adler = self.ours.adler;
        if adler != self.sum {
            return Err(format!("adler is {adler:#x}, the input's is {:#x}", self.sum));
        }
        Ok(())
    }

    /// A flush is complete: what was given can be read.
    fn judge_flush(&mut self, flush: c_int) -> Verdict {
        self.judge_sum()?;
        let missing = self.fed.len() - self.decoder.decoded;
        let allowed = if flush == BLOCK { 7 * 258 } else { 0 };
        if missing > allowed {
            return Err(format!("after a completed flush {flush} the last {missing} bytes can't be decoded"));
        }
        let (mut pending, mut bits): (c_uint, c_int) = (7, 7);
        let code = self.bench.ours.deflate_pending(&mut *self.ours, &mut pending, &mut bits);
        let aligned = flush == SYNC_FLUSH || flush == FULL_FLUSH;
        if code != OK || pending != 0 || !(0..8).contains(&bits) || (aligned && bits != 0) {
            return Err(format!("deflatePending after flush {flush}: {code}, {pending} bytes, {bits} bits"));
        }
        Ok(())
    }

    /// The stream is at its end: all of it is readable and its facts are right.
    fn judge_end(&mut self) -> Verdict {
        if !self.decoder.ended {
            return Err("Z_STREAM_END, but the system's inflate sees no end".into());
        }
        if self.decoder.decoded != self.fed.len() {
            let (decoded, fed) = (self.decoder.decoded, self.fed.len());
            return Err(format!("the stream decodes to {decoded} bytes of {fed}"));
        }
        self.judge_sum()?;
        self.judge_data_type()?;
        if let (Some(want), Some(got)) = (&self.header, self.decoder.header()) {
            if !want.came_back_as(got) {
                return Err("the gzip header does not come back as it was set".into());
            }
            if !want.is_untouched() {
                return Err("the gzip header that was to be written has changed".into());
            }
        }
        Ok(())
    }

    fn judge_data_type(&self) -> Verdict {
        let binary = |b: &u8| matches!(*b, 0..=6 | 14..=25 | 28..=31);
        let text = |b: &u8| matches!(*b, 9 | 10 | 13 | 32..=255);
        let got = self.ours.data_type;
        let sure = self.plain && !self.fed.is_empty();
        let want = if sure && binary(&self.fed[0]) {
            0
        } else if sure && text(&self.fed[0]) && !self.fed.iter().any(binary) {
            1
        } else {
            return if (0..=2).contains(&got) { Ok(()) } else { Err(format!("data_type is {got}")) };
        };
        if got == want { Ok(()) } else { Err(format!("data_type is {got}, the input says {want}")) }
    }

    fn set_header(&mut self, header: Box<WrittenHeader>, trace: &mut Trace) -> Verdict {
        let header: std::rc::Rc<WrittenHeader> = header.into();
        let at = (&raw const header.head).cast_mut();
        let code = self.bench.ours.deflate_set_header(&mut *self.ours, at);
        trace.add(|| format!("deflateSetHeader -> {code}"));
        let want = if self.format == Format::Gzip && !self.ended { OK } else { STREAM_ERROR };
        if code != want {
            return Err(format!("deflateSetHeader gives {code}, want {want}"));
        }
        if let Some(theirs) = &mut self.theirs {
            self.bench.judge.deflate_set_header(&mut **theirs, at);
        }
        if code == OK {
            self.decoder.watch_header();
            self.header = Some(header);
        }
        Ok(())
    }

    fn set_dictionary(&mut self, dictionary: &[u8], trace: &mut Trace) -> Verdict {
        let len = dictionary.len() as u32;
        let total_before = self.ours.total_in;
        let code = self.bench.ours.deflate_set_dictionary(&mut *self.ours, dictionary.as_ptr(), len);
        trace.add(|| format!("deflateSetDictionary({len}) -> {code}"));
        // Only called where the answer is certain: a raw stream with nothing buffered, or any other format at any time.
        let allowed = match self.format {
            Format::Raw => true,
            Format::Zlib => !self.started,
            Format::Gzip => false,
        };
        let want = if allowed { OK } else { STREAM_ERROR };
        if code != want {
            return Err(format!("deflateSetDictionary gives {code}, want {want}"));
        }
        if let Some(theirs) = &mut self.theirs {
            let code = self.bench.judge.deflate_set_dictionary(&mut **theirs, dictionary.as_ptr(), len);
            if code != want {
                return Err(format!("tester: the system's deflateSetDictionary gives {code}, want {want}"));
            }
        }
        // zlib counts what its window takes of a dictionary as input.
        let kept = if code == OK { dictionary.len().min(self.params.window()) as u64 } else { 0 };
        if self.ours.total_in != total_before.wrapping_add(kept) {
            return Err(format!(
                "deflateSetDictionary moves total_in from {total_before} to {}",
                self.ours.total_in
            ));
        }
        if code != OK {
            return Ok(());
        }
        if let Some(theirs) = &self.theirs
            && theirs.total_in != self.ours.total_in
        {
            return Err("tester: the system's deflateSetDictionary moves total_in otherwise".into());
        }
        if let Some(theirs) = &self.theirs
            && theirs.adler != self.ours.adler
        {
            return Err(format!(
                "adler after deflateSetDictionary is {:#x}, want {:#x}",
                self.ours.adler, theirs.adler
            ));
        }
        self.plain = false;
        self.history.extend_from_slice(dictionary);
        self.remembered += dictionary.len();
        match self.format {
            // Behind Z_BLOCK the last bytes before it may not be decoded yet.
            Format::Raw => self.decoder.set_raw_dictionary(self.fed.len(), dictionary),
            _ => {
                // A second dictionary before the header: zlib's sum goes over both, in one id.
                let mut all = self.decoder.dictionary.take().unwrap_or_default();
                all.extend_from_slice(dictionary);
                self.decoder.dictionary = Some(all);
            }
        }
        Ok(())
    }

    fn get_dictionary(&mut self, trace: &mut Trace) -> Verdict {
        let mut bytes = vec![0x33u8; 32768 + 16];
        let mut len: c_uint = 0;
        let code = self.bench.ours.deflate_get_dictionary(&mut *self.ours, bytes.as_mut_ptr(), &mut len);
        trace.add(|| format!("deflateGetDictionary -> {code}, {len} bytes"));
        let mut only_len: c_uint = 77;
        let no_place =
            self.bench.ours.deflate_get_dictionary(&mut *self.ours, std::ptr::null_mut(), &mut only_len);
        let no_len =
            self.bench.ours.deflate_get_dictionary(&mut *self.ours, bytes.as_mut_ptr(), std::ptr::null_mut());
        if (no_place, only_len, no_len) != (code, len, code) {
            return Err(format!(
                "deflateGetDictionary with a NULL gives {no_place} and {only_len} bytes, {no_len}"
            ));
        }
        let len = len as usize;
        if code != OK || len > self.params.window() {
            return Err(format!("deflateGetDictionary gives {code} and {len} bytes"));
        }
        if bytes[32768..].iter().any(|b| *b != 0x33) {
            return Err("deflateGetDictionary writes past 32768 bytes".into());
        }
        let full = self.remembered.min(self.params.window());
        if len + 300 < full || !self.history.ends_with(&bytes[..len]) {
            return Err(format!("deflateGetDictionary: {len} bytes are not the last of {full}"));
        }
        Ok(())
    }

    fn set_params(
        &mut self,
        cut: usize,
        room: usize,
        level: c_int,
        strategy: c_int,
        trace: &mut Trace,
    ) -> Verdict {
        trace.about(|| format!("deflateParams({level}, {strategy}; in {cut}, room {room})"));
        let call = |lib: &Zlib, s: *mut ZStream| lib.deflate_params(s, level, strategy);
        let step = self.io_and_message(cut, room, false, false, call)?;
        trace.add(|| {
            let (taken, made) = (step.consumed, step.output.len());
            format!(
                "deflateParams({level}, {strategy}; in {cut}, room {room}) -> {}, took {taken}, made {made}",
                step.code
            )
        });
        // zlib leaves the message of an inner call there; so may we, or not.
        self.forget_messages();
        let valid = (-1..=9).contains(&level) && (0..=4).contains(&strategy);
        let idle = step.consumed == 0 && step.output.is_empty();
        if !valid && (step.code != STREAM_ERROR || !idle) {
            return Err(format!("deflateParams({level}, {strategy}) gives {}", step.code));
        }
        if valid && !self.ended && step.code != OK && step.code != BUF_ERROR {
            return Err(format!("deflateParams({level}, {strategy}) gives {}", step.code));
        }
        if valid && step.code == BUF_ERROR && step.room_left > 0 && room > 0 {
            return Err("deflateParams asks for room that it had".into());
        }
        self.plain = false;
        // One that is refused leaves what the one before it has changed.
        self.changed |= step.code == OK;
        if !idle {
            (self.clean, self.at_rest) = (false, false);
        }
        Ok(())
    }

    /// Ten bits that are an empty fixed block, in one call or two: they fit wherever a block may start. What a value holds beyond its
    /// bits does not count.
    fn prime(&mut self, rng: &mut Rng, trace: &mut Trace) -> Verdict {
        if rng.chance(20) {
            let odd = rng.odd_int();
            let bits = if (0..=16).contains(&odd) { -1 } else { rng.pick(&[-1, 17, 33, odd]) };
            return self.prime_bits(bits, 0, trace);
        }
        let first = rng.below(11) as c_int;
        for (bits, value) in [(first, 2), (10 - first, 2 >> first)] {
            let beyond = if rng.chance(50) { (rng.bits() as c_int) << bits } else { 0 };
            self.prime_bits(bits, value & ((1 << bits) - 1) | beyond, trace)?;
        }
        Ok(())
    }

    fn prime_bits(&mut self, bits: c_int, value: c_int, trace: &mut Trace) -> Verdict {
        let code = self.bench.ours.deflate_prime(&mut *self.ours, bits, value);
        trace.add(|| format!("deflatePrime({bits}, {value}) -> {code}"));
        let want = if (0..=16).contains(&bits) { OK } else { BUF_ERROR };
        if code != want {
            return Err(format!("deflatePrime({bits}) gives {code}, want {want}"));
        }
        if let Some(theirs) = &mut self.theirs {
            self.bench.judge.deflate_prime(&mut **theirs, bits, value);
        }
        if code == OK {
            self.clean = false;
        }
        Ok(())
    }

    fn copy(&mut self, rng: &mut Rng, trace: &mut Trace) -> Result<Pair<'a>, String> {
        let mut ours = ZStream::new();
        let code = self.bench.ours.deflate_copy(&mut *ours, &mut *self.ours);
        trace.add(|| format!("deflateCopy -> {code}"));
        if code != OK {
            return Err(format!("deflateCopy gives {code}"));
        }
        let theirs = self.theirs.as_mut().map(|theirs| {
            let mut copy = ZStream::new();
            let code = self.bench.judge.deflate_copy(&mut *copy, &mut **theirs);
            assert_eq!(code, OK, "the judge can copy");
            copy
        });
        let mut rest = self.data[self.pos..].to_vec();
        if rng.chance(50) && !self.finishing && !self.ended {
            let len = rng.size(60_000);
            rest = data(rng, len);
        }
        Ok(Pair {
            bench: self.bench,
            ours,
            theirs,
            port: Port::default(),
            params: self.params.clone(),
            format: self.format,
            data: rest,
            pos: 0,
            fed: self.fed.clone(),
            history: self.history.clone(),
            remembered: self.remembered,
            sum: self.sum,
            decoder: self.decoder.copy(),
            header: self.header.clone(),
            started: self.started,
            finishing: self.finishing,
            heard: self.heard,
            ended: self.ended,
            clean: self.clean,
            at_rest: self.at_rest,
            changed: self.changed,
            plain: self.plain,
        })
    }

    /// deflateReset, or deflateResetKeep at a stream's end, where it means "another stream with the same window".
    fn reset(&mut self, keep: bool, rng: &mut Rng, trace: &mut Trace) -> Verdict {
        let call =
            |lib: &Zlib, s: &mut ZStream| if keep { lib.deflate_reset_keep(s) } else { lib.deflate_reset(s) };
        let code = call(&self.bench.ours, &mut self.ours);
        trace.add(|| format!("deflateReset{} -> {code}", if keep { "Keep" } else { "" }));
        if let Some(theirs) = &mut self.theirs {
            call(&self.bench.judge, theirs);
            if theirs.adler != self.ours.adler || theirs.data_type != self.ours.data_type {
                return Err("adler or data_type after a reset is not the system's".into());
            }
        }
        if code != OK || self.ours.total_in != 0 || self.ours.total_out != 0 {
            return Err(format!("deflateReset gives {code}, or its totals are not zero"));
        }
        self.decoder.reset(keep);
        self.fed.clear();
        if !keep {
            self.history.clear();
            self.remembered = 0;
        }
        self.sum = self.format.start();
        let len = rng.size(60_000);
        self.data = data(rng, len);
        self.pos = 0;
        (self.started, self.finishing, self.heard, self.ended) = (false, false, false, false);
        (self.clean, self.at_rest) = (true, true);
        self.plain = false;
        Ok(())
    }

    /// Ends the stream in memory, wherever it is.
    fn end(&mut self, trace: &mut Trace) -> Verdict {
        let code = self.bench.ours.deflate_end(&mut *self.ours);
        trace.add(|| format!("deflateEnd -> {code}"));
        let theirs = self.theirs.take().map(|mut theirs| self.bench.judge.deflate_end(&mut *theirs));
        let right = match theirs {
            Some(want) => code == want,
            None if self.ended || !self.started => code == OK,
            None => code == OK || code == DATA_ERROR,
        };
        if !right {
            return Err(format!("deflateEnd gives {code}, the system's {theirs:?}"));
        }
        if !self.ours.state.is_null() {
            return Err("deflateEnd leaves the state pointer".into());
        }
        let again = self.bench.ours.deflate_end(&mut *self.ours);
        if again != STREAM_ERROR {
            return Err(format!("a second deflateEnd gives {again}"));
        }
        Ok(())
    }

    /// Gives all that is left and finishes the stream.
    fn finish(&mut self, rng: &mut Rng, trace: &mut Trace) -> Verdict {
        let mut stalls = 0;
        while !self.ended {
            let room = if self.theirs.is_some() { self.ample_room() } else { rng.room().max(1) };
            let before = (self.pos, self.ours.total_out);
            self.deflate(self.left(), room, FINISH, rng.chance(50), trace)?;
            stalls = if before == (self.pos, self.ours.total_out) { stalls + 1 } else { 0 };
            if stalls > 3 {
                return Err("Z_FINISH makes no progress".into());
            }
        }
        if rng.chance(20) {
            // What comes after the end: the same end, or a refusal.
            let flush = rng.range(NO_FLUSH, BLOCK + 1);
            self.data.extend_from_slice(b"late");
            let cut = rng.pick(&[0, 0, 1, 4]);
            self.deflate(cut, 100, flush, false, trace)?;
        }
        Ok(())
    }
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        if !self.ours.state.is_null() {
            self.bench.ours.deflate_end(&mut *self.ours);
        }
        if let Some(theirs) = &mut self.theirs {
            self.bench.judge.deflate_end(&mut **theirs);
        }
    }
}

fn random_flush(rng: &mut Rng) -> c_int {
    match rng.below(100) {
        0..70 => NO_FLUSH,
        70..78 => SYNC_FLUSH,
        78..84 => FULL_FLUSH,
        84..90 => PARTIAL_FLUSH,
        90..97 => BLOCK,
        97 => FINISH,
        _ => {
            let odd = rng.odd_int();
            if (NO_FLUSH..=BLOCK).contains(&odd) { 6 } else { rng.pick(&[-1, 6, 7, 100, i32::MIN, odd]) }
        }
    }
}

/// The main shape: any calls in any order, ended or thrown away.
fn sequence(bench: &Bench, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let params = Params::random(rng);
    let ample = rng.chance(50);
    let len = rng.size(200_000);
    let input = data(rng, len);
    trace.add(|| format!("deflateInit2 {params:?}, {len} bytes, {}", if ample { "ample" } else { "tight" }));
    let Some(pair) = Pair::open(bench, &params, input, ample)? else { return Ok(()) };
    let mut pairs = vec![pair];
    if rng.chance(25) {
        pairs[0].set_header(WrittenHeader::random(rng), trace)?;
    }
    if rng.chance(20) {
        let len = 1 + rng.size(50_000);
        pairs[0].set_dictionary(&data(rng, len), trace)?;
    }
    let calls = 1 + rng.size(120);
    for _ in 0..calls {
        let which = rng.below(pairs.len());
        if pairs.len() > 1 {
            trace.add(|| format!("on stream {which}:"));
        }
        let count = pairs.len();
        if let Some(copy) = random_call(&mut pairs[which], count, rng, trace)? {
            pairs.push(copy);
        }
    }
    for mut pair in pairs {
        if rng.chance(85) {
            pair.finish(rng, trace)?;
        }
        pair.end(trace)?;
    }
    Ok(())
}

/// One call of the main shape; a copied stream comes back.
fn random_call<'a>(
    pair: &mut Pair<'a>,
    streams: usize,
    rng: &mut Rng,
    trace: &mut Trace,
) -> Result<Option<Pair<'a>>, String> {
    let ample = pair.theirs.is_some();
    let room = if ample { pair.ample_room() } else { rng.room() };
    match rng.below(100) {
        0..75 => {
            let mut flush = random_flush(rng);
            let mut cut = rng.cut(pair.left());
            // Once it was heard, anything else is refused.
            if pair.finishing && !pair.ended && !(pair.heard && rng.chance(10)) {
                flush = FINISH;
            }
            if flush == FINISH {
                cut = pair.left();
            }
            pair.deflate(cut, room, flush, rng.chance(50), trace)?;
            // Between two bytes, where a dictionary is rare and must lose no bits.
            let is_between = matches!(flush, PARTIAL_FLUSH | BLOCK);
            if is_between && pair.format == Format::Raw && pair.at_rest && !pair.ended && rng.chance(40) {
                let len = 1 + rng.size(40_000);
                pair.set_dictionary(&data(rng, len), trace)?;
            }
        }
        75..81 if !pair.finishing && !pair.ended => {
            let (mut level, mut strategy) = (rng.range(-1, 9), rng.pick(&[0, 0, 0, 1, 2, 3, 4]));
            if rng.chance(6) {
                let (a, b) = (rng.odd_int().min(-2), rng.odd_int().max(5));
                (level, strategy) =
                    rng.pick(&[(10, 0), (-2, 0), (6, 5), (6, -1), (a, 0), (6, b), (b.max(10), a)]);
            }
            let cut = if ample || rng.chance(50) { 0 } else { rng.cut(pair.left()) };
            pair.set_params(cut, room, level, strategy, trace)?;
        }
        81..84 if streams < 3 => return Ok(Some(pair.copy(rng, trace)?)),
        84..86 => pair.reset(false, rng, trace)?,
        // Raw only: elsewhere the kept window is history that no decoder has.
        86 if pair.ended && pair.format == Format::Raw => pair.reset(true, rng, trace)?,
        87..90 => {
            let certain = match pair.format {
                Format::Raw => pair.at_rest && !pair.ended,
                // After the trailer zlib forgets the format and takes one.
                _ => !pair.ended,
            };
            if certain {
                let len = 1 + rng.size(40_000);
                pair.set_dictionary(&data(rng, len), trace)?;
            }
        }
        90..93 => pair.get_dictionary(trace)?,
        // Behind a header that is out: before it, zlib puts primed bytes in front of the header.
        93..95 if (pair.format == Format::Raw || pair.started) && pair.clean && !pair.ended => {
            pair.prime(rng, trace)?;
        }
        95 | 96 => random_tune(pair, rng, trace)?,
        97 => {
            let (mut pending, mut bits): (c_uint, c_int) = (0, -1);
            let code = pair.bench.ours.deflate_pending(&mut *pair.ours, &mut pending, &mut bits);
            trace.add(|| format!("deflatePending -> {code}, {pending} bytes, {bits} bits"));
            if code != OK || !(0..=16).contains(&bits) {
                return Err(format!("deflatePending gives {code}, {bits} bits"));
            }
            let code =
                pair.bench.ours.deflate_pending(&mut *pair.ours, std::ptr::null_mut(), std::ptr::null_mut());
            if code != OK {
                return Err(format!("deflatePending with NULL gives {code}"));
            }
        }
        98 => {
            let len = if rng.chance(80) { rng.size(1 << 20) as u64 } else { rng.bits() >> rng.below(64) };
            let bound = pair.bench.ours.deflate_bound(&mut *pair.ours, len);
            trace.add(|| format!("deflateBound({len}) -> {bound}"));
            if bound < len {
                return Err(format!("deflateBound({len}) is {bound}"));
            }
        }
        // The header stays until a reset at least, so it is changed only where the answer is certain.
        99 if pair.ended || !pair.started || pair.format != Format::Gzip => {
            let header = WrittenHeader::random(rng);
            pair.set_header(header, trace)?;
        }
        _ => {}
    }
    Ok(None)
}

/// deflateTune with any numbers: they are hints, and whatever they are, the stream must be right.
fn random_tune(pair: &mut Pair, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let odd = rng.chance(40);
    let mut number =
        |high| if odd && rng.chance(60) { rng.odd_int() } else { rng.range(i32::from(!odd), high) };
    let (good, lazy, nice, chain) = (number(258), number(258), number(258), number(4096));
    let code = pair.bench.ours.deflate_tune(&mut *pair.ours, good, lazy, nice, chain);
    trace.add(|| format!("deflateTune({good}, {lazy}, {nice}, {chain}) -> {code}"));
    if code != OK {
        return Err(format!("deflateTune gives {code}"));
    }
    Ok(())
}

/// deflateBound's promise: one Z_FINISH with that much room ends the stream.
fn one_shot(bench: &Bench, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let params = Params::random(rng);
    let len = rng.size(200_000);
    let input = data(rng, len);
    let Some(mut pair) = Pair::open(bench, &params, input, false)? else { return Ok(()) };
    if rng.chance(30) {
        pair.set_header(WrittenHeader::random(rng), trace)?;
    }
    let mut is_plain = true;
    // All that may come before the first byte. The manual promises nothing of primed bits, nor does zlib reckon with them.
    if rng.chance(20) {
        let len = 1 + rng.size(50_000);
        pair.set_dictionary(&data(rng, len), trace)?;
        is_plain = false;
    }
    if rng.chance(15) {
        is_plain = false;
        let (level, strategy) = (rng.range(-1, 9), rng.range(0, 4));
        pair.set_params(0, 100, level, strategy, trace)?;
    }
    if rng.chance(10) {
        random_tune(&mut pair, rng, trace)?;
    }
    while !bench.ours_is_zlib && pair.format == Format::Raw && rng.chance(10) {
        pair.prime(rng, trace)?;
    }
    let bound = bench.ours.deflate_bound(&mut *pair.ours, len as u64) as usize;
    trace.add(|| format!("one shot: {params:?}, {len} bytes, deflateBound {bound}"));
    pair.deflate(len, bound, FINISH, false, trace)?;
    if !pair.ended && bench.ours_is_zlib && (params.level == 0 || !is_plain) {
        // zlib 1.2.13's own bound is a byte short for stored data in a small window.
        return Ok(());
    }
    if !pair.ended {
        return Err(format!("{len} bytes did not fit in deflateBound's {bound}"));
    }
    let usual = is_plain && params.window_bits == 15 && params.mem_level == 8 && params.strategy == 0;
    let compress_bound = bench.judge.compress_bound(len as u64);
    if usual && pair.ours.total_out > compress_bound {
        let total = pair.ours.total_out;
        return Err(format!("{len} bytes became {total}, more than zlib's compressBound {compress_bound}"));
    }
    pair.end(trace)
}

/// The same bytes and flushes, cut in two ways, give the same output at level 9.
fn same_bytes(bench: &Bench, rng: &mut Rng, trace: &mut Trace, max: usize) -> Verdict {
    let params = Params::usual(9, rng.pick(&[15, -15, 31]));
    let len = rng.size(max);
    let input = data(rng, len);
    let mut places: Vec<(usize, c_int)> = (0..rng.below(4))
        .map(|_| (rng.below(len + 1), rng.pick(&[SYNC_FLUSH, FULL_FLUSH, PARTIAL_FLUSH])))
        .collect();
    places.sort_unstable();
    trace.add(|| format!("same bytes: {params:?}, {len} bytes, flushes at {places:?}"));
    let mut outputs = Vec::new();
    for way in 0..2 {
        trace.add(|| format!("cut {way}:"));
        let Some(mut pair) = Pair::open(bench, &params, input.clone(), false)? else { return Ok(()) };
        let mut written = Vec::new();
        let mut deflate = |pair: &mut Pair, cut: usize, room: usize, flush: c_int| -> Verdict {
            let step = pair.io(cut, room, false, |lib, s| lib.deflate(s, flush))?;
            if step.code != OK && step.code != STREAM_END && step.code != BUF_ERROR {
                return Err(format!("deflate gives {}", step.code));
            }
            pair.ended |= step.code == STREAM_END;
            written.extend_from_slice(&step.output);
            Ok(())
        };
        for (place, flush) in &places {
            while pair.pos < *place {
                let cut = rng.cut(*place - pair.pos);
                let room = rng.room();
                deflate(&mut pair, cut, room, NO_FLUSH)?;
            }
            let room = pair.ample_room();
            deflate(&mut pair, 0, room, *flush)?;
        }
        while pair.left() > 0 {
            let cut = rng.cut(pair.left());
            let room = rng.room();
            deflate(&mut pair, cut, room, NO_FLUSH)?;
        }
        while !pair.ended {
            let room = rng.room();
            deflate(&mut pair, 0, room, FINISH)?;
        }
        pair.judge_end()?;
        drop(pair);
        outputs.push(written);
    }
    if outputs[0] != outputs[1] {
        let at = outputs[0].iter().zip(&outputs[1]).position(|(a, b)| a != b);
        let sizes = (outputs[0].len(), outputs[1].len());
        return Err(format!("two cuts of the same input differ: sizes {sizes:?}, first at {at:?}"));
    }
    Ok(())
}

/// Megabytes, where the parallel pipeline works: long quiet writes, now and then something that disturbs it.
fn large(bench: &Bench, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    if rng.chance(25) {
        return same_bytes(bench, rng, trace, 3 << 20);
    }
    let params = Params::usual(rng.pick(&[9, 9, 9, 6, 1]), rng.pick(&[15, -15, 31]));
    let len = (1 << 20) + rng.below(5 << 20);
    let input = data(rng, len);
    trace.add(|| format!("large: {params:?}, {len} bytes"));
    let Some(pair) = Pair::open(bench, &params, input, false)? else { return Ok(()) };
    let mut pairs = vec![pair];
    let disturb = rng.chance(60);
    while pairs.iter().any(|pair| pair.left() > 0) {
        let which = rng.below(pairs.len());
        let count = pairs.len();
        let pair = &mut pairs[which];
        if disturb && rng.chance(4) {
            if let Some(copy) = random_call(pair, count, rng, trace)? {
                pairs.push(copy);
            }
            continue;
        }
        let cut = (1 + rng.size(2 << 20)).min(pair.left());
        let room = if rng.chance(50) { 1 << 20 } else { 1 + rng.size(1 << 18) };
        let flush = if pair.ended || pair.finishing { FINISH } else { NO_FLUSH };
        if pair.ended {
            pair.pos = pair.data.len();
            continue;
        }
        let cut = if flush == FINISH { pair.left() } else { cut };
        pair.deflate(cut, room, flush, false, trace)?;
        if rng.chance(1) {
            break;
        }
    }
    for mut pair in pairs {
        if rng.chance(85) {
            let mut more = 0;
            while !pair.ended {
                pair.deflate(pair.left(), 1 + rng.size(4 << 20), FINISH, false, trace)?;
                more += 1;
                if more > 100_000 {
                    return Err("Z_FINISH does not end".into());
                }
            }
        }
        pair.end(trace)?;
    }
    Ok(())
}
