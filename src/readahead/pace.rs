//! `Pace`: whether a file's host works between its reads, and whether processors are idle.
//!
//! Two times decide how a file is read ahead, both per byte of output: the host's time between two
//! reads, and the decoder's time. If the host takes about as long as the decoder or longer, plain decoding in
//! the background is best: it costs no more processor time than reading without threads. A host that only
//! reads waits for the decoder, and only decoding at several places at once can help.
//!
//! The system reports idle processors only for the moment. So while workers run: if a stretch took clearly
//! longer than its thread ran, other threads wanted its processor too.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

/// Output bytes between two decisions: about a millisecond of decoding.
const SAMPLE_BYTES: u64 = 1 << 20;

/// Nanoseconds spent on some bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rate {
    nanoseconds: u64,
    bytes: u64,
}

impl Rate {
    pub(super) fn add(&mut self, time: Duration, bytes: u64) {
        self.nanoseconds += time.as_nanos() as u64;
        self.bytes += bytes;
    }

    /// Halves the weight of earlier measurements.
    pub(super) fn fade(&mut self) {
        self.nanoseconds /= 2;
        self.bytes /= 2;
    }

    /// The number of bytes.
    pub(super) fn bytes(self) -> u64 {
        self.bytes
    }

    /// Nanoseconds for 1024 bytes; `None` if nothing was measured.
    pub(super) fn per_kib(self) -> Option<u64> {
        (self.nanoseconds << 10).checked_div(self.bytes)
    }
}

/// Measurements while a file is read.
#[derive(Debug, Default)]
pub(super) struct Pace {
    host: Rate,
    decoder: Rate,
    /// When the last read ended.
    left: Option<Instant>,
    /// The host takes about as long as the decoder, or longer.
    host_is_busy: bool,
}

impl Pace {
    /// A read begins.
    pub(super) fn enter(&mut self) {
        if let Some(left) = self.left.take() {
            self.host.add(left.elapsed(), 0);
        }
    }

    /// A read that returned `bytes` ends.
    pub(super) fn leave(&mut self, bytes: u64) {
        self.left = Some(Instant::now());
        self.host.bytes += bytes;
        if self.host.bytes < SAMPLE_BYTES {
            return;
        }
        if let (Some(host), Some(decoder)) = (self.host.per_kib(), self.decoder.per_kib()) {
            // At three quarters of the decoder's time both ways of reading ahead take equally long, and plain decoding costs
            // less. The threshold is lower while the host is busy, so that the decision does not alternate.
            self.host_is_busy = host * 8 > decoder * if self.host_is_busy { 5 } else { 6 };
        }
        self.host.fade();
        self.decoder.fade();
    }

    /// The decoder took `time` for `bytes`.
    pub(super) fn decoded(&mut self, time: Duration, bytes: u64) {
        self.decoder.add(time, bytes);
    }

    /// Whether the host takes about as long as the decoder, or longer.
    pub(super) fn host_is_busy(&self) -> bool {
        self.host_is_busy
    }
}

/// Whether a worker that took `took`, and had a processor for `ran` of that, shared it with no other thread.
pub(super) fn was_undisturbed(took: Duration, ran: Duration) -> bool {
    // Context switches and page faults do not count.
    ran + Duration::from_micros(100) >= took * 17 / 20
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a `Pace` finds the host busy after it took each of `hosts` microseconds where the decoder takes 1000.
    fn judged(hosts: &[u64]) -> bool {
        let mut pace = Pace::default();
        for &host in hosts {
            pace.host.add(Duration::from_micros(host), 0);
            pace.decoded(Duration::from_micros(1000), SAMPLE_BYTES);
            pace.leave(SAMPLE_BYTES);
        }
        pace.host_is_busy()
    }

    #[test]
    fn a_host_that_takes_as_long_as_the_decoder_is_busy() {
        assert!(!judged(&[0]) && !judged(&[700]) && judged(&[900]) && judged(&[50_000]));
    }

    #[test]
    fn a_host_near_the_turning_point_stays_what_it_was() {
        assert!(judged(&[900, 700, 700, 700]) && !judged(&[600, 700, 700, 700]));
        assert!(!judged(&[900, 100, 100, 100, 100]));
    }

    #[test]
    fn a_worker_that_ran_for_half_of_its_time_was_disturbed() {
        let millis = Duration::from_millis;
        assert!(was_undisturbed(millis(10), millis(10)));
        assert!(!was_undisturbed(millis(10), millis(5)));
        assert!(was_undisturbed(Duration::from_micros(90), Duration::ZERO));
    }
}
