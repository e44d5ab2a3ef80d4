//! `rigz bench`: its rows, and the files and settings of its surroundings.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
use common::programs::{on_full_disk, run_rigz};
use common::{Folder, RIGZ, command, judge, prose, run, text};
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

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
