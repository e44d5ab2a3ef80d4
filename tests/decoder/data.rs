//! Data and streams to decode, all made from a seed.

use crate::random::Random;

/// A length below `max` that is small as often as large.
pub(crate) fn length(random: &mut Random, max: usize) -> usize {
    let scale = random.below(max.max(1).ilog2() as usize + 2);
    random.below((1 << scale) + 1).min(max)
}

/// Names and contents: text-like, binary-like, runs, noise, far repeats.
pub(crate) fn kinds(len: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut random = Random::varied(7);
    let words: Vec<Vec<u8>> = (0..400)
        .map(|_| {
            (0..2 + random.below(9))
                .map(|_| b'a' + (random.below(26) * random.below(26) / 26) as u8)
                .collect()
        })
        .collect();
    let mut text = Vec::new();
    while text.len() < len {
        text.extend_from_slice(&words[random.below(400) * random.below(400) / 400]);
        text.push(b' ');
    }
    let mut records = Vec::new();
    while records.len() < len {
        records.extend_from_slice(&(records.len() as u32 / 13).to_le_bytes());
        records.extend_from_slice(&[0, 0, (random.next() >> 33) as u8, 1, 0, 0]);
    }
    let mut runs = Vec::new();
    while runs.len() < len {
        let byte = (random.next() >> 40) as u8 & 3;
        runs.extend(std::iter::repeat_n(byte, 1 + length(&mut random, 2000)));
    }
    let mut periods = Vec::new();
    while periods.len() < len {
        let period = 1 + random.below(40);
        let unit = random.bytes(period);
        (0..1 + random.below(600)).for_each(|at| periods.push(unit[at % period]));
    }
    let noise = random.bytes(len);
    let mut far = random.bytes(32768.min(len));
    while far.len() < len {
        let (distance, count) = (32768 - random.below(40), 3 + random.below(256));
        (0..count).for_each(|_| far.push(if far.len() >= distance { far[far.len() - distance] } else { 9 }));
        far.push((random.next() >> 30) as u8);
    }
    let mut all = vec![
        ("text", text),
        ("records", records),
        ("runs", runs),
        ("periods", periods),
        ("noise", noise),
        ("far", far),
    ];
    all.iter_mut().for_each(|(_, data)| data.truncate(len));
    all
}

/// Bits into bytes, low end first, as DEFLATE wants them.
#[derive(Default)]
pub(crate) struct BitWriter {
    pub(crate) bytes: Vec<u8>,
    count: u32,
}

impl BitWriter {
    pub(crate) fn put(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (self.count % 8);
            }
            self.count += 1;
        }
    }

    /// A dynamic block's header with these codeword lengths, sent without repeats by a flat precode of 16 four-bit
    /// codewords.
    pub(crate) fn dynamic_header(&mut self, is_final: bool, litlen: &[u8], offset: &[u8]) {
        self.put(u32::from(is_final) | 2 << 1, 3);
        self.put(litlen.len() as u32 - 257, 5);
        self.put(offset.len() as u32 - 1, 5);
        self.put(19 - 4, 4);
        // In the order 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1 15.
        for at in 0..19 {
            self.put(if at < 3 { 0 } else { 4 }, 3);
        }
        for &len in litlen.iter().chain(offset) {
            // Canonical codewords are sent high bit first.
            self.put((u32::from(len)).reverse_bits() >> 28, 4);
        }
    }
}

/// Codeword lengths of a complete code over some of `symbols` symbols, none longer than `max`; the symbol `must` is in.
pub(crate) fn complete_lengths(random: &mut Random, symbols: usize, max: u8, must: usize) -> Vec<u8> {
    // Split the root again and again; leaves become symbols.
    let mut leaves = vec![1u8, 1];
    let want = 2 + random.below(symbols - 1);
    for _ in 0..symbols * 4 {
        if leaves.len() >= want {
            break;
        }
        let at = random.below(leaves.len());
        if leaves[at] < max {
            leaves[at] += 1;
            leaves.push(leaves[at]);
        }
    }
    let mut lens = vec![0; symbols];
    lens[must] = leaves[0];
    for &len in &leaves[1..] {
        let mut symbol = random.below(symbols);
        while lens[symbol] != 0 {
            symbol = (symbol + 1) % symbols;
        }
        lens[symbol] = len;
    }
    lens
}
