//! Models of the hand-over between a stream's thread and the workers, run in every interleaving with at most three preemptions
//! (`LOOM_MAX_PREEMPTIONS` sets another limit).

use loom::sync::atomic::Ordering;
use loom::thread;

use super::encoder::{ChunkEnd, ENCODED, Form, IS_RESTING, OWNER, PANICS, WORKERS_LACK_MEMORY};
use super::job::Chunk;
use super::ring::{Between, Ring};
use crate::checksum::Check;
use crate::error::Error;
use crate::pool::Pool;
use crate::pool::sync::Shared;
use crate::raw::Output;

/// Runs `model` in every interleaving, then waits for its workers to end.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(move || {
        model();
        Pool::current().expect("a model has a pool").close();
    });
}

/// Returns a ring that uses workers. The pool starts one worker per job, at most two. A worker ends as soon as it finds no job, like
/// one whose idle time is up.
fn ring(between: Between) -> Ring {
    let mut ring = Ring::new(between).expect("memory for a ring");
    ring.use_workers(|depth| depth);
    assert!(ring.has_workers(), "memory for a deeper ring");
    ring
}

fn push(ring: &mut Ring, level: i32, data: &[u8]) {
    let out = ring.output_buffer(data.len()).expect("memory for a result");
    let mut bytes = ring.input_buffer(data.len()).expect("memory for a chunk");
    bytes.extend(data);
    let (form, end, check) = (Form::Raw, ChunkEnd::Sync, Check::None);
    let chunk = Chunk { form, level, bytes, window_len: 0, is_first: true, end, check };
    ring.push(chunk, out).expect("memory for a job");
}

/// Reads all results, two bytes at a time.
fn drain(ring: &mut Ring) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while !ring.is_empty() {
        ring.work()?;
        let mut buffer = [0; 2];
        let mut output = Output::new(&mut buffer);
        ring.deliver(&mut output, |_| {})?;
        let written = output.written();
        bytes.extend_from_slice(&buffer[..written]);
    }
    Ok(bytes)
}

#[test]
fn a_job_is_done_once_by_its_owner_or_by_a_worker() {
    check(|| {
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"abc");
        assert_eq!(drain(&mut ring), Ok(b"abc".to_vec()));
        assert_eq!(ENCODED.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn two_workers_and_the_owner_deliver_in_order() {
    check(|| {
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"ab");
        push(&mut ring, 1, b"cd");
        assert_eq!(drain(&mut ring), Ok(b"abcd".to_vec()));
        assert_eq!(ENCODED.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn buffers_are_reused_only_when_no_thread_uses_them() {
    check(|| {
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"ab");
        assert_eq!(drain(&mut ring), Ok(b"ab".to_vec()));
        push(&mut ring, 1, b"cd");
        assert_eq!(drain(&mut ring), Ok(b"cd".to_vec()));
    });
}

#[test]
fn a_ring_may_be_dropped_while_its_jobs_are_queued() {
    check(|| {
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"ab");
        push(&mut ring, 1, b"cd");
        drop(ring);
    });
}

#[test]
fn a_panic_in_a_worker_becomes_the_jobs_error_without_deadlock() {
    check(|| {
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"ab");
        push(&mut ring, PANICS, b"cd");
        assert_eq!(drain(&mut ring), Err(Error::Stream));
    });
}

#[test]
fn the_owner_does_the_job_of_a_worker_without_memory() {
    check(|| {
        let _owner = *OWNER;
        WORKERS_LACK_MEMORY.store(true, Ordering::SeqCst);
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"ab");
        assert_eq!(drain(&mut ring), Ok(b"ab".to_vec()));
        assert_eq!(ENCODED.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_copied_ring_delivers_the_same_after_the_original_is_dropped() {
    check(|| {
        let mut first = ring(Between::GoOn);
        push(&mut first, 1, b"ab");
        let mut second = first.try_clone().expect("memory for a copy");
        drop(first);
        assert_eq!(drain(&mut second), Ok(b"ab".to_vec()));
    });
}

#[test]
fn no_worker_runs_a_job_of_a_resting_ring_between_calls() {
    check(|| {
        let mut ring = ring(Between::Rest);
        push(&mut ring, 1, b"ab");
        push(&mut ring, 1, b"cd");
        // One call: starts all jobs, and finishes them before it returns.
        ring.work().expect("jobs succeed");
        ring.rest(false);
        IS_RESTING.store(true, Ordering::SeqCst);
        thread::yield_now();
        IS_RESTING.store(false, Ordering::SeqCst);
        assert_eq!(drain(&mut ring), Ok(b"abcd".to_vec()));
    });
}

#[test]
#[should_panic(expected = "the self-check's fault")]
fn the_models_explore_both_orders() {
    check(|| {
        let shared = Shared::try_new(loom::sync::atomic::AtomicUsize::new(0)).expect("memory for a counter");
        let other = Shared::clone(&shared);
        let thread = thread::spawn(move || other.store(1, Ordering::SeqCst));
        // Fails in one of the two interleavings, which loom must find.
        assert_eq!(shared.load(Ordering::SeqCst), 0, "the self-check's fault");
        thread.join().expect("no panic");
    });
}
