//! A message encoder that no stream uses, kept for the next stream.
//!
//! Compressing a few hundred bytes costs less than the page faults of fresh memory. So when a stream ends, the process
//! keeps its encoder, of about 268 KB. This is done for at most one encoder, and only for one with the usual settings and
//! with memory of the system's allocator: memory of a program's own allocator must not outlive its stream.

#![forbid(unsafe_code)]

use crate::deflate::{MessageEncoder, MessageSettings};
use crate::raw::Allocator;
use std::sync::{Mutex, MutexGuard};

/// The settings that nearly all programs use.
const USUAL: MessageSettings = MessageSettings { window_bits: 15, mem_level: 8 };

/// The most encoders that are kept.
const MOST: usize = 1;

/// Only locked with `try_lock`, and never waited for: in a forked child, a thread that does not exist there may hold the
/// lock. While it is held, streams allocate their encoders and free them.
static IDLE: Mutex<Vec<MessageEncoder>> = Mutex::new(Vec::new());

fn is_usual(settings: MessageSettings, allocator: &Allocator) -> bool {
    settings == USUAL && allocator.is_system()
}

fn lock() -> Option<MutexGuard<'static, Vec<MessageEncoder>>> {
    IDLE.try_lock().ok()
}

/// Takes an idle encoder for a stream with these settings, at the start of a stream; `None` if there is none.
pub(super) fn take(settings: MessageSettings, allocator: &Allocator) -> Option<MessageEncoder> {
    if !is_usual(settings, allocator) {
        return None;
    }
    let mut encoder = lock()?.pop()?;
    // Its last stream may have ended anywhere, and later data must not refer to that stream's.
    encoder.reset(false);
    Some(encoder)
}

/// Keeps the encoder of a stream that ends, in any state; frees it if its settings or its allocator are not
/// the usual ones, or if another is kept already.
pub(super) fn give(encoder: MessageEncoder, settings: MessageSettings, allocator: &Allocator) {
    if is_usual(settings, allocator)
        && let Some(mut idle) = lock()
        && idle.len() < MOST
        && idle.try_reserve(1).is_ok()
    {
        idle.push(encoder);
    }
}
