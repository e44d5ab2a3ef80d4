//! `rigz run` and `rigz check`, with the library that was built for this test and small programs compiled here.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
use common::{Folder, RIGZ, command, judge, prose, run, text};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The library to preload. Its SONAME does not matter here; the library's own tests check it.
fn library() -> PathBuf {
    let profile = Path::new(RIGZ).parent().unwrap();
    let built = [profile.join("librigz.so"), profile.join("deps/librigz.so")];
    // A build of the library alone writes the first file, a build of the command the second.
    let newest = built.into_iter().filter(|path| path.is_file());
    let newest = newest.max_by_key(|path| path.metadata().and_then(|status| status.modified()).ok());
    newest.expect("cargo builds the library with the command")
}

/// Compiles a C program into the folder.
fn compile(folder: &Folder, name: &str, source: &str, words: &[&str]) -> PathBuf {
    let code = folder.write(&format!("{name}.c"), source.as_bytes());
    let path = folder.join(name);
    let status = Command::new("cc").arg(&code).arg("-o").arg(&path).args(words).status().unwrap();
    assert!(status.success(), "cc {name}");
    path
}

const WRITER: &str = r#"
    #include <stdio.h>
    typedef struct gzFile_s *gzFile;
    gzFile gzopen(const char *, const char *);
    int gzwrite(gzFile, const void *, unsigned);
    int gzclose(gzFile);
    static char data[3000000];
    int main(int count, char **words) {
        size_t len = fread(data, 1, sizeof data, stdin);
        gzFile file = gzopen(words[1], "wb9");
        gzwrite(file, data, len);
        gzclose(file);
        return count > 2 ? 7 : 0;
    }
"#;

fn run_rigz(folder: &Folder, words: &[&str], input: &[u8]) -> std::process::Output {
    run(command(RIGZ, &folder.0).env("RIGZ_PRELOAD_FILE", library()).args(words), input)
}

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

fn check(folder: &Folder, words: &[&str]) -> (Option<i32>, String) {
    let output = run(command(RIGZ, &folder.0).arg("check").args(words), b"");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn check_lists_the_files_that_call_zlib() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let (status, printed) = check(&folder, &["-v", "./writer"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.starts_with("./writer: yes\n"), "{printed}");
    assert!(printed.contains("calls 3 functions") && printed.contains("gzclose gzopen gzwrite"), "{printed}");
    // Through the program's own library, found by its run path.
    compile(
        &folder,
        "libmine.so",
        "int deflate(void *, int); int mine(void) { return deflate(0, 0); }",
        &["-shared", "-fPIC", "-l:libz.so.1"],
    );
    let here = folder.0.display().to_string();
    compile(
        &folder,
        "user",
        "int mine(void); int main(void) { return mine(); }",
        &[&format!("-L{here}"), "-l:libmine.so", "-Wl,-rpath,$ORIGIN"],
    );
    let (status, printed) = check(&folder, &["--json", "./user"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(
        printed.contains("\"accelerated\":\"yes\"")
            && printed.contains("libmine.so\",\"functions\":[\"deflate\"]"),
        "{printed}"
    );
    fs::create_dir(folder.join("links")).unwrap();
    std::os::unix::fs::symlink("../user", folder.join("links/user")).unwrap();
    assert_eq!(check(&folder, &["links/user"]).0, Some(0), "its libraries are searched from its real path");
}

#[test]
fn check_gives_the_reason_for_no() {
    let folder = Folder::new();
    let empty = "int main(void) { return 0; }";
    compile(&folder, "none", empty, &[]);
    compile(&folder, "static", empty, &["-static"]);
    let own = "const char own[] = \" deflate 1.2.11 Copyright 1995-2017 Jean-loup Gailly and Mark Adler \";
               int main(int count, char **words) { return own[count]; }";
    compile(&folder, "own", own, &[]);
    let setuid = compile(&folder, "setuid", WRITER, &["-l:libz.so.1"]);
    fs::set_permissions(setuid, fs::Permissions::from_mode(0o4755)).unwrap();
    folder.write("data", b"no program");
    for (name, reason) in [
        ("./none", "neither it nor a library"),
        ("./static", "static"),
        ("./own", "its own zlib 1.2.11"),
        ("./setuid", "setuid"),
        ("./data", "neither an ELF file nor a script"),
    ] {
        let (status, printed) = check(&folder, &[name]);
        assert_eq!(status, Some(1), "{printed}");
        assert!(printed.starts_with(&format!("{name}: no\n")) && printed.contains(reason), "{printed}");
    }
    assert_eq!(check(&folder, &["./missing"]).0, Some(3));
    assert_eq!(check(&folder, &["--nonsense"]).0, Some(3));
    assert_eq!(check(&folder, &["./none", "./missing"]).0, Some(3));
}

#[test]
fn check_answers_perhaps_if_more_may_be_started_or_loaded() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    compile(&folder, "starter", "#include <stdlib.h>\nint main(void) { return system(\"./writer\"); }", &[]);
    compile(
        &folder,
        "opener",
        "#include <dlfcn.h>\nint main(void) { return !dlopen(\"libz.so.1\", 1); }",
        &[],
    );
    compile(
        &folder,
        "summer",
        "unsigned long crc32(unsigned long, void *, unsigned); int main(void) { return crc32(0, 0, 0); }",
        &["-l:libz.so.1"],
    );
    folder.write("lines", b"#!/bin/sh\nls; ./writer\n");
    folder.write(
        "wrapper",
        format!("#!/bin/sh\nx=1\nexec {} \"$@\"\n", folder.join("writer").display()).as_bytes(),
    );
    let none = "int main(void) { return 0; }";
    compile(&folder, "none", none, &[]);
    for (name, status, reason) in [
        ("./starter", 2, "children inherit the preload"),
        ("./opener", 2, "may load a library that does"),
        ("./lines", 2, "children inherit the preload"),
        ("./wrapper", 0, "./wrapper starts "),
        ("./summer", 1, "nothing in it compresses"),
    ] {
        let (found, printed) = check(&folder, &[name]);
        assert_eq!(found, Some(status), "{printed}");
        assert!(printed.contains(reason), "{printed}");
    }
    // Of several answers the worst counts: no before perhaps before yes.
    assert_eq!(check(&folder, &["./writer", "./starter"]).0, Some(2));
    assert_eq!(check(&folder, &["./starter", "./none", "./writer"]).0, Some(1));
}

#[test]
fn a_library_is_not_a_static_program() {
    let folder = Folder::new();
    let source = "int deflate(void *, int); int mine(void) { return deflate(0, 0); }";
    compile(&folder, "libmine.so", source, &["-shared", "-fPIC", "-l:libz.so.1"]);
    let (status, printed) = check(&folder, &["./libmine.so"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("it is a library") && !printed.contains("static"), "{printed}");
    compile(&folder, "pie", "int main(void) { return 0; }", &["-static-pie"]);
    assert!(check(&folder, &["./pie"]).1.contains("it is static"));
}

#[test]
fn check_reports_libdeflate_if_both_are_called() {
    let folder = Folder::new();
    // As with htslib: a library that calls both, and a program like bgzip that needs it.
    compile(
        &folder,
        "libdeflate.so.0",
        "int libdeflate_x(void) { return 0; }",
        &["-shared", "-fPIC", "-Wl,-soname,libdeflate.so.0"],
    );
    let here = format!("-L{}", folder.0.display());
    let source = "int inflate(void *, int); int libdeflate_x(void); int both(void) { return inflate(0, 0) + libdeflate_x(); }";
    compile(
        &folder,
        "libboth.so",
        source,
        &["-shared", "-fPIC", "-l:libz.so.1", &here, "-l:libdeflate.so.0", "-Wl,-rpath,$ORIGIN"],
    );
    let user = "int both(void); int main(void) { return both(); }";
    compile(
        &folder,
        "user",
        user,
        &[&here, "-l:libboth.so", "-Wl,-rpath,$ORIGIN", "-Wl,--allow-shlib-undefined"],
    );
    let (status, printed) = check(&folder, &["./user"]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("also calls libdeflate, which does most"), "{printed}");
    assert!(!printed.contains("libdeflate.so.0 "), "it is reported once: {printed}");
}

#[test]
fn a_program_that_contains_zlib_is_a_no_even_if_it_opens_libraries() {
    let folder = Folder::new();
    // Like upstream builds of Node.js.
    let source = "#include <dlfcn.h>\n#include <stdlib.h>
        const char own[] = \" deflate 1.3.1 Copyright 1995-2024 Jean-loup Gailly and Mark Adler \";
        int deflate(void *s, int f) { return f; }
        int main(int count, char **words) { return own[count] + !dlopen(words[0], 1) + system(words[0]); }";
    compile(&folder, "node", source, &["-rdynamic"]);
    let (status, printed) = check(&folder, &["./node"]);
    assert_eq!(status, Some(1), "{printed}");
    assert!(
        printed.contains("its own zlib 1.3.1") && printed.contains("exports zlib's functions itself"),
        "{printed}"
    );
}

/// A copy of a program whose ELF header names another kind of processor.
fn for_machine(folder: &Folder, from: &str, to: &str, machine: u16) {
    let mut bytes = folder.read(from);
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    folder.write(to, &bytes);
}

#[test]
fn images_of_other_machines_are_examined() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    compile(
        &folder,
        "libmine.so.1",
        "int deflate(void *, int); int mine(void) { return deflate(0, 0); }",
        &["-shared", "-fPIC", "-l:libz.so.1", "-Wl,-soname,libmine.so.1"],
    );
    let here = format!("-L{}", folder.0.display());
    compile(
        &folder,
        "user",
        "int mine(void); int main(void) { return mine(); }",
        &[&here, "-l:libmine.so.1"],
    );
    let (status, printed) = check(&folder, &["./writer"]);
    assert_eq!(status, Some(0), "{printed}");
    fs::create_dir_all(folder.join("image/usr/bin")).unwrap();
    fs::create_dir_all(folder.join("image/usr/lib/riscv64-linux-gnu")).unwrap();
    std::os::unix::fs::symlink("usr/lib", folder.join("image/lib")).unwrap();
    for_machine(&folder, "user", "image/usr/bin/tool-2", 243);
    for_machine(&folder, "libmine.so.1", "image/usr/lib/riscv64-linux-gnu/libmine.so.1", 243);
    fs::set_permissions(folder.join("image/usr/bin/tool-2"), fs::Permissions::from_mode(0o755)).unwrap();
    // Absolute links and interpreters of scripts are paths inside the image.
    std::os::unix::fs::symlink("/usr/bin/tool-2", folder.join("image/usr/bin/tool")).unwrap();
    folder.write("image/usr/bin/script", b"#!/usr/bin/tool\n");
    fs::set_permissions(folder.join("image/usr/bin/script"), fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["tool", "/usr/bin/tool", "script"] {
        let (status, printed) = check(&folder, &["--root", "image", name]);
        assert_eq!(status, Some(0), "{printed}");
        assert!(printed.contains("/lib/riscv64-linux-gnu/libmine.so.1 calls 1 functions"), "{printed}");
    }
    let (status, printed) = check(&folder, &["image/usr/bin/tool-2"]);
    assert_eq!(status, Some(1), "{printed}");
    assert!(printed.contains("it is for riscv64, and this machine is "), "{printed}");
    assert_eq!(check(&folder, &["--root", "image", "python3"]).0, Some(3), "none in the image");
    assert_eq!(check(&folder, &["--root", "nowhere", "sh"]).0, Some(3));
}

#[test]
fn wrappers_and_interpreters_are_followed_to_where_zlib_is_called() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let make = |path: &str, from: Option<&str>| {
        fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        match from {
            Some(from) => _ = fs::copy(folder.join(from), folder.join(path)).unwrap(),
            None => {
                let path = folder.write(path, b"#!/usr/bin/perl\n# uses PgCommon\n");
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    };
    // PostgreSQL's wrapper starts the newest version's program.
    make("image/usr/lib/postgresql/9.6/bin/pg_dump", Some("writer"));
    make("image/usr/lib/postgresql/15/bin/pg_dump", Some("writer"));
    make("image/usr/share/postgresql-common/pg_wrapper", None);
    fs::create_dir_all(folder.join("image/usr/bin")).unwrap();
    std::os::unix::fs::symlink("../share/postgresql-common/pg_wrapper", folder.join("image/usr/bin/pg_dump"))
        .unwrap();
    // pyenv's shims, with a module that calls zlib, and a venv on it.
    compile(&folder, "python", "int main(void) { return 0; }", &[]);
    compile(
        &folder,
        "module.so",
        "int deflate(void *, int); int mine(void) { return deflate(0, 0); }",
        &["-shared", "-fPIC", "-l:libz.so.1"],
    );
    make("image/root/.pyenv/versions/3.11.7/bin/python3.11", Some("python"));
    make(
        "image/root/.pyenv/versions/3.11.7/lib/python3.11/lib-dynload/zlib.cpython-311-x86_64-linux-gnu.so",
        Some("module.so"),
    );
    std::os::unix::fs::symlink("python3.11", folder.join("image/root/.pyenv/versions/3.11.7/bin/python3"))
        .unwrap();
    fs::create_dir_all(folder.join("image/root/.pyenv/shims")).unwrap();
    folder.write("image/root/.pyenv/version", b"3.11.7\n");
    let shim = b"#!/usr/bin/env bash\nprogram=\"${0##*/}\"\nexport PYENV_ROOT=\"/root/.pyenv\"\nexec \"/root/.pyenv/libexec/pyenv\" exec \"$program\" \"$@\"\n";
    folder.write("image/root/.pyenv/shims/python3", shim);
    fs::create_dir_all(folder.join("image/venv/bin")).unwrap();
    std::os::unix::fs::symlink(
        "/root/.pyenv/versions/3.11.7/bin/python3",
        folder.join("image/venv/bin/python"),
    )
    .unwrap();
    folder.write("image/venv/bin/job", b"#!/venv/bin/python\n");
    // R's script and the program that starts it.
    make("image/usr/lib/R/bin/exec/R", Some("writer"));
    make("image/usr/bin/Rscript", Some("python"));
    folder.write("image/usr/bin/R", b"#!/bin/sh\nR_HOME_DIR=/usr/lib/R\nexec ${R_binary} \"${@}\"\n");
    for (name, status, part) in [
        ("/usr/bin/pg_dump", 0, "/usr/lib/postgresql/15/bin/pg_dump calls"),
        ("/root/.pyenv/shims/python3", 0, "lib-dynload/zlib.cpython-311-x86_64-linux-gnu.so calls"),
        ("/venv/bin/python", 0, "lib-dynload/zlib.cpython-311-x86_64-linux-gnu.so calls"),
        ("/venv/bin/job", 2, "whether the script loads that module"),
        ("/usr/bin/Rscript", 0, "/usr/lib/R/bin/exec/R calls"),
    ] {
        let (found, printed) = check(&folder, &["--root", "image", name]);
        assert_eq!(found, Some(status), "{name}: {printed}");
        assert!(printed.contains(part), "{name}: {printed}");
    }
}

#[test]
fn check_with_run_gives_a_definite_answer() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let plain = prose(10_000);
    let answer = |words: &[&str]| {
        let output = run_rigz(&folder, &[&["check"], words].concat(), &plain);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, out, printed) = answer(&["--run", "sh", "-c", "./writer out.gz -x; echo done"]);
    assert_eq!((status, out.as_str()), (Some(0), "done\n"), "{printed}");
    assert!(printed.starts_with("sh: yes\n") && printed.contains("writer: 1 deflate streams"), "{printed}");
    let (status, _, printed) = answer(&["--run", "true"]);
    assert_eq!(status, Some(1), "{printed}");
    assert!(printed.starts_with("true: no\n"), "{printed}");
    assert_eq!(answer(&["--run", "false"]).0, Some(2));
    assert_eq!(answer(&["--run", "./no-such"]).0, Some(3));
    let (status, _, printed) = answer(&["--json", "--run", "./writer", "out.gz"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("\"accelerated\":\"yes\""), "{printed}");
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
fn a_bench_has_a_row_for_each_program_and_level() {
    let folder = Folder::new();
    folder.write("data", &prose(300_000));
    let output = run_rigz(&folder, &["bench", "--json", "data"], b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for program in ["zlib", "gzip", "pigz", "rigz"] {
        for level in [serde_json::Value::Null, 1.into(), 6.into(), 9.into()] {
            let row = rows
                .iter()
                .find(|row| row["program"] == program && row["level"] == level && row["threads"] == 1);
            let row = row.unwrap_or_else(|| panic!("{program} {level}: {rows:?}"));
            let bytes = row["bytes_out"].as_u64().unwrap();
            assert!(row["seconds"].as_f64().unwrap() > 0.0 && bytes > 0, "{row}");
            assert_eq!(bytes == 300_000, level.is_null(), "{row}");
        }
    }
    let table = run_rigz(&folder, &["bench", "data"], b"");
    assert!(text(&table.stdout).contains("MB/s") && table.stderr.is_empty());
    assert_eq!(run_rigz(&folder, &["bench", "missing"], b"").status.code(), Some(1));
    assert!(folder.names() == ["data"]);
}

/// Starts `rigz bench data` with its temporary files in the folder `tmp`.
fn bench_in_tmp(folder: &Folder) -> Command {
    folder.write("data", &prose(300_000));
    fs::create_dir_all(folder.join("tmp")).unwrap();
    let mut bench = command("bash", &folder.0);
    bench.env("TMPDIR", folder.join("tmp")).env("rigz", RIGZ);
    bench
}

#[test]
fn a_bench_that_is_interrupted_leaves_no_temporary_file() {
    let folder = Folder::new();
    let left = || fs::read_dir(folder.join("tmp")).unwrap().count();
    for signal in ["INT", "TERM", "HUP"] {
        let mut bench = bench_in_tmp(&folder);
        bench.args(["-c", "exec env --default-signal $rigz bench data"]).stdout(Stdio::piped());
        let mut bench = bench.spawn().unwrap();
        // The heading is printed after the sample has been made.
        assert!(bench.stdout.as_mut().unwrap().read(&mut [0]).unwrap() == 1);
        assert!(left() > 0);
        let sent = Command::new("kill").args(["-s", signal, &bench.id().to_string()]).status();
        assert!(sent.unwrap().success());
        assert!(bench.wait().unwrap().code().is_none(), "{signal}");
        assert_eq!(left(), 0, "{signal}");
    }
    for line in [
        "$rigz bench data | head -1",
        "trap '' PIPE; $rigz bench data | head -1",
        "$rigz bench data >/dev/full",
    ] {
        run(bench_in_tmp(&folder).args(["-c", line]), b"");
        assert_eq!(left(), 0, "{line}");
    }
}

#[test]
fn a_bench_ignores_the_switches_of_the_library() {
    let folder = Folder::new();
    folder.write("data", &prose(300_000));
    let sizes = |switches: &[(&str, &str)]| {
        let mut bench = command(RIGZ, &folder.0);
        bench.envs(switches.iter().copied()).args(["bench", "--json", "data"]);
        let rows = text(&run(&mut bench, b"").stdout);
        let row = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let rows = rows.lines().map(row).filter(|row| row["program"] == "rigz");
        rows.map(|row| row["bytes_out"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let plain = sizes(&[]);
    let switches = [("RIGZ_CHUNK", "32K"), ("RIGZ_THRESHOLD", "1"), ("RIGZ_LEVEL_MAP", "6=1,9=1")];
    let switched = sizes(&switches);
    // On a busy machine the last rows are missing.
    let len = plain.len().min(switched.len());
    assert!(len > 0);
    assert_eq!(switched[..len], plain[..len]);
}

/// Runs a line of shell in which the folder `full` is on a disk of 64 KiB with a file `fill` that leaves no room. `None` where
/// that is not possible.
fn on_full_disk(folder: &Folder, line: &str) -> Option<Output> {
    fs::create_dir_all(folder.join("full")).unwrap();
    let line = format!(
        "mount -t tmpfs -o size=64k disk full || exit 77
         cat /dev/zero >full/fill 2>/dev/null
         {line}"
    );
    let mut shell = command("unshare", &folder.0);
    shell.env("RIGZ_PRELOAD_FILE", library()).env("rigz", RIGZ).args(["-rm", "bash", "-c", &line]);
    let output = run(&mut shell, b"data");
    let is_possible = output.status.code() != Some(77) && !text(&output.stderr).starts_with("unshare:");
    is_possible.then_some(output)
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
fn a_bench_names_the_temporary_file_on_a_full_disk() {
    let folder = Folder::new();
    folder.write("data", &judge("head", &["-c", "60000", "/dev/urandom"], b""));
    // No room for the sample; none for a program's output.
    for room in ["", "head -c 20000 full/fill >part; cat part >full/fill;", "rm full/fill; "] {
        let line = format!("{room} TMPDIR=full $rigz bench data");
        let Some(output) = on_full_disk(&folder, &line) else { return };
        let printed = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{room}: {printed}");
        assert!(printed.starts_with("rigz bench: full/rigz-bench-"), "{room}: {printed}");
        assert!(printed.ends_with(": No space left on device\n"), "{room}: {printed}");
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

#[test]
fn the_answer_for_a_script_is_its_interpreters() {
    let folder = Folder::new();
    let writer = compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    folder.write("script", format!("#!{} -x\n", writer.display()).as_bytes());
    let (status, printed) = check(&folder, &["./script"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("is a script for") && printed.contains("./script: yes"), "{printed}");
}

#[test]
fn man_pages_and_completions_are_generated() {
    let folder = Folder::new();
    assert!(folder.rigz(&["generate", "made"]).status.success());
    for (name, part) in [
        ("made/man/rigz.1", "rsyncable"),
        ("made/man/rigz-run.1", "LD_PRELOAD"),
        ("made/man/rigz-check.1", "PROGRAM"),
        ("made/man/rigz-bench.1", "FILE"),
        ("made/bash/rigz", "complete -F _rigz"),
        ("made/zsh/_rigz", "#compdef rigz"),
        ("made/fish/rigz.fish", "complete -c rigz"),
    ] {
        assert!(text(&folder.read(name)).contains(part), "{name}");
    }
    let status = Command::new("bash").arg("-n").arg(folder.join("made/bash/rigz")).status().unwrap();
    assert!(status.success());
}
