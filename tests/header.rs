//! `include/rigz.h` is cbindgen's output for `src/capi`, and agrees with the hand-written `zlib.h`.
//!
//! The header is committed, so that a C programmer needs no Rust tool. After a change of the exports, regenerate it with
//! `RIGZ_RENEW_HEADER=1 cargo test --test header`.

#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The header as cbindgen writes it now. cbindgen reads the files of `src/capi` and not the crate, because it would export the
/// functions that other layers import.
fn generated() -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml is valid");
    // From the module's root file cbindgen follows the files next to it.
    let builder = cbindgen::Builder::new().with_config(config).with_src(root().join("src/capi/mod.rs"));
    let bindings = builder.generate().expect("cbindgen reads src/capi");
    let mut text = Vec::new();
    bindings.write(&mut text);
    without_gz_if_solo(&String::from_utf8(text).expect("cbindgen writes UTF-8"))
}

/// Hides what zlib.h hides under `Z_SOLO`, where there is no `gzFile`. cbindgen has no option for a condition.
fn without_gz_if_solo(header: &str) -> String {
    let mut text = String::new();
    let mut hidden = false;
    // A function and its comment are one paragraph.
    for paragraph in header.split_inclusive("\n\n") {
        let hides = declared(paragraph)
            .iter()
            .any(|name| ["gz", "compress", "uncompress"].iter().any(|start| name.starts_with(start)));
        if hides != hidden {
            text += if hides { "#ifndef Z_SOLO\n\n" } else { "#endif\n\n" };
            hidden = hides;
        }
        text += paragraph;
    }
    assert!(!hidden, "the header ends with other text");
    text
}

#[test]
fn rigz_h_is_the_output_of_cbindgen() {
    let path = root().join("include/rigz.h");
    let wanted = generated();
    if std::env::var_os("RIGZ_RENEW_HEADER").is_some() {
        std::fs::write(&path, &wanted).expect("include/ is writable");
    }
    let committed = std::fs::read_to_string(&path).expect("include/rigz.h is readable");
    assert!(
        committed == wanted,
        "include/rigz.h is older than src/capi: regenerate it with `RIGZ_RENEW_HEADER=1 cargo test --test header` and commit it"
    );
}

/// Names that a line of the header declares as functions.
fn declared(header: &str) -> BTreeSet<&str> {
    header
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_alphabetic()))
        .filter_map(|line| line.split_once('('))
        .filter_map(|(before, _)| before.rsplit([' ', '*']).next())
        .collect()
}

#[test]
fn rigz_h_declares_every_export_but_the_variadic_two_and_nothing_else() {
    let header = generated();
    let list = std::fs::read_to_string(root().join("exports.txt")).expect("exports.txt is readable");
    let mut exports: BTreeSet<_> = list
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(exports.remove("gzprintf") && exports.remove("gzvprintf"));
    let (own, zlibs): (BTreeSet<_>, BTreeSet<_>) =
        declared(&header).into_iter().partition(|name| name.starts_with("rigz_"));
    assert_eq!(own, BTreeSet::from(["rigz_version"]));
    assert_eq!(zlibs, exports);
}

/// Compiles a unit that includes both headers, in every dialect a program may choose.
#[test]
fn zlib_h_and_rigz_h_agree_in_one_unit() {
    let unit = scratch("both.c");
    std::fs::write(
        &unit,
        "#include <zlib.h>\n#include <rigz.h>\nconst char *version(void) { return rigz_version(); }\n",
    )
    .expect("the scratch folder is writable");
    let dialects: [(&str, &[&str]); 12] = [
        ("c", &["-std=c89"]),
        ("c", &["-std=c89", "-DZ_SOLO"]),
        ("c", &["-std=gnu89"]),
        ("c", &["-std=c99", "-pedantic"]),
        ("c", &["-D_FILE_OFFSET_BITS=64"]),
        ("c", &["-D_LARGEFILE64_SOURCE", "-D_GNU_SOURCE"]),
        ("c", &["-DZ_WANT64"]),
        ("c", &["-DZLIB_CONST"]),
        ("c", &["-DZ_SOLO"]),
        ("c++", &["-DZ_SOLO"]),
        ("c++", &["-std=c++17"]),
        ("c++", &["-DZLIB_CONST", "-D_FILE_OFFSET_BITS=64"]),
    ];
    for (language, options) in dialects {
        let output = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
            .args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", language])
            .args(options)
            .arg(format!("-I{}", root().join("include").display()))
            .arg(&unit)
            .output()
            .expect("a C compiler is installed");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{language} {options:?}:\n{complaint}");
    }
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header");
    std::fs::create_dir_all(&folder).expect("cargo's scratch folder is writable");
    folder.join(name)
}
