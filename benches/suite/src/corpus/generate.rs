//! Generates corpora from a seed. None is real data; each imitates a kind of real data in the properties that affect a DEFLATE
//! encoder:
//!
//! - `text`: words drawn by Zipf's law, each with preferred successors, so that phrases repeat far apart;
//! - `logs`: JSON lines with the same keys and changing values (short matches about one line back; high ratio);
//! - `sql`: a dump of INSERT rows, much like logs but with more entropy per row;
//! - `fastq`: reads from one small genome, with qualities that fall along the read (two bits per base; qualities are nearly
//!   random, but high ones are more frequent: hash chains are long, so searches are slow);
//! - `source`: C-like functions with indentation, identifiers from a small vocabulary;
//! - `records`: 32-byte binary records whose fields count up, follow a random walk or are random (short matches at multiples
//!   of 32);
//! - `noise`: incompressible; `zeros`: compressible to almost nothing.
//!
//! docs/BENCHMARKS.md lists the ratio that the system's zlib reaches on each; real files of the same kind give similar ratios.

use super::rng::{Rng, Zipf};

const CONSONANTS: &[&str] = &[
    "t", "n", "s", "r", "l", "d", "m", "c", "p", "b", "f", "g", "h", "v", "w", "st", "th", "ch", "pr", "tr",
    "gr", "sh", "cl", "br",
];
const VOWELS: &[&str] = &["e", "a", "o", "i", "u", "ea", "ou", "ai", "io"];
const ENDINGS: &[&str] = &["", "", "", "n", "s", "r", "ng", "ed", "t", "l", "ly", "nt", "ce", "m"];

/// Made-up words; frequent ones (low ranks) are short.
fn lexicon(rng: &mut Rng, count: usize) -> Vec<String> {
    let mut words = Vec::with_capacity(count);
    while words.len() < count {
        let rank = words.len();
        let syllables = if rank < 60 { 1 } else { rng.between(1, if rank < 1000 { 2 } else { 4 }) };
        let mut word = String::new();
        for _ in 0..syllables {
            if !word.is_empty() || rng.chance(80) {
                word.push_str(rng.pick(CONSONANTS));
            }
            word.push_str(rng.pick(VOWELS));
        }
        word.push_str(rng.pick(ENDINGS));
        words.push(word);
    }
    words
}

/// Draws words; each has a few preferred successors.
struct Speech {
    words: Vec<String>,
    ranks: Zipf,
    last: usize,
}

impl Speech {
    fn new(rng: &mut Rng, count: usize) -> Speech {
        Speech { words: lexicon(rng, count), ranks: Zipf::new(count), last: 0 }
    }

    fn word(&mut self, rng: &mut Rng) -> &str {
        self.last = if rng.chance(55) {
            // One of nine fixed successors of the last word, lower numbers more often. The seed is the last word and the number,
            // which therefore always give the same successor.
            let choice = rng.below(9).min(rng.below(9));
            let mut fixed = Rng::new((self.last * 16 + choice) as u64);
            self.ranks.draw(&mut fixed)
        } else {
            self.ranks.draw(rng)
        };
        &self.words[self.last]
    }

    fn sentence(&mut self, rng: &mut Rng, out: &mut String) {
        let start = out.len();
        for i in 0..rng.between(4, 24) {
            if i > 0 {
                out.push_str(if rng.chance(8) { ", " } else { " " });
            }
            let word = self.word(rng);
            out.push_str(word);
        }
        out[start..start + 1].make_ascii_uppercase();
        out.push('.');
    }
}

/// Calls `piece` until there are at least `len` bytes, and returns the first `len`.
fn fill(len: usize, mut piece: impl FnMut(&mut String)) -> Vec<u8> {
    let mut out = String::with_capacity(len + 4096);
    while out.len() < len {
        piece(&mut out);
    }
    let mut bytes = out.into_bytes();
    bytes.truncate(len);
    bytes
}

pub fn text(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut speech = Speech::new(&mut rng, 12_000);
    fill(len, |out| {
        let mut paragraph = String::new();
        for _ in 0..rng.between(2, 9) {
            speech.sentence(&mut rng, &mut paragraph);
            paragraph.push(' ');
        }
        let mut column = 0;
        for word in paragraph.split_whitespace() {
            if column + word.len() > 72 {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
            }
            out.push_str(word);
            column += word.len() + 1;
        }
        out.push_str("\n\n");
    })
}

pub fn logs(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut speech = Speech::new(&mut rng, 400);
    let services = ["checkout", "catalog", "payment", "session", "search-index", "mailer"];
    let paths = ["orders", "items", "users", "carts", "sessions", "invoices", "search"];
    let agents = [
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
        "curl/8.8.0",
        "python-requests/2.32.3",
    ];
    let mut millis = 0usize;
    fill(len, |out| {
        millis += rng.below(40);
        let (s, ms) = (millis / 1000, millis % 1000);
        let status = if rng.chance(94) { 200 } else { [301, 404, 429, 500][rng.below(4)] };
        let level = if status < 400 { "info" } else { "warn" };
        let (service, path, agent) = (rng.pick(&services), rng.pick(&paths), rng.pick(&agents));
        out.push_str(&format!(
            "{{\"ts\":\"2026-03-14T{:02}:{:02}:{:02}.{ms:03}Z\",\"level\":\"{level}\",\"service\":\"{service}\",\
             \"host\":\"ip-10-3-{}-{}\",\"trace\":\"{:016x}\",\"method\":\"{}\",\"path\":\"/api/v1/{path}/{}\",\
             \"status\":{status},\"ms\":{}.{},\"bytes\":{},\"agent\":\"{agent}\",\"msg\":\"",
            s / 3600 % 24,
            s / 60 % 60,
            s % 60,
            rng.below(4),
            rng.below(32),
            rng.next(),
            if rng.chance(80) { "GET" } else { "POST" },
            rng.below(90_000),
            rng.below(180).min(rng.below(180)),
            rng.below(10),
            rng.below(60_000).min(rng.below(60_000)),
        ));
        for _ in 0..rng.between(2, 7) {
            let word = speech.word(&mut rng);
            out.push_str(word);
            out.push(' ');
        }
        out.push_str("\"}\n");
    })
}

pub fn sql(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut speech = Speech::new(&mut rng, 5_000);
    let cities =
        ["Berlin", "Lyon", "Porto", "Gdansk", "Utrecht", "Bergen", "Graz", "Tartu", "Malmo", "Bilbao"];
    let mut id = 100_000;
    fill(len, |out| {
        out.push_str(
            "INSERT INTO `customers` (`id`,`name`,`email`,`city`,`balance`,`created`,`note`) VALUES\n",
        );
        let rows = rng.between(60, 120);
        for row in 0..rows {
            id += rng.between(1, 3);
            let (first, last) = (speech.word(&mut rng).to_owned(), speech.word(&mut rng).to_owned());
            let city = rng.pick(&cities);
            out.push_str(&format!(
                "({id},'{first} {last}','{first}.{last}{}@example.{}','{city}',{}.{:02},'20{:02}-{:02}-{:02} {:02}:{:02}:{:02}',",
                rng.below(100),
                rng.pick(&["com", "org", "net"]),
                rng.below(20_000).min(rng.below(20_000)),
                rng.below(100),
                rng.between(15, 26),
                rng.between(1, 12),
                rng.between(1, 28),
                rng.below(24),
                rng.below(60),
                rng.below(60),
            ));
            if rng.chance(60) {
                out.push_str("NULL");
            } else {
                out.push('\'');
                speech.sentence(&mut rng, out);
                out.push('\'');
            }
            out.push_str(if row + 1 == rows { ");\n" } else { "),\n" });
        }
    })
}

pub fn fastq(seed: u64, len: usize) -> Vec<u8> {
    const READ: usize = 150;
    let mut rng = Rng::new(seed);
    let genome: Vec<u8> = (0..2_000_000).map(|_| b"ACGT"[rng.below(4)]).collect();
    let (mut tile, mut x) = (1101, 1000);
    fill(len, |out| {
        x += rng.below(60);
        if x > 32_000 {
            x = 1000;
            tile += 1;
        }
        out.push_str(&format!(
            "@A00123:45:HXY7TDSXX:1:{tile}:{x}:{} 1:N:0:ACGTTGCA\n",
            rng.between(1000, 37_000)
        ));
        let start = rng.below(genome.len() - READ);
        let reverse = rng.chance(50);
        // Quality is a random walk that falls towards the end of the read, from 2 to 40, the range of older sequencers.
        let mut quality = rng.between(34, 40);
        let mut qualities = String::with_capacity(READ);
        for i in 0..READ {
            let from = if reverse { start + READ - 1 - i } else { start + i };
            let mut base = genome[from];
            if reverse {
                base = match base {
                    b'A' => b'T',
                    b'C' => b'G',
                    b'G' => b'C',
                    _ => b'A',
                };
            }
            match rng.below(100) {
                0..=34 => {}
                35..=59 => quality = (quality + 1).min(40),
                60..=90 => quality = quality.saturating_sub(1 + i / 90).max(2),
                _ => quality = rng.between(2 + 24 * (READ - i) / READ, 40),
            }
            if rng.below(1000) < 60 / (quality + 1) {
                base = b"ACGTN"[rng.below(5)];
            }
            out.push(base as char);
            qualities.push((33 + quality as u8) as char);
        }
        out.push_str("\n+\n");
        out.push_str(&qualities);
        out.push('\n');
    })
}

pub fn source(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut speech = Speech::new(&mut rng, 1_500);
    let types = ["int", "unsigned long", "struct page *", "u32", "size_t", "const char *", "bool", "void *"];
    let name = |rng: &mut Rng, speech: &mut Speech| {
        let first = speech.word(rng).to_owned();
        if rng.chance(60) { format!("{first}_{}", speech.word(rng)) } else { first }
    };
    fill(len, |out| {
        if rng.chance(50) {
            out.push_str("/*\n * ");
            speech.sentence(&mut rng, out);
            out.push_str("\n * ");
            speech.sentence(&mut rng, out);
            out.push_str("\n */\n");
        }
        let function = name(&mut rng, &mut speech);
        let arguments: Vec<String> = (0..rng.between(1, 3)).map(|_| name(&mut rng, &mut speech)).collect();
        let locals: Vec<String> = (0..rng.between(1, 5)).map(|_| name(&mut rng, &mut speech)).collect();
        let typed: Vec<String> = arguments.iter().map(|a| format!("{} {a}", rng.pick(&types))).collect();
        out.push_str(&format!("static {} {function}({})\n{{\n", rng.pick(&types), typed.join(", ")));
        for local in &locals {
            out.push_str(&format!("\t{} {local} = {};\n", rng.pick(&types), rng.below(4)));
        }
        out.push('\n');
        let mut depth = 1;
        for _ in 0..rng.between(4, 30) {
            let known = if rng.chance(60) { &locals } else { &arguments };
            let (a, b) = (known[rng.below(known.len())].clone(), locals[rng.below(locals.len())].clone());
            let tabs = "\t".repeat(depth);
            match rng.below(7) {
                0 if depth < 4 => {
                    out.push_str(&format!("{tabs}if ({a}->{} == {b}) {{\n", speech.word(&mut rng)));
                    depth += 1;
                }
                1 if depth < 4 => {
                    out.push_str(&format!("{tabs}for (i = 0; i < {b}; i++) {{\n"));
                    depth += 1;
                }
                2 if depth > 1 => {
                    depth -= 1;
                    out.push_str(&format!("{}}}\n", "\t".repeat(depth)));
                }
                3 => out.push_str(&format!("{tabs}if (!{a})\n{tabs}\treturn -EINVAL;\n")),
                4 => out.push_str(&format!(
                    "{tabs}{b} = {}({a}, {});\n",
                    name(&mut rng, &mut speech),
                    rng.below(256)
                )),
                5 => out.push_str(&format!(
                    "{tabs}{a}->{} |= 0x{:04x};\n",
                    speech.word(&mut rng),
                    1 << rng.below(16)
                )),
                _ => out.push_str(&format!("{tabs}{}(&{a}, {b});\n", name(&mut rng, &mut speech))),
            }
        }
        for close in (1..depth).rev() {
            out.push_str(&format!("{}}}\n", "\t".repeat(close)));
        }
        out.push_str(&format!("\n\treturn {};\n}}\n\n", locals[0]));
    })
}

pub fn records(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut out = Vec::with_capacity(len + 32);
    let (mut time, mut levels) = (1_773_480_000_000_000u64, [2_000i32; 8]);
    let mut id = 1u32;
    while out.len() < len {
        let sensor = rng.below(8);
        time += rng.between(90, 3_000) as u64;
        levels[sensor] += rng.below(9) as i32 - 4;
        out.extend_from_slice(&id.to_le_bytes());
        out.extend_from_slice(&(sensor as u32).to_le_bytes());
        out.extend_from_slice(&time.to_le_bytes());
        out.extend_from_slice(&levels[sensor].to_le_bytes());
        out.extend_from_slice(&(levels[sensor] as f32 * 0.125).to_le_bytes());
        out.extend_from_slice(&[if rng.chance(97) { 0 } else { 1 << rng.below(8) }, 0, 0, 0]);
        out.extend_from_slice(&(rng.below(512) as u32).to_le_bytes());
        id += 1;
    }
    out.truncate(len);
    out
}

pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut out: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| rng.next().to_le_bytes()).collect();
    out.truncate(len);
    out
}

pub fn zeros(_seed: u64, len: usize) -> Vec<u8> {
    vec![0; len]
}

#[cfg(test)]
mod tests {
    use crate::corpus::GENERATED;

    #[test]
    fn a_corpus_depends_only_on_its_seed_and_has_the_requested_length() {
        for &(name, generate) in GENERATED {
            let once = generate(1, 200_001);
            assert_eq!(once.len(), 200_001, "{name}");
            assert!(once == generate(1, 200_001), "{name}: different bytes for the same seed");
            if name != "zeros" {
                assert!(once != generate(2, 200_001), "{name} ignores its seed");
            }
        }
    }

    /// If a generator changes, later figures cannot be compared with earlier ones.
    #[test]
    fn generators_make_the_same_bytes_as_before() {
        let judge = crate::zlib::judge().unwrap();
        let crc32 = judge.checksum(c"crc32").unwrap();
        let now: Vec<(&str, u64)> =
            GENERATED.iter().map(|&(n, make)| (n, crc32(0, &make(1, 100_000)))).collect();
        assert_eq!(now, RECORDED);
    }

    /// The CRC-32 of the first 100,000 bytes with seed 1.
    const RECORDED: &[(&str, u64)] = &[
        ("text", 4139116075),
        ("logs", 3467131053),
        ("sql", 4196908721),
        ("fastq", 1169908202),
        ("source", 930951904),
        ("records", 2546441458),
        ("noise", 914834502),
        ("zeros", 3557922173),
    ];

    #[test]
    fn each_corpus_compresses_within_its_range() {
        let judge = crate::zlib::judge().unwrap();
        let compress = judge.compressor().unwrap();
        let ranges = [
            ("text", 2.3, 3.3),
            ("logs", 4.0, 8.0),
            ("sql", 2.5, 4.5),
            ("fastq", 2.0, 3.0),
            ("source", 3.0, 6.0),
            ("records", 2.0, 4.0),
            ("noise", 0.99, 1.0),
            ("zeros", 900.0, 1100.0),
        ];
        assert_eq!(ranges.len(), GENERATED.len());
        for (name, low, high) in ranges {
            let (_, generate) = GENERATED.iter().find(|(n, _)| *n == name).unwrap();
            let plain = generate(1, 1 << 20);
            let mut out = vec![0; judge.compress_bound(plain.len()).unwrap()];
            let ratio = plain.len() as f64 / compress.run(&plain, &mut out, 6).unwrap() as f64;
            assert!((low..high).contains(&ratio), "{name}: ratio {ratio:.2}");
        }
    }
}
