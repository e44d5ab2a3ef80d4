//! The processing of one file: whether it is accepted, where its result goes, which messages are
//! printed, and when the input is removed.
//!
//! The reasons for a refusal, the messages and their effect on the exit status are gzip's. A file is only ever
//! removed when its result is complete under its name.

#![forbid(unsafe_code)]

use crate::compress::{Origin, compress};
use crate::decompress::Decoder;
use crate::descriptors;
use crate::header::{Kind, parse};
use crate::list::{Entry, ratio};
use crate::names;
use crate::options::{Format, Mode, Options};
use crate::output::{NewFile, Place, follow_links, sync_folder};
use crate::progress::Progress;
use crate::report::Report;
use crate::say::{bytes_of, describe, in_file, json_line, shown};
use crate::transfer::{Failure, Sink, Totals, Trailing};
use serde_json::json;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The work on single files, in one thread.
#[derive(Debug)]
pub(crate) struct Single<'a> {
    options: &'a Options,
    report: &'a Report,
    /// In a worker, data for standard output is kept in memory, and files that need the terminal or
    /// much memory are left to the main thread.
    is_worker: bool,
    /// A worker's data for standard output.
    pub(crate) output: Vec<u8>,
    /// Lines of a list, in the order of the files.
    pub(crate) listed: Vec<(Entry, Totals, Option<u32>)>,
}

/// Whether stderr is a terminal.
static IS_SEEN: LazyLock<bool> = LazyLock::new(|| io::stderr().is_terminal());

/// An open file that may be processed.
#[derive(Debug)]
pub(crate) struct Input {
    /// `None` for standard input.
    pub(crate) path: Option<PathBuf>,
    pub(crate) file: File,
    pub(crate) status: Metadata,
}

impl Input {
    pub(crate) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "stdin".into(), |path| shown(&path))
    }

    fn len(&self) -> Option<u64> {
        self.status.is_file().then_some(self.status.len())
    }
}

impl<'a> Single<'a> {
    pub(crate) fn new(options: &'a Options, report: &'a Report, is_worker: bool) -> Self {
        Self { options, report, is_worker, output: Vec::new(), listed: Vec::new() }
    }

    /// Opens, checks and processes the file at `path`. False when it must be done by the main thread.
    pub(crate) fn do_path(&mut self, path: &Path) -> bool {
        match self.open(path) {
            Ok(input) if input.status.is_dir() => {
                self.report.warn(format_args!("{} is a directory -- ignored", shown(&path)));
            }
            Ok(input) => {
                if let Some(refusal) = self.refusal(&input) {
                    self.report.warn(format_args!("{} {refusal}", input.name()));
                } else {
                    return self.do_input(input);
                }
            }
            Err((path, error)) => self.report.error(in_file(&path)(error)),
        }
        true
    }

    /// Opens a file; for decompression also tries the name with a suffix appended.
    pub(crate) fn open(&self, path: &Path) -> Result<Input, (PathBuf, io::Error)> {
        let mut flags = libc::O_NOCTTY;
        let is_replaced = !self.options.to_stdout && self.options.output.is_none();
        if is_replaced || self.options.recursive {
            // Opening a FIFO must not wait for a writer: only regular files are accepted, or, with -r, a folder may contain
            // a FIFO that has none. One with a writer is read to its end.
            flags |= libc::O_NONBLOCK;
        }
        let keeps_links = matches!(self.options.mode, Mode::Test | Mode::List);
        if is_replaced && !self.options.force && !keeps_links {
            // The link would be removed and the file would stay.
            flags |= libc::O_NOFOLLOW;
        }
        let open = |path: &Path| -> io::Result<Input> {
            let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
            if flags & libc::O_NONBLOCK != 0 {
                // Only the open call must not block; the library decodes ahead only from blocking descriptors.
                descriptors::set_blocking(&file)?;
            }
            Ok(Input { path: Some(path.to_owned()), status: file.metadata()?, file })
        };
        let outcome = open(path);
        let is_absent = matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::NotFound);
        if is_absent
            && self.options.mode != Mode::Compress
            && names::packed_suffix_of(path, &self.options.suffix).is_none()
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

    /// Why gzip would not process this file.
    pub(crate) fn refusal(&self, input: &Input) -> Option<String> {
        let (options, status) = (self.options, &input.status);
        if options.to_stdout || options.output.is_some() || matches!(options.mode, Mode::Test | Mode::List) {
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
            () if status.mode() & 0o1000 != 0 && !options.force => {
                Some("has the sticky bit set - file ignored".into())
            }
            // The other names would keep the file as it is.
            () if others > 0 && !options.force => {
                Some(format!("has {others} other link{} -- file ignored", if others == 1 { "" } else { "s" }))
            }
            () => None,
        }
    }

    /// Processes an open file completely. False when it must be done by the main thread.
    pub(crate) fn do_input(&mut self, input: Input) -> bool {
        let outcome = match self.options.mode {
            Mode::Compress => self.compress(input),
            Mode::Decompress | Mode::Test | Mode::List => self.decompress(input),
        };
        match outcome {
            Ok(()) => {}
            Err(Stop::Error(message)) => self.report.error(message),
            Err(Stop::Later) => return false,
        }
        true
    }

    fn compress(&mut self, input: Input) -> Result<(), Stop> {
        let options = self.options;
        let goes_to_stdout = options.output.is_none() && (options.to_stdout || input.path.is_none());
        let target = match &input.path {
            _ if options.output.is_some() => options.output.clone(),
            Some(path) if !goes_to_stdout => {
                if let Some(suffix) = names::suffix_of(path, &options.suffix).filter(|_| !options.force) {
                    if options.verbose || !options.recursive {
                        self.report.note(format_args!(
                            "{} already has {} suffix -- unchanged",
                            input.name(),
                            shown(&suffix)
                        ));
                    }
                    return Ok(());
                }
                Some(names::compressed(path, &options.suffix))
            }
            _ => None,
        };
        if goes_to_stdout && !options.force && io::stdout().is_terminal() {
            return Err(Stop::Error(
                "compressed data not written to a terminal. Use -f to force compression.\nFor help, type: rigz -h".into(),
            ));
        }
        let Some(mut target) = self.begin(target, &input)? else { return Ok(()) };
        let mut origin = Origin::default();
        if options.name || target.is_shortened {
            origin.name = input.path.as_ref().and_then(|path| path.file_name()).map(stored_name);
        }
        if options.time && input.status.is_file() {
            origin.time = self.stored_time(&input);
        }
        let mut progress = self.progress(&input, goes_to_stdout);
        let outcome = compress(&input.file, &mut target.sink, &origin, options, &mut progress);
        let took = progress.finish();
        let totals = match outcome {
            Ok(totals) => totals,
            Err(failure) => return Err(self.stop(failure, &input, &mut target)),
        };
        self.finish(input, target, totals, took, None)
    }

    fn decompress(&mut self, input: Input) -> Result<(), Stop> {
        let options = self.options;
        let is_looking = matches!(options.mode, Mode::Test | Mode::List);
        let has_output = options.output.is_some();
        let goes_to_stdout = !is_looking && !has_output && (options.to_stdout || input.path.is_none());
        let name = input.name();
        let suffix = input.path.as_ref().and_then(|path| names::packed_suffix_of(path, &options.suffix));
        let suffix = suffix.map(OsStr::to_owned);
        // With -r, gzip tests and lists only files that it would also decompress.
        let needs_suffix = input.path.is_some() && (!is_looking || options.recursive);
        if suffix.is_none() && needs_suffix && !goes_to_stdout && !has_output {
            if options.verbose || !(options.recursive || options.quiet) {
                let mut start = [0; 6];
                let len = input.file.read_at(&mut start, 0).unwrap_or(0);
                let advice = parse(&start[..len]).0.advice().unwrap_or("unknown suffix".into());
                self.report.warn(format_args!("{name}: {advice} -- ignored"));
            }
            return Ok(());
        }
        let decoder = Decoder::new(&input.file, input.len())
            .map_err(|failure| Stop::Error(format!("{name}: {}", failure.text())))?;
        // Two letters of plain text can look like a zlib header, so if the file may be copied unchanged, only its
        // suffix makes it zlib.
        let is_zlib = options.format == Format::Zlib
            || suffix
                .as_ref()
                .is_some_and(|suffix| suffix.as_encoded_bytes().to_ascii_lowercase().ends_with(b"zz"));
        let passes = options.force
            && goes_to_stdout
            && match decoder.kind() {
                Kind::Gzip | Kind::Zip | Kind::Foreign(..) => false,
                Kind::Zlib => !is_zlib,
                Kind::Empty | Kind::Other(..) | Kind::Unknown => true,
            };
        let target_path = match (&input.path, &suffix) {
            _ if has_output => options.output.clone(),
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
        let target =
            if is_looking { Some(Target::nowhere(options)) } else { self.begin(target_path, &input)? };
        let Some(mut target) = target else { return Ok(()) };
        let mut progress = self.progress(&input, goes_to_stdout);
        let outcome = match passes {
            true => decoder.copy(&mut target.sink),
            false => {
                decoder.copying_rest(options.force && goes_to_stdout).decode(&mut target.sink, &mut progress)
            }
        };
        let took = progress.finish();
        let totals = match outcome {
            Ok(totals) => totals,
            Err(failure) => return Err(self.stop(failure, &input, &mut target)),
        };
        self.note_trailing(totals.trailing, &name, target.file.is_some())?;
        if options.mode == Mode::List {
            self.listed.push((entry, totals, target.sink.check()));
            return Ok(());
        }
        self.finish(input, target, totals, took, modified)
    }

    /// Reports data after the end. A zip file of several entries is not replaced by its first.
    fn note_trailing(&self, trailing: Trailing, name: &str, is_replaced: bool) -> Result<(), Stop> {
        match trailing {
            Trailing::Nothing => {}
            Trailing::Zeros if !self.options.verbose => {}
            Trailing::Zeros => {
                self.report.warn(format_args!("{name}: decompression OK, trailing zero bytes ignored"));
            }
            Trailing::Entries if is_replaced => {
                return Err(Stop::Error(format!("{name} has more than one entry -- unchanged")));
            }
            Trailing::Entries => {
                self.report.warn(format_args!("{name} has more than one entry--rest ignored"));
            }
            Trailing::Garbage => {
                self.report.warn(format_args!("{name}: decompression OK, trailing garbage ignored"));
            }
        }
        Ok(())
    }

    /// The values for the list that are known before the file is decoded.
    fn entry(&self, input: &Input, decoder: &Decoder<'_>, suffix: Option<&OsStr>) -> Entry {
        let stored = decoder.stored();
        let plain = match (&input.path, suffix) {
            (Some(path), Some(suffix)) => shown(&names::plain(path, suffix)),
            (Some(path), None) => shown(&path),
            (None, _) => "stdout".into(),
        };
        let stored_name = stored.name.as_ref().filter(|_| self.options.name);
        let stored_time = stored.time.filter(|_| self.options.time).map(i64::from);
        Entry {
            file: input.name(),
            name: stored_name.map_or(plain, |name| shown(OsStr::from_bytes(name))),
            time: stored_time.or_else(|| input.status.is_file().then(|| input.status.mtime())),
            format: match decoder.kind() {
                Kind::Zlib => "zlib",
                Kind::Zip => "zip",
                _ => "gzip",
            },
        }
    }

    /// Opens the output. `None` if the user declines to overwrite a file.
    fn begin(&self, path: Option<PathBuf>, input: &Input) -> Result<Option<Target>, Stop> {
        let Some(mut path) = path else { return self.begin_stdout().map(Some) };
        if self.options.output.is_some()
            && let Some(target) = self.open_special(&mut path, input)?
        {
            return Ok(Some(target));
        }
        let is_open = input.path.is_none();
        let (mut outcome, is_shortened) = self.create(&mut path, self.options.force, is_open);
        if matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
            let may_ask = io::stdin().is_terminal() && input.path.is_some();
            if may_ask && self.is_worker {
                return Err(Stop::Later);
            }
            if !may_ask || !self.may_overwrite(&path) {
                self.report.warn(format_args!("{} already exists; not overwritten", shown(&path)));
                return Ok(None);
            }
            outcome = NewFile::create(&path, true, is_open);
        }
        let new = outcome.map_err(stop_at(&path))?;
        if is_shortened && !self.options.verbose {
            self.report.note(format_args!("{} compressed to {}", input.name(), shown(&path)));
        }
        let sink = Sink::new(Some(new.handle()));
        Ok(Some(Target { is_shortened, ..Target::new(Some(new), Some(path), sink) }))
    }

    fn begin_stdout(&self) -> Result<Target, Stop> {
        if self.is_worker {
            return Ok(Target::new(None, None, Sink::in_memory()));
        }
        let stdout = descriptors::duplicate(libc::STDOUT_FILENO);
        let stdout = stdout.map_err(|error| Stop::Error(format!("stdout: {}", describe(&error))))?;
        Ok(Target::new(None, None, Sink::new(Some(Arc::new(stdout)))))
    }

    /// Creates the output; a compressed file's name that is too long is shortened until it fits.
    fn create(&self, path: &mut PathBuf, replace: bool, is_open: bool) -> (io::Result<NewFile>, bool) {
        let options = self.options;
        let mut is_shortened = false;
        loop {
            let outcome = NewFile::create(path, replace, is_open);
            let is_too_long =
                matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::InvalidFilename);
            let suffix = options.suffix.as_bytes();
            let name = path.file_name().unwrap_or_default().as_bytes();
            if !is_too_long || options.mode != Mode::Compress || options.output.is_some() {
                return (outcome, is_shortened);
            }
            let Some(stem) = name.strip_suffix(suffix) else { return (outcome, is_shortened) };
            let shorter = match stem.strip_suffix(b".tar") {
                Some(stem) if !stem.is_empty() => [stem, b".tgz"].concat(),
                _ => match names::shorter(stem) {
                    Some(stem) => [&stem, suffix].concat(),
                    None => return (outcome, is_shortened),
                },
            };
            path.set_file_name(OsStr::from_bytes(&shorter));
            is_shortened = true;
        }
    }

    /// Opens the target of `-o` if it is a descriptor, a device or a pipe. Otherwise sets `path` to the file to create or
    /// replace, where its links lead.
    fn open_special(&self, path: &mut PathBuf, input: &Input) -> Result<Option<Target>, Stop> {
        let status = fs::metadata(&*path).ok();
        let is_file = status.as_ref().is_none_or(Metadata::is_file);
        let id = |status: &Metadata| (status.dev(), status.ino());
        if is_file && status.as_ref().is_some_and(|status| id(status) == id(&input.status)) {
            return Err(Stop::Error(format!("{}: is also the input", shown(&path))));
        }
        let opened = match follow_links(path) {
            Ok(Place::Descriptor(libc::STDOUT_FILENO)) => return self.begin_stdout().map(Some),
            Ok(Place::Descriptor(number)) => descriptors::duplicate(number),
            Ok(Place::Path(end)) if is_file => {
                *path = end;
                return Ok(None);
            }
            Ok(Place::Path(end)) => OpenOptions::new().write(true).open(end),
            Err(error) => Err(error),
        };
        let file = opened.map_err(stop_at(path))?;
        Ok(Some(Target::new(None, Some(path.clone()), Sink::new(Some(Arc::new(file))))))
    }

    fn may_overwrite(&self, path: &Path) -> bool {
        let question = format!("rigz: {} already exists; do you wish to overwrite (y or n)? ", shown(path));
        _ = io::stderr().write_all(&bytes_of(&question));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).is_ok() && answer.trim_start().starts_with(['y', 'Y'])
    }

    /// Completes the output, prints the message for `-v`, and removes the input.
    fn finish(
        &mut self,
        input: Input,
        mut target: Target,
        totals: Totals,
        took: Duration,
        modified: Option<SystemTime>,
    ) -> Result<(), Stop> {
        let options = self.options;
        self.output = target.sink.take_memory();
        let mut fate = String::new();
        if let (Some(new), Some(target)) = (target.file, &target.path) {
            let like = input.path.as_ref().map(|_| &input.status);
            let unkept = new.complete(like, modified, options.synchronous).map_err(stop_at(target))?;
            if let Some(error) = unkept {
                self.report.warn(in_file(target)(error));
            }
            let mut replaced = input.path.as_ref().filter(|_| !options.keep && options.output.is_none());
            if let Some(path) = replaced.take_if(|_| self.has_changed(&input, totals)) {
                self.report.warn(format_args!("{}: file changed while it was read -- kept", shown(&path)));
            }
            if let Some(path) = replaced {
                fs::remove_file(path).map_err(stop_at(path))?;
                if options.synchronous {
                    sync_folder(path).map_err(stop_at(path))?;
                }
            }
            let verb = if replaced.is_some() { "replaced with" } else { "created" };
            fate = format!(" -- {verb} {}", shown(&target));
        } else if options.synchronous && options.mode != Mode::Test && !self.is_worker {
            // A pipe cannot be synced to disk.
            _ = io::stdout().as_fd().try_clone_to_owned().map(|stdout| File::from(stdout).sync_all());
        }
        if options.json {
            self.print_json(&input, target.path.as_deref(), totals, took);
        } else if options.verbose {
            self.print_result(&input, totals, &fate);
        }
        Ok(())
    }

    /// Whether the file has changed since it was read.
    fn has_changed(&self, input: &Input, totals: Totals) -> bool {
        let is_short = self.options.mode == Mode::Compress && input.len() != Some(totals.bytes_in);
        let now = input.file.metadata();
        is_short
            || now.is_ok_and(|now| {
                (now.len(), now.mtime(), now.mtime_nsec())
                    != (input.status.len(), input.status.mtime(), input.status.mtime_nsec())
            })
    }

    fn print_result(&self, input: &Input, totals: Totals, fate: &str) {
        let result = match self.options.mode {
            Mode::Test => " OK".into(),
            mode => ratio(mode == Mode::Compress, totals),
        };
        match &input.path {
            Some(path) => self.report.line(false, format!("{}:\t{result}{fate}", shown(&path))),
            None if self.options.mode == Mode::Decompress => {}
            None => self.report.line(false, result),
        }
    }

    fn print_json(&self, input: &Input, target: Option<&Path>, totals: Totals, took: Duration) {
        let line = json!({
            "operation": match self.options.mode {
                Mode::Compress => "compress",
                Mode::Decompress => "decompress",
                Mode::Test => "test",
                Mode::List => "list",
            },
            "input": input.name(),
            "output": target.map(|path| shown(&path)),
            "bytes_in": totals.bytes_in,
            "bytes_out": totals.bytes_out,
            "ratio_percent": crate::list::percent(self.options.mode == Mode::Compress, totals),
            "seconds": took.as_secs_f64(),
        });
        // If data goes to standard output, or may, the lines go to stderr.
        self.report.line(target.is_some() || self.options.mode == Mode::Test, json_line(&line));
    }

    fn progress(&self, input: &Input, goes_to_stdout: bool) -> Progress {
        let is_unwanted = self.options.quiet || self.options.json;
        let is_shared = goes_to_stdout && io::stdout().is_terminal();
        let is_on = !self.is_worker && !is_unwanted && !is_shared && *IS_SEEN;
        Progress::new(is_on, self.options.mode == Mode::Compress, input.name(), input.len())
    }

    /// The file's time, if it fits in a header's 32 bits, where 0 means that there is none.
    fn stored_time(&self, input: &Input) -> u32 {
        let time = u32::try_from(input.status.mtime()).ok().filter(|&time| time != 0);
        time.unwrap_or_else(|| {
            let name = input.name();
            self.report.warn(format_args!("{name}: warning: file timestamp out of range for gzip format"));
            0
        })
    }

    fn stop(&mut self, failure: Failure, input: &Input, target: &mut Target) -> Stop {
        if matches!(failure, Failure::TooLong) {
            return Stop::Later;
        }
        // The data decoded before the error is good.
        self.output = target.sink.take_memory();
        let name = match (&failure, &target.path) {
            (Failure::Write(_), Some(path)) => shown(&path),
            (Failure::Write(_), None) => "stdout".into(),
            _ => input.name(),
        };
        Stop::Error(format!("{name}: {}", failure.text()))
    }
}

/// Why processing of a file stopped.
#[derive(Debug)]
enum Stop {
    /// A message.
    Error(String),
    /// The main thread must process it.
    Later,
}

fn stop_at(path: &Path) -> impl Fn(io::Error) -> Stop {
    move |error| Stop::Error(in_file(path)(error))
}

/// Where a result goes.
#[derive(Debug)]
struct Target {
    /// `None` for standard output, or nowhere.
    file: Option<NewFile>,
    path: Option<PathBuf>,
    sink: Sink,
    /// Its name had to be shortened.
    is_shortened: bool,
}

impl Target {
    fn new(file: Option<NewFile>, path: Option<PathBuf>, sink: Sink) -> Self {
        Self { file, path, sink, is_shortened: false }
    }

    fn nowhere(options: &Options) -> Self {
        let sink = Sink::new(None);
        let needs_check = options.mode == Mode::List && (options.verbose || options.json);
        Self::new(None, None, if needs_check { sink.with_check() } else { sink })
    }
}

impl Failure {
    fn text(&self) -> String {
        match self {
            Failure::Read(error) | Failure::Write(error) => describe(error),
            Failure::Broken(text) => text.clone(),
            Failure::OutOfMemory => "memory exhausted".into(),
            Failure::TooLong => "too long for the memory of a worker".into(),
        }
    }
}

fn stored_name(name: &OsStr) -> Vec<u8> {
    name.as_encoded_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Request, parse};
    use std::os::fd::AsRawFd;

    #[test]
    fn an_open_file_is_read_with_blocking_calls() {
        // The library reads only such files ahead, on other threads.
        for mode in ["-c", "-k", "-dc", "-d", "-t", "-l"] {
            let Ok(Request::Work(options)) = parse("rigz", vec![mode.into()]) else { panic!("{mode}") };
            let report = Report::kept(true);
            let single = Single::new(&options, &report, false);
            let input = single.open(Path::new("Cargo.toml")).expect("this package's file");
            let number = input.file.as_raw_fd();
            let facts = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).expect("Linux has it");
            let flags = facts.lines().find_map(|line| line.strip_prefix("flags:")).expect("its flags");
            let flags = i32::from_str_radix(flags.trim(), 8).expect("an octal number");
            assert_eq!(flags & libc::O_NONBLOCK, 0, "{mode}: flags {flags:o}");
        }
    }
}
