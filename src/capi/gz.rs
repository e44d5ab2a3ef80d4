//! gzopen and its family: the C interface of [`GzFile`].
//!
//! A `gzFile` points to a `Handle`, whose first three fields are public: zlib.h's `gzgetc` macro takes bytes from
//! `next`, decrements `have` and increments `pos`. So every export first counts the bytes that the macro took
//! (`Handle::adopt`), and finally publishes the bytes that are buffered (`Handle::publish`).
//!
//! The caller's promise, on which every export relies: a `gzFile` is null or *an open file*, which came from `gzopen` or
//! `gzdopen`, is not closed, and is used by one thread at a time; buffers and strings are as the manual requires.

use super::boundary::{contain, flush, guard_only, slice, strategy, to_ok};
use super::types::code::*;
use super::types::{z_off_t, z_off64_t, z_size_t};
use crate::error::Error;
use crate::gzfile::{GzFile, Whence};
use crate::raw::process::KeptErrno;
use crate::raw::{Allocator, Output, find_byte};
use crate::stream::Flush;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::ptr::{self, NonNull};

versions! {
    "ZLIB_1.2.0.2": gzclearerr gzungetc;
    "ZLIB_1.2.2.3": gzdirect;
    "ZLIB_1.2.3.3": gzopen64 gzseek64 gztell64;
    "ZLIB_1.2.3.5": gzbuffer gzclose_r gzclose_w gzoffset gzoffset64;
    "ZLIB_1.2.5.2": gzgetc_;
    "ZLIB_1.2.7.1": gzvprintf;
    "ZLIB_1.2.9": gzfread gzfwrite;
}

/// Reads of up to this many bytes are served from the buffer without entering the file; for more, entering costs
/// nothing compared with the copy.
const SHORT: c_uint = 4096;

/// The public part of a `gzFile`: zlib.h's `struct gzFile_s`. Only `gzgetc` may change it.
#[repr(C)]
#[derive(Debug)]
pub struct gzFile_s {
    /// Number of decompressed bytes available at `next`.
    pub have: c_uint,
    /// The next byte to read.
    pub next: *mut u8,
    /// Offset of that byte in the uncompressed data.
    pub pos: z_off64_t,
}

/// zlib.h's `gzFile`: an open gzip file, or null. One thread may use it at a time.
#[allow(non_camel_case_types, reason = "the C name")]
pub type gzFile = *mut gzFile_s;

/// The target of a `gzFile`.
#[repr(C)]
struct Handle {
    head: gzFile_s,
    /// The value of `head.have` when it was last published to the host.
    published: c_uint,
    /// A panic was caught; the file can only be closed.
    dead: bool,
    file: GzFile,
}

impl Handle {
    /// Allocates a handle for `file`; without memory, `give_up` gets it.
    fn place(file: GzFile, give_up: impl FnOnce(GzFile)) -> Option<gzFile> {
        let head = gzFile_s { have: 0, next: ptr::null_mut(), pos: 0 };
        let handle = Self { head, published: 0, dead: false, file };
        let place = Allocator::SYSTEM.place(handle).map_err(|handle| give_up(handle.file)).ok()?;
        Some(place.as_ptr().cast())
    }

    /// Counts the bytes that the `gzgetc` macro took.
    fn adopt(&mut self) {
        let taken = self.published.saturating_sub(self.head.have) as usize;
        self.file.take(taken.min(self.file.waiting().len()));
    }

    /// Publishes the buffered bytes to the `gzgetc` macro and [`take_waiting`]. If a fault follows them, the call that takes
    /// the last one must report it, so that byte is left to the functions of [`GzFile`].
    fn publish(&mut self) {
        let waiting = self.file.waiting();
        let hidden = usize::from(self.file.has_fault_ahead()).min(waiting.len());
        self.head.have = c_uint::try_from(waiting.len() - hidden).unwrap_or(c_uint::MAX);
        self.head.next = waiting.as_ptr().cast_mut();
        self.head.pos = self.file.position();
        self.published = self.head.have;
    }
}

/// Calls `body` with the file of the handle; returns `refused` for a null pointer and a dead file. Sets `errno` if a system
/// call fails whose failure is reported, and otherwise leaves it as it was.
///
/// # Safety
/// - `file` is null or an open file.
unsafe fn with<R: Copy>(file: gzFile, refused: R, body: impl FnOnce(&mut GzFile) -> R) -> R {
    // SAFETY: an open file points to a `Handle`, which `head` begins, and nothing else uses it meanwhile.
    let Some(handle) = (unsafe { file.cast::<Handle>().as_mut() }) else { return refused };
    if handle.dead {
        return refused;
    }
    let errno = KeptErrno::now();
    let outcome = guard_only(None, || {
        handle.adopt();
        let result = body(&mut handle.file);
        handle.publish();
        if handle.file.set_errno() {
            errno.release();
        }
        Some(result)
    });
    outcome.unwrap_or_else(|| {
        handle.dead = true;
        handle.head.have = 0;
        refused
    })
}

/// The position that `body` returns; -1 if it fails, and `errno` has the reason.
fn or_errno(file: &mut GzFile, body: impl FnOnce(&mut GzFile) -> Option<z_off64_t>) -> z_off64_t {
    body(file).unwrap_or_else(|| {
        file.note_errno();
        -1
    })
}

/// Takes buffered bytes from the front, as the `gzgetc` macro does: `choose` gets all of them and returns how many to
/// take. Buffered bytes are valid, without an error or a pending seek, so nothing else needs to be checked. This takes
/// a tenth of the time of [`with`], and programs read byte by byte and line by line.
///
/// # Safety
/// - `file` is null or an open file.
unsafe fn take_waiting<'a>(file: gzFile, choose: impl FnOnce(&[u8]) -> Option<usize>) -> Option<&'a [u8]> {
    // SAFETY: an open file begins with its head.
    let head = unsafe { file.as_mut() }?;
    // SAFETY: `publish` left `have` readable bytes at `next`, and all code that takes some updates both.
    let waiting = unsafe { slice(head.next, head.have as usize) };
    let taken = waiting.get(..choose(waiting)?)?;
    head.have -= taken.len() as c_uint;
    head.next = head.next.wrapping_add(taken.len());
    head.pos += taken.len() as z_off64_t;
    Some(taken)
}

/// Runs `open`. If it fails, `errno` has the reason; otherwise it is as before.
fn opened(open: impl FnOnce() -> Option<gzFile>) -> gzFile {
    let errno = KeptErrno::now();
    let file = guard_only(None, open);
    if file.is_none() {
        errno.release();
    }
    file.unwrap_or(ptr::null_mut())
}

/// Closes and frees `file`.
///
/// # Safety
/// - `file` is an open file, and not used after this.
unsafe fn close(file: NonNull<gzFile_s>) -> c_int {
    let mut place = file.cast::<Handle>();
    // SAFETY: an open file points to a `Handle`, and nothing else uses it.
    let handle = unsafe { place.as_mut() };
    let errno = KeptErrno::now();
    let code = guard_only(Z_STREAM_ERROR, || {
        if handle.dead {
            handle.file.abandon();
            return Z_STREAM_ERROR;
        }
        to_ok(handle.file.close())
    });
    if code == Z_ERRNO {
        errno.release();
    }
    // SAFETY: `Handle::place` placed it, and the caller uses it no more.
    contain((), || unsafe { Allocator::SYSTEM.discard(place) });
    code
}

/// The bytes of a C string; `None` for a null pointer.
///
/// # Safety
/// - `string` is null or ends with a zero, and does not change during `'a`.
unsafe fn c_string<'a>(string: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) })
}

/// Opens the file `path` for reading or writing gzip data. Release the result with `gzclose`.
/// `mode` contains `r` (read), `w` (truncate and write) or `a` (append), and optionally: `0` to
/// `9`, the level; `f`, `h`, `R` or `F`, the strategy (filtered, Huffman only, RLE, fixed); `T`,
/// write without compression; `G`, accept only gzip when reading; `x`, fail if the file exists;
/// `e`, close on exec; `N`, non-blocking. Other letters are ignored. Without `G`, files that are
/// not gzip are read as is.
/// Returns the open file.
/// Errors: NULL if an argument is null; if `mode` contains `+`, contains none of `r`, `w` and `a`,
/// or combines `T` with `r`, or `G` with `w` or `a`; if memory is short; or if the file cannot be
/// opened (`errno` has the reason).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzopen(path: *const c_char, mode: *const c_char) -> gzFile {
    // SAFETY: the caller's promise.
    let path = unsafe { c_string(path) };
    // SAFETY: the caller's promise.
    let mode = unsafe { c_string(mode) };
    let open = || {
        let file = GzFile::open(path?, mode?.to_bytes())?;
        Handle::place(file, |mut file| file.abandon())
    };
    opened(open)
}

/// Same as `gzopen`. Offsets have 64 bits in both.
/// Returns the open file.
/// Errors: NULL, as for `gzopen`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzopen64(path: *const c_char, mode: *const c_char) -> gzFile {
    // SAFETY: the caller's promise is the same.
    unsafe { gzopen(path, mode) }
}

/// Opens the file descriptor `fd` for reading or writing gzip data. `mode` is that of `gzopen`.
/// On success the `gzFile` owns `fd`, and `gzclose` closes it. On failure the caller still owns it.
/// Returns the open file. `fd` is not checked before the first read or write.
/// Errors: NULL if `fd` is -1, `mode` is null or invalid, or memory is short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzdopen(fd: c_int, mode: *const c_char) -> gzFile {
    // SAFETY: the caller's promise.
    let mode = unsafe { c_string(mode) };
    let open = || {
        let file = GzFile::from_descriptor(fd, mode?.to_bytes())?;
        Handle::place(file, drop)
    };
    opened(open)
}

/// Sets the buffer size to `size` bytes; call it before the first read or write.
/// The default is 8192; less than 8 counts as 8. A string of `gzprintf` must be shorter than this.
/// Returns 0.
/// Errors: -1 if `file` is null, the buffers are already in use, or `size` exceeds 2147483647.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzbuffer(file: gzFile, size: c_uint) -> c_int {
    // zlib doubles the size and requires that the result fits.
    let fits = size.checked_mul(2).is_some();
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, |file| if fits && file.set_buffer_size(size as usize) { 0 } else { -1 }) }
}

/// Changes the level and strategy for data that is written from now on.
/// `level` is 0 to 9 or -1 (default). Data that is already buffered is compressed with the old
/// values. This function accepts values that are out of range: before the first write, they make
/// that write fail with `Z_MEM_ERROR`; later they have no effect.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR` if `file` is null, not open for compressed writing, or has an error;
/// `Z_ERRNO` if writing to the file failed; `Z_MEM_ERROR` if memory is short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzsetparams(file: gzFile, level: c_int, strategy: c_int) -> c_int {
    let strategy = self::strategy(strategy);
    // SAFETY: the caller's promise.
    unsafe { with(file, Z_STREAM_ERROR, |file| to_ok(file.set_params(level, strategy))) }
}

/// Reads and decompresses up to `len` bytes (at most `INT_MAX`) into `buf`.
/// Concatenated gzip members are read as one file. Other data after the last member is ignored.
/// Returns the number of bytes read. Fewer than `len` means the end of the file or an error (see
/// `gzerror`); the error is `Z_BUF_ERROR` if the file ends inside a gzip member.
/// Errors: -1 if `file` is null, not open for reading, or has an error, if `len` exceeds `INT_MAX`,
/// or if memory is short or reading failed before the first byte. See `gzerror`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzread(file: gzFile, buf: *mut c_void, len: c_uint) -> c_int {
    // SAFETY: the caller's promise.
    if let Some(taken) = unsafe { take_waiting(file, |_| (1..=SHORT).contains(&len).then_some(len as usize)) }
    {
        // SAFETY: the caller's promise.
        return unsafe { Output::from_raw(buf.cast(), len as usize) }.put(taken) as c_int;
    }
    let read = |file: &mut GzFile| {
        if !file.may_read() {
            return -1;
        }
        if c_int::try_from(len).is_err() {
            file.refuse(Error::Stream, c"request does not fit in an int");
            return -1;
        }
        // SAFETY: the caller's promise.
        let mut output = unsafe { Output::from_raw(buf.cast(), len as usize) };
        // `len` fits an int, so the number of bytes written does too.
        file.read(&mut output).map_or(-1, |()| output.written() as c_int)
    };
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, read) }
}

/// Reads up to `nitems` items of `size` bytes each into `buf`, like `fread`.
/// Returns the number of complete items read. Fewer than `nitems` means the end of the file or an
/// error. After the last complete item, `buf` may hold part of another one.
/// Errors: 0 if `file` is null, not open for reading, or has an error, if `size` is 0, if `size *
/// nitems` overflows, or if reading failed before the first byte. See `gzerror`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzfread(
    buf: *mut c_void,
    size: z_size_t,
    nitems: z_size_t,
    file: gzFile,
) -> z_size_t {
    let read = |file: &mut GzFile| {
        if !file.may_read() || size == 0 {
            return 0;
        }
        let Some(len) = size.checked_mul(nitems) else {
            file.refuse(Error::Stream, c"request does not fit in a size_t");
            return 0;
        };
        // SAFETY: the caller's promise.
        let mut output = unsafe { Output::from_raw(buf.cast(), len) };
        file.read(&mut output).map_or(0, |()| output.written() / size)
    };
    // SAFETY: the caller's promise.
    unsafe { with(file, 0, read) }
}

/// Reads one byte.
/// Returns the byte, 0 to 255.
/// Errors: -1 at the end of the file; if `file` is null, not open for reading, or has an error; or
/// if reading failed. `gzeof` and `gzerror` distinguish these.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzgetc(file: gzFile) -> c_int {
    // As `take_waiting`, with as few instructions as possible.
    // SAFETY: an open file begins with its head.
    if let Some(head) = unsafe { file.as_mut() }
        && head.have > 0
    {
        // SAFETY: `publish` left `have` readable bytes at `next`, and all code that takes some updates both.
        let byte = unsafe { *head.next };
        head.have -= 1;
        head.next = head.next.wrapping_add(1);
        head.pos += 1;
        return c_int::from(byte);
    }
    // SAFETY: the caller's promise.
    unsafe { fetch_byte(file) }
}

/// The slow path of `gzgetc`, when no bytes are buffered. A separate function, so that `gzgetc` needs no stack.
///
/// # Safety
/// - `file` is null or an open file.
#[cold]
#[inline(never)]
unsafe fn fetch_byte(file: gzFile) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, |file| file.read_byte().map_or(-1, c_int::from)) }
}

/// Same as `gzgetc`, for programs that were compiled with the zlib.h of 1.2.5.2.
/// Returns the byte, 0 to 255.
/// Errors: -1, as for `gzgetc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzgetc_(file: gzFile) -> c_int {
    // SAFETY: the caller's promise is the same.
    unsafe { gzgetc(file) }
}

/// Reads a line into `buf`: up to `len - 1` bytes, through the next newline or to the end of the
/// file.
/// A zero byte is stored after them, so `buf` must have room for `len` bytes.
/// Returns `buf`.
/// Errors: NULL if nothing was read: at the end of the file; if `file` or `buf` is null, or `len`
/// is less than 2; if `file` is not open for reading or has an error; or if reading failed. See
/// `gzerror`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzgets(file: gzFile, buf: *mut c_char, len: c_int) -> *mut c_char {
    let Some(room) = usize::try_from(len).ok().and_then(|len| len.checked_sub(1)) else {
        return ptr::null_mut();
    };
    if buf.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the caller's promise; the last byte is left for the zero.
    let mut output = unsafe { Output::from_raw(buf.cast(), room) };
    let line = |waiting: &[u8]| find_byte(b'\n', &waiting[..waiting.len().min(room)]).map(|at| at + 1);
    // SAFETY: the caller's promise.
    let is_read = match unsafe { take_waiting(file, line) } {
        Some(line) => output.put(line) == line.len(),
        // SAFETY: the caller's promise.
        None => unsafe { with(file, false, |file| file.read_line(&mut output)) },
    };
    if !is_read {
        return ptr::null_mut();
    }
    // SAFETY: at most `len - 1` bytes were written before.
    unsafe { output.cursor().write(0) };
    buf
}

/// Pushes the byte `c` back, so that it is read next. This clears the end-of-file indicator.
/// Directly after `gzopen`, at least a buffer's size can be pushed (see `gzbuffer`); later at least
/// one byte. `gzseek` and `gzrewind` discard pushed bytes.
/// Returns `c`.
/// Errors: -1 if `c` is negative; if `file` is null, not open for reading, or has an error; if
/// there is no room for the byte (`gzerror` reports `Z_DATA_ERROR`); or if reading failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzungetc(c: c_int, file: gzFile) -> c_int {
    let byte = (c >= 0).then_some(c as u8);
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, |file| if file.unread(byte) { c } else { -1 }) }
}

/// Compresses and writes the `len` bytes at `buf` (at most `INT_MAX`); they may stay buffered.
/// Returns `len`. On a non-blocking descriptor the result may be less; `gzerror` then reports
/// `Z_ERRNO`.
/// Errors: 0 if `file` is null, not open for writing, or has an error, if `len` exceeds `INT_MAX`,
/// if memory is short, or if writing failed. See `gzerror`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzwrite(file: gzFile, buf: *const c_void, len: c_uint) -> c_int {
    let write = |file: &mut GzFile| {
        if !file.may_write() {
            return 0;
        }
        if c_int::try_from(len).is_err() {
            file.refuse(Error::Data, c"requested length does not fit in int");
            return 0;
        }
        // SAFETY: the caller's promise.
        let data = unsafe { slice(buf.cast(), len as usize) };
        // `len` fits an int, so the number of bytes taken does too.
        file.write(data) as c_int
    };
    // SAFETY: the caller's promise.
    unsafe { with(file, 0, write) }
}

/// Compresses and writes `nitems` items of `size` bytes each from `buf`, like `fwrite`.
/// Returns `nitems`. On a non-blocking descriptor, the number of complete items taken may be less.
/// Errors: 0 if `file` is null, not open for writing, or has an error, if `size` is 0, if `size *
/// nitems` overflows, if memory is short, or if writing failed. See `gzerror`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzfwrite(
    buf: *const c_void,
    size: z_size_t,
    nitems: z_size_t,
    file: gzFile,
) -> z_size_t {
    let write = |file: &mut GzFile| {
        if !file.may_write() || size == 0 {
            return 0;
        }
        let Some(len) = size.checked_mul(nitems) else {
            file.refuse(Error::Stream, c"request does not fit in a size_t");
            return 0;
        };
        // SAFETY: the caller's promise.
        let data = unsafe { slice(buf.cast(), len) };
        file.write(data) / size
    };
    // SAFETY: the caller's promise.
    unsafe { with(file, 0, write) }
}

/// Compresses and writes the byte `c`, converted to `unsigned char`.
/// Returns the byte written, 0 to 255.
/// Errors: -1 if `file` is null, not open for writing, or has an error, if memory is short, or if
/// writing failed. See `gzerror`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzputc(file: gzFile, c: c_int) -> c_int {
    let byte = c as u8;
    // SAFETY: an open file points to a `Handle`.
    if let Some(handle) = unsafe { file.cast::<Handle>().as_mut() }
        && !handle.dead
        && handle.file.collect_byte(byte)
    {
        handle.head.pos += 1;
        return c_int::from(byte);
    }
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, |file| if file.write_byte(byte) { c_int::from(byte) } else { -1 }) }
}

/// Compresses and writes the string `s` without its terminating zero.
/// Returns the length of `s`. On a non-blocking descriptor the result may be less.
/// Errors: -1 if `file` or `s` is null; if `file` is not open for writing or has an error; if the
/// length exceeds `INT_MAX`; if memory is short; or if writing failed. See `gzerror`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzputs(file: gzFile, s: *const c_char) -> c_int {
    let write = |file: &mut GzFile| {
        // SAFETY: the caller's promise.
        let Some(string) = (unsafe { c_string(s) }).filter(|_| file.may_write()) else { return -1 };
        let string = string.to_bytes();
        if c_int::try_from(string.len()).is_err() {
            file.refuse(Error::Stream, c"string length does not fit in int");
            return -1;
        }
        match file.write(string) {
            0 if !string.is_empty() => -1,
            // The whole length fits an int, so `count` does too.
            count => count as c_int,
        }
    };
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, write) }
}

unsafe extern "C" {
    /// From the C library. A `va_list` parameter is a pointer in C on every processor that we build for.
    fn vsnprintf(s: *mut c_char, n: usize, format: *const c_char, arguments: *mut c_void) -> c_int;
    /// From `gzprintf.c`; its arguments are those of `gzprintf`, and only `gzprintf` may jump to it.
    fn rigz_gzprintf();
}

/// Same as `gzprintf`, with the arguments in a `va_list`.
/// Returns the length of the string; 0 if it was not written, as for `gzprintf`.
/// Errors: those of `gzprintf`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzvprintf(file: gzFile, format: *const c_char, va: *mut c_void) -> c_int {
    let write = |file: &mut GzFile| {
        let formatted = file.write_formatted(|room| {
            // SAFETY: `room` is writable for its length; the rest is the caller's promise.
            unsafe { vsnprintf(room.as_mut_ptr().cast(), room.len(), format, va) }
        });
        // Less than a buffer's size, which fits an int.
        formatted.map_or_else(|error| to_ok(Err(error)), |length| length as c_int)
    };
    // SAFETY: the caller's promise.
    unsafe { with(file, Z_STREAM_ERROR, write) }
}

/// `gzvprintf` under a name that no other library defines, for `gzprintf.c`. The library does not
/// export it.
#[unsafe(no_mangle)]
unsafe extern "C" fn rigz_gzvprintf(file: gzFile, format: *const c_char, va: *mut c_void) -> c_int {
    // SAFETY: the caller's promise is the same.
    unsafe { gzvprintf(file, format, va) }
}

/// Formats a string as `printf` does, and compresses and writes it without its terminating zero.
/// The C prototype is `int gzprintf(gzFile file, const char *format, ...)`; this code only jumps to
/// the function that takes the variable arguments.
/// Returns the length of the string; 0 if nothing was written because the string is empty,
/// formatting failed, or the string is not shorter than the buffer (8192 bytes, see `gzbuffer`).
/// Errors: `Z_STREAM_ERROR` if `file` is null, not open for writing, or has an error; `Z_MEM_ERROR`
/// if memory is short; `Z_ERRNO` if writing failed; `Z_BUF_ERROR` if a non-blocking descriptor has
/// no room.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn gzprintf() {
    #[cfg(target_arch = "x86_64")]
    core::arch::naked_asm!("jmp {}", sym rigz_gzprintf);
    #[cfg(target_arch = "aarch64")]
    core::arch::naked_asm!("b {}", sym rigz_gzprintf);
    #[cfg(target_arch = "riscv64")]
    core::arch::naked_asm!("tail {}", sym rigz_gzprintf);
}

/// Compresses all buffered data with the flush mode `flush` of `deflate`, and writes it to the
/// file.
/// `Z_NO_FLUSH` compresses the data but may leave output buffered. `Z_FINISH` ends the gzip member;
/// later writes begin another. Frequent flushing reduces compression.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR` if `file` is null, not open for writing, or has an error, or `flush` is
/// not `Z_NO_FLUSH`, `Z_PARTIAL_FLUSH`, `Z_SYNC_FLUSH`, `Z_FULL_FLUSH` or `Z_FINISH`; `Z_ERRNO` if
/// writing failed; `Z_MEM_ERROR` if memory is short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzflush(file: gzFile, flush: c_int) -> c_int {
    let Some(flush) = self::flush(flush).filter(|flush| !matches!(flush, Flush::Block | Flush::Trees)) else {
        return Z_STREAM_ERROR;
    };
    // SAFETY: the caller's promise.
    unsafe { with(file, Z_STREAM_ERROR, |file| to_ok(file.flush(flush))) }
}

/// Moves the position of the next read or write, counted in bytes of uncompressed data.
/// `offset` is relative to the start (`SEEK_SET`) or the current position (`SEEK_CUR`); `SEEK_END`
/// is not supported. When reading, skipped data is decompressed; a backward seek first returns to
/// an earlier point, at worst the start of the file. When writing, only forward seeks are possible;
/// the next write, flush or close fills the gap with zeros.
/// Returns the new position.
/// Errors: -1 if `file` is null or has an error, `whence` is invalid, or the target is before the
/// start or, when writing, before the current position. When reading a file that is not seekable,
/// also -1 for every backward seek, and for every seek if the file's data is not compressed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzseek64(file: gzFile, offset: z_off64_t, whence: c_int) -> z_off64_t {
    let whence = match whence {
        libc::SEEK_SET => Whence::Start,
        libc::SEEK_CUR => Whence::Current,
        _ => return -1,
    };
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, |file| or_errno(file, |file| file.seek(offset, whence))) }
}

/// Same as `gzseek64`; `z_off_t` has 64 bits too.
/// Returns the new position.
/// Errors: -1, as for `gzseek64`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzseek(file: gzFile, offset: z_off_t, whence: c_int) -> z_off_t {
    // SAFETY: the caller's promise is the same.
    unsafe { gzseek64(file, offset, whence) }
}

/// Moves back to the start of a file that is open for reading, and clears the end-of-file
/// indicator.
/// Returns 0.
/// Errors: -1 if `file` is null, not open for reading, or has an error, or if it is not seekable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzrewind(file: gzFile) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, |file| or_errno(file, |file| file.rewind().then_some(0)) as c_int) }
}

/// Returns the position of the next read or write, in bytes of uncompressed data from the start.
/// After `gzseek` this is its target, even if no data has been skipped or written yet.
/// Errors: -1 if `file` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gztell64(file: gzFile) -> z_off64_t {
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, |file| file.tell()) }
}

/// Same as `gztell64`; `z_off_t` has 64 bits too.
/// Returns the position in bytes of uncompressed data.
/// Errors: -1 if `file` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gztell(file: gzFile) -> z_off_t {
    // SAFETY: the caller's promise is the same.
    unsafe { gztell64(file) }
}

/// Returns the current offset in the compressed file, in bytes from its start.
/// Bytes before the gzip data count too. Input that is read but not yet decompressed, and output
/// that is not yet written, do not count.
/// Errors: -1 if `file` is null or not seekable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzoffset64(file: gzFile) -> z_off64_t {
    // SAFETY: the caller's promise.
    unsafe { with(file, -1, |file| or_errno(file, |file| file.offset())) }
}

/// Same as `gzoffset64`; `z_off_t` has 64 bits too.
/// Returns the offset in the compressed file, in bytes.
/// Errors: -1 if `file` is null or not seekable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzoffset(file: gzFile) -> z_off_t {
    // SAFETY: the caller's promise is the same.
    unsafe { gzoffset64(file) }
}

/// Reports whether a read tried to go past the end of the file.
/// As with `feof`, a read that stops exactly at the end does not count.
/// Returns 1 if so, otherwise 0; always 0 when writing.
/// Errors: 0 if `file` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzeof(file: gzFile) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(file, 0, |file| c_int::from(file.is_past_end())) }
}

/// Reports whether data is copied without compression or decompression.
/// When reading, this may read the start of the file, so call `gzbuffer` first. An empty file
/// counts as copied. When writing, data is copied if the mode of `gzopen` had `T`.
/// Returns 1 if the data is copied, 0 if it is gzip.
/// Errors: 0 if `file` is null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzdirect(file: gzFile) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { with(file, 0, |file| c_int::from(file.is_direct())) }
}

/// Writes all remaining data, closes the file and its descriptor, and frees `file`.
/// `file` is freed even if an error is returned, and must not be used after this.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR` if `file` is null or the library had an internal error; `Z_ERRNO` if
/// writing or closing failed; `Z_MEM_ERROR` if memory is short; `Z_BUF_ERROR` if the last read
/// ended inside a gzip member.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzclose(file: gzFile) -> c_int {
    // SAFETY: the caller's promise.
    NonNull::new(file).map_or(Z_STREAM_ERROR, |file| unsafe { close(file) })
}

/// Same as `gzclose`, for a file that is open for reading.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR` if `file` is null or open for writing (it then stays open), or the
/// library had an internal error; `Z_ERRNO` if closing failed; `Z_BUF_ERROR` if the last read ended
/// inside a gzip member.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzclose_r(file: gzFile) -> c_int {
    // SAFETY: the caller's promise.
    let reads = unsafe { with(file, true, |file| file.is_reader()) };
    // SAFETY: the caller's promise.
    if reads { unsafe { gzclose(file) } } else { Z_STREAM_ERROR }
}

/// Same as `gzclose`, for a file that is open for writing.
/// Returns `Z_OK`.
/// Errors: `Z_STREAM_ERROR` if `file` is null or open for reading (it then stays open), or the
/// library had an internal error; `Z_ERRNO` if writing or closing failed; `Z_MEM_ERROR` if memory
/// is short.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzclose_w(file: gzFile) -> c_int {
    // SAFETY: the caller's promise.
    let reads = unsafe { with(file, false, |file| file.is_reader()) };
    // SAFETY: the caller's promise.
    if reads { Z_STREAM_ERROR } else { unsafe { gzclose(file) } }
}

/// Returns the message of the current error of `file`, and stores its code in `*errnum`.
/// `errnum` may be null. Without an error, the message is empty and the code is `Z_OK`. For
/// `Z_ERRNO` the message includes the text for `errno`. The library owns the string; it is valid
/// until the next call with `file`. After an error, reads and writes fail until `gzclearerr` is
/// called, with two exceptions: reading may continue after `Z_BUF_ERROR`, and a call that failed
/// because a non-blocking descriptor was not ready may be repeated.
/// Errors: NULL if `file` is null; `*errnum` is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzerror(file: gzFile, errnum: *mut c_int) -> *const c_char {
    let describe = |file: &mut GzFile| {
        let (number, text) = file.failure().map_or((Z_OK, c""), |(error, text)| (to_ok(Err(error)), text));
        // SAFETY: the caller's promise.
        if let Some(errnum) = unsafe { errnum.as_mut() } {
            *errnum = number;
        }
        text.as_ptr()
    };
    // SAFETY: the caller's promise.
    unsafe { with(file, ptr::null(), describe) }
}

/// Clears the error and the end-of-file indicator of `file`, for example to read on in a file that
/// grew.
/// Does nothing if `file` is null.
/// Errors: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gzclearerr(file: gzFile) {
    // SAFETY: the caller's promise.
    unsafe { with(file, (), GzFile::clear_failure) }
}
