//! Streaming compression.

use super::boundary::*;
use super::types::code::*;
use super::types::{gz_header, uInt, uLong, z_size_t, z_stream};
use crate::error::{Error, Result};
use crate::format::gzip;
use crate::raw::Output;
use crate::stream::Flush;
use crate::stream::deflate::{Config, DeflateStream};
use crate::stream::oneshot;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr::NonNull;

versions! {
    "ZLIB_1.2.0": deflateBound;
    "ZLIB_1.2.0.8": deflatePrime;
    "ZLIB_1.2.2": deflateSetHeader;
    "ZLIB_1.2.2.3": deflateTune;
    "ZLIB_1.2.5.1": deflatePending;
    "ZLIB_1.2.5.2": deflateResetKeep;
    "ZLIB_1.2.9": deflateGetDictionary;
    "ZLIB_1.3.1.2": deflateUsed;
    "ZLIB_1.3.2": deflateBound_z;
}

/// A compressing stream and the header that the program keeps for it.
struct Deflate {
    stream: DeflateStream,
    /// The program's `gz_header`, or null. Read when it is needed, as zlib does, so a program may fill it in late.
    header: *mut gz_header,
}

/// The state of a compressing stream, or `Z_STREAM_ERROR` from the calling function.
macro_rules! stream {
    ($strm:expr) => {{
        // SAFETY: the program's `z_stream` is null or valid, its state null or one of ours.
        match unsafe { state::<Deflate>($strm, Kind::Deflate) } {
            Some(state) => state.parts(),
            None => return Z_STREAM_ERROR,
        }
    }};
}

impl Deflate {
    /// The gzip header to write, read from the program's struct.
    ///
    /// # Safety
    /// - The program's header and the texts it names are valid, as `deflateSetHeader` asks.
    unsafe fn header<'a>(&self) -> Option<gzip::Header<'a>> {
        // SAFETY: the caller guarantees that the struct is valid, if there is one.
        let header = unsafe { self.header.as_ref() }?;
        let bytes = |text: *mut u8| {
            // SAFETY: the caller guarantees that the texts end with a zero.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text.cast()) }.to_bytes_with_nul())
        };
        let extra_len = header.extra_len as usize & 0xffff;
        Some(gzip::Header {
            text: header.text != 0,
            time: header.time as u32,
            os: header.os as u8,
            // SAFETY: the caller guarantees `extra_len` bytes.
            extra: (!header.extra.is_null()).then(|| unsafe { slice(header.extra, extra_len) }),
            name: bytes(header.name),
            comment: bytes(header.comment),
            has_crc: header.hcrc != 0,
        })
    }

    /// The program's header, while it is not completely written. Later the program may have freed it.
    ///
    /// # Safety
    /// - As for [`header`](Self::header).
    unsafe fn header_to_write<'a>(&self) -> Option<gzip::Header<'a>> {
        // SAFETY: the caller guarantees that the header is valid.
        if self.stream.has_header_left() { unsafe { self.header() } } else { None }
    }

    /// Updates the fields of `z_stream` that are not about the buffers.
    fn publish(&self, strm: &mut z_stream) {
        if let Some(check) = self.stream.check() {
            strm.adler = uLong::from(check);
        }
        strm.data_type = self.stream.data_type();
    }
}

// C functions that add their return address to the arguments: see origin.c.
unsafe extern "C" {
    fn rigz_deflate_init();
    fn rigz_deflate_init2();
}

/// A jump to a C function that leaves all arguments and the return address in place.
macro_rules! jump_to {
    ($function:ident) => {{
        #[cfg(target_arch = "x86_64")]
        core::arch::naked_asm!("jmp {}", sym $function);
        #[cfg(target_arch = "aarch64")]
        core::arch::naked_asm!("b {}", sym $function);
        #[cfg(target_arch = "riscv64")]
        core::arch::naked_asm!("tail {}", sym $function);
    }};
}

/// Initializes `strm` for compression to a zlib stream at `level` (0 to 9, or -1 for the default,
/// 6). The caller sets `zalloc`, `zfree` and `opaque` first; null functions select the default
/// allocator. C programs call the macro `deflateInit`, which passes `version` and `stream_size`.
/// The stream owns memory until `deflateEnd`.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: `strm` is null or `level` is out of range; `Z_MEM_ERROR`: no memory;
/// `Z_VERSION_ERROR`: `version` or `stream_size` does not match this library.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn deflateInit_(
    strm: *mut z_stream,
    level: c_int,
    version: *const c_char,
    stream_size: c_int,
) -> c_int {
    jump_to!(rigz_deflate_init)
}

/// Initializes `strm` as `deflateInit_` does, with all parameters. Called by the macro
/// `deflateInit2`. `method` is 8 (deflate). `window_bits` selects the format and a window of
/// `1 << n` bytes: n (9 to 15) for zlib, n + 16 for gzip, -n for raw deflate; for zlib, 8 counts as
/// 9. `mem_level` is 1 to 9, `strategy` is 0 to 4 (`Z_DEFAULT_STRATEGY` to `Z_FIXED`).
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: `strm` is null or a parameter is out of range; `Z_MEM_ERROR`: no
/// memory; `Z_VERSION_ERROR`: `version` or `stream_size` does not match this library.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn deflateInit2_(
    strm: *mut z_stream,
    level: c_int,
    method: c_int,
    window_bits: c_int,
    mem_level: c_int,
    strategy: c_int,
    version: *const c_char,
    stream_size: c_int,
) -> c_int {
    jump_to!(rigz_deflate_init2)
}

/// `deflateInit2_` for a caller whose code is at the address `origin`. Called only by origin.c.
#[unsafe(no_mangle)]
unsafe extern "C" fn rigz_deflate_init_at(
    strm: *mut z_stream,
    level: c_int,
    method: c_int,
    window_bits: c_int,
    mem_level: c_int,
    strategy: c_int,
    version: *const c_char,
    stream_size: c_int,
    origin: *const c_void,
) -> c_int {
    // SAFETY: `version` is null or a C string.
    if !unsafe { fits(version, stream_size) } {
        return Z_VERSION_ERROR;
    }
    // SAFETY: null or the program's stream.
    let Some(strm) = (unsafe { strm.as_mut() }) else { return Z_STREAM_ERROR };
    strm.msg = core::ptr::null();
    // SAFETY: the program's allocator is null or keeps the contract.
    let allocator = unsafe { allocator(strm) };
    let (level, strategy) = (super::boundary::level(level), super::boundary::strategy(strategy));
    let (Some(level), Some(strategy)) = (level, strategy) else { return Z_STREAM_ERROR };
    if method != 8 {
        return Z_STREAM_ERROR;
    }
    guard(Z_STREAM_ERROR, || {
        let config = Config { level, window_bits, mem_level, strategy };
        let outcome = DeflateStream::new(config, allocator).and_then(|mut stream| {
            stream.set_origin(origin as usize);
            restart(strm);
            let deflate = Deflate { stream, header: core::ptr::null_mut() };
            deflate.publish(strm);
            install(strm, Kind::Deflate, allocator, deflate)
        });
        if outcome == Err(Error::Memory) {
            // Clears any old value: as in zlib, deflateEnd() may be called on a stream that was refused its memory.
            strm.state = core::ptr::null_mut();
            strm.msg = text(Z_MEM_ERROR).as_ptr();
        }
        to_ok(outcome)
    })
}

fn restart(strm: &mut z_stream) {
    (strm.total_in, strm.total_out) = (0, 0);
    strm.msg = core::ptr::null();
    strm.data_type = 2; // Z_UNKNOWN
    strm.adler = 1; // zlib's value for a raw stream; `publish` sets it for the others.
}

/// Compresses `avail_in` bytes at `next_in` to at most `avail_out` bytes at `next_out`, as far as
/// possible, and updates these fields and the totals. `flush` is `Z_NO_FLUSH` to `Z_BLOCK`. With
/// `Z_FINISH`, call again with more room until it returns `Z_STREAM_END`.
/// Returns `Z_OK` after progress, `Z_STREAM_END` after the last byte of the stream is written.
/// Errors: `Z_BUF_ERROR`: no progress is possible (not fatal: call again with more input or room);
/// `Z_STREAM_ERROR`: the stream, a buffer pointer or `flush` is invalid, or another flush follows
/// `Z_FINISH`; `Z_MEM_ERROR`: no memory (nothing is lost: the call may be repeated).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflate(strm: *mut z_stream, flush: c_int) -> c_int {
    let (stream_guard, deflate) = stream!(strm);
    // Only inflate accepts Z_TREES.
    let Some(flush) = super::boundary::flush(flush).filter(|flush| *flush != Flush::Trees) else {
        return Z_STREAM_ERROR;
    };
    stream_guard.guard(Z_STREAM_ERROR, || {
        // SAFETY: `stream!` found a valid stream.
        let strm = unsafe { &mut *strm };
        let outcome = if strm.next_out.is_null() {
            Err(Error::Stream)
        } else {
            // SAFETY: the program's buffers are as its stream says.
            unsafe {
                run(deflate, strm, |stream, input, output, header| {
                    stream.deflate_with_header(input, output, flush, header)
                })
            }
        };
        if let Err(error @ (Error::Stream | Error::Buffer)) = outcome {
            strm.msg = text(to_ok(Err(error))).as_ptr();
        }
        to_code(outcome)
    })
}

/// Runs `work` on the program's buffers and header, and updates the `z_stream` afterwards.
///
/// # Safety
/// - The program's buffers are valid, and its header is until it is written.
unsafe fn run<T>(
    deflate: &mut Deflate,
    strm: &mut z_stream,
    work: impl FnOnce(&mut DeflateStream, &mut &[u8], &mut Output<'_>, Option<&gzip::Header<'_>>) -> Result<T>,
) -> Result<T> {
    // SAFETY: the caller guarantees that the buffers are valid.
    let exchange = unsafe { Exchange::new(NonNull::from(&mut *strm)) }.ok_or(Error::Stream)?;
    // SAFETY: the caller guarantees that the header is valid until it is written.
    let header = unsafe { deflate.header_to_write() };
    let outcome = exchange.lend(|input, output| work(&mut deflate.stream, input, output, header.as_ref()));
    deflate.publish(strm);
    outcome
}

/// Frees all memory of the stream; input that is not compressed and output not delivered are lost.
/// Returns `Z_OK`.
/// Errors: `Z_DATA_ERROR`: the stream was begun but not finished; its memory is freed anyway. If
/// `deflate` with `Z_FINISH` has taken all input, up to 64 KiB of undelivered output are lost
/// without this error. `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateEnd(strm: *mut z_stream) -> c_int {
    guard(Z_STREAM_ERROR, || {
        // SAFETY: the program's `z_stream` is null or valid, its state null or one of ours.
        match unsafe { remove(strm, Kind::Deflate, |deflate: &Deflate| deflate.stream.is_unfinished()) } {
            Some(true) => Z_DATA_ERROR,
            Some(false) => Z_OK,
            None => Z_STREAM_ERROR,
        }
    })
}

/// Resets the stream to its start and keeps its parameters.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid; `Z_MEM_ERROR`: no memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateReset(strm: *mut z_stream) -> c_int {
    // SAFETY: the same contract.
    unsafe { reset(strm, DeflateStream::reset) }
}

/// Resets the stream as `deflateReset` does, but keeps the window: later data may refer to earlier
/// data, so the receiver needs the earlier data too.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid; `Z_MEM_ERROR`: no memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateResetKeep(strm: *mut z_stream) -> c_int {
    // SAFETY: the same contract.
    unsafe { reset(strm, DeflateStream::reset_keep) }
}

unsafe fn reset(strm: *mut z_stream, reset: impl FnOnce(&mut DeflateStream) -> Result<()>) -> c_int {
    let (stream_guard, deflate) = stream!(strm);
    stream_guard.guard(Z_STREAM_ERROR, || {
        let code = to_ok(reset(&mut deflate.stream));
        // SAFETY: `stream!` found a valid stream.
        let strm = unsafe { &mut *strm };
        restart(strm);
        deflate.publish(strm);
        code
    })
}

/// Changes `level` (0 to 9, or -1 for 6) and `strategy` (0 to 4) for the input that follows. After
/// the first call of `deflate`, this function compresses the input at `next_in` with the old
/// parameters and flushes it to `next_out` before it changes one of them.
/// Returns `Z_OK`.
/// Errors: `Z_BUF_ERROR`: the flush needs more room (parameters unchanged: call again with more);
/// `Z_STREAM_ERROR`: the stream, a buffer pointer or a parameter is invalid, or the stream has
/// ended; `Z_MEM_ERROR`: no memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateParams(strm: *mut z_stream, level: c_int, strategy: c_int) -> c_int {
    let (stream_guard, deflate) = stream!(strm);
    let (level, strategy) = (super::boundary::level(level), super::boundary::strategy(strategy));
    let (Some(level), Some(strategy)) = (level, strategy) else { return Z_STREAM_ERROR };
    stream_guard.guard(Z_STREAM_ERROR, || {
        // SAFETY: `stream!` found a valid stream.
        let strm = unsafe { &mut *strm };
        if !deflate.stream.params_need_buffers(level, strategy) {
            // The buffers need not be valid in this case.
            return to_ok(deflate.stream.params(level, strategy, &mut &[][..], &mut Output::new(&mut [])));
        }
        let outcome = if strm.next_out.is_null() {
            Err(Error::Stream)
        } else {
            // SAFETY: the program's buffers are as its stream says.
            unsafe {
                run(deflate, strm, |stream, input, output, header| {
                    if stream.is_within_header() {
                        _ = stream.deflate_with_header(&mut &[][..], output, Flush::None, header);
                        if stream.is_within_header() {
                            return Err(Error::Buffer);
                        }
                    }
                    stream.params(level, strategy, input, output)
                })
            }
        };
        if let Err(error @ Error::Stream) = outcome {
            strm.msg = text(to_ok(Err(error))).as_ptr();
        }
        to_ok(outcome)
    })
}

/// Sets the `len` bytes at `dictionary` as earlier data to which later data may refer; the bytes
/// are copied. Only the last bytes count, up to the window size (at most 32 KiB). A zlib stream
/// accepts this before the first `deflate`, a raw stream also after a completed flush, a gzip
/// stream never.
/// Returns `Z_OK`; for a zlib stream, `strm->adler` is then the Adler-32 of the dictionary.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid or cannot accept a dictionary now, or
/// `dictionary` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateSetDictionary(
    strm: *mut z_stream,
    dictionary: *const u8,
    len: uInt,
) -> c_int {
    let (stream_guard, deflate) = stream!(strm);
    if dictionary.is_null() {
        return Z_STREAM_ERROR;
    }
    stream_guard.guard(Z_STREAM_ERROR, || {
        // SAFETY: the program promises `len` bytes.
        let outcome = deflate.stream.set_dictionary(unsafe { slice(dictionary, len as usize) });
        // SAFETY: `stream!` found a valid stream.
        let strm = unsafe { &mut *strm };
        deflate.publish(strm);
        if let Ok(kept) = outcome {
            // zlib counts the dictionary bytes that its window takes as input.
            strm.total_in = strm.total_in.wrapping_add(kept as u64);
        }
        to_ok(outcome.map(|_| ()))
    })
}

/// Copies the data to which later data may refer (the end of the dictionary and the input, at most
/// 32 KiB) to `dictionary`, and stores its length in bytes in `*len`. `dictionary` must have room
/// for 32 KiB. Either pointer may be null.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid; `Z_MEM_ERROR`: no memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateGetDictionary(
    strm: *mut z_stream,
    dictionary: *mut u8,
    len: *mut uInt,
) -> c_int {
    let (stream_guard, deflate) = stream!(strm);
    stream_guard.guard(Z_STREAM_ERROR, || {
        to_ok(deflate.stream.dictionary().map(|history| {
            // SAFETY: null, or the program's with room for 32 KiB and for a length.
            unsafe { give_dictionary(&history, dictionary, len) };
        }))
    })
}

/// Inserts the low `bits` bits of `value` (0 to 16 bits) before the next output of the stream.
/// Returns `Z_OK`.
/// Errors: `Z_BUF_ERROR`: `bits` is out of range, or the stream has no room for the bits now;
/// `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflatePrime(strm: *mut z_stream, bits: c_int, value: c_int) -> c_int {
    let (stream_guard, deflate) = stream!(strm);
    stream_guard.guard(Z_STREAM_ERROR, || to_ok(deflate.stream.prime(bits, value)))
}

/// Sets the limits of the match search: the lengths in bytes `good`, `lazy` and `nice`, and the
/// maximum number of candidates `chain`. They are described in zlib's deflate.c. From then on,
/// until `deflateReset`, one thread compresses the stream.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateTune(
    strm: *mut z_stream,
    good: c_int,
    lazy: c_int,
    nice: c_int,
    chain: c_int,
) -> c_int {
    let (stream_guard, deflate) = stream!(strm);
    stream_guard.guard(Z_STREAM_ERROR, || to_ok(deflate.stream.tune(good, lazy, nice, chain)))
}

/// Stores the amount of output that is not yet delivered: whole bytes in `*pending`, and the
/// remaining bits (0 to 7) in `*bits`. Either pointer may be null.
/// Returns `Z_OK`.
/// Errors: `Z_BUF_ERROR`: the number of bytes exceeds `UINT_MAX` (`*pending` is then `UINT_MAX`);
/// `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflatePending(
    strm: *mut z_stream,
    pending: *mut c_uint,
    bits: *mut c_int,
) -> c_int {
    let (stream_guard, deflate) = stream!(strm);
    // SAFETY: the program's header is valid until it is written.
    let waiting = stream_guard
        .guard(None, || Some(deflate.stream.pending(unsafe { deflate.header_to_write() }.as_ref())));
    let Some((waiting_bytes, waiting_bits)) = waiting else { return Z_STREAM_ERROR };
    // SAFETY: null or the program's.
    if let Some(bits) = unsafe { bits.as_mut() } {
        *bits = waiting_bits as c_int;
    }
    // SAFETY: null or the program's.
    if let Some(pending) = unsafe { pending.as_mut() } {
        *pending = c_uint::try_from(waiting_bytes).unwrap_or(c_uint::MAX);
        if waiting_bytes > c_uint::MAX as usize {
            return Z_BUF_ERROR;
        }
    }
    Z_OK
}

/// Stores in `*bits` how many bits of the last byte of a finished raw stream are used: 1 to 8, or 0
/// if that is unknown (see PORTING.md). `bits` may be null.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateUsed(strm: *mut z_stream, bits: *mut c_int) -> c_int {
    let (_, deflate) = stream!(strm);
    // SAFETY: null or the program's.
    if let Some(bits) = unsafe { bits.as_mut() } {
        *bits = deflate.stream.used_bits() as c_int;
    }
    Z_OK
}

/// Returns the maximum output in bytes of one `deflate` call with `Z_FINISH` for `source_len` bytes
/// of input. Call it after `deflateInit` and `deflateSetHeader`. If `strm` is null or invalid, the
/// result is large enough for any parameters, but not for a header set by `deflateSetHeader`.
/// Errors: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateBound(strm: *mut z_stream, source_len: uLong) -> uLong {
    // SAFETY: the same contract.
    unsafe { bound(strm, source_len) }
}

/// Same as `deflateBound`, but the lengths are `z_size_t`.
/// Returns and errors: as `deflateBound`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateBound_z(strm: *mut z_stream, source_len: z_size_t) -> z_size_t {
    // SAFETY: the same contract.
    unsafe { bound(strm, source_len as u64) as z_size_t }
}

unsafe fn bound(strm: *mut z_stream, len: u64) -> u64 {
    // For any kind of stream: short stored blocks and a gzip wrap.
    let any = oneshot::compress_bound(len).saturating_add(len >> 3).saturating_add(18);
    // SAFETY: the program's `z_stream` is null or valid, its state null or one of ours.
    match unsafe { state::<Deflate>(strm, Kind::Deflate) } {
        Some(state) => {
            let (stream_guard, deflate) = state.parts();
            // SAFETY: the program's header is valid until it is written.
            stream_guard.guard(any, || deflate.stream.bound(len, unsafe { deflate.header() }.as_ref()))
        }
        None => any,
    }
}

/// Sets the header of a gzip stream; call it before the first `deflate`. The stream keeps the
/// pointer: `head` and its buffers remain owned by the caller and must be valid until the header is
/// written. If `head` is null, the default header is written.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: the stream is invalid, is not a gzip stream or has ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateSetHeader(strm: *mut z_stream, head: *mut gz_header) -> c_int {
    let (_, deflate) = stream!(strm);
    if !deflate.stream.takes_header() {
        return Z_STREAM_ERROR;
    }
    deflate.header = head;
    Z_OK
}

/// Makes `dest` an independent copy of the stream `source` in its current state. The memory is
/// allocated with the allocator of `source`; free it with `deflateEnd(dest)`.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR`: `source` is invalid or `dest` is null; `Z_MEM_ERROR`: no memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn deflateCopy(dest: *mut z_stream, source: *mut z_stream) -> c_int {
    let (stream_guard, deflate) = stream!(source);
    if dest.is_null() {
        return Z_STREAM_ERROR;
    }
    stream_guard.guard(Z_STREAM_ERROR, || {
        to_ok(deflate.stream.try_clone().and_then(|stream| {
            // SAFETY: both are valid, and a `z_stream` may be copied bytewise.
            unsafe { core::ptr::copy(source, dest, 1) };
            // SAFETY: valid, as the program promises.
            let dest = unsafe { &mut *dest };
            dest.state = core::ptr::null_mut();
            // SAFETY: the source's allocator, which keeps the contract as for the source.
            let allocator = unsafe { allocator(dest) };
            install(dest, Kind::Deflate, allocator, Deflate { stream, header: deflate.header })
        }))
    })
}
