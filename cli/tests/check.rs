//! `rigz check`, with small programs compiled here.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
use common::programs::{WRITER, compile, run_rigz};
use common::{Folder, RIGZ, command, prose, run, text};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn check(folder: &Folder, words: &[&str]) -> (Option<i32>, String) {
    let output = run(command(RIGZ, &folder.0).arg("check").args(words), b"");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn check_lists_the_files_that_call_zlib() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let (status, printed) = check(&folder, &["-v", "./writer"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.starts_with("./writer: yes\n"), "{printed}");
    assert!(printed.contains("calls 3 functions") && printed.contains("gzclose gzopen gzwrite"), "{printed}");
    // Through the program's own library, found by its run path.
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
    let (status, printed) = check(&folder, &["--json", "./user"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(
        printed.contains("\"accelerated\":\"yes\"")
            && printed.contains("libmine.so\",\"functions\":[\"deflate\"]"),
        "{printed}"
    );
    fs::create_dir(folder.join("links")).unwrap();
    std::os::unix::fs::symlink("../user", folder.join("links/user")).unwrap();
    assert_eq!(check(&folder, &["links/user"]).0, Some(0), "its libraries are searched from its real path");
}

#[test]
fn check_gives_the_reason_for_no() {
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
        ("./own", "its own zlib 1.2.11"),
        ("./setuid", "setuid"),
        ("./data", "neither an ELF file nor a script"),
    ] {
        let (status, printed) = check(&folder, &[name]);
        assert_eq!(status, Some(1), "{printed}");
        assert!(printed.starts_with(&format!("{name}: no\n")) && printed.contains(reason), "{printed}");
    }
    assert_eq!(check(&folder, &["./missing"]).0, Some(3));
    assert_eq!(check(&folder, &["--nonsense"]).0, Some(3));
    assert_eq!(check(&folder, &["./none", "./missing"]).0, Some(3));
}

#[test]
fn check_answers_perhaps_if_more_may_be_started_or_loaded() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    compile(&folder, "starter", "#include <stdlib.h>\nint main(void) { return system(\"./writer\"); }", &[]);
    compile(
        &folder,
        "opener",
        "#include <dlfcn.h>\nint main(void) { return !dlopen(\"libz.so.1\", 1); }",
        &[],
    );
    compile(
        &folder,
        "summer",
        "unsigned long crc32(unsigned long, void *, unsigned); int main(void) { return crc32(0, 0, 0); }",
        &["-l:libz.so.1"],
    );
    folder.write("lines", b"#!/bin/sh\nls; ./writer\n");
    folder.write(
        "wrapper",
        format!("#!/bin/sh\nx=1\nexec {} \"$@\"\n", folder.join("writer").display()).as_bytes(),
    );
    let none = "int main(void) { return 0; }";
    compile(&folder, "none", none, &[]);
    for (name, status, reason) in [
        ("./starter", 2, "children inherit the preload"),
        ("./opener", 2, "may load a library that does"),
        ("./lines", 2, "children inherit the preload"),
        ("./wrapper", 0, "./wrapper starts "),
        ("./summer", 1, "nothing in it compresses"),
    ] {
        let (found, printed) = check(&folder, &[name]);
        assert_eq!(found, Some(status), "{printed}");
        assert!(printed.contains(reason), "{printed}");
    }
    // Of several answers the worst counts: no before perhaps before yes.
    assert_eq!(check(&folder, &["./writer", "./starter"]).0, Some(2));
    assert_eq!(check(&folder, &["./starter", "./none", "./writer"]).0, Some(1));
}

#[test]
fn a_library_is_not_a_static_program() {
    let folder = Folder::new();
    let source = "int deflate(void *, int); int mine(void) { return deflate(0, 0); }";
    compile(&folder, "libmine.so", source, &["-shared", "-fPIC", "-l:libz.so.1"]);
    let (status, printed) = check(&folder, &["./libmine.so"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("it is a library") && !printed.contains("static"), "{printed}");
    compile(&folder, "pie", "int main(void) { return 0; }", &["-static-pie"]);
    assert!(check(&folder, &["./pie"]).1.contains("it is static"));
}

#[test]
fn check_reports_libdeflate_if_both_are_called() {
    let folder = Folder::new();
    // As with htslib: a library that calls both, and a program like bgzip that needs it.
    compile(
        &folder,
        "libdeflate.so.0",
        "int libdeflate_x(void) { return 0; }",
        &["-shared", "-fPIC", "-Wl,-soname,libdeflate.so.0"],
    );
    let here = format!("-L{}", folder.0.display());
    let source = "int inflate(void *, int); int libdeflate_x(void); int both(void) { return inflate(0, 0) + libdeflate_x(); }";
    compile(
        &folder,
        "libboth.so",
        source,
        &["-shared", "-fPIC", "-l:libz.so.1", &here, "-l:libdeflate.so.0", "-Wl,-rpath,$ORIGIN"],
    );
    let user = "int both(void); int main(void) { return both(); }";
    compile(
        &folder,
        "user",
        user,
        &[&here, "-l:libboth.so", "-Wl,-rpath,$ORIGIN", "-Wl,--allow-shlib-undefined"],
    );
    let (status, printed) = check(&folder, &["./user"]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("also calls libdeflate, which does most"), "{printed}");
    assert!(!printed.contains("libdeflate.so.0 "), "it is reported once: {printed}");
}

#[test]
fn a_program_that_contains_zlib_is_a_no_even_if_it_opens_libraries() {
    let folder = Folder::new();
    // Like upstream builds of Node.js.
    let source = "#include <dlfcn.h>\n#include <stdlib.h>
        const char own[] = \" deflate 1.3.1 Copyright 1995-2024 Jean-loup Gailly and Mark Adler \";
        int deflate(void *s, int f) { return f; }
        int main(int count, char **words) { return own[count] + !dlopen(words[0], 1) + system(words[0]); }";
    compile(&folder, "node", source, &["-rdynamic"]);
    let (status, printed) = check(&folder, &["./node"]);
    assert_eq!(status, Some(1), "{printed}");
    assert!(
        printed.contains("its own zlib 1.3.1") && printed.contains("exports zlib's functions itself"),
        "{printed}"
    );
}

/// A copy of a program whose ELF header names another kind of processor.
fn for_machine(folder: &Folder, from: &str, to: &str, machine: u16) {
    let mut bytes = folder.read(from);
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    folder.write(to, &bytes);
}

#[test]
fn images_of_other_machines_are_examined() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    compile(
        &folder,
        "libmine.so.1",
        "int deflate(void *, int); int mine(void) { return deflate(0, 0); }",
        &["-shared", "-fPIC", "-l:libz.so.1", "-Wl,-soname,libmine.so.1"],
    );
    let here = format!("-L{}", folder.0.display());
    compile(
        &folder,
        "user",
        "int mine(void); int main(void) { return mine(); }",
        &[&here, "-l:libmine.so.1"],
    );
    let (status, printed) = check(&folder, &["./writer"]);
    assert_eq!(status, Some(0), "{printed}");
    fs::create_dir_all(folder.join("image/usr/bin")).unwrap();
    fs::create_dir_all(folder.join("image/usr/lib/riscv64-linux-gnu")).unwrap();
    std::os::unix::fs::symlink("usr/lib", folder.join("image/lib")).unwrap();
    for_machine(&folder, "user", "image/usr/bin/tool-2", 243);
    for_machine(&folder, "libmine.so.1", "image/usr/lib/riscv64-linux-gnu/libmine.so.1", 243);
    fs::set_permissions(folder.join("image/usr/bin/tool-2"), fs::Permissions::from_mode(0o755)).unwrap();
    // Absolute links and interpreters of scripts are paths inside the image.
    std::os::unix::fs::symlink("/usr/bin/tool-2", folder.join("image/usr/bin/tool")).unwrap();
    folder.write("image/usr/bin/script", b"#!/usr/bin/tool\n");
    fs::set_permissions(folder.join("image/usr/bin/script"), fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["tool", "/usr/bin/tool", "script"] {
        let (status, printed) = check(&folder, &["--root", "image", name]);
        assert_eq!(status, Some(0), "{printed}");
        assert!(printed.contains("/lib/riscv64-linux-gnu/libmine.so.1 calls 1 functions"), "{printed}");
    }
    let (status, printed) = check(&folder, &["image/usr/bin/tool-2"]);
    assert_eq!(status, Some(1), "{printed}");
    assert!(printed.contains("it is for riscv64, and this machine is "), "{printed}");
    assert_eq!(check(&folder, &["--root", "image", "python3"]).0, Some(3), "none in the image");
    assert_eq!(check(&folder, &["--root", "nowhere", "sh"]).0, Some(3));
}

#[test]
fn wrappers_and_interpreters_are_followed_to_where_zlib_is_called() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let make = |path: &str, from: Option<&str>| {
        fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
        match from {
            Some(from) => _ = fs::copy(folder.join(from), folder.join(path)).unwrap(),
            None => {
                let path = folder.write(path, b"#!/usr/bin/perl\n# uses PgCommon\n");
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    };
    // PostgreSQL's wrapper starts the newest version's program.
    make("image/usr/lib/postgresql/9.6/bin/pg_dump", Some("writer"));
    make("image/usr/lib/postgresql/15/bin/pg_dump", Some("writer"));
    make("image/usr/share/postgresql-common/pg_wrapper", None);
    fs::create_dir_all(folder.join("image/usr/bin")).unwrap();
    std::os::unix::fs::symlink("../share/postgresql-common/pg_wrapper", folder.join("image/usr/bin/pg_dump"))
        .unwrap();
    // pyenv's shims, with a module that calls zlib, and a venv on it.
    compile(&folder, "python", "int main(void) { return 0; }", &[]);
    compile(
        &folder,
        "module.so",
        "int deflate(void *, int); int mine(void) { return deflate(0, 0); }",
        &["-shared", "-fPIC", "-l:libz.so.1"],
    );
    make("image/root/.pyenv/versions/3.11.7/bin/python3.11", Some("python"));
    make(
        "image/root/.pyenv/versions/3.11.7/lib/python3.11/lib-dynload/zlib.cpython-311-x86_64-linux-gnu.so",
        Some("module.so"),
    );
    std::os::unix::fs::symlink("python3.11", folder.join("image/root/.pyenv/versions/3.11.7/bin/python3"))
        .unwrap();
    fs::create_dir_all(folder.join("image/root/.pyenv/shims")).unwrap();
    folder.write("image/root/.pyenv/version", b"3.11.7\n");
    let shim = b"#!/usr/bin/env bash\nprogram=\"${0##*/}\"\nexport PYENV_ROOT=\"/root/.pyenv\"\nexec \"/root/.pyenv/libexec/pyenv\" exec \"$program\" \"$@\"\n";
    folder.write("image/root/.pyenv/shims/python3", shim);
    fs::create_dir_all(folder.join("image/venv/bin")).unwrap();
    std::os::unix::fs::symlink(
        "/root/.pyenv/versions/3.11.7/bin/python3",
        folder.join("image/venv/bin/python"),
    )
    .unwrap();
    folder.write("image/venv/bin/job", b"#!/venv/bin/python\n");
    // R's script and the program that starts it.
    make("image/usr/lib/R/bin/exec/R", Some("writer"));
    make("image/usr/bin/Rscript", Some("python"));
    folder.write("image/usr/bin/R", b"#!/bin/sh\nR_HOME_DIR=/usr/lib/R\nexec ${R_binary} \"${@}\"\n");
    for (name, status, part) in [
        ("/usr/bin/pg_dump", 0, "/usr/lib/postgresql/15/bin/pg_dump calls"),
        ("/root/.pyenv/shims/python3", 0, "lib-dynload/zlib.cpython-311-x86_64-linux-gnu.so calls"),
        ("/venv/bin/python", 0, "lib-dynload/zlib.cpython-311-x86_64-linux-gnu.so calls"),
        ("/venv/bin/job", 2, "whether the script loads that module"),
        ("/usr/bin/Rscript", 0, "/usr/lib/R/bin/exec/R calls"),
    ] {
        let (found, printed) = check(&folder, &["--root", "image", name]);
        assert_eq!(found, Some(status), "{name}: {printed}");
        assert!(printed.contains(part), "{name}: {printed}");
    }
}

#[test]
fn check_with_run_gives_a_definite_answer() {
    let folder = Folder::new();
    compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    let plain = prose(10_000);
    let answer = |words: &[&str]| {
        let output = run_rigz(&folder, &[&["check"], words].concat(), &plain);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, out, printed) = answer(&["--run", "sh", "-c", "./writer out.gz -x; echo done"]);
    assert_eq!((status, out.as_str()), (Some(0), "done\n"), "{printed}");
    assert!(printed.starts_with("sh: yes\n") && printed.contains("writer: 1 deflate streams"), "{printed}");
    let (status, _, printed) = answer(&["--run", "true"]);
    assert_eq!(status, Some(1), "{printed}");
    assert!(printed.starts_with("true: no\n"), "{printed}");
    assert_eq!(answer(&["--run", "false"]).0, Some(2));
    assert_eq!(answer(&["--run", "./no-such"]).0, Some(3));
    let (status, _, printed) = answer(&["--json", "--run", "./writer", "out.gz"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("\"accelerated\":\"yes\""), "{printed}");
}

#[test]
fn the_answer_for_a_script_is_its_interpreters() {
    let folder = Folder::new();
    let writer = compile(&folder, "writer", WRITER, &["-l:libz.so.1"]);
    folder.write("script", format!("#!{} -x\n", writer.display()).as_bytes());
    let (status, printed) = check(&folder, &["./script"]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("is a script for") && printed.contains("./script: yes"), "{printed}");
}
