//! The command's messages and exit status, which are gzip's.
//!
//! 0 without errors or warnings, 1 after an error, 2 after a warning and no error. `-q` silences warnings, but they count.
//! A worker's report is kept, and appended to the main thread's in the order of the files.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::process::ExitCode;

/// Collects the worst outcome.
#[derive(Debug)]
pub(crate) struct Report {
    quiet: bool,
    has_failed: Cell<bool>,
    has_warned: Cell<bool>,
    /// Lines to print later, each with whether it is for standard output; `None` if lines are printed at once.
    kept: Option<RefCell<Vec<(bool, String)>>>,
}

impl Report {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, has_failed: Cell::new(false), has_warned: Cell::new(false), kept: None }
    }

    /// A report that keeps its lines.
    pub(crate) fn kept(quiet: bool) -> Self {
        Self { kept: Some(RefCell::default()), ..Self::new(quiet) }
    }

    /// Reports an error.
    pub(crate) fn error(&self, message: impl Display) {
        self.line(false, format!("rigz: {message}"));
        self.has_failed.set(true);
    }

    /// Reports a warning: a file was skipped, or needs attention.
    pub(crate) fn warn(&self, message: impl Display) {
        self.note(message);
        self.has_warned.set(true);
    }

    /// Prints a message that does not affect the exit status.
    pub(crate) fn note(&self, message: impl Display) {
        if !self.quiet {
            self.line(false, format!("rigz: {message}"));
        }
    }

    /// Prints a line that the user requested.
    pub(crate) fn line(&self, is_for_stdout: bool, line: String) {
        match &self.kept {
            Some(kept) => kept.borrow_mut().push((is_for_stdout, line)),
            None if is_for_stdout => say!("{line}"),
            None => complain!("{line}"),
        }
    }

    /// Adds the lines and the outcome of a kept report.
    pub(crate) fn append(&self, other: Report) {
        for (is_for_stdout, line) in other.kept.map(RefCell::into_inner).unwrap_or_default() {
            self.line(is_for_stdout, line);
        }
        self.has_failed.set(self.has_failed.get() || other.has_failed.get());
        self.has_warned.set(self.has_warned.get() || other.has_warned.get());
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match (self.has_failed.get(), self.has_warned.get()) {
            (true, _) => ExitCode::from(1),
            (false, true) => ExitCode::from(2),
            (false, false) => ExitCode::SUCCESS,
        }
    }
}
