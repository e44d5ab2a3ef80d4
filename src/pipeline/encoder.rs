//! The interface between the pipeline and the engine that compresses a chunk.
//!
//! A chunk's bytes depend only on its window, its data, its end and the level. So the engine begins every chunk in a fresh
//! state, primed with the window, and keeps nothing from the chunk before.
//!
//! An *engine* is a DEFLATE encoder with its tables, up to 1.5 MiB for levels up to 9: too much for
//! each stream to own one all the time. So engines move between owners:
//!
//! ```text
//! IDLE, the process's list  <-- take / return -->  a worker, for one job
//!                           <-- take / return -->  a stream's thread, for its jobs in a call, or
//!                                                  for an open chunk until it has ended
//! ```
//!
//! So a process needs as many engines as it has threads that encode, plus one for each stream whose
//! open chunk is begun, not one for each stream.

use crate::budget::Share;
use crate::checksum::crc32;
use crate::deflate::ChunkEncoder as DeflateEncoder;
use crate::error::{Error, Result};
use crate::format::deflate::WINDOW_SIZE;
use crate::format::{bgzf, gzip};
use crate::raw::{Allocator, Buffer, Output, Placed};
use std::sync::{Mutex, MutexGuard};

pub(super) use crate::deflate::Progress;
pub use crate::deflate::bound;
pub use crate::deflate::{ChunkEnd, Level, PendingBits};

/// The format of compressed chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Raw DEFLATE that continues from chunk to chunk: each is primed with the 32 KiB before it.
    Raw,
    /// BGZF blocks, which do not refer to data before them. A chunk is cut into such blocks.
    Bgzf,
}

impl Form {
    /// Returns the tail of `before`, the data before a chunk, that the chunk may refer to.
    pub(super) fn history(self, before: &[u8]) -> &[u8] {
        match self {
            Form::Raw => &before[before.len().saturating_sub(WINDOW_SIZE)..],
            Form::Bgzf => &[],
        }
    }

    /// The maximum compressed size of a chunk of `len` bytes. An output buffer of this size
    /// always suffices, so a whole chunk is encoded in one step.
    pub(super) fn bound(self, len: usize) -> usize {
        match self {
            Form::Raw => bound(len),
            // The last chunk of a file also has the end-of-file block.
            Form::Bgzf => {
                let block = bgzf::WRAP_LEN + bound(bgzf::BLOCK_DATA);
                len.div_ceil(bgzf::BLOCK_DATA) * block + bgzf::END_OF_FILE.len()
            }
        }
    }
}

/// Engines that are not in use. A process keeps as many as it ever used at once, up to [`IDLE_MAX`].
///
/// Locked only with `try_lock`: in the child of a `fork` the lock may be held by a thread that does not exist there. Then
/// every engine is a new one.
static IDLE: Mutex<Vec<Engine>> = Mutex::new(Vec::new());

/// The greatest number of idle engines, which bounds the memory that an idle process keeps.
const IDLE_MAX: usize = 16;

/// The most bytes that an engine takes with levels up to 9, including its buffer. Each engine
/// counts this much towards the budget, whatever its level.
const ENGINE_BYTES: usize = 3 << 19;

/// An engine, which counts towards the memory budget, and a buffer for the chunk that it compresses.
///
/// The buffer is a stream's open chunk, kept from one segment to the next: a stream of short
/// segments does not allocate half a megabyte for each.
struct Engine {
    encoder: Placed<DeflateEncoder>,
    buffer: Buffer,
    _share: Share,
}

/// A compressor of chunks. It takes an idle engine when it is first used, and returns it when it is dropped.
#[derive(Default)]
pub(super) struct ChunkEncoder {
    engine: Option<Engine>,
}

impl ChunkEncoder {
    /// Compresses a whole chunk, `data[window_len..]` with the window `data[..window_len]`, to `out`, which has room for
    /// [`bound`]. `is_first`: it is the first chunk of its segment. Returns how many bits of the last byte were in use
    /// before it was padded.
    pub(super) fn encode(
        &mut self,
        level: Level,
        data: (&[u8], usize),
        is_first: bool,
        end: ChunkEnd,
        out: &mut Output<'_>,
    ) -> Result<u32> {
        let engine = self.engine()?;
        engine.encoder.encode(level, data, is_first, end, out)?;
        Ok(engine.encoder.used_bits())
    }

    /// The engine itself, for a chunk that arrives piece by piece. It is kept until [`rest`](Self::rest).
    pub(super) fn incremental(&mut self) -> Result<&mut DeflateEncoder> {
        Ok(&mut self.engine()?.encoder)
    }

    /// The engine, if there is one at the moment.
    pub(super) fn current(&self) -> Option<&DeflateEncoder> {
        self.engine.as_ref().map(|engine| &*engine.encoder)
    }

    /// A buffer of at least `capacity` bytes: the engine's own, if it is large enough. Takes an
    /// engine for that, which the segment needs soon in any case.
    pub(super) fn take_buffer(&mut self, capacity: usize) -> Result<Buffer> {
        let own = &mut self.engine()?.buffer;
        let mut buffer = std::mem::replace(own, Buffer::new(Allocator::SYSTEM));
        buffer.clear();
        buffer.reserve(capacity)?;
        Ok(buffer)
    }

    /// Keeps a buffer for the next chunk that needs one.
    pub(super) fn keep_buffer(&mut self, buffer: Buffer) {
        if let Some(engine) = &mut self.engine
            && engine.buffer.capacity() < buffer.capacity()
        {
            engine.buffer = buffer;
        }
    }

    /// The engine; takes an idle one, or allocates one, if there is none at the moment.
    fn engine(&mut self) -> Result<&mut Engine> {
        Ok(match &mut self.engine {
            Some(engine) => engine,
            none => none.insert(take_idle().map_or_else(Engine::new, Ok)?),
        })
    }

    /// Compresses `data` to BGZF blocks at the front of `out`, which has room for `Form::bound`. If `end` is `Finish`, appends
    /// the end-of-file block.
    pub(super) fn encode_blocks(
        &mut self,
        level: Level,
        data: &[u8],
        end: ChunkEnd,
        out: &mut Output<'_>,
    ) -> Result<()> {
        for block in data.chunks(bgzf::BLOCK_DATA) {
            // The header has the block's compressed size, so it is written after the data. Each
            // block is a complete gzip member: without a window, with a final block, CRC-32 and
            // length.
            out.put_headed(|out| self.encode(level, (block, 0), true, ChunkEnd::Finish, out), bgzf::header)
                .ok_or(Error::Stream)??;
            out.put(&gzip::trailer(crc32::update(crc32::INITIAL, block), block.len() as u64));
        }
        if end == ChunkEnd::Finish {
            out.put(&bgzf::END_OF_FILE);
        }
        Ok(())
    }

    /// Returns the engine to the idle ones if there is room for it; it is taken again when needed.
    pub(super) fn rest(&mut self) {
        if let (Some(engine), Some(mut idle)) = (self.engine.take(), lock_idle())
            && idle.len() < IDLE_MAX
            && idle.try_reserve(1).is_ok()
        {
            idle.push(engine);
        }
    }

    /// Frees the engine: after a panic its state may be inconsistent.
    pub(super) fn discard(&mut self) {
        self.engine = None;
    }
}

impl Drop for ChunkEncoder {
    fn drop(&mut self) {
        self.rest();
    }
}

impl Engine {
    /// A new engine. It is allocated even if the memory budget is used up, because nothing can be compressed without one; then
    /// less is left for other uses.
    fn new() -> Result<Self> {
        let encoder = Placed::try_new(DeflateEncoder::new()?, Allocator::SYSTEM)?;
        Ok(Self { encoder, buffer: Buffer::new(Allocator::SYSTEM), _share: Share::overdrawn(ENGINE_BYTES) })
    }
}

impl std::fmt::Debug for ChunkEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkEncoder").finish_non_exhaustive()
    }
}

fn take_idle() -> Option<Engine> {
    lock_idle()?.pop()
}

/// The lock is held for a few instructions only, so if its holder still exists a few tries are
/// enough. If none succeeds, the caller allocates an engine, or frees the one that it would have
/// returned.
fn lock_idle() -> Option<MutexGuard<'static, Vec<Engine>>> {
    (0..100).find_map(|_| {
        IDLE.try_lock().ok().or_else(|| {
            std::hint::spin_loop();
            None
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inflate::{Goal, Inflate};
    use crate::random::Random;
    use crate::raw::Allocator;

    fn decode(mut bytes: &[u8], window: &[u8], len: usize) -> Vec<u8> {
        let mut decoder = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a decoder");
        decoder.set_dictionary(window).expect("a raw decoder accepts a dictionary");
        let mut data = vec![0; len + 1];
        let mut output = Output::new(&mut data);
        decoder.inflate(&mut bytes, &mut output, Goal::Progress, &mut |_| {}).expect("a valid stream");
        assert!(bytes.is_empty());
        let written = output.written();
        data.truncate(written);
        data
    }

    fn encode(encoder: &mut ChunkEncoder, data: &[u8], window_len: usize, end: ChunkEnd) -> Vec<u8> {
        let mut room = vec![0; bound(data.len() - window_len)];
        let mut out = Output::new(&mut room);
        let level = Level::new(9).expect("a level");
        encoder.encode(level, (data, window_len), true, end, &mut out).expect("memory for an encoder");
        let len = out.written();
        room.truncate(len);
        room
    }

    fn noise(len: usize) -> Vec<u8> {
        Random::new(1).bytes(len)
    }

    #[test]
    fn chunks_decode_and_keep_the_bound() {
        let mut encoder = ChunkEncoder::default();
        let text = b"the window primes the chunk, the chunk fills the window; ".repeat(2000);
        for data in [&text[..], &noise(300_000), &[0; 70_000], b"", b"x"] {
            for window_len in [0, data.len().min(WINDOW_SIZE)] {
                for end in [ChunkEnd::Sync, ChunkEnd::Finish] {
                    let mut whole = data[..window_len].to_vec();
                    whole.extend_from_slice(data);
                    let out = encode(&mut encoder, &whole, window_len, end);
                    assert_eq!(decode(&out, &data[..window_len], data.len()), data);
                    assert_eq!(end == ChunkEnd::Sync, out.ends_with(&[0, 0, 0xff, 0xff]));
                }
            }
        }
    }

    #[test]
    fn blocks_keep_the_bound_and_their_sizes_add_up_to_the_whole() {
        let mut encoder = ChunkEncoder::default();
        for data in [&noise(300_000)[..], &[7; 200_000], &noise(bgzf::BLOCK_DATA), b"x", b""] {
            for level in (0..=9).filter_map(Level::new) {
                let mut room = vec![0; Form::Bgzf.bound(data.len())];
                let mut out = Output::new(&mut room);
                encoder
                    .encode_blocks(level, data, ChunkEnd::Finish, &mut out)
                    .expect("memory for an encoder");
                let len = out.written();
                let (mut rest, mut decoded) = (&room[..len], Vec::new());
                while rest != bgzf::END_OF_FILE {
                    let size = usize::from(u16::from_le_bytes([rest[16], rest[17]])) + 1;
                    let (block, after) = rest.split_at(size);
                    let (head, tail) = block.split_at(size - 8);
                    let part = decode(&head[bgzf::HEADER_LEN..], &[], bgzf::BLOCK_DATA);
                    assert_eq!(tail, gzip::trailer(crc32fast::hash(&part), part.len() as u64));
                    decoded.extend(part);
                    rest = after;
                }
                assert_eq!(decoded, data, "{level:?}");
            }
        }
    }

    #[test]
    fn a_reused_encoder_writes_the_same_bytes_as_a_new_one() {
        let data = noise(40_000).iter().map(|byte| byte & 3).collect::<Vec<_>>();
        let mut used = ChunkEncoder::default();
        encode(&mut used, &noise(100_000), 7, ChunkEnd::Finish);
        let mut new = ChunkEncoder::default();
        assert_eq!(
            encode(&mut used, &data, 1000, ChunkEnd::Sync),
            encode(&mut new, &data, 1000, ChunkEnd::Sync)
        );
    }
}
