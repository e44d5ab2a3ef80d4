//! Unusual files, names and outputs, and options that gzip does not have.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "skipped tests are reported")]

mod common;
use common::{Folder, RIGZ, command, judge, prose, run, text};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::process::Output;

/// Runs a line of shell, in which `$rigz` is our command.
fn shell(folder: &Folder, line: &str) -> Output {
    run(command("bash", &folder.0).env("rigz", RIGZ).arg("-c").arg(line), b"")
}

#[test]
fn levels_beyond_nine_are_smaller_and_still_the_same_for_any_number_of_threads() {
    let folder = Folder::new();
    // Ascending numbers, which higher levels compress better.
    let plain: Vec<u8> = (0..200_000).flat_map(|number| format!("{number}\n").into_bytes()).collect();
    folder.write("a", &plain);
    let compress = |words: &[&str]| folder.rigz(&[&["-c"], words, &["a"]].concat()).stdout;
    let nine = compress(&["-9"]);
    for words in [&["-10"][..], &["-11"], &["-12"], &["--level", "11"], &["-n11"]] {
        let zipped = compress(words);
        assert!(zipped.len() < nine.len(), "{words:?}: {} and {} bytes", zipped.len(), nine.len());
        assert!(judge("gzip", &["-dc"], &zipped) == plain, "{words:?}");
    }
    assert!(compress(&["-11"]) == compress(&["--level=11", "-p1"]));
    for more in ["-R11", "-z10", "-11b64"] {
        let zipped = compress(&[more]);
        assert!(zipped.len() < nine.len(), "{more}: {} and {} bytes", zipped.len(), nine.len());
        assert!(judge("pigz", &["-dc"], &zipped) == plain, "{more}");
    }
    let bgzf = ["-9", "-11"].map(|level| compress(&["--bgzf", level]));
    assert!(bgzf[1].len() < bgzf[0].len());
    assert!(judge("gzip", &["-dc"], &bgzf[1]) == plain);
}

#[test]
fn a_comment_is_stored_in_the_header() {
    let folder = Folder::new();
    folder.write("a", b"data");
    for words in [&["-kC", "my comment"][..], &["-k11", "--comment=my comment"], &["-kRC", "my comment"]] {
        assert!(folder.rigz(&[words, &["-f", "a"]].concat()).status.success(), "{words:?}");
        let zipped = folder.read("a.gz");
        assert_eq!(zipped[3], 8 | 16, "{words:?}: a name and a comment");
        assert_eq!(&zipped[10..23], b"a\0my comment\0", "{words:?}");
        assert_eq!(judge("gzip", &["-dc"], &zipped), b"data", "{words:?}");
        assert!(folder.rigz(&["-t", "a.gz"]).status.success(), "{words:?}");
    }
    for other in ["-z", "--bgzf"] {
        assert_eq!(folder.rigz(&[other, "-kC", "text", "a"]).status.code(), Some(1), "{other}");
    }
}

#[test]
fn small_and_empty_files_round_trip() {
    let folder = Folder::new();
    for (name, data) in [("empty", &b""[..]), ("one", b"x"), ("zero", b"\0")] {
        folder.write(name, data);
        for words in [&["-9"][..], &["-0"], &["-12"], &["-R"], &["--bgzf"], &["-H"]] {
            assert!(folder.rigz(&[words, &["-k", "-f", name]].concat()).status.success(), "{name} {words:?}");
            assert_eq!(
                judge("gzip", &["-dc"], &folder.read(&format!("{name}.gz"))),
                data,
                "{name} {words:?}"
            );
            assert_eq!(folder.rigz(&["-dc", &format!("{name}.gz")]).stdout, data, "{name} {words:?}");
        }
    }
}

#[test]
fn a_file_with_holes_is_read_as_zeros() {
    let folder = Folder::new();
    File::create(folder.join("holes")).unwrap().set_len(40 << 20).unwrap();
    assert!(folder.rigz(&["-1", "holes"]).status.success());
    let output = shell(&folder, "$rigz -dc holes | cmp - <(head -c 40M /dev/zero) && $rigz -l --json holes");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("\"uncompressed\":41943040"), "{}", text(&output.stdout));
}

#[test]
fn names_may_contain_any_byte() {
    let folder = Folder::new();
    for name in [&b"two\nlines"[..], b"b\xffd", b" ", b"-9", b"a\\b", b"\x1b[31m"] {
        let name = OsStr::from_bytes(name);
        fs::write(folder.0.join(name), b"data").unwrap();
        let words = [OsStr::new("--"), name];
        assert!(folder.rigz(&words).status.success(), "{name:?}");
        let mut zipped = OsString::from(name);
        zipped.push(".gz");
        assert!(folder.0.join(&zipped).exists() && !folder.0.join(name).exists(), "{name:?}");
        let listed = folder.rigz(&[OsStr::new("-l"), "--json".as_ref(), "--".as_ref(), &zipped]);
        assert_eq!(text(&listed.stdout).lines().count(), 1, "{name:?}: a line of JSON is a line");
        assert!(folder.rigz(&[OsStr::new("-dN"), "--".as_ref(), &zipped]).status.success(), "{name:?}");
        assert_eq!(fs::read(folder.0.join(name)).unwrap(), b"data", "{name:?}");
        fs::remove_file(folder.0.join(name)).unwrap();
    }
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn dev_stdin_is_a_file_like_others() {
    let folder = Folder::new();
    folder.write("a", &prose(100_000));
    let output = shell(&folder, "cat a | $rigz -c /dev/stdin | $rigz -dc /dev/stdin | cmp - a");
    assert!(output.status.success(), "{}", text(&output.stderr));
    // Without -c it is refused, as in gzip: it is a link.
    let output = shell(&folder, "cat a | $rigz /dev/stdin");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn formats_of_other_programs_are_refused_with_a_hint() {
    let folder = Folder::new();
    for (name, head, word) in [
        ("a.Z", &[0x1f, 0x9d, 0x90, 0x61, 0][..], "compress"),
        ("a.z", &[0x1f, 0x1e, 0, 0, 0, 0], "pack"),
        ("b.gz", b"\xfd7zXZ\0", "xz -d reads it"),
        ("c.gz", b"\x28\xb5\x2f\xfd", "zstd -d reads it"),
    ] {
        folder.write(name, head);
        for words in [["-d", name], ["-t", name], ["-dc", name], ["-l", name]] {
            let output = folder.rigz(&words);
            let printed = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{words:?}: {printed}");
            assert!(
                printed.starts_with(&format!("rigz: {name}: ")) && printed.contains(word),
                "{words:?}: {printed}"
            );
        }
        assert_eq!(folder.read(name), head, "it is unchanged");
    }
}

#[test]
fn a_full_disk_on_stdout_is_an_error_and_no_panic() {
    let folder = Folder::new();
    folder.write("a", &prose(1000));
    folder.write("b.gz", &judge("gzip", &["-c"], b"data"));
    for words in
        ["-c a", "-dc b.gz", "-l b.gz", "-lv b.gz", "-t --json b.gz", "-L", "-V", "--help", "check cat"]
    {
        let output = shell(&folder, &format!("$rigz {words} >/dev/full"));
        let printed = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}: {printed}");
        assert_eq!(printed, "rigz: stdout: No space left on device\n", "{words}");
    }
    assert_eq!(folder.names(), ["a", "b.gz"]);
}

#[test]
fn a_full_disk_on_stderr_changes_nothing() {
    let folder = Folder::new();
    folder.write("a", &prose(1000));
    for (words, status) in [("-kv a", 0), ("-k a", 2), ("missing", 1), ("-X", 1), ("-dvf a.gz", 0)] {
        let output = shell(&folder, &format!("$rigz {words} 2>/dev/full"));
        assert_eq!(output.status.code(), Some(status), "{words}");
    }
    assert_eq!(folder.names(), ["a"]);
    assert_eq!(folder.read("a"), prose(1000));
}

#[test]
fn a_closed_descriptor_is_an_error_where_it_is_needed() {
    let folder = Folder::new();
    folder.write("a", &prose(1000));
    folder.write("b.gz", &judge("gzip", &["-c"], b"data"));
    // With -p2 and two files, workers decode them.
    for words in
        ["-c a", "-dc b.gz", "-dc", "-l b.gz", "-lv b.gz", "-t --json b.gz", "-V", "-p2 -dc b.gz b.gz"]
    {
        let output = shell(&folder, &format!("$rigz {words} <b.gz >&-"));
        let printed = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}: {printed}");
        for line in printed.lines() {
            assert_eq!(line, "rigz: stdout: Bad file descriptor", "{words}");
        }
        assert!(!printed.is_empty(), "{words}");
    }
    for words in ["-c", "-c -", "-dc", "-t", "-l"] {
        let output = shell(&folder, &format!("$rigz {words} <&-"));
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert_eq!(text(&output.stderr), "rigz: stdin: Bad file descriptor\n", "{words}");
        assert!(output.stdout.is_empty(), "{words}");
    }
    // A descriptor that is not used does not matter, nor does stderr.
    fs::remove_file(folder.join("b.gz")).unwrap();
    for words in ["a", "-t a.gz", "-p2 -t a.gz a.gz", "-d a.gz", "-kv a", "-df a.gz"] {
        let output = shell(&folder, &format!("$rigz {words} <&- >&- 2>&-"));
        assert_eq!(output.status.code(), Some(0), "{words}");
    }
    assert_eq!(folder.names(), ["a"]);
    assert_eq!(folder.read("a"), prose(1000));
    let output =
        shell(&folder, "$rigz -c a 2>&- | $rigz -dc 2>&- | cmp - a && $rigz -c </dev/null >/dev/null");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_closed_pipe_is_an_error_if_the_parent_ignores_its_signal() {
    let folder = Folder::new();
    let plain = prose(3 << 20);
    folder.write("a", &plain);
    folder.write("b.gz", &judge("gzip", &["-1c"], &plain));
    // The reader has ended before the first write.
    let status = |trap: &str, words: &str| {
        let line = format!("{trap}; (sleep .2; $rigz {words}; echo status $? >&2) | true");
        text(&shell(&folder, &line).stderr)
    };
    for words in ["-c a", "-dc b.gz"] {
        assert_eq!(status("trap '' PIPE", words), "rigz: stdout: Broken pipe\nstatus 1\n", "{words}");
        // Otherwise the signal ends it silently.
        assert_eq!(status("trap - PIPE", words), "status 141\n", "{words}");
    }
}

#[test]
fn a_list_sums_all_members_and_all_files() {
    let folder = Folder::new();
    let members = [prose(70_000), prose(300), prose(2_000_000)];
    let zipped: Vec<u8> = members.iter().flat_map(|data| judge("gzip", &["-c"], data)).collect();
    folder.write("many.gz", &zipped);
    folder.write("one.gz", &judge("gzip", &["-c"], b"data"));
    let list = text(&folder.rigz(&["-l", "many.gz", "one.gz"]).stdout);
    let lines: Vec<Vec<_>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    let len: usize = members.iter().map(Vec::len).sum();
    assert_eq!(lines[1][..2], [zipped.len().to_string(), len.to_string()], "{list}");
    assert_eq!(lines[3][1], (len + 4).to_string(), "{list}");
    let piped = run(command(RIGZ, &folder.0).arg("-l"), &zipped);
    assert!(text(&piped.stdout).contains(&len.to_string()), "{piped:?}");
}

#[test]
fn on_a_terminal_long_work_shows_a_bar_and_erases_it() {
    let folder = Folder::new();
    folder.write("a", &prose(3 << 20));
    // script(1) provides a terminal. The second half of the input arrives after the bar has appeared.
    let on_terminal = |words: &str| {
        let line = format!("(cat a; sleep 1.5; cat a) | {RIGZ} -1c{words} > a.gz; echo status $?");
        run(command("script", &folder.0).args(["-qec", &line, "/dev/null"]), b"")
    };
    if !shell(&folder, "type script").status.success() {
        return eprintln!("script(1) is not installed: not tested");
    }
    let printed = text(&on_terminal("").stdout);
    assert!(
        printed.contains("stdin") && printed.contains("MiB") && printed.contains("status 0"),
        "{printed:?}"
    );
    let left = printed.rsplit("\x1b[2K").next().unwrap_or_default();
    assert!(!left.contains("MiB"), "it is erased: {printed:?}");
    assert_eq!(text(&on_terminal("q").stdout).trim(), "status 0");
    assert_eq!(folder.rigz(&["-t", "a.gz"]).status.code(), Some(0));
}
