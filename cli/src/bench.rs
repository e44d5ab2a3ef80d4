//! `rigz bench FILE`: how fast and how small this file becomes by the system's zlib, by gzip and pigz
//! where they are installed, and by rigz; at levels 1, 6 and 9, on one thread and on all.
//!
//! Each figure is of a process of its own that reads the file, or an even sample of it, from the page
//! cache and writes to another file: wall time, the least of up to three runs. The sample is so long
//! that the whole table takes about half a minute.

#![forbid(unsafe_code)]

use crate::system_zlib;
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use serde_json::json;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode, Stdio};
use std::time::{Duration, Instant};

const LEVELS: [u32; 3] = [1, 6, 9];

/// Seconds that the table may take by the estimate, and after which nothing is begun any more.
const PLANNED: f64 = 18.0;
const LATEST: f64 = 28.0;

/// How much of all work the slowest program's highest level is, about.
const SHARE: f64 = 8.0;

/// Bytes compressed to learn how slow that is.
const PROBE: u64 = 1 << 20;

/// Runs shorter than this are made again, since clocks and schedulers are coarse.
const SHORT: Duration = Duration::from_secs(1);

pub(crate) fn command() -> Command {
    Command::new("bench")
        .about("Compare rigz with zlib, gzip and pigz on a file")
        .long_about(
            "Compress and decompress FILE, or an even sample of it, by the system's zlib, by gzip and pigz where they are installed, \
             and by rigz, at levels 1, 6 and 9, on one thread and on all, and print a table. It takes about half a minute.",
        )
        .bin_name("rigz bench")
        .args([
            Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one line of JSON per row"),
            // For the processes that it starts: zlib at a level, or decompression.
            Arg::new("zlib").long("zlib").hide(true).value_name("LEVEL").value_parser(value_parser!(u32).range(0..=9)),
            Arg::new("file")
                .value_name("FILE")
                .required_unless_present("zlib")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("A file such as you compress"),
        ])
}

/// `words` begin with `bench`.
pub(crate) fn main(words: Vec<OsString>) -> ExitCode {
    let matches = match crate::options::subcommand(command(), words, 1) {
        Ok(matches) => matches,
        Err(status) => return status,
    };
    let outcome = match (matches.get_one::<u32>("zlib"), matches.get_one::<PathBuf>("file")) {
        (Some(&0), _) => system_zlib::decompress(),
        (Some(&level), _) => system_zlib::compress(level),
        (None, Some(file)) => Bench::new(file).and_then(|mut bench| bench.run(matches.get_flag("json"))),
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

/// A program that compresses standard input to standard output.
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

    fn has_threads(self) -> bool {
        matches!(self, Program::Pigz | Program::Rigz)
    }

    /// The command for a level, or for decompression; nothing when the program is not there.
    fn command(self, level: Option<u32>, threads: usize) -> Option<process::Command> {
        let name = match self {
            Program::Zlib | Program::Rigz => std::env::current_exe().ok()?,
            Program::Gzip | Program::Pigz => crate::image::Image::new(None).program(self.name().as_ref())?,
        };
        let mut command = process::Command::new(name);
        // What a user preloads, or sets for other runs, must not count for some of them.
        for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "GZIP", "PIGZ", "RIGZ_STATS", "RIGZ_LOG", "RIGZ_TRACE"]
        {
            command.env_remove(name);
        }
        if self == Program::Zlib {
            command.args(["bench", "--zlib", &level.unwrap_or(0).to_string()]);
            return Some(command);
        }
        command.arg("-c").arg(level.map_or("-d".into(), |level| format!("-{level}")));
        if self.has_threads() {
            command.arg(format!("-p{threads}"));
        }
        Some(command)
    }
}

/// What a process did.
struct Figures {
    took: Duration,
    bytes_out: u64,
}

/// The files of one table.
struct Bench {
    sample: Scratch,
    len: u64,
    file_len: u64,
    threads: usize,
    start: Instant,
}

impl Bench {
    fn new(path: &Path) -> Result<Self, String> {
        let in_file = |error: io::Error| format!("{}: {}", path.display(), crate::say::describe(&error));
        let mut file = File::open(path).map_err(in_file)?;
        let status = file.metadata().map_err(in_file)?;
        if !status.is_file() || status.len() == 0 {
            return Err(format!("{}: is no file with data", path.display()));
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (start, file_len) = (Instant::now(), status.len());
        let mut sample = Scratch::new("sample")?;
        let probe_len = copy_evenly(&mut file, file_len, &mut sample.file, PROBE).map_err(in_file)?;
        let slowest = [Program::Zlib, Program::Gzip, Program::Rigz];
        let probe = slowest.iter().find_map(|program| measure(*program, Some(9), 1, &sample).ok().flatten());
        let seconds = probe.ok_or("no program to measure")?.took.as_secs_f64().max(1e-3);
        let most = (PLANNED / SHARE / seconds * probe_len as f64) as u64;
        let mut sample = Scratch::new("sample")?;
        let len = copy_evenly(&mut file, file_len, &mut sample.file, most.max(PROBE)).map_err(in_file)?;
        Ok(Self { sample, len, file_len, threads, start })
    }

    fn run(&mut self, as_json: bool) -> Result<(), String> {
        if !as_json {
            let part = if self.len < self.file_len { "an even sample of " } else { "" };
            say!("{part}{} bytes, {} bytes measured, {} processors", self.file_len, self.len, self.threads);
            say!(
                "{:<8} {:>5} {:>7} {:>9} {:>12} {:>7}",
                "program",
                "level",
                "threads",
                "MB/s",
                "bytes",
                "ratio"
            );
        }
        let mut packed = None;
        for level in LEVELS {
            for (program, threads) in self.runs() {
                let out = Scratch::new("packed")?;
                let Some(figures) = self.best(program, Some(level), threads, &self.sample, &out)? else {
                    continue;
                };
                self.tell(program, Some(level), threads, self.len, &figures, as_json);
                if level == 6 && packed.is_none() {
                    packed = Some((program, out));
                }
            }
        }
        let Some((writer, packed)) = packed else { return Ok(()) };
        if !as_json {
            say!(
                "\n{:<8} {:>5} {:>7} {:>9}   decompressing what {} -6 wrote",
                "program",
                "",
                "threads",
                "MB/s",
                writer.name()
            );
        }
        for (program, threads) in self.runs() {
            let out = Scratch::new("plain")?;
            let Some(figures) = self.best(program, None, threads, &packed, &out)? else { continue };
            if figures.bytes_out != self.len {
                return Err(format!(
                    "{} gave {} bytes back for {}",
                    program.name(),
                    figures.bytes_out,
                    self.len
                ));
            }
            self.tell(program, None, threads, self.len, &figures, as_json);
        }
        if self.is_late() && !as_json {
            say!("half a minute is over: what is missing was left out");
        }
        Ok(())
    }

    fn is_late(&self) -> bool {
        self.start.elapsed().as_secs_f64() > LATEST
    }

    /// Programs with their numbers of threads, in the table's order.
    fn runs(&self) -> Vec<(Program, usize)> {
        let counts = |program: Program| {
            let all = (program.has_threads() && self.threads > 1).then_some(self.threads);
            std::iter::once(1).chain(all).map(move |threads| (program, threads))
        };
        Program::ALL.into_iter().flat_map(counts).collect()
    }

    /// The best of a few runs; nothing when the program is not there or no time is left.
    fn best(
        &self,
        program: Program,
        level: Option<u32>,
        threads: usize,
        input: &Scratch,
        output: &Scratch,
    ) -> Result<Option<Figures>, String> {
        let mut best: Option<Figures> = None;
        for _ in 0..3 {
            if self.is_late() {
                break;
            }
            let Some(figures) = measure_to(program, level, threads, input, output)? else { return Ok(None) };
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

    fn tell(
        &self,
        program: Program,
        level: Option<u32>,
        threads: usize,
        len: u64,
        figures: &Figures,
        as_json: bool,
    ) {
        let (speed, bytes) = (len as f64 / 1e6 / figures.took.as_secs_f64(), figures.bytes_out);
        let (name, seconds) = (program.name(), figures.took.as_secs_f64());
        let ratio = bytes as f64 * 100.0 / len as f64;
        match level {
            _ if as_json => say!(
                "{}",
                json!({ "program": name, "level": level, "threads": threads, "bytes_plain": len, "bytes_out": bytes, "seconds": seconds })
            ),
            Some(level) => say!("{name:<8} {level:>5} {threads:>7} {speed:>9.1} {bytes:>12} {ratio:>6.1}%"),
            None => say!("{name:<8} {:>5} {threads:>7} {speed:>9.1}", ""),
        }
    }
}

fn measure(
    program: Program,
    level: Option<u32>,
    threads: usize,
    input: &Scratch,
) -> Result<Option<Figures>, String> {
    measure_to(program, level, threads, input, &Scratch::new("packed")?)
}

/// Runs a program once from one file to another.
fn measure_to(
    program: Program,
    level: Option<u32>,
    threads: usize,
    input: &Scratch,
    output: &Scratch,
) -> Result<Option<Figures>, String> {
    let Some(mut command) = program.command(level, threads) else { return Ok(None) };
    let failed = |error: io::Error| format!("{}: {}", program.name(), crate::say::describe(&error));
    output.file.set_len(0).map_err(failed)?;
    command.stdin(input.open().map_err(failed)?).stdout(output.open().map_err(failed)?).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().map_err(failed)?;
    let took = start.elapsed();
    if !status.success() {
        // There may be no zlib but ours.
        return if program == Program::Zlib {
            Ok(None)
        } else {
            Err(format!("{} failed: {status}", program.name()))
        };
    }
    Ok(Some(Figures { took, bytes_out: output.file.metadata().map_err(failed)?.len() }))
}

/// Copies as much as `most` of a file, in pieces from all of it; tells how much.
fn copy_evenly(from: &mut File, len: u64, to: &mut File, most: u64) -> io::Result<u64> {
    let count = most.div_ceil(PROBE).max(1);
    let piece = if len <= most { len } else { most / count };
    let mut copied = 0;
    for index in 0..count {
        let at = if len <= most { 0 } else { (len - piece) / count.max(2) * index };
        from.seek(SeekFrom::Start(at))?;
        copied += io::copy(&mut from.take(piece), to)?;
        if len <= most {
            break;
        }
    }
    to.flush()?;
    Ok(copied)
}

/// A file that goes when it is dropped.
struct Scratch {
    file: File,
    path: PathBuf,
}

impl Scratch {
    fn new(name: &str) -> Result<Self, String> {
        let folder = std::env::temp_dir();
        let id = process::id();
        let mut names = (0..1000).map(|number| folder.join(format!("rigz-bench-{id}-{name}-{number}")));
        let open = |path: PathBuf| {
            let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).ok()?;
            Some(Self { file, path })
        };
        names.find_map(open).ok_or_else(|| format!("no file can be made in {}", folder.display()))
    }

    /// From its beginning.
    fn open(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(&self.path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.path);
    }
}
