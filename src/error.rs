//! The outcomes of every engine and layer, in Rust's terms.
//!
//! No zlib number appears here: `capi` alone translates a [`Status`] or an [`Error`] into `Z_OK` and its brothers.

#![forbid(unsafe_code)]

/// How a call that did what it was asked to ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Progress was made; more input or more room is welcome.
    Ok,
    /// The stream is complete, trailer included.
    StreamEnd,
    /// The decoder needs the preset dictionary whose Adler-32 the stream's check value now holds.
    NeedDictionary,
}

/// Why a call could not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The arguments or the state of the stream do not allow the call.
    Stream,
    /// The compressed data is damaged.
    Data,
    /// Memory was refused; nothing was lost.
    Memory,
    /// No progress is possible without more input or more room. Not fatal.
    Buffer,
    /// A file operation failed; `errno` tells how.
    Io,
}

/// The crate's result.
pub type Result<T> = core::result::Result<T, Error>;
