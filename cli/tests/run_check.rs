//! `rigz run` and `rigz check`, with the library that was built for this test and small programs of our own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
use common::{Folder, RIGZ, command, judge, prose, run, text};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library as it is preloaded: with the SONAME of the system's, which the tests of the library itself check.
fn library() -> PathBuf {
    let profile = Path::new(RIGZ).parent().unwrap();
    let built = [profile.join("librigz.so"), profile.join("deps/librigz.so")];
    // A build of the library alone lays it in the one place, a build of the command in the other.
    let newest = built.into_iter().filter(|path| path.is_file());
    let newest = newest.max_by_key(|path| path.metadata().and_then(|status| status.modified()).ok());
    newest.expect("cargo builds the library with the command")
}

/// A C program in the folder.
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
fn a_program_writes_through_the_library_and_its_work_is_summed_up() {
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
fn the_program_gets_its_environment_and_its_status_comes_back() {
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
    folder.write("not-executable", b"");
    assert_eq!(seen(&["run", "./not-executable"]).0, Some(126));
    assert_eq!(seen(&["run"]).0, Some(125));
    assert_eq!(seen(&["run", "--stats", "-", "sh", "-c", "kill -TERM $$"]).0, Some(128 + 15));
    let output =
        run(command(RIGZ, &folder.0).env("RIGZ_PRELOAD_FILE", "/nowhere").args(["run", "true"]), b"");
    assert_eq!(output.status.code(), Some(125));
}

#[test]
fn an_installed_command_finds_its_library() {
    for place in ["lib/rigz", "lib64/rigz", &format!("lib/{}-linux-gnu/rigz", std::env::consts::ARCH), "rigz"]
    {
        let folder = Folder::new();
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::create_dir_all(folder.join(place)).unwrap();
        fs::hard_link(RIGZ, folder.join("bin/rigz")).unwrap();
        let library = folder.write(&format!("{place}/libz.so.1"), b"only its place is asked for");
        let output = run(command("bin/rigz", &folder.0).args(["run", "sh", "-c", "echo $LD_PRELOAD"]), b"");
        assert_eq!(
            text(&output.stdout).trim(),
            library.canonicalize().unwrap().display().to_string(),
            "{place}"
        );
    }
}

#[test]
fn the_log_tells_why_a_stream_was_compressed_as_it_was() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let plain = prose(2_500_000);
    for (threads, len, expected) in
        [("2", 2_500_000, "parallel"), ("1", 2_500_000, "one thread"), ("2", 1000, "less than a chunk")]
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
fn a_check_tells_who_calls_zlib() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let (status, said) = check(&folder, &["-v", "./writer"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("./writer: yes\n"), "{said}");
    assert!(said.contains("calls 3 functions") && said.contains("gzclose gzopen gzwrite"), "{said}");
    // Through a library of its own, found by its run path.
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
    let (status, said) = check(&folder, &["--json", "./user"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("\"accelerated\":\"yes\"") && said.contains("libmine.so\",\"functions\":[\"deflate\"]"),
        "{said}"
    );
}

#[test]
fn a_check_tells_why_not() {
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
        ("./own", "zlib 1.2.11 of its own"),
        ("./setuid", "setuid"),
        ("./data", "neither an ELF file nor a script"),
    ] {
        let (status, said) = check(&folder, &[name]);
        assert_eq!(status, Some(1), "{said}");
        assert!(said.starts_with(&format!("{name}: no\n")) && said.contains(reason), "{said}");
    }
    assert_eq!(check(&folder, &["./missing"]).0, Some(2));
}

#[test]
fn a_script_is_as_good_as_its_interpreter() {
    let folder = Folder::new();
    let writer = compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    folder.write("script", format!("#!{} -x\n", writer.display()).as_bytes());
    let (status, said) = check(&folder, &["./script"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("is a script for") && said.contains("./script: yes"), "{said}");
}

#[test]
fn man_pages_and_completions_are_made() {
    let folder = Folder::new();
    assert!(folder.rigz(&["generate", "made"]).status.success());
    for (name, part) in [
        ("made/man/rigz.1", "rsyncable"),
        ("made/man/rigz-run.1", "LD_PRELOAD"),
        ("made/man/rigz-check.1", "PROGRAM"),
        ("made/bash/rigz", "complete -F _rigz"),
        ("made/zsh/_rigz", "#compdef rigz"),
        ("made/fish/rigz.fish", "complete -c rigz"),
    ] {
        assert!(text(&folder.read(name)).contains(part), "{name}");
    }
    let status = Command::new("bash").arg("-n").arg(folder.join("made/bash/rigz")).status().unwrap();
    assert!(status.success());
}
