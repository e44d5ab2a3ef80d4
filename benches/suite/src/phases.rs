//! Measures the ten techniques ("phases") of the project's original plan, on and off; docs/PHASES.md has the outcome. Phase 7 is
//! omitted: its code was removed.
//!
//! A [`Phase`] compares two [`Setup`]s of librigz.so that differ in one thing: a patch or profile setting (`benches/phases/build`
//! and `scripts/pgo` build these variants), or an environment variable. The two sides run alternately, with one thread and with
//! two. *Kept* phases are part of the product; the others were rejected because of these measurements, which anyone can repeat.
//!
//! Separate programs count allocations (`allocations.c`) and compare ways of giving chunks to threads (`benches/queues`).

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;

use crate::contender::{LibraryPeer, clean};
use crate::corpus::Corpus;
use crate::op::Op;
use crate::record::{Circumstances, Record};
use crate::report::geometric_mean;
use crate::run::{self, Pace, Row};
use crate::schedule::{Cell, Contender, Data, Work};
use crate::{Outcome, Places, corpora, record};

/// A library and how it is run.
#[derive(Clone, Copy)]
struct Setup {
    /// Name of a library that benches/phases/build or scripts/pgo makes.
    library: &'static str,
    environment: &'static [(&'static str, &'static str)],
}

/// The library as users get it.
const PRODUCT: Setup = Setup { library: "product", environment: &[] };

const fn built(library: &'static str) -> Setup {
    Setup { library, environment: &[] }
}

const fn with(environment: &'static [(&'static str, &'static str)]) -> Setup {
    Setup { library: "product", environment }
}

/// One comparison of a phase.
struct Phase {
    number: usize,
    what: &'static str,
    off: Setup,
    on: Setup,
    /// Whether the product is `on`.
    kept: bool,
    /// Operations and levels. Decompressors ignore the level.
    works: &'static [(&'static str, i32)],
}

const BULK: &[(&str, i32)] = &[("gzwrite-64k", 9)];
const BULK_1_9: &[(&str, i32)] = &[("gzwrite-64k", 1), ("gzwrite-64k", 9)];
const ALL_KINDS: &[(&str, i32)] =
    &[("gzwrite-64k", 1), ("gzwrite-64k", 6), ("gzwrite-64k", 9), ("inflate-64k", 0), ("pack-1k", 9)];

#[rustfmt::skip]
const PHASES: &[Phase] = &[
    Phase { number: 1, what: "one engine reused, not one per chunk and call", off: built("engine-per-chunk"), on: PRODUCT, kept: true,
        works: &[("gzwrite-64k", 9), ("pack-1k", 9), ("pack-10k", 9)] },
    Phase { number: 2, what: "chunk buffers recycled", off: built("buffer-per-chunk"), on: PRODUCT, kept: true, works: BULK_1_9 },
    Phase { number: 3, what: "chunks of 64 KiB", off: PRODUCT, on: with(&[("RIGZ_CHUNK", "64K")]), kept: false, works: BULK },
    Phase { number: 3, what: "chunks of 128 KiB", off: PRODUCT, on: with(&[("RIGZ_CHUNK", "128K")]), kept: false, works: BULK },
    Phase { number: 3, what: "chunks of 256 KiB", off: PRODUCT, on: with(&[("RIGZ_CHUNK", "256K")]), kept: false, works: BULK },
    Phase { number: 3, what: "chunks of 512 KiB from the first", off: PRODUCT, on: with(&[("RIGZ_CHUNK", "512K")]), kept: false, works: BULK },
    Phase { number: 3, what: "chunks of 1 MiB", off: PRODUCT, on: with(&[("RIGZ_CHUNK", "1M")]), kept: false, works: BULK },
    Phase { number: 3, what: "chunks of 2 MiB", off: PRODUCT, on: with(&[("RIGZ_CHUNK", "2M")]), kept: false, works: BULK },
    Phase { number: 4, what: "prefetch of hash heads", off: PRODUCT, on: built("prefetch-heads"), kept: false, works: BULK_1_9 },
    Phase { number: 4, what: "POSIX_FADV_SEQUENTIAL, cold file", off: PRODUCT, on: built("fadvise-sequential"), kept: false,
        works: &[("gzread-cold-128k", 0)] },
    Phase { number: 4, what: "chunk buffers populated by madvise", off: PRODUCT, on: built("populate-buffers"), kept: false, works: BULK_1_9 },
    Phase { number: 5, what: "CRC in the worker, not at delivery", off: built("check-when-delivered"), on: PRODUCT, kept: true, works: BULK_1_9 },
    Phase { number: 8, what: "profile-guided", off: PRODUCT, on: built("pgo"), kept: false, works: ALL_KINDS },
    Phase { number: 9, what: "fat LTO, not off", off: built("lto-off"), on: PRODUCT, kept: true, works: ALL_KINDS },
    Phase { number: 9, what: "fat LTO, not thin", off: built("lto-thin"), on: PRODUCT, kept: true, works: ALL_KINDS },
    Phase { number: 9, what: "one codegen unit, not 16", off: built("units-16"), on: PRODUCT, kept: true, works: ALL_KINDS },
    Phase { number: 9, what: "panic=abort", off: PRODUCT, on: built("panic-abort"), kept: false, works: ALL_KINDS },
    Phase { number: 10, what: "transparent huge pages for all of malloc", off: PRODUCT,
        on: with(&[("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")]), kept: false, works: BULK_1_9 },
    Phase { number: 10, what: "reserved huge pages for all of malloc", off: PRODUCT,
        on: with(&[("GLIBC_TUNABLES", "glibc.malloc.hugetlb=2")]), kept: false, works: BULK_1_9 },
];

/// The arguments of `suite phases`.
#[derive(Args, Debug)]
pub struct Phases {
    /// Only this phase, 1 to 10 (repeatable).
    #[arg(long)]
    only: Vec<usize>,
    /// MiB of each corpus.
    #[arg(long, default_value_t = 8)]
    size: usize,
    /// Number of rounds, if the time limit allows.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Time limit in seconds; no turn starts after it.
    #[arg(long, default_value_t = 18 * 60)]
    limit: u64,
    /// Write nothing to benches/record.
    #[arg(long)]
    no_record: bool,
}

const CORPORA: &[&str] = &["text", "logs", "fastq", "binary"];

pub fn main(phases: &Phases, places: &Places) -> Outcome<()> {
    let start = Instant::now();
    let circumstances = Circumstances::now(&places.root);
    let wanted = |number: usize| phases.only.is_empty() || phases.only.contains(&number);
    let folder = places.peers.join("phases");
    let mut missing = Vec::new();
    let chosen: Vec<&Phase> =
        PHASES.iter().filter(|phase| wanted(phase.number) && can_run(phase, &folder, &mut missing)).collect();
    let data: Vec<Data> = CORPORA.iter().map(|name| Data::generated(name, phases.size, false)).collect();
    let corpora = corpora(&data, places)?;
    let counts = if record::cpus() > 1 { vec![1, 2] } else { vec![1] };

    let mut cells = Vec::new();
    for (index, phase) in chosen.iter().enumerate() {
        for &(op, level) in phase.works {
            let op = Op::named(op).ok_or("a phase names an unknown operation")?;
            for corpus in 0..corpora.len() {
                let contenders = counts.iter().flat_map(|&threads| {
                    [("off", phase.off), ("on", phase.on)].map(|(side, setup)| {
                        (Contender::Library(peer(&format!("{index} {side}"), setup, &folder)), threads)
                    })
                });
                cells.push(Cell {
                    section: "phases",
                    corpus,
                    work: Work::Library(op),
                    level,
                    contenders: contenders.collect(),
                });
            }
        }
    }
    let deadline = start + Duration::from_secs(phases.limit);
    let turn = Duration::from_millis(60);
    let pace = Pace { rounds: phases.rounds.max(1), turn, deadline, first_deadline: deadline };
    let scratch = places.scratch()?;
    let (rows, unreached) = run::run(&cells, &corpora, &pace, &scratch, "off");
    std::fs::remove_dir_all(&scratch)?;

    let mut out = String::from(
        "The ten phases, on against off; a gain above 0 % means faster or smaller with the phase on.\n",
    );
    for line in &missing {
        let _ = writeln!(out, "omitted: {line}");
    }
    for (index, phase) in chosen.iter().enumerate() {
        details(&mut out, index, phase, &rows);
    }
    if wanted(1) || wanted(2) {
        allocations(&mut out, &folder, places, &corpora[0]);
    }
    if wanted(6) {
        queues(&mut out, places, &corpora);
    }
    summary(&mut out, &chosen, &rows);
    print!("{out}");
    if unreached > 0 {
        println!(
            "{unreached} rows were not measured in time: select fewer with --only, or set a larger --limit."
        );
    }
    if !phases.no_record {
        let mut record = Record { circumstances, corpora, missing, rows };
        record.finish(&places.root);
        let folder = places.root.join("benches/record").join(record.folder_name("phases"));
        record.write(&folder)?;
        std::fs::write(folder.join("report.md"), format!("```text\n{out}```\n"))?;
        println!("Written to {}", folder.strip_prefix(&places.root).unwrap_or(&folder).display());
    }
    Ok(())
}

fn peer(name: &str, setup: Setup, folder: &Path) -> LibraryPeer {
    let environment = setup.environment.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    LibraryPeer { name: name.into(), path: file(setup, folder), levels: 1..=9, environment }
}

fn file(setup: Setup, folder: &Path) -> std::path::PathBuf {
    folder.join(format!("{}.so", setup.library))
}

/// Returns whether both setups can run; if not, adds the reason to `missing`.
fn can_run(phase: &Phase, folder: &Path, missing: &mut Vec<String>) -> bool {
    let reserved = || std::fs::read_to_string("/proc/sys/vm/nr_hugepages").unwrap_or_default();
    let needs_reserved = phase.on.environment.iter().any(|(_, value)| value.ends_with("hugetlb=2"));
    let why =
        if let Some(setup) = [phase.off, phase.on].into_iter().find(|&setup| !file(setup, folder).exists()) {
            format!("{} was not built", setup.library)
        } else if needs_reserved && matches!(reserved().trim(), "" | "0") {
            "no huge pages are reserved (vm.nr_hugepages is 0)".into()
        } else {
            return true;
        };
    missing.push(format!("phase {}, {}: {why}", phase.number, phase.what));
    false
}

/// Returns the off row and the on row of one operation of a phase on one corpus.
fn sides<'a>(
    rows: &'a [Row],
    index: usize,
    op: &str,
    level: i32,
    corpus: &str,
    threads: usize,
) -> Option<[&'a Row; 2]> {
    let find = |side: &str| {
        let name = format!("{index} {side}");
        rows.iter().find(|row| {
            row.contender == name
                && row.op == op
                && row.level.is_none_or(|own| own == level)
                && row.corpus == corpus
                && row.threads == threads
                && row.fault.is_none()
        })
    };
    Some([find("off")?, find("on")?])
}

fn details(out: &mut String, index: usize, phase: &Phase, rows: &[Row]) {
    let verdict = if phase.kept { "in the product" } else { "not in the product" };
    let _ = writeln!(out, "\nPhase {}: {} ({verdict})", phase.number, phase.what);
    for row in rows.iter().filter(|row| row.contender.starts_with(&format!("{index} "))) {
        if let Some(fault) = &row.fault {
            let _ = writeln!(out, "  {} {} FAULT: {fault}", row.op, row.corpus);
        }
    }
    let _ = writeln!(
        out,
        "  {:<20} {:<8} {:>3} {:>19} {:>8} {:>19} {:>8} {:>15} {:>9}",
        "operation level",
        "corpus",
        "thr",
        "CPU ms off -> on",
        "gain",
        "wall ms off -> on",
        "gain",
        "page faults",
        "size"
    );
    for &(op, level) in phase.works {
        for corpus in CORPORA {
            for threads in [1, 2] {
                let Some([off, on]) = sides(rows, index, op, level, corpus, threads) else { continue };
                let _ = writeln!(
                    out,
                    "  {:<20} {:<8} {:>3} {:>9.2} {:>9.2} {:>8} {:>9.2} {:>9.2} {:>8} {:>7.0} {:>7.0} {:>9}",
                    operation_label(op, off.level),
                    corpus,
                    threads,
                    off.cpu_ms,
                    on.cpu_ms,
                    gain(off.cpu_ms / on.cpu_ms),
                    off.wall_ms,
                    on.wall_ms,
                    gain(off.wall_ms / on.wall_ms),
                    off.page_faults,
                    on.page_faults,
                    size_quotient(off, on).map_or(String::new(), gain),
                );
            }
        }
    }
}

fn operation_label(op: &str, level: Option<i32>) -> String {
    level.map_or_else(|| op.to_owned(), |level| format!("{op} -{level}"))
}

fn gain(ratio: f64) -> String {
    format!("{:+.1} %", (ratio - 1.0) * 100.0)
}

/// The size with the phase off divided by that with it on; `None` for a decompressor.
fn size_quotient(off: &Row, on: &Row) -> Option<f64> {
    off.size.zip(on.size).map(|(off, on)| off as f64 / on as f64)
}

/// Writes one line per comparison and operation: geometric means over the corpora, and the noise.
fn summary(out: &mut String, chosen: &[&Phase], rows: &[Row]) {
    let _ = writeln!(out, "\nSummary: gains as geometric means over {}", CORPORA.join(", "));
    let _ = writeln!(
        out,
        "  {:>2} {:<42} {:<16} {:>9} {:>9} {:>9} {:>9} {:>8} {:>7}  product",
        "", "phase", "operation", "CPU 1 thr", "wall 1", "CPU 2 thr", "wall 2", "size", "noise"
    );
    for (index, phase) in chosen.iter().enumerate() {
        for &(op, level) in phase.works {
            let pairs = |threads: usize| {
                CORPORA.iter().filter_map(move |corpus| sides(rows, index, op, level, corpus, threads))
            };
            let mean = |threads: usize, of: fn(&Row) -> f64| {
                geometric_mean(pairs(threads).map(|[off, on]| of(off) / of(on)))
                    .map_or(String::from("-"), |(mean, _)| gain(mean))
            };
            let size = geometric_mean(pairs(1).filter_map(|[off, on]| size_quotient(off, on)))
                .map_or(String::new(), |(mean, _)| gain(mean));
            let spreads: Vec<f64> =
                pairs(1).flatten().map(|row| (row.cpu_ms - row.cpu_ms_min) / row.cpu_ms.max(1e-9)).collect();
            let noise = spreads.iter().sum::<f64>() / spreads.len().max(1) as f64 * 100.0;
            let level = Op::named(op).is_some_and(Op::has_level).then_some(level);
            let _ = writeln!(
                out,
                "  {:>2} {:<42} {:<16} {:>9} {:>9} {:>9} {:>9} {:>8} {:>5.1} %  {}",
                phase.number,
                phase.what,
                operation_label(op, level),
                mean(1, |row| row.cpu_ms),
                mean(1, |row| row.wall_ms),
                mean(2, |row| row.cpu_ms),
                mean(2, |row| row.wall_ms),
                size,
                noise,
                if phase.kept { "on" } else { "off" },
            );
        }
    }
    let _ = writeln!(
        out,
        "Noise is the median CPU time's excess over the minimum, relative to the median, averaged over the rows with one thread."
    );
}

/// Writes the allocations per message of 1 KiB and per MiB of a stream, with and without phases 1 and 2.
fn allocations(out: &mut String, folder: &Path, places: &Places, corpus: &Corpus) {
    let _ = writeln!(out, "\nPhases 1 and 2: allocations, level 9, {}", corpus.name);
    let _ = writeln!(
        out,
        "  {:<20} {:<10} {:>3} {:>12} {:>14} {:>12}",
        "library", "work", "thr", "allocations", "bytes", "page faults"
    );
    for work in ["messages", "stream"] {
        for library in ["engine-per-chunk", "buffer-per-chunk", "product"] {
            for threads in if work == "stream" { vec![1, 2] } else { vec![1] } {
                let mut command = Command::new(places.peers.join("allocations"));
                clean(&mut command);
                command
                    .args([work, "9"])
                    .arg(&corpus.path)
                    .env("LD_PRELOAD", folder.join(format!("{library}.so")))
                    .env("RIGZ_THREADS", threads.to_string());
                let line =
                    command.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
                let figures: Vec<f64> = line
                    .unwrap_or_default()
                    .split_whitespace()
                    .filter_map(|word| word.parse().ok())
                    .collect();
                let [calls, count, bytes, faults] = figures[..] else {
                    let _ = writeln!(out, "  {library:<20} {work:<10} did not run");
                    continue;
                };
                let per = if work == "stream" { "per MiB" } else { "per KiB" };
                let _ = writeln!(
                    out,
                    "  {library:<20} {:<10} {threads:>3} {:>12.2} {:>14.0} {:>12.2}  {per}",
                    work,
                    count / calls,
                    bytes / calls,
                    faults / calls
                );
            }
        }
    }
}

/// Writes the output of benches/queues.
fn queues(out: &mut String, places: &Places, corpora: &[Corpus]) {
    let _ = writeln!(out, "\nPhase 6: how chunks reach threads");
    let program = places.peers.join("phases/queues");
    let ran = Command::new(program).args(corpora.iter().map(|corpus| &corpus.path)).output();
    match ran {
        Ok(output) if output.status.success() => out.push_str(&String::from_utf8_lossy(&output.stdout)),
        Ok(output) => {
            let _ = writeln!(out, "  FAULT: {} {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Err(_) => {
            let _ = writeln!(out, "  omitted: benches/queues was not built");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_has_a_comparison_and_names_known_operations() {
        // Phase 6 has a separate program; the code of phase 7 was removed.
        for number in (1..=10).filter(|number| ![6, 7].contains(number)) {
            assert!(PHASES.iter().any(|phase| phase.number == number), "phase {number}");
        }
        for (op, _) in PHASES.iter().flat_map(|phase| phase.works) {
            assert!(Op::named(op).is_some(), "{op}");
        }
    }

    #[test]
    fn the_product_has_exactly_the_kept_phases() {
        for phase in PHASES {
            let product = if phase.kept { phase.on } else { phase.off };
            assert!(product.library == "product" && product.environment.is_empty(), "{}", phase.what);
        }
    }

    #[test]
    fn gains_compare_the_two_sides_of_a_phase() {
        let row = |side: &str, cpu_ms: f64, size: u64| Row {
            contender: format!("0 {side}"),
            op: "gzwrite-64k".into(),
            level: Some(9),
            corpus: "text".into(),
            threads: 1,
            cpu_ms,
            wall_ms: cpu_ms,
            size: Some(size),
            ..Row::default()
        };
        let rows = [row("off", 110.0, 1000), row("on", 100.0, 1000)];
        let mut out = String::new();
        let phase =
            Phase { number: 1, what: "a phase", off: built("off"), on: PRODUCT, kept: true, works: BULK };
        summary(&mut out, &[&phase], &rows);
        assert!(out.contains("+10.0 %"), "{out}");
        assert!(sides(&rows, 0, "gzwrite-64k", 9, "text", 2).is_none());
    }
}
