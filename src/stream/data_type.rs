//! `DataType`: zlib's guess whether a stream's data is text (`data_type` of `z_stream`).
//!
//! zlib counts the literals of the first block (trees.c, `detect_data_type`). This looks at the first bytes, which do not depend on
//! the search for matches, nor on how calls divide the input. Control characters that do not occur in text make the data binary;
//! otherwise white space or a printable character makes it text.

#![forbid(unsafe_code)]

use super::policy;

const BINARY: i32 = 0;
const TEXT: i32 = 1;
const UNKNOWN: i32 = 2;

/// The first bytes that count: when a segment becomes bulk, they have arrived.
const SAMPLE: usize = policy::MESSAGE;

/// The sample so far, and the decision.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataType {
    value: i32,
    /// How many of the next bytes still count.
    left: usize,
    has_text: bool,
    has_binary: bool,
}

impl DataType {
    /// At the start of a stream.
    pub(super) fn new() -> Self {
        Self { value: UNKNOWN, left: SAMPLE, has_text: false, has_binary: false }
    }

    /// The type that another encoder has found.
    pub(super) fn found(value: i32) -> Self {
        Self { value, ..Self::new() }
    }

    /// The value of `data_type`.
    pub(super) fn value(&self) -> i32 {
        self.value
    }

    pub(super) fn is_known(&self) -> bool {
        self.value != UNKNOWN
    }

    /// Looks at bytes of the stream, in order.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        if self.is_known() || self.has_binary {
            return;
        }
        let bytes = &bytes[..bytes.len().min(self.left)];
        self.left -= bytes.len();
        for piece in bytes.chunks(1024) {
            let (has_text, has_binary) = kinds(piece);
            self.has_text |= has_text;
            self.has_binary |= has_binary;
            if has_binary {
                return;
            }
        }
    }

    /// Decides, at the end of the first block.
    pub(super) fn decide(&mut self) {
        if !self.is_known() {
            self.value = if self.has_text && !self.has_binary { TEXT } else { BINARY };
        }
    }

    /// Drops the sample: the bytes did not end in a block that decides.
    pub(super) fn forget(&mut self) {
        if !self.is_known() {
            *self = Self::new();
        }
    }
}

/// Whether `bytes` has text, and whether it has control characters that do not occur in text.
/// Without branches and in local bytes, so that the compiler uses vectors.
#[inline(never)]
fn kinds(bytes: &[u8]) -> (bool, bool) {
    let (mut text, mut binary) = (0, 0);
    for &byte in bytes {
        text |= u8::from(byte >= 32) | u8::from(byte == 9) | u8::from(byte == 10) | u8::from(byte == 13);
        binary |= u8::from(byte <= 6)
            | u8::from(byte.wrapping_sub(14) <= 11)
            | u8::from(byte.wrapping_sub(28) <= 3);
    }
    (text != 0, binary != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pieces: &[&[u8]]) -> i32 {
        let mut kind = DataType::new();
        for piece in pieces {
            kind.note(piece);
        }
        kind.decide();
        kind.value()
    }

    #[test]
    fn one_control_character_anywhere_makes_data_binary() {
        for byte in 0..=255 {
            let is_control = byte < 32 && !matches!(byte, 7..=13 | 26 | 27);
            let has_type = if is_control { BINARY } else { TEXT };
            assert_eq!(of(&[b"words", &[byte], b"words"]), has_type, "{byte}");
            assert_eq!(of(&[&[byte], &[b'x'; 5000]]), has_type, "{byte}");
        }
        assert_eq!(of(&[]), BINARY);
        assert_eq!(of(&[&[7, 8, 27]]), BINARY);
    }

    #[test]
    fn bytes_after_the_first_ones_and_after_the_decision_do_not_count() {
        assert_eq!(of(&[&[b'x'; SAMPLE], &[0]]), TEXT);
        let mut kind = DataType::new();
        kind.note(b"text");
        assert!(!kind.is_known());
        kind.decide();
        kind.note(&[0]);
        kind.decide();
        assert_eq!(kind.value(), TEXT);
    }
}
