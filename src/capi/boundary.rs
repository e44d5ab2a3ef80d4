//! Helpers for the C boundary: make slices of pointers, check stream states, catch panics, and convert results to
//! return codes.

use super::types::code::*;
use super::types::z_stream;
use crate::error::{Error, Result, Status};
use crate::raw::alloc::{system_alloc, system_free};
use crate::raw::fault::{Point, point};
use crate::raw::process::{KeptErrno, Published};
use crate::raw::thread;
use crate::raw::{Allocator, Output};
use crate::stream::{Flush, Level, Strategy};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::NonNull;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// Whether the thread is inside one of our exports.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs an export's body. After a panic, which is a bug of ours, returns `on_panic`; the panic prints nothing. `errno` is
/// then as before: in zlib only file functions that fail set it.
pub(super) fn guard<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    let _errno = KeptErrno::now();
    guard_only(on_panic, body)
}

/// As [`guard`], but leaves `errno` as the body sets it.
pub(super) fn guard_only<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    contain(on_panic, || {
        point(Point::Call);
        body()
    })
}

/// As [`guard_only`], for another part of an export.
pub(super) fn contain<T>(on_panic: T, body: impl FnOnce() -> T) -> T {
    keep_panics_quiet();
    let outer = IS_INSIDE.replace(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    IS_INSIDE.set(outer);
    result.unwrap_or(on_panic)
}

/// Silences panic output for panics raised inside this library; others still reach the host's hook.
#[inline]
fn keep_panics_quiet() {
    if !IS_QUIET.load(Ordering::Relaxed) {
        silence_panics();
    }
}

/// Whether [`silence_panics`] was called.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// [`keep_panics_quiet`] at its first call. Neither of the two boxes here allocates, which could fail: one exists already, the
/// other has size 0.
#[cold]
fn silence_panics() {
    static HOST: Published<Box<PanicHook>> = Published::new();
    if std::thread::panicking() || IS_QUIET.swap(true, Ordering::Relaxed) {
        return;
    }
    match HOST.replace(None, std::panic::take_hook()) {
        Ok(_) => {
            std::panic::set_hook(Box::new(|panic| {
                let is_ours = IS_INSIDE.try_with(Cell::get).unwrap_or(true) || thread::is_ours();
                if let (false, Some(host)) = (is_ours, HOST.get()) {
                    host(panic);
                }
            }));
        }
        Err(host) => {
            std::panic::set_hook(host);
            IS_QUIET.store(false, Ordering::Relaxed);
        }
    }
}

type PanicHook = dyn Fn(&PanicHookInfo<'_>) + Sync + Send;

/// zlib's return code for an outcome.
pub(super) fn to_code(outcome: Result<Status>) -> c_int {
    match outcome {
        Ok(Status::Ok) => Z_OK,
        Ok(Status::StreamEnd) => Z_STREAM_END,
        Ok(Status::NeedDictionary) => Z_NEED_DICT,
        Err(error) => error_code(error),
    }
}

/// zlib's return code for an outcome whose only success is `Z_OK`.
pub(super) fn to_ok(outcome: Result<()>) -> c_int {
    outcome.map_or_else(error_code, |()| Z_OK)
}

fn error_code(error: Error) -> c_int {
    match error {
        Error::Stream => Z_STREAM_ERROR,
        Error::Data => Z_DATA_ERROR,
        Error::Memory => Z_MEM_ERROR,
        Error::Buffer => Z_BUF_ERROR,
        Error::Io => Z_ERRNO,
    }
}

/// zlib's text for a return code.
pub(super) fn text(code: c_int) -> &'static CStr {
    match code {
        Z_NEED_DICT => c"need dictionary",
        Z_STREAM_END => c"stream end",
        Z_ERRNO => c"file error",
        Z_STREAM_ERROR => c"stream error",
        Z_DATA_ERROR => c"data error",
        Z_MEM_ERROR => c"insufficient memory",
        Z_BUF_ERROR => c"buffer error",
        Z_VERSION_ERROR => c"incompatible version",
        _ => c"",
    }
}

/// Whether a program was built for this ABI: checks the major version and the size of `z_stream`.
///
/// # Safety
/// - `version` is null or a C string.
pub(super) unsafe fn fits(version: *const c_char, stream_size: c_int) -> bool {
    // SAFETY: not null, so at least one byte is readable.
    !version.is_null()
        && unsafe { *version } == b'1' as c_char
        && stream_size == size_of::<z_stream>() as c_int
}

pub(super) fn flush(flush: c_int) -> Option<Flush> {
    Some(match flush {
        0 => Flush::None,
        1 => Flush::Partial,
        2 => Flush::Sync,
        3 => Flush::Full,
        4 => Flush::Finish,
        5 => Flush::Block,
        6 => Flush::Trees,
        _ => return None,
    })
}

pub(super) fn level(level: c_int) -> Option<Level> {
    Level::of_zlib(level).ok()
}

pub(super) fn strategy(strategy: c_int) -> Option<Strategy> {
    Some(match strategy {
        0 => Strategy::Default,
        1 => Strategy::Filtered,
        2 => Strategy::HuffmanOnly,
        3 => Strategy::Rle,
        4 => Strategy::Fixed,
        _ => return None,
    })
}

/// The caller's input buffer as a slice.
///
/// # Safety
/// - `start` is valid for reads of `len` bytes for `'a`, or `len` is 0.
pub(super) unsafe fn slice<'a>(start: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller guarantees `len` bytes, and there is at least one, so `start` is not null.
    unsafe { core::slice::from_raw_parts(start, len) }
}

/// The input and the room for output that a `z_stream` has for one call.
pub(super) struct Exchange<'a> {
    strm: NonNull<z_stream>,
    input: &'a [u8],
    output: Output<'a>,
}

impl Exchange<'_> {
    /// `None` if a buffer is null but its length is not 0.
    ///
    /// # Safety
    /// - `strm` is valid, and so are the buffers that it describes, for the length of the call.
    pub(super) unsafe fn new(strm: NonNull<z_stream>) -> Option<Self> {
        // SAFETY: the caller guarantees that `strm` is valid.
        let z_stream { next_out, avail_out, .. } = unsafe { strm.as_ref() };
        if next_out.is_null() && *avail_out != 0 {
            return None;
        }
        // SAFETY: the caller guarantees the buffer, and it is null only if its length is 0.
        let output = unsafe { Output::from_raw(*next_out, *avail_out as usize) };
        // SAFETY: the caller's promise is the same.
        Some(Self { output, ..unsafe { Self::input_only(strm) }? })
    }

    /// As [`new`](Self::new), for a call that writes no output and must not check `next_out`: there is no room.
    ///
    /// # Safety
    /// - `strm` is valid, and so is the input that it describes, for the length of the call.
    pub(super) unsafe fn input_only(strm: NonNull<z_stream>) -> Option<Self> {
        // SAFETY: the caller guarantees that `strm` is valid.
        let z_stream { next_in, avail_in, .. } = unsafe { strm.as_ref() };
        if next_in.is_null() && *avail_in != 0 {
            return None;
        }
        // SAFETY: the caller guarantees the buffer, and it is null only if its length is 0.
        let input = unsafe { slice(*next_in, *avail_in as usize) };
        Some(Self { strm, input, output: Output::new(&mut []) })
    }

    /// Lets `work` take input and append output, then updates the `z_stream`: pointers, lengths and totals.
    ///
    /// # Panics
    /// If `work` replaces the input with a longer one, or the output with another cursor: the lengths would not apply
    /// to the `z_stream`'s buffers.
    pub(super) fn lend<T>(self, work: impl FnOnce(&mut &[u8], &mut Output<'_>) -> T) -> T {
        let Self { mut strm, mut input, output } = self;
        let given = input.len();
        let (result, written) = output.lend(|output| work(&mut input, output));
        let taken = given.checked_sub(input.len()).expect("the input was replaced");
        // SAFETY: the constructor's caller guaranteed that `strm` is valid for the length of the call.
        let strm = unsafe { strm.as_mut() };
        strm.next_in = strm.next_in.wrapping_add(taken);
        strm.avail_in -= taken as u32;
        // A program may set the totals back between calls, so we only ever add.
        strm.total_in = strm.total_in.wrapping_add(taken as u64);
        strm.next_out = strm.next_out.wrapping_add(written);
        strm.avail_out -= written as u32;
        strm.total_out = strm.total_out.wrapping_add(written as u64);
        result
    }
}

/// A magic number: distinguishes the kinds of state from each other, and from memory that is not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum Kind {
    Deflate = 0x7a67_6972_4445_4631,
    Inflate = 0x7a67_6972_494e_4631,
    Back = 0x7a67_6972_4241_4331,
}

/// Marks the kind of a stream that a panic left in an unknown state.
const DEAD: u64 = 1 << 63;

/// The target of `z_stream.state`. `kind` and `strm` come first in every state, so that they can be read from any.
#[repr(C)]
pub(super) struct StreamState<T> {
    /// A [`Kind`], kept as a number because a foreign state may hold anything.
    kind: u64,
    /// The stream it was made for: a moved copy of a `z_stream` is refused, as zlib does.
    strm: *mut z_stream,
    allocator: Allocator,
    inner: T,
}

/// Runs an export's body and marks the stream dead if it panics. It borrows the stream's kind.
pub(super) struct StreamGuard<'a>(&'a mut u64);

impl<T> StreamState<T> {
    /// The stream's guard and the stream, for the length of one call.
    pub(super) fn parts(&mut self) -> (StreamGuard<'_>, &mut T) {
        (StreamGuard(&mut self.kind), &mut self.inner)
    }
}

impl StreamGuard<'_> {
    /// As [`guard`], for an export's work on the stream: a panic marks it dead. Every later call is then refused,
    /// except that the one that ends the stream frees its memory.
    pub(super) fn guard<T>(self, on_panic: T, body: impl FnOnce() -> T) -> T {
        guard(None, || Some(body())).unwrap_or_else(|| {
            *self.0 |= DEAD;
            on_panic
        })
    }
}

/// The allocator that a stream requests. Its null fields are filled in, because programs read them.
///
/// # Safety
/// - `strm`'s allocator fields are null or keep zlib's contract.
pub(super) unsafe fn allocator(strm: &mut z_stream) -> Allocator {
    if strm.zalloc.is_none() {
        strm.opaque = core::ptr::null_mut();
    }
    let alloc = *strm.zalloc.get_or_insert(system_alloc);
    let free = *strm.zfree.get_or_insert(system_free);
    // SAFETY: the caller guarantees that the program's own pair keeps the contract, and ours does.
    unsafe { Allocator::foreign(alloc, free, strm.opaque) }
}

/// Allocates a state and stores it in `strm`.
#[inline(always)]
pub(super) fn install<T>(strm: &mut z_stream, kind: Kind, allocator: Allocator, inner: T) -> Result<()> {
    let state = StreamState { kind: kind as u64, strm, allocator, inner };
    let place = allocator.place(state).map_err(|_| Error::Memory)?;
    strm.state = place.as_ptr().cast::<c_void>();
    Ok(())
}

/// The state of a stream, if it has this kind and belongs to this very `z_stream`.
///
/// # Safety
/// - `strm` is null or valid; its state is null or came from [`install`] with the same `T` for the same kind.
pub(super) unsafe fn state<'a, T>(strm: *mut z_stream, kind: Kind) -> Option<&'a mut StreamState<T>> {
    // SAFETY: the caller's promise is the same.
    unsafe { any_state(strm, kind) }.filter(|state| state.kind & DEAD == 0)
}

/// As [`state`], dead or alive.
///
/// # Safety
/// - As for [`state`].
unsafe fn any_state<'a, T>(strm: *mut z_stream, kind: Kind) -> Option<&'a mut StreamState<T>> {
    // SAFETY: the caller guarantees that `strm` is valid.
    let stream = unsafe { strm.as_ref() }?;
    if stream.zalloc.is_none() || stream.zfree.is_none() {
        return None;
    }
    let place = stream.state.cast::<StreamState<T>>();
    if place.is_null() {
        return None;
    }
    // SAFETY: not null, so `install` put a state of some kind there, which begins with its kind.
    let found = unsafe { (*place).kind };
    // SAFETY: as above; the back pointer comes second in every kind.
    let owner = unsafe { (*place).strm };
    if found & !DEAD != kind as u64 || owner != strm {
        return None;
    }
    // SAFETY: the kind shows that it is a `StreamState<T>`, and the program uses a stream from one thread at a time.
    Some(unsafe { &mut *place })
}

/// Removes a stream's state and frees its memory. Returns the result of `look`, called before that; `None` for a dead
/// stream, which is freed too.
///
/// # Safety
/// - As for [`state`].
pub(super) unsafe fn remove<T, R>(strm: *mut z_stream, kind: Kind, look: impl FnOnce(&T) -> R) -> Option<R> {
    // SAFETY: the caller's promise is `state`'s.
    let state = unsafe { any_state::<T>(strm, kind) }?;
    let (allocator, is_dead) = (state.allocator, state.kind & DEAD != 0);
    state.kind = 0;
    let last_look = (!is_dead).then(|| look(&state.inner));
    let place = NonNull::from(state);
    // SAFETY: `state` found `strm` valid.
    unsafe { (*strm).state = core::ptr::null_mut() };
    // SAFETY: `install` placed it with this allocator, and the stream has forgotten it.
    unsafe { allocator.discard(place) };
    last_look
}

/// Copies a history and its length to the program's pointers, each of which may be null.
///
/// # Safety
/// - `place` is null or has room for the history, at most 32 KiB; `len` is null or valid.
pub(super) unsafe fn give_dictionary(history: &[u8], place: *mut u8, len: *mut u32) {
    if !place.is_null() {
        // SAFETY: the caller guarantees the room; the history is in our own memory, so the two do not overlap.
        unsafe { core::ptr::copy_nonoverlapping(history.as_ptr(), place, history.len()) };
    }
    // SAFETY: the caller guarantees that it is null or valid.
    if let Some(len) = unsafe { len.as_mut() } {
        *len = history.len() as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `z_stream` with 4 bytes of input and room for 4 bytes.
    fn with_stream<T>(work: impl FnOnce(Exchange<'_>) -> T) -> (T, z_stream) {
        let mut memory = [0; 4];
        // SAFETY: zeros are null pointers, no functions and numbers.
        let mut strm = unsafe { core::mem::zeroed::<z_stream>() };
        (strm.next_in, strm.avail_in) = (b"abcd".as_ptr(), 4);
        (strm.next_out, strm.avail_out) = (memory.as_mut_ptr(), 4);
        // SAFETY: both buffers have 4 bytes, and outlive the call.
        let exchange = unsafe { Exchange::new(NonNull::from(&mut strm)) }.expect("no buffer is null");
        let result = work(exchange);
        (result, strm)
    }

    #[test]
    fn an_exchange_counts_what_was_taken_and_written() {
        let (count, strm) = with_stream(|exchange| {
            exchange.lend(|input, output| {
                *input = &input[3..];
                output.put(b"xy")
            })
        });
        assert_eq!((count, strm.avail_in, strm.total_in, strm.avail_out, strm.total_out), (2, 1, 3, 2, 2));
    }

    #[test]
    #[should_panic(expected = "the input was replaced")]
    fn a_longer_input_does_not_count_for_the_one_that_was_lent() {
        with_stream(|exchange| exchange.lend(|input, _| *input = &[0; 5]));
    }

    #[test]
    #[should_panic(expected = "the cursor was replaced")]
    fn another_output_does_not_count_for_the_one_that_was_lent() {
        let large = Box::leak(Box::new([0; 1000]));
        with_stream(|exchange| {
            exchange.lend(|_, output| {
                *output = Output::new(large);
                output.put(&[1; 1000])
            })
        });
    }
}
