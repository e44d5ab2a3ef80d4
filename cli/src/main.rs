//! The `rigz` command: gzip's interface on all processors, and programs run with the rigz library.
//!
//! `rigz [OPTIONS] [FILE]...` works like gzip. The words `run`, `check`, `bench` and `generate` are commands only as the very
//! first argument of a program called `rigz`; a file of that name is written `./run`, or comes after an option or
//! `--`. Each of them needs an argument: a bare `rigz run` fails and changes no file.
//!
//! ```text
//! options -> work (files in order) -> file (one file) -> compress | rsyncable | decompress -> transfer
//!                \-> queue (workers) -/    \-> output (complete or absent) -> signals
//! run (-> preload, known, pass_on, record, statistics), check (-> finding -> script, elf, loader, image), bench (-> system_zlib),
//! temporary (files of run, check and bench),
//! generate (man pages and completions, from the options of all commands)
//! ```

#[macro_use]
mod say;

mod bench;
mod check;
mod clock;
mod compress;
mod decompress;
mod descriptors;
mod elf;
mod file;
mod finding;
mod generate;
mod header;
mod image;
mod known;
mod list;
mod loader;
mod names;
mod options;
mod output;
mod pass_on;
mod preload;
mod progress;
mod queue;
#[cfg(test)]
#[path = "../../src/random.rs"]
mod random;
mod record;
mod report;
mod rsyncable;
mod run;
mod script;
mod signals;
mod statistics;
mod system_zlib;
mod temporary;
mod transfer;
mod work;

use options::{Format, Mode, Options, Request};
use report::Report;
use rigz::config;
use rigz::stream::Strategy;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use work::Work;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let words: Vec<_> = words.collect();
    // gunzip, zcat and similar names accept files only.
    let first = words.first().filter(|_| program.starts_with("rigz")).and_then(|word| word.to_str());
    match first {
        Some("run") => run::main(words),
        Some("check") => check::main(words),
        Some("bench") => bench::main(words),
        Some("generate") => generate::main(words),
        _ => act_as_gzip(&program, words),
    }
}

fn act_as_gzip(program: &str, words: Vec<OsString>) -> ExitCode {
    signals::install();
    match options::parse(program, words) {
        Ok(Request::Work(options)) => {
            let report = Report::new(options.quiet);
            if let Err(message) = prepare(&options) {
                report.error(message);
                return report.exit_code();
            }
            if options.ascii {
                report.note("option --ascii ignored on this system");
            }
            Work::new(&options, &report).run();
            report.exit_code()
        }
        Ok(Request::Help) => {
            say!("{}", options::command().render_help().to_string().trim_end());
            ExitCode::SUCCESS
        }
        Ok(Request::Version) => {
            say!("rigz {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Request::License) => {
            say!("{}", include_str!("../../LICENSE.md").trim_end());
            ExitCode::SUCCESS
        }
        Err(message) => {
            complain!("rigz: {message}\nTry `rigz --help' for more information.");
            ExitCode::from(1)
        }
    }
}

/// Sets the library's switches from the command line, before the library reads the environment.
fn prepare(options: &Options) -> Result<(), String> {
    let has_output = options.output.is_some();
    let (has_strategy, is_bgzf) = (options.strategy != Strategy::Default, options.format == Format::Bgzf);
    let excluded = match () {
        () if options.rsyncable && options.chunk.is_some() => {
            Some("--rsyncable and -b exclude each other: each decides where chunks end")
        }
        () if options.rsyncable && has_strategy => Some("--rsyncable cannot be used with --huffman or --rle"),
        () if options.rsyncable && is_bgzf => Some("--rsyncable cannot be used with --bgzf"),
        () if is_bgzf && (options.chunk.is_some() || has_strategy) => {
            Some("--bgzf cannot be used with -b, --huffman or --rle")
        }
        () if options.comment.is_some() && options.format != Format::Gzip => {
            Some("-C cannot be used with -z or --bgzf: only gzip's header has a comment")
        }
        () if has_output && (options.files.len() > 1 || options.recursive) => {
            Some("-o works with one FILE only, and not with -r")
        }
        () if has_output && matches!(options.mode, Mode::Test | Mode::List) => {
            Some("-o cannot be used with -t or -l")
        }
        () if has_output && options.to_stdout => Some("-o cannot be used with -c"),
        () => None,
    };
    if let Some(message) = excluded {
        return Err(message.into());
    }
    let mut config = config::Config::from_environment();
    config.threads = options.threads.or(config.threads);
    config.chunk = options.chunk.or(config.chunk);
    config::preset(config);
    Ok(())
}
