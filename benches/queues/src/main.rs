//! Compares five ways to distribute chunks to threads; all get the same chunks, in turn.
//!
//! - `scope`: a rayon scope with one task per chunk; the caller waits.
//! - `tokens`: rayon's pool gets one task per chunk, which compresses the chunk unless another thread has claimed it. The caller
//!   compresses chunks too, instead of waiting.
//! - `line`: as in the product: like `tokens`, but the tasks are in a queue under a lock, and threads that find it empty sleep on a
//!   condition variable.
//! - `deque`: crossbeam-deque's injector and work-stealing deques, with our own threads, which sleep on a condition variable.
//! - `counter`: an atomic counter gives out the chunks to our own threads.
//!
//! Except in `scope`, the caller is one of the threads, since a chunk that it compresses itself needs no wake-up. Each way is measured
//! with empty jobs, which show only its overhead, and with level 1 on real chunks, since that level takes the least time per chunk.
//!
//!     queues FILE...      uses the first 8 MiB of the first file

mod ways;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rigz::deflate::{ChunkEncoder, ChunkEnd, Level};
use ways::{Counter, Deque, Jobs, Line, Scope, Tokens, Way};

const ROUNDS: usize = 7;
const WAYS: usize = 5;
const EMPTY_JOBS: usize = 2000;
const THREADS: [usize; 4] = [2, 4, 8, 16];

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: queues FILE...");
        return ExitCode::from(2);
    };
    let mut data = match std::fs::read(&path) {
        Ok(data) => data,
        Err(error) => {
            eprintln!("queues: {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    };
    data.truncate(8 << 20);
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    println!("  medians of {ROUNDS}; this machine has {cpus} CPUs: more threads than that share them");
    println!(
        "  {:<26} {:>3} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "", "thr", "scope", "tokens", "line", "deque", "counter"
    );
    for threads in THREADS {
        let ways: [Box<dyn Way>; WAYS] = [
            Box::new(Scope::new(threads)),
            Box::new(Tokens::new(threads)),
            Box::new(Line::new(threads)),
            Box::new(Deque::new(threads)),
            Box::new(Counter::new(threads)),
        ];
        let done = AtomicUsize::new(0);
        let nothing = |_: usize, _: &mut ChunkEncoder| {
            done.fetch_add(1, Ordering::Relaxed);
        };
        let jobs = Jobs { count: EMPTY_JOBS, work: &nothing };
        row("ns per empty job", threads, &ways, &jobs, 1e9 / EMPTY_JOBS as f64, 0);
        if done.load(Ordering::Relaxed) != EMPTY_JOBS * ROUNDS * ways.len() {
            eprintln!("queues: jobs were lost or repeated");
            return ExitCode::FAILURE;
        }
        for kib in [64, 128, 512] {
            let chunks: Vec<&[u8]> = data.chunks(kib << 10).collect();
            let encode = |index: usize, encoder: &mut ChunkEncoder| {
                let mut out = Vec::new();
                let level = Level::new(1).expect("level 1 is valid");
                encoder.encode_to_vec(level, chunks[index], 0, ChunkEnd::Sync, &mut out).expect("memory");
                assert!(!out.is_empty());
            };
            let jobs = Jobs { count: chunks.len(), work: &encode };
            row(&format!("level 1, ms, {kib} KiB"), threads, &ways, &jobs, 1e3, 1);
        }
    }
    ExitCode::SUCCESS
}

/// Prints each way's elapsed seconds times `unit`: the median of rounds in which all ways run in turn.
fn row(what: &str, threads: usize, ways: &[Box<dyn Way>; WAYS], jobs: &Jobs, unit: f64, digits: usize) {
    let mut samples = [const { Vec::new() }; WAYS];
    for _ in 0..ROUNDS {
        for (way, samples) in ways.iter().zip(&mut samples) {
            let start = Instant::now();
            way.run(jobs);
            samples.push(start.elapsed().as_secs_f64() * unit);
        }
    }
    print!("  {what:<26} {threads:>3}");
    for mut samples in samples {
        samples.sort_by(f64::total_cmp);
        print!(" {:>12.digits$}", samples[ROUNDS / 2]);
    }
    println!();
}
