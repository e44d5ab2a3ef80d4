//! Follows the file that a user names to the program that does the work: a script to its
//! interpreter; a known wrapper, or a shell script that `exec`s exactly one program, to that program.

#![forbid(unsafe_code)]

use crate::image::Image;
use crate::say::shown;
use memchr::memmem::find;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The most files in a chain: scripts, wrappers and the program at its end.
const MOST_FILES: usize = 8;

/// The shells whose scripts are searched for `exec`.
const SHELLS: [&str; 6] = ["sh", "dash", "bash", "ksh", "zsh", "ash"];

/// The modules through which interpreters call zlib while they run: the start of an interpreter's
/// name, and patterns of the module's path, relative to the interpreter's folder. `NAME` is the
/// interpreter's whole name, and `*` any text without a slash.
const MODULES: &[(&str, &[&str])] = &[
    ("python", &["../lib/NAME/lib-dynload/zlib*.so"]),
    (
        "perl",
        &[
            "../lib/*/perl/*/auto/Compress/Raw/Zlib/Zlib.so",
            "../lib/perl*/*/*/auto/Compress/Raw/Zlib/Zlib.so",
            "../lib/perl*/auto/Compress/Raw/Zlib/Zlib.so",
        ],
    ),
    ("ruby", &["../lib/*/ruby/*/zlib.so", "../lib/ruby/*/*/zlib.so"]),
    ("java", &["../lib/libzip.so", "../lib/*/libzip.so"]),
    ("R", &["../../lib/libR.so"]),
];

/// The program at the end of the chain.
#[derive(Debug)]
pub(crate) struct Target {
    /// The real path, without symbolic links: libraries and modules are searched relative to it.
    pub(crate) path: PathBuf,
    /// The file's contents.
    pub(crate) data: Vec<u8>,
    /// The script that the program runs, if any.
    pub(crate) script: Option<PathBuf>,
    /// A sentence for each step of the chain, for the user.
    pub(crate) steps: Vec<String>,
}

impl Target {
    /// Follows the chain from the program `name`, a path or a name in `PATH`. An error is for the user.
    pub(crate) fn find(image: &Image, name: &OsStr) -> Result<Self, String> {
        let mut path = image.program(name).ok_or("no such program")?;
        let (mut script, mut steps) = (None, Vec::new());
        for _ in 0..MOST_FILES {
            let data = image.read(&path).map_err(|error| crate::say::describe(&error))?;
            if let Some(next) = wrapped(image, &path, &data) {
                steps.push(format!("{} starts {}", shown(&path), shown(&next)));
                (path, script) = (next, None);
                continue;
            }
            let Some(interpreter) = interpreter(&data) else {
                let path = image.resolve(&path).unwrap_or(path);
                return Ok(Self { path, data, script, steps });
            };
            steps.push(format!("{} is a script for {}", shown(&path), shown(&interpreter)));
            script.get_or_insert(path);
            path = image
                .program(&interpreter)
                .ok_or_else(|| format!("no such interpreter: {}", shown(&interpreter)))?;
        }
        Err("the chain of scripts is too long".into())
    }

    /// The files of this interpreter's modules that call zlib.
    pub(crate) fn modules(&self, image: &Image) -> Vec<PathBuf> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Vec::new();
        };
        let name = name.to_string_lossy();
        let patterns = MODULES.iter().find(|(start, _)| {
            // A version may follow, as in `python3.11`, but no letter: `Rscript` is not `R`.
            name.strip_prefix(start)
                .is_some_and(|rest| !rest.starts_with(|first: char| first.is_alphabetic()))
        });
        let patterns = patterns.map_or(&[][..], |(_, patterns)| patterns);
        let found = patterns.iter().flat_map(|pattern| {
            let mut folder = folder.to_owned();
            let mut pattern = pattern.replace("NAME", &name);
            while let Some(rest) = pattern.strip_prefix("../") {
                folder.pop();
                pattern = rest.to_owned();
            }
            image.matches(&folder, &pattern)
        });
        // Two paths may lead to one file: a version's folder often has a link to it.
        let found: BTreeSet<_> = found.filter_map(|path| image.resolve(&path)).collect();
        found.into_iter().collect()
    }
}

/// The program that the file at `path` starts, if it is a known wrapper or a shell script that `exec`s one program.
fn wrapped(image: &Image, path: &Path, data: &[u8]) -> Option<PathBuf> {
    let name = path.file_name()?;
    let real = image.resolve(path)?;
    let is_script = data.starts_with(b"#!");
    if name == "Rscript" && !is_script {
        // This program runs `R` in its own folder.
        return Some(real.with_file_name("R")).filter(|path| image.is_file(path));
    }
    if !is_script {
        return None;
    }
    let text = String::from_utf8_lossy(data);
    if real.file_name().is_some_and(|name| name == "pg_wrapper") {
        // If no server is set up, it starts the newest version's program.
        let clients = image.matches(Path::new("/usr/lib/postgresql"), &format!("*/bin/{}", name.display()));
        return clients.into_iter().max_by_key(|path| version_in(path));
    }
    if let Some(root) = assigned(&text, "PYENV_ROOT").filter(|_| find(data, b"pyenv\" exec").is_some()) {
        return of_pyenv(image, Path::new(root), name);
    }
    if let Some(home) = assigned(&text, "R_HOME_DIR") {
        return Some(Path::new(home).join("bin/exec/R")).filter(|path| image.is_file(path));
    }
    let shell = interpreter(data)?;
    let shell = Path::new(&shell).file_name()?.to_str()?;
    if SHELLS.contains(&shell) { executed(image, &text, &real) } else { None }
}

/// The version in a path such as `/usr/lib/postgresql/9.6/bin/pg_dump`, as a number that grows with it: 9006 here.
fn version_in(path: &Path) -> u32 {
    let version = path.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    numbers.next().unwrap_or(0) * 1000 + numbers.next().unwrap_or(0)
}

/// The last absolute path that a shell script assigns to a variable literally: without expansions and spaces.
fn assigned<'t>(text: &'t str, variable: &str) -> Option<&'t str> {
    let values = text.lines().filter_map(|line| {
        let line = line.trim().strip_prefix("export ").unwrap_or(line.trim());
        Some(line.strip_prefix(variable)?.strip_prefix('=')?.trim_matches(['"', '\'']))
    });
    values.rev().find(|value| value.starts_with('/') && !value.contains(['$', '`', ' ']))
}

/// The program that a pyenv shim starts: that of the first selected version that has it. `PYENV_VERSION` selects versions, else the
/// nearest `.python-version`, else pyenv's own file `version`; the first two only for this machine.
fn of_pyenv(image: &Image, root: &Path, name: &OsStr) -> Option<PathBuf> {
    let mut chosen = None;
    if image.is_here() {
        chosen = std::env::var("PYENV_VERSION").ok().filter(|versions| !versions.is_empty());
        let here = std::env::current_dir().ok();
        let folders = here.iter().flat_map(|folder| folder.ancestors());
        let mut files = folders.map(|folder| fs::read_to_string(folder.join(".python-version")));
        chosen = chosen.or_else(|| files.find_map(Result::ok));
    }
    let chosen = chosen.or_else(|| String::from_utf8(image.read(&root.join("version")).ok()?).ok());
    let chosen = chosen.unwrap_or("system".into());
    chosen.split([':', '\n', ' ']).filter(|version| !version.is_empty()).find_map(|version| {
        if version == "system" {
            let shims = root.join("shims");
            return image.programs(name).into_iter().find(|path| path.parent() != Some(&*shims));
        }
        let path = root.join("versions").join(version).join("bin").join(name);
        image.is_file(&path).then_some(path)
    })
}

/// The only program that a shell script `exec`s, if the script names it literally. `script` is the script's real path: one that
/// `exec`s itself is not followed.
fn executed(image: &Image, text: &str, script: &Path) -> Option<PathBuf> {
    let commands = text.lines().flat_map(|line| line.split([';', '&', '|'])).map(str::trim);
    let words = commands.filter_map(|command| {
        let mut words = command.split_whitespace().skip_while(|word| matches!(*word, "then" | "else" | "do"));
        words.next().filter(|word| *word == "exec").and_then(|_| words.next())
    });
    let words: BTreeSet<_> = words.map(|word| word.trim_matches(['"', '\''])).collect();
    let mut programs = words.iter().map(|word| {
        let is_plain = !word.contains(['$', '`', '<', '>']) && !word.starts_with('-');
        is_plain.then(|| image.program(OsStr::new(word))).flatten()
    });
    match (programs.next(), programs.next()) {
        (Some(Some(program)), None) if image.resolve(&program).as_deref() != Some(script) => Some(program),
        _ => None,
    }
}

/// The interpreter of the script at `path`, if it is one.
pub(crate) fn interpreter_of(path: &Path) -> Option<OsString> {
    let mut start = Vec::new();
    // The kernel, too, looks only at the first 256 bytes (BINPRM_BUF_SIZE).
    fs::File::open(path).ok()?.take(256).read_to_end(&mut start).ok()?;
    interpreter(&start)
}

/// The program in a script's first line; after `env`, the program that `env` finds.
fn interpreter(data: &[u8]) -> Option<OsString> {
    let line = data.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut program = words.next()?;
    if program.ends_with(b"/env") {
        // Skips env's options and the variables that it sets, but not an option's separate argument (`-u NAME`).
        program = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='))?;
    }
    Some(OsStr::from_bytes(program).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_name_interpreters() {
        for (line, expected) in [
            (&b"#!/bin/sh\necho"[..], Some("/bin/sh")),
            (b"#! /usr/bin/perl -w\n", Some("/usr/bin/perl")),
            (b"#!/usr/bin/env python3\n", Some("python3")),
            (b"#!/usr/bin/env -S LANG=C ruby -w", Some("ruby")),
            (b"#!\n", None),
            (b"\x7fELF", None),
        ] {
            assert_eq!(interpreter(line), expected.map(OsString::from), "{line:?}");
        }
    }

    #[test]
    fn a_shell_script_that_executes_one_other_program_is_followed() {
        let image = Image::new(None);
        let followed = |text: &str| executed(&image, text, Path::new("/script"));
        assert_eq!(followed("x=1\nexec /bin/true \"$@\"\n"), Some(PathBuf::from("/bin/true")));
        assert_eq!(followed("if a; then exec '/bin/true'; fi"), Some(PathBuf::from("/bin/true")));
        for text in [
            "exec $program",
            "exec 3<file",
            "exec /bin/true\nexec /bin/false",
            "echo exec /bin/true",
            "exec /none",
        ] {
            assert_eq!(followed(text), None, "{text}");
        }
        let itself = image.resolve(Path::new("/bin/true")).expect("every system has it");
        assert_eq!(executed(&image, "exec /bin/true", &itself), None);
    }

    #[test]
    fn the_last_literal_path_assigned_to_a_variable_is_found() {
        assert_eq!(assigned("export PYENV_ROOT=\"/r\"\n", "PYENV_ROOT"), Some("/r"));
        assert_eq!(assigned("A=/b\nA='/c'\nA=$B\nA=d\n", "A"), Some("/c"));
        assert_eq!(assigned("AB=/b\nA=$(/c)\n", "A"), None);
    }

    #[test]
    fn versions_are_ordered_by_major_and_minor_number() {
        let versions = ["9.5", "9.6", "15", "16"].map(|version| Path::new("/p").join(version).join("bin/x"));
        assert!(versions.is_sorted_by(|a, b| version_in(a) < version_in(b)));
    }
}
