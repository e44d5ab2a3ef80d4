//! `rigz run`: runs a program with our library in place of the system's zlib.
//!
//! It sets `LD_PRELOAD` and executes the program. Only for a summary or a timeline it starts a child,
//! waits, passes signals on, and exits with the child's status. A preloaded library that is not used costs
//! nothing; `rigz check` reports whether a program can use it.

use crate::descriptors;
use crate::elf::{self, Shape, Unfit};
use crate::image::Image;
use crate::known;
use crate::pass_on;
use crate::preload;
use crate::record::{self, Statistics, Timeline};
use crate::say::{describe, in_file, shown};
use crate::script::interpreter_of;
use crate::signals;
use crate::statistics::Summary;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use object::ReadCache;
use rigz::config;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{self, ExitCode, ExitStatus};
use std::time::Instant;

/// The exit statuses of `env` and `nice`: our own failure, a program that cannot be started, no such program.
const FAILED: u8 = 125;
const NOT_STARTED: u8 = 126;
const NOT_FOUND: u8 = 127;

pub(crate) fn command() -> Command {
    let file = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .value_hint(ValueHint::FilePath)
            .help(help)
    };
    Command::new("run")
        .about("Run a program with rigz in place of zlib")
        .long_about(
            "Run a program with rigz in place of the system's zlib: its large writes through zlib are compressed on all processors. \
             The program must use libz.so.1; `rigz check` reports whether it does. Static programs and programs for another C library are refused.\n\n\
             The library is lib/rigz/libz.so.1 next to this command's folder, or the file that RIGZ_PRELOAD_FILE names.\n\n\
             The exit status is the program's; 125 if rigz itself failed, 126 if the program could not be started, 127 if it was \
             not found.",
        )
        .bin_name("rigz run")
        .args([
            Arg::new("threads")
                .short('p')
                .long("threads")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=1024))
                .help("Threads that may compress; 1 is serial [default: all processors]"),
            file("stats", "Append a line of JSON for each stream to the regular file FILE (-: to no file), and print their sum at the end"),
            file("log", "Append to FILE (-: standard error) why each stream was compressed in parallel, or why not"),
            file("trace", "Write a timeline of streams, chunks and threads to FILE, for ui.perfetto.dev or Chrome"),
            Arg::new("json").long("json").action(ArgAction::SetTrue).requires("stats").help("Print the sum as JSON"),
            Arg::new("force")
                .short('f')
                .long("force")
                .action(ArgAction::SetTrue)
                .help("Start COMMAND even if it cannot use the library, because a program that it starts may"),
            Arg::new("command")
                .value_name("COMMAND")
                .num_args(1..)
                .required(true)
                .trailing_var_arg(true)
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::CommandWithArguments)
                .help("The program and its arguments"),
        ])
}

/// `words` begin with `run`.
pub(crate) fn main(words: Vec<OsString>) -> ExitCode {
    let matches = match crate::options::subcommand(command(), words, FAILED) {
        Ok(matches) => matches,
        Err(status) => return status,
    };
    let mut words = matches.get_many::<OsString>("command").into_iter().flatten().cloned();
    let name = words.next().unwrap_or_default();
    let arguments: Vec<_> = words.collect();
    match Run::prepare(name, arguments, &matches) {
        Err(message) => fail(message),
        Ok(mut run) if run.statistics.is_none() && run.timeline.is_none() => {
            not_started(&run.name, &as_started(&mut run.child).exec())
        }
        Ok(run) => run.watch(matches.get_flag("json")),
    }
}

/// Runs a program to its end; returns its exit status and the sum of its streams. The error is a message.
pub(crate) fn observe(mut words: Vec<OsString>) -> Result<(ExitStatus, Summary), String> {
    let name = words.remove(0);
    let mut child = process::Command::new(&name);
    child.args(&words).env("LD_PRELOAD", preload::variable(&preload::library()?)?);
    help_known(&mut child, &name);
    let mut statistics = Statistics::open("-".as_ref())?;
    child.env("RIGZ_STATS", statistics.path());
    let status = pass_on::run(as_started(&mut child)).map_err(in_file(name.as_ref()))?;
    Ok((status, statistics.sum()?))
}

/// A program that is about to be started.
struct Run {
    name: OsString,
    child: process::Command,
    statistics: Option<Statistics>,
    timeline: Option<Timeline>,
}

impl Run {
    /// Sets the program's environment.
    fn prepare(name: OsString, arguments: Vec<OsString>, matches: &ArgMatches) -> Result<Self, String> {
        let path = |name| matches.get_one::<PathBuf>(name);
        let library = preload::variable(&preload::library()?)?;
        if !matches.get_flag("force") {
            refuse_unfit(&name)?;
        }
        let mut child = process::Command::new(&name);
        child.args(&arguments).env("LD_PRELOAD", library);
        complain_of_switches();
        help_known(&mut child, &name);
        let files = ["stats", "log", "trace"].into_iter().filter_map(path);
        record::refuse_same(&files.filter(|path| path.as_os_str() != "-").collect::<Vec<_>>())?;
        if let Some(threads) = matches.get_one::<u16>("threads") {
            child.env("RIGZ_THREADS", threads.to_string());
        }
        if let Some(log) = path("log") {
            child.env("RIGZ_LOG", record::log(log)?);
        }
        let statistics = path("stats").map(|path| Statistics::open(path)).transpose()?;
        if let Some(statistics) = &statistics {
            child.env("RIGZ_STATS", statistics.path());
        }
        let timeline = path("trace").map(|path| Timeline::create(path)).transpose()?;
        if let Some(timeline) = &timeline {
            child.env("RIGZ_TRACE", timeline.path());
        }
        Ok(Self { name, child, statistics, timeline })
    }

    /// Runs the program to its end, prints the sum of its streams, and returns its exit status.
    fn watch(mut self, as_json: bool) -> ExitCode {
        let start = Instant::now();
        let status = match pass_on::run(as_started(&mut self.child)) {
            Ok(status) => status,
            Err(error) => return not_started(&self.name, &error),
        };
        let (wall, cpu) = (start.elapsed().as_secs_f64(), signals::cpu_of_children());
        match self.statistics.as_mut().map(Statistics::sum).transpose() {
            Ok(None) => {}
            Ok(Some(summary)) if as_json => complain!("{}", summary.json(wall, cpu)),
            Ok(Some(summary)) => complain!("{}", summary.table(wall, cpu).trim_end()),
            Err(message) => complain!("rigz run: {message}"),
        }
        match self.timeline.map(Timeline::complete).transpose() {
            Ok(None | Some(true)) => {}
            Ok(Some(false)) => complain!("rigz run: the timeline is full (64 MiB): later events are missing"),
            Err(message) => complain!("rigz run: {message}"),
        }
        end_as(status)
    }
}

/// Fails if the program, or the interpreter of the script, cannot use the library at all.
fn refuse_unfit(name: &OsStr) -> Result<(), String> {
    let image = Image::new(None);
    let mut next = image.program(name);
    // A script's interpreter may be a script, up to the kernel's limit.
    for _ in 0..4 {
        let Some(path) = next else { return Ok(()) };
        let shape: Result<Shape, Unfit> = match File::open(&path) {
            Ok(file) => elf::shape(&ReadCache::new(file)),
            Err(_) => return Ok(()),
        };
        match shape {
            Err(Unfit::NotElf) => next = interpreter_of(&path).and_then(|name| image.program(&name)),
            Ok(shape) if shape.machine == elf::Machine::own() => {
                let refusal = shape.obstacle().map(|why| format!("{}: {why}", shown(&path)));
                return refusal.map_or(Ok(()), |refusal| Err(refusal + "; -f starts it anyway"));
            }
            // The kernel may have other ways to start these.
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Warns of switches in the environment that the library will ignore.
fn complain_of_switches() {
    for (name, takes) in config::misunderstood() {
        let value = std::env::var_os(name).unwrap_or_default();
        complain!("rigz run: {name}={} is ignored: the value must be {takes}", shown(&value));
    }
    for (name, _) in std::env::vars_os() {
        let is_ours = |name: &str| {
            name == preload::OVERRIDE || config::SWITCHES.iter().any(|(switch, _)| *switch == name)
        };
        if let Some(name) = name.to_str().filter(|name| name.starts_with("RIGZ_") && !is_ours(name)) {
            complain!("rigz run: {name} is ignored: there is no such switch");
        }
    }
}

/// Sets the variables that a program with a known problem needs, and reports them.
fn help_known(child: &mut process::Command, name: &OsStr) {
    let Some(known) = known::of(name) else { return };
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let (reason, program) = (known.reason, shown(&name));
    if known.settings.iter().all(|(name, _)| is_set(name)) {
        return;
    }
    complain!("rigz run: {program}: {reason}; setting {}", known.advice());
    child.envs(known.settings.iter().filter(|(name, _)| !is_set(name)).copied());
}

/// Lets a program start with the action of `SIGPIPE` and the closed descriptors with which this process was started. The standard
/// library would set the signal's default action, but only before it calls this function.
fn as_started(child: &mut process::Command) -> &mut process::Command {
    // SAFETY: before exec it only calls `signal` and `close`, which are allowed between fork and exec.
    unsafe {
        child.pre_exec(|| {
            signals::restore_pipe();
            descriptors::restore_closed();
            Ok(())
        })
    }
}

/// The shell's exit status for a program that a signal ended.
fn end_as(status: ExitStatus) -> ExitCode {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    ExitCode::from(u8::try_from(code).unwrap_or(FAILED))
}

fn not_started(name: &OsStr, error: &io::Error) -> ExitCode {
    complain!("rigz run: {}: {}", shown(&name), describe(error));
    ExitCode::from(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_STARTED })
}

fn fail(message: impl std::fmt::Display) -> ExitCode {
    complain!("rigz run: {message}");
    ExitCode::from(FAILED)
}
