//! Sizes and CPU times of our encoder on files, and of reference tools in the same run.
//!
//! `cargo run --release --example encoder_bench -- [-l LEVELS] [-c CHUNK_KIB] [-n REPEATS] [-r] FILE...`
//!
//! `-l 1,6,9` sets the levels; `-c` divides the data into chunks, each primed with the 32 KiB before it; the shortest time of `-n` runs
//! counts; `-r` also runs `pigz -9 -p1` and `libdeflate-gzip -9`, whose user time includes a CRC and reading the file. The output is
//! not decoded here; `tests/encoder.rs` does that.

use std::fs;
use std::process::{Command, Stdio};

use rigz::deflate::{ChunkEncoder, ChunkEnd, Level, bound};

/// Returns the CPU time of this process. `getrusage` would count in ticks of 4 to 10 ms on some systems.
fn own_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Returns the user time of all children that have ended.
fn children_seconds() -> f64 {
    // SAFETY: all-zero is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
    // SAFETY: `usage` is writable.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) };
    usage.ru_utime.tv_sec as f64 + usage.ru_utime.tv_usec as f64 / 1e6
}

fn encode(encoder: &mut ChunkEncoder, level: Level, data: &[u8], chunk: usize, out: &mut Vec<u8>) {
    out.clear();
    let mut start = 0;
    loop {
        let end = data.len().min(start + chunk);
        let window = start.min(32768);
        let last = end == data.len();
        let kind = if last { ChunkEnd::Finish } else { ChunkEnd::Sync };
        encoder.encode_to_vec(level, &data[start - window..end], window, kind, out).expect("memory");
        start = end;
        if last {
            return;
        }
    }
}

fn reference(program: &str, arguments: &[&str], file: &str) -> (usize, f64) {
    let before = children_seconds();
    let output = Command::new(program)
        .args(arguments)
        .arg("-c")
        .arg(file)
        .stderr(Stdio::null())
        .output()
        .expect("the reference tool runs");
    (output.stdout.len(), children_seconds() - before)
}

#[expect(clippy::print_stdout, reason = "the report")]
fn main() {
    let mut levels: Vec<u32> = vec![9];
    let mut chunk = usize::MAX / 2;
    let mut references = false;
    let mut repeat = 3;
    let mut files = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("a value");
        match argument.as_str() {
            "-l" => levels = value().split(',').map(|level| level.parse().expect("a level")).collect(),
            "-c" => chunk = value().parse::<usize>().expect("KiB") << 10,
            "-n" => repeat = value().parse().expect("a number"),
            "-r" => references = true,
            _ => files.push(argument),
        }
    }
    let mut encoder = ChunkEncoder::new().expect("memory");
    let mut total = vec![(0usize, 0f64); levels.len()];
    for file in &files {
        let data = fs::read(file).expect("a readable file");
        let name = file.rsplit('/').next().unwrap_or(file);
        let mut line = format!("{name:12} {:>10}", data.len());
        if references {
            let pigz = reference("pigz", &["-9", "-p1", "-n"], file);
            let libdeflate = reference("libdeflate-gzip", &["-9"], file);
            line += &format!("  pigz {} {:.3}  ld9 {} {:.3}", pigz.0, pigz.1, libdeflate.0, libdeflate.1);
        }
        let mut out = Vec::with_capacity(bound(data.len()) + 5 * (data.len() / chunk.max(1) + 1));
        for (level, total) in levels.iter().zip(&mut total) {
            let number = *level;
            let level = Level::new(number).expect("a level");
            let mut best = f64::INFINITY;
            for _ in 0..repeat {
                let before = own_seconds();
                encode(&mut encoder, level, &data, chunk, &mut out);
                best = best.min(own_seconds() - before);
            }
            line += &format!("  L{number} {} {best:.4}", out.len());
            total.0 += out.len();
            total.1 += best;
        }
        println!("{line}");
    }
    let sums: Vec<String> = total.iter().map(|(size, time)| format!("{size} {time:.4}")).collect();
    println!("sum {}", sums.join("  "));
}
