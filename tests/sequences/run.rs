//! Runs a tester over its seeds in a child process, and reports the seeds that fail, crash or do not return.
//!
//! The child is this same test binary, started again; its tester, mode and folder are in the environment. A process of its own
//! is necessary for three reasons: the library reads its switches once, and the modes differ in them; a crash must be reported
//! with its seed; a call that does not return must be ended. In the folder the child writes
//!
//! - `status`: the current seed, and `end` after the last one, so the parent knows which seed crashed;
//! - `report`: the seeds that failed, with their calls;
//! - `live`: the calls of the traced seed, each written as it happens;
//! - `output`: the standard output and error of the process.
//!
//! Seeds run without a trace, which is faster. A seed that fails runs once more with the trace on. If a seed crashes or does not
//! return, the parent starts a second child, in a folder of its own, that replays the seed with the trace on.
//!
//! These variables control a run; the last one is set by a test.
//!
//! | variable | meaning |
//! |---|---|
//! | `RIGZ_LIB` | the library under test (default: the `librigz.so` built with this test, else target/release's or target/debug's) |
//! | `RIGZ_SEEDS` | seeds for each tester (default 1500) |
//! | `RIGZ_FIRST_SEED` | the first seed (default 0) |
//! | `RIGZ_SEED` | run only this seed and print its calls |
//! | `RIGZ_FAILURES` | stop after this many failing seeds (default 1) |
//! | `RIGZ_JUDGE_SELF` | test a copy of the system's libz.so.1 in place of rigz, which checks the testers themselves |
//! | `RIGZ_JUDGE` | the judge, a zlib that the results are compared with (default libz.so.1) |
//! | `RIGZ_FAULT` | the fault that `broken.c` simulates; `RIGZ_LIB` is then the library built from it (`planted.rs`) |

use std::env;
use std::fmt::{Display, Write as _};
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::zlib::Zlib;

/// A seed that runs longer counts as one that does not return. None takes nearly as long, even on a loaded machine with an
/// unoptimised library.
const SEED_LIMIT: Duration = Duration::from_secs(120);

/// How many of a seed's calls a report contains: the first ones, which open the stream, and the last ones.
const FIRST_LINES: usize = 8;
const LAST_LINES: usize = 40;

/// The switches that `Mode::SmallChunks` sets, and that `Mode::Usual` removes from the environment.
const MODE_SWITCHES: [(&str, &str); 3] =
    [("RIGZ_THRESHOLD", "65536"), ("RIGZ_CHUNK", "32768"), ("RIGZ_CHECKPOINT", "1024")];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tester {
    Deflate,
    Inflate,
    Gz,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The library's default threshold, chunk and checkpoint distance; one seed in a hundred is large enough for the parallel
    /// pipeline.
    Usual,
    /// Data is compressed in parallel from 64 KiB on, in chunks of 32 KiB, and a gzip file's reader keeps a checkpoint each
    /// KiB. So small inputs have chunk boundaries and checkpoints. No seed is large.
    SmallChunks,
}

/// The two libraries and the settings of the run.
pub(crate) struct Setup {
    pub(crate) judge: Zlib,
    pub(crate) ours: Zlib,
    /// One seed in this many is large; 0 means none.
    pub(crate) large_every: usize,
    /// The library under test is the system's zlib too, or a wrapper of it. Then the testers omit calls and checks in which zlib
    /// has known faults.
    pub(crate) ours_is_zlib: bool,
    /// For the files that the gz tester makes.
    pub(crate) folder: PathBuf,
}

impl Setup {
    /// Whether this seed has megabytes of data.
    pub(crate) fn is_large(&self, seed: u64) -> bool {
        // An early seed in each hundred, so that short runs have a large one too.
        let every = self.large_every as u64;
        every != 0 && seed % every == 7 % every
    }
}

/// A tester's result for one seed. The error is one line; the trace contains the calls before it.
pub(crate) type Verdict = Result<(), String>;

/// The calls of one seed; empty unless the seed is traced.
pub(crate) struct Trace {
    is_on: bool,
    /// The calls that have returned.
    lines: Vec<String>,
    /// The call that has begun and has not returned with a valid result.
    current: Option<String>,
    /// A file that gets each line as it is added.
    live: Option<File>,
}

impl Trace {
    pub(crate) fn off() -> Self {
        Trace { is_on: false, lines: Vec::new(), current: None, live: None }
    }

    pub(crate) fn on() -> Self {
        Trace { is_on: true, ..Self::off() }
    }

    /// Adds a call that has returned. `line` is only called if the trace is on.
    pub(crate) fn add(&mut self, line: impl FnOnce() -> String) {
        if self.is_on {
            let line = line();
            self.current = None;
            if let Some(file) = &mut self.live {
                // If the trace can't be written, only the trace is lost.
                let _ = writeln!(file, "  {line}");
            }
            self.lines.push(line);
        }
    }

    /// Notes a call before it is made, in case it does not return or its result is rejected.
    pub(crate) fn begin(&mut self, line: impl FnOnce() -> String) {
        if self.is_on {
            let line = line();
            if let Some(file) = &mut self.live {
                // As in `add`.
                let _ = writeln!(file, "  begins: {line}");
            }
            self.current = Some(line);
        }
    }

    /// All calls.
    fn whole(&self) -> String {
        let begun = self.current.iter().map(|line| format!("  begins: {line}\n"));
        self.lines.iter().map(|line| format!("  {line}\n")).chain(begun).collect()
    }

    /// The first and the last calls.
    pub(crate) fn shortened(&self) -> String {
        shortened(&self.whole())
    }
}

/// The first and the last lines of `text`, with the number of those between.
fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let left_out = lines.len().saturating_sub(FIRST_LINES + LAST_LINES);
    let mut short = String::new();
    for (at, line) in lines.iter().enumerate() {
        if at == FIRST_LINES && left_out > 0 {
            let _ = writeln!(short, "  ({left_out} lines left out)");
        }
        if at < FIRST_LINES || at >= FIRST_LINES + left_out {
            let _ = writeln!(short, "{line}");
        }
    }
    short
}

impl Tester {
    fn name(self) -> &'static str {
        match self {
            Tester::Deflate => "deflate",
            Tester::Inflate => "inflate",
            Tester::Gz => "gz",
        }
    }

    fn of_name(name: &str) -> Self {
        let all = [Tester::Deflate, Tester::Inflate, Tester::Gz];
        all.into_iter().find(|tester| tester.name() == name).unwrap_or_else(|| panic!("no tester {name:?}"))
    }

    fn run(self, setup: &Setup, seed: u64, trace: &mut Trace) -> Verdict {
        match self {
            Tester::Deflate => crate::deflate::run(setup, seed, trace),
            Tester::Inflate => crate::inflate::run(setup, seed, trace),
            Tester::Gz => crate::gz::run(setup, seed, trace),
        }
    }
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Mode::Usual => "usual",
            Mode::SmallChunks => "small",
        }
    }

    fn of_name(name: &str) -> Self {
        let all = [Mode::Usual, Mode::SmallChunks];
        all.into_iter().find(|mode| mode.name() == name).unwrap_or_else(|| panic!("no mode {name:?}"))
    }
}

/// The command that runs a seed again.
fn replay_line(tester: Tester, mode: Mode, seed: impl Display) -> String {
    let test = format!("{}_{}", tester.name(), mode.name());
    format!("  replay: RIGZ_SEED={seed} cargo test --test sequences {test} -- --nocapture\n")
}

/// The number in the environment variable `name`; `None` if it is not set.
fn number_from(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is not a number: {value:?}")))
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

/// The path of the judge: the system's zlib, unless `RIGZ_JUDGE` names another.
pub(crate) fn judge_path() -> PathBuf {
    env::var_os("RIGZ_JUDGE").map_or_else(|| PathBuf::from("libz.so.1"), PathBuf::from)
}

/// The path of the library under test, unless that is a copy of the system's zlib.
fn library_path() -> PathBuf {
    if let Some(path) = env::var_os("RIGZ_LIB") {
        // A relative path is relative to the root of the checkout, but this test runs in cdylib/.
        return Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path);
    }
    let exe = env::current_exe().expect("the test binary knows its path");
    // target/<profile>/deps/sequences-<hash>. `cargo test` has just built the library in the same folder; `cargo build` puts it in
    // target/<profile>.
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

/// The file of the library under test, and whether [`Zlib::is_rigz`] must be true of it.
fn subject(folder: &Path) -> (PathBuf, bool) {
    if env::var_os("RIGZ_JUDGE_SELF").is_none() {
        return (library_path(), true);
    }
    // The loader treats a copy under another name as a second library, with its own state.
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc/self/maps is readable");
    let system = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .find(|path| path.contains("/libz.so"))
        .expect("the judge is loaded, so it is in the memory map");
    let copy = folder.join("second-libz.so");
    fs::copy(system, &copy).expect("the system's libz.so.1 can be copied");
    (copy, false)
}

/// Runs a tester over its seeds in a child process; fails with the report if a seed fails.
pub(crate) fn run_seeds(tester: Tester, mode: Mode) {
    if let Err(report) = watch(tester, mode, &[]) {
        panic!("{report}");
    }
}

/// As [`run_seeds`], with more variables for the child; returns the report as an error. Succeeds only if the child reached the
/// end of its seeds.
pub(crate) fn watch(tester: Tester, mode: Mode, extra: &[(&str, &str)]) -> Result<(), String> {
    let label = format!("{}-{}-{:?}", tester.name(), mode.name(), std::thread::current().id());
    let folder = Folder::new(&label.replace(['(', ')'], ""));
    let first = run_child(&folder.0, tester, mode, extra);
    if first.status.success() && first.seed == ENDED {
        show(&first.report);
        return Ok(());
    }
    let Child { outcome, report, seed, output, .. } = first;
    let name = tester.name();
    match seed.as_str() {
        ENDED if !report.is_empty() => return Err(report),
        ENDED => return Err(format!("the {name} child failed after its last seed ({outcome}):\n{output}")),
        "" => return Err(format!("the {name} child ended before its first seed ({outcome}):\n{output}")),
        _ => {}
    }
    // It crashed in this seed, or was killed because the seed took too long; earlier seeds may have been reported.
    let again_folder = folder.0.join("replay");
    fs::create_dir(&again_folder).expect("a folder in our own folder");
    let again_extra: Vec<_> = extra.iter().copied().chain([("RIGZ_SEED", &*seed)]).collect();
    let again = run_child(&again_folder, tester, mode, &again_extra);
    // If the replay ends, its report contains the calls; if it crashes, `live` contains those up to the crash.
    let live = fs::read_to_string(again_folder.join("live")).unwrap_or_default();
    let calls = shortened(if again.seed == ENDED { &again.report } else { &live });
    let (mode_name, replay) = (mode.name(), replay_line(tester, mode, &seed));
    Err(format!(
        "{report}{name} seed {seed} ({mode_name}): {outcome}\n{replay}{output}\nreplayed: {}\n{calls}{}",
        again.outcome, again.output
    ))
}

#[expect(clippy::print_stdout, reason = "a replayed seed prints its calls")]
fn show(report: &str) {
    print!("{report}");
}

/// The contents of the status file after the last seed.
const ENDED: &str = "end";

/// A child that has ended.
struct Child {
    status: ExitStatus,
    /// How it ended, in words.
    outcome: String,
    /// The seed that it ran last, or [`ENDED`], or nothing if it reached no seed.
    seed: String,
    report: String,
    output: String,
}

/// Runs a child to its end, or until a seed takes too long, and reads its files.
fn run_child(folder: &Path, tester: Tester, mode: Mode, extra: &[(&str, &str)]) -> Child {
    let (status, outcome) = start_and_wait(folder, tester, mode, extra);
    let read = |name| fs::read(folder.join(name)).unwrap_or_default();
    let text = |name| String::from_utf8_lossy(&read(name)).into_owned();
    let seed = text("status").trim().to_owned();
    Child { status, outcome, seed, report: text("report"), output: text("output") }
}

/// Starts a child and waits for its end, or kills it when a seed takes too long. Returns its status, and in words how it ended.
fn start_and_wait(folder: &Path, tester: Tester, mode: Mode, extra: &[(&str, &str)]) -> (ExitStatus, String) {
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
        .env("RIGZ_CHILD_MODE", mode.name())
        .stdout(Stdio::from(output.try_clone().expect("a descriptor can be doubled")))
        .stderr(Stdio::from(output));
    for (switch, small) in MODE_SWITCHES {
        match mode {
            Mode::Usual => command.env_remove(switch),
            Mode::SmallChunks => command.env(switch, small),
        };
    }
    if extra.iter().any(|(name, _)| *name == "RIGZ_LIB") {
        // These variables of the user are meant for rigz, not for the library that this run names.
        for name in ["RIGZ_JUDGE_SELF", "RIGZ_SEED", "RIGZ_FIRST_SEED", "RIGZ_FAILURES"] {
            command.env_remove(name);
        }
    }
    command.envs(extra.iter().copied());
    let mut child = command.spawn().expect("the test binary can be started again");
    let status_file = folder.join("status");
    // The child's last known status, and when it changed.
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
        if since.elapsed() > SEED_LIMIT {
            // Fails if it has just ended, which is harmless.
            let _ = child.kill();
            let status = child.wait().expect("our own child can be waited for");
            return (status, format!("did not return within {} s", SEED_LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The main function of the child process.
pub(crate) fn child() {
    let Ok(tester) = env::var("RIGZ_CHILD_TESTER") else {
        panic!("this test is the child process of the others, which start it; run those");
    };
    let tester = Tester::of_name(&tester);
    let folder = PathBuf::from(env::var_os("RIGZ_CHILD_FOLDER").expect("the parent names a folder"));
    let mode = Mode::of_name(&env::var("RIGZ_CHILD_MODE").expect("the parent names a mode"));

    let judge = Zlib::open(&judge_path()).expect("the system has a libz.so.1");
    assert!(!judge.is_rigz, "the judge is rigz itself: {} must be the system's zlib", judge_path().display());
    let (path, must_be_rigz) = subject(&folder);
    let ours = Zlib::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(ours.is_rigz, must_be_rigz, "{} must be the library that the run names", path.display());
    let setup = Setup {
        judge,
        ours,
        large_every: if mode == Mode::Usual { 100 } else { 0 },
        ours_is_zlib: !must_be_rigz || env::var_os("RIGZ_FAULT").is_some(),
        folder: folder.clone(),
    };

    let mut status_file = File::create(folder.join("status")).expect("a file in the parent's folder");
    let mut write_status = |status: &str| {
        status_file.seek(SeekFrom::Start(0)).expect("the status file can be written");
        // Padded, so that a shorter status overwrites a longer one completely.
        write!(status_file, "{status:<20}").expect("the status file can be written");
    };
    let mut report = String::new();
    let mut failures = 0;
    let replay = number_from("RIGZ_SEED");
    let first = replay.unwrap_or_else(|| number_from("RIGZ_FIRST_SEED").unwrap_or(0));
    let count = if replay.is_some() { 1 } else { number_from("RIGZ_SEEDS").unwrap_or(1500) };
    for seed in first..first + count {
        write_status(&seed.to_string());
        let mut trace = Trace::off();
        let mut verdict = Ok(());
        if replay.is_none() {
            verdict = tester.run(&setup, seed, &mut trace);
        }
        if verdict.is_err() || replay.is_some() {
            trace = Trace { live: File::create(folder.join("live")).ok(), ..Trace::on() };
            let second = tester.run(&setup, seed, &mut trace);
            let (name, mode_name) = (tester.name(), mode.name());
            // Writing to a string cannot fail.
            let _ = match (&verdict, &second) {
                (_, Err(message)) => writeln!(report, "{name} seed {seed} ({mode_name}): {message}"),
                (Err(message), Ok(())) => {
                    writeln!(
                        report,
                        "{name} seed {seed} ({mode_name}) failed once and then passed: {message}"
                    )
                }
                (Ok(()), Ok(())) => writeln!(report, "{name} seed {seed} ({mode_name}) passes"),
            };
            if replay.is_some() {
                report.push_str(&trace.whole());
            } else {
                report.push_str(&replay_line(tester, mode, seed));
                report.push_str(&trace.shortened());
            }
            if verdict.is_err() || second.is_err() {
                failures += 1;
            }
            fs::write(folder.join("report"), &report).expect("a file in the parent's folder");
            if failures >= number_from("RIGZ_FAILURES").unwrap_or(1) {
                break;
            }
        }
    }
    write_status(ENDED);
    assert_eq!(failures, 0, "the report has the failing seeds");
}
