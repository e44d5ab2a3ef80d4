//! `Level`, `Strategy`, `Flush`: the parameters of a stream. Only `capi` and `zng` use zlib's numbers for strategies and flushes.

use crate::error::{Error, Result};

/// A compression level, 0 (stored) to [`Level::MAX`], and whether it is tuned for filtered data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    number: u8,
    is_filtered: bool,
}

impl Level {
    /// The highest level.
    pub const MAX: Self = Self { number: 12, is_filtered: false };

    /// The default level.
    pub const DEFAULT: Self = Self { number: 6, is_filtered: false };

    /// The level with this number, if it exists.
    pub const fn new(number: u32) -> Option<Self> {
        if number > Self::MAX.number() {
            return None;
        }
        Some(Self { number: number as u8, is_filtered: false })
    }

    /// The level that zlib's functions mean by `number`: 0 to 9, or -1 for the default. Fails with [`Error::Stream`] for others.
    pub const fn of_zlib(number: i32) -> Result<Self> {
        match number {
            -1 => Ok(Self::DEFAULT),
            0..=9 => Ok(Self { number: number as u8, is_filtered: false }),
            _ => Err(Error::Stream),
        }
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.number as u32
    }

    /// Which of zlib's search functions the level uses: none, fast or lazy (`configuration_table` in deflate.c).
    pub(crate) const fn zlib_search(self) -> u8 {
        match self.number {
            0 => 0,
            1..=3 => 1,
            _ => 2,
        }
    }

    /// The same level, for the output of a filter or predictor (`Z_FILTERED`), such as a PNG image's rows: small values with a
    /// random part, in which short matches cost more than they save.
    pub const fn filtered(self) -> Self {
        Self { is_filtered: true, ..self }
    }

    /// Whether the level is for [`filtered`](Self::filtered) data.
    pub const fn is_filtered(self) -> bool {
        self.is_filtered
    }
}

/// How to search for matches (zlib manual, `deflateInit2`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// `Z_DEFAULT_STRATEGY`.
    #[default]
    Default,
    /// `Z_FILTERED`: small values with a random part; fewer short matches.
    Filtered,
    /// `Z_HUFFMAN_ONLY`: no matches.
    HuffmanOnly,
    /// `Z_RLE`: matches at distance one only.
    Rle,
    /// `Z_FIXED`: no dynamic codes.
    Fixed,
}

impl Strategy {
    /// Whether the strategy allows matches at any distance, and both fixed and dynamic codes.
    pub(crate) fn is_general(self) -> bool {
        match self {
            Self::Default | Self::Filtered => true,
            Self::HuffmanOnly | Self::Rle | Self::Fixed => false,
        }
    }
}

/// What a call must complete before it returns (zlib manual, `deflate` and `inflate`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// `Z_NO_FLUSH`: buffer as much as compression benefits from.
    None,
    /// `Z_PARTIAL_FLUSH`: make all input so far decodable, with an empty fixed block.
    Partial,
    /// `Z_SYNC_FLUSH`: make all input so far decodable, and byte-align the output with an empty stored block.
    Sync,
    /// `Z_FULL_FLUSH`: as `Sync`, and later data never refers to data before it.
    Full,
    /// `Z_FINISH`: the input is complete.
    Finish,
    /// `Z_BLOCK`: end the block (deflate); stop at the next block boundary (inflate).
    Block,
    /// `Z_TREES`: as `Block`, and also stop after each block header (inflate only).
    Trees,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_numbers() {
        assert!((0..=12).all(|number| Level::new(number).is_some_and(|level| level.number() == number)));
        assert_eq!(Level::new(13), None);
        assert_eq!(Level::new(12), Some(Level::MAX));
    }

    #[test]
    fn zlib_has_ten_levels_and_a_default() {
        assert_eq!(Level::of_zlib(-1), Ok(Level::DEFAULT));
        assert!((0..=9).all(|number| Level::of_zlib(number).ok() == Level::new(number as u32)));
        assert!(
            [-2, 10, 12, i32::MIN, i32::MAX]
                .map(Level::of_zlib)
                .iter()
                .all(|level| *level == Err(Error::Stream))
        );
    }
}
