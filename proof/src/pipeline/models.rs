//! The hand-over between a stream's thread and the workers, under every order of their steps (as far as the bound on
//! preemptions goes; `LOOM_MAX_PREEMPTIONS` lifts it).

use std::ffi::{c_uint, c_void};

use loom::sync::atomic::Ordering;
use loom::thread::{self, JoinHandle, ThreadId};

use super::encoder::{ChunkEncoder, ChunkEnd, ENCODED, Form, IS_RESTING, PANICS};
use super::job::Chunk;
use super::pool::Pool;
use super::ring::Ring;
use super::sync::Shared;
use crate::checksum::Check;
use crate::error::Error;
use crate::raw::{Allocator, Output};

/// Runs `model` under every order.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model);
}

fn worker(encoder: ChunkEncoder) -> JoinHandle<()> {
    thread::spawn(move || Pool::current().expect("a model has a pool").work(encoder))
}

fn ring(allocator: Allocator) -> Ring {
    let mut ring = Ring::new(allocator).expect("memory for a ring");
    ring.use_workers(|depth| depth).expect("memory for a deeper ring");
    ring
}

fn push(ring: &mut Ring, level: i32, data: &[u8]) {
    let out = ring.output_buffer(data.len()).expect("memory for a result");
    let mut bytes = ring.input_buffer(data.len()).expect("memory for a chunk");
    bytes.extend(data);
    let chunk =
        Chunk { form: Form::Raw, level, bytes, window_len: 0, end: ChunkEnd::Sync, check: Check::None };
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

fn end(workers: impl IntoIterator<Item = JoinHandle<()>>) {
    Pool::current().expect("a model has a pool").close();
    for worker in workers {
        worker.join().expect("workers do not panic");
    }
}

#[test]
fn a_job_is_done_once_by_its_owner_or_by_a_worker() {
    check(|| {
        let worker = worker(ChunkEncoder::default());
        let mut ring = ring(Allocator::SYSTEM);
        push(&mut ring, 1, b"abc");
        assert_eq!(drain(&mut ring), Ok(b"abc".to_vec()));
        end([worker]);
        assert_eq!(ENCODED.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn two_workers_and_the_owner_deliver_in_order() {
    check(|| {
        let workers = [worker(ChunkEncoder::default()), worker(ChunkEncoder::default())];
        let mut ring = ring(Allocator::SYSTEM);
        push(&mut ring, 1, b"ab");
        push(&mut ring, 1, b"cd");
        assert_eq!(drain(&mut ring), Ok(b"abcd".to_vec()));
        end(workers);
        assert_eq!(ENCODED.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn buffers_are_used_again_only_when_nobody_has_them() {
    check(|| {
        let worker = worker(ChunkEncoder::default());
        let mut ring = ring(Allocator::SYSTEM);
        push(&mut ring, 1, b"ab");
        assert_eq!(drain(&mut ring), Ok(b"ab".to_vec()));
        push(&mut ring, 1, b"cd");
        assert_eq!(drain(&mut ring), Ok(b"cd".to_vec()));
        end([worker]);
    });
}

#[test]
fn a_ring_may_go_while_its_jobs_are_offered() {
    check(|| {
        let worker = worker(ChunkEncoder::default());
        let mut ring = ring(Allocator::SYSTEM);
        push(&mut ring, 1, b"ab");
        push(&mut ring, 1, b"cd");
        drop(ring);
        end([worker]);
    });
}

#[test]
fn a_panic_in_a_worker_is_the_jobs_error_and_hangs_nobody() {
    check(|| {
        let worker = worker(ChunkEncoder::default());
        let mut ring = ring(Allocator::SYSTEM);
        push(&mut ring, 1, b"ab");
        push(&mut ring, PANICS, b"cd");
        assert_eq!(drain(&mut ring), Err(Error::Stream));
        drop(ring);
        end([worker]);
    });
}

#[test]
fn memory_refused_to_a_worker_leaves_the_job_to_others() {
    check(|| {
        let worker = worker(ChunkEncoder::refused());
        let mut ring = ring(Allocator::SYSTEM);
        push(&mut ring, 1, b"ab");
        assert_eq!(drain(&mut ring), Ok(b"ab".to_vec()));
        end([worker]);
    });
}

#[test]
fn a_copied_ring_delivers_the_same_and_may_go_first() {
    check(|| {
        let worker = worker(ChunkEncoder::default());
        let mut first = ring(Allocator::SYSTEM);
        push(&mut first, 1, b"ab");
        let mut second = first.try_clone().expect("memory for a copy");
        drop(first);
        assert_eq!(drain(&mut second), Ok(b"ab".to_vec()));
        end([worker]);
    });
}

/// A host's allocator that may be used on one thread only, and counts what is out.
struct Host {
    owner: ThreadId,
    out: std::cell::Cell<usize>,
}

impl Host {
    fn new() -> Box<Self> {
        Box::new(Self { owner: thread::current().id(), out: std::cell::Cell::new(0) })
    }

    fn allocator(&self) -> Allocator {
        unsafe extern "C" fn alloc(host: *mut c_void, items: c_uint, size: c_uint) -> *mut c_void {
            // SAFETY: `allocator` gave the host, which outlives what it lends.
            let host = unsafe { &*host.cast::<Host>() };
            assert_eq!(thread::current().id(), host.owner, "zalloc on another thread");
            host.out.set(host.out.get() + 1);
            // SAFETY: any size may be asked for.
            unsafe { libc::malloc(items as usize * size as usize) }
        }
        unsafe extern "C" fn free(host: *mut c_void, address: *mut c_void) {
            // SAFETY: as in `alloc`.
            let host = unsafe { &*host.cast::<Host>() };
            assert_eq!(thread::current().id(), host.owner, "zfree on another thread");
            host.out.set(host.out.get() - 1);
            // SAFETY: `alloc` gave the address.
            unsafe { libc::free(address) }
        }
        // SAFETY: the pair is malloc's and free's, and the host outlives the models' rings.
        unsafe { Allocator::foreign(alloc, free, (&raw const *self).cast_mut().cast()) }
    }
}

#[test]
fn memory_of_the_hosts_is_touched_in_calls_only_and_freed_on_its_thread() {
    check(|| {
        let host = Host::new();
        let worker = worker(ChunkEncoder::default());
        let mut ring = ring(host.allocator());
        push(&mut ring, 1, b"ab");
        push(&mut ring, 1, b"cd");
        // A call: everything is begun, and by its end nothing is.
        ring.work().expect("jobs succeed");
        ring.rest();
        IS_RESTING.store(true, Ordering::SeqCst);
        thread::yield_now();
        IS_RESTING.store(false, Ordering::SeqCst);
        assert_eq!(drain(&mut ring), Ok(b"abcd".to_vec()));
        drop(ring);
        assert_eq!(host.out.get(), 0);
        end([worker]);
    });
}

#[test]
fn memory_of_the_hosts_is_all_back_when_a_ring_goes_while_a_worker_has_a_job() {
    check(|| {
        let host = Host::new();
        let worker = worker(ChunkEncoder::default());
        let mut ring = ring(host.allocator());
        push(&mut ring, 1, b"ab");
        push(&mut ring, 1, b"cd");
        ring.work().expect("jobs succeed");
        drop(ring);
        assert_eq!(host.out.get(), 0, "all is freed before the stream's thread goes on");
        IS_RESTING.store(true, Ordering::SeqCst);
        end([worker]);
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
