//! Output of lines. `println!` and `eprintln!` panic if a line can't be written; here a full disk on standard output is an
//! ordinary error, and lines that cannot be written to stderr are dropped.

#![forbid(unsafe_code)]

use std::fmt::Arguments;
use std::io::{self, Write};
use std::path::Path;

/// A line on standard output.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::to_stdout(format_args!($($text)*)) };
}

/// A line on stderr.
macro_rules! complain {
    ($($text:tt)*) => { $crate::say::to_stderr(format_args!($($text)*)) };
}

/// See [`say`]. Ends the process if the line can't be written, and removes outputs that other threads have not completed.
pub(crate) fn to_stdout(line: Arguments<'_>) {
    let write = |mut stdout: io::Stdout| writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    if let Err(error) = crate::descriptors::stdout().and_then(write) {
        complain!("rigz: stdout: {}", describe(&error));
        crate::signals::remove_unfinished();
        std::process::exit(1);
    }
}

/// See [`complain`].
pub(crate) fn to_stderr(line: Arguments<'_>) {
    _ = writeln!(io::stderr().lock(), "{line}");
}

/// The message for an error in a file.
pub(crate) fn in_file(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("{}: {}", path.display(), describe(&error))
}

/// The system's message, without the error number that Rust appends.
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
