//! Compares rigz with gzip: with the same arguments on the same files, both must have the same exit status, print the same messages, and
//! leave the same files with the same contents, modes, links and times.
//!
//! There are no cases where rigz differs on purpose: it continues with the next file after damaged data, a list counts all members and
//! shows files followed by zeros, a pipe has no time, a FIFO that is named after -c is waited for, and `-cv` does not report that a file
//! was replaced with stdout.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
use common::random::Random;
use common::{Folder, RIGZ, command, judge, prose, run, split, states_in, text};
use std::ffi::OsStr;
use std::fmt::Debug;
use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, UNIX_EPOCH};

const TIME: u64 = 1_234_567_890;

/// Creates the files with which all cases begin; gzip writes the compressed ones.
fn create_files(folder: &Folder) {
    let plain = prose(20_000);
    let zipped = judge("gzip", &["-9nc"], &plain);
    folder.write("plain", &plain);
    folder.write("other", &prose(300));
    folder.write("empty", b"");
    folder.write("run", &prose(500));
    folder.write("zeros", &[0; 5000]);
    folder.write("zipped.gz", &zipped);
    folder.write("both", b"in the way");
    folder.write("both.gz", &zipped);
    folder.write("many.gz", &[&zipped[..], &judge("gzip", &["-1c"], b"second\n"), &zipped].concat());
    folder.write("garbage.gz", &[&zipped[..], b"garbage"].concat());
    folder.write("padded.gz", &[&zipped[..], &[0; 1000]].concat());
    folder.write("half.gz", &[&zipped[..], &[0, 0, 7]].concat());
    folder.write("cut.gz", &zipped[..zipped.len() / 2]);
    folder.write("cut8.gz", &zipped[..zipped.len() - 8]);
    folder.write("text.gz", b"no gzip file at all");
    folder.write("nothing.gz", b"");
    folder.write("byte.gz", &[0x1f]);
    let mut damaged = zipped.clone();
    let len = damaged.len();
    damaged[len - 6] ^= 1;
    folder.write("crc.gz", &damaged);
    damaged = zipped.clone();
    damaged[len - 1] ^= 1;
    folder.write("length.gz", &damaged);
    folder.write("archive.tgz", &zipped);
    folder.write("dash-gz", &zipped);
    folder.write("under_z", &zipped);
    folder.write("old.z", &zipped);
    // A header with another name and time than the file's.
    let named = folder.write("inside", b"named\n");
    let times = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    File::options().write(true).open(&named).unwrap().set_times(times).unwrap();
    assert!(Command::new("gzip").arg(&named).status().unwrap().success());
    fs::rename(folder.join("inside.gz"), folder.join("outside.gz")).unwrap();
    fs::create_dir_all(folder.join("tree/deep")).unwrap();
    for name in ["tree/a", "tree/b.gz", "tree/deep/c"] {
        folder.write(name, if name.ends_with("gz") { &zipped } else { &plain });
    }
    symlink("plain", folder.join("link")).unwrap();
    symlink("zipped.gz", folder.join("link.gz")).unwrap();
    folder.write("twice", &plain);
    fs::hard_link(folder.join("twice"), folder.join("again")).unwrap();
    for name in ["suid", "sgid", "sticky", "sticky.gz"] {
        folder.write(name, if name.ends_with("gz") { &zipped } else { &plain });
    }
    for name in ["pipes", "packed"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let made = command("mkfifo", &folder.0).args(["pipe", "pipes/a", "packed/b.gz"]).status().unwrap();
    assert!(made.success());
    for (name, mode) in [
        ("plain", 0o640),
        ("zipped.gz", 0o600),
        ("other", 0o444),
        ("suid", 0o4755),
        ("sgid", 0o2755),
        ("sticky", 0o1644),
        ("sticky.gz", 0o1644),
    ] {
        fs::set_permissions(folder.join(name), Permissions::from_mode(mode)).unwrap();
    }
    set_times(&folder.0);
}

/// Sets the same time for all files.
fn set_times(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let status = fs::symlink_metadata(&path).unwrap();
        if status.is_dir() {
            set_times(&path);
        } else if status.is_file() {
            let time = UNIX_EPOCH + Duration::from_secs(TIME);
            let file = File::open(&path).unwrap();
            file.set_times(FileTimes::new().set_accessed(time).set_modified(time)).unwrap();
        }
    }
}

/// The sorted words of the messages, without ratios: gzip breaks its lines in other places.
fn printed(stderr: &[u8]) -> Vec<String> {
    let text = text(stderr).replace("rigz", "gzip");
    let mut words: Vec<_> = text
        .split_whitespace()
        .map(|word| if word.ends_with('%') { "%".into() } else { word.to_owned() })
        .collect();
    words.sort();
    words
}

/// A list's columns without those that depend on the encoder.
fn without_figures(stdout: &[u8]) -> String {
    let lines = text(stdout);
    let keep = |word: &&str| !word.ends_with('%');
    lines
        .lines()
        .map(|line| line.split_whitespace().filter(keep).collect::<Vec<_>>().join(" ") + "\n")
        .collect()
}

/// Runs both with the same arguments and compares everything.
fn compare(words: &str, input: &[u8], env: Option<&str>) {
    let differences = differences(words, input, env);
    assert!(differences.is_empty(), "{differences}");
}

fn differences(words: &str, input: &[u8], env: Option<&str>) -> String {
    let [ours, theirs] = ["rigz", "gzip"].map(|_| {
        let folder = Folder::new();
        create_files(&folder);
        folder
    });
    let outputs = [(RIGZ, &ours), ("gzip", &theirs)].map(|(program, folder)| {
        // A program that waits forever has exit status 124.
        let mut command = command("timeout", &folder.0);
        command.args(["60", program]).args(words.split_whitespace());
        env.map(|value| command.env("GZIP", value));
        run(&mut command, input)
    });
    let [our, their] = &outputs;
    let mut found = String::new();
    let mut note = |what: &str, ours: &dyn Debug, theirs: &dyn Debug| {
        found += &format!("\n{what} of `{words}` {env:?}\n  rigz: {ours:?}\n  gzip: {theirs:?}\n");
    };
    if our.status.code() != their.status.code() {
        note("exit status", &our.status.code(), &their.status.code());
    }
    if printed(&our.stderr) != printed(&their.stderr) {
        note("stderr", &text(&our.stderr), &text(&their.stderr));
    }
    let is_list = words.starts_with("-l");
    let lists = [&our.stdout, &their.stdout].map(|stdout| without_figures(stdout));
    if is_list && lists[0] != lists[1] {
        note("list", &lists[0], &lists[1]);
    }
    if !is_list && split(our.stdout.clone()) != split(their.stdout.clone()) {
        note("stdout", &our.stdout.len(), &their.stdout.len());
    }
    let left = [&ours, &theirs].map(|folder| states_in(&folder.0));
    if left[0] != left[1] {
        let only = |one: usize| {
            left[one].iter().filter(|(name, file)| left[1 - one].get(*name) != Some(file)).collect::<Vec<_>>()
        };
        note("files", &only(0), &only(1));
    }
    found
}

fn compare_all(cases: &[&str]) {
    let found: String = cases.iter().map(|words| differences(words, b"", None)).collect();
    assert!(found.is_empty(), "{found}");
}

#[test]
fn compression_leaves_the_same_files_as_gzip() {
    compare_all(&[
        "plain",
        "-9v plain other empty zeros",
        "-1 plain other",
        "-k plain",
        "-kv plain",
        "-c plain other",
        "-c -v other -q",
        "-n plain",
        "-nN plain",
        "-cn plain",
        "-S .x plain",
        "-S.x -v plain",
        "--suffix=.x --fast plain",
        "--best --keep --no-name plain empty",
        "--synchronous plain",
        "--rsyncable plain",
        "-r tree",
        "-rv tree plain",
        "-q plain",
        "-- plain",
        "-a plain",
        "./run",
    ]);
}

#[test]
fn a_time_that_no_header_can_have_is_a_warning_as_in_gzip() {
    for (words, status) in [("-k a", 2), ("-kq a", 2), ("-kn a", 0), ("-c a", 2)] {
        for time in ["@0", "@-5", "@4294967296"] {
            let outcome = [RIGZ, "gzip"].map(|program| {
                let folder = Folder::new();
                folder.write("a", b"data");
                let touched = command("touch", &folder.0).args(["-d", time, "a"]).status().unwrap();
                assert!(touched.success());
                let output = run(command(program, &folder.0).args(words.split(' ')), b"");
                let zipped = if words == "-c a" { output.stdout } else { folder.read("a.gz") };
                (output.status.code(), printed(&output.stderr), split(zipped))
            });
            assert_eq!(outcome[0], outcome[1], "{words} {time}");
            assert_eq!(outcome[0].0, Some(status), "{words} {time}");
        }
    }
}

#[test]
fn files_that_gzip_refuses_are_refused() {
    compare_all(&[
        "zipped.gz",
        "-v zipped.gz plain",
        "-q zipped.gz",
        "tree",
        "-q tree",
        "link",
        "twice",
        "-k twice",
        "suid",
        "sgid",
        "sticky",
        "pipe",
        "missing",
        "missing plain",
        "-q missing",
        "both",
        "-d plain",
        "-dq plain",
        "-d missing",
        "-dv missing.gz",
        "-d both.gz",
        "-d link.gz",
        "-d -r tree",
        "-d plain zipped.gz",
    ]);
}

#[test]
fn force_works_as_in_gzip() {
    compare_all(&[
        "-f both",
        "-f zipped.gz",
        "-f twice",
        "-fk link",
        "-f suid",
        "-f sgid",
        "-fk sticky",
        "-df sticky.gz",
        "-df both.gz",
        "-dcf plain",
        "-dcf text.gz plain zipped.gz",
        "-cf plain",
    ]);
}

#[test]
fn zcat_f_copies_what_follows_the_last_member_as_gzip_does() {
    compare_all(&["-dcf garbage.gz", "-dcf padded.gz half.gz many.gz", "-dcfq garbage.gz", "-df garbage.gz"]);
    let zipped = judge("gzip", &["-c"], &prose(5000));
    // A member after other data is copied, too, and so is a byte that could begin one.
    for rest in [&b"garbage"[..], &[0; 1000], &[0], &[0, 7], &[0x1f], &[b"\n", &zipped[..]].concat()] {
        let data = [&zipped[..], rest].concat();
        compare("-dcf", &data, None);
        compare("-df", &data, None);
        compare("-dcf - plain", &data, None);
    }
}

#[test]
fn what_follows_the_last_member_is_ignored_or_an_error_as_in_gzip() {
    let folder = Folder::new();
    let all: &[&[u8]] = &[
        b"x",
        b"\x1f",
        b"\0",
        b"xy",
        b"\x1f\x8b",
        b"\x1f\x8b\x08",
        b"\x1f\x9d",
        b"\x1f\x1e",
        b"\0\0",
        b"\0x",
        b"x\0",
        b"\x1fx",
    ];
    // The second is too long to be decoded from the first buffer; if it is a file, workers decode it.
    for (plain, rests) in [(prose(5000), all), (Random::new(3).bytes(2 << 20), &all[..4])] {
        let zipped = judge("gzip", &["-1c"], &plain);
        for rest in rests {
            let data = [&zipped[..], rest].concat();
            for words in ["-t", "-dc", "-dk", "-d", "-l"] {
                // gzip shows no line for a file that bytes follow.
                let outcome = |program: &str, is_piped: bool| {
                    folder.write("a.gz", &data);
                    let mut command = command(program, &folder.0);
                    let output = match is_piped {
                        true => run(command.arg(words), &data),
                        false => run(command.args([words, "a.gz"]), b""),
                    };
                    let stdout = if words == "-l" { Vec::new() } else { output.stdout };
                    let names = folder.names();
                    _ = fs::remove_file(folder.join("a"));
                    // rigz names the format and the program that reads it.
                    let foreign = matches!(rest, [0x1f, 0x9d | 0x1e]);
                    let message = if foreign { Vec::new() } else { printed(&output.stderr) };
                    (output.status.code(), message, names, stdout)
                };
                for is_piped in [false, true] {
                    let [ours, theirs] = [RIGZ, "gzip"].map(|program| outcome(program, is_piped));
                    let facts = (words, rest, is_piped, plain.len());
                    assert_eq!((ours.0, &ours.1, &ours.2), (theirs.0, &theirs.1, &theirs.2), "{facts:?}");
                    assert!(ours.3 == theirs.3, "{facts:?}: {} and {} bytes", ours.3.len(), theirs.3.len());
                }
            }
        }
    }
}

#[test]
fn zcat_f_copies_what_follows_a_large_file() {
    // Too long to be decoded from the first buffer, and from a file, not a pipe: the library reads it.
    let mut data = judge("gzip", &["-c"], &Random::new(3).bytes(1 << 20));
    data.extend_from_slice(b"plain text");
    data.resize(data.len() + (1 << 20), 0);
    let folder = Folder::new();
    folder.write("large.gz", &data);
    let [ours, theirs] =
        [RIGZ, "gzip"].map(|program| run(command(program, &folder.0).args(["-dcf", "large.gz"]), b""));
    assert_eq!((ours.status.code(), text(&ours.stderr)), (Some(0), String::new()));
    assert!(ours.stdout == theirs.stdout, "{} and {} bytes", ours.stdout.len(), theirs.stdout.len());
}

#[test]
fn decompression_leaves_the_same_files_as_gzip() {
    compare_all(&[
        "-d zipped.gz",
        "-dv zipped.gz many.gz",
        "-dk zipped.gz",
        "-dc zipped.gz many.gz",
        "-d zipped",
        "-d archive.tgz dash-gz under_z old.z",
        "-d outside.gz",
        "-dN outside.gz",
        "-dNn outside.gz",
        "-dv garbage.gz",
        "-dq garbage.gz",
        "-d padded.gz",
        "-dv padded.gz",
        "-d half.gz",
        "-dr tree",
        "-S .tgz -d archive.tgz",
        "--decompress --stdout zipped.gz",
        "--uncompress zipped.gz",
    ]);
}

#[test]
fn damaged_files_are_handled_as_in_gzip() {
    compare_all(&[
        "-d cut.gz",
        "-d cut8.gz",
        "-d crc.gz",
        "-d length.gz",
        "-d text.gz",
        "-d nothing.gz",
        "-d byte.gz",
        "-t cut.gz zipped.gz",
        "-t text.gz",
        "-dq crc.gz",
    ]);
}

#[test]
fn tests_and_lists_print_the_same_as_gzip() {
    compare_all(&[
        "-t zipped.gz",
        "-tv zipped.gz many.gz",
        "-tv garbage.gz",
        "-t padded.gz",
        "-tv padded.gz",
        "-tv link.gz",
        "-l zipped.gz",
        "-lv zipped.gz",
        "-lN outside.gz",
        "-lvN outside.gz",
        "-lq zipped.gz",
        "-lq zipped.gz outside.gz",
        "-l zipped.gz archive.tgz outside.gz",
        "-lv zipped.gz outside.gz",
        "-l cut.gz",
        "-l missing",
    ]);
}

#[test]
fn the_totals_of_a_list_are_gzips() {
    let folder = Folder::new();
    for (name, data) in [("long-name", prose(3000)), ("b", prose(500)), ("empty", Vec::new())] {
        folder.write(name, &data);
        assert!(command("gzip", &folder.0).arg(name).status().unwrap().success());
    }
    folder.write("text.gz", b"no gzip file at all");
    for words in [
        "long-name b",
        "b long-name",
        "empty b",
        "b empty",
        "empty empty",
        "b missing",
        "missing b",
        "missing missing",
        "b text.gz long-name",
        "-v b long-name",
        "-q b long-name",
        "-r .",
    ] {
        let [ours, theirs] = [RIGZ, "gzip"].map(|program| {
            let output = run(command(program, &folder.0).arg("-l").args(words.split(' ')), b"");
            (output.status.code(), text(&output.stdout), printed(&output.stderr))
        });
        assert!(ours == theirs, "{words}:\n{ours:?}\n{theirs:?}");
    }
}

#[test]
fn a_folder_that_may_not_be_read_is_not_synced_as_in_gzip() {
    for (words, name) in [
        ("--synchronous plain", "plain"),
        ("-d --synchronous zipped.gz", "zipped.gz"),
        ("-f --synchronous both", "both"),
    ] {
        let outcome = [RIGZ, "gzip"].map(|program| {
            let folder = Folder::new();
            create_files(&folder);
            fs::set_permissions(&folder.0, Permissions::from_mode(0o333)).unwrap();
            // Root may read every folder, so root runs this as another user.
            let line = format!(
                "if [ $(id -u) != 0 ]; then exec {program} {words}; fi
                 chown 65534 . {name}; exec setpriv --reuid=65534 --regid=65534 --clear-groups {program} {words}"
            );
            let output = run(command("bash", &folder.0).args(["-c", &line]), b"");
            fs::set_permissions(&folder.0, Permissions::from_mode(0o777)).unwrap();
            (output.status.code(), printed(&output.stderr), folder.names())
        });
        assert_eq!(outcome[0], outcome[1], "{words}");
    }
}

#[test]
fn names_that_are_no_text_are_printed_as_in_gzip() {
    let folder = Folder::new();
    let name = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    for bytes in [&b"a\xff"[..], b"b\xfe\xc3\xa9", b"c\xf4\x8f\xbf\xbf"] {
        let packed = name(&[bytes, b".gz"].concat());
        fs::write(folder.0.join(&packed), judge("gzip", &["-c"], b"data")).unwrap();
        fs::write(folder.0.join(name(bytes)), b"data").unwrap();
        for words in ["-l", "-tv", "-d", "-k", "-kv"] {
            let word = name(if words.starts_with("-k") { bytes } else { packed.as_bytes() });
            let [ours, theirs] = [RIGZ, "gzip"]
                .map(|program| run(command(program, &folder.0).args([words.as_ref(), &*word]), b""));
            let printed = |output: &Output| {
                let lines = [&output.stdout[..], &output.stderr].concat();
                lines.windows(bytes.len()).filter(|part| *part == bytes).count()
            };
            assert!(printed(&ours) > 0, "{words} {word:?}: {ours:?}");
            assert_eq!(printed(&ours), printed(&theirs), "{words} {word:?}: {ours:?} {theirs:?}");
        }
        let output = folder.rigz(&["-l".as_ref(), "--json".as_ref(), &*packed]);
        let row: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        // A byte that is no text is a character from U+10FF80 on.
        let decoded: Vec<u8> = row["name"]
            .as_str()
            .unwrap()
            .chars()
            .flat_map(|char| match u32::from(char) {
                code @ 0x10_ff80.. => vec![code as u8],
                _ => char.to_string().into_bytes(),
            })
            .collect();
        assert_eq!(decoded, bytes, "{row}");
    }
}

#[test]
fn with_r_tests_and_lists_skip_files_without_a_suffix_as_in_gzip() {
    // A file that is named explicitly is skipped as well.
    compare_all(&["-tr tree", "-trv tree", "-trq tree", "-tr tree plain", "-tr plain", "-trv plain"]);
    compare_all(&["-lr tree", "-lrv tree", "-lrq tree", "-lr plain"]);
    compare_all(&["-t plain", "-l plain"]);
    let zipped = judge("gzip", &["-c"], b"data");
    for words in ["-tr", "-tr -", "-lr"] {
        compare(words, &zipped, None);
    }
}

#[test]
fn pipes_work_as_in_gzip() {
    let plain = prose(5000);
    let zipped = judge("gzip", &["-c"], &plain);
    for words in ["", "-9", "-c", "-", "-n9", "-v"] {
        compare(words, &plain, None);
    }
    compare("-c plain - other", &plain, None);
    compare("", b"", None);
    for words in ["-d", "-dc", "-d -", "-t", "-tv", "-l", "-dv"] {
        compare(words, &zipped, None);
    }
    compare("-d", b"no gzip", None);
    compare("-d", b"", None);
    compare("-dcf", b"no gzip", None);
    compare("-d", &zipped[..50], None);
}

#[test]
fn a_fifo_without_a_writer_in_a_folder_is_empty_as_in_gzip() {
    // A pipe has no time in rigz, so -n.
    compare_all(&["-rcn pipes", "-rcn pipes/a", "-rcfn pipes tree", "-rcnq packed", "-rckn pipes"]);
    compare_all(&["-rdc pipes", "-rdc packed", "-rdcf pipes", "-rdcq packed"]);
    compare_all(&["-r pipes", "-rq pipes", "-rd packed", "-rdf packed", "-rk pipes packed"]);
    compare_all(&["-rt pipes", "-rtv pipes", "-rt packed", "-rl packed", "-rlv pipes"]);
}

#[test]
fn the_writer_of_a_fifo_may_be_slow_and_for_a_named_one_late() {
    let plain = prose(300_000);
    for line in [
        "$rigz -c <(sleep .3; cat plain)",
        "$rigz -rc <(sleep .3; cat plain)",
        "mkdir in; mkfifo in/a; (sleep .3; cat plain) >in/a & sleep .1; $rigz -rc in",
        "mkdir in; mkfifo in/a; ln -s in/a link; (cat plain; sleep .3) >in/a & sleep .1; $rigz -rc link",
        // gzip would not wait for these.
        "(sleep .5; cat plain >pipe) & $rigz -c pipe",
        "(sleep .5; cat plain >pipe) & $rigz -o out pipe && cat out",
    ] {
        let folder = Folder::new();
        folder.write("plain", &plain);
        assert!(command("mkfifo", &folder.0).arg("pipe").status().unwrap().success());
        let mut shell = command("timeout", &folder.0);
        let output = run(shell.args(["20", "bash", "-c", line]).env("rigz", RIGZ), b"");
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        assert!(judge("gzip", &["-dc"], &output.stdout) == plain, "{line}");
    }
}

#[test]
fn the_variable_gzip_works_as_in_gzip() {
    for value in
        ["-9", "-q", "-9v", "--best --no-name", "-n", "", "-d", "-k", "foo", "-9c", "--keep", "-1 -q"]
    {
        compare("plain", b"", Some(value));
    }
    compare("-q plain", b"", Some("-v"));
}

#[test]
fn the_value_of_a_short_option_may_begin_with_an_equals_sign() {
    compare_all(&[
        "-S=.x plain",
        "-S=x -v plain",
        "-S= plain",
        "-kS== plain",
        "-S =.x plain",
        "--suffix==.x plain",
    ]);
    let folder = Folder::new();
    folder.write("a", b"data");
    assert!(folder.rigz(&["-kC=text", "a"]).status.success());
    assert_eq!(&folder.read("a.gz")[10..18], b"a\0=text\0");
    assert!(folder.rigz(&["-o=out", "a"]).status.success());
    assert!(folder.has("=out"));
    for words in [["-p=2", "a"], ["-b=128", "a"]] {
        assert_eq!(folder.rigz(&words).status.code(), Some(1), "as in pigz: {words:?}");
    }
}

/// The long options of gzip 1.12 without those with a value.
const LONG: [&str; 23] = [
    "ascii",
    "best",
    "decompress",
    "fast",
    "force",
    "help",
    "keep",
    "license",
    "list",
    "lzw",
    "name",
    "no-name",
    "quiet",
    "recursive",
    "rsyncable",
    "silent",
    "stdout",
    "synchronous",
    "test",
    "to-stdout",
    "uncompress",
    "verbose",
    "version",
];

#[test]
fn long_options_may_be_shortened_as_in_gzip() {
    let folder = Folder::new();
    folder.write("a", b"data");
    let mut prefixes: Vec<_> =
        LONG.iter().flat_map(|name| (1..=name.len()).map(|len| &name[..len])).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    let mut cases: Vec<_> = prefixes.iter().map(|prefix| vec![format!("--{prefix}")]).collect();
    for name in ["suffix", "bits"] {
        for len in 1..=name.len() {
            cases.push(vec![format!("--{}=9", &name[..len])]);
            cases.push(vec![format!("--{}", &name[..len]), "9".into()]);
        }
    }
    cases.push(vec!["--suf".into(), "-11".into()]);
    cases.push(vec!["--bits=".into()]);
    cases.push(vec!["--bits=x".into()]);
    let mut accepted = 0;
    for case in cases {
        let [ours, theirs] = [RIGZ, "gzip"].map(|program| {
            let output = run(command(program, &folder.0).arg("-k").args(&case).arg("a"), b"");
            let names = folder.names();
            for name in names.iter().filter(|name| *name != "a") {
                fs::remove_file(folder.join(name)).unwrap();
            }
            (output.status.code(), names)
        });
        assert_eq!(ours, theirs, "{case:?}");
        accepted += usize::from(ours.0 == Some(0));
    }
    assert!(accepted > 60, "{accepted}");
}

#[test]
fn invalid_options_end_with_gzips_exit_status() {
    for words in [&["--nonsense"][..], &["-S", "", "plain"], &["-X"], &["-p"]] {
        let folder = Folder::new();
        let output = folder.rigz(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert!(text(&output.stderr).contains("Try `rigz --help'"), "{words:?}: {}", text(&output.stderr));
    }
}

#[test]
fn the_names_gunzip_and_zcat_decompress() {
    let folder = Folder::new();
    create_files(&folder);
    for name in ["gunzip", "unrigz", "zcat", "rzcat"] {
        symlink(RIGZ, folder.join(name)).unwrap();
    }
    for name in ["zcat", "rzcat"] {
        let output = run(command(folder.join(name), &folder.0).arg("zipped"), b"");
        assert_eq!(output.stdout, prose(20_000), "{name}");
    }
    for (name, file) in [("gunzip", "zipped"), ("unrigz", "old")] {
        let output = run(command(folder.join(name), &folder.0).arg(file), b"");
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(folder.read(file), prose(20_000));
    }
}
