//! Behaviour without a counterpart in gzip: threads, other formats, `--rsyncable`; and that no data is lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "skipped tests are reported")]

mod common;
use common::{Folder, RIGZ, command, judge, prose, run, text};
use std::fs::{self, File, FileTimes};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

/// Long enough to be compressed in parallel, in several chunks.
const LARGE: usize = 3 << 20;

fn rigz(words: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run(command(RIGZ, "/".as_ref()).args(words), input);
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    output.stdout
}

#[test]
fn bytes_do_not_depend_on_threads() {
    let plain = prose(LARGE);
    for more in ["-9", "-1", "-9b64", "-9R", "-z6", "-zR", "--bgzf"] {
        let serial = rigz(&["-c", more, "-p1"], &plain);
        for threads in ["-p2", "-p5"] {
            assert!(rigz(&["-c", more, threads], &plain) == serial, "{more} {threads}");
        }
        assert!(rigz(&["-dc"], &serial) == plain, "{more}");
    }
}

#[test]
fn pigz_and_gzip_read_every_output() {
    let plain = prose(700_000);
    for words in
        [&["-9"][..], &["-1"], &["-0"], &["-H"], &["-U"], &["-R"], &["-b32"], &["-9", "-p3"], &["--bgzf"]]
    {
        let zipped = rigz(words, &plain);
        assert!(judge("gzip", &["-dc"], &zipped) == plain, "{words:?}");
        assert!(judge("pigz", &["-dc"], &zipped) == plain, "{words:?}");
    }
    for words in [&["-z"][..], &["-zR9"], &["-z0"]] {
        assert!(judge("pigz", &["-dc"], &rigz(words, &plain)) == plain, "{words:?}");
    }
}

#[test]
fn every_output_of_pigz_is_read() {
    let plain = prose(700_000);
    for words in
        [&["-9"][..], &["-i"], &["-R"], &["-z"], &["-b", "64", "-p", "3"], &["-C", "a comment"], &["-0"]]
    {
        assert!(rigz(&["-d"], &judge("pigz", words, &plain)) == plain, "{words:?}");
    }
}

#[test]
fn standard_input_is_read_from_its_position() {
    let folder = Folder::new();
    let zipped = judge("gzip", &["-c"], b"after the line\n");
    folder.write("a", &[b"a line\n", &zipped[..], b"garbage"].concat());
    let script = format!("(read line; echo $line; {RIGZ} -d; echo $?) < a");
    let output = run(command("bash", &folder.0).arg("-c").arg(script), b"");
    assert_eq!(text(&output.stdout), "a line\nafter the line\n2\n");
    assert_eq!(text(&output.stderr), "rigz: stdin: decompression OK, trailing garbage ignored\n");
}

#[test]
fn an_edit_changes_little_of_rsyncable_output() {
    let plain = prose(LARGE);
    let mut edited = plain.clone();
    edited.splice(1_000_000..1_000_003, *b"something longer");
    for words in [&["-cnR9"][..], &["-zR"]] {
        let [before, after] = [&plain, &edited].map(|data| rigz(words, data));
        // After the edit only the trailer differs.
        let tail =
            before.iter().rev().zip(after.iter().rev()).skip(8).take_while(|(one, other)| one == other);
        let head = before.iter().zip(&after).take_while(|(one, other)| one == other);
        let same = tail.count() + head.count();
        assert!(same * 10 > before.len() * 8, "{words:?}: {same} of {} bytes are the same", before.len());
    }
    let [before, after] = [&plain, &edited].map(|data| rigz(&["-cn9"], data));
    let tail = before.iter().rev().zip(after.iter().rev()).skip(8).take_while(|(one, other)| one == other);
    assert!(
        tail.count() * 10 < before.len(),
        "without the option more must differ, or this test proves nothing"
    );
}

#[test]
fn bgzf_consists_of_blocks_and_ends_with_an_empty_one() {
    let zipped = rigz(&["--bgzf"], &prose(300_000));
    let (mut at, mut blocks) = (0, 0);
    while at < zipped.len() {
        assert_eq!(zipped[at..at + 4], [0x1f, 0x8b, 8, 4], "block {blocks}");
        assert_eq!(zipped[at + 12..at + 16], [b'B', b'C', 2, 0], "block {blocks}");
        at += usize::from(u16::from_le_bytes([zipped[at + 16], zipped[at + 17]])) + 1;
        blocks += 1;
    }
    assert_eq!(at, zipped.len());
    assert!(blocks > 4, "300000 bytes in blocks of at most 64 KiB, and an empty one");
    assert!(zipped.ends_with(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
}

#[test]
fn zlib_files_have_their_own_suffix() {
    let folder = Folder::new();
    folder.write("a", b"zlib");
    assert!(folder.rigz(&["-zv", "a"]).status.success());
    assert_eq!(folder.names(), ["a.zz"]);
    assert!(folder.rigz(&["-d", "a"]).status.success());
    assert_eq!(folder.read("a"), b"zlib");
}

#[test]
fn plain_text_that_looks_like_zlib_is_copied() {
    // "8O" is a valid zlib header.
    for plain in [&b"8Oh no, text"[..], b"x^y\n", b""] {
        assert_eq!(rigz(&["-dcf"], plain), plain);
    }
}

#[test]
fn stored_names_cannot_leave_the_folder() {
    let folder = Folder::new();
    let mut zipped = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    zipped.extend_from_slice(b"../../escaped\0");
    zipped.extend_from_slice(&judge("gzip", &["-cn"], b"data")[10..]);
    folder.write("a.gz", &zipped);
    assert!(folder.rigz(&["-dN", "a.gz"]).status.success());
    assert_eq!(folder.names(), ["escaped"]);
}

#[test]
fn owner_mode_and_times_are_kept() {
    let folder = Folder::new();
    let path = folder.write("a", b"data");
    let times = FileTimes::new()
        .set_accessed(UNIX_EPOCH + Duration::new(1_000_000_000, 111))
        .set_modified(UNIX_EPOCH + Duration::new(1_100_000_000, 222));
    // Only root can give files away.
    if std::os::unix::fs::chown(&path, Some(1234), Some(2345)).is_err() {
        eprintln!("not root: owners are not tested");
    }
    std::process::Command::new("chmod").arg("0604").arg(&path).status().unwrap();
    File::open(&path).unwrap().set_times(times).unwrap();
    let facts = |name: &str| {
        let status = fs::metadata(folder.join(name)).unwrap();
        (status.uid(), status.gid(), status.mode(), status.mtime(), status.mtime_nsec(), status.atime())
    };
    let before = facts("a");
    assert!(folder.rigz(&["a"]).status.success());
    assert_eq!(facts("a.gz"), before);
    File::open(folder.join("a.gz")).unwrap().set_times(times).unwrap();
    assert!(folder.rigz(&["-d", "a.gz"]).status.success());
    assert_eq!(facts("a"), before);
}

/// Runs rigz with the length of files limited to 64 KiB (`ulimit -f`). `ignore`: SIGXFSZ is ignored.
fn with_limit(folder: &Folder, ignore: bool, words: &str) -> std::process::Output {
    let trap = if ignore { "trap '' XFSZ; " } else { "" };
    let script = format!("{trap}ulimit -f 64; exec {RIGZ} {words}");
    run(command("bash", &folder.0).arg("-c").arg(script), b"")
}

#[test]
fn a_full_disk_loses_no_data() {
    let noise: Vec<u8> =
        prose(900_000).chunks(3).flat_map(|bytes| bytes.iter().map(|b| b.wrapping_mul(37))).collect();
    for ignore in [true, false] {
        let folder = Folder::new();
        folder.write("a", &noise);
        folder.write("b.gz", &judge("gzip", &["-c"], &prose(500_000)));
        folder.write("old.gz", b"what was there before");
        folder.write("old", &noise);
        for words in ["-0 a", "-d b.gz", "-f0 old", "-0k a"] {
            let output = with_limit(&folder, ignore, words);
            if ignore {
                assert_eq!(output.status.code(), Some(1), "{words}: {}", text(&output.stderr));
                assert!(text(&output.stderr).contains("File too large"), "{words}: {}", text(&output.stderr));
            } else {
                assert_eq!(output.status.signal(), Some(libc_sigxfsz()), "{words}");
            }
            assert_eq!(folder.names(), ["a", "b.gz", "old", "old.gz"], "{words}");
        }
        assert_eq!(folder.read("old.gz"), b"what was there before");
        assert_eq!(folder.read("a"), noise);
    }
}

fn libc_sigxfsz() -> i32 {
    25
}

/// The signal arrives while the file is being compressed.
#[test]
fn a_signal_removes_the_unfinished_file() {
    for signal in ["INT", "TERM", "HUP"] {
        let folder = Folder::new();
        folder.write("a", &prose(30 << 20));
        let mut child = command(RIGZ, &folder.0);
        child.args(["-9", "-p1", "a"]).stdin(Stdio::null());
        let mut child = child.spawn().unwrap();
        while !folder.has("a.gz") {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it created its output");
            std::thread::sleep(Duration::from_millis(1));
        }
        let kill = std::process::Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        let status = child.wait().unwrap();
        // The work may be complete before the signal arrives.
        if status.signal().is_some() {
            assert_eq!(folder.names(), ["a"], "{signal}");
            assert_eq!(fs::metadata(folder.join("a")).unwrap().len(), 30 << 20);
        } else {
            assert_eq!(folder.names(), ["a.gz"], "{signal}: {status:?}");
        }
    }
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let folder = Folder::new();
    folder.write("a", &prose(3 << 20));
    let script = format!("trap '' HUP; {RIGZ} -9 a & sleep 0.05; kill -HUP $!; wait $!");
    let output = run(command("bash", &folder.0).arg("-c").arg(script), b"");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(folder.names(), ["a.gz"]);
}

#[test]
fn a_closed_pipe_ends_the_command_silently() {
    let folder = Folder::new();
    folder.write("a", &prose(3 << 20));
    let script = format!("{RIGZ} -0c a | head -c 10 | wc -c; echo ${{PIPESTATUS[0]}}");
    let output = run(command("bash", &folder.0).arg("-c").arg(script), b"");
    assert_eq!(text(&output.stdout).split_whitespace().collect::<Vec<_>>(), ["10", "141"]);
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn overwriting_replaces_a_link_and_not_its_target() {
    let folder = Folder::new();
    folder.write("a", b"data");
    folder.write("precious", b"precious");
    symlink("precious", folder.join("a.gz")).unwrap();
    assert!(folder.rigz(&["-f", "a"]).status.success());
    assert_eq!(folder.names(), ["a.gz", "precious"]);
    assert_eq!(folder.read("precious"), b"precious");
    assert_eq!(judge("gzip", &["-dc"], &folder.read("a.gz")), b"data");
}

#[test]
fn a_file_that_grows_while_it_is_read_is_kept() {
    let folder = Folder::new();
    let path = folder.write("a", &prose(8 << 20));
    let mut child = command(RIGZ, &folder.0);
    let mut child = child.args(["-9p1", "a"]).stderr(Stdio::piped()).spawn().unwrap();
    while !folder.has("a.gz") {
        std::thread::sleep(Duration::from_millis(1));
    }
    let grown = File::options().append(true).open(&path).and_then(|mut file| file.write_all(b"more"));
    let status = child.wait().unwrap();
    let mut printed = String::new();
    child.stderr.take().unwrap().read_to_string(&mut printed).unwrap();
    if grown.is_ok() && folder.has("a") {
        assert_eq!(status.code(), Some(2), "{printed}");
        assert!(printed.contains("changed while it was read"), "{printed}");
        assert!(folder.read("a").ends_with(b"more"));
    } else {
        // It was complete before the file grew.
        assert_eq!(status.code(), Some(0), "{printed}");
    }
}

#[test]
fn json_lines_are_json() {
    let folder = Folder::new();
    folder.write("a", &prose(10_000));
    let output = folder.rigz(&["--json", "a"]);
    let line = text(&output.stdout);
    for part in ["\"operation\":\"compress\"", "\"input\":\"a\"", "\"output\":\"a.gz\"", "\"bytes_in\":10000"]
    {
        assert!(line.contains(part), "{line}");
    }
    let line = text(&folder.rigz(&["-l", "--json", "a.gz"]).stdout);
    let check = format!("\"crc32\":\"{:08x}\"", rigz::checksum::crc32::update(0, &prose(10_000)));
    assert!(line.contains("\"uncompressed\":10000") && line.contains(&check), "{line}");
}

#[test]
fn subcommand_names_do_not_mean_files() {
    let folder = Folder::new();
    for name in ["run", "check", "bench", "generate"] {
        folder.write(name, b"a file");
        let output = folder.rigz(&[name]);
        assert!(!output.status.success(), "{name}");
        assert_eq!(folder.read(name), b"a file");
        assert!(folder.rigz(&["--", name]).status.success());
        assert!(folder.has(&format!("{name}.gz")) && !folder.has(name));
    }
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    let folder = Folder::new();
    folder.write("a", b"data");
    for words in [["-R", "-b64"], ["-R", "-H"], ["--bgzf", "-R"], ["--bgzf", "-b64"]] {
        let output = folder.rigz(&[words[0], words[1], "a"]);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert_eq!(folder.names(), ["a"]);
    }
}

#[test]
fn a_terminal_gets_no_compressed_data() {
    // script(1) provides a terminal.
    let folder = Folder::new();
    let script = format!("{RIGZ} -c a; echo status $?");
    folder.write("a", b"data");
    let mut words = command("script", &folder.0);
    words.args(["-qec", &script, "/dev/null"]);
    if words.get_program() == "script" && run(&mut command("sh", &folder.0), b"type script").status.success()
    {
        let printed = text(&run(&mut words, b"").stdout);
        assert!(printed.contains("not written to a terminal") && printed.contains("status 1"), "{printed}");
    } else {
        eprintln!("script(1) is not installed: not tested");
    }
}

#[test]
fn long_work_shows_no_bar_without_a_terminal() {
    let mut child = command(RIGZ, "/".as_ref());
    child.arg0("rigz").args(["-9", "-p1", "-c"]);
    let output = run(&mut child, &prose(3 << 20));
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "");
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
