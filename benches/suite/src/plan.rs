//! Measures the speed and size ratios that the project's goals are about.
//!
//! Prints four comparisons; the contenders of each are measured alternately in this run: level 9 on one thread against `pigz -9
//! -p1`; several threads against pigz with as many; levels 1 to 8 against the system's zlib; decompression against `pigz -d`. Pigz
//! is a program, so rigz is compared with it as a program: gzpipe with rigz in LD_PRELOAD, start-up included. A ratio above 1 means
//! that rigz is faster. Fails if a result was wrong.

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use crate::contender::{self, REFERENCE, RIGZ};
use crate::op::Op;
use crate::run::{self, Pace, Row};
use crate::schedule::{Cell, Data, Planner, Work};
use crate::{Outcome, Places, corpora, record};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DataType {
    Text,
    Random,
    Binary,
}

/// The arguments of `suite plan`.
#[derive(Args, Debug)]
pub struct Plan {
    /// Size of each corpus in MiB [default: 16].
    #[arg(long)]
    size: Option<usize>,
    /// Compare only this level [default: 9 with pigz, 1 to 8 with the system's zlib].
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=9))]
    level: Option<i32>,
    /// Number of threads in the comparisons with several threads [default: one for each CPU].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    threads: Option<u32>,
    /// Use only this corpus [default: six kinds of data].
    #[arg(long, value_enum)]
    data_type: Option<DataType>,
    /// Number of rounds; each contender runs once per round.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

const PIGZ: &str = "pigz";
const OURS: &str = "gzpipe+rigz";

pub fn main(plan: &Plan, places: &Places) -> Outcome<()> {
    let contenders = contender::find(places.rigz.as_deref(), &places.peers);
    for needed in [PIGZ, OURS] {
        if !contenders.tools.iter().any(|tool| tool.name == needed) {
            return Err(
                format!("required tool {needed} was not found: {}", contenders.missing.join("; ")).into()
            );
        }
    }
    let size = plan.size.unwrap_or(16);
    let names = match plan.data_type {
        Some(DataType::Text) => vec!["text"],
        Some(DataType::Random) => vec!["noise"],
        Some(DataType::Binary) => vec!["binary"],
        None => vec!["text", "logs", "fastq", "source", "binary", "noise"],
    };
    let data: Vec<Data> = names.iter().map(|name| Data::generated(name, size, false)).collect();
    let corpora = corpora(&data, places)?;
    let cpus = record::cpus();
    let several = plan.threads.map_or(cpus, |threads| threads as usize);
    let level = plan.level.unwrap_or(9);
    let planner = Planner { contenders: &contenders, corpora: &data, cpus, quick: true };
    let mut cells: Vec<Cell> = Vec::new();
    for corpus in 0..data.len() {
        let mut counts = vec![1, several];
        counts.dedup();
        cells.push(planner.tool_cell("processes", corpus, Work::ToolCompress, level, &counts));
        cells.push(planner.tool_cell("processes", corpus, Work::ToolDecompress, 0, &counts));
        let levels = plan.level.map_or(1..=8, |level| level..=level);
        for level in levels {
            planner.library_cell("compress", corpus, Op::Deflate { piece: 64 << 10 }, level, &mut cells);
        }
    }
    for cell in &mut cells {
        cell.contenders.retain(|(contender, _)| matches!(contender.name(), PIGZ | OURS | REFERENCE | RIGZ));
    }
    let scratch = places.scratch()?;
    let turn = Duration::from_millis(100);
    let end = Instant::now() + Duration::from_secs(20 * 60);
    let pace = Pace { rounds: plan.rounds.max(1), turn, deadline: end, first_deadline: end };
    let (rows, unreached) = run::run(&cells, &corpora, &pace, &scratch, REFERENCE);
    std::fs::remove_dir_all(&scratch)?;

    let title = format!("{size} MiB per corpus; commit {}", record::Circumstances::now(&places.root).commit);
    println!("{title}\n");
    if unreached > 0 {
        println!(
            "{unreached} measurements were not made before the time limit: the means below cover fewer cases\n"
        );
    }
    processes(
        &rows,
        "compress",
        1,
        &format!("Level {level}, one thread, against pigz -{level} -p1 (CPU time)"),
    );
    if several > 1 {
        let title =
            format!("Level {level}, {several} threads, against pigz -{level} -p{several} (elapsed time)");
        processes(&rows, "compress", several, &title);
    }
    libraries(&rows);
    processes(&rows, "decompress", 1, "Decompression, one thread, against pigz -d -p1 (CPU time)");
    if several > 1 {
        let title = format!("Decompression, {several} threads, against pigz -d -p{several} (elapsed time)");
        processes(&rows, "decompress", several, &title);
    }
    match rows.iter().filter(|row| row.fault.is_some()).count() {
        0 => Ok(()),
        faults => Err(format!("{faults} measurements gave wrong results").into()),
    }
}

/// Prints a line per corpus: gzpipe with rigz against pigz with as many threads.
fn processes(rows: &[Row], op: &str, threads: usize, title: &str) {
    println!("{title}");
    let of = |name: &'static str| {
        rows.iter().filter(move |row| row.contender == name && row.op == op && row.threads == threads)
    };
    let mut ratios = Vec::new();
    for own in of(OURS) {
        if let Some(fault) = &own.fault {
            println!("  {:<10} FAULT: {fault}", own.corpus);
            continue;
        }
        let Some(other) = of(PIGZ).find(|row| row.corpus == own.corpus && row.fault.is_none()) else {
            continue;
        };
        let by_wall = threads > 1;
        let (own_ms, other_ms) =
            if by_wall { (own.wall_ms, other.wall_ms) } else { (own.cpu_ms, other.cpu_ms) };
        ratios.push(other_ms / own_ms);
        print_line(&own.corpus, other_ms / own_ms, own.size.zip(other.size));
    }
    print_mean(&ratios);
}

/// Prints a line per corpus and level: rigz's deflate against that of the system's zlib, in process.
fn libraries(rows: &[Row]) {
    println!("deflate against the system's zlib, by level (CPU time)");
    let mut ratios = Vec::new();
    for own in rows.iter().filter(|row| row.contender == RIGZ) {
        let name = format!("{} -{}", own.corpus, own.level.unwrap_or_default());
        if let Some(fault) = &own.fault {
            println!("  {name:<10} FAULT: {fault}");
            continue;
        }
        let same = |row: &&Row| {
            row.contender == REFERENCE
                && row.corpus == own.corpus
                && row.level == own.level
                && row.op == own.op
                && row.fault.is_none()
        };
        let Some(other) = rows.iter().find(same) else { continue };
        ratios.push(other.cpu_ms / own.cpu_ms);
        print_line(&name, other.cpu_ms / own.cpu_ms, own.size.zip(other.size));
    }
    print_mean(&ratios);
}

fn print_line(name: &str, speed: f64, sizes: Option<(u64, u64)>) {
    match sizes {
        Some((own, other)) => {
            let difference = (own as f64 / other as f64 - 1.0) * 100.0;
            println!("  {name:<10} {speed:>6.2}x   size {difference:+.2} % ({own} / {other})");
        }
        None => println!("  {name:<10} {speed:>6.2}x"),
    }
}

fn print_mean(ratios: &[f64]) {
    match crate::report::geometric_mean(ratios.iter().copied()) {
        Some((mean, n)) => println!("  geometric mean {mean:.2}x over {n} cases\n"),
        None => println!("  nothing to compare\n"),
    }
}
