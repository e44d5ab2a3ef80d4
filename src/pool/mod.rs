//! The pool: the library's own threads, which do tasks for whoever has some. It does not know what the tasks are.
//!
//! [`threads`] has the threads and their queue, [`handover`] passes one result from a thread to whoever may stop wanting it, and
//! [`sync`] has the locks and counts of both, so that loom can stand in for them.

#![forbid(unsafe_code)]

pub(crate) mod handover;
pub(crate) mod sync;
mod threads;

pub(crate) use crate::raw::epoch::Epoch;
pub(crate) use crate::raw::shared::Task;
pub(crate) use threads::Pool;
pub use threads::thread_limit;
