//! One turn (one contender, one operation) in a separate process.
//!
//! The suite starts itself as `suite one ...` for every turn of a library. The child opens the library, prepares, measures, and prints one JSON
//! line. So no contender inherits another's heap, threads or caches, peak memory is measured for each alone, and a crash or hang
//! costs only one row. This file also runs and times command-line tools.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::contender::{LibraryPeer, Tool, clean};
use crate::corpus::Corpus;
use crate::measure::{Sample, cpu_of, page_faults, turn};
use crate::op::{self, Material, Op};
use crate::zlib::{self, Failure, Library};

/// Longer than any turn takes, even on a loaded machine. A child that runs longer has hung.
const ALARM_SECONDS: u32 = 600;

/// The result of a turn.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    Measured(Measured),
    /// The contender has no such call, direction or level, or cannot be started.
    Lacks(String),
    /// The result is wrong, or the contender crashed or hung, or the turn could not be prepared.
    Wrong(String),
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    pub samples: Vec<Sample>,
    /// Bytes that one call produced.
    pub size: u64,
    /// Uncompressed bytes of one call.
    pub bytes: u64,
    /// Messages of one call, or 0.
    pub messages: u64,
    /// Peak resident memory in KiB. For a library, the memory that was resident before the first call is subtracted.
    pub peak_kib: u64,
    /// Minor page faults (served without disk access) of one call.
    pub page_faults: f64,
    pub version: String,
    pub file: PathBuf,
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Answer {
        match failure {
            Failure::Lacks(what) => Answer::Lacks(what),
            Failure::Wrong(what) => Answer::Wrong(what),
        }
    }
}

/// The arguments of `suite one`.
#[derive(Args, Debug)]
pub struct One {
    #[arg(long)]
    library: PathBuf,
    #[arg(long)]
    op: String,
    #[arg(long)]
    level: i32,
    #[arg(long)]
    corpus: PathBuf,
    #[arg(long)]
    scratch: PathBuf,
    #[arg(long)]
    turn_ms: u64,
    /// Check the result; measure nothing.
    #[arg(long)]
    verify: bool,
    /// Make one warm-up call and one counted call, instead of a timed turn.
    #[arg(long)]
    counted: bool,
}

/// Runs the child: measures, and prints its answer as JSON.
pub fn main(one: &One) -> std::io::Result<()> {
    let answer = measure(one).unwrap_or_else(Answer::from);
    let mut out = std::io::stdout();
    serde_json::to_writer(&mut out, &answer)?;
    out.flush()
}

fn measure(one: &One) -> Result<Answer, Failure> {
    let corpus = Corpus { name: String::new(), path: one.corpus.clone(), bytes: 0, crc32: 0 };
    let read =
        |path: &Path| std::fs::read(path).map_err(|e| Failure::Wrong(format!("{}: {e}", path.display())));
    let material = Material {
        plain: read(&corpus.path)?,
        zlib: read(&corpus.zlib_path())?,
        gzip_path: corpus.gzip_path(),
        scratch: one.scratch.clone(),
    };
    let op = Op::named(&one.op).ok_or_else(|| Failure::Wrong(format!("no operation {}", one.op)))?;
    // Open the judge, the system's zlib, before the library: once that is loaded, the name libz.so.1 may mean it.
    let _judge = zlib::judge()?;
    let library = Library::open(&one.library)?;
    let mut prepared = op::prepare(op, &library, one.level, &material, one.verify)?;
    if one.verify {
        return Ok(Answer::Measured(Measured::default()));
    }
    if one.counted {
        (prepared.call)()?;
        counted_region(&mut prepared.call)?;
        return Ok(Answer::Measured(Measured { bytes: prepared.bytes as u64, ..Measured::default() }));
    }
    let before = memory_kib("VmRSS:");
    reset_peak();
    let (mut size, mut calls) = (0, 0.0);
    let faults = page_faults();
    let samples = turn(Duration::from_millis(one.turn_ms), || {
        size = (prepared.call)()?;
        calls += 1.0;
        Ok::<(), Failure>(())
    })?;
    Ok(Answer::Measured(Measured {
        samples,
        size: size as u64,
        bytes: prepared.bytes as u64,
        messages: prepared.messages as u64,
        peak_kib: memory_kib("VmHWM:").saturating_sub(before),
        page_faults: (page_faults() - faults) / calls,
        version: library.version(),
        file: library.file().unwrap_or_default(),
    }))
}

/// `suite insn` makes callgrind count only inside this function, which it finds by name.
#[inline(never)]
fn counted_region(call: &mut dyn FnMut() -> Result<usize, Failure>) -> Result<(), Failure> {
    // Prevents a tail call, which would leave this function before the work is done.
    std::hint::black_box(call()?);
    Ok(())
}

/// Resets the kernel's high-water mark, so that reading the corpus does not count. If the kernel refuses, the reported peak is an upper
/// bound.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn memory_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The parameters of a turn, besides the contender and the operation.
pub struct Turn<'a> {
    pub corpus: &'a Corpus,
    pub level: i32,
    pub threads: usize,
    pub budget: Duration,
    pub verify: bool,
    pub scratch: &'a Path,
}

/// Returns the command of the child for a library's turn.
pub fn library_command(peer: &LibraryPeer, op: Op, turn: &Turn, verify: bool) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    clean(&mut command);
    command
        .arg("one")
        .arg("--library")
        .arg(&peer.path)
        .args(["--op", op.name(), "--level", &turn.level.to_string()])
        .arg("--corpus")
        .arg(&turn.corpus.path)
        .arg("--scratch")
        .arg(turn.scratch.join("written.gz"))
        .args(["--turn-ms", &turn.budget.as_millis().to_string()])
        .args(verify.then_some("--verify"))
        .env("RIGZ_THREADS", turn.threads.to_string())
        .envs(peer.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null());
    Ok(command)
}

/// Runs a library's turn. A separate process verifies first: memory that verification leaves on the heap would hide the peak of
/// the timed calls.
pub fn library_turn(peer: &LibraryPeer, op: Op, turn: &Turn) -> Answer {
    let run = |verify: bool| -> Answer {
        let start = || {
            let mut command = library_command(peer, op, turn, verify)?;
            limit(&mut command);
            command.output()
        };
        match start() {
            Err(e) => Answer::Wrong(format!("could not start: {e}")),
            Ok(output) if !output.status.success() => Answer::Wrong(ending(output.status, &output.stderr)),
            Ok(output) => serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|_| Answer::Wrong("the library wrote to stdout".into())),
        }
    };
    if turn.verify {
        match run(true) {
            Answer::Measured(_) => {}
            failed => return failed,
        }
    }
    run(false)
}

/// Runs a tool's turn: repeats the command for the turn's budget with its output discarded. CPU time and peak memory come from wait4.
pub fn tool_turn(tool: &Tool, compress: bool, turn: &Turn) -> Answer {
    let file = if compress { turn.corpus.path.clone() } else { turn.corpus.gzip_path() };
    let run = |output: Stdio| -> Result<(Sample, u64), Failure> {
        let mut command = tool
            .command(compress, turn.level, turn.threads, &file)
            .ok_or_else(|| Failure::Lacks("this direction".into()))?;
        command.stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
        limit(&mut command);
        run_and_account(&mut command)
    };
    let go = || -> Result<Answer, Failure> {
        let output_path = turn.scratch.join("output");
        let broken = |e: std::io::Error| Failure::Wrong(e.to_string());
        let mut measured =
            Measured { bytes: turn.corpus.bytes, version: tool.version.clone(), ..Measured::default() };
        if turn.verify {
            run(File::create(&output_path).map_err(broken)?.into())?;
            measured.size = std::fs::metadata(&output_path).map_err(broken)?.len();
            verify_output(&output_path, compress, turn.corpus)?;
            std::fs::remove_file(&output_path).map_err(broken)?;
        }
        let start = Instant::now();
        while measured.samples.is_empty() || start.elapsed() < turn.budget {
            let (sample, peak_kib) = run(Stdio::null())?;
            measured.samples.push(sample);
            measured.peak_kib = measured.peak_kib.max(peak_kib);
        }
        Ok(Answer::Measured(measured))
    };
    go().unwrap_or_else(Answer::from)
}

fn run_and_account(command: &mut Command) -> Result<(Sample, u64), Failure> {
    let start = Instant::now();
    let child = command.spawn().map_err(|e| Failure::Lacks(format!("the program ({e})")))?;
    let mut status = 0;
    // SAFETY: rusage is plain integers, for which all-zero is a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `wait4` waits for our own child, which no other code waits for; both pointers are writable.
    let waited = unsafe { libc::wait4(child.id() as i32, &mut status, 0, &mut usage) };
    let wall = start.elapsed().as_secs_f64();
    let status = ExitStatus::from_raw(status);
    if waited < 0 || !status.success() {
        return Err(Failure::Wrong(ending(status, b"")));
    }
    Ok((Sample { wall, cpu: cpu_of(&usage).as_secs_f64() }, usage.ru_maxrss as u64))
}

/// Verifies in a separate process, so that the suite's memory stays small: wait4 reports a child's peak as at least its parent's.
fn verify_output(output: &Path, compress: bool, corpus: &Corpus) -> Result<(), Failure> {
    let compare = || -> std::io::Result<std::process::Output> {
        let mut command = Command::new(std::env::current_exe()?);
        clean(&mut command);
        command.arg("verify").arg(output).arg(&corpus.path).args(compress.then_some("--packed")).output()
    };
    let output = compare().map_err(|e| Failure::Wrong(e.to_string()))?;
    if output.status.success() { Ok(()) } else { Err(Failure::Wrong(ending(output.status, &output.stderr))) }
}

/// `suite verify`: checks that `output` equals `plain` or, if `packed`, is a gzip file (with any number of members) of `plain`.
pub fn verify(output: &Path, plain: &Path, packed: bool) -> Result<(), Failure> {
    let read =
        |path: &Path| std::fs::read(path).map_err(|e| Failure::Wrong(format!("{}: {e}", path.display())));
    let expected = read(plain)?;
    if !packed {
        return op::same(&read(output)?, &expected);
    }
    let judge = zlib::judge()?;
    let mut file = zlib::GzFile::open(&judge, output, "rb")?;
    let (mut restored, mut piece) = (Vec::with_capacity(expected.len()), vec![0; 1 << 20]);
    loop {
        let n = file.read(&mut piece)?;
        if n == 0 {
            file.close()?;
            return op::same(&restored, &expected);
        }
        restored.extend_from_slice(&piece[..n]);
    }
}

/// Makes SIGALRM kill a child that hangs; an alarm stays set across exec.
fn limit(command: &mut Command) {
    let set = || {
        // SAFETY: alarm has no conditions.
        unsafe { libc::alarm(ALARM_SECONDS) };
        Ok(())
    };
    // SAFETY: between fork and exec only alarm is called, which is async-signal-safe.
    unsafe { command.pre_exec(set) };
}

fn ending(status: ExitStatus, stderr: &[u8]) -> String {
    let first = String::from_utf8_lossy(stderr).lines().next().unwrap_or_default().to_owned();
    match status.signal() {
        Some(libc::SIGALRM) => format!("still running after {ALARM_SECONDS} s"),
        Some(signal) => format!("died of signal {signal} {first}"),
        None => format!("exit status {} {first}", status.code().unwrap_or(-1)),
    }
}
