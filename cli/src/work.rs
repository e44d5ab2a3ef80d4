//! One file after the other: which are taken, where each result goes, what is said of it, and when the input goes.
//!
//! The refusals, their words and what they do to the exit status are gzip's. A file is only ever removed when its result is
//! complete under its name.

#![forbid(unsafe_code)]

use crate::compress::{Origin, compress};
use crate::decompress::Decoder;
use crate::header::Kind;
use crate::list::{Entry, List, ratio};
use crate::names;
use crate::options::{Format, Mode, Options};
use crate::output::{NewFile, sync_folder};
use crate::progress::Progress;
use crate::report::Report;
use crate::say::describe;
use crate::transfer::{Failure, Sink, Totals, Trailing};
use serde_json::json;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The work of one command line.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    options: &'a Options,
    report: &'a Report,
    list: List,
}

/// A file that is open and may be worked on.
#[derive(Debug)]
struct Input {
    /// `None` for standard input.
    path: Option<PathBuf>,
    file: File,
    status: Metadata,
}

impl Input {
    fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "stdin".into(), |path| path.display().to_string())
    }

    fn len(&self) -> Option<u64> {
        self.status.is_file().then_some(self.status.len())
    }
}

impl<'a> Work<'a> {
    pub(crate) fn new(options: &'a Options, report: &'a Report) -> Self {
        Self { options, report, list: List::new(options) }
    }

    /// Does everything the command line names.
    pub(crate) fn run(mut self) {
        if self.options.files.is_empty() {
            self.do_stdin();
        }
        for name in &self.options.files {
            if name == "-" { self.do_stdin() } else { self.do_path(Path::new(name)) }
        }
        self.list.close();
    }

    fn do_stdin(&mut self) {
        let options = self.options;
        if !options.force && options.mode != Mode::Compress && io::stdin().is_terminal() {
            return self.report.error(
                "compressed data not read from a terminal. Use -f to force decompression.\nFor help, type: rigz -h",
            );
        }
        let opened = io::stdin().as_fd().try_clone_to_owned().map(File::from);
        match opened.and_then(|file| Ok((file.metadata()?, file))) {
            Ok((status, file)) => self.do_input(Input { path: None, file, status }),
            Err(error) => self.report.error(format_args!("stdin: {}", describe(&error))),
        }
    }

    fn do_path(&mut self, path: &Path) {
        match self.open(path) {
            Ok(input) if input.status.is_dir() => self.do_folder(path),
            Ok(input) => {
                if let Some(refusal) = self.refusal(&input) {
                    self.report.warn(format_args!("{} {refusal}", input.name()));
                } else {
                    self.do_input(input);
                }
            }
            Err((path, error)) => self.report.error(format_args!("{}: {}", path.display(), describe(&error))),
        }
    }

    /// Opens a file; for decompression also the one that has a suffix behind the name given.
    fn open(&self, path: &Path) -> Result<Input, (PathBuf, io::Error)> {
        let mut flags = libc::O_NOCTTY;
        if !self.options.to_stdout {
            // What is no regular file is refused, and a pipe without a writer must not keep us waiting for that. Links are refused
            // because the file would stay and the link go.
            flags |= libc::O_NONBLOCK;
            let keeps_links = matches!(self.options.mode, Mode::Test | Mode::List);
            if !self.options.force && !keeps_links {
                flags |= libc::O_NOFOLLOW;
            }
        }
        let open = |path: &Path| -> io::Result<Input> {
            let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
            Ok(Input { path: Some(path.to_owned()), status: file.metadata()?, file })
        };
        let outcome = open(path);
        let is_absent = matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::NotFound);
        if is_absent
            && self.options.mode != Mode::Compress
            && names::suffix_of(path, &self.options.suffix).is_none()
        {
            let candidates = names::candidates(path, &self.options.suffix);
            for candidate in &candidates {
                match open(candidate) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    outcome => return outcome.map_err(|error| (candidate.clone(), error)),
                }
            }
            return outcome.map_err(|error| (candidates[0].clone(), error));
        }
        outcome.map_err(|error| (path.to_owned(), error))
    }

    /// Why gzip would leave this file alone.
    fn refusal(&self, input: &Input) -> Option<String> {
        let (options, status) = (self.options, &input.status);
        if options.to_stdout || matches!(options.mode, Mode::Test | Mode::List) {
            return None;
        }
        let kind = status.file_type();
        if kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device() {
            return Some("is not a directory or a regular file - ignored".into());
        }
        let others = status.nlink().saturating_sub(1);
        match () {
            () if status.mode() & 0o4000 != 0 => Some("is set-user-ID on execution - ignored".into()),
            () if status.mode() & 0o2000 != 0 => Some("is set-group-ID on execution - ignored".into()),
            () if status.mode() & 0o1000 != 0 => Some("has the sticky bit set - file ignored".into()),
            // The other names would keep the file as it is.
            () if others > 0 && !options.force => {
                Some(format!("has {others} other link{} -- file ignored", if others == 1 { "" } else { "s" }))
            }
            () => None,
        }
    }

    fn do_folder(&mut self, path: &Path) {
        if !self.options.recursive {
            return self.report.warn(format_args!("{} is a directory -- ignored", path.display()));
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        match entries {
            // The names are read before the first file changes, or a result could be met again.
            Ok(entries) => entries.iter().for_each(|entry| self.do_path(&entry.path())),
            Err(error) => self.report.error(format_args!("{}: {}", path.display(), describe(&error))),
        }
    }

    fn do_input(&mut self, input: Input) {
        if let Err(Stop(message)) = match self.options.mode {
            Mode::Compress => self.compress(input),
            Mode::Decompress | Mode::Test | Mode::List => self.decompress(input),
        } {
            self.report.error(message);
        }
    }

    fn compress(&self, mut input: Input) -> Result<(), Stop> {
        let options = self.options;
        let goes_to_stdout = options.to_stdout || input.path.is_none();
        let target = match &input.path {
            Some(path) if !goes_to_stdout => {
                if let Some(suffix) = names::suffix_of(path, &options.suffix).filter(|_| !options.force) {
                    if options.verbose || !options.recursive {
                        self.report.note(format_args!(
                            "{} already has {} suffix -- unchanged",
                            input.name(),
                            suffix.display()
                        ));
                    }
                    return Ok(());
                }
                Some(names::compressed(path, &options.suffix))
            }
            _ => None,
        };
        if goes_to_stdout && !options.force && io::stdout().is_terminal() {
            return Err(Stop(
                "compressed data not written to a terminal. Use -f to force compression.\nFor help, type: rigz -h".into(),
            ));
        }
        let Some(mut target) = self.begin(target)? else { return Ok(()) };
        let mut origin = Origin::default();
        if options.name {
            origin.name = input.path.as_ref().and_then(|path| path.file_name()).map(stored_name);
        }
        if options.time && input.status.is_file() {
            origin.time = self.stored_time(&input);
        }
        let mut progress = self.progress(&input, goes_to_stdout);
        let outcome = compress(&mut input.file, &mut target.sink, &origin, options, &mut progress);
        let took = progress.finish();
        let totals = outcome.map_err(|failure| self.stop(failure, &input, &target))?;
        self.finish(input, target, totals, took, None)
    }

    fn decompress(&mut self, input: Input) -> Result<(), Stop> {
        let options = self.options;
        let is_looking = matches!(options.mode, Mode::Test | Mode::List);
        let goes_to_stdout = !is_looking && (options.to_stdout || input.path.is_none());
        let name = input.name();
        let suffix = input.path.as_ref().and_then(|path| names::suffix_of(path, &options.suffix));
        let suffix = suffix.map(OsStr::to_owned);
        if suffix.is_none() && !goes_to_stdout && !is_looking {
            if options.verbose || !(options.recursive || options.quiet) {
                self.report.warn(format_args!("{name}: unknown suffix -- ignored"));
            }
            return Ok(());
        }
        let mut file =
            input.file.try_clone().map_err(|error| Stop(format!("{name}: {}", describe(&error))))?;
        let decoder =
            Decoder::new(&mut file).map_err(|failure| Stop(format!("{name}: {}", failure.text())))?;
        // Two letters of plain text can look like a zlib header, so what may be passed on must say by its name that it is one.
        let is_zlib = options.format == Format::Zlib
            || suffix
                .as_ref()
                .is_some_and(|suffix| suffix.as_encoded_bytes().to_ascii_lowercase().ends_with(b"zz"));
        let passes = options.force
            && goes_to_stdout
            && match decoder.kind() {
                Kind::Gzip | Kind::Foreign(_) => false,
                Kind::Zlib => !is_zlib,
                Kind::Empty | Kind::Unknown => true,
            };
        let target_path = match (&input.path, &suffix) {
            (Some(path), Some(suffix)) if !goes_to_stdout && !is_looking => {
                let plain = names::plain(path, suffix);
                let stored = decoder.stored().name.as_ref().filter(|_| options.name);
                Some(stored.and_then(|stored| names::stored(path, stored)).unwrap_or(plain))
            }
            _ => None,
        };
        let stored_time = decoder.stored().time.filter(|_| options.time);
        let modified = stored_time.map(|time| UNIX_EPOCH + Duration::from_secs(u64::from(time)));
        let entry = self.entry(&input, &decoder, suffix.as_deref());
        let target = if is_looking { Some(Target::nowhere(options)) } else { self.begin(target_path)? };
        let Some(mut target) = target else { return Ok(()) };
        let mut progress = self.progress(&input, goes_to_stdout);
        let outcome = match passes {
            true => decoder.copy(&mut target.sink),
            false => decoder.decode(&mut target.sink, &mut progress),
        };
        let took = progress.finish();
        let totals = outcome.map_err(|failure| self.stop(failure, &input, &target))?;
        match totals.trailing {
            Trailing::Nothing => {}
            Trailing::Zeros if !options.verbose => {}
            Trailing::Zeros => {
                self.report.warn(format_args!("{name}: decompression OK, trailing zero bytes ignored"));
            }
            Trailing::Garbage => {
                self.report.warn(format_args!("{name}: decompression OK, trailing garbage ignored"));
            }
        }
        if options.mode == Mode::List {
            self.list.add(&entry, totals, target.sink.check());
            return Ok(());
        }
        self.finish(input, target, totals, took, modified)
    }

    /// What a list tells of a file before it is decoded.
    fn entry(&self, input: &Input, decoder: &Decoder<'_>, suffix: Option<&OsStr>) -> Entry {
        let stored = decoder.stored();
        let plain = match (&input.path, suffix) {
            (Some(path), Some(suffix)) => names::plain(path, suffix).display().to_string(),
            (Some(path), None) => path.display().to_string(),
            (None, _) => "stdout".into(),
        };
        let stored_name = stored.name.as_ref().filter(|_| self.options.name);
        let stored_time = stored.time.filter(|_| self.options.time).map(i64::from);
        Entry {
            file: input.name(),
            name: stored_name.map_or(plain, |name| String::from_utf8_lossy(name).into_owned()),
            time: stored_time.or_else(|| input.status.is_file().then(|| input.status.mtime())),
            is_zlib: decoder.kind() == Kind::Zlib,
        }
    }

    /// Opens the output. `None` when the user does not want a file overwritten.
    fn begin(&self, path: Option<PathBuf>) -> Result<Option<Target>, Stop> {
        let Some(path) = path else {
            let stdout = io::stdout().as_fd().try_clone_to_owned();
            let stdout = stdout.map_err(|error| Stop(format!("stdout: {}", describe(&error))))?;
            return Ok(Some(Target { file: None, path: None, sink: Sink::new(Some(File::from(stdout))) }));
        };
        let in_path = |error: io::Error| Stop(format!("{}: {}", path.display(), describe(&error)));
        let new = match NewFile::create(&path, self.options.force) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !self.may_overwrite(&path) {
                    self.report.warn(format_args!("{} already exists; not overwritten", path.display()));
                    return Ok(None);
                }
                NewFile::create(&path, true).map_err(in_path)?
            }
            outcome => outcome.map_err(in_path)?,
        };
        let sink = Sink::new(Some(new.handle().map_err(in_path)?));
        Ok(Some(Target { file: Some(new), path: Some(path), sink }))
    }

    fn may_overwrite(&self, path: &Path) -> bool {
        if !io::stdin().is_terminal() {
            return false;
        }
        _ = write!(
            io::stderr(),
            "rigz: {} already exists; do you wish to overwrite (y or n)? ",
            path.display()
        );
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).is_ok() && answer.trim_start().starts_with(['y', 'Y'])
    }

    /// Completes the output, tells of it, and lets the input go.
    fn finish(
        &self,
        input: Input,
        target: Target,
        totals: Totals,
        took: Duration,
        modified: Option<SystemTime>,
    ) -> Result<(), Stop> {
        let options = self.options;
        let mut fate = String::new();
        if let (Some(new), Some(target), Some(path)) = (target.file, &target.path, &input.path) {
            let unkept = new
                .complete(&input.status, modified, options.synchronous)
                .map_err(|error| Stop(format!("{}: {}", target.display(), describe(&error))))?;
            if let Some(error) = unkept {
                self.report.warn(format_args!("{}: {}", target.display(), describe(&error)));
            }
            let mut goes = !options.keep;
            if goes && self.has_changed(&input, totals) {
                self.report.warn(format_args!("{}: file changed while it was read -- kept", path.display()));
                goes = false;
            }
            if goes {
                fs::remove_file(path)
                    .map_err(|error| Stop(format!("{}: {}", path.display(), describe(&error))))?;
                if options.synchronous {
                    sync_folder(path)
                        .map_err(|error| Stop(format!("{}: {}", path.display(), describe(&error))))?;
                }
            }
            fate = format!(" -- {} {}", if goes { "replaced with" } else { "created" }, target.display());
        } else if options.synchronous && options.mode != Mode::Test {
            // A pipe has no disk to be brought to.
            _ = io::stdout().as_fd().try_clone_to_owned().map(|stdout| File::from(stdout).sync_all());
        }
        if options.json {
            self.tell_json(&input, target.path.as_deref(), totals, took);
        } else if options.verbose {
            self.tell(&input, totals, &fate);
        }
        Ok(())
    }

    /// Whether what was read is no longer what the file holds.
    fn has_changed(&self, input: &Input, totals: Totals) -> bool {
        let is_short = self.options.mode == Mode::Compress && input.len() != Some(totals.bytes_in);
        let now = input.file.metadata();
        is_short
            || now.is_ok_and(|now| {
                (now.len(), now.mtime(), now.mtime_nsec())
                    != (input.status.len(), input.status.mtime(), input.status.mtime_nsec())
            })
    }

    fn tell(&self, input: &Input, totals: Totals, fate: &str) {
        let result = match self.options.mode {
            Mode::Test => " OK".into(),
            mode => ratio(mode == Mode::Compress, totals),
        };
        match &input.path {
            Some(path) => complain!("{}:\t{result}{fate}", path.display()),
            None if self.options.mode == Mode::Decompress => {}
            None => complain!("{result}"),
        }
    }

    fn tell_json(&self, input: &Input, target: Option<&Path>, totals: Totals, took: Duration) {
        let line = json!({
            "operation": match self.options.mode {
                Mode::Compress => "compress",
                Mode::Decompress => "decompress",
                Mode::Test => "test",
                Mode::List => "list",
            },
            "input": input.name(),
            "output": target.map(|path| path.display().to_string()),
            "bytes_in": totals.bytes_in,
            "bytes_out": totals.bytes_out,
            "ratio_percent": crate::list::percent(self.options.mode == Mode::Compress, totals),
            "seconds": took.as_secs_f64(),
        });
        // Where standard output holds data, or may, the lines go to stderr.
        if target.is_some() || self.options.mode == Mode::Test { say!("{line}") } else { complain!("{line}") }
    }

    fn progress(&self, input: &Input, goes_to_stdout: bool) -> Progress {
        let is_unwanted = self.options.quiet || self.options.json;
        let is_shared = goes_to_stdout && io::stdout().is_terminal();
        let is_on = !is_unwanted && !is_shared && io::stderr().is_terminal();
        Progress::new(is_on, self.options.mode == Mode::Compress, input.name(), input.len())
    }

    /// The file's time for a header, which has 32 bits for it.
    fn stored_time(&self, input: &Input) -> u32 {
        u32::try_from(input.status.mtime()).unwrap_or_else(|_| {
            let name = input.name();
            self.report.warn(format_args!("{name}: file timestamp out of range for gzip format"));
            0
        })
    }

    fn stop(&self, failure: Failure, input: &Input, target: &Target) -> Stop {
        let name = match (&failure, &target.path) {
            (Failure::Write(_), Some(path)) => path.display().to_string(),
            (Failure::Write(_), None) => "stdout".into(),
            _ => input.name(),
        };
        Stop(format!("{name}: {}", failure.text()))
    }
}

/// Why a file was given up: a message.
struct Stop(String);

/// Where a result goes.
#[derive(Debug)]
struct Target {
    /// `None` for standard output, or nowhere.
    file: Option<NewFile>,
    path: Option<PathBuf>,
    sink: Sink,
}

impl Target {
    fn nowhere(options: &Options) -> Self {
        let sink = Sink::new(None);
        let wants_check = options.mode == Mode::List && (options.verbose || options.json);
        Self { file: None, path: None, sink: if wants_check { sink.with_check() } else { sink } }
    }
}

impl Failure {
    fn text(&self) -> String {
        match self {
            Failure::Read(error) | Failure::Write(error) => describe(error),
            Failure::Broken(text) => text.clone(),
            Failure::OutOfMemory => "memory exhausted".into(),
        }
    }
}

fn stored_name(name: &OsStr) -> Vec<u8> {
    name.as_encoded_bytes().to_vec()
}
