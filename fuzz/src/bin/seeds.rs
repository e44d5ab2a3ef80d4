//! Writes the fuzz targets' seed inputs: `seeds FOLDER` fills FOLDER/TARGET for each target except `self_check`.
//!
//! The contents are small streams of every format and block type, some with a flush, written by the system's zlib; gzip files with
//! several members or other data after the first; and buffers to compress. The scripts are random bytes, except that for `inflate`
//! and `inflate_back` the first byte chooses the window bits of the content.

use std::fs;
use std::path::Path;

#[path = "../../../src/random.rs"]
mod random;

use random::Random;
use rigz_fuzz::{calls, join, seeds};

fn main() {
    let folder = std::env::args().nth(1).expect("usage: seeds FOLDER");
    let folder = Path::new(&folder);
    for (number, (window_bits, stream)) in seeds::streams().into_iter().enumerate() {
        let mut steps = script(number, 40);
        steps[0] = calls::script_for(window_bits);
        let raw = if window_bits < 0 { &stream[..] } else { seeds::without_header(&stream, window_bits) };
        write(folder, "inflate", number, &join(&stream, &steps));
        steps[0] = calls::script_for(-15);
        write(folder, "inflate_back", number, &join(raw, &steps));
        write(folder, "markers", number, &join(raw, &script(number, 8)));
        write(folder, "middle", number, &join(&stream[stream.len() / 9..], &script(number, 8)));
        // This target decodes its content as a raw stream and as a zlib stream.
        let either = if number % 2 == 0 { raw } else { &stream };
        write(folder, "one_shot", number, &join(either, &script(number, 8)));
        write(folder, "gz", number, &join(&stream, &script(number, 100)));
    }
    for (number, stream) in seeds::many_blocks().into_iter().enumerate() {
        for (place, start) in [0, stream.len() / 5, stream.len() / 2].into_iter().enumerate() {
            let part = &stream[start..stream.len().min(start + 3000)];
            // Numbers from 1000, because the streams above have the smaller ones.
            write(folder, "middle", 1000 + 10 * number + place, &join(part, &script(number, 8)));
        }
    }
    for (number, content) in seeds::contents().into_iter().enumerate() {
        for seed in 0..4 {
            let input = join(&content, &script(seed, 24));
            write(folder, "round_trip", number * 4 + seed, &input);
            write(folder, "parallel", number * 4 + seed, &input);
        }
    }
    // All of this target's input is the script.
    for number in 0..24 {
        write(folder, "deflate", number, &script(number, 60 + 5 * number));
    }
}

fn write(folder: &Path, target: &str, number: usize, bytes: &[u8]) {
    let folder = folder.join(target);
    fs::create_dir_all(&folder).expect("the folder can be made");
    fs::write(folder.join(format!("seed-{number:03}")), bytes).expect("the file can be written");
}

/// Returns a script of `len` random bytes, the same for the same seed.
fn script(seed: usize, len: usize) -> Vec<u8> {
    Random::new(seed as u64).bytes(len)
}
