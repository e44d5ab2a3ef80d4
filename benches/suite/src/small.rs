//! `suite small` compares our library with the system's zlib and one more, zlib-ng unless `--peer` names another: short inputs
//! (*messages*), small calls and small writes, on generated data.
//!
//! The cost is CPU time or, with `--instructions` (for loaded machines), callgrind's count. In each round every library runs all
//! cells (operation, level, kind of data) in a separate process. A cell's result is the shortest time of all rounds. Each library's results are verified first, also in
//! a separate process.

mod work;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::contender::{Contenders, LibraryPeer, REFERENCE, RIGZ, clean};
use crate::measure::cpu_now;
use crate::zlib::{self, Library};
use work::{ALL, BYTES, KINDS, LEVELS, Prepared, STATES};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Input bytes per call where held-back output (consumed, but not yet returned) is measured.
const STEPS: [usize; 2] = [1000, 1 << 16];

/// The arguments of `suite small`.
#[derive(Args, Debug)]
pub struct Small {
    /// Count instructions under valgrind instead of CPU time.
    #[arg(long)]
    instructions: bool,
    /// Number of rounds when measuring time.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Run only cells whose name, "OPERATION LEVEL KIND", contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// Print the results for each kind of data too.
    #[arg(long)]
    kinds: bool,
    /// Compare with this peer, in addition to zlib.
    #[arg(long, default_value = "zlib-ng")]
    peer: String,
}

/// The arguments of `suite small-cells`.
#[derive(Args, Debug)]
pub struct Cells {
    #[arg(long)]
    library: PathBuf,
    #[arg(long)]
    scratch: PathBuf,
    #[arg(long, default_value = "")]
    only: String,
    #[arg(long)]
    mode: Mode,
}

/// What the inner process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    /// Checks results.
    Verify,
    /// Measures CPU time.
    Time,
    /// Does each cell once, in a function that callgrind counts.
    Count,
    /// Measures the memory and the held-back output of streams.
    Hold,
}

/// The result of a cell.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Answer {
    name: String,
    size: usize,
    /// Seconds; 0 if callgrind counts.
    cost: f64,
}

/// Size and cost of a cell.
#[derive(Clone, Copy)]
struct Figure {
    size: f64,
    cost: f64,
}

type Figures = BTreeMap<String, Figure>;

/// The cells whose name, "operation level kind", contains `only`.
fn names(only: &str) -> impl Iterator<Item = (String, work::Work, i32, usize)> {
    let cells = ALL.iter().flat_map(|&(name, work)| {
        LEVELS.iter().flat_map(move |&level| {
            (0..KINDS.len()).map(move |kind| (format!("{name} {level} {}", KINDS[kind].0), work, level, kind))
        })
    });
    cells.filter(move |cell| cell.0.contains(only))
}

/// The inner process: measures all cells of one library and prints a line of JSON for each.
pub fn cells(cells: &Cells) -> Outcome<()> {
    // Open the judge, the system's zlib, before the library, which may have the same SONAME.
    let _judge = zlib::judge()?;
    let library = Library::open(&cells.library)?;
    let mut out = std::io::stdout().lock();
    let mut print_answer = |name: String, size: usize, cost: f64| -> Outcome<()> {
        serde_json::to_writer(&mut out, &Answer { name, size, cost })?;
        Ok(out.write_all(b"\n")?)
    };
    if cells.mode == Mode::Hold {
        for level in LEVELS {
            for (state, name) in STATES.iter().enumerate() {
                print_answer(format!("memory {level} {name}"), work::memory(&library, level, state)?, 0.0)?;
            }
            for (kind, generate) in KINDS {
                for step in STEPS {
                    let held = work::held_back(&library, level, generate, step)?;
                    print_answer(format!("held {level} {step} {kind}"), held, 0.0)?;
                }
            }
        }
        return Ok(());
    }
    for (at, (name, work, level, kind)) in names(&cells.only).enumerate() {
        let mut prepared = Prepared::new(work, &library, level, KINDS[kind].1, &cells.scratch)?;
        if at == 0 || cells.mode == Mode::Time {
            prepared.call()?;
        }
        let (size, cost) = match cells.mode {
            Mode::Verify => prepared.verify().map(|()| (0, 0.0)).map_err(|e| format!("{name}: {e}"))?,
            Mode::Count => (counted_cell(&mut prepared)?, 0.0),
            _ => time(&mut prepared)?,
        };
        print_answer(name, size, cost)?;
    }
    Ok(())
}

/// Returns the size and the CPU seconds of one call, averaged over several milliseconds.
fn time(prepared: &mut Prepared) -> Outcome<(usize, f64)> {
    const ENOUGH: Duration = Duration::from_millis(8);
    let (start, before) = (Instant::now(), cpu_now());
    let (mut size, mut calls) = (0, 0);
    while calls == 0 || start.elapsed() < ENOUGH {
        size = prepared.call()?;
        calls += 1;
    }
    Ok((size, (cpu_now() - before).as_secs_f64() / f64::from(calls)))
}

/// Callgrind counts only inside this function, and writes its counts on return.
#[inline(never)]
fn counted_cell(prepared: &mut Prepared) -> Outcome<usize> {
    let size = prepared.call()?;
    Ok(std::hint::black_box(size))
}

pub fn main(small: &Small, contenders: &Contenders, scratch: &Path) -> Outcome<()> {
    let library = |name: &str| {
        let found = contenders.libraries.iter().find(|library| library.name == name);
        found.ok_or_else(|| format!("library {name} was not found: {}", contenders.missing.join("; ")))
    };
    let libraries = [library(REFERENCE)?, library(&small.peer)?, library(RIGZ)?];
    for library in libraries {
        run(library, small, Mode::Verify, scratch)?;
    }
    let mut figures = [Figures::new(), Figures::new(), Figures::new()];
    for _ in 0..if small.instructions { 1 } else { small.rounds.max(1) } {
        for (library, figures) in libraries.iter().zip(&mut figures) {
            let mode = if small.instructions { Mode::Count } else { Mode::Time };
            for (name, figure) in run(library, small, mode, scratch)? {
                let best = figures.entry(name).or_insert(figure);
                best.cost = best.cost.min(figure.cost);
            }
        }
    }
    show(small, &figures);
    if small.only.is_empty() {
        let held: Vec<Figures> = libraries
            .iter()
            .map(|library| run(library, small, Mode::Hold, scratch))
            .collect::<Outcome<_>>()?;
        show_held(small, &held);
    }
    Ok(())
}

/// Runs all cells of one library in a separate process.
fn run(library: &LibraryPeer, small: &Small, mode: Mode, scratch: &Path) -> Outcome<Figures> {
    let counts = scratch.join("counts");
    let program = std::env::current_exe()?;
    let mut command = match mode {
        Mode::Count => {
            // Two different patterns: callgrind ignores one of two options with the same pattern.
            let mut valgrind = Command::new("valgrind");
            valgrind
                .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
                .args(["--toggle-collect=*counted_cell*", "--dump-after=*small*counted_cell*"])
                .arg(format!("--callgrind-out-file={}", counts.display()))
                .arg(program);
            valgrind
        }
        _ => Command::new(program),
    };
    clean(&mut command);
    let mode_name = clap::ValueEnum::to_possible_value(&mode).ok_or("a mode has no name")?;
    command
        .arg("small-cells")
        .arg("--library")
        .arg(&library.path)
        .arg("--scratch")
        .arg(scratch.join("written.gz"))
        .args(["--only", &small.only, "--mode", mode_name.get_name()])
        .env("RIGZ_THREADS", "1");
    let output = command.output().map_err(|e| format!("{:?}: {e}", command.get_program()))?;
    if !output.status.success() {
        return Err(format!("{}: {}", library.name, String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    let mut figures = Figures::new();
    for (at, line) in output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let answer: Answer = serde_json::from_slice(line)?;
        let cost = match mode {
            Mode::Count => counted(&counts.with_extension((at + 1).to_string()))?,
            _ => answer.cost,
        };
        figures.insert(answer.name, Figure { size: answer.size as f64, cost });
    }
    Ok(figures)
}

/// Returns the total of a callgrind file, and removes the file.
fn counted(path: &Path) -> Outcome<f64> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    std::fs::remove_file(path)?;
    Ok(crate::insn::total(&text).ok_or("callgrind counted nothing")? as f64)
}

/// Prints a line for each operation and level: costs and sizes compared with both peers, geometric means over the kinds of data.
fn show(small: &Small, figures: &[Figures; 3]) {
    let [zlib, peer, ours] = figures;
    let unit = if small.instructions { "instructions per byte" } else { "ns per byte" };
    println!(
        "Costs: {unit}, one thread. Speed is the other's cost divided by ours; size is ours divided by zlib's, then the peer's.\n"
    );
    println!(
        "{:<18} {:>8} {:>8} {:>8} | {:>6} {:>6} {:>15} | {:>6} {:>15} {:>6}",
        "operation level",
        "zlib",
        small.peer,
        "rigz",
        "x zlib",
        "x peer",
        "slowest",
        "size",
        "largest",
        "/ peer"
    );
    for (name, _) in ALL {
        for level in LEVELS {
            let cells: Vec<(&str, String)> =
                KINDS.iter().map(|(kind, _)| (*kind, format!("{name} {level} {kind}"))).collect();
            let cells: Vec<_> = cells.iter().filter(|(_, cell)| ours.contains_key(cell)).collect();
            if cells.is_empty() {
                continue;
            }
            let list = |value: &dyn Fn(&str) -> f64| -> Vec<(&str, f64)> {
                cells.iter().map(|(kind, cell)| (*kind, value(cell))).collect()
            };
            let scale = if small.instructions { 1.0 } else { 1e9 } / BYTES as f64;
            let cost = |of: &Figures| mean(&list(&|cell| of[cell].cost)) * scale;
            let to_zlib = list(&|cell| zlib[cell].cost / ours[cell].cost);
            let to_peer = list(&|cell| peer[cell].cost / ours[cell].cost);
            let size = list(&|cell| ours[cell].size / zlib[cell].size);
            let size_to_peer = list(&|cell| ours[cell].size / peer[cell].size);
            let slowest = *to_peer.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(&("", 0.0));
            let largest = *size.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(&("", 0.0));
            println!(
                "{:<18} {:>8.2} {:>8.2} {:>8.2} | {:>6.2} {:>6.2} {:>7} {:>7.2} | {:>6.3} {:>7} {:>7.3} {:>6.3}",
                format!("{name} {level}"),
                cost(zlib),
                cost(peer),
                cost(ours),
                mean(&to_zlib),
                mean(&to_peer),
                slowest.0,
                slowest.1,
                mean(&size),
                largest.0,
                largest.1,
                mean(&size_to_peer)
            );
            if small.kinds {
                for (at, (kind, speed)) in to_peer.iter().enumerate() {
                    println!(
                        "    {kind:<10} x zlib {:.2}, x peer {speed:.2}, size {:.3}, to peer {:.3}",
                        to_zlib[at].1, size[at].1, size_to_peer[at].1
                    );
                }
            }
        }
    }
}

fn show_held(small: &Small, held: &[Figures]) {
    let [zlib, peer, ours] = held else { return };
    println!("\n{:<34} {:>9} {:>9} {:>9}", "bytes", "zlib", small.peer, "rigz");
    let size = |of: &Figures, name: &str| of.get(name).map_or(0.0, |figure| figure.size);
    for level in LEVELS {
        for state in STATES {
            let name = format!("memory {level} {state}");
            println!(
                "{:<34} {:>9} {:>9} {:>9}",
                format!("memory, level {level}, {state}"),
                size(zlib, &name),
                size(peer, &name),
                size(ours, &name)
            );
        }
    }
    for level in LEVELS {
        for step in STEPS {
            let most = |of: &Figures| {
                KINDS
                    .iter()
                    .map(|(kind, _)| size(of, &format!("held {level} {step} {kind}")))
                    .fold(0.0, f64::max)
            };
            let label = format!("most held back, level {level}, step {step}");
            println!("{label:<34} {:>9} {:>9} {:>9}", most(zlib), most(peer), most(ours));
        }
    }
}

/// Returns the geometric mean.
fn mean(values: &[(&str, f64)]) -> f64 {
    (values.iter().map(|(_, value)| value.ln()).sum::<f64>() / values.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_length_is_a_multiple_of_each_message_length() {
        for (name, work) in ALL {
            if let work::Work::Messages(len) | work::Work::OneShot(len) = work {
                assert_eq!(BYTES % len, 0, "{name}");
            }
        }
    }

    #[test]
    fn the_geometric_mean_of_a_number_and_its_inverse_is_one() {
        assert!((mean(&[("a", 4.0), ("b", 0.25)]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_judge_passes_verification_of_every_operation() {
        let judge = zlib::judge().unwrap();
        let scratch = std::env::temp_dir().join(format!("rigz-small-{}", std::process::id()));
        for (_, work) in ALL {
            for (_, kind) in KINDS {
                Prepared::new(work, &judge, 1, kind, &scratch).unwrap().verify().unwrap();
            }
        }
        std::fs::remove_file(scratch).unwrap();
    }
}
