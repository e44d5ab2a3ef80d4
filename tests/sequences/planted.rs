//! Proof that the testers can fail: each is run on a libz with one known fault (`broken.c`) and must find it.
//!
//! The same library without a fault must pass, which proves that the tester finds the fault and not the wrapper.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{Folder, Mode, Tester, watch};

/// A fault occurs often; a tester that needs more seeds than this does not detect it.
const SEEDS: &str = "400";

const DEFLATE_FAULTS: &[&str] = &[
    "deflate-cut",
    "deflate-flush",
    "deflate-accepts",
    "deflate-byte",
    "deflate-overrun",
    "deflate-total-in",
    "deflate-avail-out",
    "deflate-adler",
    "deflate-end-code",
    "deflate-input",
    "deflate-data-type",
    "deflate-dictionary",
    "deflate-bound",
    "deflate-reset",
    "deflate-header",
    "deflate-dictionary-total",
    "deflate-level",
];

const INFLATE_FAULTS: &[&str] = &[
    "inflate-byte",
    "inflate-overrun",
    "inflate-buf-error",
    "inflate-message",
    "inflate-adler",
    "inflate-data-type",
    "inflate-greedy",
    "inflate-sync",
    "inflate-dictionary",
    "inflate-back",
    "uncompress-length",
    "uncompress-source",
    "inflate-window-bits",
    "inflate-header",
];

const GZ_FAULTS: &[&str] = &[
    "gz-write-short",
    "gz-read-byte",
    "gz-read-overrun",
    "gz-gets-end",
    "gz-seek",
    "gz-eof",
    "gz-close",
    "gz-ungetc",
    "gz-putc",
    "gz-flush",
    "gz-whence",
];

fn build(folder: &Folder) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/sequences/broken.c");
    let library = folder.0.join("libbroken.so");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .args([source, "-Wl,--no-as-needed", "-l:libz.so.1", "-ldl"])
        .output()
        .expect("the C compiler that builds this crate's C parts is there");
    assert!(output.status.success(), "broken.c: {}", String::from_utf8_lossy(&output.stderr));
    library
}

fn judge_fault(tester: Tester, library: &str, fault: &str, seeds: &str) -> Result<(), String> {
    watch(tester, Mode::Usual, &[("RIGZ_LIB", library), ("RIGZ_FAULT", fault), ("RIGZ_SEEDS", seeds)])
}

fn finds_all(tester: Tester, faults: &[&str]) {
    let folder = Folder::new(&format!("planted-{}", faults[0]));
    let library = build(&folder);
    let library = library.to_str().expect("a temporary path is text");
    if let Err(report) = judge_fault(tester, library, "none", "50") {
        panic!("the library without a fault fails:\n{report}");
    }
    let missed: Vec<&str> =
        faults.iter().copied().filter(|fault| judge_fault(tester, library, fault, SEEDS).is_ok()).collect();
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}

#[test]
fn planted_faults_of_deflate_are_found() {
    finds_all(Tester::Deflate, DEFLATE_FAULTS);
}

#[test]
fn planted_faults_of_inflate_are_found() {
    finds_all(Tester::Inflate, INFLATE_FAULTS);
}

#[test]
fn planted_faults_of_gz_are_found() {
    finds_all(Tester::Gz, GZ_FAULTS);
}
