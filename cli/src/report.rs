//! What the command says and how it ends: gzip's messages on stderr and gzip's exit status.
//!
//! 0 when all went well, 1 after an error, 2 when there was nothing worse than a warning. Warnings are silenced by `-q`, but count.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::fmt::Display;
use std::process::ExitCode;

/// Collects the worst that happened.
#[derive(Debug)]
pub(crate) struct Report {
    quiet: bool,
    has_failed: Cell<bool>,
    has_warned: Cell<bool>,
}

impl Report {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, has_failed: Cell::new(false), has_warned: Cell::new(false) }
    }

    /// Something could not be done.
    pub(crate) fn error(&self, message: impl Display) {
        complain!("rigz: {message}");
        self.has_failed.set(true);
    }

    /// Something was left alone, or is worth a look.
    pub(crate) fn warn(&self, message: impl Display) {
        self.note(message);
        self.has_warned.set(true);
    }

    /// Something that changes nothing about the success.
    pub(crate) fn note(&self, message: impl Display) {
        if !self.quiet {
            complain!("rigz: {message}");
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match (self.has_failed.get(), self.has_warned.get()) {
            (true, _) => ExitCode::from(1),
            (false, true) => ExitCode::from(2),
            (false, false) => ExitCode::SUCCESS,
        }
    }
}
