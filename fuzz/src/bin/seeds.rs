//! Writes the fuzz targets' seed inputs: `seeds FOLDER` fills FOLDER/TARGET for each target.
//!
//! Content is small streams of every format, block type and flush, made by the system's zlib, and a few files and buffers. Scripts are
//! random bytes.

#![allow(clippy::unwrap_used, reason = "the tool stops at the first error")]

use std::fs;
use std::path::Path;

#[path = "../../../src/random.rs"]
mod random;

use random::Random;
use rigz_fuzz::{calls, join, seeds};

fn main() {
    let folder = std::env::args().nth(1).expect("usage: seeds FOLDER");
    let folder = Path::new(&folder);
    let scripts: Vec<Vec<u8>> = (0..4u8).map(|kind| script(kind, 24)).collect();
    for (number, (window_bits, stream)) in seeds::streams().into_iter().enumerate() {
        let mut steps = script(number as u8, 40);
        steps[0] = calls::script_for(window_bits);
        let raw = if window_bits < 0 { &stream[..] } else { seeds::without_header(&stream, window_bits) };
        write(folder, "inflate", number, &join(&stream, &steps));
        steps[0] = calls::script_for(-15);
        write(folder, "inflate_back", number, &join(raw, &steps));
        write(folder, "markers", number, &join(raw, &script(number as u8, 8)));
        write(folder, "middle", number, &join(&stream[stream.len() / 9..], &script(number as u8, 8)));
        write(
            folder,
            "one_shot",
            number,
            &join(if number % 2 == 0 { raw } else { &stream }, &script(number as u8, 8)),
        );
        write(folder, "gz", number, &join(&stream, &script(number as u8, 100)));
    }
    for (number, stream) in seeds::many_blocks().into_iter().enumerate() {
        for start in [0, stream.len() / 5, stream.len() / 2] {
            let middle = &stream[start..stream.len().min(start + 3000)];
            write(folder, "middle", 1000 + 10 * number + start % 7, &join(middle, &script(number as u8, 8)));
        }
    }
    for (number, content) in seeds::contents().into_iter().enumerate() {
        for (kind, steps) in scripts.iter().enumerate() {
            write(folder, "round_trip", number * 4 + kind, &join(&content, steps));
            write(folder, "parallel", number * 4 + kind, &join(&content, steps));
        }
    }
    for number in 0..24 {
        write(folder, "deflate", number, &script(number as u8, 60 + 5 * number));
    }
}

fn write(folder: &Path, target: &str, number: usize, bytes: &[u8]) {
    let folder = folder.join(target);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("seed-{number:03}")), bytes).unwrap();
}

/// Returns `len` random choices, which depend on `kind`.
fn script(kind: u8, len: usize) -> Vec<u8> {
    Random::new(u64::from(kind)).bytes(len)
}
