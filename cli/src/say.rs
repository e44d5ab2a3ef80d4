//! Lines for people and scripts. `println!` and its kin panic when a line can't be written; here a full disk behind standard output is
//! an error as any other, and what nobody reads on stderr is lost without harm to the work.

#![forbid(unsafe_code)]

use std::fmt::Arguments;
use std::io::{self, Write};

/// A line on standard output.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::to_stdout(format_args!($($text)*)) };
}

/// A line on stderr.
macro_rules! complain {
    ($($text:tt)*) => { $crate::say::to_stderr(format_args!($($text)*)) };
}

/// See [`say`]. Ends the process when it can't be written, with whatever other threads have not completed.
pub(crate) fn to_stdout(line: Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        complain!("rigz: stdout: {}", describe(&error));
        crate::signals::remove_unfinished();
        std::process::exit(1);
    }
}

/// See [`complain`].
pub(crate) fn to_stderr(line: Arguments<'_>) {
    _ = writeln!(io::stderr().lock(), "{line}");
}

/// The system's text, without the number that Rust puts behind it.
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
