//! The values of `msg` for damaged data: zlib's messages, which programs print and tests compare.

#![forbid(unsafe_code)]

use core::ffi::CStr;

/// Block type 3.
pub(crate) const BLOCK_TYPE: &CStr = c"invalid block type";
/// The two lengths of a stored block do not complement each other.
pub(crate) const STORED_LENGTHS: &CStr = c"invalid stored block lengths";
/// A dynamic block describes more symbols than there are.
pub(crate) const TOO_MANY_SYMBOLS: &CStr = c"too many length or distance symbols";
/// The code length code is over-subscribed or incomplete.
pub(crate) const PRECODE: &CStr = c"invalid code lengths set";
/// A code length is repeated before the first one, or past the last.
pub(crate) const REPEAT: &CStr = c"invalid bit length repeat";
/// A dynamic block without a codeword for its end.
pub(crate) const MISSING_END: &CStr = c"invalid code -- missing end-of-block";
/// The literal/length code is over-subscribed or incomplete.
pub(crate) const LITLEN_SET: &CStr = c"invalid literal/lengths set";
/// The distance code is over-subscribed or incomplete.
pub(crate) const OFFSET_SET: &CStr = c"invalid distances set";
/// An unassigned or reserved literal/length codeword.
pub(crate) const LITLEN: &CStr = c"invalid literal/length code";
/// An unassigned or reserved distance codeword.
pub(crate) const OFFSET: &CStr = c"invalid distance code";
/// A match that begins before the data.
pub(crate) const TOO_FAR: &CStr = c"invalid distance too far back";
/// A zlib header whose 16 bits are not a multiple of 31, or a format that the caller does not accept.
pub(crate) const HEADER_CHECK: &CStr = c"incorrect header check";
/// A header whose method is not DEFLATE.
pub(crate) const METHOD: &CStr = c"unknown compression method";
/// A zlib header with a larger window than the caller allows.
pub(crate) const WINDOW_SIZE: &CStr = c"invalid window size";
/// A gzip header with reserved flags.
pub(crate) const HEADER_FLAGS: &CStr = c"unknown header flags set";
/// A gzip header whose CRC-16 is wrong.
pub(crate) const HEADER_CRC: &CStr = c"header crc mismatch";
/// The trailer's check value is not that of the data.
pub(crate) const DATA_CHECK: &CStr = c"incorrect data check";
/// The gzip trailer's length is not that of the data.
pub(crate) const LENGTH_CHECK: &CStr = c"incorrect length check";
