//! `rigz generate FOLDER`: man pages and shell completions, made from the options themselves, for whoever installs rigz.
//!
//! FOLDER gets `man/rigz.1`, `man/rigz-run.1`, `man/rigz-check.1`, `man/rigz-bench.1`, `bash/rigz`, `zsh/_rigz` and `fish/rigz.fish`.

#![forbid(unsafe_code)]

use crate::{bench, check, options, run};
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// `words` begin with `generate`.
pub(crate) fn main(words: Vec<OsString>) -> ExitCode {
    let [_, folder] = &words[..] else {
        complain!("rigz generate: give the one folder that man pages and completions go to");
        return ExitCode::from(1);
    };
    match generate(Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain!("rigz generate: {}: {error}", folder.display());
            ExitCode::from(1)
        }
    }
}

fn generate(folder: &Path) -> io::Result<()> {
    let man = folder.join("man");
    fs::create_dir_all(&man)?;
    let version = env!("CARGO_PKG_VERSION");
    for (name, command, sections) in [
        ("rigz", options::command(), RIGZ),
        ("rigz-run", run::command(), RUN),
        ("rigz-check", check::command(), CHECK),
        ("rigz-bench", bench::command(), BENCH),
    ] {
        let mut page = File::create(man.join(format!("{name}.1")))?;
        write_page(&mut page, command.name(name).version(version), sections)?;
    }
    let command = options::command().subcommands([run::command(), check::command(), bench::command()]);
    for (shell, name) in
        [(Shell::Bash, "bash/rigz"), (Shell::Zsh, "zsh/_rigz"), (Shell::Fish, "fish/rigz.fish")]
    {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        clap_complete::generate(shell, &mut command.clone(), "rigz", &mut File::create(path)?);
    }
    Ok(())
}

fn write_page(page: &mut impl Write, command: Command, sections: &[(&str, &[&str])]) -> io::Result<()> {
    let man = Man::new(command);
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    let mut roff = Roff::new();
    for (title, paragraphs) in sections {
        roff.control("SH", [*title]);
        for paragraph in *paragraphs {
            roff.control("PP", []);
            roff.text([roman(*paragraph)]);
        }
    }
    roff.to_writer(page)
}

/// What the pages say behind the options.
const RIGZ: &[(&str, &[&str])] = &[
    (
        "SUBCOMMANDS",
        &[
            "rigz run COMMAND... runs a program with its zlib made parallel: rigz-run(1). rigz check PROGRAM... finds out whether that \
             works for a program: rigz-check(1). rigz bench FILE compares the speed with that of zlib, gzip and pigz: rigz-bench(1).",
            "The words run, check, bench and generate are subcommands as the very first argument only. A file of that name is written \
             ./run, or comes after an option or --.",
        ],
    ),
    (
        "FILES AND NAMES",
        &[
            "What is refused is what gzip refuses without -f: links, files with other links, what is neither file nor folder, \
             an output that exists. A file is removed when its result is complete under its name. An existing output that is to be \
             overwritten is replaced at the end, at once. A result that is not complete goes when rigz is interrupted or fails.",
            "rigz -d reads gzip files of one or more members, zlib streams, and the first entry of a zip file. Zeros after the last \
             member are ignored, other bytes are ignored with a warning. For files of compress, bzip2, xz, zstd and others it says \
             which program reads them.",
            "With -o OUT the result of the one FILE, or of standard input, goes to OUT, and FILE stays. A device or a pipe is written \
             to; a file that exists is replaced only with -f.",
            "Of several files, small ones are compressed or decompressed at once, each by one thread, and larger ones one after the \
             other, each by all threads; never by more threads than -p allows. Results on standard output and messages come in the \
             order of the files.",
            "A name that would be too long with its suffix is shortened as gzip does it, and kept in the header.",
        ],
    ),
    (
        "LEVELS",
        &[
            "-0 stores, -1 is the fastest, -6 the default, and -9 what most ask for who want small files. Levels 10 to 12 are beyond what gzip \
             has: they weigh whole paths through the data, take 4 to 13 times as long as -9, also on all processors, and save another 2 to 3 %. \
             They are written -10, -11, -12 or --level N. Of pigz's -11 they have the meaning, small and slow, but not the encoder, zopfli, \
             which is slower by far; its options -F, -I, -J and -O are refused.",
            "A run of digits other than 10, 11 and 12 means its last one, as for gzip: -19 is -9.",
        ],
    ),
    (
        "RSYNCABLE",
        &[
            "With --rsyncable chunks of 32 to 512 KiB, 160 KiB on average, end where a rolling hash of the data says so. An edit \
           changes the chunks it touches and the one behind them, and all else in the output stays byte for byte the same. \
           The output is hardly larger.",
        ],
    ),
    ("EXIT STATUS", &["0 when all went well, 1 after an error, 2 after nothing worse than a warning."]),
    (
        "ENVIRONMENT",
        &[
            "GZIP may hold the options -1 to -9, -n, -N, -q, -v, --rsyncable and --synchronous, as for gzip; it is deprecated.",
            "RIGZ_THREADS says how many threads may compress where -p does not. RIGZ_STATS and RIGZ_LOG name files to which each stream \
             appends what it did and why; RIGZ_TRACE names one for a timeline.",
        ],
    ),
    ("SEE ALSO", &["gzip(1), pigz(1), rigz-run(1), rigz-check(1), rigz-bench(1)"]),
];

const RUN: &[(&str, &[&str])] = &[
    (
        "EXAMPLES",
        &[
            "rigz run pg_dump -Z9 -Fc -f shop.dump shop",
            "rigz run --stats - -- git -c core.compression=9 repack -adf",
            "rigz run --trace dump.json pg_dump -Z9 -Fc -f shop.dump shop",
        ],
    ),
    (
        "STATISTICS AND TIMELINE",
        &[
            "--stats sums up streams by program, operation and engine. Each line in FILE is a JSON object: operation, engine, program, \
             level, bytes_in, bytes_out, chunks, threads, start (seconds since 1970), seconds (in calls of zlib's functions), cpu_seconds \
             (of the calls and of the workers that helped), pid.",
            "--trace writes events in the Trace Event Format, at most 64 MiB: streams, chunks, calls and waits of 50 microseconds and \
             more, and what is decoded ahead of a reader. Open FILE in https://ui.perfetto.dev or chrome://tracing.",
        ],
    ),
    (
        "PROGRAMS THAT GO WRONG",
        &[
            "A few programs are known to go wrong on rigz, such as gs (pdfwrite). rigz run says so and why, and sets \
             the variables with which they go right, unless all of them are set already.",
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            "RIGZ_PRELOAD_FILE names the library to preload. LD_PRELOAD keeps what it holds, after ours. A variable that begins with RIGZ_ \
           and is not understood is named in a warning.",
        ],
    ),
    ("SEE ALSO", &["rigz(1), rigz-check(1)"]),
];

const CHECK: &[(&str, &[&str])] = &[
    (
        "EXIT STATUS",
        &[
            "0 when every program can be accelerated, 1 when one can't, 2 when none can't but one only perhaps; 3 when one could not be \
             looked at.",
        ],
    ),
    ("SEE ALSO", &["rigz(1), rigz-run(1)"]),
];

const BENCH: &[(&str, &[&str])] = &[("SEE ALSO", &["rigz(1), gzip(1), pigz(1)"])];
