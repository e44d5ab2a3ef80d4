//! Adler-32 (RFC 1950, 8.2): by simd-adler32, with zlib's combination.

/// The Adler-32 of empty data.
pub const INITIAL: u32 = 1;
/// The largest prime below 2^16.
const BASE: u64 = 65521;

/// Data shorter than this is counted byte by byte.
const SHORT: usize = 16;

/// Updates `adler` with `data`.
pub fn update(adler: u32, data: &[u8]) -> u32 {
    if data.len() < SHORT {
        // Selecting a SIMD kernel takes longer than checksumming this few bytes.
        let (mut low, mut high) = (adler & 0xffff, adler >> 16);
        for &byte in data {
            low += u32::from(byte);
            high += low;
        }
        let base = BASE as u32;
        return (high % base) << 16 | (low % base);
    }
    let mut state = simd_adler32::Adler32::from_checksum(adler);
    state.write(data);
    state.finish()
}

/// The Adler-32 of two concatenated parts; the second is `len` bytes long.
pub fn combine(first: u32, second: u32, len: u64) -> u32 {
    let rem = len % BASE;
    let (low1, high1) = (u64::from(first & 0xffff), u64::from(first >> 16));
    let (low2, high2) = (u64::from(second & 0xffff), u64::from(second >> 16));
    // After the first part, each byte of the second sees a low sum that is `low1 - 1` larger than when counted alone.
    let low = (low1 + low2 + BASE - 1) % BASE;
    let high = (high1 + high2 + rem * low1 + BASE - rem) % BASE;
    (high << 16 | low) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_computes_the_same_value() {
        let data: Vec<u8> = (0..20_000u32).map(|i| (255 - i % 3) as u8).collect();
        let whole = update(INITIAL, &data);
        for len in (1..60).chain([6000]) {
            assert_eq!(data.chunks(len).fold(INITIAL, update), whole, "pieces of {len}");
        }
        assert_eq!(update(INITIAL, b"Wikipedia"), 0x11e6_0398);
    }
}
