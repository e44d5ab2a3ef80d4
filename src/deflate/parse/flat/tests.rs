//! Tests: AVX2 against plain code, the plan against a direct computation, the tokens against the data.

use super::price::{CHOICE_MASK, CUT, LONG, NO_OFFER, SHORT};
use super::*;
use crate::deflate::token::{Symbol, TOKEN_SLACK};
use crate::random::Random;
use crate::raw::{Allocator, Placed};

const ALL_KEYS: [Keys; 4] = [Keys::Text, Keys::Binary, Keys::FourLetters, Keys::TwoLetters];
const ALL_WAYS: [usize; 3] = [1, 2, 4];

/// All keys with all numbers of ways; under miri half of them.
fn all() -> impl Iterator<Item = (Keys, usize)> {
    ALL_KEYS
        .into_iter()
        .flat_map(|keys| ALL_WAYS.map(|ways| (keys, ways)))
        .filter(|&(keys, ways)| !cfg!(miri) || (keys == Keys::Binary) == (ways == 2))
}

/// The tables and the arrays.
struct TestMemory {
    rings: DistanceRings,
    memory: Placed<Memory>,
}

impl TestMemory {
    fn new() -> Self {
        let memory = Placed::zeroed(Allocator::SYSTEM).expect("48 KiB");
        Self { rings: DistanceRings::new().expect("memory"), memory }
    }

    fn parts(&mut self) -> (&mut DistanceRings, &mut Memory) {
        (&mut self.rings, &mut self.memory)
    }
}

/// `len` bytes of a kind that has matches of all lengths: few letters, repeated pieces, runs, noise.
fn sample(random: &mut Random, len: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(len + 600);
    while data.len() < len {
        match random.below(6) {
            0 => data.extend(random.bytes(40)),
            1 => data.extend((0..200).map(|_| b'a' + random.below(4) as u8)),
            2 => data.extend(core::iter::repeat_n(random.byte(), 1 + random.below(500))),
            _ if data.len() > 1 => {
                let back = 1 + random.below(data.len().min(40_000));
                for _ in 0..3 + random.below(60) {
                    data.push(data[data.len() - back]);
                }
            }
            _ => data.push(0),
        }
    }
    data.truncate(len);
    data
}

/// A parser that begins at `start`, and its memory.
fn parser(
    keys: Keys,
    ways: usize,
    vectors: bool,
    data: &[u8],
    start: usize,
) -> (Flat, ParseState, TestMemory) {
    let (state, mut place) = (ParseState::new(start), TestMemory::new());
    let flat = Flat::new(keys, ways, vectors, &state, place.parts(), data).expect("memory");
    (flat, state, place)
}

fn block(data: &[u8]) -> OpenBlock {
    let mut block =
        OpenBlock::new(data.len() + TOKEN_SLACK, Allocator::SYSTEM).expect("memory for the tokens");
    block.prepare(data.len() + TOKEN_SLACK);
    block
}

/// Parses all of `data` after `start` into one block.
fn parse(keys: Keys, ways: usize, vectors: bool, data: &[u8], start: usize) -> Vec<Symbol> {
    let (mut flat, mut state, mut place) = parser(keys, ways, vectors, data, start);
    let mut block = block(data);
    block.open(start);
    while state.cursor.position < data.len() {
        let arrived = Arrived { data, is_whole: true };
        flat.advance(arrived, &mut state, place.parts(), &mut block).expect("everything has arrived");
    }
    block.symbols()
}

#[test]
fn vectors_produce_the_same_tokens() {
    let mut random = Random::varied(1);
    for round in 0..if cfg!(miri) { 1 } else { 6 } {
        let len = if cfg!(miri) { 1100 } else { 1000 + random.below(150_000) };
        let data = sample(&mut random, len);
        let start = random.below(len.min(32_768));
        for (keys, ways) in all() {
            let plain = parse(keys, ways, false, &data, start);
            assert!(plain == parse(keys, ways, has_vectors(), &data, start), "{round} {keys:?} {ways}");
        }
    }
}

#[test]
fn tokens_decode_to_the_data() {
    let mut random = Random::varied(2);
    for len in [0, 1, 31, 32, 33, 1023, 1024, 1025, 1200, 2048, 5000, 70_000, 140_000] {
        if cfg!(miri) && ![0, 33, 1025].contains(&len) {
            continue;
        }
        let data = sample(&mut random, len);
        let start = random.below(len.min(32_768));
        for (keys, ways) in all() {
            let mut copy = data[..start].to_vec();
            for symbol in parse(keys, ways, has_vectors(), &data, start) {
                if let Symbol::Match { length, .. } = symbol {
                    assert!((keys.shortest()..=258).contains(&length));
                }
                symbol.decode(&mut copy);
            }
            assert!(copy == data, "{len} {keys:?} {ways}");
        }
    }
}

#[test]
fn a_repetition_is_found_at_every_offset() {
    let mut random = Random::varied(3);
    for offset in [1, 2, 3, 4, 31, 32, 33, 255, 1000, 32_767, 32_768, 32_769] {
        if cfg!(miri) && ![1, 31, 255].contains(&offset) {
            continue;
        }
        let mut data = random.bytes(offset);
        data.extend_from_within(..offset.min(300));
        data.extend(random.bytes(40));
        let found = parse(Keys::Text, 4, has_vectors(), &data, 0);
        let longest = found.iter().filter_map(|symbol| match symbol {
            Symbol::Match { length, offset } => Some((*length, *offset)),
            Symbol::Literal(_) => None,
        });
        let expected = (31..=32_768).contains(&offset);
        assert_eq!(
            longest.max().is_some_and(|found| found.1 == offset && found.0 > 20),
            expected,
            "{offset}"
        );
    }
}

#[test]
fn the_plan_is_the_cheapest() {
    let mut random = Random::varied(4);
    let data = sample(&mut random, if cfg!(miri) { 1300 } else { 4000 });
    for keys in ALL_KEYS {
        let (mut flat, mut state, mut place) = parser(keys, 4, has_vectors(), &data, 0);
        let mut block = block(&data);
        block.open(0);
        let arrived = Arrived { data: &data, is_whole: true };
        // After the second span its offers are only partly in the arrays, shifted; so the first span is prepared again.
        flat.advance(arrived, &mut state, place.parts(), &mut block).expect("everything has arrived");
        let (mut flat, ..) = parser(keys, 4, has_vectors(), &data, 0);
        place.rings.clear_heads().expect("memory");
        let heads = &mut Heads::of(&mut place.rings);
        let memory = &mut *place.memory;
        (flat.kernel.look)(&mut flat, (heads, memory), &data, (0, SPAN + AHEAD), 0);
        let Memory { offers, path, prices, .. } = memory;
        plan::plan(path, offers, prices, &data, SPAN + AHEAD);
        for (index, byte) in data.iter().enumerate().take(SPAN + AHEAD) {
            let step = |price: u16, length: usize, choice: u32| {
                (price != NO_OFFER).then(|| (path.prices[index + length] + u32::from(price) - choice, choice))
            };
            let (long, short) =
                (usize::from(offers.long.lengths[index]) + 3, usize::from(offers.short.lengths[index]) + 3);
            let literal = path.prices[index + 1] + prices.literals[usize::from(*byte)];
            let cheapest = [
                Some((literal, 0)),
                step(offers.long.prices[index], long, LONG),
                step(offers.cut_prices[index], long - 1, CUT),
                step(offers.short.prices[index], short, SHORT),
            ];
            let cheapest = cheapest.into_iter().flatten().min().expect("a literal is always possible");
            assert_eq!(path.prices[index], cheapest.0, "{keys:?} {index}");
            assert_eq!(u32::from(path.choices[index]) & CHOICE_MASK, cheapest.1, "{keys:?} {index}");
        }
    }
}

#[test]
fn a_long_match_is_measured_to_its_end() {
    let mut random = Random::varied(5);
    let data = sample(&mut random, if cfg!(miri) { 1500 } else { 20_000 });
    let mut last = Repetition::default();
    for position in 1..data.len() - LONG_LIMIT {
        let distance = 1 + random.below(position.min(3));
        let limit = 258.min(data.len() - position);
        let measure = |distance: usize| {
            (0..limit).take_while(|&at| data[position + at] == data[position + at - distance]).count()
        };
        let length = measure(distance);
        let earlier = if last.reaches(position) { measure(last.offset) } else { 0 };
        if length >= LONG_LIMIT {
            let found = last.longest(&data, position, Some(distance)).expect("one was found");
            assert_eq!(found.1, length.max(earlier), "{position} {distance}");
            assert_eq!(measure(found.0), found.1, "{position} {distance}");
        }
    }
}

#[test]
fn a_match_at_the_end_of_the_data_is_found() {
    let mut data = Random::varied(6).bytes(500);
    for length in [3, 4, 7, 20, 31, 32, 33, 70] {
        data.truncate(500);
        data.extend_from_within(100..100 + length);
        for (keys, ways) in all().filter(|(keys, _)| length > keys.shortest()) {
            let last = parse(keys, ways, has_vectors(), &data, 0).pop();
            assert_eq!(last, Some(Symbol::Match { length, offset: 400 }), "{keys:?} {ways}");
        }
    }
}
