//! `Costs`: what guessed stretches save, and whether they pay with a single worker.
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

/// The minimum gain, in percent, for which a second processor is used.
const LEAST_GAIN: i64 = 15;

/// Bytes that must have been delivered, and decoded, before the measurements are trusted.
const ENOUGH_DELIVERED: u64 = 3 << 20;
const ENOUGH_DECODED: u64 = 1 << 20;

/// Nanoseconds for 1024 bytes that the decoder delivers, until that is measured: 0.45 ns a byte on Intel's Sapphire Rapids.
const PRESUMED_DELIVERED: u64 = 460;

/// Bytes that must have been decoded before a saving is estimated.
const ENOUGH_TO_ESTIMATE: u64 = 256 << 10;

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

    /// The time that `workers` workers are expected to save in the next `bytes` bytes; `None` if too little is known.
    pub(super) fn saving(&self, bytes: u64, workers: usize) -> Option<Duration> {
        let alone = self.alone.per_kib().filter(|_| self.alone.bytes() >= ENOUGH_TO_ESTIMATE)?.max(1);
        let delivered = self.delivered.per_kib().unwrap_or(PRESUMED_DELIVERED);
        // Decoding with markers takes about 1.5 times as long.
        let marked = self.marked.per_kib().unwrap_or(alone * 3 / 2).max(1);
        // No floating point, as in zlib. The workers save the fraction w / (m + w) of the time, where w is (a - d) times their
        // number. However many there are, the decoder delivers everything.
        let [alone, delivered, marked] = [alone, delivered, marked].map(u128::from);
        let most = alone.saturating_sub(delivered);
        let by_workers = most * workers as u128;
        let each = most.min(alone * by_workers / (marked + by_workers));
        Some(Duration::from_nanos((each * u128::from(bytes >> 10)).try_into().unwrap_or(u64::MAX)))
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

    #[test]
    fn a_saving_grows_with_the_data_and_not_without_end_with_the_workers() {
        let mut costs = Costs::default();
        let bytes = 64 << 20;
        assert_eq!(costs.saving(bytes, 1), None);
        costs.decoded(Duration::from_millis(1), 1 << 20);
        // A MiB takes 1 ms alone, 0.46 when delivered, 1.5 with markers.
        let [one, two, many] =
            [1, 2, 100].map(|workers| costs.saving(bytes, workers).expect("enough is known"));
        assert!(
            one > Duration::from_millis(12) && one < two && two < many && many < Duration::from_millis(36)
        );
        assert_eq!(costs.saving(bytes / 2, 1), Some(one / 2));
        costs.delivered(Duration::from_millis(2), 1 << 20);
        assert_eq!(costs.saving(bytes, 1), Some(Duration::ZERO));
    }
}
