//! The pool: the library's own threads, which run any code that is offered as a task.
//!
//! [`threads`] contains the threads and their queue. [`handover`] passes one result from a thread to its owner, which may cancel
//! it. [`sync`] contains the locks, condition variables and atomics of the pool and of the code that offers tasks, which loom can
//! replace, and their shared pointer.

#![forbid(unsafe_code)]

pub(crate) mod handover;
pub(crate) mod sync;
mod threads;

pub(crate) use crate::raw::epoch::Epoch;
pub(crate) use crate::raw::shared::Task;
pub(crate) use threads::Pool;
pub use threads::thread_limit;
