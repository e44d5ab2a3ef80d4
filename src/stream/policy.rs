//! The one place that decides which engine compresses, and whether in parallel.
//!
//! The engine and the chunk boundaries determine the output bytes. They depend only on the stream's parameters, the
//! bytes between two flushes and the switches, never on threads, time or how calls divide the bytes. Whether threads help is decided
//! here too, and affects only the time.

#![forbid(unsafe_code)]

use crate::config::config;
use crate::format::bgzf;
use crate::format::params::{Level, Strategy};
use crate::pipeline::{self, Between};
use crate::raw::{Allocator, module};
use crate::zng::DeflateParams;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Workers are used from this many unflushed bytes on: with fewer there is almost no gain.
const PARALLEL_FROM: usize = 1 << 20;

/// Bytes in the first chunk of a segment (the input between two flushes). With it, output begins and memory use grows
/// about as soon as with zlib.
const FIRST_CHUNK: usize = 128 << 10;

/// Bytes in the third chunk and later ones; the second has half of this. Entering the 32 KiB before a chunk in
/// the tables costs 5 to 7 % at 128 KiB and almost nothing at 512 KiB.
const CHUNK: usize = 512 << 10;

/// A segment shorter than this is a message: the message encoder compresses it, and keeps its window for the next one.
pub(super) const MESSAGE: usize = 8 << 10;

/// The smallest `memLevel` with which a stream may use the pipeline: until it does, the message encoder must hold
/// [`MESSAGE`] bytes.
const BULK_MEM_LEVEL: i32 = 7;

/// Room for output below which zlib itself may need another call.
const SMALL_ROOM: usize = 32 << 10;

/// Whether a stream's long segments go to the pipeline: it compresses, and has the usual window, enough memory, and a
/// strategy of our own encoder.
pub(super) fn is_for_pipeline(params: &DeflateParams) -> bool {
    params.level.number() > 0
        && params.window_bits == 15
        && params.mem_level >= BULK_MEM_LEVEL
        && params.strategy.is_general()
}

/// Whether zlib-ng compresses the stream: for `Z_HUFFMAN_ONLY`, `Z_RLE` and `Z_FIXED`.
pub(super) fn is_for_zng(params: &DeflateParams) -> bool {
    !params.strategy.is_general()
}

/// The level of the message encoder, and whether the data is filtered.
pub(super) fn message_level(params: &DeflateParams) -> (u32, bool) {
    (mapped(params.level).number().min(9), params.strategy == Strategy::Filtered)
}

/// The parameters for zlib-ng.
pub(super) fn zng_params(params: &DeflateParams) -> DeflateParams {
    DeflateParams { level: mapped(params.level), ..*params }
}

/// Whether and why a call that has room for output may return while work is in flight. Later calls must fetch its output, and not every program makes them: programs are written for zlib, which holds back one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// No known reason to hold: the output of all started work is delivered within the call.
    No,
    /// The library itself fetches the output: `gzwrite()`, `compress()`.
    OwnOutput,
    /// The room is small enough that zlib, too, may need another call.
    SmallRoom,
    /// The program has called again, without input, after a call that filled the room.
    Loops,
    /// The stream was created by code in a file that is known to fetch all output: see [`KNOWN_FILES`].
    Known,
    /// `RIGZ_HOLD_BACK=any`.
    Switch,
}

impl Hold {
    pub(super) fn may_hold(self) -> bool {
        self != Hold::No
    }
}

/// The name of a file whose code creates streams.
#[derive(Clone, Copy, Debug)]
enum Name {
    Is(&'static [u8]),
    BeginsWith(&'static [u8]),
}

/// Files whose streams may keep work in flight, since their code fetches all output regardless of the room it offers.
/// We read the code of each, and a test in `tests/preload`, named in parentheses, runs it with threads.
///
/// - CPython, Modules/zlibmodule.c: `compress()`, `flush()` and the one-shot function call `deflate()` until it leaves room, and
///   `flush()` with `Z_FINISH` until the end. The module is within the program, within libpython, or a separate file. (`python`)
/// - libarchive: archive_write_add_filter_gzip.c ends with calls until `Z_STREAM_END`, archive_write_set_format_zip.c with calls until
///   one leaves room. (`bsdtar`)
/// - The JDK's libzip.so: DeflaterOutputStream and its subclasses (GZIPOutputStream, ZipOutputStream, used by jar) call until
///   `Deflater.finished()`, which is `Z_STREAM_END`; `Deflater` has no other way to know that output is complete. The
///   unrelated library of that name is libzip.so.5. (`java`)
///
/// Not PHP: its output handler (ext/zlib, `php_zlib_output_handler_ex`) fails if one call of `Z_FINISH` is not enough. Hadoop's
/// native codec was not run.
const KNOWN_FILES: [Name; 5] = [
    Name::BeginsWith(b"python3"),
    Name::BeginsWith(b"libpython3"),
    Name::BeginsWith(b"zlib.cpython-"),
    Name::BeginsWith(b"libarchive.so."),
    Name::Is(b"libzip.so"),
];

fn is_known_file(file: &[u8]) -> bool {
    KNOWN_FILES.iter().any(|known| match *known {
        Name::Is(name) => file == name,
        Name::BeginsWith(start) => file.starts_with(start),
    })
}

/// Whether the code at `address` is in one of the [`KNOWN_FILES`]. The last answer is cached: most programs create long
/// streams in one place.
fn is_known(address: usize) -> bool {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    // The lowest bit of the cached word is the answer. Two addresses that differ only in that bit share it: they are in
    // one file.
    let last = LAST.load(Ordering::Relaxed);
    if last & !1 == address & !1 {
        return last & 1 == 1;
    }
    let is_known = module::is_in_file(address, is_known_file);
    LAST.store(address & !1 | usize::from(is_known), Ordering::Relaxed);
    is_known
}

/// Observations of how the program calls `deflate()`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Caller {
    pub(super) owns_output: bool,
    /// An address in the file that created the stream; 0 if unknown.
    pub(super) origin: usize,
    /// Whether that file is one of the [`KNOWN_FILES`], once looked up.
    is_known: Option<bool>,
    /// The last call took all input and left no room.
    was_left_full: bool,
    loops: bool,
}

impl Caller {
    /// A call without a flush begins, with this many bytes of input and of room.
    pub(super) fn note_call(&mut self, input: usize, room: usize) {
        self.loops |= self.was_left_full && input == 0 && room > 0;
    }

    /// The call ends, with this many bytes of input and of room left.
    pub(super) fn note_return(&mut self, input: usize, room: usize) {
        self.was_left_full = input == 0 && room == 0;
    }

    /// A call took input and left room for output.
    pub(super) fn note_progress(&mut self) {
        self.was_left_full = false;
    }

    /// Whether work may be in flight after a call that has `room` bytes for output. The file that created the stream is
    /// looked up only if a segment `is_long` enough for workers.
    pub(super) fn hold(&mut self, room: usize, is_long: bool) -> Hold {
        if is_long && !self.owns_output && self.is_known.is_none() {
            self.is_known = Some(pipeline::thread_limit() > 1 && is_known(self.origin));
        }
        match () {
            () if self.owns_output => Hold::OwnOutput,
            () if config().hold_back => Hold::Switch,
            () if self.is_known == Some(true) => Hold::Known,
            () if self.loops => Hold::Loops,
            () if room < SMALL_ROOM => Hold::SmallRoom,
            () => Hold::No,
        }
    }
}

/// The level used when the program requests `level`.
fn mapped(level: Level) -> Level {
    Level::new(config().level_map.get(level.number())).unwrap_or(level)
}

/// The level at which our own engine compresses when the program requests `level`.
pub(super) fn level_for(level: Level, strategy: Strategy) -> Level {
    let level = mapped(level);
    // As in zlib, the filtered strategy has no effect at the lowest levels.
    if strategy == Strategy::Filtered && level.number() > 3 { level.filtered() } else { level }
}

/// A segment is compressed in parallel from this many unflushed bytes on.
pub(super) fn parallel_from() -> usize {
    config().threshold.unwrap_or(PARALLEL_FROM)
}

/// What workers may do between the program's calls. A program with its own allocator may abandon a stream without
/// `deflateEnd()` and free its arena as a whole, so no worker has a job of such a stream between calls.
pub(super) fn between(allocator: &Allocator) -> Between {
    if allocator.is_system() { Between::GoOn } else { Between::Rest }
}

/// Bytes in chunk `number`, counted from 0, of a segment.
pub(super) fn chunk_len(number: usize) -> usize {
    let usual = match number {
        0 => FIRST_CHUNK,
        1 => CHUNK / 2,
        _ => CHUNK,
    };
    config().chunk.unwrap_or(usual)
}

/// As [`chunk_len`], for a BGZF stream: whole blocks, so that the output does not depend on the chunks.
pub(super) fn bgzf_chunk_len(number: usize) -> usize {
    (chunk_len(number) / bgzf::BLOCK_DATA).max(1) * bgzf::BLOCK_DATA
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_files_are_those_that_fetch_all_output() {
        for file in ["python3.11", "libpython3.12.so.1.0", "libarchive.so.13.6.2", "libzip.so"] {
            assert!(is_known_file(file.as_bytes()), "{file}");
        }
        for file in ["", "python2.7", "libzip.so.5", "libarchive", "php8.2", "fossil", "zstd"] {
            assert!(!is_known_file(file.as_bytes()), "{file}");
        }
    }

    #[test]
    fn a_program_is_looked_up_once_and_only_for_long_segments() {
        let mut caller = Caller { origin: is_known_file as *const () as usize, ..Caller::default() };
        assert_eq!(caller.hold(SMALL_ROOM, false), Hold::No);
        assert_eq!(caller.is_known, None);
        assert_eq!(caller.hold(SMALL_ROOM, true), Hold::No);
        assert_eq!(caller.is_known, Some(false));
    }
}
