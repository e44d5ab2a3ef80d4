//! Tests of the fast parser: the tokens decode to the data and are counted, repeats are found, and the tokens do not depend on how
//! the input is divided into calls.

use super::*;
use crate::deflate::token::{Symbol, TOKEN_SLACK};
use crate::random::Random;

/// Parses `data` with these keys; returns the block. The last bytes, too few for a search, are added as literals.
pub(super) fn parse(data: &[u8], keys: Keys) -> OpenBlock {
    let mut table = FastTable::new(Allocator::SYSTEM).expect("memory");
    let mut block = OpenBlock::new(data.len() + TOKEN_SLACK, Allocator::SYSTEM).expect("memory");
    block.prepare(data.len() + TOKEN_SLACK);
    table.clear(keys);
    let span = Span { from: 0, limit: data.len() - 16, end: data.len(), is_last: false };
    let position = table.parse(data, span, WINDOW_SIZE, &mut block);
    take_literals(data, position, data.len(), &mut block);
    block
}

/// Repeated noise of `period` bytes, with one byte in `interval` changed.
fn repeated_noise(random: &mut Random, period: usize, interval: usize) -> Vec<u8> {
    let mut data = random.bytes(period).repeat(40_000 / period);
    for _ in 0..data.len() / interval {
        let at = random.below(data.len());
        data[at] = random.byte();
    }
    data
}

#[test]
fn tokens_decode_to_the_data_and_are_counted() {
    let mut random = Random::varied(3);
    for (period, interval) in [(300, 20), (2000, 50), (9000, 50), (9000, 400), (20_000, 5000)] {
        let data = repeated_noise(&mut random, period, interval);
        for keys in [Keys::Four, Keys::FourAndThree, Keys::Five] {
            let block = parse(&data, keys);
            let (mut decoded, mut literals, mut matches) = (Vec::new(), [0; 256], 0);
            for symbol in block.symbols() {
                match symbol {
                    Symbol::Literal(byte) => literals[usize::from(byte)] += 1,
                    Symbol::Match { .. } => matches += 1,
                }
                symbol.decode(&mut decoded);
            }
            assert!(decoded == data, "{keys:?} {period} {interval}");
            assert_eq!(block.frequencies.litlen[..256], literals, "{keys:?} {period} {interval}");
            assert_eq!(block.frequencies.offset.iter().sum::<u32>(), matches);
        }
    }
}

/// Positions that the search skips are entered in the table all the same, so nearly all of the repeated data becomes matches.
#[test]
fn repeated_noise_with_errors_is_found() {
    let mut random = Random::varied(4);
    let noise = random.bytes(6000);
    let mut again = noise.clone();
    (0..noise.len()).step_by(30).for_each(|at| again[at] = !again[at]);
    let data = [&*noise, &again, &random.bytes(16)].concat();
    let is_literal = |symbol: &&Symbol| matches!(symbol, Symbol::Literal(_));
    let literals = parse(&data, Keys::Four).symbols().iter().filter(is_literal).count();
    assert!(literals < noise.len() + noise.len() / 20, "{literals} literals");
}

/// If a match of the maximum length fills the block, `parse` stops there, even if the data repeats further. Otherwise the tokens
/// would depend on how the input is divided into calls.
#[test]
fn a_block_is_full_at_the_same_token_in_one_call_and_in_many() {
    let mut random = Random::varied(5);
    let data = [random.bytes(400), random.bytes(300).repeat(20)].concat();
    let end = data.len() - 16;
    let until_full = |capacity, step| {
        let mut table = FastTable::new(Allocator::SYSTEM).expect("memory");
        let mut block = OpenBlock::new(capacity, Allocator::SYSTEM).expect("memory");
        block.prepare(capacity);
        table.clear(Keys::Four);
        let mut position = 0;
        while position < end && block.room() > TURN_TOKENS {
            let span =
                Span { from: position, limit: end.min(position + step), end: data.len(), is_last: false };
            position = table.parse(&data, span, WINDOW_SIZE, &mut block);
        }
        block.tokens().to_vec()
    };
    for capacity in TURN_TOKENS + 300..TURN_TOKENS + 400 {
        assert!(until_full(capacity, data.len()) == until_full(capacity, 100), "{capacity} tokens");
    }
}
