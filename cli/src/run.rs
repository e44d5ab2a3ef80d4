//! `rigz run`: a program on our library in place of the system's zlib.
//!
//! It sets `LD_PRELOAD` and becomes the program. Only for a summary it stays, waits, and ends as the program ended. A library that is
//! preloaded and not used costs nothing; whether a program can use it, `rigz check` tells.

use crate::preload;
use crate::signals;
use crate::statistics::Summary;
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{self, ExitCode, ExitStatus};
use std::time::Instant;

/// `env`'s and `nice`'s numbers: our own failure, a program that can't be started, a program that isn't there.
const FAILED: u8 = 125;
const NOT_STARTED: u8 = 126;
const NOT_FOUND: u8 = 127;

pub(crate) fn command() -> Command {
    Command::new("run")
        .about("Run a program with its zlib made parallel")
        .long_about(
            "Run a program on rigz in place of the system's zlib: its large writes through zlib are compressed on all processors. \
             The program must ask for libz.so.1, which `rigz check` tells.\n\n\
             The library is searched as lib/rigz/libz.so.1 beside this program's folder, or is what RIGZ_PRELOAD_FILE names.\n\n\
             The exit status is the program's; 125 when rigz itself failed, 126 when the program could not be started, 127 when there \
             is none of that name.",
        )
        .bin_name("rigz run")
        .args([
            Arg::new("threads")
                .short('p')
                .long("threads")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=1024))
                .help("Threads that may compress; 1 is serial [default: all processors]"),
            Arg::new("stats")
                .long("stats")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("Append a line of JSON for each stream to FILE (- keeps none) and print their sum at the end"),
            Arg::new("log")
                .long("log")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("Append to FILE why streams were compressed in parallel or not"),
            Arg::new("json").long("json").action(ArgAction::SetTrue).requires("stats").help("Print the sum as JSON"),
            Arg::new("command")
                .value_name("COMMAND")
                .num_args(1..)
                .required(true)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::CommandWithArguments)
                .help("The program and its arguments"),
        ])
}

/// `words` begin with `run`.
pub(crate) fn main(words: Vec<OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => {
            _ = error.print();
            return if error.use_stderr() { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
        }
    };
    let mut program = matches.get_many::<OsString>("command").into_iter().flatten();
    let name = program.next().cloned().unwrap_or_default();
    let mut child = process::Command::new(&name);
    child.args(program);
    match prepare(&mut child, &matches) {
        Err(message) => fail(message),
        Ok(None) => {
            signals::restore_pipe();
            not_started(&name, &child.exec())
        }
        Ok(Some(statistics)) => watch(&name, child, statistics, matches.get_flag("json")),
    }
}

/// Sets the program's environment; tells where its statistics will be, when they are wanted.
fn prepare(child: &mut process::Command, matches: &clap::ArgMatches) -> Result<Option<Statistics>, String> {
    child.env("LD_PRELOAD", preload::variable(&preload::library()?)?);
    if let Some(threads) = matches.get_one::<u16>("threads") {
        child.env("RIGZ_THREADS", threads.to_string());
    }
    if let Some(log) = matches.get_one::<PathBuf>("log") {
        child.env(
            "RIGZ_LOG",
            std::path::absolute(log).map_err(|error| format!("{}: {error}", log.display()))?,
        );
    }
    let Some(path) = matches.get_one::<PathBuf>("stats") else { return Ok(None) };
    let statistics = Statistics::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    child.env("RIGZ_STATS", &statistics.path);
    Ok(Some(statistics))
}

/// The file in which the program's streams leave their lines.
struct Statistics {
    path: PathBuf,
    file: File,
    /// What was in the file before.
    start: u64,
    is_kept: bool,
}

impl Statistics {
    fn open(path: &PathBuf) -> io::Result<Self> {
        let is_kept = path != "-";
        let path = match is_kept {
            // The program may go to another folder.
            true => std::path::absolute(path)?,
            false => std::env::temp_dir().join(format!("rigz-stats-{}", process::id())),
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(is_kept).create_new(!is_kept);
        let file = options.open(&path)?;
        let start = file.metadata()?.len();
        Ok(Self { path, file, start, is_kept })
    }

    fn sum(&mut self) -> io::Result<Summary> {
        self.file.seek(SeekFrom::Start(self.start))?;
        Summary::read(io::BufReader::new(&self.file))
    }
}

impl Drop for Statistics {
    fn drop(&mut self) {
        if !self.is_kept {
            _ = fs::remove_file(&self.path);
        }
    }
}

/// Runs the program to its end, prints what its streams did, and ends as it ended.
fn watch(
    name: &OsString,
    mut child: process::Command,
    mut statistics: Statistics,
    as_json: bool,
) -> ExitCode {
    // SAFETY: between fork and exec it only calls `signal`, which is allowed there.
    unsafe {
        child.pre_exec(|| {
            signals::restore_pipe();
            Ok(())
        })
    };
    let start = Instant::now();
    let mut running = match child.spawn() {
        Ok(running) => running,
        Err(error) => return not_started(name, &error),
    };
    // Keys of the terminal reach the program itself; a signal that is meant for us is passed on.
    let status = {
        let _ended = signals::pass_on_to(running.id());
        running.wait()
    };
    let (wall, cpu) = (start.elapsed().as_secs_f64(), signals::cpu_of_children());
    match (status, statistics.sum()) {
        (Ok(status), Ok(summary)) => {
            if as_json {
                complain!("{}", summary.json(wall, cpu))
            } else {
                complain!("{}", summary.table(wall, cpu).trim_end())
            }
            drop(statistics);
            end_as(status)
        }
        (Err(error), _) => fail(error),
        (Ok(status), Err(error)) => {
            complain!("rigz run: {}: {error}", statistics.path.display());
            drop(statistics);
            end_as(status)
        }
    }
}

/// A program that a signal ended shows as the shell shows it.
fn end_as(status: ExitStatus) -> ExitCode {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    ExitCode::from(u8::try_from(code).unwrap_or(FAILED))
}

fn not_started(name: &OsString, error: &io::Error) -> ExitCode {
    complain!("rigz run: {}: {error}", name.display());
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_STARTED })
}

fn fail(message: impl std::fmt::Display) -> ExitCode {
    complain!("rigz run: {message}");
    ExitCode::from(FAILED)
}
