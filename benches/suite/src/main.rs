//! The benchmark of rigz: measures rigz and the other libraries and tools (the *contenders*; those that are not rigz are its *peers*) in
//! one run, alternately, on the same data. A *cell* is one operation on one corpus at one level, in one *section* (compress, gz files,
//! messages and so on); in each *round* every contender of a cell gets a *turn*. Its result in a cell is a *row*.
//!
//!     main ─┬─ schedule   the list of cells
//!           ├─ contender  finds the libraries and tools
//!           ├─ corpus     test data
//!           ├─ run        rounds over cells ── child ── op ── zlib     one turn, in a separate process
//!           ├─ record, report, plot   store and show the results       measure   clocks and medians
//!           ├─ plan       the project's goals: speed and size compared with pigz and the system's zlib
//!           ├─ phases     rigz with each of the ten phases of docs/PHASES.md on and off
//!           ├─ insn       instruction counts under callgrind
//!           └─ small      short inputs (*messages*), small calls and small writes: costs, sizes, memory, and how much output a stream holds back
//!
//! scripts/bench builds the peers and starts this; docs/BENCHMARKS.md describes the method.

mod child;
mod contender;
mod corpus;
mod insn;
mod measure;
mod op;
mod phases;
mod plan;
mod plot;
mod record;
mod report;
mod run;
mod schedule;
mod small;
mod zlib;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};

use corpus::Corpus;
use record::{Circumstances, Record};
use run::{Pace, Row};
use schedule::{Data, Planner};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Measure rigz and similar libraries and tools (its peers) on the same data in one run")]
struct Cli {
    #[command(flatten)]
    places: Places,
    #[command(subcommand)]
    action: Action,
}

/// File locations; scripts/bench sets them.
#[derive(Args)]
struct Places {
    /// The repository.
    #[arg(long, global = true, default_value = ".")]
    root: PathBuf,
    /// The file of the rigz library; without it rigz is not measured.
    #[arg(long, global = true)]
    rigz: Option<PathBuf>,
    /// The folder of built peers.
    #[arg(long, global = true, default_value = "benches/peers/built")]
    peers: PathBuf,
    /// Where corpora are kept between runs.
    #[arg(long, global = true, default_value = "benches/suite/target/corpora")]
    cache: PathBuf,
}

#[derive(Subcommand)]
enum Action {
    /// Run the main benchmark, or a subset of it with --quick.
    Run(Run),
    /// Count the instructions of a small fixed set of operations, under valgrind.
    Insn(insn::Insn),
    /// Measure the project's goals: speed and size compared with pigz and the system's zlib.
    Plan(plan::Plan),
    /// Measure rigz with each of the ten phases of docs/PHASES.md on and off.
    Phases(phases::Phases),
    /// Measure short inputs, small calls, small writes, the memory of streams, and how much output they hold back.
    Small(small::Small),
    /// Internal: measure the cells of `small` with one library.
    #[command(hide = true)]
    SmallCells(small::Cells),
    /// Internal: one turn of one library.
    #[command(hide = true)]
    One(child::One),
    /// Internal: make one corpus.
    #[command(hide = true)]
    Corpus { name: String, source: String, bytes: usize },
    /// Internal: check a tool's output.
    #[command(hide = true)]
    Verify {
        output: PathBuf,
        plain: PathBuf,
        #[arg(long)]
        packed: bool,
    },
}

#[derive(Args)]
struct Run {
    /// Run a subset that takes under two minutes instead of up to 25.
    #[arg(long)]
    quick: bool,
    /// Use this folder's files (zip files are unpacked) instead of the usual corpora; at most 32 MiB of each, 4 with --quick.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Run only the cells whose name, "SECTION OPERATION CORPUS", contains this text.
    #[arg(long)]
    only: Option<String>,
    /// Library that ratios are relative to.
    #[arg(long, default_value = contender::REFERENCE)]
    reference: String,
    /// Number of rounds, if the time limit allows [default: 5].
    #[arg(long)]
    rounds: Option<usize>,
    /// Time limit in seconds; no new turn starts after it, except that the first round has 10 % more [default: 1320, with --quick 100].
    #[arg(long)]
    limit: Option<u64>,
    /// Write nothing to benches/record.
    #[arg(long)]
    no_record: bool,
    /// Print only the summary tables, not every row.
    #[arg(long)]
    brief: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match act(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn act(mut cli: Cli) -> Outcome<ExitCode> {
    match &cli.action {
        Action::One(one) => child::main(one)?,
        Action::Corpus { name, source, bytes } => {
            let corpus = corpus::make(name, source, *bytes, &cli.places.cache)?;
            println!("{}", serde_json::to_string(&corpus)?);
        }
        Action::Verify { output, plain, packed } => child::verify(output, plain, *packed)?,
        Action::Run(run) => {
            cli.places.prepare()?;
            return bench(&cli.places, run);
        }
        Action::Insn(insn) => {
            cli.places.prepare()?;
            let data: Vec<Data> =
                insn::CORPORA.iter().map(|name| Data::generated(name, insn::BYTES >> 20, false)).collect();
            let corpora = corpora(&data, &cli.places)?;
            let contenders = contender::find(cli.places.rigz.as_deref(), &cli.places.peers);
            let scratch = cli.places.scratch()?;
            let outcome = insn::main(insn, &contenders, &corpora, &scratch);
            std::fs::remove_dir_all(&scratch)?;
            outcome?;
        }
        Action::Plan(plan) => {
            cli.places.prepare()?;
            plan::main(plan, &cli.places)?;
        }
        Action::Phases(phases) => {
            cli.places.prepare()?;
            phases::main(phases, &cli.places)?;
        }
        Action::Small(small) => {
            cli.places.prepare()?;
            let contenders = contender::find(cli.places.rigz.as_deref(), &cli.places.peers);
            let scratch = cli.places.scratch()?;
            let outcome = small::main(small, &contenders, &scratch);
            std::fs::remove_dir_all(&scratch)?;
            outcome?;
        }
        Action::SmallCells(cells) => small::cells(cells)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Places {
    /// Creates the cache and peers folders, and makes all paths absolute: child processes run in other folders, and the dynamic linker finds libraries by path.
    fn prepare(&mut self) -> Outcome<()> {
        std::fs::create_dir_all(&self.cache)?;
        std::fs::create_dir_all(&self.peers)?;
        for path in [&mut self.root, &mut self.cache, &mut self.peers] {
            *path = path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?;
        }
        if let Some(path) = &mut self.rigz {
            *path = path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?;
        }
        Ok(())
    }

    /// Creates the folder for output files, in /dev/shm if it exists, so that the disk's speed does not show.
    fn scratch(&self) -> Outcome<PathBuf> {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory } else { self.cache.as_path() };
        let scratch = base.join(format!("rigz-bench-{}", std::process::id()));
        std::fs::create_dir_all(&scratch)?;
        Ok(scratch)
    }
}

/// Makes each corpus in a separate process, so that this process's memory stays small (see `child::verify_output`).
fn corpora(data: &[Data], places: &Places) -> Outcome<Vec<Corpus>> {
    let mut corpora = Vec::new();
    for data in data {
        let output = Command::new(std::env::current_exe()?)
            .arg("--cache")
            .arg(&places.cache)
            .args(["corpus", &data.name, &data.source, &data.bytes.to_string()])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().into());
        }
        corpora.push(serde_json::from_slice(&output.stdout)?);
    }
    Ok(corpora)
}

/// The corpora of a run: ours, or the files that the user gave.
fn data_of(run: &Run, places: &Places) -> Outcome<Vec<Data>> {
    const MIB: usize = 1 << 20;
    let size = if run.quick { 4 * MIB } else { 32 * MIB };
    if let Some(folder) = &run.corpus {
        let files = corpus::files_of(folder)?;
        let name =
            |path: &PathBuf| path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok(files.iter().map(|path| Data::given(&name(path), path, size)).collect());
    }
    if run.quick {
        return Ok(schedule::quick_data());
    }
    let mut data = schedule::full_data();
    let silesia = places.root.join("../shared/corpus");
    if silesia.is_dir() {
        // Seven files of the Silesia corpus, an equal share of each.
        data.insert(0, Data::given("silesia7", &silesia.canonicalize()?, 14 * MIB));
    }
    Ok(data)
}

fn bench(places: &Places, run: &Run) -> Outcome<ExitCode> {
    let start = Instant::now();
    let circumstances = Circumstances::now(&places.root);
    let contenders = contender::find(places.rigz.as_deref(), &places.peers);
    for line in &contenders.missing {
        eprintln!("missing: {line}");
    }
    let data = data_of(run, places)?;
    let corpora = corpora(&data, places)?;
    let planner = Planner { contenders: &contenders, corpora: &data, cpus: record::cpus(), quick: run.quick };
    let mut cells = planner.cells();
    if let Some(only) = &run.only {
        cells.retain(|cell| {
            format!("{} {} {}", cell.section, cell.work.name(), data[cell.corpus].name)
                .contains(only.as_str())
        });
        if cells.is_empty() {
            return Err(format!("no cell's name contains {only}").into());
        }
    }
    let (rounds, turn_ms, limit) = if run.quick { (5, 40, 100) } else { (5, 100, 22 * 60) };
    let limit = run.limit.unwrap_or(limit);
    let pace = Pace {
        rounds: run.rounds.unwrap_or(rounds).max(1),
        turn: Duration::from_millis(turn_ms),
        deadline: start + Duration::from_secs(limit),
        first_deadline: start + Duration::from_secs(limit * 11 / 10),
    };
    let scratch = places.scratch()?;
    let (rows, unreached) = run::run(&cells, &corpora, &pace, &scratch, &run.reference);
    std::fs::remove_dir_all(&scratch)?;

    let mut record = Record { circumstances, corpora, missing: contenders.missing, rows };
    record.finish(&places.root);
    if !run.brief {
        println!("{}", report::long(&record.rows));
    }
    println!("{}", report::summary(&record.rows));
    if !run.no_record {
        let kind = if run.quick { "quick" } else { "full" };
        let folder = places.root.join("benches/record").join(record.folder_name(kind));
        record.write(&folder)?;
        let pictures = plot::draw(&record.rows, &folder)?;
        std::fs::write(folder.join("report.md"), report::markdown(&record, &pictures))?;
        println!("Written to {}", folder.strip_prefix(&places.root).unwrap_or(&folder).display());
    }
    if unreached > 0 {
        println!(
            "{unreached} rows were not measured in time: select fewer with --only, or set a larger --limit."
        );
    }
    Ok(verdict(&record.rows, start))
}

/// Prints the totals, and returns failure if any row has a fault.
fn verdict(rows: &[Row], start: Instant) -> ExitCode {
    let faults = rows.iter().filter(|row| row.fault.is_some()).count();
    let least = rows.iter().map(|row| row.samples).filter(|&n| n > 0).min().unwrap_or(0);
    println!(
        "{} rows, at least {least} samples per measured row, {:.0} s.",
        rows.len(),
        start.elapsed().as_secs_f64()
    );
    if faults > 0 {
        println!("{faults} rows are faulty (wrong result, crash or hang), marked FAULT");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
