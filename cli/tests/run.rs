//! `rigz run`, with the library that was built for this test and small programs compiled here.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
use common::programs::{WRITER, compile, library, on_full_disk, run_rigz};
use common::{Folder, RIGZ, command, judge, prose, run, text};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[test]
fn a_program_uses_the_library_and_its_streams_are_summed_up() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let plain = prose(2_500_000);
    let words = ["run", "--threads", "2", "--stats", "lines", "--json", "--", "./writer", "out.gz", "more"];
    let output = run_rigz(&folder, &words, &plain);
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    assert!(judge("gzip", &["-dc"], &folder.read("out.gz")) == plain);
    let sum = text(&output.stderr);
    for part in ["\"operation\":\"deflate\"", "\"streams\":1", "\"bytes_in\":2500000", "\"cpu_seconds\":"] {
        assert!(sum.contains(part), "{sum}");
    }
    let lines = text(&folder.read("lines"));
    assert_eq!(lines.lines().count(), 1, "{lines}");
    // A second run adds to the file and sums up its own lines only.
    let output = run_rigz(&folder, &["run", "--stats", "lines", "./writer", "out.gz"], &plain[..1000]);
    let table = text(&output.stderr);
    assert_eq!(text(&folder.read("lines")).lines().count(), 2);
    assert!(
        table.contains("deflate") && table.contains(" 1000 ") && table.contains("the whole program"),
        "{table}"
    );
}

#[test]
fn run_sets_the_environment_and_returns_the_status() {
    let folder = Folder::new();
    let seen = |words: &[&str]| {
        let output = run_rigz(&folder, words, b"");
        (output.status.code(), text(&output.stdout).trim().to_owned())
    };
    let echo = "echo $RIGZ_THREADS; exit 3";
    assert_eq!(seen(&["run", "-p", "4", "sh", "-c", echo]), (Some(3), "4".into()));
    let preload = seen(&["run", "--", "sh", "-c", "echo $LD_PRELOAD"]).1;
    assert_eq!(preload, fs::canonicalize(library()).unwrap().display().to_string());
    assert_eq!(seen(&["run", "no-such-program"]).0, Some(127));
    for words in [&["run"][..], &["run", "--stats", "-"], &["check", "--run"]] {
        let printed = text(&run_rigz(&folder, &[words, &["./no-such"]].concat(), b"").stderr);
        assert!(printed.ends_with(" ./no-such: No such file or directory\n"), "{words:?}: {printed}");
    }
    folder.write("not-executable", b"");
    assert_eq!(seen(&["run", "./not-executable"]).0, Some(126));
    assert_eq!(seen(&["run"]).0, Some(125));
    assert_eq!(seen(&["run", "--stats", "-", "sh", "-c", "kill -TERM $$"]).0, Some(128 + 15));
    let output =
        run(command(RIGZ, &folder.0).env("RIGZ_PRELOAD_FILE", "/nowhere").args(["run", "true"]), b"");
    assert_eq!(output.status.code(), Some(125));
}

#[test]
fn run_leaves_the_signal_of_closed_pipes_as_it_was() {
    let folder = Folder::new();
    for trap in ["trap '' PIPE", "trap - PIPE"] {
        let ignored = |words: &str| {
            let line = format!("{trap}; {words} grep SigIgn /proc/self/status");
            let mut shell = command("bash", &folder.0);
            shell.env("RIGZ_PRELOAD_FILE", library()).args(["-c", &line]);
            text(&run(&mut shell, b"").stdout)
        };
        let direct = ignored("");
        assert!(direct.starts_with("SigIgn"), "{direct:?}");
        for options in ["", "--stats lines"] {
            assert_eq!(ignored(&format!("{RIGZ} run {options}")), direct, "{trap} {options}");
        }
    }
}

#[test]
fn run_leaves_closed_descriptors_closed() {
    let folder = Folder::new();
    folder.write("a", b"data");
    for (words, closed) in [("cat a", ">&-"), ("cat", "<&-"), ("ls missing", "2>&-"), ("cat", "<&- >&- 2>&-")]
    {
        let seen = |runner: &str| {
            let line = format!("{runner} {words} {closed}; echo status $?");
            let mut shell = command("bash", &folder.0);
            let output = run(shell.env("RIGZ_PRELOAD_FILE", library()).args(["-c", &line]), b"");
            (text(&output.stdout), text(&output.stderr))
        };
        let wanted = seen("env");
        for runner in ["run", "run --stats lines"] {
            let (out, printed) = seen(&format!("{RIGZ} {runner} --"));
            let is_summary =
                |line: &&str| line.starts_with("rigz: no stream") || line.starts_with("the whole");
            let printed: Vec<_> = printed.lines().filter(|line| !is_summary(line)).collect();
            assert_eq!(out, wanted.0, "{runner} {words} {closed}");
            assert_eq!(printed, wanted.1.lines().collect::<Vec<_>>(), "{runner} {words} {closed}");
        }
    }
}

/// Runs a line of shell with `rigz run --stats -`, sends `signal` to rigz alone when the line has printed its first bytes, and
/// waits for the end. Returns these bytes, too. No signal is ignored, whatever this test's parent process ignores.
fn signalled(folder: &Folder, signal: &str, line: &str) -> (String, Output) {
    let mut rigz = command("env", &folder.0);
    rigz.env("RIGZ_PRELOAD_FILE", library());
    rigz.args(["--default-signal", RIGZ, "run", "--stats", "-", "bash", "-c", line]);
    let mut rigz = rigz.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 64];
    let len = rigz.stdout.as_mut().unwrap().read(&mut first).unwrap();
    assert!(len > 0, "{line}");
    let sent = Command::new("bash").args(["-c", &format!("kill -s {signal} {}", rigz.id())]).status();
    assert!(sent.unwrap().success(), "{signal}");
    (text(&first[..len]), rigz.wait_with_output().unwrap())
}

#[test]
fn a_signal_sent_to_run_alone_is_passed_on_and_the_summary_is_printed() {
    let folder = Folder::new();
    for signal in [
        "INT", "QUIT", "TERM", "HUP", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "PWR", "STKFLT",
        "XCPU", "XFSZ", "PIPE", "ABRT", "RTMIN", "RTMIN+5", "RTMAX",
    ] {
        // A program that handles the signal, and goes on for a while if it does not come.
        let line = format!(
            "trap 'echo got; exit 9' {signal}; echo ready; for ((i = 0; i < 200; i++)); do sleep .01; done"
        );
        let output = signalled(&folder, signal, &line).1;
        let printed = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(9), "got\n".into()),
            "{signal}: {printed}"
        );
        assert!(printed.contains("no stream used rigz"), "{signal}: {printed}");
        // A program that the signal ends. It prints the number itself, since bash ignores SIGQUIT.
        let line =
            format!("ulimit -c 0; exec perl -e '$| = 1; print \"$ARGV[0]\\n\"; sleep 2' $(kill -l {signal})");
        let (number, output) = signalled(&folder, signal, &line);
        let number: i32 = number.trim().parse().unwrap();
        let printed = text(&output.stderr);
        assert_eq!(output.status.code(), Some(128 + number), "{signal}: {printed}");
        assert!(printed.contains("no stream used rigz"), "{signal}: {printed}");
    }
}

/// Counts SIGINT and SIGQUIT for half a second.
const COUNTER: &str = r#"
    #include <signal.h>
    #include <stdio.h>
    #include <time.h>
    static volatile int count[2];
    static void on_signal(int signal) { count[signal == SIGQUIT]++; }
    int main(void) {
        signal(SIGINT, on_signal);
        signal(SIGQUIT, on_signal);
        printf("ready\n");
        fflush(stdout);
        struct timespec left = {0, 500000000};
        while (nanosleep(&left, &left)) {}
        printf("%d and %d\n", count[0], count[1]);
        return 0;
    }
"#;

/// Starts a program on a terminal, presses two keys when it has printed `ready`, and prints what it has printed by its end.
const KEYS: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
try:
    while piece := os.read(terminal, 4096):
        if b"ready" not in seen and b"ready" in seen + piece:
            os.write(terminal, b"\x03\x1c")
        seen += piece
except OSError:
    pass
print(seen.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

#[test]
fn a_key_on_the_terminal_reaches_the_program_once() {
    let folder = Folder::new();
    compile(&folder, "counter", COUNTER, &[]);
    let mut python = command("python3", &folder.0);
    python.env("RIGZ_PRELOAD_FILE", library()).args(["-c", KEYS, RIGZ, "run", "--stats", "-", "./counter"]);
    let output = run(&mut python, b"");
    let printed = text(&output.stdout);
    assert!(printed.contains("1 and 1") && printed.contains("no stream used rigz"), "{output:?}");
    assert!(printed.ends_with(" 0\n"), "{output:?}");
}

#[test]
fn run_leaves_ignored_and_blocked_signals_as_they_were() {
    let folder = Folder::new();
    let seen = |words: &str| {
        let line = format!("trap '' HUP INT USR1; {words} grep -E 'Sig(Ign|Blk)' /proc/self/status");
        let mut shell = command("bash", &folder.0);
        shell.env("RIGZ_PRELOAD_FILE", library()).args(["-c", &line]);
        text(&run(&mut shell, b"").stdout)
    };
    let direct = seen("");
    assert!(direct.contains("SigIgn") && direct.contains("SigBlk"), "{direct:?}");
    assert_eq!(seen(&format!("{RIGZ} run --stats -")), direct);
    // One that the program handles all the same does not reach it through rigz.
    let line = format!(
        "trap '' HUP; {RIGZ} run --stats - python3 -c '
import os, signal, sys, time
signal.signal(signal.SIGHUP, lambda *_: print(\"got\"))
os.system(\"kill -HUP \" + str(os.getppid()) + \"; :\")
time.sleep(.1)'"
    );
    let mut shell = command("bash", &folder.0);
    let output = run(shell.env("RIGZ_PRELOAD_FILE", library()).args(["-c", &line]), b"");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()), "{output:?}");
}

#[test]
fn a_signal_that_the_program_sends_to_its_parent_is_not_returned() {
    let folder = Folder::new();
    let output = run_rigz(&folder, &["run", "--stats", "-", "bash", "-c", "kill -USR1 $PPID; sleep .1"], b"");
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.contains("no stream used rigz"), "{printed}");
}

#[test]
fn run_refuses_files_that_it_cannot_append_to_or_read_back() {
    let folder = Folder::new();
    assert!(command("mkfifo", &folder.0).arg("pipe").status().unwrap().success());
    for (option, file, part) in [
        ("--stats", "/dev/null", "not a regular file"),
        ("--stats", "/dev/stdout", "not a regular file"),
        ("--stats", "pipe", "not a regular file"),
        ("--stats", "/nodir/x", "No such file"),
        ("--trace", "/nodir/x", "No such file"),
        ("--log", "/nodir/x", "No such file"),
        ("--log", "/", "Is a directory"),
    ] {
        let output = run_rigz(&folder, &["run", option, file, "echo", "started"], b"");
        let printed = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(125), String::new()),
            "{option} {file}: {printed}"
        );
        assert!(
            printed.contains(&format!("{file}: ")) && printed.contains(part),
            "{option} {file}: {printed}"
        );
        assert_eq!(printed.lines().count(), 1, "{option} {file}: {printed}");
    }
    // The library writes its log to a device, and to a FIFO if there is a reader.
    for file in ["/dev/null", "/dev/stderr", "pipe", "log"] {
        let output = run_rigz(&folder, &["run", "--log", file, "echo", "started"], b"");
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(0), "started\n".into()),
            "{file}: {output:?}"
        );
    }
    assert_eq!(folder.names(), ["log", "pipe"]);
}

#[test]
fn an_installed_command_finds_its_library() {
    for place in ["lib/rigz", "lib64/rigz", &format!("lib/{}-linux-gnu/rigz", std::env::consts::ARCH), "rigz"]
    {
        let folder = Folder::new();
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::create_dir_all(folder.join(place)).unwrap();
        fs::hard_link(RIGZ, folder.join("bin/rigz")).unwrap();
        let library = folder.write(&format!("{place}/libz.so.1"), b"only its path is used");
        let output = run(command("bin/rigz", &folder.0).args(["run", "sh", "-c", "echo $LD_PRELOAD"]), b"");
        assert_eq!(
            text(&output.stdout).trim(),
            library.canonicalize().unwrap().display().to_string(),
            "{place}"
        );
    }
}

#[test]
fn the_log_gives_the_reason_for_each_decision() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let plain = prose(2_500_000);
    for (threads, len, expected) in
        [("2", 2_500_000, "parallel"), ("1", 2_500_000, "one thread"), ("2", 1000, "a message")]
    {
        let log = format!("log-{threads}-{len}");
        run_rigz(&folder, &["run", "-p", threads, "--log", &log, "./writer", "out.gz"], &plain[..len]);
        let lines = text(&folder.read(&log));
        assert!(lines.contains(expected), "{expected}: {lines}");
        assert!(lines.lines().all(|line| line.starts_with("rigz ")), "{lines}");
    }
}

#[test]
fn run_refuses_unfit_programs_and_wrong_options() {
    let folder = Folder::new();
    let empty = "int main(void) { return 0; }";
    compile(&folder, "static", empty, &["-static"]);
    let musl = compile(&folder, "musl", empty, &["-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"]);
    folder.write("script", format!("#!{}\n", musl.display()).as_bytes());
    fs::set_permissions(folder.join("script"), fs::Permissions::from_mode(0o755)).unwrap();
    for (words, part) in [
        (&["--nonsense", "true"][..], "--nonsense"),
        (&["--threads", "0", "true"], "0"),
        (&["-p", "x", "true"], "x"),
        (&["--json", "true"], "--stats"),
        (&[], "COMMAND"),
        (&["./static"], "static"),
        (&["./musl"], "musl"),
        (&["./script"], "musl"),
    ] {
        let output = run_rigz(&folder, &[&["run"], words].concat(), b"");
        let printed = text(&output.stderr);
        assert_eq!(output.status.code(), Some(125), "{words:?}: {printed}");
        assert!(printed.contains(part) && printed.lines().count() <= 2, "{words:?}: {printed}");
    }
    assert!(run_rigz(&folder, &["run", "-f", "./static"], b"").status.success());
    // Options after the program's name are passed to it.
    assert_eq!(text(&run_rigz(&folder, &["run", "echo", "--nonsense", "-p"], b"").stdout), "--nonsense -p\n");
}

#[test]
fn run_warns_of_invalid_switches() {
    let folder = Folder::new();
    let printed = |name: &str, value: &str| {
        let output = run(
            command(RIGZ, &folder.0)
                .env("RIGZ_PRELOAD_FILE", library())
                .env(name, value)
                .args(["run", "true"]),
            b"",
        );
        assert!(output.status.success());
        text(&output.stderr)
    };
    for (name, value) in [
        ("RIGZ_THREADS", "many"),
        ("RIGZ_THREADS", "0"),
        ("RIGZ_CHUNK", "1K"),
        ("RIGZ_THRESHOLD", "-1"),
        ("RIGZ_FORMAT", "zip"),
        ("RIGZ_CHECKPOINT", "x"),
        ("RIGZ_LEVEL_MAP", "9=13"),
        ("RIGZ_STATS", &"x".repeat(400)),
        ("RIGZ_TRACE", &"x".repeat(400)),
        ("RIGZ_MEMORY", "lots"),
    ] {
        assert!(
            printed(name, value).contains(&format!("{name}={value} is ignored: the value must be ")),
            "{name}={value}"
        );
    }
    assert!(printed("RIGZ_THREAD", "2").contains("RIGZ_THREAD is ignored: there is no such switch"));
    for (name, value) in [
        ("RIGZ_THREADS", "2"),
        ("RIGZ_CHUNK", "64K"),
        ("RIGZ_LEVEL_MAP", "6=9"),
        ("RIGZ_FORMAT", "bgzf"),
        ("RIGZ_LOG", ""),
    ] {
        assert_eq!(printed(name, value), "", "{name}={value}");
    }
}

#[test]
fn programs_with_known_problems_get_their_settings() {
    let folder = Folder::new();
    folder.write("gs", b"#!/bin/sh\necho $RIGZ_THREADS\n");
    fs::set_permissions(folder.join("gs"), fs::Permissions::from_mode(0o755)).unwrap();
    let output = run_rigz(&folder, &["run", "./gs"], b"");
    assert_eq!(text(&output.stdout), "1\n");
    let printed = text(&output.stderr);
    assert!(printed.contains("pdfwrite") && printed.contains("RIGZ_THREADS=1"), "{printed}");
    let mut command = command(RIGZ, &folder.0);
    command.env("RIGZ_PRELOAD_FILE", library()).env("RIGZ_THREADS", "2");
    let output = run(command.args(["run", "./gs"]), b"");
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("2\n".into(), String::new()));
}

/// `inflateBack` on a raw stream, called as gun does.
const BACK: &str = r#"
    #include <stdio.h>
    #include <stdlib.h>
    #include <zlib.h>
    static unsigned char in[1 << 20], out[1 << 20], window[32768];
    static unsigned get(void *len, z_const unsigned char **next) { *next = in; unsigned n = *(unsigned *)len; *(unsigned *)len = 0; return n; }
    static int put(void *sum, unsigned char *data, unsigned len) { *(unsigned long *)sum += len; return 0; }
    int main(void) {
        z_stream s = {0};
        for (unsigned i = 0; i < sizeof in; i++) in[i] = "etaoin shrdlu"[(i * i / 7) % 13];
        deflateInit2(&s, 7, 8, -15, 8, 0);
        s.next_in = in; s.avail_in = sizeof in; s.next_out = out; s.avail_out = sizeof out;
        if (deflate(&s, Z_FINISH) != Z_STREAM_END) return 1;
        unsigned len = s.total_out; deflateEnd(&s);
        for (unsigned i = 0; i < len; i++) in[i] = out[i];
        unsigned long sum = 0;
        z_stream b = {0};
        inflateBackInit(&b, 15, window);
        int r = inflateBack(&b, get, &len, put, &sum);
        inflateBackEnd(&b);
        return r == Z_STREAM_END && sum == sizeof in ? 0 : 2;
    }
"#;

#[test]
fn statistics_have_program_level_start_and_processor_time() {
    let folder = Folder::new();
    compile(&folder, "back", BACK, &["-lz"]);
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let before = std::time::SystemTime::now();
    let output = run_rigz(
        &folder,
        &["run", "--stats", "lines", "--json", "sh", "-c", "./back && ./writer out.gz"],
        &prose(2_900_000),
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<serde_json::Value> =
        text(&folder.read("lines")).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let start = |line: &serde_json::Value| line["start"].as_f64().unwrap();
    let of = |operation: &str, program: &str| {
        lines.iter().find(|line| line["operation"] == operation && line["program"] == program).unwrap()
    };
    let (seven, nine, back) = (of("deflate", "back"), of("deflate", "writer"), of("inflateBack", "back"));
    assert_eq!(
        (&seven["level"], &nine["level"], &back["level"]),
        (&7.into(), &9.into(), &serde_json::Value::Null)
    );
    assert_eq!(back["bytes_out"], 1 << 20);
    assert_eq!(back["bytes_in"], seven["bytes_out"]);
    for line in &lines {
        let since = before.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
        assert!(start(line) >= since - 0.1 && start(line) < since + 600.0, "{line}");
        assert!(line["cpu_seconds"].as_f64().unwrap() > 0.0, "{line}");
    }
    assert!(start(back) >= start(seven) && start(nine) >= start(back), "{lines:?}");
    let sum: serde_json::Value = serde_json::from_str(&text(&output.stderr)).unwrap();
    let programs: Vec<_> =
        sum["streams"].as_array().unwrap().iter().map(|sum| (&sum["program"], &sum["operation"])).collect();
    assert_eq!(programs.len(), 3, "{sum}");
}

#[test]
fn a_timeline_has_streams_chunks_and_threads() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let plain = prose(2_900_000);
    folder.write("t.json", b"what was there before");
    let output =
        run_rigz(&folder, &["run", "-p", "2", "--trace", "t.json", "./writer", "out.gz", "x"], &plain);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(7), String::new()));
    assert!(judge("gzip", &["-dc"], &folder.read("out.gz")) == plain);
    let events: Vec<serde_json::Value> = serde_json::from_slice(&folder.read("t.json")).unwrap();
    let all = |name: &str, phase: &str| -> Vec<&serde_json::Value> {
        events.iter().filter(|event| event["name"] == name && event["ph"] == phase).collect()
    };
    let chunks = all("chunk", "X");
    let bytes: u64 = chunks.iter().map(|chunk| chunk["args"]["bytes"].as_u64().unwrap()).sum();
    assert_eq!(bytes, 2_900_000, "every byte is in one chunk");
    let threads: std::collections::BTreeSet<_> =
        chunks.iter().map(|chunk| chunk["tid"].as_i64().unwrap()).collect();
    assert!((1..=2).contains(&threads.len()), "{threads:?}");
    let (begin, end) = (all("deflate", "b"), all("deflate", "e"));
    assert_eq!((begin.len(), end.len()), (1, 1));
    assert_eq!(begin[0]["args"]["level"], 9);
    let (from, to) = (begin[0]["ts"].as_f64().unwrap(), end[0]["ts"].as_f64().unwrap());
    for chunk in &chunks {
        let (ts, dur) = (chunk["ts"].as_f64().unwrap(), chunk["dur"].as_f64().unwrap());
        assert!(ts >= from && ts + dur <= to, "{chunk} is outside of its stream");
    }
    assert_eq!(all("process_name", "M")[0]["args"]["name"], "writer");
    assert_eq!(all("thread_name", "M").len(), 1, "one worker");
    // scripts/timeline draws it.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/timeline");
    let drawn = run(command("python3", &folder.0).arg(script).args(["t.json", "t.svg"]), b"");
    assert!(drawn.status.success(), "{}", text(&drawn.stderr));
    assert!(text(&folder.read("t.svg")).matches("<title>chunk").count() == chunks.len());
}

#[test]
fn a_timeline_is_bounded_and_the_switch_works_alone() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let trace = |path: &str| {
        let mut command = command("./writer", &folder.0);
        command.env("LD_PRELOAD", fs::canonicalize(library()).unwrap()).env("RIGZ_TRACE", path).arg("out.gz");
        assert!(run(&mut command, &prose(1000)).status.success());
    };
    trace("t.json");
    let text_of = text(&folder.read("t.json"));
    assert!(text_of.starts_with("[\n{") && text_of.ends_with(",\n"), "{text_of}");
    assert_eq!(folder.names().iter().filter(|name| name.starts_with("t.json")).count(), 1);
    // A second process appends to it.
    trace("t.json");
    let lines = text(&folder.read("t.json"));
    assert_eq!((lines.matches('[').count(), lines.matches("process_name").count()), (1, 2), "{lines}");
    fs::File::options().write(true).open(folder.join("t.json")).unwrap().set_len(64 << 20).unwrap();
    trace("t.json");
    assert_eq!(fs::metadata(folder.join("t.json")).unwrap().len(), 64 << 20, "it is full");
    trace("no/such/folder");
}

#[test]
fn a_full_disk_under_the_statistics_is_reported() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    for line in
        ["$rigz run --stats full/lines ./writer out.gz", "TMPDIR=full $rigz run --stats - ./writer out.gz"]
    {
        let Some(output) = on_full_disk(&folder, line) else { return };
        let printed = text(&output.stderr);
        assert!(
            printed.contains("full/") && printed.contains("No space left on device"),
            "{line}: {printed}"
        );
        assert!(!printed.contains("no stream"), "{line}: {printed}");
        assert_eq!(output.status.code(), Some(0), "the program's status: {printed}");
    }
}

#[test]
fn run_refuses_one_file_for_two_purposes() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("old", folder.join("link")).unwrap();
    folder.write("old", b"old\n");
    for words in [
        &["--stats", "new", "--log", "new"][..],
        &["--stats", "new", "--trace", "./new"],
        &["--log", "old", "--trace", "link"],
    ] {
        let output = run_rigz(&folder, &[&["run"], words, &["echo", "started"]].concat(), b"");
        let printed = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout)),
            (Some(125), String::new()),
            "{words:?}: {printed}"
        );
        assert!(printed.contains("is named twice"), "{words:?}: {printed}");
        assert_eq!(
            (folder.names(), folder.read("old")),
            (vec!["link".into(), "old".into()], b"old\n".to_vec())
        );
    }
    let words = ["run", "--stats", "a", "--log", "b", "--trace", "c", "true"];
    assert!(run_rigz(&folder, &words, b"").status.success());
}

#[test]
fn a_temporary_file_gets_another_name_if_its_own_is_taken() {
    let folder = Folder::new();
    fs::create_dir(folder.join("tmp")).unwrap();
    let line = "touch tmp/rigz-stats-$$ tmp/rigz-stats-$$-0; exec env TMPDIR=tmp $rigz run --stats - true";
    let mut shell = command("bash", &folder.0);
    shell.env("RIGZ_PRELOAD_FILE", library()).env("rigz", RIGZ).args(["-c", line]);
    let output = run(&mut shell, b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(fs::read_dir(folder.join("tmp")).unwrap().count(), 2);
}

#[test]
fn run_accepts_a_dash_for_standard_error_only_where_lines_are_printed() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let output = run_rigz(&folder, &["run", "--log", "-", "./writer", "out.gz"], b"data");
    assert!(output.status.success() && text(&output.stderr).starts_with("rigz "), "{output:?}");
    let output = run_rigz(&folder, &["run", "--trace", "-", "./writer", "out.gz"], b"data");
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert!(text(&output.stderr).contains("needs a file"), "{output:?}");
    assert!(!folder.has("-"));
}
