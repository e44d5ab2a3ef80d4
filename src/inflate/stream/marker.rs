//! The sync marker, which `inflateSync()` searches for: four bytes in the input. The markers of `marked` are elements of the
//! output.

#![forbid(unsafe_code)]

/// The end of the empty stored block that a sync or full flush leaves: its LEN and NLEN (RFC 1951,
/// 3.2.4). They are whole bytes, since a stored block's lengths begin on a byte boundary.
pub(super) const MARKER: [u8; 4] = [0, 0, 0xff, 0xff];

/// Searches for the marker, of which `seen` bytes were already found; returns how many bytes were examined.
///
/// `seen` is all that a search has to remember between two pieces of input: the number of bytes at
/// the end of the data examined so far that are a beginning of the marker. It is zlib's
/// `syncsearch`.
pub(super) fn find_marker(seen: &mut usize, bytes: &[u8]) -> usize {
    for (at, &byte) in bytes.iter().enumerate() {
        if *seen == MARKER.len() {
            return at;
        }
        *seen = match byte {
            _ if byte == MARKER[*seen] => *seen + 1,
            // After two zeros a third leaves two; after 00 00 ff a zero leaves one. In the other
            // two states a zero continues the marker.
            0 => MARKER.len() - *seen,
            _ => 0,
        };
    }
    bytes.len()
}
