//! Runs seeds: a parent that watches, and a child process that opens the two libraries and goes through the seeds.
//!
//! The child is this same test binary, started again with its job in the environment. It is a separate process because the
//! library reads its switches once (each mode has its own), because a crash must be reported with its seed, and because a hang
//! must be detected. The child writes the current seed to a status file and its findings to a report file. A seed that fails
//! runs once more with the trace on, so seeds that pass do not pay for the trace.
//!
//! | variable | meaning |
//! |---|---|
//! | `RIGZ_LIB` | the library to judge; else the `librigz.so` that cargo built with this test, else one in target/release or target/debug |
//! | `RIGZ_SEEDS` | seeds for each tester (default 1500) |
//! | `RIGZ_FIRST_SEED` | where they start (default 0) |
//! | `RIGZ_SEED` | replay this one and print its calls |
//! | `RIGZ_FAILURES` | stop after this many failing seeds (default 1) |
//! | `RIGZ_JUDGE_SELF` | judge a copy of the system's libz.so.1 instead: checks the tester itself |
//! | `RIGZ_JUDGE` | the judge (default libz.so.1) |

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::zlib::Zlib;

/// No seed takes nearly as long, even under a loaded machine and an unoptimised library.
const HANG: Duration = Duration::from_secs(120);
const TRACE_LINES: usize = 40;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tester {
    Deflate,
    Inflate,
    Gz,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The default settings; a few inputs are large enough for the parallel pipeline.
    Usual,
    /// The pipeline starts at 64 KiB and cuts at 32 KiB, and a reader keeps a checkpoint each KiB, so that small inputs meet their
    /// edges; no large inputs.
    SmallChunks,
}

/// The two libraries and the settings of the run.
pub(crate) struct Bench {
    pub(crate) judge: Zlib,
    pub(crate) ours: Zlib,
    /// One seed in `large_every` is large; 0 means none.
    pub(crate) large_every: usize,
    /// Ours is the system's zlib too, or a wrapper of it: zlib's own faults are not reported.
    pub(crate) ours_is_zlib: bool,
    /// For the files that the gz tester makes.
    pub(crate) folder: PathBuf,
}

/// A tester's result for one seed. The error is one line; the trace has the calls that led to it.
pub(crate) type Verdict = Result<(), String>;

/// The calls of one seed, kept only if the seed is traced.
pub(crate) struct Trace {
    on: bool,
    lines: Vec<String>,
    live: Option<File>,
    /// The call that is being made.
    next: Option<String>,
}

impl Trace {
    pub(crate) fn off() -> Self {
        Trace { on: false, lines: Vec::new(), live: None, next: None }
    }

    /// A trace that is looked at afterwards.
    #[allow(dead_code, reason = "the fuzz targets' way in")]
    pub(crate) fn kept() -> Self {
        Trace { on: true, ..Self::off() }
    }

    /// `line` is only made when someone reads it.
    pub(crate) fn add(&mut self, line: impl FnOnce() -> String) {
        if self.on {
            let line = line();
            self.next = None;
            if let Some(file) = &mut self.live {
                // If the trace can't be written, only the trace is lost.
                let _ = writeln!(file, "  {line}");
            }
            self.lines.push(line);
        }
    }

    /// Written before a call, in case it does not return or its result is rejected.
    pub(crate) fn about(&mut self, line: impl FnOnce() -> String) {
        if self.on {
            let line = line();
            if let Some(file) = &mut self.live {
                let _ = writeln!(file, "  next: {line}");
            }
            self.next = Some(line);
        }
    }

    pub(crate) fn last_lines(&self) -> String {
        let skip = self.lines.len().saturating_sub(TRACE_LINES);
        let mut out = String::new();
        for line in self.lines.iter().take(self.lines.len().min(8)).chain(self.lines.iter().skip(skip.max(8)))
        {
            let _ = writeln!(out, "  {line}");
        }
        if let Some(line) = &self.next {
            let _ = writeln!(out, "  failing: {line}");
        }
        out
    }
}

impl Tester {
    fn name(self) -> &'static str {
        match self {
            Tester::Deflate => "deflate",
            Tester::Inflate => "inflate",
            Tester::Gz => "gz",
        }
    }

    fn run(self, bench: &Bench, seed: u64, trace: &mut Trace) -> Verdict {
        match self {
            Tester::Deflate => crate::deflate::run(bench, seed, trace),
            Tester::Inflate => crate::inflate::run(bench, seed, trace),
            Tester::Gz => crate::gz::run(bench, seed, trace),
        }
    }
}

fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value:?}")))
}

/// A folder of this test's own, removed when it is dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(label: &str) -> Self {
        let path = env::temp_dir().join(format!("rigz-sequences-{}-{label}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder can be made");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left-over files in the temporary folder harm nothing.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The judge: the system's zlib, which must not be our library under that name.
pub(crate) fn judge_path() -> PathBuf {
    env::var_os("RIGZ_JUDGE").map_or_else(|| PathBuf::from("libz.so.1"), PathBuf::from)
}

fn library_path() -> PathBuf {
    if let Some(path) = env::var_os("RIGZ_LIB") {
        // Tests run in cdylib/; a relative path is meant from the root of the checkout.
        return Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path);
    }
    let exe = env::current_exe().expect("the test binary knows its path");
    // target/<profile>/deps/sequences-<hash>. `cargo test` has just built the library beside it; `cargo build` puts it one up.
    let deps = exe.parent().expect("the test binary lies in a folder");
    let profile = deps.parent().expect("the test binary lies in target/<profile>/deps");
    let target = profile.parent().expect("the profile folder lies in target");
    for folder in [deps, profile, &target.join("release"), &target.join("debug")] {
        let path = folder.join("librigz.so");
        if path.exists() {
            return path;
        }
    }
    panic!("no librigz.so under {}: run `cargo build --release`, or name it with RIGZ_LIB", target.display());
}

/// The file to judge, and whether it must carry the mark of rigz.
fn subject(folder: &Path) -> (PathBuf, bool) {
    if env::var_os("RIGZ_JUDGE_SELF").is_none() {
        return (library_path(), true);
    }
    // A copy under another name is a second library to the loader, with its own state.
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc/self/maps is readable");
    let system = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .find(|path| path.contains("/libz.so"))
        .expect("the judge is loaded and shows in the memory map");
    let copy = folder.join("second-libz.so");
    fs::copy(system, &copy).expect("the system's libz.so.1 can be copied");
    (copy, false)
}

/// Runs a tester over its seeds in a child process and fails with the child's findings.
pub(crate) fn run_seeds(tester: Tester, mode: Mode) {
    if let Err(report) = watch(tester, mode, &[]) {
        panic!("{report}");
    }
}

/// As `run_seeds`, with extra environment for the child; the report is the error.
pub(crate) fn watch(tester: Tester, mode: Mode, extra: &[(&str, &str)]) -> Result<(), String> {
    let label = format!("{}-{}-{:?}", tester.name(), mode as u8, std::thread::current().id());
    let folder = Folder::new(&label.replace(['(', ')'], ""));
    let (status, outcome) = start_child(&folder.0, tester, mode, extra);
    let report = fs::read_to_string(folder.0.join("report")).unwrap_or_default();
    if status.success() {
        show(&report);
        return Ok(());
    }
    if !report.is_empty() {
        return Err(report);
    }
    // It crashed or hung without a report: run the seed again and write each call as it happens.
    let seed = fs::read_to_string(folder.0.join("status")).unwrap_or_default();
    let seed = seed.trim().to_owned();
    if seed.is_empty() {
        let output = fs::read_to_string(folder.0.join("output")).unwrap_or_default();
        return Err(format!(
            "the {} child failed before its first seed ({outcome}):\n{output}",
            tester.name()
        ));
    }
    let mut again = extra.to_vec();
    again.push(("RIGZ_SEED", &seed));
    let (_, second) = start_child(&folder.0, tester, mode, &again);
    let trace = fs::read_to_string(folder.0.join("live")).unwrap_or_default();
    let lines: Vec<&str> = trace.lines().collect();
    let last = lines[lines.len().saturating_sub(TRACE_LINES)..].join("\n");
    let output = fs::read_to_string(folder.0.join("output")).unwrap_or_default();
    Err(format!("{} seed {seed}: {outcome}; replayed: {second}\n{last}\n{output}", tester.name()))
}

#[expect(
    clippy::print_stdout,
    reason = "a replayed seed shows its calls, and the tests' own notes are wanted"
)]
fn show(report: &str) {
    print!("{report}");
}

fn start_child(folder: &Path, tester: Tester, mode: Mode, extra: &[(&str, &str)]) -> (ExitStatus, String) {
    let output = File::create(folder.join("output")).expect("a file in our own folder");
    let mut command = Command::new(env::current_exe().expect("the test binary knows its path"));
    command
        .args([
            "--exact",
            "child_that_goes_through_the_seeds",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("RIGZ_CHILD_TESTER", tester.name())
        .env("RIGZ_CHILD_FOLDER", folder)
        .env("RIGZ_CHILD_MODE", if mode == Mode::Usual { "usual" } else { "small" })
        .stdout(Stdio::from(output.try_clone().expect("a descriptor can be doubled")))
        .stderr(Stdio::from(output));
    if mode == Mode::SmallChunks {
        command.env("RIGZ_THRESHOLD", "65536").env("RIGZ_CHUNK", "32768").env("RIGZ_CHECKPOINT", "1024");
    }
    if extra.iter().any(|(name, _)| *name == "RIGZ_LIB") {
        // The user's switches must not affect a run on another library.
        for name in ["RIGZ_JUDGE_SELF", "RIGZ_SEED", "RIGZ_FIRST_SEED", "RIGZ_FAILURES"] {
            command.env_remove(name);
        }
    }
    command.envs(extra.iter().copied());
    let mut child = command.spawn().expect("the test binary can be started again");
    let status_file = folder.join("status");
    let mut seen = String::new();
    let mut since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("our own child can be waited for") {
            let outcome = match status.signal() {
                Some(signal) => format!("died of signal {signal}"),
                None => format!("{status}"),
            };
            return (status, outcome);
        }
        let now = fs::read_to_string(&status_file).unwrap_or_default();
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        if since.elapsed() > HANG {
            // It may have just ended, then there is nothing to kill.
            let _ = child.kill();
            let status = child.wait().expect("our own child can be waited for");
            return (status, format!("hung for {} s", HANG.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The main function of the child.
pub(crate) fn child() {
    let Ok(tester) = env::var("RIGZ_CHILD_TESTER") else {
        panic!("this is the inside of the other tests; run those");
    };
    let tester = match tester.as_str() {
        "deflate" => Tester::Deflate,
        "inflate" => Tester::Inflate,
        _ => Tester::Gz,
    };
    let folder = PathBuf::from(env::var_os("RIGZ_CHILD_FOLDER").expect("the parent names a folder"));
    let small = env::var("RIGZ_CHILD_MODE").is_ok_and(|mode| mode == "small");

    let judge = Zlib::open(&judge_path()).expect("the system has a libz.so.1");
    assert!(!judge.is_rigz, "the judge is rigz itself: {} must be the system's zlib", judge_path().display());
    let (path, must_be_rigz) = subject(&folder);
    let ours = Zlib::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(ours.is_rigz, must_be_rigz, "{} must be the library that the run names", path.display());
    let bench = Bench {
        judge,
        ours,
        large_every: if small { 0 } else { 100 },
        ours_is_zlib: !must_be_rigz || env::var_os("RIGZ_FAULT").is_some(),
        folder: folder.clone(),
    };

    let mut status = File::create(folder.join("status")).expect("a file in the parent's folder");
    let mut report = String::new();
    let mut failures = 0;
    let replay = number("RIGZ_SEED");
    let first = replay.unwrap_or_else(|| number("RIGZ_FIRST_SEED").unwrap_or(0));
    let count = if replay.is_some() { 1 } else { number("RIGZ_SEEDS").unwrap_or(1500) };
    for seed in first..first + count {
        status.seek(SeekFrom::Start(0)).expect("the status file can be written");
        write!(status, "{seed:<20}").expect("the status file can be written");
        let mut trace = Trace::off();
        let mut verdict = Ok(());
        if replay.is_none() {
            verdict = tester.run(&bench, seed, &mut trace);
        }
        if verdict.is_err() || replay.is_some() {
            trace.on = true;
            trace.live = OpenOptions::new().create(true).append(true).open(folder.join("live")).ok();
            let second = tester.run(&bench, seed, &mut trace);
            let mode = if small { "small" } else { "usual" };
            let name = tester.name();
            let _ = match (&verdict, &second) {
                (_, Err(message)) => writeln!(report, "{name} seed {seed} ({mode}): {message}"),
                (Err(message), Ok(())) => {
                    writeln!(report, "{name} seed {seed} ({mode}) failed once and then passed: {message}")
                }
                (Ok(()), Ok(())) => writeln!(report, "{name} seed {seed} ({mode}) passes"),
            };
            if replay.is_some() {
                let failing = trace.next.iter().map(|line| format!("  failing: {line}\n"));
                report.extend(trace.lines.iter().map(|line| format!("  {line}\n")).chain(failing));
            } else {
                let _ = writeln!(
                    report,
                    "  replay: RIGZ_SEED={seed} cargo test --test sequences {name}_{mode} -- --nocapture"
                );
                report.push_str(&trace.last_lines());
            }
            if verdict.is_err() || second.is_err() {
                failures += 1;
            }
            fs::write(folder.join("report"), &report).expect("a file in the parent's folder");
            if failures >= number("RIGZ_FAILURES").unwrap_or(1) {
                break;
            }
        }
    }
    assert_eq!(failures, 0, "failing seeds; the report has them");
}
