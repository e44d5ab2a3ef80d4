//! A safe wrapper of zlib-ng's streaming compressor, for the strategies that our own encoder lacks: `Z_HUFFMAN_ONLY`, `Z_RLE` and
//! `Z_FIXED` (chosen in `stream::policy`).
//!
//! Two facts determine its form. zlib-ng's state points back at its stream, so the stream must not move: it is allocated with the
//! program's allocator. And `zng_stream` differs from `z_stream` (104 bytes against 112, `adler` at another offset), so the program's
//! `z_stream` is never cast to it: data goes in and out as slices.
//!
//! Deflate streams are always raw here. The module `stream` writes headers, trailers and check values.

mod deflate;
mod sys;

pub use deflate::{Deflate, DeflateParams};

use crate::error::{Error, Result, Status};
use crate::format::deflate::WINDOW_SIZE;
use crate::raw::{Allocator, Buffer, Output};
use core::ffi::c_int;
use core::ptr::NonNull;

/// A `zng_stream` at a fixed address.
#[derive(Debug)]
struct Stream {
    place: NonNull<sys::z_stream>,
    allocator: Allocator,
}

// SAFETY: this value alone owns the stream and zlib-ng's state that it points to, and neither uses thread-local data. The
// program's allocator may have to be called on the program's thread: it is, since only that thread moves and drops streams.
unsafe impl Send for Stream {}

impl Stream {
    /// Allocates a stream that zlib-ng has not initialised yet, and that allocates from `allocator`.
    fn new(allocator: Allocator) -> Result<Self> {
        let (zalloc, zfree, opaque) = allocator.parts();
        let place = allocator
            .place(sys::z_stream {
                next_in: core::ptr::null_mut(),
                avail_in: 0,
                total_in: 0,
                next_out: core::ptr::null_mut(),
                avail_out: 0,
                total_out: 0,
                msg: core::ptr::null_mut(),
                state: core::ptr::null_mut(),
                zalloc,
                zfree,
                opaque,
                data_type: 2, // Z_UNKNOWN
                adler: 0,
                reserved: 0,
            })
            .map_err(|_| Error::Memory)?;
        Ok(Self { place, allocator })
    }

    fn as_ptr(&self) -> *mut sys::z_stream {
        self.place.as_ptr()
    }

    fn get(&self) -> &sys::z_stream {
        // SAFETY: `place` holds an initialised stream for as long as `self` lives, and zlib-ng touches it only inside calls.
        unsafe { self.place.as_ref() }
    }

    fn get_mut(&mut self) -> &mut sys::z_stream {
        // SAFETY: as in `get`, and `&mut self` makes this the only reference.
        unsafe { self.place.as_mut() }
    }

    /// Makes one zlib-ng call on `input` and `output`, advances both by what zlib-ng consumed and produced, and returns its code.
    /// `call` must make exactly one call, with the stream that it gets.
    fn exchange(
        &mut self,
        input: &mut &[u8],
        output: &mut Output<'_>,
        call: impl FnOnce(*mut sys::z_stream) -> c_int,
    ) -> c_int {
        // zlib-ng counts in 32 bits; the caller's loop handles larger slices.
        let input_len = input.len().min(u32::MAX as usize);
        let room = output.room().min(u32::MAX as usize);
        // zlib-ng rejects a null pointer even if there is no room.
        let mut dummy = 0u8;
        let next_out = if output.cursor().is_null() { &raw mut dummy } else { output.cursor() };
        let strm = self.get_mut();
        strm.next_in = input.as_ptr().cast_mut();
        strm.avail_in = input_len as u32;
        strm.next_out = next_out;
        strm.avail_out = room as u32;
        let code = call(self.as_ptr());
        let strm = self.get();
        *input = &input[input_len - strm.avail_in as usize..];
        let produced = room - strm.avail_out as usize;
        // SAFETY: zlib-ng stays within `avail_out`, and wrote `produced` bytes starting at `next_out`.
        unsafe { output.advance(produced) };
        code
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: this allocator allocated `place`, which is freed only here; the owner has already ended zlib-ng's state.
        unsafe { self.allocator.take(self.place) };
    }
}

/// Translates zlib-ng's return code; unknown ones become `Error::Stream`.
fn outcome(code: c_int) -> Result<Status> {
    match code {
        0 => Ok(Status::Ok),
        1 => Ok(Status::StreamEnd),
        2 => Ok(Status::NeedDictionary),
        -3 => Err(Error::Data),
        -4 => Err(Error::Memory),
        -5 => Err(Error::Buffer),
        _ => Err(Error::Stream),
    }
}

/// Translates the code of a call whose only success code is `Z_OK`.
fn done(code: c_int) -> Result<()> {
    outcome(code).map(|_| ())
}

/// Returns the last bytes of the stream's input, at most 32 KiB. `fill` copies them to its first argument and their number to the
/// second.
fn history(allocator: Allocator, fill: impl FnOnce(*mut u8, *mut u32) -> i32) -> Result<Buffer> {
    let mut window = Buffer::new(allocator);
    window.reserve(WINDOW_SIZE)?;
    window.append(|output| {
        let mut len = 0;
        done(fill(output.cursor(), &raw mut len))?;
        // SAFETY: zlib-ng wrote `len` bytes starting at the cursor.
        unsafe { output.advance(len as usize) };
        Ok(())
    })?;
    Ok(window)
}
