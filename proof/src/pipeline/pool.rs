//! Workers as the models need them: a queue of offered jobs, and threads of loom's that take from it until it is closed.

use std::collections::VecDeque;

use super::encoder::ChunkEncoder;
use super::job::Job;
use super::sync::{Condvar, Mutex, WeakShared, lock};

pub(super) use crate::raw::process::Epoch;

#[derive(Debug)]
pub(super) struct Pool {
    offered: Mutex<(VecDeque<WeakShared<Job>>, bool)>,
    changed: Condvar,
}

loom::lazy_static! {
    static ref CURRENT: Pool = Pool { offered: Mutex::new((VecDeque::new(), false)), changed: Condvar::new() };
}

/// The caller and a worker.
pub(super) fn thread_limit() -> usize {
    2
}

impl Pool {
    /// The pool of this run of the model.
    pub(super) fn current() -> Option<&'static Pool> {
        Some(&CURRENT)
    }

    /// One, however many a model starts: it decides on the ring's depth only.
    pub(super) fn workers(&self) -> usize {
        1
    }

    pub(super) fn offer(&self, job: WeakShared<Job>) {
        lock(&self.offered).0.push_back(job);
        self.changed.notify_one();
    }

    /// Ends the workers once nothing is offered any more.
    pub(super) fn close(&self) {
        lock(&self.offered).1 = true;
        self.changed.notify_all();
    }

    /// A worker's life; what it does with a job is what `pipeline::pool` does.
    pub(super) fn work(&self, mut encoder: ChunkEncoder) {
        loop {
            let mut offered = lock(&self.offered);
            let job = loop {
                match offered.0.pop_front() {
                    Some(job) => break job,
                    None if offered.1 => return,
                    None => offered = self.changed.wait(offered).expect("nobody panics with the lock"),
                }
            };
            drop(offered);
            if let Some(job) = job.upgrade() {
                job.run(&mut encoder, true);
            }
        }
    }
}
