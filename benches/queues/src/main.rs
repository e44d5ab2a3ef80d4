//! How chunks reach threads: five ways, on the same chunks, in turn.
//!
//! - `scope`: a rayon scope with one task per chunk, the caller waiting outside.
//! - `tokens`: the chunks stand in a line of their own; for each, rayon's pool is handed a token that means "there may be something
//!   to do", and a caller who would wait does chunks itself.
//! - `line`: what the product does. The same, but the tokens stand in a queue under a lock, and threads that find it empty sleep on a
//!   condition variable.
//! - `deque`: crossbeam-deque's injector and work-stealing deques, on threads of our own that sleep on a condition variable.
//! - `counter`: an atomic counter over the line of chunks, on threads of our own.
//!
//! All but `scope` count the caller among the threads, since a chunk it does itself costs nobody a wake-up. Each way is asked twice:
//! for jobs that do nothing, where only its own cost is left, and for level 1 on real chunks, where a chunk costs least.
//!
//!     queues FILE...      of the first file, up to 8 MiB

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
    println!(
        "  medians of {ROUNDS}; this machine has {cpus} CPUs: more threads than that take turns on them"
    );
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
        row("ns per job of nothing", threads, &ways, &jobs, 1e9 / EMPTY_JOBS as f64, 0);
        if done.load(Ordering::Relaxed) != EMPTY_JOBS * ROUNDS * ways.len() {
            eprintln!("queues: a way lost or repeated jobs");
            return ExitCode::FAILURE;
        }
        for kib in [64, 128, 512] {
            let chunks: Vec<&[u8]> = data.chunks(kib << 10).collect();
            let encode = |index: usize, encoder: &mut ChunkEncoder| {
                let mut out = Vec::new();
                let level = Level::new(1).expect("level 1 is there");
                encoder.encode_to_vec(level, chunks[index], 0, ChunkEnd::Sync, &mut out).expect("there is memory");
                assert!(!out.is_empty());
            };
            let jobs = Jobs { count: chunks.len(), work: &encode };
            row(&format!("level 1, ms, {kib} KiB"), threads, &ways, &jobs, 1e3, 1);
        }
    }
    ExitCode::SUCCESS
}

/// Elapsed seconds times `unit` of each way, as medians of rounds in which all have their turn.
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
