//! Clocks and medians.
//!
//! A *sample* is the time of one call of an operation. Operations shorter than `BATCH` are called many times between two clock reads,
//! because getrusage counts in microseconds and costs a system call. In a *turn*, a contender collects samples until its time is used up,
//! at least one. The contenders take turns several times, so that changes in the machine's speed affect all of them.
//!
//! CPU time is getrusage(RUSAGE_SELF) of a process that does nothing else: user and system, all threads.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Shortest time between two clock reads.
const BATCH: Duration = Duration::from_millis(10);

/// A first call shorter than this is discarded, because it includes page faults, thread start and cold caches.
const WARM_UP: Duration = Duration::from_millis(50);

/// Seconds of one call.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sample {
    pub wall: f64,
    pub cpu: f64,
}

/// Minimum, median and maximum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

impl Spread {
    /// Returns `None` if there are no figures. The median of an even count is the mean of the middle two.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let upper = sorted.len() / 2;
        let lower = (sorted.len() - 1) / 2;
        Some(Spread { min, median: (sorted[lower] + sorted[upper]) / 2.0, max })
    }
}

/// CPU time of this process so far, all threads, user and system.
pub fn cpu_now() -> Duration {
    cpu_of(&usage_now())
}

/// Minor page faults (served without disk access) of this process so far.
pub fn page_faults() -> f64 {
    usage_now().ru_minflt as f64
}

fn usage_now() -> libc::rusage {
    // SAFETY: rusage is plain integers, for which all-zero is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is writable and RUSAGE_SELF is a valid argument.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    usage
}

/// Sum of the user and system time in `usage`.
pub fn cpu_of(usage: &libc::rusage) -> Duration {
    let part = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    part(usage.ru_utime) + part(usage.ru_stime)
}

/// Runs `call` for one turn of about `budget`.
pub fn turn<E>(budget: Duration, mut call: impl FnMut() -> Result<(), E>) -> Result<Vec<Sample>, E> {
    let first = batch(1, &mut call)?;
    let mut samples = Vec::new();
    let mut spent = Duration::ZERO;
    if first.wall >= WARM_UP.as_secs_f64() {
        samples.push(first);
        spent = Duration::from_secs_f64(first.wall);
    }
    let calls = (BATCH.as_secs_f64() / first.wall.max(1e-9)).ceil().clamp(1.0, 1e7) as u32;
    while samples.is_empty() || spent < budget {
        let sample = batch(calls, &mut call)?;
        spent += Duration::from_secs_f64(sample.wall * f64::from(calls));
        samples.push(sample);
    }
    Ok(samples)
}

fn batch<E>(calls: u32, call: &mut impl FnMut() -> Result<(), E>) -> Result<Sample, E> {
    let (wall, cpu) = (Instant::now(), cpu_now());
    for _ in 0..calls {
        call()?;
    }
    let (cpu, wall) = (cpu_now() - cpu, wall.elapsed());
    Ok(Sample { wall: wall.as_secs_f64() / f64::from(calls), cpu: cpu.as_secs_f64() / f64::from(calls) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_odd_count_is_the_middle_figure() {
        let spread = Spread::of([9.0, 1.0, 4.0]);
        assert_eq!(spread, Some(Spread { min: 1.0, median: 4.0, max: 9.0 }));
    }

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        let spread = Spread::of([8.0, 2.0, 4.0, 100.0]);
        assert_eq!(spread, Some(Spread { min: 2.0, median: 6.0, max: 100.0 }));
    }

    #[test]
    fn no_figures_have_no_spread() {
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_turn_takes_at_least_one_sample_and_stops_at_an_error() {
        let samples = turn(Duration::ZERO, || Ok::<(), ()>(())).unwrap();
        assert_eq!(samples.len(), 1);
        let mut calls = 0;
        let failed = turn(Duration::from_secs(1), || {
            calls += 1;
            if calls == 3 { Err("third") } else { Ok(()) }
        });
        assert_eq!(failed.unwrap_err(), "third");
    }

    #[test]
    fn cpu_time_includes_other_threads() {
        let before = cpu_now();
        let spin = std::thread::spawn(|| {
            let start = Instant::now();
            let mut x = 1u64;
            while start.elapsed() < Duration::from_millis(200) {
                x = std::hint::black_box(x.wrapping_mul(3));
            }
        });
        spin.join().unwrap();
        assert!(cpu_now() - before > Duration::from_millis(10));
    }
}
