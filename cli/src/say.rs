//! Output of lines. `println!` and `eprintln!` panic if a line can't be written; here a full disk on standard output is an
//! ordinary error, and lines that cannot be written to stderr are dropped.
//!
//! A file's name need not be UTF-8, but lines are text until they are printed. So [`shown`] represents each byte that is no
//! UTF-8 as a character of its own, from U+10FF80 to U+10FFFF, and printing restores the bytes. These characters are for private
//! use; if a name contains one, its bytes are treated in the same way. JSON must be UTF-8, so there the characters remain.

#![forbid(unsafe_code)]

use serde_json::Value;
use std::ffi::OsStr;
use std::fmt::{Arguments, Write as _};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
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
    let line = bytes_of(&format!("{line}\n"));
    let write = |mut stdout: io::Stdout| stdout.write_all(&line).and_then(|()| stdout.flush());
    if let Err(error) = crate::descriptors::stdout().and_then(write) {
        complain!("rigz: stdout: {}", describe(&error));
        crate::signals::remove_unfinished();
        std::process::exit(1);
    }
}

/// See [`complain`].
pub(crate) fn to_stderr(line: Arguments<'_>) {
    _ = io::stderr().write_all(&bytes_of(&format!("{line}\n")));
}

/// The character that represents this byte, which is at least 0x80.
fn stand_in(byte: u8) -> char {
    char::from_u32(STAND_INS + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

const STAND_INS: u32 = 0x10_ff00;

/// The byte that a character represents.
fn represented(char: char) -> Option<u8> {
    u32::from(char)
        .checked_sub(STAND_INS)
        .and_then(|byte| u8::try_from(byte).ok())
        .filter(|&byte| byte >= 0x80)
}

/// A file's name as text, see the head of this file.
pub(crate) fn shown(name: &(impl AsRef<OsStr> + ?Sized)) -> String {
    let mut text = String::new();
    for part in name.as_ref().as_bytes().utf8_chunks() {
        for char in part.valid().chars() {
            match represented(char) {
                None => text.push(char),
                Some(_) => text.extend(char.encode_utf8(&mut [0; 4]).bytes().map(stand_in)),
            }
        }
        text.extend(part.invalid().iter().copied().map(stand_in));
    }
    text
}

/// A line as it is printed.
pub(crate) fn bytes_of(line: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len());
    for char in line.chars() {
        match represented(char) {
            None => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            Some(byte) => bytes.push(byte),
        }
    }
    bytes
}

/// JSON as a line to print.
pub(crate) fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for char in value.to_string().chars() {
        match represented(char) {
            None => line.push(char),
            // Written as a pair of surrogates, so that printing does not change it.
            Some(byte) => _ = write!(line, "\\udbff\\udf{byte:02x}"),
        }
    }
    line
}

/// The message for an error in a file.
pub(crate) fn in_file(path: &Path) -> impl Fn(io::Error) -> String {
    move |error| format!("{}: {}", shown(path), describe(&error))
}

/// The system's message, without the error number that Rust appends.
pub(crate) fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
