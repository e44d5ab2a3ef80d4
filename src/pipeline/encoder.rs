//! The seam between the pipeline and whatever engine compresses a chunk: one struct, one method.
//!
//! A chunk's bytes depend on its window, its data, its end and the level alone. So the engine starts every chunk from its
//! beginning, primed with the window, and carries nothing over.

use super::WINDOW;
use crate::error::{Error, Result};
use crate::raw::{Allocator, Output};
use crate::zng::{Deflate, DeflateParams};

/// How a chunk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkEnd {
    /// At a byte boundary behind an empty stored block, `00 00 FF FF`: more follows.
    Sync,
    /// With the final block.
    Finish,
}

/// The longest data of one stored block (RFC 1951, 3.2.4).
const STORED_MAX: usize = 65_535;
/// Header bits padded to a byte, and two lengths.
const STORED_HEADER: usize = 5;
const Z_SYNC_FLUSH: i32 = 2;
const Z_FINISH: i32 = 4;

/// The size of `len` bytes in stored blocks, an end marker included: what no chunk's encoding exceeds.
pub(super) fn bound(len: usize) -> usize {
    len + (len.div_ceil(STORED_MAX) + 1) * STORED_HEADER
}

/// A compressor of chunks, used again and again.
#[derive(Debug, Default)]
pub(super) struct ChunkEncoder {
    /// The engine and the level it was made for.
    engine: Option<(i32, Deflate)>,
}

impl ChunkEncoder {
    /// Compresses `data[window_len..]`, whose history is `data[..window_len]`, to the front of `out`, which has room for [`bound`].
    pub(super) fn encode(
        &mut self,
        level: i32,
        data: &[u8],
        window_len: usize,
        end: ChunkEnd,
        out: &mut Output<'_>,
    ) -> Result<()> {
        let (window, data) = data.split_at(window_len);
        if !self.compress(level, window, data, end, out)? {
            out.rewind();
            store(data, end, out);
        }
        Ok(())
    }

    /// False when the result would be larger than stored blocks.
    fn compress(
        &mut self,
        level: i32,
        window: &[u8],
        mut data: &[u8],
        end: ChunkEnd,
        out: &mut Output<'_>,
    ) -> Result<bool> {
        let engine = self.engine(level)?;
        engine.reset()?;
        if !window.is_empty() {
            engine.set_dictionary(&window[window.len().saturating_sub(WINDOW)..])?;
        }
        let flush = match end {
            ChunkEnd::Sync => Z_SYNC_FLUSH,
            ChunkEnd::Finish => Z_FINISH,
        };
        engine.deflate(&mut data, out, flush)?;
        // A full buffer may mean that more would come; then stored blocks are no larger.
        Ok(data.is_empty() && !out.is_full())
    }

    fn engine(&mut self, level: i32) -> Result<&mut Deflate> {
        if self.engine.as_ref().is_none_or(|(made_for, _)| *made_for != level) {
            let params = DeflateParams { level, window_bits: 15, mem_level: 8, strategy: 0 };
            self.engine = Some((level, Deflate::new(params, Allocator::SYSTEM)?));
        }
        self.engine.as_mut().map(|(_, engine)| engine).ok_or(Error::Stream)
    }
}

/// Writes `data` as stored blocks.
fn store(data: &[u8], end: ChunkEnd, out: &mut Output<'_>) {
    let is_final = end == ChunkEnd::Finish;
    let count = data.len().div_ceil(STORED_MAX);
    for (index, block) in data.chunks(STORED_MAX).enumerate() {
        stored_block(block, is_final && index + 1 == count, out);
    }
    if !is_final || data.is_empty() {
        stored_block(&[], is_final, out);
    }
}

fn stored_block(block: &[u8], is_final: bool, out: &mut Output<'_>) {
    let len = block.len() as u16;
    out.put(&[u8::from(is_final)]);
    out.put(&len.to_le_bytes());
    out.put(&(!len).to_le_bytes());
    out.put(block);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zng::Inflate;

    fn decode(mut bytes: &[u8], window: &[u8], len: usize) -> Vec<u8> {
        let mut decoder = Inflate::new(-15, Allocator::SYSTEM).expect("memory for a decoder");
        decoder.set_dictionary(window).expect("a raw decoder takes a dictionary");
        let mut data = vec![0; len + 1];
        let mut output = Output::new(&mut data);
        decoder.inflate(&mut bytes, &mut output, 2).expect("a valid stream");
        assert!(bytes.is_empty());
        let written = output.written();
        data.truncate(written);
        data
    }

    fn encode(encoder: &mut ChunkEncoder, data: &[u8], window_len: usize, end: ChunkEnd) -> Vec<u8> {
        let mut room = vec![0; bound(data.len() - window_len)];
        let mut out = Output::new(&mut room);
        encoder.encode(9, data, window_len, end, &mut out).expect("memory for zlib-ng");
        let len = out.written();
        room.truncate(len);
        room
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn chunks_decode_and_keep_the_bound() {
        let mut encoder = ChunkEncoder::default();
        let text = b"the window primes the chunk, the chunk fills the window; ".repeat(2000);
        for data in [&text[..], &noise(300_000), &[0; 70_000], b"", b"x"] {
            for window_len in [0, data.len().min(WINDOW)] {
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
    fn a_used_encoder_writes_what_a_new_one_writes() {
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
