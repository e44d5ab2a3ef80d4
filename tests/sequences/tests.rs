//! Random sequences of calls, compared with the system's zlib.
//!
//! Three testers, each driven by a seed: `deflate` (the system must read our output), `inflate` and `gz` (both libraries get
//! the same calls and must return the same results). Every tester runs in two modes: *usual*, where one seed in a hundred is
//! large enough for the parallel pipeline, and *small*, where the pipeline's threshold and chunk are set so low that ordinary
//! inputs reach its edge cases.
//!
//! `run.rs` documents how seeds are run and which variables control them; `zlib.rs` how the libraries are opened; the head of
//! each tester which results must be equal and which may differ. `planted.rs` proves that the testers can fail: it runs them on
//! a libz with one fault in it (`broken.c`), which they must find.
//!
//! A long run: `RIGZ_SEEDS=20000 cargo test --release --test sequences`.
//! One seed, with its calls: `RIGZ_SEED=17 cargo test --test sequences deflate_usual -- --nocapture`.

mod decoder;
mod deflate;
mod deflate_pair;
mod gz;
mod gz_read;
mod gz_write;
mod inflate;
mod inflate_back;
#[path = "../judge/mod.rs"]
mod judge;
#[path = "../../src/random.rs"]
mod numbers;
mod oneshot;
mod params;
mod planted;
mod port;
mod random;
mod run;
mod streams;
mod zlib;

use run::{Mode, Tester, run_seeds};

#[test]
fn deflate_usual_calls_make_what_the_system_reads() {
    run_seeds(Tester::Deflate, Mode::Usual);
}

#[test]
fn deflate_small_chunks_make_what_the_system_reads() {
    run_seeds(Tester::Deflate, Mode::SmallChunks);
}

#[test]
fn inflate_usual_calls_agree_with_the_system() {
    run_seeds(Tester::Inflate, Mode::Usual);
}

#[test]
fn inflate_small_chunks_agree_with_the_system() {
    run_seeds(Tester::Inflate, Mode::SmallChunks);
}

#[test]
fn gz_usual_calls_agree_with_the_system() {
    run_seeds(Tester::Gz, Mode::Usual);
}

#[test]
fn gz_small_chunks_agree_with_the_system() {
    run_seeds(Tester::Gz, Mode::SmallChunks);
}

#[test]
#[ignore = "the child process of the other tests, which start it"]
fn child_that_goes_through_the_seeds() {
    run::child();
}
