//! The hand-over between a stream's thread and the workers, under every order of their steps (as far as the bound on
//! preemptions goes; `LOOM_MAX_PREEMPTIONS` lifts it).

use loom::sync::atomic::Ordering;
use loom::thread;

use super::encoder::{ChunkEnd, ENCODED, Form, IS_RESTING, OWNER, PANICS, WORKERS_ARE_REFUSED};
use super::job::Chunk;
use super::ring::{Between, Ring};
use crate::checksum::Check;
use crate::error::Error;
use crate::pool::Pool;
use crate::pool::sync::Shared;
use crate::raw::Output;

/// Runs `model` under every order, and then its workers to their end.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(move || {
        model();
        Pool::current().expect("a model has a pool").close();
    });
}

/// A ring that has called the workers. The pool starts one for each job that it is offered, at most two, and each ends as soon as
/// it finds nothing to do, as a worker does whose patience is at an end.
fn ring(between: Between) -> Ring {
    let mut ring = Ring::new(between).expect("memory for a ring");
    ring.use_workers(|depth| depth).expect("memory for a deeper ring");
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

/// Reads to the end, two bytes at a time.
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
fn buffers_are_used_again_only_when_nobody_has_them() {
    check(|| {
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"ab");
        assert_eq!(drain(&mut ring), Ok(b"ab".to_vec()));
        push(&mut ring, 1, b"cd");
        assert_eq!(drain(&mut ring), Ok(b"cd".to_vec()));
    });
}

#[test]
fn a_ring_may_go_while_its_jobs_are_offered() {
    check(|| {
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"ab");
        push(&mut ring, 1, b"cd");
        drop(ring);
    });
}

#[test]
fn a_panic_in_a_worker_is_the_jobs_error_and_hangs_nobody() {
    check(|| {
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"ab");
        push(&mut ring, PANICS, b"cd");
        assert_eq!(drain(&mut ring), Err(Error::Stream));
    });
}

#[test]
fn memory_refused_to_a_worker_leaves_the_job_to_its_owner() {
    check(|| {
        let _owner = *OWNER;
        WORKERS_ARE_REFUSED.store(true, Ordering::SeqCst);
        let mut ring = ring(Between::GoOn);
        push(&mut ring, 1, b"ab");
        assert_eq!(drain(&mut ring), Ok(b"ab".to_vec()));
        assert_eq!(ENCODED.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_copied_ring_delivers_the_same_and_may_go_first() {
    check(|| {
        let mut first = ring(Between::GoOn);
        push(&mut first, 1, b"ab");
        let mut second = first.try_clone().expect("memory for a copy");
        drop(first);
        assert_eq!(drain(&mut second), Ok(b"ab".to_vec()));
    });
}

#[test]
fn a_ring_that_rests_has_no_job_with_a_worker_between_calls() {
    check(|| {
        let mut ring = ring(Between::Rest);
        push(&mut ring, 1, b"ab");
        push(&mut ring, 1, b"cd");
        // A call: everything is begun, and finished when it returns.
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
        let shared = Shared::try_new(loom::sync::atomic::AtomicUsize::new(0)).expect("never refused here");
        let other = Shared::clone(&shared);
        let thread = thread::spawn(move || other.store(1, Ordering::SeqCst));
        // Wrong in one of the two orders, which loom must find.
        assert_eq!(shared.load(Ordering::SeqCst), 0, "the self-check's fault");
        thread.join().expect("no panic");
    });
}
