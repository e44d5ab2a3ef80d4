//! `Handover`: passes one result from a worker to the owner, the thread that wants the result and may cancel at any time.
//!
//! ```text
//! Waiting --begin--> Running --settle--> Done --take--> Over
//!    |                  |                  |
//!    +-----cancel-------+------cancel------+----------> Over
//! ```
//!
//! The worker calls `begin` once, and `settle` once if that returned true; the owner calls `take` and `cancel`, in any order and
//! number. A `take` that gets no result cancels. An unwanted result is returned to the side that acts last, which drops it. The
//! only wait is the owner's in `take`, for a running worker and for at most `patience`.

#![forbid(unsafe_code)]

use super::sync::{AtomicBool, Condvar, Mutex, lock, wait_while};
use std::sync::atomic::Ordering;
use std::time::Duration;

#[derive(Debug)]
enum HandoverState<T> {
    Waiting,
    Running,
    Done(T),
    Over,
}

/// The outcome of [`Handover::take`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<T> {
    /// The result.
    Done(T),
    /// No worker has begun, and none will; or an earlier `take` or `cancel` has ended the handover.
    NotBegun,
    /// The worker did not finish within `patience`; its result is no longer wanted.
    GivenUp,
}

#[derive(Debug)]
pub(crate) struct Handover<T> {
    /// Written by the worker and by the owner; locked only for a few instructions at a time.
    state: Mutex<HandoverState<T>>,
    /// Notified when `state` becomes `Done`.
    settled: Condvar,
    /// Cleared by the owner, under the lock; read by the worker without the lock, as a hint that it may stop early.
    wanted: AtomicBool,
}

impl<T> Handover<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(HandoverState::Waiting),
            settled: Condvar::new(),
            wanted: AtomicBool::new(true),
        }
    }

    /// Marks the worker as running; false if the result is no longer wanted.
    pub(crate) fn begin(&self) -> bool {
        let mut state = lock(&self.state);
        let begins = matches!(*state, HandoverState::Waiting);
        if begins {
            *state = HandoverState::Running;
        }
        begins
    }

    /// Whether the result is still wanted. Only a hint: [`settle`](Self::settle) decides.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// The worker hands over the result; returns it if it is no longer wanted.
    pub(crate) fn settle(&self, result: T) -> Option<T> {
        let mut state = lock(&self.state);
        if !matches!(*state, HandoverState::Running) {
            return Some(result);
        }
        *state = HandoverState::Done(result);
        drop(state);
        self.settled.notify_one();
        None
    }

    /// Whether [`take`](Self::take) would return the result without waiting.
    pub(crate) fn is_done(&self) -> bool {
        matches!(*lock(&self.state), HandoverState::Done(_))
    }

    /// The owner takes the result, and waits up to `patience` for a running worker. A second call never gets a result.
    pub(crate) fn take(&self, patience: Duration) -> Taken<T> {
        let mut state = lock(&self.state);
        if matches!(*state, HandoverState::Running) {
            state =
                wait_while(&self.settled, state, patience, |state| matches!(state, HandoverState::Running));
        }
        self.wanted.store(false, Ordering::Relaxed);
        match std::mem::replace(&mut *state, HandoverState::Over) {
            HandoverState::Done(result) => Taken::Done(result),
            HandoverState::Running => Taken::GivenUp,
            HandoverState::Waiting | HandoverState::Over => Taken::NotBegun,
        }
    }

    /// The owner no longer wants the result; returns it if it is already there.
    pub(crate) fn cancel(&self) -> Option<T> {
        match self.take(Duration::ZERO) {
            Taken::Done(result) => Some(result),
            Taken::NotBegun | Taken::GivenUp => None,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_result_goes_to_the_owner_once() {
        let handover = Handover::new();
        assert!(handover.begin() && !handover.begin() && !handover.is_done());
        assert_eq!(handover.settle(7), None);
        assert!(handover.is_done() && handover.is_wanted());
        assert_eq!(handover.take(Duration::ZERO), Taken::Done(7));
        assert_eq!(handover.take(Duration::ZERO), Taken::NotBegun);
    }

    #[test]
    fn cancel_prevents_begin_and_settle_returns_an_unwanted_result() {
        let handover = Handover::<u8>::new();
        assert_eq!(handover.cancel(), None);
        assert!(!handover.begin() && !handover.is_wanted());
        let handover = Handover::new();
        assert!(handover.begin());
        assert_eq!(handover.take(Duration::ZERO), Taken::GivenUp);
        assert!(!handover.is_wanted());
        assert_eq!(handover.settle(1), Some(1));
    }

    #[test]
    fn the_owner_waits_for_a_worker_that_runs() {
        let handover = Arc::new(Handover::new());
        assert!(handover.begin());
        let worker = Arc::clone(&handover);
        let thread = std::thread::spawn(move || worker.settle(1));
        assert_eq!(handover.take(Duration::MAX), Taken::Done(1));
        assert_eq!(thread.join().expect("no panic"), None);
    }
}

/// `scripts/loom` tries every interleaving of the two threads.
#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// A worker with the result 7. Its thread returns what `settle` returned, or `None` if `begin` returned false.
    fn worker(handover: &Arc<Handover<u32>>) -> thread::JoinHandle<Option<Option<u32>>> {
        let handover = Arc::clone(handover);
        thread::spawn(move || handover.begin().then(|| handover.settle(7)))
    }

    #[test]
    fn loom_a_result_goes_to_exactly_one_side() {
        loom::model(|| {
            let handover = Arc::new(Handover::new());
            let thread = worker(&handover);
            let taken = handover.cancel();
            let settled = thread.join().unwrap();
            match (taken, settled) {
                (Some(7), Some(None)) | (None, Some(Some(7)) | None) => {}
                other => panic!("{other:?}"),
            }
            assert!(!handover.is_wanted());
        });
    }

    #[test]
    fn loom_a_patient_owner_waits_only_for_a_worker_that_has_begun() {
        loom::model(|| {
            let handover = Arc::new(Handover::new());
            let thread = worker(&handover);
            let taken = handover.take(Duration::MAX);
            let settled = thread.join().unwrap();
            match (taken, settled) {
                (Taken::Done(7), Some(None)) | (Taken::NotBegun, None) => {}
                other => panic!("{other:?}"),
            }
        });
    }

    #[test]
    fn loom_a_result_reported_done_can_be_taken() {
        loom::model(|| {
            let handover = Arc::new(Handover::new());
            let thread = worker(&handover);
            if handover.is_done() {
                assert_eq!(handover.take(Duration::ZERO), Taken::Done(7));
            } else {
                handover.cancel();
            }
            thread.join().unwrap();
        });
    }
}
