//! `rigz check`: reports whether a program can use our library, and if not, why.
//!
//! The program is read, not run: scripts and wrappers are followed to the program that does the
//! work, then its libraries and theirs are read. The answer is *yes* if the loader obeys `LD_PRELOAD`
//! for it and one of its files takes zlib's functions from `libz.so.1`. The files do not show what a
//! program loads or starts while it runs; then the answer is *perhaps*, and `--run` finds out.

#![forbid(unsafe_code)]

use crate::finding::{Finding, Verdict};
use crate::image::Image;
use crate::loader::Loader;
use crate::run;
use crate::say::{json_line, shown};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use serde_json::json;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit status if there is no answer.
const FAILED: u8 = 3;

pub(crate) fn command() -> Command {
    Command::new("check")
        .about("Report whether programs can use rigz, and if not, why")
        .long_about(
            "Report whether `rigz run` would accelerate a program, and if not, why: whether it, or a library it needs, calls zlib in \
             libz.so.1; whether it is static, setuid, or contains its own zlib. The program is read and not run, unless --run is given.\n\n\
             The answer is yes, no or perhaps; perhaps if the program may load or start something that calls zlib while it runs. \
             The exit status is 0 if all answers are yes, 1 if one is no, else 2 if one is perhaps; 3 after an error.",
        )
        .bin_name("rigz check")
        .override_usage("rigz check [OPTIONS] PROGRAM...\n       rigz check [--json] --run COMMAND...")
        .args([
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .action(ArgAction::SetTrue)
                .help("Also list the functions that are called"),
            Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one line of JSON per program"),
            Arg::new("root")
                .long("root")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::DirPath)
                .help("Look for programs in DIR, the root of another system's files, for any 64-bit processor"),
            Arg::new("run")
                .long("run")
                .value_name("COMMAND")
                .num_args(1..)
                .allow_hyphen_values(true)
                .conflicts_with_all(["root", "verbose"])
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::CommandName)
                .help("Run COMMAND once with rigz and answer, on stderr, from the calls that it made"),
            Arg::new("program")
                .value_name("PROGRAM")
                .num_args(1..)
                .required_unless_present("run")
                .conflicts_with("run")
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::CommandName)
                .help("Programs, by path or by name"),
        ])
}

/// `words` begin with `check`.
pub(crate) fn main(words: Vec<OsString>) -> ExitCode {
    let matches = match crate::options::subcommand(command(), words, FAILED) {
        Ok(matches) => matches,
        Err(status) => return status,
    };
    if let Some(words) = matches.get_many::<OsString>("run") {
        return check_by_running(words.cloned().collect(), matches.get_flag("json"));
    }
    crate::signals::restore_pipe();
    let root = matches.get_one::<PathBuf>("root").cloned();
    if let Some(root) = root.as_ref().filter(|root| !root.is_dir()) {
        complain!("rigz check: {}: no such folder", shown(&root));
        return ExitCode::from(FAILED);
    }
    check(&matches, &Image::new(root))
}

fn check(matches: &ArgMatches, image: &Image) -> ExitCode {
    let loader = Loader::new(image);
    let (mut verdicts, mut has_failed) = (Vec::new(), false);
    for name in matches.get_many::<OsString>("program").into_iter().flatten() {
        match Finding::of(name, image, &loader) {
            Ok(finding) => {
                verdicts.push(finding.verdict);
                if matches.get_flag("json") {
                    say!("{}", finding.json());
                } else {
                    say!("{}", finding.text(matches.get_flag("verbose")).trim_end());
                }
            }
            Err(message) => {
                complain!("rigz check: {}: {message}", shown(&name));
                has_failed = true;
            }
        }
    }
    if has_failed { ExitCode::from(FAILED) } else { exit_code(&verdicts) }
}

fn exit_code(verdicts: &[Verdict]) -> ExitCode {
    let has = |verdict| verdicts.contains(&verdict);
    ExitCode::from(if has(Verdict::No) { 1 } else { u8::from(has(Verdict::Perhaps)) * 2 })
}

/// Runs a command with the library and answers from its streams' statistics.
fn check_by_running(words: Vec<OsString>, as_json: bool) -> ExitCode {
    let name = words.first().cloned().unwrap_or_default();
    let (status, summary) = match run::observe(words) {
        Ok(outcome) => outcome,
        Err(message) => {
            complain!("rigz check: {message}");
            return ExitCode::from(FAILED);
        }
    };
    let mut reasons = summary.sentences();
    let verdict = match () {
        () if !reasons.is_empty() => Verdict::Yes,
        () if !status.success() => {
            reasons.push(format!(
                "it failed ({status}) and called no zlib before that, so this run proves nothing"
            ));
            Verdict::Perhaps
        }
        () => {
            reasons.push("it compressed and decompressed nothing with zlib in this run".into());
            Verdict::No
        }
    };
    if as_json {
        let program = shown(&name);
        let line = json!({ "program": program, "accelerated": verdict.word(), "reasons": reasons });
        complain!("{}", json_line(&line));
    } else {
        complain!("{}: {}\n    {}", shown(&name), verdict.word(), reasons.join("\n    "));
    }
    exit_code(&[verdict])
}
