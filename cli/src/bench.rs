//! `rigz bench FILE`: how fast and how far the system's zlib, gzip and pigz (where they are installed)
//! and rigz compress this file, at levels 1, 6 and 9, with one thread and with one per processor; and
//! how fast they decompress it.
//!
//! Each figure is the wall time of a process that reads a copy of the file, or of evenly spaced pieces
//! of it, from the page cache and writes to another file: the shortest of up to three runs. The size
//! of the copy is chosen so that the whole table takes about half a minute.

#![forbid(unsafe_code)]

use crate::descriptors::{check_space, is_full};
use crate::say::{in_file, shown};
use crate::signals;
use crate::system_zlib;
use crate::temporary::Temporary;
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use rigz::config;
use serde_json::json;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode, Stdio};
use std::time::{Duration, Instant};

const LEVELS: [u32; 3] = [1, 6, 9];

/// The planned time of the table, in seconds.
const PLANNED: f64 = 18.0;

/// Seconds after which no further run is started. An estimate that is too low then costs rows, not time.
const LATEST: f64 = 28.0;

/// An estimate of the total time of all runs, in units of one run by zlib at level 9.
const TABLE_COST: f64 = 8.0;

/// Bytes of the probe: a small sample whose compression is timed to choose the size of the sample. Also
/// the largest size of a sample's pieces, and the smallest size of a sample (unless the file is smaller).
const PROBE: u64 = 1 << 20;

/// Runs shorter than this are repeated, since one short run is measured inaccurately.
const SHORT: Duration = Duration::from_secs(1);

pub(crate) fn command() -> Command {
    Command::new("bench")
        .about("Compare rigz with zlib, gzip and pigz on a file")
        .long_about(
            "Compress and decompress FILE, or an even sample of it, with the system's zlib, with gzip and pigz where they are installed, \
             and with rigz, at levels 1, 6 and 9, on one thread and on all, and print a table. It takes about half a minute.",
        )
        .bin_name("rigz bench")
        .args([
            Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one line of JSON per row"),
            // `bench` starts itself with this option to compress with zlib at LEVEL, or to decompress (0).
            Arg::new("zlib").long("zlib").hide(true).value_name("LEVEL").value_parser(value_parser!(u32).range(0..=9)),
            Arg::new("file")
                .value_name("FILE")
                .required_unless_present("zlib")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("A file with typical data"),
        ])
}

/// Runs the subcommand. The first of `words` is `bench`.
pub(crate) fn main(words: Vec<OsString>) -> ExitCode {
    let matches = match crate::options::subcommand(command(), words, 1) {
        Ok(matches) => matches,
        Err(status) => return status,
    };
    let outcome = match (matches.get_one::<u32>("zlib"), matches.get_one::<PathBuf>("file")) {
        (Some(&0), _) => system_zlib::decompress(),
        (Some(&level), _) => system_zlib::compress(level),
        (None, Some(file)) => {
            signals::install();
            Bench::new(file, matches.get_flag("json")).and_then(|bench| bench.run())
        }
        // clap requires a file unless `--zlib` is given.
        (None, None) => Ok(()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain!("rigz bench: {message}");
            ExitCode::from(1)
        }
    }
}

/// A program that compresses or decompresses standard input to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Zlib,
    Gzip,
    Pigz,
    Rigz,
}

impl Program {
    const ALL: [Program; 4] = [Program::Zlib, Program::Gzip, Program::Pigz, Program::Rigz];

    fn name(self) -> &'static str {
        match self {
            Program::Zlib => "zlib",
            Program::Gzip => "gzip",
            Program::Pigz => "pigz",
            Program::Rigz => "rigz",
        }
    }

    /// Whether it accepts a number of threads, as the option `-p`.
    fn has_threads(self) -> bool {
        matches!(self, Program::Pigz | Program::Rigz)
    }

    /// The file to run. `None` if the program is not installed.
    fn path(self) -> Option<PathBuf> {
        match self {
            // zlib is called by this program itself, with `bench --zlib`.
            Program::Zlib | Program::Rigz => std::env::current_exe().ok(),
            Program::Gzip | Program::Pigz => crate::image::Image::new(None).program(self.name().as_ref()),
        }
    }
}

/// The result of one run.
struct Figures {
    took: Duration,
    bytes_out: u64,
}

/// One row of a table: how a program is run, and the files that it reads and writes.
struct Row<'f> {
    program: Program,
    /// `None` for decompression.
    level: Option<u32>,
    threads: usize,
    input: &'f Temporary,
    output: &'f Temporary,
}

impl Row<'_> {
    /// The command that runs the program. `None` if the program is not installed.
    fn command(&self) -> Option<process::Command> {
        let mut command = process::Command::new(self.program.path()?);
        // Without variables of the user that affect some programs and not others.
        let switches = config::SWITCHES.map(|(name, _)| name);
        for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "GZIP", "PIGZ"].into_iter().chain(switches) {
            command.env_remove(name);
        }
        if self.program == Program::Zlib {
            command.args(["bench", "--zlib", &self.level.unwrap_or(0).to_string()]);
            return Some(command);
        }
        command.arg("-c").arg(self.level.map_or("-d".into(), |level| format!("-{level}")));
        if self.program.has_threads() {
            command.arg(format!("-p{}", self.threads));
        }
        Some(command)
    }

    /// Runs the program once. `None` if it is not installed, or if zlib fails.
    fn run(&self) -> Result<Option<Figures>, String> {
        let Some(mut command) = self.command() else { return Ok(None) };
        let failed = |error: io::Error| format!("{}: {}", self.program.name(), crate::say::describe(&error));
        self.output.file.set_len(0).map_err(failed)?;
        let (stdin, stdout) = (self.input.open().map_err(failed)?, self.output.open().map_err(failed)?);
        command.stdin(stdin).stdout(stdout).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().map_err(failed)?;
        let took = start.elapsed();
        if !status.success() {
            check_space(&self.output.file).map_err(in_file(self.output.path()))?;
        }
        match status.success() {
            true => Ok(Some(Figures { took, bytes_out: self.output.file.metadata().map_err(failed)?.len() })),
            // The usual reason is that the system has no zlib, or that its zlib is rigz.
            false if self.program == Program::Zlib => Ok(None),
            false => Err(format!("{} failed: {status}", self.program.name())),
        }
    }
}

/// The sample of one file, and all that is needed to measure and print its rows.
struct Bench {
    sample: Temporary,
    /// Bytes of the sample.
    len: u64,
    /// Bytes of the file.
    file_len: u64,
    processors: usize,
    start: Instant,
    as_json: bool,
}

impl Bench {
    fn new(path: &Path, as_json: bool) -> Result<Self, String> {
        let mut file = File::open(path).map_err(in_file(path))?;
        let status = file.metadata().map_err(in_file(path))?;
        if !status.is_file() || status.len() == 0 {
            return Err(format!("{}: not a file, or empty", shown(&path)));
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let (start, file_len) = (Instant::now(), status.len());
        let mut sample_of = |name: &str, most: u64| {
            let mut sample = Temporary::new(name)?;
            let outcome = copy_evenly(&mut file, file_len, &mut sample.file, most);
            let in_either = |error| in_file(if is_full(&error) { sample.path() } else { path })(error);
            let len = outcome.map_err(in_either)?;
            Ok::<_, String>((sample, len))
        };
        let (probe, probe_len) = sample_of("bench-probe", PROBE)?;
        let seconds = probe_time(&probe)?.as_secs_f64().max(1e-3);
        let most = (PLANNED / TABLE_COST / seconds * probe_len as f64) as u64;
        let (sample, len) = sample_of("bench-sample", most.max(PROBE))?;
        Ok(Self { sample, len, file_len, processors, start, as_json })
    }

    fn run(&self) -> Result<(), String> {
        if !self.as_json {
            let part = if self.len < self.file_len { "an even sample of " } else { "" };
            let (len, measured, processors) = (self.file_len, self.len, self.processors);
            say!("{part}{len} bytes, {measured} bytes measured, {processors} processors");
            let [program, level, threads, speed] = ["program", "level", "threads", "MB/s"];
            say!("{program:<8} {level:>5} {threads:>7} {speed:>9} {:>12} {:>7}", "bytes", "ratio");
        }
        let packed = self.compress()?;
        if let Some((writer, packed)) = packed {
            self.decompress(writer, &packed)?;
        }
        if self.is_late() && !self.as_json {
            say!("stopped after half a minute: some rows are missing");
        }
        Ok(())
    }

    /// Measures and prints the rows of compression. Returns the first output of level 6 and the program that wrote it.
    fn compress(&self) -> Result<Option<(Program, Temporary)>, String> {
        let mut packed = None;
        for level in LEVELS {
            for (program, threads) in self.programs() {
                let output = Temporary::new("bench-packed")?;
                let (input, level) = (&self.sample, Some(level));
                let row = Row { program, level, threads, input, output: &output };
                let Some(figures) = self.best(&row)? else { continue };
                self.print(&row, &figures);
                if level == Some(6) && packed.is_none() {
                    packed = Some((program, output));
                }
            }
        }
        Ok(packed)
    }

    /// Measures and prints the rows of decompression. `packed` is the sample as compressed by `writer`.
    fn decompress(&self, writer: Program, packed: &Temporary) -> Result<(), String> {
        if !self.as_json {
            let ([program, threads, speed], writer) = (["program", "threads", "MB/s"], writer.name());
            say!(
                "\n{program:<8} {:>5} {threads:>7} {speed:>9}   decompressing the output of {writer} -6",
                ""
            );
        }
        for (program, threads) in self.programs() {
            let output = &Temporary::new("bench-plain")?;
            let row = Row { program, level: None, threads, input: packed, output };
            let Some(figures) = self.best(&row)? else { continue };
            if figures.bytes_out != self.len {
                let (name, bytes) = (program.name(), figures.bytes_out);
                return Err(format!("{name} restored {bytes} bytes of {}", self.len));
            }
            self.print(&row, &figures);
        }
        Ok(())
    }

    fn is_late(&self) -> bool {
        self.start.elapsed().as_secs_f64() > LATEST
    }

    /// All pairs of a program and a number of threads, in the table's order.
    fn programs(&self) -> Vec<(Program, usize)> {
        let counts = |program: Program| {
            let all = (program.has_threads() && self.processors > 1).then_some(self.processors);
            std::iter::once(1).chain(all).map(move |threads| (program, threads))
        };
        Program::ALL.into_iter().flat_map(counts).collect()
    }

    /// The shortest of up to three runs. `None` if [`Row::run`] returns it or no time is left.
    fn best(&self, row: &Row<'_>) -> Result<Option<Figures>, String> {
        let mut best: Option<Figures> = None;
        for _ in 0..3 {
            if self.is_late() {
                break;
            }
            let Some(figures) = row.run()? else { return Ok(None) };
            let is_short = figures.took < SHORT;
            if best.as_ref().is_none_or(|best| figures.took < best.took) {
                best = Some(figures);
            }
            if !is_short {
                break;
            }
        }
        Ok(best)
    }

    fn print(&self, row: &Row<'_>, figures: &Figures) {
        let Row { level, threads, .. } = *row;
        let (name, len, bytes) = (row.program.name(), self.len, figures.bytes_out);
        let seconds = figures.took.as_secs_f64();
        let (speed, ratio) = (len as f64 / 1e6 / seconds, bytes as f64 * 100.0 / len as f64);
        match level {
            _ if self.as_json => say!(
                "{}",
                json!({ "program": name, "level": level, "threads": threads, "bytes_plain": len, "bytes_out": bytes, "seconds": seconds })
            ),
            Some(level) => say!("{name:<8} {level:>5} {threads:>7} {speed:>9.1} {bytes:>12} {ratio:>6.1}%"),
            None => say!("{name:<8} {:>5} {threads:>7} {speed:>9.1}", ""),
        }
    }
}

/// The time of one run at level 9 with one thread: by zlib, else by gzip, else by rigz.
fn probe_time(input: &Temporary) -> Result<Duration, String> {
    let output = &Temporary::new("bench-packed")?;
    let mut reason = "no program to measure".into();
    for program in [Program::Zlib, Program::Gzip, Program::Rigz] {
        match (Row { program, level: Some(9), threads: 1, input, output }).run() {
            Ok(Some(figures)) => return Ok(figures.took),
            Ok(None) => {}
            Err(message) => reason = message,
        }
    }
    Err(reason)
}

/// Copies a file of `len` bytes: the whole file if `len` is at most `most`, otherwise about `most`
/// bytes, in pieces of up to [`PROBE`] bytes, from the first to the last at equal distances.
/// Returns the number of bytes copied.
fn copy_evenly(from: &mut File, len: u64, to: &mut File, most: u64) -> io::Result<u64> {
    let count = most.div_ceil(PROBE).max(1);
    let piece = if len <= most { len } else { most / count };
    let mut copied = 0;
    for index in 0..count {
        let at = if len <= most { 0 } else { (len - piece) / (count - 1).max(1) * index };
        from.seek(SeekFrom::Start(at))?;
        copied += io::copy(&mut from.take(piece), to)?;
        if len <= most {
            break;
        }
    }
    to.flush()?;
    Ok(copied)
}
