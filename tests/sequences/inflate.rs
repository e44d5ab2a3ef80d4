//! The inflate tester: both libraries get the same calls and must return the same results.
//!
//! The streams come from the system's deflate in all its forms (`streams.rs`), whole or damaged, or are noise. After every
//! call these are equal: code, msg, bytes taken and given (so next_in, avail_in, total_in and their outgoing twins), the
//! output itself, adler, data_type, inflateMark, and a watched gzip header with its buffers.
//!
//! Differences that are allowed:
//! - adler of a gzip stream before its end may be 0: zlib-ng does not publish the running CRC until the trailer; adler after
//!   Z_DATA_ERROR, which zlib-ng does not update, and after inflateValidate or a successful inflateSync, which turn off
//!   the checksum;
//! - total_in may count the zlib header that zlib does not count if the call that read it returns Z_NEED_DICT, from there on;
//!   and data_type from there to the next inflate call, which zlib does not update;
//! - inflateMark after an error.

use std::ffi::{c_int, c_uint};

use crate::decoder::ReadHeader;
use crate::inflate_back;
use crate::oneshot;
use crate::port::Port;
use crate::random::{Rng, data};
use crate::run::{Setup, Trace, Verdict};
use crate::streams::{self, Compressed};
use crate::zlib::{
    BLOCK, DATA_ERROR, FINISH, NEED_DICT, NO_FLUSH, OK, STREAM_END, STREAM_ERROR, SYNC_FLUSH, TREES, ZStream,
    Zlib,
};

pub(crate) fn run(setup: &Setup, seed: u64, trace: &mut Trace) -> Verdict {
    let mut rng = Rng::new(seed);
    let is_large = setup.is_large(seed);
    let max = if is_large { 6 << 20 } else { 200_000 };
    let shape = rng.below(12);
    // uncompress takes the zlib format only; give it others now and then.
    let window_bits = if shape < 2 && rng.chance(80) { Some(15) } else { None };
    let mut made = streams::make(setup, &mut rng, max, window_bits);
    if rng.chance(45) {
        streams::damage(&mut rng, &mut made.bytes);
    } else if rng.chance(4) {
        let len = rng.size(3000);
        made.bytes = data(&mut rng, len);
    }
    match shape {
        0 | 1 => oneshot::uncompress(setup, &made, &mut rng, trace),
        2 => inflate_back::inflate_back(setup, &made, &mut rng, trace),
        3 => oneshot::compress(setup, &mut rng, trace),
        _ => sequence(setup, &made, &mut rng, trace),
    }
}

/// The same stream in both libraries.
struct Duo<'a> {
    setup: &'a Setup,
    ours: Box<ZStream>,
    theirs: Box<ZStream>,
    port: Port,
    headers: Option<(Box<ReadHeader>, Box<ReadHeader>)>,
    pos: usize,
    is_gzip: bool,
    /// The return values of the last call that takes input, and of the last inflate call.
    code: c_int,
    inflated: c_int,
    /// Z_DATA_ERROR was seen since the stream (re)started.
    is_damaged: bool,
    /// inflateValidate was called, or inflateSync has found its place: no more check values, or fewer.
    check_may_be_off: bool,
    /// Bits were put in front of the input.
    is_primed: bool,
    /// How many, at most, since inflate() last reported the number of pending bits.
    primed: c_int,
    /// The header determines the size of the window.
    window_is_open: bool,
    /// Bytes of header that zlib's total_in does not count.
    forgotten: u64,
    /// The last 32 KiB, or more, of dictionaries and output.
    decoded: Vec<u8>,
}

impl Duo<'_> {
    /// The same call on both; the codes must be equal, and so must the streams after it.
    fn same(
        &mut self,
        what: &str,
        trace: &mut Trace,
        call: impl Fn(&Zlib, *mut ZStream) -> i64,
    ) -> Result<i64, String> {
        trace.begin(|| what.to_owned());
        let want = call(&self.setup.judge, &mut *self.theirs);
        let got = call(&self.setup.ours, &mut *self.ours);
        trace.add(|| format!("{what} -> {got}"));
        if got != want {
            return Err(format!("{what} gives {got}, the system's {want}"));
        }
        self.compare(what)?;
        Ok(got)
    }

    /// One of the resets: the totals start again at 0.
    fn reset(
        &mut self,
        what: &str,
        trace: &mut Trace,
        call: impl Fn(&Zlib, *mut ZStream) -> i64,
    ) -> Result<i64, String> {
        let before = (self.code, self.forgotten, self.is_damaged);
        (self.code, self.forgotten, self.is_damaged) = (OK, 0, false);
        trace.begin(|| what.to_owned());
        let want = call(&self.setup.judge, &mut *self.theirs);
        let got = call(&self.setup.ours, &mut *self.ours);
        trace.add(|| format!("{what} -> {got}"));
        if got != want {
            return Err(format!("{what} gives {got}, the system's {want}"));
        }
        if got != i64::from(OK) {
            (self.code, self.forgotten, self.is_damaged) = before;
        }
        self.compare(what)?;
        Ok(got)
    }

    fn compare(&mut self, what: &str) -> Verdict {
        let (ours, theirs) = (&self.ours, &self.theirs);
        let before_end = self.is_gzip && ours.adler == 0 && self.code != STREAM_END;
        let adler_hidden = before_end || self.is_damaged || self.check_may_be_off;
        let fields = |s: &ZStream| {
            let adler = if adler_hidden { 0 } else { s.adler };
            let data_type = if self.inflated == NEED_DICT { 0 } else { s.data_type };
            (s.total_in, s.total_out, s.message(), adler, data_type)
        };
        let (mut got, want) = (fields(ours), fields(theirs));
        if got.0 == want.0.wrapping_add(self.forgotten) {
            got.0 = want.0;
        }
        if got != want {
            let names = "(total_in, total_out, msg, adler, data_type)";
            return Err(format!("after {what} {names} is {got:?}, the system's {want:?}"));
        }
        let got = self.setup.ours.inflate_mark(&mut *self.ours);
        let want = self.setup.judge.inflate_mark(&mut *self.theirs);
        if got != want && self.code >= NO_FLUSH {
            return Err(format!("after {what} inflateMark is {got:#x}, the system's {want:#x}"));
        }
        if let Some((ours, theirs)) = &self.headers {
            let numbers = |h: &ReadHeader| {
                let h = &h.head;
                let nulls = (h.extra.is_null(), h.name.is_null(), h.comment.is_null());
                // Primed bits beyond a field show in zlib's numbers.
                let origin = (h.xflags & 0xff, h.os & 0xff);
                (h.done, h.text, h.time as u32, origin, h.extra_len & 0xffff, h.hcrc, nulls)
            };
            if numbers(ours) != numbers(theirs) {
                let (got, want) = (numbers(ours), numbers(theirs));
                return Err(format!("after {what} the gzip header is {got:?}, the system's {want:?}"));
            }
            if (&ours.extra, &ours.name, &ours.comment) != (&theirs.extra, &theirs.name, &theirs.comment) {
                return Err(format!("after {what} the gzip header's strings differ"));
            }
        }
        Ok(())
    }

    /// inflate() or inflateSync() on a cut of `bytes`.
    fn io(
        &mut self,
        name: &str,
        bytes: &[u8],
        (cut, room): (usize, usize),
        nulls: bool,
        trace: &mut Trace,
        call: impl Fn(&Zlib, *mut ZStream) -> c_int,
    ) -> Result<c_int, String> {
        let input = &bytes[self.pos..self.pos + cut];
        trace.begin(|| format!("{name}; in {cut}, room {room}"));
        let total_before = self.theirs.total_in;
        let want = self.port.call(&mut self.theirs, input, room, nulls, |s| call(&self.setup.judge, s));
        let want =
            want.map_err(|e| format!("tester: the judge breaks a rule of every call in {name}: {e}"))?;
        let got = self.port.call(&mut self.ours, input, room, nulls, |s| call(&self.setup.ours, s))?;
        trace.add(|| {
            let (taken, made) = (got.consumed, got.output.len());
            format!("{name}; in {cut}, room {room} -> {}, took {taken}, made {made}", got.code)
        });
        let short = |step: &crate::port::Step| (step.code, step.consumed, step.output.len());
        if short(&got) != short(&want) {
            let (got, want) = (short(&got), short(&want));
            let ours = (self.ours.message(), self.theirs.message());
            return Err(format!(
                "{name} gives (code, taken, made) {got:?}, the system's {want:?}; messages {ours:?}"
            ));
        }
        if let Some(at) = got.output.iter().zip(&want.output).position(|(a, b)| a != b) {
            return Err(format!("{name} gives a wrong byte, {at} of {}", want.output.len()));
        }
        self.remember(&want.output);
        self.pos += got.consumed;
        self.code = got.code;
        self.is_damaged |= got.code == DATA_ERROR;
        if name != "inflateSync" && got.code != STREAM_ERROR {
            self.inflated = got.code;
            self.primed = 0;
        }
        self.check_may_be_off |= name == "inflateSync" && got.code == OK;
        // The judge's bookkeeping: port.rs lets only Z_NEED_DICT move next_in without total_in.
        self.forgotten += total_before.wrapping_add(want.consumed as u64).wrapping_sub(self.theirs.total_in);
        self.compare(name)?;
        Ok(got.code)
    }

    /// Records output for the history that matches may refer to.
    fn remember(&mut self, bytes: &[u8]) {
        self.decoded.extend_from_slice(bytes);
        let surplus = self.decoded.len().saturating_sub(32768);
        if surplus > 1 << 20 {
            self.decoded.drain(..surplus);
        }
    }

    fn watch_header(&mut self, rng: &mut Rng, trace: &mut Trace) -> Verdict {
        let sizes = (rng.size(3000), rng.size(400), rng.size(400));
        let mut ours = ReadHeader::new(sizes.0, sizes.1, sizes.2);
        let mut theirs = ReadHeader::new(sizes.0, sizes.1, sizes.2);
        let (no_extra, no_name, no_comment) = (rng.chance(20), rng.chance(20), rng.chance(20));
        // The fields that the library fills in hold anything before.
        let old = if rng.chance(50) { std::array::from_fn(|_| rng.odd_int()) } else { [0; 6] };
        for head in [&mut ours.head, &mut theirs.head] {
            if no_extra {
                head.extra = std::ptr::null_mut();
            }
            if no_name {
                head.name = std::ptr::null_mut();
            }
            if no_comment {
                head.comment = std::ptr::null_mut();
            }
            [head.text, head.xflags, head.os, head.hcrc, head.done] =
                [old[0], old[1], old[2], old[3], old[4]];
            head.time = old[5] as u64;
            head.extra_len = old[0] as u32;
        }
        let got = self.setup.ours.inflate_get_header(&mut *self.ours, &mut ours.head);
        let want = self.setup.judge.inflate_get_header(&mut *self.theirs, &mut theirs.head);
        trace.add(|| format!("inflateGetHeader with room {sizes:?} -> {got}"));
        if got != want {
            return Err(format!("inflateGetHeader gives {got}, the system's {want}"));
        }
        if got == OK {
            self.headers = Some((ours, theirs));
        }
        Ok(())
    }

    fn get_dictionary(&mut self, trace: &mut Trace) -> Verdict {
        let mut ours = (vec![0x33u8; 32768 + 16], 0 as c_uint);
        let mut theirs = ours.clone();
        let got = self.setup.ours.inflate_get_dictionary(&mut *self.ours, ours.0.as_mut_ptr(), &mut ours.1);
        let want =
            self.setup.judge.inflate_get_dictionary(&mut *self.theirs, theirs.0.as_mut_ptr(), &mut theirs.1);
        trace.add(|| format!("inflateGetDictionary -> {got}, {} bytes", ours.1));
        if (got, ours.1) != (want, theirs.1) {
            let (ours, theirs) = (ours.1, theirs.1);
            return Err(format!(
                "inflateGetDictionary gives {got} and {ours} bytes, the system's {want} and {theirs}"
            ));
        }
        let mut only_len: c_uint = 77;
        let no_place =
            self.setup.ours.inflate_get_dictionary(&mut *self.ours, std::ptr::null_mut(), &mut only_len);
        let no_len = self.setup.ours.inflate_get_dictionary(
            &mut *self.ours,
            ours.0.as_mut_ptr(),
            std::ptr::null_mut(),
        );
        if (no_place, only_len, no_len) != (got, ours.1, got) {
            return Err(format!(
                "inflateGetDictionary with a NULL gives {no_place} and {only_len} bytes, {no_len}"
            ));
        }
        // zlib's window lacks the output of the call that read the check value. Ours has it if the data from before that call
        // has left the window.
        let is_true = self.decoded.ends_with(&ours.0[..ours.1 as usize]);
        if ours.0 != theirs.0 && !is_true {
            return Err("inflateGetDictionary gives other bytes than the system's".into());
        }
        Ok(())
    }

    fn copy(&mut self, trace: &mut Trace) -> Result<Self, String> {
        let mut ours = ZStream::new();
        let mut theirs = ZStream::new();
        let got = self.setup.ours.inflate_copy(&mut *ours, &mut *self.ours);
        let want = self.setup.judge.inflate_copy(&mut *theirs, &mut *self.theirs);
        trace.add(|| format!("inflateCopy -> {got}"));
        if got != want || got != OK {
            return Err(format!("inflateCopy gives {got}, the system's {want}"));
        }
        let Duo {
            setup,
            pos,
            is_gzip,
            code,
            inflated,
            is_damaged,
            check_may_be_off,
            is_primed,
            primed,
            window_is_open,
            forgotten,
            ref decoded,
            ..
        } = *self;
        let mut copy = Duo {
            setup,
            ours,
            theirs,
            port: Port::default(),
            headers: None,
            pos,
            is_gzip,
            code,
            inflated,
            is_damaged,
            check_may_be_off,
            is_primed,
            primed,
            window_is_open,
            forgotten,
            decoded: decoded.clone(),
        };
        // Both copies still point to the first stream's header; give each its own so that the first may go.
        let (mut a, mut b) = (ReadHeader::new(100, 100, 100), ReadHeader::new(100, 100, 100));
        let got = copy.setup.ours.inflate_get_header(&mut *copy.ours, &mut a.head);
        let want = copy.setup.judge.inflate_get_header(&mut *copy.theirs, &mut b.head);
        if got != want {
            return Err(format!("inflateGetHeader on a copy gives {got}, the system's {want}"));
        }
        copy.headers = Some((a, b));
        copy.compare("inflateCopy")?;
        Ok(copy)
    }

    fn end(&mut self) -> Verdict {
        let got = self.setup.ours.inflate_end(&mut *self.ours);
        let want = self.setup.judge.inflate_end(&mut *self.theirs);
        if got != want || !self.ours.state.is_null() {
            return Err(format!("inflateEnd gives {got}, the system's {want}, state {:?}", self.ours.state));
        }
        Ok(())
    }
}

impl Drop for Duo<'_> {
    fn drop(&mut self) {
        if !self.ours.state.is_null() {
            self.setup.ours.inflate_end(&mut *self.ours);
        }
        if !self.theirs.state.is_null() {
            self.setup.judge.inflate_end(&mut *self.theirs);
        }
    }
}

/// Window bits that can, or perhaps cannot, read the stream.
fn reading_bits(rng: &mut Rng, written: c_int) -> c_int {
    match rng.below(20) {
        0 => match rng.below(4) {
            0 => rng.odd_int(),
            1 => rng.range(-17, 65),
            _ => rng.pick(&[0, 8, 9, 12, 15, 24, 31, 40, 47, -8, -9, -15, 7, 48, 63, -16, 16, 32]),
        },
        1..4 => match written {
            ..=-1 => -15,
            16.. => rng.pick(&[31, 47, 16, 32]),
            _ => rng.pick(&[15, 47, 0, 32]),
        },
        _ => match written {
            8 => 9,
            24 => 25,
            other => other,
        },
    }
}

/// Whether with these window bits the header determines the window's size.
fn says_no_window(bits: c_int) -> bool {
    bits >= 0 && bits % 16 == 0
}

fn random_flush(rng: &mut Rng) -> c_int {
    match rng.below(20) {
        0..9 => NO_FLUSH,
        9..12 => SYNC_FLUSH,
        12..15 => FINISH,
        15 | 16 => BLOCK,
        17 => TREES,
        18 => rng.pick(&[1, 3]),
        _ => {
            let odd = rng.odd_int();
            rng.pick(&[-1, 7, 100, odd])
        }
    }
}

pub(crate) fn sequence(setup: &Setup, made: &Compressed, rng: &mut Rng, trace: &mut Trace) -> Verdict {
    let bits = reading_bits(rng, made.window_bits);
    let (mut ours, mut theirs) = (ZStream::new(), ZStream::new());
    // A program that keeps its own sum in adler must find it untouched by a raw stream.
    ours.adler = 0x1234_5678;
    theirs.adler = 0x1234_5678;
    let got = setup.ours.inflate_init2(&mut ours, bits);
    let want = setup.judge.inflate_init2(&mut theirs, bits);
    trace.add(|| {
        let (len, made_bits) = (made.bytes.len(), made.window_bits);
        format!("inflateInit2({bits}) -> {got}; {len} bytes written with {made_bits} from {}", made.input_len)
    });
    let mut duo = Duo {
        setup,
        ours,
        theirs,
        port: Port::default(),
        headers: None,
        pos: 0,
        is_gzip: bits > 15,
        code: OK,
        inflated: OK,
        is_damaged: false,
        check_may_be_off: false,
        is_primed: false,
        primed: 0,
        window_is_open: says_no_window(bits),
        forgotten: 0,
        decoded: Vec::new(),
    };
    if got != want {
        return Err(format!("inflateInit2({bits}) gives {got}, the system's {want}"));
    }
    if got != OK {
        return Ok(());
    }
    duo.compare("inflateInit2")?;
    if rng.chance(25) {
        duo.watch_header(rng, trace)?;
    }
    if bits < 0 && !made.dictionary.is_empty() && rng.chance(80) {
        set_dictionary(&mut duo, &made.dictionary, trace)?;
    }
    // Some seeds only read; others do everything.
    let odd = rng.pick(&[0, 5, 30]);
    let tight = rng.chance(60);
    let whole_flush = rng.chance(30).then(|| rng.pick(&[NO_FLUSH, FINISH, BLOCK, TREES]));
    let mut duos = vec![duo];
    let mut stalls = 0;
    let calls = 10 + rng.size(400);
    for _ in 0..calls {
        let which = rng.below(duos.len());
        let count = duos.len();
        if count > 1 {
            trace.add(|| format!("on stream {which}:"));
        }
        let duo = &mut duos[which];
        if rng.chance(odd) {
            if let Some(copy) = random_call(duo, made, count, rng, trace)? {
                duos.push(copy);
            }
            continue;
        }
        let left = made.bytes.len() - duo.pos;
        let cut = rng.cut(left);
        let room = if tight { rng.room() } else { 300_000 };
        let flush = whole_flush.unwrap_or_else(|| random_flush(rng));
        let nulls = rng.chance(30);
        let before = (duo.pos, duo.ours.total_out);
        let name = format!("inflate({flush})");
        let code = duo.io(&name, &made.bytes, (cut, room), nulls, trace, |lib, s| lib.inflate(s, flush))?;
        if code == NEED_DICT && rng.chance(90) {
            set_dictionary(duo, &made.dictionary, trace)?;
        }
        if code == STREAM_END && rng.chance(70) {
            if duo.pos == made.bytes.len() && count == 1 {
                break;
            }
            // The next member, if there is one.
            duo.reset("inflateReset", trace, |lib, s| lib.inflate_reset(s).into())?;
            if duo.headers.is_some() && rng.chance(50) {
                duo.watch_header(rng, trace)?;
            }
        }
        stalls = if before == (duo.pos, duo.ours.total_out) { stalls + 1 } else { 0 };
        if stalls > 30 {
            break;
        }
    }
    for duo in &mut duos {
        duo.end()?;
    }
    Ok(())
}

fn set_dictionary(duo: &mut Duo, dictionary: &[u8], trace: &mut Trace) -> Verdict {
    let len = dictionary.len() as c_uint;
    let at = if dictionary.is_empty() { std::ptr::NonNull::dangling().as_ptr() } else { dictionary.as_ptr() };
    let what = format!("inflateSetDictionary({len})");
    if duo.same(&what, trace, |lib, s| lib.inflate_set_dictionary(s, at, len).into())? == i64::from(OK) {
        duo.remember(dictionary);
    }
    Ok(())
}

/// One of the calls that a plain reader never makes.
fn random_call<'a>(
    duo: &mut Duo<'a>,
    made: &Compressed,
    streams: usize,
    rng: &mut Rng,
    trace: &mut Trace,
) -> Result<Option<Duo<'a>>, String> {
    let left = made.bytes.len() - duo.pos;
    match rng.below(16) {
        0 => {
            let len = 1 + rng.size(40_000);
            let other = data(rng, len);
            let dictionary = if rng.chance(50) { &made.dictionary } else { &other };
            set_dictionary(duo, dictionary, trace)?;
        }
        1 | 2 => duo.get_dictionary(trace)?,
        // Not with a byte or more of pending bits, nor primed ones: zlib 1.2.13 searches them for the marker after a shift in
        // the wrong direction. And not if the header determines the window's size: a stream after a marker then has none, and
        // zlib allocates a window of one byte and writes past its end (found by AddressSanitizer in the fuzz target `inflate`).
        3 if !duo.is_primed && duo.theirs.data_type & 63 < 8 && !duo.window_is_open => {
            let cut = rng.cut(left);
            duo.io("inflateSync", &made.bytes, (cut, 0), false, trace, |lib, s| lib.inflate_sync(s))?;
        }
        4 => {
            duo.same("inflateSyncPoint", trace, |lib, s| lib.inflate_sync_point(s).into())?;
        }
        5 if streams < 3 => return Ok(Some(duo.copy(trace)?)),
        6 if rng.chance(30) => {
            duo.reset("inflateReset", trace, |lib, s| lib.inflate_reset(s).into())?;
            if rng.chance(60) {
                duo.pos = 0;
            }
        }
        7 if rng.chance(30) => {
            duo.reset("inflateResetKeep", trace, |lib, s| lib.inflate_reset_keep(s).into())?;
        }
        8 if rng.chance(50) => {
            let bits = reading_bits(rng, made.window_bits);
            let what = format!("inflateReset2({bits})");
            if duo.reset(&what, trace, |lib, s| lib.inflate_reset2(s, bits).into())? == i64::from(OK) {
                duo.is_gzip = bits > 15;
                duo.window_is_open = says_no_window(bits);
            }
            if rng.chance(60) {
                duo.pos = 0;
            }
        }
        9 => {
            let odd = rng.odd_int();
            let bits = rng.pick(&[-1, 0, 1, 3, 7, 8, 17, 33, odd]);
            let value = rng.bits() as c_int;
            // Not where a byte or more may wait among a block's symbols: zlib's fast loop then gives back bytes that it never took.
            // Before a block its header takes three.
            let waiting = duo.theirs.data_type % 64 + duo.primed + bits.clamp(0, 16);
            let most = if duo.theirs.data_type & 128 != 0 { 7 + 3 } else { 7 };
            if (1..=16).contains(&bits) && waiting > most {
                return Ok(None);
            }
            duo.same(&format!("inflatePrime({bits}, {value:#x})"), trace, |lib, s| {
                lib.inflate_prime(s, bits, value).into()
            })?;
            duo.is_primed |= bits > 0;
            duo.primed += bits.clamp(0, 16);
        }
        10 => duo.watch_header(rng, trace)?,
        11 => {
            let on = if rng.chance(50) { rng.odd_int() } else { rng.range(0, 1) };
            duo.same(&format!("inflateUndermine({on})"), trace, |lib, s| {
                lib.inflate_undermine(s, on).into()
            })?;
        }
        12 => {
            let on = if rng.chance(50) { rng.odd_int() } else { rng.range(0, 1) };
            duo.check_may_be_off = true;
            duo.same(&format!("inflateValidate({on})"), trace, |lib, s| lib.inflate_validate(s, on).into())?;
        }
        13 => {
            duo.same("inflateCodesUsed", trace, |lib, s| lib.inflate_codes_used(s) as i64)?;
        }
        14 => {
            // bsdtar's zip reader does this between calls: a program may change the totals.
            let odd = rng.chance(30);
            let totals =
                if odd { (rng.bits() >> rng.below(64), u64::MAX - rng.below(1000) as u64) } else { (0, 0) };
            trace.add(|| format!("total_in, total_out = {totals:?}"));
            duo.forgotten = 0;
            for s in [&mut duo.ours, &mut duo.theirs] {
                (s.total_in, s.total_out) = totals;
            }
        }
        _ => {}
    }
    Ok(None)
}
