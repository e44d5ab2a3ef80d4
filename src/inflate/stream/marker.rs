//! The sync marker, which `inflateSync()` searches for: four bytes in the input. The markers of `marked` are elements of the
//! output.

#![forbid(unsafe_code)]

/// The end of the empty stored block that a sync or full flush leaves.
pub(super) const MARKER: [u8; 4] = [0, 0, 0xff, 0xff];

/// Searches for the marker, of which `seen` bytes were already found; returns how many bytes were examined.
pub(super) fn find_marker(seen: &mut usize, bytes: &[u8]) -> usize {
    for (at, &byte) in bytes.iter().enumerate() {
        if *seen == MARKER.len() {
            return at;
        }
        *seen = match byte {
            _ if byte == MARKER[*seen] => *seen + 1,
            // After two zeros a third leaves two; after 00 00 ff a zero leaves one.
            0 => MARKER.len() - *seen,
            _ => 0,
        };
    }
    bytes.len()
}
