//! Instruction counts under callgrind, which do not depend on the machine's load.
//!
//! Counts one call of each operation in a small fixed set, after a warm-up call, with RIGZ_THREADS=1. Counts of the same binary differ by
//! a few in a million, so a change of 1 % shows; on a shared machine, times show only changes above 8 %. Counts do not show cache misses,
//! mispredictions, or code that valgrind cannot run (it hides AVX-512 from the program). A lower count without a lower time is no gain.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;

use crate::child::{Turn, library_command};
use crate::contender::{Contenders, LibraryPeer};
use crate::corpus::Corpus;
use crate::op::Op;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Operations and levels. Decompressors ignore the level.
const SET: &[(&str, i32)] = &[
    ("deflate-64k", 1),
    ("deflate-64k", 6),
    ("deflate-64k", 9),
    ("inflate-64k", 0),
    ("pack-1k", 6),
    ("pack-1k-reset", 6),
    ("unpack-1k", 0),
    ("unpack-1k-reset", 0),
];

/// The corpora, 1 MiB of each: code runs about 50 times slower under callgrind.
pub const CORPORA: &[&str] = &["text", "records"];
pub const BYTES: usize = 1 << 20;

/// The arguments of `suite insn`.
#[derive(Args, Debug)]
pub struct Insn {
    /// Count these libraries, named as in the benchmark's tables.
    #[arg(long, default_values_t = ["rigz".to_owned()])]
    library: Vec<String>,
    /// Write the counts to this file.
    #[arg(long)]
    save: Option<PathBuf>,
    /// Show the change from the counts in this file.
    #[arg(long)]
    against: Option<PathBuf>,
}

/// Counts, with "library operation level corpus" as key.
type Counts = BTreeMap<String, u64>;

pub fn main(insn: &Insn, contenders: &Contenders, corpora: &[Corpus], scratch: &Path) -> Outcome<()> {
    let before = match &insn.against {
        Some(path) => parse(&fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?)?,
        None => Counts::new(),
    };
    let mut counts = Counts::new();
    println!(
        "{:<42} {:>15} {:>9} {:>9}",
        "library operation level corpus", "instructions", "per byte", "change"
    );
    for name in &insn.library {
        let peer = contenders.libraries.iter().find(|peer| peer.name == *name);
        let peer =
            peer.ok_or_else(|| format!("library {name} was not found: {}", contenders.missing.join("; ")))?;
        for corpus in corpora {
            for &(op, level) in SET {
                let key = format!("{name} {op} {level} {}", corpus.name);
                let op = Op::named(op).ok_or("the set names an unknown operation")?;
                match count(peer, op, level, corpus, scratch) {
                    Ok((count, bytes)) => {
                        let change = before.get(&key).map(|&old| (count as f64 / old as f64 - 1.0) * 100.0);
                        let change = change.map_or(String::new(), |c| format!("{c:+.2} %"));
                        println!("{key:<42} {count:>15} {:>9.2} {change:>9}", count as f64 / bytes as f64);
                        counts.insert(key, count);
                    }
                    Err(why) => println!("{key:<42} {why}"),
                }
            }
        }
    }
    if let Some(path) = &insn.save {
        let lines: String = counts.iter().map(|(key, count)| format!("{key} {count}\n")).collect();
        fs::write(path, lines)?;
    }
    Ok(())
}

fn count(peer: &LibraryPeer, op: Op, level: i32, corpus: &Corpus, scratch: &Path) -> Outcome<(u64, u64)> {
    let turn = Turn { corpus, level, threads: 1, budget: Duration::ZERO, verify: false, scratch };
    let child = library_command(peer, op, &turn, false)?;
    let counts = scratch.join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counted_region*", "--quiet"])
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(child.get_program())
        .args(child.get_args())
        .arg("--counted")
        .env_clear()
        .env("RIGZ_THREADS", "1");
    // PATH finds valgrind; the counted process gets no other variable of our environment.
    if let Some(path) = std::env::var_os("PATH") {
        valgrind.env("PATH", path);
    }
    let output = valgrind.output().map_err(|e| format!("valgrind: {e}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
        return Err(format!("under valgrind: {} {message}", output.status).into());
    }
    let bytes = match serde_json::from_slice(&output.stdout)? {
        crate::child::Answer::Measured(measured) => measured.bytes,
        crate::child::Answer::Lacks(what) => return Err(format!("lacks {what}").into()),
        crate::child::Answer::Wrong(what) => return Err(format!("wrong: {what}").into()),
    };
    let text = fs::read_to_string(&counts)?;
    let _ = fs::remove_file(&counts);
    Ok((total(&text).ok_or("callgrind counted nothing")?, bytes))
}

/// Returns the total from the last `totals:` line of a callgrind file.
pub fn total(text: &str) -> Option<u64> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals:"))?;
    line.trim().parse().ok().filter(|&n| n > 0)
}

fn parse(text: &str) -> Outcome<Counts> {
    let mut counts = Counts::new();
    for line in text.lines() {
        let (key, count) = line.rsplit_once(' ').ok_or_else(|| format!("not a line of counts: {line}"))?;
        counts.insert(key.to_owned(), count.parse()?);
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_the_end_of_a_callgrind_file() {
        assert_eq!(total("events: Ir\nfn=(1) main\n12 5\ntotals: 4711\n"), Some(4711));
        assert_eq!(total("events: Ir\ntotals: 0\n"), None);
        assert_eq!(total(""), None);
    }

    #[test]
    fn saved_counts_are_read_back() {
        let counts = parse("rigz deflate-64k 6 text 123\nrigz inflate-64k 0 text 45\n").unwrap();
        assert_eq!(counts["rigz deflate-64k 6 text"], 123);
        assert!(parse("nonsense").is_err());
    }

    #[test]
    fn every_operation_of_the_set_exists() {
        assert!(SET.iter().all(|(name, _)| Op::named(name).is_some()));
    }
}
