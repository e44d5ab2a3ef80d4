//! The progress bar: on a terminal, for work that takes longer than a second.
//!
//! The user did not request it, so it is not shown with `-q`, for short work, or if data on standard output goes to the terminal,
//! and it is erased before any message is printed.

#![forbid(unsafe_code)]

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes between two readings of the clock.
const STEP: u64 = 1 << 20;

/// The progress display for one file.
#[derive(Debug)]
pub(crate) struct Progress {
    is_on: bool,
    /// The input is the plain side, so the ratio is computed as gzip does.
    is_compression: bool,
    name: String,
    /// Bytes of input to come; none for a pipe.
    total: Option<u64>,
    start: Instant,
    next: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(is_on: bool, is_compression: bool, name: String, total: Option<u64>) -> Self {
        Self { is_on, is_compression, name, total, start: Instant::now(), next: STEP, bar: None }
    }

    /// Shows the progress so far.
    pub(crate) fn at(&mut self, bytes_in: u64, bytes_out: u64) {
        if !self.is_on || bytes_in < self.next {
            return;
        }
        self.next = bytes_in + STEP;
        if self.bar.is_none() {
            if self.start.elapsed() < PATIENCE {
                return;
            }
            self.bar = Some(self.new_bar());
        }
        if let Some(bar) = &self.bar {
            bar.set_message(self.message(bytes_in, bytes_out));
            bar.set_position(bytes_in);
        }
    }

    /// The bytes written, the ratio as `-v` shows it, the speed so far, and the remaining time at this speed.
    fn message(&self, bytes_in: u64, bytes_out: u64) -> String {
        let (plain, packed) = if self.is_compression { (bytes_in, bytes_out) } else { (bytes_out, bytes_in) };
        let ratio = 100.0 - packed as f64 * 100.0 / plain.max(1) as f64;
        let speed = bytes_in as f64 / self.start.elapsed().as_secs_f64().max(1e-3);
        let left = self.total.map_or_else(String::new, |total| {
            format!(", {:.0} s left", total.saturating_sub(bytes_in) as f64 / speed)
        });
        format!("-> {} {ratio:.1}% {}/s{left}", HumanBytes(bytes_out), HumanBytes(speed as u64))
    }

    fn new_bar(&self) -> ProgressBar {
        let (bar, template) = match self.total {
            Some(total) => (ProgressBar::new(total), "{prefix} [{bar:25}] {bytes}/{total_bytes} {msg}"),
            None => (ProgressBar::new_spinner(), "{prefix} {bytes} {msg}"),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.with_style(style.progress_chars("=> ")).with_prefix(self.name.clone())
    }

    /// Erases the display; returns how long the work took.
    pub(crate) fn finish(mut self) -> Duration {
        self.wipe();
        self.start.elapsed()
    }

    fn wipe(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.wipe();
    }
}
