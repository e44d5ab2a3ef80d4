//! The goals of the project against the rows that decide them.
//!
//! Four questions, each answered by ratios of rows measured in turn in this run:
//! level 9 on one thread against `pigz -9 -p1`, in speed and size; several threads against pigz with as many; levels 1 to 8 against the
//! system's zlib, in speed and size; decompression against `pigz -d`. Pigz is a program, so ours is one there too: gzpipe under LD_PRELOAD,
//! start-up included. With --size, --level, --threads or --data-type the same for one case only.

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
    /// Megabytes (MiB) of input.
    #[arg(long)]
    size: Option<usize>,
    #[arg(long)]
    level: Option<i32>,
    #[arg(long)]
    threads: Option<usize>,
    #[arg(long, value_enum)]
    data_type: Option<DataType>,
    /// How often everybody has his turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

const PIGZ: &str = "pigz";
const OURS: &str = "gzpipe+rigz";

pub fn main(plan: &Plan, places: &Places) -> Outcome<()> {
    let field = contender::find(places.rigz.as_deref(), &places.peers);
    for needed in [PIGZ, OURS] {
        if !field.tools.iter().any(|tool| tool.name == needed) {
            return Err(format!("{needed} is not here: {}", field.missing.join("; ")).into());
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
    let several = plan.threads.unwrap_or(cpus);
    let top = plan.level.unwrap_or(9);
    let planner = Planner { field: &field, corpora: &data, cpus, quick: true };
    let mut cells: Vec<Cell> = Vec::new();
    for corpus in 0..data.len() {
        let mut counts = vec![1, several];
        counts.dedup();
        cells.push(planner.tool_cell("processes", corpus, Work::ToolCompress, top, &counts));
        cells.push(planner.tool_cell("processes", corpus, Work::ToolDecompress, 0, &counts));
        let levels = plan.level.map_or(1..=8, |level| level..=level);
        for level in levels {
            planner.library_cell("compress", corpus, Op::Deflate { piece: 64 << 10 }, level, &mut cells);
        }
    }
    for cell in &mut cells {
        cell.who.retain(|(who, _)| matches!(who.name(), PIGZ | OURS | REFERENCE | RIGZ));
    }
    let scratch = places.scratch()?;
    let turn = Duration::from_millis(100);
    let end = Instant::now() + Duration::from_secs(20 * 60);
    let pace = Pace { rounds: plan.rounds.max(1), turn, deadline: end, last_call: end };
    let (rows, unreached) = run::run(&cells, &corpora, &pace, &scratch, REFERENCE);
    std::fs::remove_dir_all(&scratch)?;

    let title = format!("{size} MiB of each; commit {}", record::Circumstances::now(&places.root).commit);
    println!("{title}\n");
    if unreached > 0 {
        println!("{unreached} figures were not reached in time: the means below go over fewer cases\n");
    }
    processes(&rows, "compress", 1, &format!("Level {top}, one thread, against pigz -{top} -p1 (CPU time)"));
    if several > 1 {
        let title = format!("Level {top}, {several} threads, against pigz -{top} -p{several} (elapsed time)");
        processes(&rows, "compress", several, &title);
    }
    libraries(&rows);
    processes(&rows, "decompress", 1, "Decompression, one thread, against pigz -d -p1 (CPU time)");
    if several > 1 {
        let title = format!("Decompression, {several} threads, against pigz -d -p{several} (elapsed time)");
        processes(&rows, "decompress", several, &title);
    }
    Ok(())
}

/// One line per corpus: ours against pigz at the same level and thread count.
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
        let (fast, slow) = if by_wall { (own.wall_ms, other.wall_ms) } else { (own.cpu_ms, other.cpu_ms) };
        ratios.push(slow / fast);
        print_line(&own.corpus, slow / fast, own.size.zip(other.size));
    }
    print_mean(&ratios);
}

/// One line per corpus and level: deflate in process against the system's.
fn libraries(rows: &[Row]) {
    println!("Levels 1 to 8 (or the one asked for), deflate, against the system's zlib (CPU time)");
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
        Some((mean, n)) => println!("  geometric mean {mean:.2}x of {n}\n"),
        None => println!("  nothing to compare\n"),
    }
}
