//! `rigz generate FOLDER`: man pages and shell completions, generated from the options themselves, for installations.
//!
//! FOLDER gets `man/rigz.1`, `man/rigz-run.1`, `man/rigz-check.1`, `man/rigz-bench.1`, `bash/rigz`, `zsh/_rigz` and `fish/rigz.fish`.

#![forbid(unsafe_code)]

use crate::say::in_file;
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
        complain!("rigz generate: needs one argument, the folder for man pages and completions");
        return ExitCode::from(1);
    };
    match generate(Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain!("rigz generate: {}", in_file(Path::new(folder))(error));
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

/// The sections of the pages after the options.
const RIGZ: &[(&str, &[&str])] = &[
    (
        "SUBCOMMANDS",
        &[
            "rigz run COMMAND... runs a program with rigz in place of zlib: rigz-run(1). rigz check PROGRAM... reports whether that works \
             for a program: rigz-check(1). rigz bench FILE compares rigz with zlib, gzip and pigz: rigz-bench(1).",
            "The words run, check, bench and generate are subcommands as the very first argument only. A file of that name is written \
             ./run, or comes after an option or --.",
        ],
    ),
    (
        "FILES AND NAMES",
        &[
            "As gzip, without -f rigz refuses symbolic links, files with other links, devices, pipes and sockets, and an output that \
             exists. It removes a file after the result is complete under its name. With -f the old output stays until the new one \
             is complete. If rigz is interrupted or fails, it removes the incomplete result.",
            "rigz -d reads gzip files of one or more members, zlib streams, and the first entry of a zip file. Zeros after the last \
             member are ignored, other bytes are ignored with a warning; a single byte is an error, since a member may have been cut \
             off after it. For files of compress, bzip2, xz, zstd and lz4 it names \
             the program that reads them.",
            "With -o OUT the result of the one FILE, or of standard input, goes to OUT, and FILE is kept. Links are followed. A device, a pipe or \
             a descriptor such as /dev/stdout is written to; a file that exists is replaced only with -f.",
            "Small files are compressed or decompressed at the same time, each by one thread, and larger ones one after the other, each \
             by all threads; -p limits the threads in both cases. Results on standard output and messages come in the order of the \
             files.",
            "A name that would be too long with its suffix is shortened as gzip does it, and kept in the header.",
            "Messages and lists contain names as they are. With --json, each byte NN (hexadecimal) of a name that is not UTF-8 is the \
             character U+10FFNN.",
        ],
    ),
    (
        "LEVELS",
        &[
            "-0 stores, -1 is the fastest, -6 is the default, and -9 is gzip's best. Levels 10 to 12 do not exist in gzip: they take 4 to 13 \
             times as long as -9, also on all processors, and save another 2 to 3 %. They are written -10, -11, -12 or --level N. pigz's -11 \
             uses zopfli, which is much slower; its options -F, -I, -J and -O are refused.",
            "A run of digits other than 10, 11 and 12 means its last one, as for gzip: -19 is -9.",
        ],
    ),
    (
        "RSYNCABLE",
        &[
            "With --rsyncable a rolling hash of the data decides where chunks end, after 32 to 512 KiB, 160 KiB on average. An edit \
           changes the chunks that contain it and the next one; the rest of the output stays the same, byte for byte. The output \
           is slightly larger.",
        ],
    ),
    ("EXIT STATUS", &["0 without errors or warnings, 1 after an error, 2 after a warning and no error."]),
    (
        "ENVIRONMENT",
        &[
            "GZIP may hold the options -1 to -9, -n, -N, -q, -v, --rsyncable and --synchronous, as for gzip; it is deprecated.",
            "RIGZ_THREADS is the number of threads without -p. RIGZ_STATS names a file to which each stream appends its statistics, RIGZ_LOG \
             one for the reasons why streams were compressed in parallel or not, RIGZ_TRACE one for a timeline.",
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
             level, bytes_in, bytes_out, chunks, chunks_by_workers, threads, checkpoints, resumptions, start (seconds since 1970), seconds \
             (in calls of zlib's functions), cpu_seconds (of the calls and of the workers that helped), pid.",
            "--trace writes events in the Trace Event Format, at most 64 MiB: streams, chunks, calls and waits of 50 microseconds and \
             more, and what is decoded ahead of a reader. Open FILE in https://ui.perfetto.dev or chrome://tracing.",
        ],
    ),
    (
        "PROGRAMS WITH KNOWN PROBLEMS",
        &[
            "A few programs, such as gs (pdfwrite), need settings to work with rigz. rigz run sets these variables, unless all of them \
             are set already, and prints the reason.",
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            "RIGZ_PRELOAD_FILE names the library to preload. It is put before the libraries that LD_PRELOAD already names. rigz run \
           warns of a variable that begins with RIGZ_ and is unknown or has a value that rigz cannot read.",
        ],
    ),
    ("SEE ALSO", &["rigz(1), rigz-check(1)"]),
];

const CHECK: &[(&str, &[&str])] = &[
    (
        "EXIT STATUS",
        &["0 if all answers are yes, 1 if one is no, else 2 if one is perhaps; 3 after an error."],
    ),
    ("SEE ALSO", &["rigz(1), rigz-run(1)"]),
];

const BENCH: &[(&str, &[&str])] = &[("SEE ALSO", &["rigz(1), gzip(1), pigz(1)"])];
