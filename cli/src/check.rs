//! `rigz check`: whether a program's zlib can be ours, and if not, why.
//!
//! The program is read, not run: its interpreter if it is a script, then its libraries and theirs. It can be accelerated when the
//! loader will look at `LD_PRELOAD` for it and something in it takes zlib's functions from `libz.so.1`. What a program loads only while it
//! runs can't be seen from outside; then the answer is *perhaps*, and `rigz run --stats -` gives the certain one.

use crate::elf::{self, Facts, Unfit};
use crate::loader::Loader;
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use serde_json::json;
use std::collections::{BTreeSet, VecDeque};
use std::ffi::{CString, OsString};
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How far scripts may name scripts as their interpreters; the kernel's limit.
const DEEPEST: usize = 4;

/// zlib functions that compress or decompress, rather than compute a checksum.
const BULK: [&str; 6] = ["deflate", "inflate", "compress", "uncompress", "gzwrite", "gzread"];

pub(crate) fn command() -> Command {
    Command::new("check")
        .about("Tell whether programs can be run on rigz, and why not")
        .long_about(
            "Tell whether `rigz run` would accelerate a program, and why not: whether it, or a library it needs, takes zlib from \
             libz.so.1; whether it is static, setuid, or holds a zlib of its own. The program is read and not run.",
        )
        .bin_name("rigz check")
        .args([
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .action(ArgAction::SetTrue)
                .help("Also list the functions that are called"),
            Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one line of JSON per program"),
            Arg::new("program")
                .value_name("PROGRAM")
                .num_args(1..)
                .required(true)
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::CommandName)
                .help("Programs, by path or by name"),
        ])
}

/// `words` begin with `check`.
pub(crate) fn main(words: Vec<OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => {
            _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    crate::signals::restore_pipe();
    let loader = Loader::new();
    let mut worst = 0;
    for name in matches.get_many::<OsString>("program").into_iter().flatten() {
        match Finding::of(name, &loader) {
            Ok(finding) => {
                worst = worst.max(u8::from(finding.verdict == Verdict::No));
                if matches.get_flag("json") {
                    say!("{}", finding.json());
                } else {
                    say!("{}", finding.text(matches.get_flag("verbose")).trim_end());
                }
            }
            Err(message) => {
                complain!("rigz check: {}: {message}", name.display());
                worst = 2;
            }
        }
    }
    ExitCode::from(worst)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Yes,
    Perhaps,
    No,
}

/// What calls zlib, and which of its functions.
#[derive(Debug)]
struct Caller {
    path: PathBuf,
    functions: BTreeSet<String>,
}

/// What was found out about one program.
#[derive(Debug)]
struct Finding {
    name: String,
    /// The file looked at: a script's interpreter.
    file: PathBuf,
    verdict: Verdict,
    reasons: Vec<String>,
    callers: Vec<Caller>,
}

impl Finding {
    fn of(name: &OsString, loader: &Loader) -> Result<Self, String> {
        let path = search(name).ok_or("no such program")?;
        let mut finding = Finding {
            name: name.display().to_string(),
            file: path.clone(),
            verdict: Verdict::No,
            reasons: Vec::new(),
            callers: Vec::new(),
        };
        let (path, data) = finding.resolve_scripts(path)?;
        finding.file = path;
        finding.judge(&data, loader);
        Ok(finding)
    }

    /// Goes from a script to the program that runs it.
    fn resolve_scripts(&mut self, mut path: PathBuf) -> Result<(PathBuf, Vec<u8>), String> {
        for _ in 0..=DEEPEST {
            let data = fs::read(&path).map_err(|error| error.to_string())?;
            let Some(interpreter) = interpreter(&data) else {
                // Its libraries are searched from where it really lies.
                return Ok((path.canonicalize().unwrap_or(path), data));
            };
            self.reasons.push(format!("{} is a script for {}", path.display(), interpreter.display()));
            path = search(&interpreter)
                .ok_or_else(|| format!("no such interpreter: {}", interpreter.display()))?;
        }
        Err("its interpreter is a script, and so on".into())
    }

    fn judge(&mut self, data: &[u8], loader: &Loader) {
        let facts = match elf::read(data) {
            Ok(facts) => facts,
            Err(unfit) => {
                return self.reasons.push(match unfit {
                    Unfit::NoElf => "it is neither an ELF file nor a script".into(),
                    Unfit::OtherMachine => "it is for another kind of machine".into(),
                    Unfit::Damaged(how) => format!("its ELF headers make no sense: {how}"),
                });
            }
        };
        let obstacle = self.obstacle(&facts);
        if let Some(obstacle) = &obstacle {
            self.reasons.push(obstacle.clone());
        }
        let openers = self.walk(facts, loader);
        self.verdict = match (obstacle, self.callers.is_empty(), &openers[..]) {
            (Some(_), ..) => Verdict::No,
            (None, false, _) => Verdict::Yes,
            (None, true, []) => {
                self.reasons.push("neither it nor a library it needs calls libz.so.1".into());
                Verdict::No
            }
            (None, true, openers) => {
                let openers = openers.join(" and ");
                self.reasons
                    .push(format!("nothing it needs calls libz.so.1, but {openers} may load what does"));
                Verdict::Perhaps
            }
        };
    }

    /// Why the loader would not preload anything.
    fn obstacle(&self, facts: &Facts) -> Option<String> {
        if !facts.is_dynamic || facts.interpreter.is_none() {
            return Some("it is static: no loader reads LD_PRELOAD for it".into());
        }
        if facts.interpreter.as_ref().is_some_and(|loader| loader.contains("ld-musl")) {
            return Some("it is for musl, and rigz for glibc".into());
        }
        let mode = fs::metadata(&self.file).map_or(0, |status| status.mode());
        if mode & 0o6000 != 0 {
            return Some("it is setuid or setgid: the loader ignores LD_PRELOAD".into());
        }
        has_capabilities(&self.file).then(|| "it has file capabilities: the loader ignores LD_PRELOAD".into())
    }

    /// Looks at the program and all libraries it needs, each once; tells which of them may load more while they run.
    fn walk(&mut self, facts: Facts, loader: &Loader) -> Vec<String> {
        let mut openers = Vec::new();
        let mut seen = BTreeSet::new();
        let program_rpath = facts.rpath.clone();
        let mut queue = VecDeque::from([(self.file.clone(), facts)]);
        while let Some((path, facts)) = queue.pop_front() {
            let is_program = path == self.file;
            if facts.opens_libraries {
                openers.push(path.display().to_string());
            }
            self.note_inside(&path, &facts, is_program);
            if !facts.imports.is_empty() && facts.needed.iter().any(|name| name == "libz.so.1") {
                self.callers.push(Caller { path: path.clone(), functions: facts.imports.clone() });
            }
            for name in &facts.needed {
                if name.starts_with("libz.so") || !seen.insert(name.clone()) {
                    continue;
                }
                if name.starts_with("libz-ng.so") {
                    self.reasons.push(format!("{} uses zlib-ng by its own names", path.display()));
                }
                let rpath = if is_program { &facts.rpath } else { &program_rpath };
                let Some(found) = loader.find(name, &path, rpath, &facts.runpath) else {
                    self.reasons.push(format!("{name}, which {} needs, is not found", path.display()));
                    continue;
                };
                if let Some(facts) = fs::read(&found).ok().and_then(|data| elf::read(&data).ok()) {
                    queue.push_back((found, facts));
                }
            }
        }
        openers
    }

    /// Notes the DEFLATEs that a file holds, which stay as they are.
    fn note_inside(&mut self, path: &Path, facts: &Facts, is_program: bool) {
        for inside in &facts.inside {
            self.reasons.push(format!("{} holds {inside}, which stays as it is", path.display()));
        }
        if is_program && facts.exports.iter().any(|name| BULK.contains(&name.as_str())) {
            self.reasons
                .push(format!("{} offers zlib's functions itself, before any library does", path.display()));
        }
    }

    fn text(&self, is_verbose: bool) -> String {
        let verdict = match self.verdict {
            Verdict::Yes => "yes",
            Verdict::Perhaps => "perhaps",
            Verdict::No => "no",
        };
        let mut text = format!("{}: {verdict}\n", self.name);
        for caller in &self.callers {
            let count = caller.functions.len();
            let bulk: Vec<_> = BULK.into_iter().filter(|name| caller.functions.contains(*name)).collect();
            let bulk =
                if bulk.is_empty() { String::new() } else { format!(", {} among them", bulk.join(", ")) };
            _ = writeln!(text, "    {} calls {count} functions of libz.so.1{bulk}", caller.path.display());
            if is_verbose {
                let names: Vec<_> = caller.functions.iter().map(String::as_str).collect();
                _ = writeln!(text, "        {}", names.join(" "));
            }
        }
        for reason in &self.reasons {
            _ = writeln!(text, "    {reason}");
        }
        text
    }

    fn json(&self) -> String {
        let callers: Vec<_> = self
            .callers
            .iter()
            .map(|caller| json!({ "file": caller.path.display().to_string(), "functions": caller.functions }))
            .collect();
        json!({
            "program": self.name,
            "file": self.file.display().to_string(),
            "accelerated": match self.verdict {
                Verdict::Yes => "yes",
                Verdict::Perhaps => "perhaps",
                Verdict::No => "no",
            },
            "callers": callers,
            "reasons": self.reasons,
        })
        .to_string()
    }
}

/// The file of a program: as it is when it has a slash, else from `PATH`.
fn search(name: &OsString) -> Option<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH")?;
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|status| status.is_file() && status.mode() & 0o111 != 0)
    };
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(is_program)
}

/// The program in a script's first line; behind `env`, the one that `env` is to find.
fn interpreter(data: &[u8]) -> Option<OsString> {
    let line = data.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut program = words.next()?;
    if program.ends_with(b"/env") {
        // env's options, and variables it sets.
        program = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='))?;
    }
    Some(std::ffi::OsStr::from_bytes(program).to_owned())
}

fn has_capabilities(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: both are C strings; no value is asked for, only its length.
    let len =
        unsafe { libc::getxattr(path.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) };
    len > 0
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
}
