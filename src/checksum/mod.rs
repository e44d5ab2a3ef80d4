//! CRC-32 (RFC 1952) and Adler-32 (RFC 1950): running values and their combination.

#![forbid(unsafe_code)]

pub mod adler32;
pub mod crc32;

/// The running check value that the stream's wrapper (zlib, gzip or none) requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// No check value: a raw stream.
    None,
    /// Adler-32 of the data so far.
    Adler(u32),
    /// CRC-32 of the data so far.
    Crc(u32),
}

impl Check {
    /// The same kind of check, reset to empty data.
    pub fn fresh(self) -> Self {
        match self {
            Check::None => Check::None,
            Check::Adler(_) => Check::Adler(adler32::INITIAL),
            Check::Crc(_) => Check::Crc(crc32::INITIAL),
        }
    }

    /// Updates the check with `data`.
    pub fn update(&mut self, data: &[u8]) {
        match self {
            Check::None => {}
            Check::Adler(value) => *value = adler32::update(*value, data),
            Check::Crc(value) => *value = crc32::update(*value, data),
        }
    }

    /// Appends `len` bytes whose own check, of the same kind, is `next`.
    pub fn append(&mut self, next: Check, len: u64) {
        match (self, next) {
            (Check::Adler(value), Check::Adler(next)) => *value = adler32::combine(*value, next, len),
            (Check::Crc(value), Check::Crc(next)) => *value = crc32::combine(*value, next, len),
            (Check::None, Check::None) => {}
            (this, next) => unreachable!("{this:?} and {next:?} come from one stream's fresh()"),
        }
    }

    /// The value that `z_stream.adler` reports; 0 for a raw stream.
    pub fn value(self) -> u32 {
        match self {
            Check::None => 0,
            Check::Adler(value) | Check::Crc(value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn append_is_update_over_both_parts() {
        let data: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        for kind in [Check::None, Check::Adler(0), Check::Crc(0)] {
            let mut whole = kind.fresh();
            whole.update(&data);
            for cut in [0, 1, 5551, 65_536, data.len()] {
                let (mut first, mut second) = (kind.fresh(), kind.fresh());
                first.update(&data[..cut]);
                second.update(&data[cut..]);
                first.append(second, (data.len() - cut) as u64);
                assert_eq!(first, whole, "cut at {cut}");
            }
        }
    }
}
