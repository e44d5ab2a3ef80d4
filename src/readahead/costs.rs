//! `Costs`: whether guessed stretches pay with a single worker.
//!
//! In a round, the decoder decodes `g` bytes and delivers `s`, while the worker decodes `s`. With `a`
//! the decoder's time for a byte that it decodes, `d` that for a byte that it delivers, and `m` the
//! worker's, the round is balanced when `g a + s d = s m`, and is then
//!
//! ```text
//! (g + s) a / (s m)  =  1 + (a - d) / m
//! ```
//!
//! times as fast as the decoder alone. With highly compressed data decoding is little more than copying,
//! so `d` is not less than `a`, and there is no gain.

#![forbid(unsafe_code)]

use super::pace::Rate;
use std::time::Duration;

/// The least gain, in percent, for which a second processor is used.
const LEAST_GAIN: i64 = 15;

/// Bytes that must have been delivered, and decoded, before the measurements are trusted.
const ENOUGH_DELIVERED: u64 = 3 << 20;
const ENOUGH_DECODED: u64 = 1 << 20;

/// Bytes after which older measurements count half.
const FADE: u64 = 16 << 20;

#[derive(Debug, Default)]
pub(super) struct Costs {
    alone: Rate,
    delivered: Rate,
    marked: Rate,
}

fn count(rate: &mut Rate, time: Duration, bytes: u64) {
    if rate.bytes() > FADE {
        rate.fade();
    }
    rate.add(time, bytes);
}

impl Costs {
    /// The decoder has decoded.
    pub(super) fn decoded(&mut self, time: Duration, bytes: u64) {
        count(&mut self.alone, time, bytes);
    }

    /// The decoder has delivered.
    pub(super) fn delivered(&mut self, time: Duration, bytes: u64) {
        count(&mut self.delivered, time, bytes);
    }

    /// A worker has decoded with markers.
    pub(super) fn marked(&mut self, time: Duration, bytes: u64) {
        count(&mut self.marked, time, bytes);
    }

    /// Whether the gain is too small.
    pub(super) fn are_too_high(&self) -> bool {
        if self.delivered.bytes() < ENOUGH_DELIVERED || self.alone.bytes() < ENOUGH_DECODED {
            return false;
        }
        let rates = (self.alone.per_kib(), self.delivered.per_kib(), self.marked.per_kib());
        let (Some(alone), Some(delivered), Some(marked)) = rates else { return false };
        (alone as i64 - delivered as i64) * 100 < LEAST_GAIN * marked as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(alone: u64, delivered: u64, marked: u64, bytes: u64) -> bool {
        let mut costs = Costs::default();
        let micros = |each: u64| Duration::from_micros((each * bytes) >> 20);
        costs.decoded(micros(alone), bytes);
        costs.delivered(micros(delivered), bytes);
        costs.marked(micros(marked), bytes);
        costs.are_too_high()
    }

    #[test]
    fn stretches_pay_unless_delivering_costs_about_as_much_as_decoding() {
        assert!(!judged(1000, 250, 1100, 8 << 20));
        assert!(judged(250, 240, 300, 8 << 20) && judged(250, 300, 300, 8 << 20));
        assert!(!judged(250, 300, 300, 2 << 20), "too little is known");
    }
}
