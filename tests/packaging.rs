//! A staged installation serves a stranger's program: through pkg-config and through CMake.
//!
//! Stages what an install lays out (LIBDIR/librigz.so.1 and its link, INCLUDEDIR/rigz, pkgconfig, cmake/rigz) under cargo's scratch
//! folder, then configures, builds and runs `tests/consumer` against it.

#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

mod built;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lays a fresh installation under `name` and returns its prefix.
fn stage(name: &str) -> PathBuf {
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packaging").join(name);
    if prefix.exists() {
        fs::remove_dir_all(&prefix).expect("an old stage can go");
    }
    for folder in ["include/rigz", "lib/pkgconfig", "lib/cmake/rigz"] {
        fs::create_dir_all(prefix.join(folder)).expect("cargo's scratch folder is writable");
    }
    fs::copy(built::library(), prefix.join("lib/librigz.so.1")).expect("the library can be read");
    symlink("librigz.so.1", prefix.join("lib/librigz.so")).expect("links work");
    for header in ["zlib.h", "zconf.h", "rigz.h"] {
        fs::copy(root().join("include").join(header), prefix.join("include/rigz").join(header))
            .expect("headers are there");
    }
    fill("pkgconfig/rigz.pc.in", &prefix, "lib/pkgconfig/rigz.pc");
    fill("cmake/rigzConfig.cmake.in", &prefix, "lib/cmake/rigz/rigzConfig.cmake");
    fill("cmake/rigzConfigVersion.cmake.in", &prefix, "lib/cmake/rigz/rigzConfigVersion.cmake");
    prefix
}

/// Writes a template with its @NAMES@ replaced, and sees that none is left.
fn fill(template: &str, prefix: &Path, target: &str) {
    let path = |sub: &str| prefix.join(sub).display().to_string();
    let text = fs::read_to_string(root().join(template))
        .expect("templates are there")
        .replace("@PREFIX@", &path(""))
        .replace("@LIBDIR@", &path("lib"))
        .replace("@INCLUDEDIR@", &path("include"))
        .replace("@INCLUDEDIR_FROM_LIBDIR@", "../include")
        .replace("@VERSION@", VERSION);
    let code = text.lines().filter(|line| !line.starts_with('#'));
    assert!(code.clone().all(|line| !line.contains('@')), "{template} has a name that nobody fills in");
    fs::write(prefix.join(target), text).expect("the stage is writable");
}

/// Runs a command that must succeed, and returns what it wrote to stdout.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}\n{stdout}{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

fn assert_is_rigz(said: &str) {
    assert_eq!(said, format!("rigz {VERSION}, zlib 1.3.1\n"));
}

#[test]
fn a_program_finds_rigz_through_pkg_config() {
    let prefix = stage("pkg-config");
    let pkg_config = |what: &str| {
        let mut command = Command::new("pkg-config");
        succeed(command.env("PKG_CONFIG_LIBDIR", prefix.join("lib/pkgconfig")).args([what, "rigz"]))
    };
    assert_eq!(pkg_config("--modversion").trim(), VERSION);
    let (cflags, libs) = (pkg_config("--cflags"), pkg_config("--libs"));
    let program = prefix.join("consumer");
    let cc = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    succeed(
        Command::new(cc)
            .args(["-Wall", "-Wextra", "-Werror"])
            .args(cflags.split_whitespace())
            .arg(root().join("tests/consumer/consumer.c"))
            .args(libs.split_whitespace())
            .arg("-o")
            .arg(&program),
    );
    assert_is_rigz(&succeed(Command::new(&program).env("LD_LIBRARY_PATH", prefix.join("lib"))));
}

#[test]
fn a_program_finds_rigz_through_cmake() {
    let prefix = stage("cmake");
    let build = prefix.join("build");
    succeed(
        Command::new("cmake")
            .arg("-S")
            .arg(root().join("tests/consumer"))
            .arg("-B")
            .arg(&build)
            .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())),
    );
    succeed(Command::new("cmake").arg("--build").arg(&build));
    // CMake leaves the library's folder in the program's run path.
    assert_is_rigz(&succeed(&mut Command::new(build.join("consumer"))));
}

#[test]
fn cmake_refuses_a_newer_or_foreign_version() {
    let prefix = stage("cmake-version");
    for (asked, fits) in
        [("0.1", true), (VERSION, true), ("0.1.999", false), ("0.999", false), ("1.0", false)]
    {
        let project = prefix.join(format!("ask-{asked}"));
        fs::create_dir_all(&project).expect("the stage is writable");
        let lists = format!(
            "cmake_minimum_required(VERSION 3.13)\nproject(ask NONE)\nfind_package(rigz {asked} REQUIRED CONFIG)\n"
        );
        fs::write(project.join("CMakeLists.txt"), lists).expect("the stage is writable");
        let output = Command::new("cmake")
            .arg("-S")
            .arg(&project)
            .arg("-B")
            .arg(project.join("build"))
            .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()))
            .output()
            .expect("cmake is there");
        assert_eq!(output.status.success(), fits, "find_package(rigz {asked})");
    }
}
