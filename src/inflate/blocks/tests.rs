//! A block machine with an unknown window.

use super::super::bit_reader::HeldBits;
use super::super::tests::{deflated, sample};
use super::*;
use crate::format::deflate::WINDOW_SIZE;

#[test]
fn decoding_with_an_unknown_window_yields_markers_that_resolve() {
    let data = sample(400_000);
    let mut starts = 0;
    for level in [1, 6, 9] {
        let stream = deflated(&data, level);
        let mut out = vec![0u8; data.len()];
        let mut history = History::new(&mut out, 0);
        let mut reader = BitReader::new(HeldBits::default(), &stream);
        let mut blocks = WithTables::new();
        loop {
            blocks.await_block(false);
            assert_eq!(blocks.step(&mut reader, &mut history, Stop::Blocks), Event::Stopped);
            let done = history.position();
            if blocks.is_final() || done < WINDOW_SIZE {
                if blocks.is_final() {
                    break;
                }
                continue;
            }
            starts += 1;
            let mut elements: Vec<u16> = (0..WINDOW_SIZE as u16).map(|at| 0x8000 | at).collect();
            elements.resize(WINDOW_SIZE + data.len() - done, 0);
            let mut marked = History::new(&mut elements, WINDOW_SIZE);
            let mut fork = BitReader::new(reader.held(), reader.rest());
            let mut machine = WithTables::new();
            assert_eq!(machine.step(&mut fork, &mut marked, Stop::Nowhere), Event::End);
            let window = &data[done - WINDOW_SIZE..done];
            let resolved = elements[WINDOW_SIZE..].iter().map(|&element| match element.checked_sub(0x8000) {
                Some(at) => window[usize::from(at)],
                None => element as u8,
            });
            assert!(resolved.eq(data[done..].iter().copied()), "level {level} from {done}");
        }
    }
    assert!(starts >= 2, "there must be blocks with a full window before them: {starts}");
}
