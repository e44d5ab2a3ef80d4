//! The fastest parser: take the first match there is, enter few positions, and stride over what does not match.
//!
//! ```text
//! m = find(p)
//! if there is none, or it is not worth it: literals; the stride grows with their run
//! else take m; enter its second and last positions
//! ```
//!
//! Whether a match is worth it is a matter of [`Costs`], as in the lazy parser: a far match of four bytes often is not.

use super::cost::Costs;
use super::{SEGMENT, Sink};
use crate::deflate::match_finder::WORD;
use crate::deflate::match_finder::hash_table::{Buckets, HashTable};
use crate::deflate::sequence::OpenBlock;
use crate::error::Result;
use crate::format::deflate::MAX_MATCH;

/// Literals in a row after which the stride begins to grow: 32. Such runs are common here, where searches find little.
const STRIDE_SHIFT: u32 = 6;
const MAX_STRIDE: usize = 64;
/// The first cost refresh of a block; the others follow at doubling distances.
const FIRST_REFRESH: usize = 4096;

/// Encodes `data[start..]`, `data[..start]` being the window, with `WAYS` places per bucket.
pub(in crate::deflate) fn parse<const WAYS: usize>(
    table: &mut HashTable,
    data: &[u8],
    start: usize,
    sink: &mut Sink<'_, '_>,
) -> Result<()> {
    let end = data.len();
    let mut table = table.reset::<WAYS>(data)?;
    for position in 0..start.min(end.saturating_sub(WORD)) {
        table.enter(position);
    }
    let mut costs = Costs::defaults();
    let mut next_refresh = start + FIRST_REFRESH;
    let mut position = start;
    let mut segment_end = start;
    while position < end {
        while segment_end <= position {
            segment_end += SEGMENT;
        }
        position = parse_segment(&mut table, &costs, position, segment_end.min(end), sink.block);
        if position >= next_refresh || position == end {
            costs.refresh(&sink.block.frequencies);
            next_refresh = position + (position - sink.block.start);
        }
        if sink.end_block_if_due(position, end) {
            next_refresh = position + FIRST_REFRESH;
        }
    }
    Ok(())
}

/// Parses from `position` to `end` or a little over; tells where it stopped.
fn parse_segment<const WAYS: usize>(
    table: &mut Buckets<'_, WAYS>,
    costs: &Costs,
    mut position: usize,
    end: usize,
    block: &mut OpenBlock,
) -> usize {
    let data = table.data;
    while position < end {
        let limit = (data.len() - position).min(MAX_MATCH);
        if limit < WORD {
            block.add_literal(data[position]);
            position += 1;
            continue;
        }
        let found = table.find(position, limit);
        if found.length == 0 || !costs.is_gain(found.length, found.offset) {
            let stride = 1 + ((position - block.literals_from) >> STRIDE_SHIFT).min(MAX_STRIDE);
            let stop = (position + stride).min(end);
            for &byte in &data[position..stop] {
                block.add_literal(byte);
            }
            position = stop;
            continue;
        }
        block.add_match(position, found.length, found.offset);
        let second = position + 1;
        position += found.length;
        if position + WORD <= data.len() {
            table.enter(second);
            table.enter(second + 1);
            table.enter(position - 1);
        }
    }
    position
}
