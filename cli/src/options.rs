//! The options, which are gzip's with some of pigz's, and how they are read.
//!
//! If options contradict each other, the last one counts, as with getopt: `-9 -1` is `-1`. The variable `GZIP` may hold a few of
//! them, read before the command line.

#![forbid(unsafe_code)]

use crate::say::shown;
use clap::builder::{OsStringValueParser, ValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use rigz::stream::{Level, Strategy};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::ExitCode;

/// The operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Compress,
    Decompress,
    Test,
    List,
}

/// The format around the compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Zlib,
    /// gzip in many small members, with a field for the length of each.
    Bgzf,
}

/// The settings from the command line.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) format: Format,
    pub(crate) level: Level,
    pub(crate) strategy: Strategy,
    pub(crate) to_stdout: bool,
    pub(crate) force: bool,
    pub(crate) keep: bool,
    /// Store or restore the name.
    pub(crate) name: bool,
    /// Store or restore the time.
    pub(crate) time: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) recursive: bool,
    pub(crate) rsyncable: bool,
    pub(crate) synchronous: bool,
    pub(crate) json: bool,
    pub(crate) ascii: bool,
    pub(crate) suffix: OsString,
    /// For the header; without the terminating zero.
    pub(crate) comment: Option<OsString>,
    /// The path of the only result.
    pub(crate) output: Option<PathBuf>,
    pub(crate) threads: Option<usize>,
    /// Bytes per chunk.
    pub(crate) chunk: Option<usize>,
    pub(crate) files: Vec<OsString>,
}

/// The flags allowed in `GZIP`, as in gzip 1.12: they change how files are processed, but not which files or the operation.
const FROM_ENVIRONMENT: &[&str] = &["no-name", "name", "quiet", "verbose", "rsyncable", "synchronous"];

/// The flags: name, letter, other long names, text.
const FLAGS: &[(&str, char, &[&str], &str)] = &[
    ("stdout", 'c', &["to-stdout"], "Write to standard output and keep the files"),
    ("decompress", 'd', &["uncompress"], "Decompress"),
    (
        "force",
        'f',
        &[],
        "Overwrite files, follow links, use terminals; with -dc copy data that is not compressed",
    ),
    ("keep", 'k', &[], "Keep the input files"),
    ("list", 'l', &[], "List sizes, ratio and name of compressed files"),
    ("no-name", 'n', &[], "Neither store nor restore name and time"),
    ("name", 'N', &[], "Store or restore name and time"),
    ("no-time", 'm', &[], "Neither store nor restore the time"),
    ("time", 'M', &[], "Store or restore the time"),
    ("quiet", 'q', &["silent"], "No warnings and no progress"),
    ("recursive", 'r', &[], "Work on all files in folders"),
    ("test", 't', &[], "Test compressed files"),
    ("verbose", 'v', &[], "Report each file's name and ratio"),
    (
        "rsyncable",
        'R',
        &[],
        "Let the data decide where chunks end, so that a small edit changes little of the result (for rsync and backups)",
    ),
    ("synchronous", 'Y', &[], "Write each result to the disk before its input is removed"),
    ("zlib", 'z', &[], "Compress to the zlib format, with the suffix .zz"),
    ("huffman", 'H', &[], "Huffman codes only, no matches (one thread)"),
    ("rle", 'U', &[], "Matches at distance one only (one thread)"),
    ("ascii", 'a', &[], "Ignored, as in gzip"),
];

/// Prefixes of long options that are unambiguous among gzip's options, but not among ours.
const SHORTENED: [(&str, &str); 4] = [("ascii", "a"), ("help", "h"), ("no-name", "no"), ("no-name", "no-")];

/// The long options with a value.
const WITH_VALUE: [&str; 8] =
    ["level", "processes", "threads", "blocksize", "suffix", "comment", "output", "bits"];

const LEVELS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Options of pigz that rigz lacks: name, letter, whether a value follows, and what to do instead, for a better message than
/// "unknown option".
const PIGZ_ONLY: &[(&str, char, bool, &str)] = &[
    ("zip", 'K', false, "rigz writes no zip files"),
    ("alias", 'A', true, "rigz writes no zip files"),
    ("independent", 'i', false, "--bgzf writes independent blocks"),
    ("first", 'F', false, ZOPFLI),
    ("iterations", 'I', true, ZOPFLI),
    ("maxsplits", 'J', true, ZOPFLI),
    ("oneblock", 'O', false, ZOPFLI),
];

const ZOPFLI: &str = "it tunes zopfli, which rigz does not have; -10, -11 and -12 write smaller files";

/// The command for clap; help, man pages and completions add the subcommands.
pub(crate) fn command() -> Command {
    let mut command = Command::new("rigz")
        .about("Compress or decompress files as gzip does, on all processors")
        .long_about(
            "Compress or decompress files as gzip does, on all processors.\n\n\
             Each file becomes FILE.gz, an ordinary gzip file with the same owner, mode and time. The result is the same for any \
             number of threads. With no FILE, or where FILE is -, standard input goes to standard output. Called gunzip or unrigz it \
             decompresses; called zcat or rzcat it decompresses to standard output.",
        )
        .after_help(
            "rigz run COMMAND...   runs a program with rigz in place of zlib; see rigz run --help\n\
             rigz check PROGRAM... reports whether that works for a program; see rigz check --help\n\
             rigz bench FILE       compares rigz with zlib, gzip and pigz; see rigz bench --help\n\
             If the first FILE is called run, check, bench or generate, write ./run and so on.",
        )
        .override_usage("rigz [OPTIONS] [FILE]...\n       rigz run [OPTIONS] [--] COMMAND...\n       rigz check [OPTIONS] PROGRAM...\n       rigz bench [--json] FILE")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .args_override_self(true)
        .infer_long_args(true);
    for &(name, letter, others, text) in FLAGS {
        let action = if name == "verbose" { ArgAction::Count } else { ArgAction::SetTrue };
        let flag = Arg::new(name).short(letter).long(name).visible_aliases(others.to_vec()).action(action);
        command = command.arg(flag.help(text).hide(name == "ascii"));
    }
    for (digit, name) in ('0'..).zip(LEVELS) {
        let (long, text) = match digit {
            '1' => ("fast", "Compress faster"),
            '9' => ("best", "Compress better; -6 is the default, -0 stores"),
            _ => ("", "Level"),
        };
        let mut level = Arg::new(name).short(digit).action(ArgAction::SetTrue).help(text);
        if !long.is_empty() {
            level = level.long(long);
        }
        command = command.arg(level.hide(long.is_empty()));
    }
    for &(name, letter, has_value, _) in PIGZ_ONLY {
        let action = if has_value { ArgAction::Set } else { ArgAction::SetTrue };
        let arg = Arg::new(name).short(letter).long(name).action(action).hide(true);
        command = command.arg(arg.value_parser(if has_value {
            ValueParser::new(OsStringValueParser::new())
        } else {
            ValueParser::bool()
        }));
    }
    let command = command.args([
        Arg::new("level")
            .long("level")
            .value_name("N")
            .value_parser(value_parser!(u32).range(0..=12))
            .help("Level 0 to 12, also written -0 to -12; 10 to 12 take 4 to 13 times as long as 9, for 2 to 3 % less output"),
        Arg::new("processes")
            .short('p')
            .long("processes")
            .visible_alias("threads")
            .value_name("N")
            .value_parser(value_parser!(u16).range(1..=1024))
            .help("Use up to N threads; 1 is serial [default: all processors]"),
        Arg::new("blocksize")
            .short('b')
            .long("blocksize")
            .value_name("KIB")
            .value_parser(value_parser!(u32).range(32..=65536))
            .help("Divide the data into chunks of KIB KiB, 32 to 65536; changes the result [default: 128, 256, then 512]"),
        Arg::new("suffix")
            .short('S')
            .long("suffix")
            .value_name("SUF")
            .allow_hyphen_values(true)
            .value_parser(ValueParser::new(OsStringValueParser::new()))
            .help("Use the suffix SUF in place of .gz"),
        Arg::new("comment")
            .short('C')
            .long("comment")
            .value_name("TEXT")
            .allow_hyphen_values(true)
            .value_parser(ValueParser::new(OsStringValueParser::new()))
            .help("Put a comment into the gzip header"),
        Arg::new("output")
            .short('o')
            .long("output")
            .value_name("OUT")
            .value_parser(ValueParser::new(OsStringValueParser::new()))
            .value_hint(ValueHint::FilePath)
            .help("Write the result of the one FILE, or of standard input, to OUT, and keep FILE"),
        Arg::new("bits").long("bits").value_name("N").value_parser(bits).hide(true).help("Ignored, as in gzip"),
        Arg::new("bgzf")
            .long("bgzf")
            .action(ArgAction::SetTrue)
            .help("Write BGZF: gzip in blocks that bgzip, tabix and samtools find; without name and time"),
        Arg::new("json")
            .long("json")
            .action(ArgAction::SetTrue)
            .help("Print the report of -l or -v as one line of JSON per file"),
        Arg::new("help").short('h').long("help").action(ArgAction::SetTrue).help("Print this help"),
        Arg::new("license").short('L').long("license").action(ArgAction::SetTrue).help("Print the license"),
        Arg::new("version").short('V').long("version").action(ArgAction::SetTrue).help("Print the version"),
        Arg::new("file")
            .value_name("FILE")
            .num_args(0..)
            .value_parser(ValueParser::new(OsStringValueParser::new()))
            .value_hint(ValueHint::FilePath)
            .help("Files to work on"),
    ]);
    SHORTENED
        .into_iter()
        .fold(command, |command, (name, prefix)| command.mut_arg(name, |arg| arg.alias(prefix)))
}

/// The value of `--bits`, which gzip checks, but does not use.
fn bits(value: &str) -> Result<(), &'static str> {
    if value.bytes().all(|byte| byte.is_ascii_digit()) { Ok(()) } else { Err("not an integer") }
}

/// The request of a command line.
#[derive(Debug)]
pub(crate) enum Request {
    Work(Box<Options>),
    Help,
    License,
    Version,
}

/// Parses a subcommand's words. Prints a parse error or the requested help; the `Err` value is the exit
/// status.
pub(crate) fn subcommand(command: Command, words: Vec<OsString>, failed: u8) -> Result<ArgMatches, ExitCode> {
    let name = command.get_bin_name().unwrap_or("rigz").to_owned();
    command.try_get_matches_from(words).map_err(|error| {
        if !error.use_stderr() {
            _ = error.print();
            return ExitCode::SUCCESS;
        }
        complain!("{name}: {}\nTry `{name} --help' for more information.", sentence(&error));
        ExitCode::from(failed)
    })
}

/// The parse error, in one sentence.
fn sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    // clap lists missing words after the first line.
    let list = text.lines().skip(1).take_while(|line| line.starts_with("  ")).map(str::trim);
    let lines: Vec<_> = text.lines().take(1).chain(list).collect();
    let line = lines.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

/// Reads `GZIP` and the command line. The error is a message for the user.
pub(crate) fn parse(program: &str, words: Vec<OsString>) -> Result<Request, String> {
    let mut all = vec![OsString::from("rigz")];
    all.extend(from_environment()?);
    all.extend(for_clap(words));
    let matches = command().try_get_matches_from(all).map_err(|error| sentence(&error))?;
    for (name, asked) in
        [("help", Request::Help), ("license", Request::License), ("version", Request::Version)]
    {
        if matches.get_flag(name) {
            return Ok(asked);
        }
    }
    for (name, letter, _, instead) in PIGZ_ONLY {
        if matches.value_source(name) == Some(ValueSource::CommandLine) {
            return Err(format!("no option -{letter} (--{name}) as in pigz: {instead}"));
        }
    }
    Ok(Request::Work(Box::new(Options::from_matches(program, &matches)?)))
}

/// Changes the words that clap reads in another way than getopt.
///
/// `-11` is one level, as for pigz, and so are `-10` and `-12`; any other run of digits means its last digit, as for gzip. Such
/// a run becomes `--level` here, since clap reads an option with one dash as single letters. In `-S=x` the suffix is `=x`, but
/// clap removes one `=` between a letter and its value.
fn for_clap(words: Vec<OsString>) -> Vec<OsString> {
    let takes_value = |letter: u8| matches!(letter, b'p' | b'b' | b'S' | b'C' | b'o' | b'A' | b'I' | b'J');
    let (mut split, mut is_value, mut are_files) = (Vec::new(), false, false);
    for word in words {
        let letters = word.as_bytes().strip_prefix(b"-").unwrap_or_default();
        if is_value || are_files || letters.is_empty() || letters[0] == b'-' {
            are_files |= letters == b"-" && !is_value;
            // Long options with a value, which may be in the next word.
            let name = word.to_str().and_then(|word| word.strip_prefix("--")).filter(|name| !name.is_empty());
            is_value = !is_value
                && name.is_some_and(|name| WITH_VALUE.iter().any(|option| option.starts_with(name)));
            split.push(word);
            continue;
        }
        let value_at = letters.iter().position(|&letter| takes_value(letter)).unwrap_or(letters.len());
        is_value = value_at + 1 == letters.len();
        let (mut flags, value) = letters.split_at(value_at);
        let mut push = |letters: &[u8]| {
            if !letters.is_empty() {
                split.push(OsString::from_vec([b"-", letters].concat()));
            }
        };
        let mut pending = Vec::new();
        while let Some(&first) = flags.first() {
            let len = flags.iter().take_while(|letter| letter.is_ascii_digit()).count();
            if let run @ (b"10" | b"11" | b"12") = &flags[..len] {
                push(&std::mem::take(&mut pending));
                push(&[b"-level=", run].concat());
            } else if len > 0 {
                pending.extend_from_slice(&flags[..len]);
            } else {
                pending.push(first);
            }
            flags = &flags[len.max(1)..];
        }
        if let Some((letter, [b'=', ..])) = value.split_first() {
            pending.extend_from_slice(&[*letter, b'=']);
            pending.extend_from_slice(&value[1..]);
        } else {
            pending.extend_from_slice(value);
        }
        push(&pending);
    }
    split
}

impl Options {
    fn from_matches(program: &str, matches: &ArgMatches) -> Result<Self, String> {
        let has = |name: &str| matches.get_flag(name);
        let is_cat = program.ends_with("cat");
        let mode = match () {
            () if has("list") => Mode::List,
            () if has("test") => Mode::Test,
            () if has("decompress") || is_cat || program.starts_with("un") || program.starts_with("gun") => {
                Mode::Decompress
            }
            () => Mode::Compress,
        };
        let keeps = mode == Mode::Compress;
        let name = last(matches, &["name", "no-name"]).map_or(keeps, |last| last == "name");
        let time = last(matches, &["name", "no-name", "time", "no-time"])
            .map_or(keeps, |last| matches!(last, "name" | "time"));
        let level = match last(matches, &[&LEVELS[..], &["level"]].concat()) {
            None => None,
            Some("level") => matches.get_one("level").copied(),
            Some(digit) => Some(digit.bytes().map(|digit| u32::from(digit - b'0')).sum()),
        };
        let level = level.and_then(Level::new).unwrap_or(Level::DEFAULT);
        let strategy = match last(matches, &["huffman", "rle"]) {
            Some("huffman") => Strategy::HuffmanOnly,
            Some(_) => Strategy::Rle,
            None => Strategy::Default,
        };
        let format = match last(matches, &["zlib", "bgzf"]) {
            Some("zlib") => Format::Zlib,
            Some(_) => Format::Bgzf,
            None => Format::Gzip,
        };
        let suffix = matches.get_one::<OsString>("suffix").cloned();
        if let Some(suffix) =
            suffix.as_ref().filter(|suffix| suffix.is_empty() || suffix.as_bytes().contains(&b'/'))
        {
            return Err(format!("invalid suffix '{}'", shown(&suffix)));
        }
        let output = matches.get_one::<OsString>("output");
        let loudness = last(matches, &["quiet", "verbose"]);
        Ok(Self {
            mode,
            format,
            level,
            strategy,
            to_stdout: has("stdout") || is_cat || output.is_some_and(|output| output == "-"),
            force: has("force"),
            keep: has("keep"),
            name,
            time,
            quiet: loudness == Some("quiet"),
            verbose: loudness == Some("verbose"),
            recursive: has("recursive"),
            rsyncable: has("rsyncable"),
            synchronous: has("synchronous"),
            json: has("json"),
            ascii: has("ascii"),
            comment: matches.get_one::<OsString>("comment").cloned(),
            output: output.filter(|output| *output != "-").map(PathBuf::from),
            suffix: suffix.unwrap_or_else(|| if format == Format::Zlib { ".zz" } else { ".gz" }.into()),
            threads: matches.get_one::<u16>("processes").map(|&count| usize::from(count)),
            chunk: matches.get_one::<u32>("blocksize").map(|&kib| kib as usize * 1024),
            files: matches
                .get_many::<OsString>("file")
                .map(|files| files.cloned().collect())
                .unwrap_or_default(),
        })
    }
}

/// Returns the one of these flags that comes last on the command line.
fn last<'a>(matches: &ArgMatches, names: &[&'a str]) -> Option<&'a str> {
    let given = names.iter().filter(|name| matches.value_source(name) == Some(ValueSource::CommandLine));
    given.max_by_key(|name| matches.indices_of(name).and_then(|indices| indices.max())).copied()
}

/// The words of `GZIP`: only options that change neither the chosen files nor the operation.
fn from_environment() -> Result<Vec<OsString>, String> {
    let Some(words) = std::env::var_os("GZIP") else { return Ok(Vec::new()) };
    let Some(words) = words.to_str() else { return Err("GZIP environment variable: not valid UTF-8".into()) };
    let words: Vec<_> = words.split_ascii_whitespace().collect();
    for word in &words {
        let refuse = |option: String| Err(format!("{option}: option not valid in GZIP environment variable"));
        if let Some(long) = word.strip_prefix("--") {
            let known = FROM_ENVIRONMENT.iter().chain(&["fast", "best", "silent"]);
            if long.is_empty() || known.filter(|name| name.starts_with(long)).count() == 0 {
                return refuse(format!("--{long}"));
            }
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            if let Some(letter) =
                letters.chars().find(|letter| !matches!(letter, '1'..='9' | 'n' | 'N' | 'q' | 'v'))
            {
                return refuse(format!("-{letter}"));
            }
        } else {
            return Err(format!("{word}: non-option in GZIP environment variable"));
        }
    }
    if !words.is_empty() && !words.iter().any(|word| word.starts_with("-q") || word.starts_with("--q")) {
        complain!("rigz: warning: GZIP environment variable is deprecated; use an alias or script");
    }
    Ok(words.into_iter().map(OsString::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Options {
        match parse("rigz", words.iter().map(OsString::from).collect()) {
            Ok(Request::Work(options)) => *options,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn the_last_of_contradicting_options_counts() {
        assert_eq!(options(&["-9", "-1"]).level.number(), 1);
        assert_eq!(options(&["-1", "--best"]).level.number(), 9);
        assert_eq!(options(&["-196"]).level.number(), 6);
        assert_eq!(options(&[]).level.number(), 6);
        let names = |words: &[&str]| {
            let options = options(words);
            (options.name, options.time)
        };
        assert_eq!(names(&[]), (true, true));
        assert_eq!(names(&["-d"]), (false, false));
        assert_eq!(names(&["-dN"]), (true, true));
        assert_eq!(names(&["-nN"]), (true, true));
        assert_eq!(names(&["-Nn"]), (false, false));
        assert_eq!(names(&["-m"]), (true, false));
        assert_eq!(names(&["-dM"]), (false, true));
        assert!(options(&["-qv"]).verbose && !options(&["-qv"]).quiet);
        assert!(options(&["-vq"]).quiet && !options(&["-vq"]).verbose);
    }

    #[test]
    fn letters_may_be_joined_and_long_names_shortened() {
        let joined = options(&["-dcfp4", "-S", "-x", "--", "-file"]);
        assert_eq!((joined.mode, joined.to_stdout, joined.force), (Mode::Decompress, true, true));
        assert_eq!((joined.threads, joined.suffix.as_os_str()), (Some(4), "-x".as_ref()));
        assert_eq!(joined.files, ["-file"]);
        assert_eq!(options(&["--decomp"]).mode, Mode::Decompress);
        assert_eq!(options(&["--uncompress", "-"]).files, ["-"]);
        assert_eq!(options(&["-S.q", "-b64"]).chunk, Some(65_536));
    }

    #[test]
    fn ten_to_twelve_are_levels_and_other_digits_are_separate() {
        for (words, level) in [
            (&["-11"][..], 11),
            (&["-k10c"], 10),
            (&["-12", "-3"], 3),
            (&["-3", "-12"], 12),
            (&["-9", "--level", "11"], 11),
            (&["--level=0"], 0),
            (&["-13"], 3),
            (&["-112"], 2),
            (&["-1", "-1"], 1),
            (&["-p", "11"], 6),
            (&["-p11"], 6),
            (&["-b128", "-9"], 9),
            (&["-S", "-11"], 6),
            (&["--suffix", "-11", "-12"], 12),
            (&["--", "-11"], 6),
        ] {
            assert_eq!(options(words).level.number(), level, "{words:?}");
        }
        let joined = options(&["-k11fp12", "-S", "-11", "file", "-C-10", "--", "-12"]);
        assert!(joined.keep && joined.force && joined.level.number() == 11);
        assert_eq!((joined.threads, joined.suffix.to_str()), (Some(12), Some("-11")));
        assert_eq!(joined.comment.as_deref(), Some("-10".as_ref()));
        assert_eq!(joined.files, ["file", "-12"]);
    }

    #[test]
    fn pigz_only_options_are_refused_with_a_hint() {
        for (words, part) in [
            (&["-K", "a"][..], "no zip files"),
            (&["-iA", "x"], "no option"),
            (&["--independent"], "--bgzf"),
            (&["-11", "-I15"], "zopfli"),
            (&["--oneblock"], "zopfli"),
        ] {
            let outcome = parse("rigz", words.iter().map(OsString::from).collect());
            assert!(matches!(&outcome, Err(message) if message.contains(part)), "{words:?}: {outcome:?}");
        }
    }

    #[test]
    fn invalid_options_are_refused() {
        for words in [
            &["--nonsense"][..],
            &["-p0"],
            &["-b1"],
            &["-S", ""],
            &["-S", "x/y"],
            &["-p"],
            &["--level", "13"],
            &["-C"],
        ] {
            let outcome = parse("rigz", words.iter().map(OsString::from).collect());
            assert!(outcome.is_err(), "{words:?}: {outcome:?}");
        }
    }
}
