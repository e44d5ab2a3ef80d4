//! One call on a `z_stream`. Checks what must hold for every call of every stream function:
//!
//! - next_in, avail_in and total_in move together, and so do next_out, avail_out and total_out;
//! - nothing is written before next_out or past the avail_out bytes there;
//! - the input is not changed.
//!
//! Input and output are in scratch buffers. After the call the input and the bytes produced are overwritten, as a program
//! may do: the library must have copied everything that it still needs.

use crate::zlib::{NEED_DICT, ZStream};

const GUARD: usize = 48;
const CANARY: u8 = 0xC5;

/// Scratch buffers for the calls of one stream.
#[derive(Default)]
pub(crate) struct Port {
    input: Vec<u8>,
    output: Vec<u8>,
}

/// The results of a call.
pub(crate) struct Step {
    pub(crate) code: i32,
    pub(crate) consumed: usize,
    pub(crate) output: Vec<u8>,
    pub(crate) room_left: usize,
}

impl Port {
    /// Runs `call` with `input` and `room` bytes for output. Empty input is a NULL pointer if `nulls`.
    pub(crate) fn call(
        &mut self,
        strm: &mut ZStream,
        input: &[u8],
        room: usize,
        nulls: bool,
        call: impl FnOnce(*mut ZStream) -> i32,
    ) -> Result<Step, String> {
        self.input.clear();
        self.input.extend_from_slice(input);
        if self.output.len() < room + 2 * GUARD {
            self.output.resize(room + 2 * GUARD, 0);
        }
        self.output[..GUARD].fill(CANARY);
        self.output[GUARD + room..][..GUARD].fill(CANARY);

        let in_base = if input.is_empty() && nulls { std::ptr::null() } else { self.input.as_ptr() };
        let out_base = self.output[GUARD..].as_mut_ptr();
        strm.next_in = in_base;
        strm.avail_in = input.len() as u32;
        strm.next_out = out_base;
        strm.avail_out = room as u32;
        let (in_before, out_before) = (strm.total_in, strm.total_out);

        let code = call(strm);

        // zlib's inflate does not count the zlib header when it stops there to ask for a dictionary.
        let total_in = if code == NEED_DICT && strm.total_in == in_before {
            in_before.wrapping_add((input.len() - strm.avail_in as usize) as u64)
        } else {
            strm.total_in
        };
        let consumed = moved("in", input.len(), in_base, strm.next_in, strm.avail_in, in_before, total_in)?;
        let produced =
            moved("out", room, out_base, strm.next_out, strm.avail_out, out_before, strm.total_out)?;
        if self.input != input {
            return Err("the call changed its input".into());
        }
        if self.output[..GUARD].iter().any(|b| *b != CANARY) {
            return Err("the call wrote before next_out".into());
        }
        if let Some(at) = self.output[GUARD + room..][..GUARD].iter().rposition(|b| *b != CANARY) {
            return Err(format!("the call wrote {} bytes or more past avail_out", at + 1));
        }
        let output = self.output[GUARD..][..produced].to_vec();
        self.input.fill(0xEE);
        self.output[GUARD..][..produced].fill(0xDD);
        strm.next_in = std::ptr::null();
        strm.avail_in = 0;
        Ok(Step { code, consumed, output, room_left: room - produced })
    }
}

/// The bytes consumed or produced, if the three fields agree.
fn moved(
    side: &str,
    given: usize,
    base: *const u8,
    next: *const u8,
    avail: u32,
    total_before: u64,
    total: u64,
) -> Result<usize, String> {
    let left = avail as usize;
    if left > given {
        return Err(format!("avail_{side} grew from {given} to {left}"));
    }
    let moved = given - left;
    let pointer = (next as usize).wrapping_sub(base as usize);
    if pointer != moved {
        return Err(format!("next_{side} moved {} bytes, avail_{side} {moved}", pointer as isize));
    }
    let counted = total.wrapping_sub(total_before);
    if counted != moved as u64 {
        return Err(format!("total_{side} moved {}, avail_{side} {moved}", counted as i64));
    }
    Ok(moved)
}
