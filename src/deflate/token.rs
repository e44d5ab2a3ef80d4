//! Tokens: the literals and matches of the open block, in the form that is fastest to write out.
//!
//! A *token* is one match, one literal or two literals, in 32 bits:
//!
//! ```text
//! bits  0 ..  9   symbol: a literal, or 256 + length - 3
//! bits  9 .. 18   second: an offset slot, or NOTHING, or 32 + another literal
//! bits 18 .. 31   the offset's extra bits
//! ```
//!
//! So the loop that writes a block does the same for every token (two table look-ups, one store), with no data-dependent
//! branch. Literal runs with a length before each match were tried; mispredicted run lengths took a quarter of the time at
//! level 1.
//!
//! The bytes `a b c d e f g e f g h`, with the last `e f g` as a match of length 3 and offset 3,
//! are these tokens:
//!
//! ```text
//! a b    symbol a, second 32 + b
//! c d    symbol c, second 32 + d
//! e f    symbol e, second 32 + f
//! g      symbol g, second NOTHING
//! 3, 3   symbol 256 (length 3), second 2 (offset slot of 3), no extra bits
//! h      the last token is a lone literal: `open` is 1, and the next literal would join it
//! ```
//!
//! Lengths are kept as lengths, not as slots and extra bits: `block::Codes` has an entry for each
//! of the 256. An offset is kept as slot and extra bits (RFC 1951, 3.2.5), since a table of all
//! offsets would be too large.
//!
//! Symbols are counted as tokens are added, so the end of a block needs no pass over them.

use super::match_finder::starts_earlier;
use crate::error::Result;
use crate::format::deflate::{
    END_OF_BLOCK, FIRST_LENGTH, LENGTH_SLOT, LITLEN_SYMBOLS, MAX_MATCH, MIN_MATCH, OFFSET_SYMBOLS,
    offset_slot,
};
use crate::raw::{Allocator, Placed, Table, Zeroed};

/// Mask of a token's symbol, and of its second part: nine bits each.
pub(super) const SYMBOL_MASK: u32 = 511;
/// Where the second part begins.
pub(super) const SECOND_SHIFT: u32 = 9;
/// Where the offset's extra bits begin.
pub(super) const EXTRA_SHIFT: u32 = 18;
/// The symbol for match length 0; lengths 3 to 258 have symbols 256 to 511. These are not RFC
/// 1951's symbols, of which lengths have only 29; `Frequencies` counts those.
pub(super) const LENGTH_SYMBOL: usize = 256 - MIN_MATCH;
/// The second part of a lone literal: the first number after the 30 offset slots. Its entry in
/// `block::Codes` has no bits.
pub(super) const NOTHING: u32 = 30;
/// The second part of two literals, to which the second literal is added.
pub(super) const SECOND_LITERAL: u32 = 32;

/// The number of occurrences of each symbol in the open block. Array sizes are rounded up to whole vectors.
#[derive(Clone, Debug)]
pub(super) struct Frequencies {
    pub(super) litlen: [u32; 288],
    pub(super) offset: [u32; 32],
}

// SAFETY: arrays of numbers.
unsafe impl Zeroed for Frequencies {}

impl Frequencies {
    pub(super) const NONE: Self = Self { litlen: [0; 288], offset: [0; 32] };

    /// The frequencies of a block whose bytes are all literals, with the end-of-block symbol.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self::of_pieces([bytes].into_iter())
    }

    /// The frequencies of a block of literals with the bytes of all `pieces`.
    pub(super) fn of_pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut frequencies = Self::NONE;
        for piece in pieces {
            for &byte in piece {
                frequencies.litlen[usize::from(byte)] += 1;
            }
        }
        frequencies.litlen[END_OF_BLOCK] = 1;
        frequencies
    }

    /// The counts added since `earlier`. A match may have taken the place of a few literals that were counted there; they count as
    /// none.
    pub(super) fn less(&self, earlier: &Self) -> Self {
        let less = |now: u32, before: u32| now.saturating_sub(before);
        Self {
            litlen: core::array::from_fn(|symbol| less(self.litlen[symbol], earlier.litlen[symbol])),
            offset: core::array::from_fn(|symbol| less(self.offset[symbol], earlier.offset[symbol])),
        }
    }

    /// The literal/length symbols that can occur: 286. The array's two others are always 0.
    pub(super) fn litlen(&self) -> &[u32] {
        &self.litlen[..LITLEN_SYMBOLS]
    }

    /// The offset symbols that can occur: 30. The array's two others are always 0.
    pub(super) fn offset(&self) -> &[u32] {
        &self.offset[..OFFSET_SYMBOLS]
    }
}

/// The literals and matches of the open block.
#[derive(Debug)]
pub(super) struct OpenBlock {
    tokens: Table<u32>,
    len: usize,
    /// The block must be closed before it has more tokens than this, at most the capacity. A
    /// message raises it step by step, since it checks the drift of the block's symbols whenever it
    /// is reached.
    limit: usize,
    /// 1 when the last token is a lone literal, to which a second one may be added; else 0. A
    /// number, since it is subtracted from the index instead of tested.
    open: usize,
    pub(super) frequencies: Placed<Frequencies>,
    /// Where the block's first byte is in the input; 0 if it has left the buffer.
    pub(super) start: usize,
    /// Where the last match ended; all bytes after it are literals so far. So a match may be
    /// extended down to here at the cost of literals, and the distance to the current position is
    /// the length of the run of literals.
    pub(super) literals_from: usize,
}

/// Tokens that a parser may add between two calls of [`OpenBlock::is_full`]: one for each byte of a
/// span of 1 KiB, and for the longest match that passes its end.
pub(super) const TOKEN_SLACK: usize = 1024 + MAX_MATCH + 8;

impl OpenBlock {
    /// An empty block with memory for `capacity` tokens: more than [`TOKEN_SLACK`] where
    /// [`is_full`](Self::is_full) is used, in chunks.
    pub(super) fn new(capacity: usize, allocator: Allocator) -> Result<Self> {
        Ok(Self {
            tokens: Table::new(capacity, allocator)?,
            len: 0,
            limit: capacity,
            open: 0,
            frequencies: Placed::zeroed(allocator)?,
            start: 0,
            literals_from: 0,
        })
    }

    /// Makes memory for `count` more tokens usable, up to the capacity. A message encoder calls it
    /// for each piece of input, so that a short stream touches only the memory that it uses.
    pub(super) fn prepare(&mut self, count: usize) {
        self.tokens.extend_to(self.len + count, 0);
    }

    /// Empties the block; its input begins at `start`.
    pub(super) fn open(&mut self, start: usize) {
        (self.len, self.open) = (0, 0);
        *self.frequencies = Frequencies::NONE;
        self.start = start;
        self.literals_from = start;
    }

    /// Empties the block, which begins at `start`, to be parsed again; makes room for `count` tokens, since the new number may
    /// differ.
    pub(super) fn reopen(&mut self, start: usize, count: usize) -> Result<()> {
        if self.tokens.len() < count {
            self.tokens = Table::new(count, Allocator::SYSTEM)?;
            self.tokens.fill_with(0);
        }
        self.open(start);
        Ok(())
    }

    /// Reduces all positions by `count`, after the input was moved down in its buffer.
    pub(super) fn move_down(&mut self, count: usize) {
        self.start = self.start.saturating_sub(count);
        self.literals_from = self.literals_from.saturating_sub(count);
    }

    /// Whether the block must be closed: no more than [`TOKEN_SLACK`] tokens still fit, as many as
    /// a span may need.
    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.len + TOKEN_SLACK >= self.limit
    }

    /// The number of tokens up to the limit.
    #[inline(always)]
    pub(super) fn room(&self) -> usize {
        self.limit - self.len
    }

    /// Sets the limit to `count` tokens, or to the capacity if that is smaller.
    pub(super) fn limit_to(&mut self, count: usize) {
        self.limit = count.min(self.tokens.capacity());
    }

    /// Whether the limit is below the capacity.
    pub(super) fn can_grow(&self) -> bool {
        self.limit < self.tokens.capacity()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn tokens(&self) -> &[u32] {
        &self.tokens[..self.len]
    }

    /// Returns the token memory and the count of tokens in use, for a loop that keeps both in
    /// registers. Such a loop makes its own pairs of literals, so the last token, if it is a lone
    /// literal, stays one.
    pub(super) fn raw(&mut self) -> (&mut [u32], &mut usize, &mut Frequencies) {
        self.open = 0;
        let usable = self.tokens.len().min(self.limit);
        (&mut self.tokens[..usable], &mut self.len, &mut self.frequencies)
    }

    /// Adds one literal. It joins the last token if that is a lone literal; `open` then changes
    /// from 1 to 0, else from 0 to 1. Both tokens are computed and one is selected: whether a
    /// literal is the second of a pair is hard to predict.
    #[inline(always)]
    pub(super) fn add_literal(&mut self, byte: u8) {
        self.frequencies.litlen[byte as usize] += 1;
        let at = self.len - self.open;
        let token = &mut self.tokens[at];
        let second = *token & SYMBOL_MASK | (SECOND_LITERAL + u32::from(byte)) << SECOND_SHIFT;
        *token = if self.open == 1 { second } else { lone_literal(byte) };
        self.len = at + 1;
        self.open ^= 1;
    }

    /// Adds a match at `position`, as [`add_match`](Self::add_match), and returns its end. If it
    /// could begin earlier, it takes the place of the literals before it, as long as `is_gain`
    /// returns true for the literal and the length so far.
    ///
    /// The finders compare a limited number of candidates, so the search one byte earlier may have
    /// missed this match. At level 2 output becomes 0.6 % smaller by this, at level 3 0.24 %.
    #[inline(always)]
    pub(super) fn add_match_early(
        &mut self,
        data: &[u8],
        position: usize,
        (length, offset): (usize, usize),
        is_gain: impl Fn(u8, usize) -> bool,
    ) -> usize {
        let (mut begin, mut longer) = (position, length);
        while begin > self.literals_from
            && starts_earlier(data, begin, offset)
            && longer < MAX_MATCH
            && is_gain(data[begin - 1], longer)
        {
            begin -= 1;
            longer += 1;
            self.open = drop_literal(&mut self.tokens, &mut self.len, &mut self.frequencies, data[begin]);
        }
        self.add_match(begin, longer, offset);
        begin + longer
    }

    /// Adds a match at `position`; all bytes between the last match and `position` must have been added as literals.
    #[inline(always)]
    pub(super) fn add_match(&mut self, position: usize, length: usize, offset: usize) {
        self.tokens[self.len] = match_token(&mut self.frequencies, length, offset);
        self.len += 1;
        self.open = 0;
        self.literals_from = position + length;
    }

    /// Counts the symbol that ends the block (RFC 1951, 3.2.5): once in each block.
    pub(super) fn close(&mut self) {
        self.frequencies.litlen[END_OF_BLOCK] = 1;
    }

    /// A block with the same tokens, in memory of the same allocator.
    pub(super) fn try_clone(&self) -> Result<Self> {
        let tokens = self.tokens.try_clone()?;
        Ok(Self { tokens, frequencies: self.frequencies.try_clone()?, ..*self })
    }
}

/// A literal or match of a token, for tests.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    Literal(u8),
    Match { length: usize, offset: usize },
}

#[cfg(test)]
impl Symbol {
    /// Appends the bytes that it stands for after `data`.
    pub(super) fn decode(self, data: &mut Vec<u8>) {
        match self {
            Self::Literal(byte) => data.push(byte),
            Self::Match { length, offset } => (0..length).for_each(|_| data.push(data[data.len() - offset])),
        }
    }
}

#[cfg(test)]
impl OpenBlock {
    /// All literals and matches of the block.
    pub(super) fn symbols(&self) -> Vec<Symbol> {
        let mut symbols = Vec::new();
        for &token in self.tokens() {
            let (first, second) = (token & SYMBOL_MASK, token >> SECOND_SHIFT & SYMBOL_MASK);
            if first < 256 {
                symbols.push(Symbol::Literal(first as u8));
                symbols.extend(second.checked_sub(SECOND_LITERAL).map(|byte| Symbol::Literal(byte as u8)));
            } else {
                let base = crate::format::deflate::OFFSET_BASE[second as usize];
                let offset = usize::from(base) + (token >> EXTRA_SHIFT) as usize;
                symbols.push(Symbol::Match { length: first as usize - LENGTH_SYMBOL, offset });
            }
        }
        symbols
    }
}

/// The token of one literal.
#[inline(always)]
pub(super) fn lone_literal(byte: u8) -> u32 {
    u32::from(byte) | NOTHING << SECOND_SHIFT
}

/// The token of two literals.
#[inline(always)]
pub(super) fn two_literals(first: u8, second: u8) -> u32 {
    u32::from(first) | (SECOND_LITERAL + u32::from(second)) << SECOND_SHIFT
}

/// Removes the last literal, which is `byte`, from the first `len` tokens. Returns 1 if the last
/// token is then a lone literal, else 0.
///
/// A lone literal's token is removed; the token before it is not examined and counts as complete.
/// Of a pair the first literal stays. Rare, so it is kept out of the parsers' loops.
#[inline(never)]
pub(super) fn drop_literal(
    tokens: &mut [u32],
    len: &mut usize,
    frequencies: &mut Frequencies,
    byte: u8,
) -> usize {
    frequencies.litlen[usize::from(byte)] -= 1;
    let last = &mut tokens[*len - 1];
    if *last >> SECOND_SHIFT & SYMBOL_MASK < SECOND_LITERAL {
        *len -= 1;
        return 0;
    }
    *last = lone_literal(*last as u8);
    1
}

/// Returns the token of a match and counts its symbols.
///
/// Slot `s` from 2 on has `s / 2 - 1` extra bits, and its offsets less one begin at a multiple of
/// two to that power (RFC 1951, 3.2.5). So the extra bits are the low bits of `offset - 1`, and no
/// table is needed.
#[inline(always)]
pub(super) fn match_token(frequencies: &mut Frequencies, length: usize, offset: usize) -> u32 {
    debug_assert!((MIN_MATCH..=MAX_MATCH).contains(&length) && (1..=32768).contains(&offset));
    frequencies.litlen[FIRST_LENGTH + LENGTH_SLOT[length] as usize] += 1;
    let slot = offset_slot(offset);
    frequencies.offset[slot] += 1;
    let extra_bits = (slot as u32 >> 1).saturating_sub(1);
    let extra = (offset as u32 - 1) & ((1 << extra_bits) - 1);
    (length + LENGTH_SYMBOL) as u32 | (slot as u32) << SECOND_SHIFT | extra << EXTRA_SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::deflate::{OFFSET_BASE, OFFSET_EXTRA};

    #[test]
    fn a_token_holds_every_offset() {
        let mut frequencies = Frequencies::NONE;
        for offset in 1..=32768 {
            let token = match_token(&mut frequencies, 258, offset);
            let slot = (token >> SECOND_SHIFT & SYMBOL_MASK) as usize;
            let extra = (token >> EXTRA_SHIFT) as usize;
            assert!(extra < 1 << OFFSET_EXTRA[slot]);
            assert_eq!(OFFSET_BASE[slot] as usize + extra, offset);
            assert_eq!(token & SYMBOL_MASK, 511);
        }
        assert_eq!(frequencies.offset.iter().sum::<u32>(), 32768);
    }

    #[test]
    fn literals_are_paired() {
        let mut block = OpenBlock::new(TOKEN_SLACK + 8, Allocator::SYSTEM).expect("a few bytes");
        block.prepare(8);
        block.open(0);
        for byte in *b"abc" {
            block.add_literal(byte);
        }
        block.add_match(3, 3, 3);
        block.add_literal(b'd');
        let tokens = block.tokens();
        assert_eq!(tokens[..2], [two_literals(b'a', b'b'), lone_literal(b'c')]);
        assert_eq!((tokens.len(), tokens[3]), (4, lone_literal(b'd')));
    }
}
