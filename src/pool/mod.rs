//! The pool: the library's own threads, which run tasks of any type.
//!
//! [`threads`] has the threads and their queue, [`handover`] passes one result from a thread to an owner that may cancel it, and
//! [`sync`] has the locks and atomics of both, so that loom can replace them.

#![forbid(unsafe_code)]

pub(crate) mod handover;
pub(crate) mod sync;
mod threads;

pub(crate) use crate::raw::epoch::Epoch;
pub(crate) use crate::raw::shared::Task;
pub(crate) use threads::Pool;
pub use threads::thread_limit;
