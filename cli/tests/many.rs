//! Many files at once: for any number of threads, the same files are left and the same lines are
//! printed in the same order; memory does not grow with the number of files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
use common::{Folder, RIGZ, command, judge, prose, run, states_in, text};
use std::fs::{self, FileTimes};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, UNIX_EPOCH};

/// Files of all sorts in several folders: small and large, damaged, linked, not readable as gzip.
fn tree(folder: &Folder, is_packed: bool) {
    let plain = prose(40_000);
    for index in 0..120 {
        let place = format!("d{}", index % 7);
        fs::create_dir_all(folder.join(&place)).unwrap();
        let data = &plain[index * 100..][..index * 200 + 1];
        if is_packed {
            let mut zipped = judge("gzip", &["-c"], data);
            if index % 20 == 3 {
                zipped.truncate(zipped.len() - 5);
            }
            folder.write(&format!("{place}/f{index}.gz"), &zipped);
        } else {
            folder.write(&format!("{place}/f{index}"), data);
        }
    }
    let large = prose(3 << 20);
    let large = if is_packed { judge("gzip", &["-c"], &large) } else { large };
    folder.write(if is_packed { "d3/large.gz" } else { "d3/large" }, &large);
    folder.write("d2/other.txt.gz", b"this is no gzip file");
    folder.write("d2/f2", b"in the way");
    fs::hard_link(folder.join("d2/other.txt.gz"), folder.join("d2/twin.gz")).unwrap();
    symlink("other.txt.gz", folder.join("d2/link.gz")).unwrap();
    // A header has the file's time.
    let times = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    for name in states_in(&folder.0).keys() {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).unwrap().is_file() {
            fs::File::open(&path).unwrap().set_times(times).unwrap();
        }
    }
}

fn outcome(words: &[&str], is_packed: bool, threads: &str) -> (Output, Folder) {
    let folder = Folder::new();
    tree(&folder, is_packed);
    // The order in which the system lists a folder may vary, so the names are sorted.
    let mut names: Vec<String> = Vec::new();
    for place in fs::read_dir(&folder.0).unwrap() {
        let place = place.unwrap().path();
        for name in fs::read_dir(&place).unwrap() {
            names.push(name.unwrap().path().strip_prefix(&folder.0).unwrap().display().to_string());
        }
    }
    names.sort();
    names.insert(30, "missing".into());
    names.insert(31, names[0].clone());
    names.push(names[5].clone());
    let output = run(command(RIGZ, &folder.0).args(words).arg(threads).args(names), b"");
    (output, folder)
}

#[test]
fn threads_change_neither_files_nor_messages() {
    for (words, is_packed) in [
        (&["-v"][..], false),
        (&["-kv9"], false),
        (&["-c"], false),
        (&["-d"], true),
        (&["-dfv"], true),
        (&["-dNv"], true),
        (&["-dc"], true),
        (&["-tv"], true),
        (&["-lv"], true),
        (&["-lv", "--json"], true),
        (&["-q"], false),
    ] {
        let (serial, files) = outcome(words, is_packed, "-p1");
        for threads in ["-p2", "-p7"] {
            let (parallel, other) = outcome(words, is_packed, threads);
            assert_eq!(text(&parallel.stderr), text(&serial.stderr), "{words:?} {threads}");
            assert!(parallel.stdout == serial.stdout, "{words:?} {threads}: standard output differs");
            assert_eq!(parallel.status, serial.status, "{words:?} {threads}");
            let (left, wanted) = (states_in(&other.0), states_in(&files.0));
            assert!(left.keys().eq(wanted.keys()), "{words:?} {threads}: other files are left");
            for (name, file) in &left {
                // New files have the current time, so only bytes and modes are compared.
                assert!(
                    fs::read(other.join(name)).ok() == fs::read(files.join(name)).ok(),
                    "{words:?} {name} {file:?}"
                );
            }
        }
        assert!(
            serial.stderr.len() + serial.stdout.len() > 100,
            "{words:?} must print something, or this test proves nothing"
        );
    }
}

#[test]
fn a_folder_is_compressed_and_decompressed_by_several_threads() {
    let folder = Folder::new();
    for index in 0..300 {
        fs::create_dir_all(folder.join(&format!("a/{}", index % 9))).unwrap();
        folder.write(&format!("a/{}/f{index}", index % 9), &prose(index * 17));
    }
    let before = states_in(&folder.0);
    assert!(folder.rigz(&["-r", "-p4", "a"]).status.success());
    assert_eq!(states_in(&folder.0).keys().filter(|name| name.ends_with(".gz")).count(), 300);
    assert!(folder.rigz(&["-dr", "-p4", "a"]).status.success());
    assert_eq!(states_in(&folder.0), before);
}

#[test]
fn related_files_are_processed_one_after_the_other() {
    for _ in 0..20 {
        let folder = Folder::new();
        // Both would become `a`: the first wins, as with gzip.
        folder.write("a.gz", &judge("gzip", &["-c"], b"first"));
        folder.write("a.z", &judge("gzip", &["-c"], b"second"));
        let output = folder.rigz(&["-d", "-p4", "a.gz", "./a.z"]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert_eq!((folder.names(), folder.read("a")), (vec!["a".into(), "a.z".into()], b"first".to_vec()));
        // The first file's result is the second's input.
        folder.write("b", b"plain");
        folder.write("b.gz", b"old");
        let output = folder.rigz(&["-f", "-p4", "b", "b.gz"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let twice = judge("gzip", &["-dc"], &folder.read("b.gz.gz"));
        assert_eq!(judge("gzip", &["-dc"], &twice), b"plain");
    }
}

#[test]
fn a_signal_leaves_no_unfinished_file_of_any_thread() {
    let folder = Folder::new();
    let data = prose(900_000);
    for index in 0..200 {
        folder.write(&format!("f{index}"), &data);
    }
    for (round, signal) in ["INT", "TERM", "HUP"].into_iter().enumerate() {
        let mut child = command(RIGZ, &folder.0);
        child.args(["-9", "-p4", "-r", "."]).stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(100 + 60 * round as u64));
        Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        child.wait().unwrap();
        let names = folder.names();
        for name in &names {
            match name.strip_suffix(".gz") {
                Some(plain) => {
                    // Complete; the input is removed or about to be.
                    assert!(judge("gzip", &["-dc"], &folder.read(name)) == data, "{name} after {signal}");
                    _ = fs::remove_file(folder.join(plain));
                }
                None => assert!(folder.read(name) == data, "{name} after {signal}"),
            }
        }
        assert!(names.iter().all(|name| name.starts_with('f')), "{names:?}");
        for index in 0..200 {
            assert!(
                folder.has(&format!("f{index}")) || folder.has(&format!("f{index}.gz")),
                "f{index} is lost"
            );
        }
    }
}

#[test]
fn memory_does_not_grow_with_the_number_of_files() {
    let folder = Folder::new();
    // Small files that become 20 MB each: 4 GB in all.
    let bomb = judge("gzip", &["-c9"], &vec![b'a'; 20_000_000]);
    assert!(bomb.len() < 100_000);
    for index in 0..200 {
        folder.write(&format!("f{index}.gz"), &bomb);
    }
    let script = format!("ulimit -v 1500000; {RIGZ} -dc -p4 *.gz | wc -c; echo ${{PIPESTATUS[0]}}");
    let output = run(command("bash", &folder.0).arg("-c").arg(script), b"");
    let printed = text(&output.stdout);
    assert_eq!(
        printed.split_whitespace().collect::<Vec<_>>(),
        ["4000000000", "0"],
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn one_thread_does_the_work_if_others_cannot_be_created() {
    let folder = Folder::new();
    for index in 0..50 {
        folder.write(&format!("f{index}"), &prose(index * 100));
    }
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o777)).unwrap();
    // The limit does not apply to root, so root runs this as another user.
    let script = format!(
        "run='ulimit -u 1; exec \"$0\" -p8 f*'; if [ $(id -u) != 0 ]; then exec bash -c \"$run\" {RIGZ}; fi
         exec setpriv --reuid=65534 --clear-groups bash -c \"$run\" {RIGZ}"
    );
    let output = run(command("bash", &folder.0).arg("-c").arg(script), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(folder.names().iter().all(|name| name.ends_with(".gz")), "{:?}", folder.names());
}
