//! Measures the parts of decoding ahead: CPU time to decode a gzip file normally, and in stretches with markers.
//!
//!     cargo run --release --example ahead_cost FILE.gz [BYTES_PER_STRETCH]
//!
//! The parts for each stretch are finding its start, decoding it to 16-bit elements, and resolving them. The ratio to normal decoding of
//! as many bytes shows how much two threads can gain.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring tool")]

use rigz::error::Status;
use rigz::inflate::{Goal, Inflate, Marked, Resolver, Search, Start, find_start};
use rigz::raw::process::thread_time;
use rigz::raw::{Allocator, Output};
use std::time::Duration;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = std::fs::read(arguments.next().unwrap()).unwrap();
    let len: usize = arguments.next().map_or(512 << 10, |len| len.parse().unwrap());
    let mut best = [Duration::MAX; 4];
    let mut counted = (0, 0);
    for _ in 0..5 {
        let mut plain = Duration::ZERO;
        let mut total = 0;
        let mut decoder = Inflate::new(31, Allocator::SYSTEM).unwrap();
        let mut out = vec![0; 128 << 10];
        let mut input = &file[..];
        let begin = thread_time();
        loop {
            let mut output = Output::new(&mut out);
            let status = decoder.inflate(&mut input, &mut output, Goal::Progress, &mut |_| {}).unwrap();
            total += output.written();
            if status == Status::StreamEnd {
                if input.is_empty() {
                    break;
                }
                decoder.reset();
            }
        }
        plain += thread_time() - begin;

        let (mut finding, mut decoding, mut resolving) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let mut marked = Marked::new(2 << 20).unwrap();
        let mut resolver = Resolver::new().unwrap();
        resolver.set_window([&[b'x'; 32768], &[]]);
        let (mut bytes, mut search) = (0, Search::All);
        let mut at = 100_000;
        while at + len + (128 << 10) < file.len() {
            let begin = thread_time();
            let input = &file[at..at + len + (128 << 10)];
            let start = find_start(input, search);
            finding += thread_time() - begin;
            if let Some(Start::Block(_)) = start {
                search = Search::Blocks;
            }
            let Some(Start::Block(start) | Start::Marked(start)) = start else {
                at += len;
                continue;
            };
            let begin = thread_time();
            let passed = marked.decode(input, start, len, usize::MAX, |_, _| true);
            decoding += thread_time() - begin;
            bytes += marked.len();
            let begin = thread_time();
            let mut done = 0;
            while done < marked.len() {
                done +=
                    resolver.resolve(&marked, done..marked.len(), &mut decoder, &mut Output::new(&mut out));
            }
            resolving += thread_time() - begin;
            at += passed.map_or(len, |passed| passed.consumed.max(1));
        }
        for (best, this) in best.iter_mut().zip([plain, finding, decoding, resolving]) {
            *best = this.min(*best);
        }
        counted = (total, bytes);
    }
    let rate = |time: Duration, bytes: usize| time.as_secs_f64() * 1e9 / bytes as f64;
    let [plain, finding, decoding, resolving] = best;
    let (plain, bytes) = (rate(plain, counted.0), counted.1);
    println!("plain {plain:.3} ns/byte; in {} of {} bytes:", counted.1, counted.0);
    for (name, time) in [("finding", finding), ("decoding", decoding), ("resolving", resolving)] {
        println!("  {name:10} {:.3} ns/byte, {:.2} of plain", rate(time, bytes), rate(time, bytes) / plain);
    }
}
