//! `-o`, names that are too long, zip files, and unsupported formats.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
use common::{Folder, RIGZ, command, judge, prose, run, states_in, text};
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;

#[test]
fn o_names_the_output_and_keeps_the_input() {
    let folder = Folder::new();
    let data = prose(200_000);
    let input = folder.write("a", &data);
    fs::set_permissions(&input, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(folder.rigz(&["-9", "-o", "out/x", "a"]).status.code() == Some(1), "there is no such folder");
    fs::create_dir(folder.join("out")).unwrap();
    assert!(folder.rigz(&["-9", "-o", "out/x", "a"]).status.success());
    assert_eq!(folder.names(), ["a", "out"]);
    assert!(judge("gzip", &["-dc"], &folder.read("out/x")) == data);
    let mode = fs::metadata(folder.join("out/x")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640, "as the input");
    // Decompression needs no suffix then; an existing output needs -f, and is replaced completely.
    assert!(folder.rigz(&["-d", "--output=back", "out/x"]).status.success());
    assert!(folder.read("back") == data);
    let again = folder.rigz(&["-d", "-o", "back", "out/x"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("back already exists"), "{}", text(&again.stderr));
    assert!(folder.rigz(&["-dfo", "back", "out/x"]).status.success());
    // From a pipe, with the permissions that the umask allows; `-` is standard output.
    let script =
        format!("umask 022; {RIGZ} -o piped < a && {RIGZ} -dc piped | {RIGZ} -o - | gzip -dc | cmp - a");
    let output = run(command("bash", &folder.0).arg("-c").arg(script), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(fs::metadata(folder.join("piped")).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn o_never_destroys_a_file() {
    let folder = Folder::new();
    folder.write("a", b"data");
    folder.write("b", b"data");
    symlink("a", folder.join("link")).unwrap();
    for words in [
        &["-o", "x", "a", "b"][..],
        &["-r", "-o", "x", "."],
        &["-t", "-o", "x", "a"],
        &["-l", "-o", "x", "a"],
        &["-c", "-o", "x", "a"],
        &["-f", "-o", "a", "a"],
        &["-f", "-o", "link", "a"],
        &["-o", ".", "a"],
    ] {
        assert_eq!(folder.rigz(words).status.code(), Some(1), "{words:?}");
        assert_eq!((folder.names().len(), folder.read("a")), (3, b"data".to_vec()), "{words:?}");
    }
    // A device or a pipe is written to, not replaced.
    assert!(folder.rigz(&["-f", "-o", "/dev/null", "a"]).status.success());
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let script = format!("mkfifo pipe; gzip -dc < pipe & {RIGZ} -o pipe a; wait");
    let output = run(command("bash", &folder.0).arg("-c").arg(script), b"");
    assert_eq!(text(&output.stdout), "data");
    assert!(fs::metadata(folder.join("pipe")).unwrap().file_type().is_fifo());
}

#[test]
fn o_follows_links() {
    let folder = Folder::new();
    let data = prose(1000);
    folder.write("a", &data);
    folder.write("old", b"old");
    symlink("old", folder.join("one")).unwrap();
    symlink(folder.join("one"), folder.join("two")).unwrap();
    symlink("new", folder.join("dangling")).unwrap();
    symlink("self", folder.join("self")).unwrap();
    let names = ["a", "dangling", "new", "old", "one", "self", "two"];
    let output = folder.rigz(&["-o", "two", "a"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(folder.read("old"), b"old");
    for (words, target) in [(&["-o", "dangling", "a"][..], "new"), (&["-fo", "two", "a"], "old")] {
        let output = folder.rigz(words);
        assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
        assert!(judge("gzip", &["-dc"], &folder.read(target)) == data, "{words:?}");
    }
    let output = folder.rigz(&["-fo", "self", "a"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    for name in ["dangling", "one", "self", "two"] {
        assert!(fs::symlink_metadata(folder.join(name)).unwrap().is_symlink(), "{name}");
    }
    assert_eq!(folder.names(), names);
}

#[test]
fn o_writes_to_the_descriptor_that_a_path_leads_to() {
    let folder = Folder::new();
    let data = prose(1000);
    folder.write("a", &data);
    for (number, name) in (0..).zip(["zero", "one", "two", "three"]) {
        symlink(format!("/proc/self/fd/{number}"), folder.join(name)).unwrap();
    }
    for line in [
        "$rigz -fo one a >out",
        "$rigz -o one a >out",
        "$rigz -o two a 2>out",
        "$rigz -o three a 3>out",
        "$rigz -o /dev/fd/3 a 3>out",
        "exec 3>out; rm out; $rigz -o three a; cat /dev/fd/3 >out",
        // The output is appended, and the next program's output follows it.
        "gzip -c empty >out; $rigz -o one a >>out",
        "(gzip -c empty; $rigz -fo one a; gzip -c empty) >out",
        "$rigz --json -o one a >out 2>report",
        "$rigz -o one a | cat >out",
    ] {
        folder.write("empty", b"");
        let mut shell = command("bash", &folder.0);
        let output = run(shell.env("rigz", RIGZ).args(["-c", line]), b"");
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        assert!(judge("gzip", &["-dc"], &folder.read("out")) == data, "{line}");
        for name in ["one", "two", "three"] {
            assert!(fs::symlink_metadata(folder.join(name)).unwrap().is_symlink(), "{line}: {name}");
        }
        fs::remove_file(folder.join("out")).unwrap();
    }
    for (line, message) in [
        ("$rigz -o one a >&-", "stdout: Bad file descriptor"),
        ("$rigz -o three a 3<a", "three: is also the input"),
        ("$rigz -o zero a <empty", "zero: Bad file descriptor"),
        ("$rigz -fo one a >>a", "one: is also the input"),
    ] {
        let mut shell = command("bash", &folder.0);
        let output = run(shell.env("rigz", RIGZ).args(["-c", line]), b"");
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert_eq!(text(&output.stderr), format!("rigz: {message}\n"), "{line}");
        assert!(folder.read("a") == data, "{line}");
    }
}

/// Runs gzip and rigz with the same arguments on the same file, and compares files, messages and exit status.
fn as_gzip(name: &str, words: &[&str]) {
    let (one, other) = (Folder::new(), Folder::new());
    for (program, folder) in [("gzip", &one), (RIGZ, &other)] {
        let path = folder.write(name, &prose(300));
        let time = fs::FileTimes::new()
            .set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000));
        fs::File::open(&path).unwrap().set_times(time).unwrap();
        let output = run(command(program, &folder.0).args(words).arg(name), b"");
        let printed = text(&output.stderr).replace("gzip:", "rigz:");
        folder.write("printed", format!("{:?} {printed}", output.status.code()).as_bytes());
    }
    assert_eq!(text(&one.read("printed")), text(&other.read("printed")), "{name} {words:?}");
    for folder in [&one, &other] {
        fs::remove_file(folder.join("printed")).unwrap();
    }
    assert_eq!(states_in(&one.0), states_in(&other.0), "{name} {words:?}");
}

#[test]
fn names_that_are_too_long_are_shortened_as_gzip_does() {
    for name in [
        "a".repeat(253),
        "a".repeat(255),
        "a".repeat(249) + ".tar",
        "a".repeat(249) + ".txt",
        "a".repeat(240) + ".b.txt.long.c",
        "ab.".repeat(84) + "x",
        "a.".repeat(126) + "a",
        "a".repeat(251) + "..",
    ] {
        as_gzip(&name, &[]);
        as_gzip(&name, &["-nk"]);
        as_gzip(&name, &["-q"]);
    }
    as_gzip(&"a".repeat(252), &[]);
    as_gzip(&"a".repeat(250), &["-S", ".longer"]);
    // The header has the whole name, which -N restores.
    let folder = Folder::new();
    let name = "n".repeat(254);
    folder.write(&name, b"data");
    assert!(folder.rigz(&["-n", &name]).status.success());
    assert!(folder.rigz(&["-dN", &folder.names()[0]]).status.success());
    assert_eq!(folder.names(), [name]);
}

/// Creates a zip file with Debian's zip.
fn zip(folder: &Folder, words: &[&str], input: &[u8]) {
    let output = run(command("zip", &folder.0).arg("-q").args(words), input);
    assert!(output.status.success(), "zip {words:?}: {}", text(&output.stderr));
}

#[test]
fn the_first_entry_of_a_zip_file_is_read_as_by_gzip_and_pigz() {
    if !Path::new("/usr/bin/zip").exists() {
        return;
    }
    let folder = Folder::new();
    let data = prose(300_000);
    folder.write("a", &data);
    folder.write("b", b"another");
    zip(&folder, &["one.zip", "a"], b"");
    zip(&folder, &["-0", "stored.zip", "a"], b"");
    zip(&folder, &["two.zip", "a", "b"], b"");
    zip(&folder, &["-e", "-P", "x", "locked.zip", "a"], b"");
    // The lengths follow the data, in eight bytes each; gzip cannot read this.
    let piped = run(command("zip", &folder.0).args(["-q", "-", "-"]), &data).stdout;
    folder.write("piped.zip", &piped);
    fs::remove_file(folder.join("a")).unwrap();
    for name in ["one.zip", "stored.zip", "piped.zip"] {
        let output = folder.rigz(&["-dc", name]);
        assert!(output.status.success() && output.stdout == data, "{name}: {}", text(&output.stderr));
        assert!(
            run(command(RIGZ, &folder.0).arg("-d"), &folder.read(name)).stdout == data,
            "{name} from a pipe"
        );
        assert!(folder.rigz(&["-t", name]).status.success(), "{name}");
        let mut damaged = folder.read(name);
        damaged[20_000] ^= 8;
        let output = run(command(RIGZ, &folder.0).arg("-t"), &damaged);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", text(&output.stderr));
        damaged.truncate(10_000);
        assert_eq!(run(command(RIGZ, &folder.0).arg("-t"), &damaged).status.code(), Some(1), "{name}");
    }
    // The first of two entries, with gzip's messages; no file is replaced.
    for words in [&["-dc"][..], &["-t"], &["-d", "-S", ".zip"]] {
        let [ours, gzips] =
            [RIGZ, "gzip"].map(|program| run(command(program, &folder.0).args(words).arg("two.zip"), b""));
        assert_eq!(ours.status.code(), gzips.status.code(), "{words:?}");
        assert_eq!(text(&ours.stderr), text(&gzips.stderr).replace("gzip:", "rigz:"), "{words:?}");
        assert!(ours.stdout == gzips.stdout, "{words:?}");
    }
    let output = folder.rigz(&["-dc", "locked.zip"]);
    assert!(text(&output.stderr).contains("encrypted file -- use unzip"), "{}", text(&output.stderr));
    // As in pigz, the entry replaces the zip file.
    assert!(folder.rigz(&["-d", "one.zip"]).status.success());
    assert!(folder.read("one") == data && !folder.has("one.zip"));
    assert!(folder.has("two.zip") && !folder.has("two"));
    assert!(text(&folder.rigz(&["-l", "--json", "stored.zip"]).stdout).contains("\"format\":\"zip\""));
    // A zip file is compressed like any other file.
    assert!(folder.rigz(&["-k", "two.zip"]).status.success());
    assert!(folder.has("two.zip.gz"));
}

#[test]
fn other_formats_are_named_with_the_program_that_reads_them() {
    let folder = Folder::new();
    for (name, start, program) in [
        ("a.bz2", &b"BZh91AY&SY"[..], "bzip2 -d"),
        ("a.xz", b"\xfd7zXZ\0\0\x04", "xz -d"),
        ("a.zst", b"\x28\xb5\x2f\xfd\0", "zstd -d"),
        ("a.Z", b"\x1f\x9d\x90abc", "gzip -d or uncompress"),
        ("a.lz4", b"\x04\x22\x4d\x18abc", "lz4 -d"),
    ] {
        folder.write(name, start);
        let is_known = name == "a.Z";
        for words in [&["-d"][..], &["-dc"], &["-t"]] {
            let output = folder.rigz(&[words, &[name]].concat());
            let printed = text(&output.stderr);
            let is_ignored = words == ["-d"] && !is_known;
            assert_eq!(
                output.status.code(),
                Some(if is_ignored { 2 } else { 1 }),
                "{words:?} {name}: {printed}"
            );
            let wanted = format!("{name}: compressed by ");
            assert!(printed.contains(&wanted) && printed.contains(program), "{words:?} {name}: {printed}");
        }
        // Formats that gzip does not know either are copied unchanged.
        let passed = folder.rigz(&["-dcf", name]);
        assert_eq!(passed.stdout == start, !is_known, "{name}");
        assert!(folder.has(name));
    }
}

#[test]
fn tar_works_with_rigz() {
    let folder = Folder::new();
    folder.write("a", &prose(100_000));
    let script = format!(
        "tar -I '{RIGZ} -9' -cf t.tar.gz a && mkdir b && tar -I {RIGZ} -xf t.tar.gz -C b && cmp a b/a && gzip -t t.tar.gz"
    );
    let output = run(command("bash", &folder.0).arg("-c").arg(script), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
}
