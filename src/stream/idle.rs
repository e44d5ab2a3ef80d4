//! Message encoders that no stream uses, for the next stream.
//!
//! A stream of a few hundred bytes costs less to compress than fresh memory costs to touch. So a process keeps one
//! encoder of the usual size whose memory is the system's, 268 KB.

#![forbid(unsafe_code)]

use crate::deflate::{MessageEncoder, MessageSettings};
use crate::raw::Allocator;
use std::sync::{Mutex, MutexGuard};

/// The size that nearly all programs use.
const USUAL: MessageSettings = MessageSettings { window_bits: 15, mem_level: 8 };

/// Encoders kept.
const MOST: usize = 1;

/// Only locked with `try_lock`: in a forked child, a thread that does not exist there may hold the lock. Then encoders
/// are allocated.
static IDLE: Mutex<Vec<MessageEncoder>> = Mutex::new(Vec::new());

fn is_usual(settings: MessageSettings, allocator: &Allocator) -> bool {
    settings == USUAL && allocator.is_system()
}

fn lock() -> Option<MutexGuard<'static, Vec<MessageEncoder>>> {
    IDLE.try_lock().ok()
}

/// Takes an idle encoder for a stream with these settings; `None` if there is none.
pub(super) fn take(settings: MessageSettings, allocator: &Allocator) -> Option<MessageEncoder> {
    if !is_usual(settings, allocator) {
        return None;
    }
    let mut encoder = lock()?.pop()?;
    encoder.reset(false);
    Some(encoder)
}

/// Keeps the encoder of a stream that ends.
pub(super) fn give(encoder: MessageEncoder, settings: MessageSettings, allocator: &Allocator) {
    if is_usual(settings, allocator)
        && let Some(mut idle) = lock()
        && idle.len() < MOST
        && idle.try_reserve(1).is_ok()
    {
        idle.push(encoder);
    }
}
