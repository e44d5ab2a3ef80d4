//! The progress bar: on a terminal, for work that takes longer than a second.
//!
//! Nobody asked for it, so it keeps out of the way: nothing with `-q`, nothing when stderr or stdout-as-data shares the terminal,
//! nothing for short work, and it is wiped before anything else is said.

#![forbid(unsafe_code)]

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the clock is asked, in bytes.
const STEP: u64 = 1 << 20;

/// What is shown of one file's way.
#[derive(Debug)]
pub(crate) struct Progress {
    is_on: bool,
    name: String,
    /// Bytes of input to come; none for a pipe.
    total: Option<u64>,
    start: Instant,
    next: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(is_on: bool, name: String, total: Option<u64>) -> Self {
        Self { is_on, name, total, start: Instant::now(), next: STEP, bar: None }
    }

    /// Tells how far the work is.
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
            let ratio = bytes_out as f64 * 100.0 / bytes_in.max(1) as f64;
            bar.set_message(format!("-> {} {ratio:.1}%", HumanBytes(bytes_out)));
            bar.set_position(bytes_in);
        }
    }

    fn new_bar(&self) -> ProgressBar {
        let (bar, template) = match self.total {
            Some(total) => (
                ProgressBar::new(total),
                "{prefix} [{bar:25}] {bytes}/{total_bytes} {msg} {binary_bytes_per_sec} {eta}",
            ),
            None => (ProgressBar::new_spinner(), "{prefix} {bytes} {msg} {binary_bytes_per_sec} {elapsed}"),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = bar.with_style(style.progress_chars("=> ")).with_prefix(self.name.clone());
        bar.with_elapsed(self.start.elapsed())
    }

    /// Wipes what is shown; tells how long it took.
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
