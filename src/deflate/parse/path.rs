//! The cheapest path: the literals and matches through a stretch of input with the lowest total estimated cost.
//!
//! Positions are nodes; literals and matches are the steps between them. Each node keeps the lowest cost at which it was
//! reached and the last step of that path. After the steps that begin at each node, from front to back, have been offered,
//! the last node has its cheapest path, which is read backwards.
//!
//! ```text
//! for each node i:  for each match (length, offset) at i, each l up to its length:
//!                       if cost[i] + cost of (l, offset) < cost[i + l]: cost[i + l], step[i + l] = that
//!                   the same for the literal at i
//! ```
//!
//! A DEFLATE match may be used at any shorter length. So of a position's matches, nearest first,
//! each is offered at the lengths that no nearer one has; of the long lengths, only those after
//! which the cost increases, and the whole length. For example, with matches of 5 bytes at offset
//! 10 and of 20 bytes at offset 700:
//!
//! ```text
//! lengths 3, 4, 5             at offset 10
//! lengths 6, 7, ... 16        at offset 700, which costs more bits
//! lengths 18, 20              at offset 700: 17 and 18 have one slot (3.2.5); 20 is the whole
//! ```
//!
//! A node is one 64-bit number, so that a comparison and its result are one minimum:
//!
//! ```text
//! bits 32 ..       the lowest cost at which the node was reached, in 1/16 bit
//! bits 20 .. 32    the step's length, 0 for a literal       (`Packed`)
//! bits 15 .. 20    its offset slot
//! bits  0 .. 15    its offset less one
//! ```
//!
//! A *span* is the input that one path covers. It ends at a position that no match spans: no earlier match reaches further,
//! so nothing later can change the path up to there. So the nodes fit the first-level cache, and costs may change between
//! spans.

#![forbid(unsafe_code)]

use super::cost::Costs;
use crate::deflate::match_finder::all_lengths::Packed;
use crate::deflate::token::{OpenBlock, TOKEN_SLACK};
use crate::error::{Error, Result};
use crate::format::deflate::{LENGTH_SLOT, MAX_MATCH, MIN_MATCH, OFFSET_BASE};

/// The longest span: no more tokens than an open block accepts between two checks. Each node is at
/// most one token, and a match taken at once may follow. It is seldom reached.
pub(super) const MAX_SPAN: usize = 1024;
const _: () = assert!(MAX_SPAN + MAX_MATCH <= TOKEN_SLACK);

/// The shortest span, except for the last of an input: closing one takes a little time.
const MIN_SPAN: usize = 16;

/// The number of nodes: one for each byte of a span, and for each end of a match that begins in it.
/// 1283 nodes of 8 bytes are 10 KiB.
const NODES: usize = MAX_SPAN + MAX_MATCH + 1;

/// Lengths up to this one are all offered. Above it, a length inside its slot costs the same as the slot's last length, and
/// offering them all takes three times as long on data with long matches and saves almost nothing.
const ALL_UP_TO: usize = 16;

/// The next length to offer after each, below the whole match: up to [`ALL_UP_TO`] the next one,
/// above it the last one of each slot (RFC 1951, 3.2.5).
const NEXT_LENGTH: [u16; MAX_MATCH + 1] = next_lengths();

const fn next_lengths() -> [u16; MAX_MATCH + 1] {
    let mut next = [0; MAX_MATCH + 1];
    let mut length = 0;
    while length <= MAX_MATCH {
        let mut following = length + 1;
        while following > ALL_UP_TO
            && following < MAX_MATCH
            && LENGTH_SLOT[following] == LENGTH_SLOT[following + 1]
        {
            following += 1;
        }
        next[length] = following as u16;
        length += 1;
    }
    next
}

/// A node: in the upper half, the lowest cost at which it was reached; in the lower half, the step
/// that did so, 0 for a literal. So the cheaper of two paths is the smaller number; of two equally
/// cheap ones it is the shorter and nearer step. A cost and a step in two arrays were a third
/// slower.
///
/// The cost cannot overflow 32 bits: a span's path has at most 1282 bytes, and a literal costs at
/// most 13 bits.
type Node = u64;

const COST_SHIFT: u32 = 32;
const UNREACHED: Node = Node::MAX;

fn cost_of(node: Node) -> u32 {
    (node >> COST_SHIFT) as u32
}

fn step_of(node: Node) -> Packed {
    Packed::from_bits(node as u32)
}

/// The nodes of one span.
pub(super) struct Path {
    nodes: Box<[Node; NODES]>,
    /// The node whose steps are offered next.
    at: usize,
    /// The last node that any step reaches.
    reach: usize,
    /// The number that a length adds to a node: its cost, and its part of the step. The part for
    /// the offset is added once for each match; the sum of both is the whole step.
    lengths: [Node; MAX_MATCH + 1],
    /// The cost of each offset slot, in the upper half as in a node.
    offsets: [Node; 32],
}

impl Path {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { nodes: boxed(UNREACHED)?, at: 0, reach: 0, lengths: [0; MAX_MATCH + 1], offsets: [0; 32] })
    }

    /// Starts a span.
    pub(super) fn restart(&mut self) {
        (self.at, self.reach) = (0, 0);
        self.nodes[0] = 0;
    }

    /// Uses `costs` for the steps from here on. Costs change between spans only: the sums of one
    /// span must be comparable.
    pub(super) fn set_costs(&mut self, costs: &Costs) {
        for (length, key) in self.lengths.iter_mut().enumerate() {
            *key = Node::from(costs.of_length(length)) << COST_SHIFT
                | Node::from(Packed::NONE.with_length(length).to_bits());
        }
        for (&base, key) in OFFSET_BASE.iter().zip(&mut self.offsets) {
            *key = Node::from(costs.of_offset(base as usize)) << COST_SHIFT;
        }
    }

    /// Bytes of the span so far.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.at
    }

    /// Whether the span may end here: no match reaches further, or the span is full. In the second
    /// case the steps that were offered across the end are lost, and the path ends with the
    /// cheapest way to this node.
    #[inline(always)]
    pub(super) fn may_end(&self) -> bool {
        (self.at == self.reach && self.at >= MIN_SPAN) || self.at >= MAX_SPAN
    }

    /// Whether a path through this node is hopeless: some match spans it, and its end costs less
    /// than this node plus `margin`. With a margin of 0 this never excludes a better path to that
    /// end, since steps from here only add to the cost. It may exclude one that goes further. A
    /// positive margin excludes more nodes, a negative one fewer.
    #[inline(always)]
    pub(super) fn is_dominated(&self, margin: i32) -> bool {
        self.at < self.reach
            && cost_of(self.nodes[self.at]) as i32 + margin > cost_of(self.nodes[self.reach]) as i32
    }

    /// Offers the matches that begin here, none longer than `limit`. They are in increasing order
    /// of length; a longer one is usually farther away.
    #[inline(always)]
    pub(super) fn offer(&mut self, matches: &[Packed], limit: usize) {
        let Some(longest) = matches.last() else { return };
        // The cost of this node without the step that led to it. All steps before it have been
        // offered, so it is final.
        let here = self.nodes[self.at] & !Node::from(u32::MAX);
        self.extend_to(self.at + longest.length().min(limit));
        // An array of fixed size, so that the loops below need no bounds tests. It always exists:
        // `at` is below `MAX_SPAN`.
        let Some(nodes) = self.nodes[self.at..].first_chunk_mut::<{ MAX_MATCH + 1 }>() else { return };
        let mut length = MIN_MATCH;
        for found in matches {
            let with_offset =
                here + self.offsets[found.offset_slot()] + Node::from(found.with_length(0).to_bits());
            let to = found.length().min(limit).min(MAX_MATCH);
            // The first match has 3 bytes or more; a later one may end up shorter by `limit`, and
            // then it has no length that a nearer one does not have.
            if to < length {
                continue;
            }
            while length < to {
                nodes[length] = nodes[length].min(with_offset + self.lengths[length]);
                length = usize::from(NEXT_LENGTH[length]);
            }
            // The whole length, also if it is not the last one of its slot: it leads furthest.
            nodes[to] = nodes[to].min(with_offset + self.lengths[to]);
            length = to + 1;
        }
    }

    /// Offers the literal that begins here, and moves to the next node. To be called after
    /// [`offer`](Self::offer) for the same node. So every node is reached: a literal is always
    /// possible.
    #[inline(always)]
    pub(super) fn offer_literal(&mut self, literal_cost: u32) {
        let new = (self.nodes[self.at] & !Node::from(u32::MAX)) + (Node::from(literal_cost) << COST_SHIFT);
        self.extend_to(self.at + 1);
        self.at += 1;
        self.nodes[self.at] = self.nodes[self.at].min(new);
    }

    /// Takes a match without comparison, and moves to its end, which closes the span. Steps that
    /// reach further are dropped. The node's cost does not matter, since the next span begins at 0.
    pub(super) fn take(&mut self, found: Packed) {
        self.at += found.length();
        self.reach = self.at;
        self.nodes[self.at] = Node::from(found.to_bits());
    }

    /// Records the cheapest path to the current node in `block`. The span begins at `start` in `data`.
    pub(super) fn record(&mut self, block: &mut OpenBlock, data: &[u8], start: usize) {
        // First, reading backwards, move each step to the node where it begins; then the steps can be read forwards.
        //
        //     before:  a node has the step that ends there      0    .    .    a    .    b
        //     after:   a node has the step that begins there    a    .    .    b
        //
        // Nodes that are not on the path keep what they had, and are not read again.
        let mut node = self.at;
        let mut next = self.nodes[node];
        while node > 0 {
            let step = next;
            node -= step_of(step).length().max(1);
            next = self.nodes[node];
            self.nodes[node] = step;
        }
        while node < self.at {
            let step = step_of(self.nodes[node]);
            if step == Packed::NONE {
                block.add_literal(data[start + node]);
                node += 1;
            } else {
                block.add_match(start + node, step.length(), step.offset());
                node += step.length();
            }
        }
    }

    /// Marks the nodes up to `node` as not reached yet. Each node is set once in a span, when the
    /// first step reaches so far, so a span need not clear all nodes.
    #[inline(always)]
    fn extend_to(&mut self, node: usize) {
        if node > self.reach {
            self.nodes[self.reach + 1..=node].fill(UNREACHED);
            self.reach = node;
        }
    }
}

/// Allocates an array on the heap; fails if the allocation does.
fn boxed<T: Copy, const N: usize>(value: T) -> Result<Box<[T; N]>> {
    let mut entries = Vec::new();
    entries.try_reserve_exact(N).map_err(|_| Error::Memory)?;
    entries.resize(N, value);
    Ok(entries.into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!("N entries")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deflate::token::Frequencies;
    use crate::deflate::token::Symbol;
    use crate::raw::Allocator;
    use proptest::prelude::*;

    const LEN: usize = 400;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_other_path_is_cheaper(
            places in proptest::collection::vec((0..LEN, proptest::collection::btree_map(3usize..60, 1usize..=32768, 1..6)), 0..150),
            literals in proptest::collection::vec(1u32..200, LEN),
        ) {
            let mut frequencies = Frequencies::NONE;
            for (symbol, frequency) in frequencies.litlen.iter_mut().enumerate() {
                *frequency = 1 + symbol as u32 * 7 % 90;
            }
            for (slot, frequency) in frequencies.offset.iter_mut().enumerate() {
                *frequency = 1 + slot as u32 * 5 % 40;
            }
            let mut costs = Costs::defaults();
            costs.refresh(&frequencies);
            let mut matches = vec![Vec::new(); LEN];
            for (position, list) in places {
                matches[position] = list.into_iter().map(|(length, offset)| Packed::new(length, offset)).collect();
            }

            // From the end: each match at the lengths that no shorter one has.
            let mut cheapest = vec![0; LEN + 1];
            for position in (0..LEN).rev() {
                cheapest[position] = literals[position] + cheapest[position + 1];
                let mut length = MIN_MATCH;
                for found in &matches[position] {
                    let to = found.length().min(LEN - position);
                    while length <= to {
                        let cost = costs.of_match(length, found.offset()) + cheapest[position + length];
                        cheapest[position] = cheapest[position].min(cost);
                        length = if length == to { to + 1 } else { to.min(NEXT_LENGTH[length].into()) };
                    }
                }
            }

            let mut path = Path::new().unwrap();
            path.set_costs(&costs);
            path.restart();
            for position in 0..LEN {
                path.offer(&matches[position], LEN - position);
                path.offer_literal(literals[position]);
            }
            prop_assert_eq!(path.len(), LEN);
            prop_assert_eq!(cost_of(path.nodes[LEN]), cheapest[0]);

            // The recorded path has that cost, too.
            let mut block = OpenBlock::new(TOKEN_SLACK + LEN, Allocator::SYSTEM).unwrap();
            block.prepare(LEN);
            path.record(&mut block, &[0; LEN], 0);
            let (mut position, mut cost) = (0, 0);
            for symbol in block.symbols() {
                match symbol {
                    Symbol::Literal(_) => {
                        cost += literals[position];
                        position += 1;
                    }
                    Symbol::Match { length, offset } => {
                        cost += costs.of_match(length, offset);
                        position += length;
                    }
                }
            }
            prop_assert_eq!(cost, cheapest[0]);
        }
    }

    #[test]
    fn the_last_length_of_every_slot_is_offered() {
        let offered: Vec<_> = std::iter::successors(Some(3), |&length| {
            (length < 258).then(|| usize::from(NEXT_LENGTH[length]))
        })
        .collect();
        assert_eq!(offered[..20], [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 22, 26, 30, 34, 42]);
        assert_eq!(offered[offered.len() - 3..], [226, 257, 258]);
    }

    #[test]
    fn a_span_ends_where_no_match_crosses() {
        let mut path = Path::new().unwrap();
        path.set_costs(&Costs::defaults());
        path.restart();
        for position in 0..40 {
            assert_eq!(path.may_end(), (16..=20).contains(&position) || position >= 30, "{position}");
            if position == 20 {
                path.offer(&[Packed::new(10, 7)], 100);
            }
            path.offer_literal(100);
        }
        path.restart();
        path.offer(&[Packed::new(10, 7)], 100);
        path.offer_literal(1000);
        assert!(path.is_dominated(0) && !path.is_dominated(-1000));
    }
}
