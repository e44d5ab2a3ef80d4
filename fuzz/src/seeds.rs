//! Contents of the seed inputs.

use crate::calls::{DICTIONARY, setup};
use crate::params::Params;
use crate::random::Rng;
use crate::zlib::{FINISH, FULL_FLUSH, OK, STREAM_END, SYNC_FLUSH, ZStream};

/// Returns data to compress: empty, short, text, runs, noise.
pub fn contents() -> Vec<Vec<u8>> {
    let mut noise = Rng::new(1);
    let text = DICTIONARY.repeat(9);
    vec![
        Vec::new(),
        b"x".to_vec(),
        text[..700].to_vec(),
        [&[0; 600][..], &text[40..200], &[0xFF; 300]].concat(),
        (0..400).map(|_| noise.bits() as u8).collect(),
        (0..500).map(|_| b'a' + (noise.bits() & 3) as u8).collect(),
    ]
}

/// Returns streams of many small blocks, in whose middle the start finder can find block headers.
pub fn many_blocks() -> Vec<Vec<u8>> {
    let mut rng = Rng::new(2);
    let words: Vec<&[u8]> = DICTIONARY.split(|&byte| byte == b' ').collect();
    let content: Vec<u8> = (0..2500).flat_map(|_| [rng.pick(&words), b" "].concat()).collect();
    let blocks = |(level, strategy)| {
        let params = Params { level, method: 8, window_bits: -15, mem_level: 1, strategy };
        stream(&params, &content, false, SYNC_FLUSH)
    };
    [(1, 0), (9, 0), (6, 2)].map(blocks).to_vec()
}

/// Returns streams compressed by the system's zlib, each with its window bits.
pub fn streams() -> Vec<(i32, Vec<u8>)> {
    let mut streams = Vec::new();
    for (number, content) in contents().into_iter().enumerate() {
        for (window_bits, level, strategy, flush) in [
            (15, 6, 0, FINISH),
            (31, 9, 0, SYNC_FLUSH),
            (-15, 1, 0, FULL_FLUSH),
            (-15, 0, 0, FINISH),
            (31, 6, 4, FINISH),
            (-15, 6, 2, FINISH),
            (15, 9, 0, SYNC_FLUSH),
        ] {
            let with_dictionary = window_bits == 15 && level == 9;
            let params = Params { level, method: 8, window_bits, mem_level: 8 - number as i32 % 3, strategy };
            streams.push((window_bits, stream(&params, &content, with_dictionary, flush)));
        }
    }
    // Two members, one and a half, one followed by garbage, and plain text.
    let member = streams[1].1.clone();
    streams.push((31, member.repeat(2)));
    streams.push((31, [&member[..], &member[..member.len() / 2]].concat()));
    streams.push((31, [&member[..], b"garbage after"].concat()));
    streams.push((31, contents().swap_remove(2)));
    streams
}

fn stream(params: &Params, content: &[u8], with_dictionary: bool, flush: i32) -> Vec<u8> {
    let judge = &setup().judge;
    let mut strm = ZStream::new();
    assert_eq!(judge.deflate_init2(&mut strm, params), OK);
    if with_dictionary {
        judge.deflate_set_dictionary(&mut *strm, DICTIONARY.as_ptr(), DICTIONARY.len() as u32);
    }
    let mut bytes = vec![0; content.len() * 2 + 1000];
    (strm.next_out, strm.avail_out) = (bytes.as_mut_ptr(), bytes.len() as u32);
    let (first, second) = content.split_at(content.len() / 2);
    for (part, flush) in [(first, flush), (second, FINISH)] {
        (strm.next_in, strm.avail_in) = (part.as_ptr(), part.len() as u32);
        if judge.deflate(&mut *strm, flush) == STREAM_END {
            break;
        }
    }
    bytes.truncate(strm.total_out as usize);
    judge.deflate_end(&mut *strm);
    bytes
}

/// Returns the raw stream, followed by the trailer, of a zlib or gzip stream without optional header fields.
pub fn without_header(stream: &[u8], window_bits: i32) -> &[u8] {
    let start = if window_bits > 15 { 10 } else { 2 };
    stream.get(start..).unwrap_or_default()
}
