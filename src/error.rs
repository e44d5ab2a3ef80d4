//! The outcomes of every engine and layer, in Rust's terms.
//!
//! No zlib number appears here: only `capi` translates a [`Status`] or an [`Error`] into zlib's return codes.

#![forbid(unsafe_code)]

/// The outcome of a successful call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Progress was made; the call can continue with more input or more output space.
    Ok,
    /// The stream is complete, trailer included.
    StreamEnd,
    /// The decoder needs the preset dictionary whose Adler-32 the stream's check value now holds.
    NeedDictionary,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The arguments or the state of the stream do not allow the call.
    Stream,
    /// The compressed data is damaged.
    Data,
    /// An allocation failed; no data was lost.
    Memory,
    /// No progress is possible without more input or more output space. Not fatal.
    Buffer,
    /// A file operation failed; `errno` has the reason.
    Io,
}

/// The crate's result.
pub type Result<T> = core::result::Result<T, Error>;
