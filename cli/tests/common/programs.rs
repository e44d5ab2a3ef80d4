//! Small programs that are compiled here, and the command with the library that was built for this test.

use super::{Folder, RIGZ, command, run, text};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The library to preload. Its SONAME does not matter here; the library's own tests check it.
pub(crate) fn library() -> PathBuf {
    let profile = Path::new(RIGZ).parent().unwrap();
    let built = [profile.join("librigz.so"), profile.join("deps/librigz.so")];
    // A build of the library alone writes the first file, a build of the command the second.
    let newest = built.into_iter().filter(|path| path.is_file());
    let newest = newest.max_by_key(|path| path.metadata().and_then(|status| status.modified()).ok());
    newest.expect("cargo builds the library with the command")
}

/// Compiles a C program into the folder.
pub(crate) fn compile(folder: &Folder, name: &str, source: &str, words: &[&str]) -> PathBuf {
    let code = folder.write(&format!("{name}.c"), source.as_bytes());
    let path = folder.join(name);
    let status = Command::new("cc").arg(&code).arg("-o").arg(&path).args(words).status().unwrap();
    assert!(status.success(), "cc {name}");
    path
}

pub(crate) const WRITER: &str = r#"
    #include <stdio.h>
    typedef struct gzFile_s *gzFile;
    gzFile gzopen(const char *, const char *);
    int gzwrite(gzFile, const void *, unsigned);
    int gzclose(gzFile);
    static char data[3000000];
    int main(int count, char **words) {
        size_t len = fread(data, 1, sizeof data, stdin);
        gzFile file = gzopen(words[1], "wb9");
        gzwrite(file, data, len);
        gzclose(file);
        return count > 2 ? 7 : 0;
    }
"#;

pub(crate) fn run_rigz(folder: &Folder, words: &[&str], input: &[u8]) -> std::process::Output {
    run(command(RIGZ, &folder.0).env("RIGZ_PRELOAD_FILE", library()).args(words), input)
}

/// Runs a line of shell in which the folder `full` is on a disk of 64 KiB with a file `fill` that leaves no room. `None` where
/// that is not possible.
pub(crate) fn on_full_disk(folder: &Folder, line: &str) -> Option<Output> {
    fs::create_dir_all(folder.join("full")).unwrap();
    let line = format!(
        "mount -t tmpfs -o size=64k disk full || exit 77
         cat /dev/zero >full/fill 2>/dev/null
         {line}"
    );
    let mut shell = command("unshare", &folder.0);
    shell.env("RIGZ_PRELOAD_FILE", library()).env("rigz", RIGZ).args(["-rm", "bash", "-c", &line]);
    let output = run(&mut shell, b"data");
    let is_possible = output.status.code() != Some(77) && !text(&output.stderr).starts_with("unshare:");
    is_possible.then_some(output)
}
