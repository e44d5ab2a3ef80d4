//! One deflate stream of ours, the judge's if room is ample, and the checks of each call (`deflate.rs` has the rules).

use std::ffi::{c_int, c_uint};

use crate::decoder::Decoder;
use crate::params::{Format, Params, WrittenHeader};
use crate::port::{Port, Step};
use crate::random::{Rng, data};
use crate::run::{Setup, Trace, Verdict};
use crate::zlib::{
    BLOCK, BUF_ERROR, DATA_ERROR, FINISH, FULL_FLUSH, NO_FLUSH, OK, STREAM_END, STREAM_ERROR, SYNC_FLUSH,
    ZStream, Zlib,
};

/// One stream of ours, the same stream of the judge if room is ample, and the state of both as far as known.
pub(crate) struct Pair<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) ours: Box<ZStream>,
    pub(crate) theirs: Option<Box<ZStream>>,
    port: Port,
    params: Params,
    pub(crate) format: Format,
    /// The input, and how much of it was taken.
    pub(crate) data: Vec<u8>,
    pub(crate) pos: usize,
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
    pub(crate) started: bool,
    /// Z_FINISH was called and more room is needed.
    pub(crate) finishing: bool,
    /// And it has taken all input.
    pub(crate) heard: bool,
    pub(crate) ended: bool,
    /// The last call was a completed flush, so nothing is buffered and the next byte starts a block.
    pub(crate) clean: bool,
    /// Nothing was taken since, so a raw stream's dictionary may change. Bits may have been primed.
    pub(crate) at_rest: bool,
    /// Bits were primed since the last flush.
    primed: bool,
    /// The last call was a deflateParams that has flushed, perhaps.
    changed: bool,
    /// data_type follows from the input alone.
    plain: bool,
}

impl<'a> Pair<'a> {
    /// `None` if both libraries reject the parameters.
    pub(crate) fn open(
        setup: &'a Setup,
        params: &Params,
        data: Vec<u8>,
        ample: bool,
    ) -> Result<Option<Self>, String> {
        let mut ours = ZStream::new();
        let mut theirs = ZStream::new();
        let our_code = setup.ours.deflate_init2(&mut ours, params);
        let their_code = setup.judge.deflate_init2(&mut theirs, params);
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
            setup.judge.deflate_end(&mut *theirs);
            None
        };
        Ok(Some(Pair {
            setup,
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
            decoder: Decoder::new(setup, params.window_bits),
            header: None,
            started: false,
            finishing: false,
            heard: false,
            ended: false,
            clean: true,
            at_rest: true,
            primed: false,
            changed: false,
            plain: params.level != 0,
        }))
    }

    pub(crate) fn left(&self) -> usize {
        self.data.len() - self.pos
    }

    /// Room for all possible output, in an ample sequence.
    pub(crate) fn ample_room(&self) -> usize {
        let all = self.fed.len() + self.left();
        all + all / 8 + 200_000
    }

    /// A call that takes input and returns output, on ours and, with ample room, on theirs.
    pub(crate) fn io(
        &mut self,
        cut: usize,
        room: usize,
        nulls: bool,
        call: impl Fn(&Zlib, *mut ZStream) -> c_int,
    ) -> Result<Step, String> {
        self.io_and_message(cut, room, nulls, true, call)
    }

    /// Like `io`, with a flag for whether the message is compared.
    fn io_and_message(
        &mut self,
        cut: usize,
        room: usize,
        nulls: bool,
        compare_message: bool,
        call: impl Fn(&Zlib, *mut ZStream) -> c_int,
    ) -> Result<Step, String> {
        let input = &self.data[self.pos..self.pos + cut];
        let ours = &self.setup.ours;
        let step = self.port.call(&mut self.ours, input, room, nulls, |s| call(ours, s))?;
        let mut moot = false;
        if let Some(theirs) = &mut self.theirs {
            let judge = &self.setup.judge;
            let want = self.port.call(theirs, input, room, nulls, |s| call(judge, s))?;
            // Nothing to do except a marker that was already there; or the call returns output of the pipeline.
            let codes_ok = [step.code, want.code].iter().all(|code| [OK, BUF_ERROR].contains(code));
            let is_same = (step.code, step.consumed) == (want.code, want.consumed);
            // After deflateParams zlib's flush may find nothing new, where ours writes the marker, but never the reverse; except
            // that ours may have written primed bits in deflateParams.
            let is_after_params = self.changed && (step.code == OK || self.primed);
            let may_differ = self.clean || is_after_params || !step.output.is_empty();
            moot = !is_same && cut == 0 && codes_ok && may_differ;
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
        // A rejected call changes nothing.
        self.changed &= step.code == STREAM_ERROR;
        let taken = &self.data[self.pos..self.pos + step.consumed];
        self.fed.extend_from_slice(taken);
        self.history.extend_from_slice(taken);
        self.remembered += taken.len();
        if self.history.len() > 1 << 17 {
            self.history.drain(..(1 << 17) - (1 << 16));
        }
        self.sum = self.format.update(&self.setup.judge, self.sum, taken);
        self.pos += step.consumed;
        self.decoder.feed(&step.output, &self.fed)?;
        Ok(step)
    }

    /// If the codes may differ, the messages may too.
    fn forget_messages(&mut self) {
        for s in std::iter::once(&mut self.ours).chain(&mut self.theirs) {
            s.msg = std::ptr::null();
        }
    }

    /// deflate(), with all that must hold after it.
    pub(crate) fn deflate(
        &mut self,
        cut: usize,
        room: usize,
        flush: c_int,
        nulls: bool,
        trace: &mut Trace,
    ) -> Verdict {
        trace.begin(|| format!("deflate(in {cut}, room {room}, flush {flush})"));
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
        // Input was taken, so the header is written and did not keep Z_FINISH from taking effect. In zlib it takes effect only
        // when the last block begins, and zlib accepts other flushes until then.
        let took_all = step.consumed == cut && !self.fed.is_empty() && !self.setup.ours_is_zlib;
        self.heard |= flush == FINISH && step.code == OK && took_all;
        let is_flush = flush != NO_FLUSH && flush != FINISH && valid && step.room_left > 0;
        if is_flush && step.code == BUF_ERROR && !self.ended {
            // Nothing was left to do, so everything has been delivered by an earlier flush.
            self.judge_flush(flush)?;
        }
        if is_flush && step.code == OK {
            self.primed = false;
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

    /// The manual's rules for a deflate call, for any encoder.
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

    /// After a completed flush: all input so far must be decodable.
    fn judge_flush(&mut self, flush: c_int) -> Verdict {
        self.judge_sum()?;
        let missing = self.fed.len() - self.decoder.decoded;
        let allowed = if flush == BLOCK { 7 * 258 } else { 0 };
        if missing > allowed {
            return Err(format!("after a completed flush {flush} the last {missing} bytes can't be decoded"));
        }
        let (mut pending, mut bits): (c_uint, c_int) = (7, 7);
        let code = self.setup.ours.deflate_pending(&mut *self.ours, &mut pending, &mut bits);
        let aligned = flush == SYNC_FLUSH || flush == FULL_FLUSH;
        if code != OK || pending != 0 || !(0..8).contains(&bits) || (aligned && bits != 0 && !self.primed) {
            return Err(format!("deflatePending after flush {flush}: {code}, {pending} bytes, {bits} bits"));
        }
        Ok(())
    }

    /// At the end of the stream: all of it must be decodable, and its check values right.
    pub(crate) fn judge_end(&mut self) -> Verdict {
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

    pub(crate) fn set_header(&mut self, header: Box<WrittenHeader>, trace: &mut Trace) -> Verdict {
        let header: std::rc::Rc<WrittenHeader> = header.into();
        let at = (&raw const header.head).cast_mut();
        let code = self.setup.ours.deflate_set_header(&mut *self.ours, at);
        trace.add(|| format!("deflateSetHeader -> {code}"));
        let want = if self.format == Format::Gzip && !self.ended { OK } else { STREAM_ERROR };
        if code != want {
            return Err(format!("deflateSetHeader gives {code}, want {want}"));
        }
        if let Some(theirs) = &mut self.theirs {
            self.setup.judge.deflate_set_header(&mut **theirs, at);
        }
        if code == OK {
            self.decoder.watch_header();
            self.header = Some(header);
        }
        Ok(())
    }

    pub(crate) fn set_dictionary(&mut self, dictionary: &[u8], trace: &mut Trace) -> Verdict {
        let len = dictionary.len() as u32;
        let total_before = self.ours.total_in;
        let code = self.setup.ours.deflate_set_dictionary(&mut *self.ours, dictionary.as_ptr(), len);
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
            let code = self.setup.judge.deflate_set_dictionary(&mut **theirs, dictionary.as_ptr(), len);
            if code != want {
                return Err(format!("tester: the system's deflateSetDictionary gives {code}, want {want}"));
            }
        }
        // zlib counts the part of a dictionary that enters its window as input.
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
            // After Z_BLOCK the last bytes before it may not be decodable yet.
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

    pub(crate) fn get_dictionary(&mut self, trace: &mut Trace) -> Verdict {
        let mut bytes = vec![0x33u8; 32768 + 16];
        let mut len: c_uint = 0;
        let code = self.setup.ours.deflate_get_dictionary(&mut *self.ours, bytes.as_mut_ptr(), &mut len);
        trace.add(|| format!("deflateGetDictionary -> {code}, {len} bytes"));
        let mut only_len: c_uint = 77;
        let no_place =
            self.setup.ours.deflate_get_dictionary(&mut *self.ours, std::ptr::null_mut(), &mut only_len);
        let no_len =
            self.setup.ours.deflate_get_dictionary(&mut *self.ours, bytes.as_mut_ptr(), std::ptr::null_mut());
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

    pub(crate) fn set_params(
        &mut self,
        cut: usize,
        room: usize,
        level: c_int,
        strategy: c_int,
        trace: &mut Trace,
    ) -> Verdict {
        trace.begin(|| format!("deflateParams({level}, {strategy}; in {cut}, room {room})"));
        let call = |lib: &Zlib, s: *mut ZStream| lib.deflate_params(s, level, strategy);
        let step = self.io_and_message(cut, room, false, false, call)?;
        trace.add(|| {
            let (taken, made) = (step.consumed, step.output.len());
            format!(
                "deflateParams({level}, {strategy}; in {cut}, room {room}) -> {}, took {taken}, made {made}",
                step.code
            )
        });
        // zlib leaves the message of an inner call there; ours may or may not.
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
        // A rejected call keeps the changes of the previous one.
        self.changed |= step.code == OK;
        if !idle {
            (self.clean, self.at_rest) = (false, false);
        }
        Ok(())
    }

    /// Primes ten bits, an empty fixed block, in one call or two: they are valid wherever a block may start. Bits of the value
    /// beyond the bit count are ignored.
    pub(crate) fn prime(&mut self, rng: &mut Rng, trace: &mut Trace) -> Verdict {
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
        let code = self.setup.ours.deflate_prime(&mut *self.ours, bits, value);
        trace.add(|| format!("deflatePrime({bits}, {value}) -> {code}"));
        let want = if (0..=16).contains(&bits) { OK } else { BUF_ERROR };
        if code != want {
            return Err(format!("deflatePrime({bits}) gives {code}, want {want}"));
        }
        if let Some(theirs) = &mut self.theirs {
            self.setup.judge.deflate_prime(&mut **theirs, bits, value);
        }
        if code == OK {
            self.clean = false;
            self.primed = true;
        }
        Ok(())
    }

    pub(crate) fn copy(&mut self, rng: &mut Rng, trace: &mut Trace) -> Result<Pair<'a>, String> {
        let mut ours = ZStream::new();
        let code = self.setup.ours.deflate_copy(&mut *ours, &mut *self.ours);
        trace.add(|| format!("deflateCopy -> {code}"));
        if code != OK {
            return Err(format!("deflateCopy gives {code}"));
        }
        let theirs = self.theirs.as_mut().map(|theirs| {
            let mut copy = ZStream::new();
            let code = self.setup.judge.deflate_copy(&mut *copy, &mut **theirs);
            assert_eq!(code, OK, "the judge can copy");
            copy
        });
        let mut rest = self.data[self.pos..].to_vec();
        if rng.chance(50) && !self.finishing && !self.ended {
            let len = rng.size(60_000);
            rest = data(rng, len);
        }
        Ok(Pair {
            setup: self.setup,
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
            primed: self.primed,
            changed: self.changed,
            plain: self.plain,
        })
    }

    /// deflateReset, or deflateResetKeep at a stream's end, where it means "another stream with the same window".
    pub(crate) fn reset(&mut self, keep: bool, rng: &mut Rng, trace: &mut Trace) -> Verdict {
        let call =
            |lib: &Zlib, s: &mut ZStream| if keep { lib.deflate_reset_keep(s) } else { lib.deflate_reset(s) };
        let code = call(&self.setup.ours, &mut self.ours);
        trace.add(|| format!("deflateReset{} -> {code}", if keep { "Keep" } else { "" }));
        if let Some(theirs) = &mut self.theirs {
            call(&self.setup.judge, theirs);
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
        self.primed = false;
        self.plain = false;
        Ok(())
    }

    /// Calls deflateEnd, whatever state the stream is in.
    pub(crate) fn end(&mut self, trace: &mut Trace) -> Verdict {
        let code = self.setup.ours.deflate_end(&mut *self.ours);
        trace.add(|| format!("deflateEnd -> {code}"));
        let theirs = self.theirs.take().map(|mut theirs| self.setup.judge.deflate_end(&mut *theirs));
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
        let again = self.setup.ours.deflate_end(&mut *self.ours);
        if again != STREAM_ERROR {
            return Err(format!("a second deflateEnd gives {again}"));
        }
        Ok(())
    }

    /// Writes all remaining input and finishes the stream.
    pub(crate) fn finish(&mut self, rng: &mut Rng, trace: &mut Trace) -> Verdict {
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
            // Calls after the end: return the end again, or an error.
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
            self.setup.ours.deflate_end(&mut *self.ours);
        }
        if let Some(theirs) = &mut self.theirs {
            self.setup.judge.deflate_end(&mut **theirs);
        }
    }
}
