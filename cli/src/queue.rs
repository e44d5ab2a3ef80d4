//! The small files that workers process, in order.
//!
//! A file goes to the workers if it is so small that its own chunks would not be compressed or
//! decoded in parallel. Files wait for their turn to be reported, so their number is bounded, and
//! with it the memory of results that go to standard output. Two related files
//! (one is the other's result, or both have the same result) are never in the queue together: the second
//! sees the effect of the first, as with one thread.

#![forbid(unsafe_code)]

use crate::file::Single;
use crate::list::Entry;
use crate::names;
use crate::options::{Mode, Options};
use crate::report::Report;
use crate::transfer::Totals;
use rayon::ScopeFifo;
use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

/// The library also compresses a file shorter than this on one thread.
const MOST_PLAIN: u64 = 1 << 20;

/// The same for a compressed file. Its data may be much longer.
const MOST_COMPRESSED: u64 = 256 << 10;

/// Files in the queue for each thread: enough that no worker waits while the main thread reports.
const DEPTH: usize = 32;

/// The same where results are kept in memory, each of up to 2 MiB.
const DEPTH_IN_MEMORY: usize = 4;

/// Up to this length, no suffix makes a name too long.
const LONGEST_NAME: usize = 240;

/// The identity of a file while it is in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// Device and number.
    File(u64, u64),
    /// Device and number of the folder, and a name in it.
    Name(u64, u64, OsString),
}

/// A worker's result for a file.
#[derive(Debug)]
pub(crate) struct Done {
    /// False when the main thread must do it.
    pub(crate) is_done: bool,
    pub(crate) report: Report,
    pub(crate) output: Vec<u8>,
    pub(crate) listed: Vec<(Entry, Totals, Option<u32>)>,
}

#[derive(Debug)]
struct Pending {
    path: PathBuf,
    keys: Vec<Key>,
    done: Receiver<Done>,
}

#[derive(Debug)]
pub(crate) struct Queue<'q, 'a> {
    scope: &'q ScopeFifo<'a>,
    options: &'a Options,
    most: usize,
    pending: VecDeque<Pending>,
    keys: HashSet<Key>,
    /// The last folder looked up, since the next file is likely to be in it too.
    folder: Option<(PathBuf, u64, u64)>,
}

impl<'q, 'a> Queue<'q, 'a> {
    pub(crate) fn new(scope: &'q ScopeFifo<'a>, options: &'a Options, threads: usize) -> Self {
        let depth = if options.to_stdout { DEPTH_IN_MEMORY } else { DEPTH };
        let (most, pending, keys) = (depth * threads, VecDeque::new(), HashSet::new());
        Self { scope, options, most, pending, keys, folder: None }
    }

    /// Whether workers may process this file.
    pub(crate) fn takes(&self, path: &Path, status: &Metadata) -> bool {
        let options = self.options;
        let most = if options.mode == Mode::Compress { MOST_PLAIN } else { MOST_COMPRESSED };
        // A name that a header stores is not known before the file is read.
        let is_named_inside = options.mode == Mode::Decompress && options.name && !options.to_stdout;
        let name_len = path.file_name().map_or(0, |name| name.len());
        status.is_file() && status.len() < most && !is_named_inside && name_len <= LONGEST_NAME
    }

    pub(crate) fn is_full(&self) -> bool {
        self.pending.len() >= self.most
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether a file is related to one in the queue.
    pub(crate) fn clashes(&mut self, path: &Path, status: &Metadata) -> bool {
        self.keys_of(path, status).iter().any(|key| self.keys.contains(key))
    }

    /// Passes a file to the workers.
    pub(crate) fn add(&mut self, path: &Path, status: &Metadata) {
        let keys = self.keys_of(path, status);
        self.keys.extend(keys.iter().cloned());
        let (sender, done) = channel();
        let (options, own_path) = (self.options, path.to_owned());
        self.scope.spawn_fifo(move |_| {
            let report = Report::kept(options.quiet);
            let mut single = Single::new(options, &report, true);
            let is_done = single.do_path(&own_path);
            let (output, listed) = (single.output, single.listed);
            // There is no receiver only if the main thread has panicked.
            _ = sender.send(Done { is_done, report, output, listed });
        });
        self.pending.push_back(Pending { path: path.to_owned(), keys, done });
    }

    /// Waits for the first file and returns it.
    pub(crate) fn next(&mut self) -> Option<(PathBuf, Done)> {
        let Pending { path, keys, done } = self.pending.pop_front()?;
        // A worker that panics leaves the file to the main thread.
        let done = done.recv().unwrap_or_else(|_| Done {
            is_done: false,
            report: Report::kept(true),
            output: Vec::new(),
            listed: Vec::new(),
        });
        for key in keys {
            self.keys.remove(&key);
        }
        Some((path, done))
    }

    fn keys_of(&mut self, path: &Path, status: &Metadata) -> Vec<Key> {
        let options = self.options;
        if options.to_stdout || matches!(options.mode, Mode::Test | Mode::List) {
            return Vec::new();
        }
        let (device, number) = self.folder_of(path);
        let in_folder =
            |path: &Path| Key::Name(device, number, path.file_name().unwrap_or_default().to_owned());
        let target = match options.mode {
            Mode::Compress => Some(names::compressed(path, &options.suffix)),
            _ => names::packed_suffix_of(path, &options.suffix).map(|suffix| names::plain(path, suffix)),
        };
        let mut keys = vec![Key::File(status.dev(), status.ino()), in_folder(path)];
        keys.extend(target.iter().map(|target| in_folder(target)));
        keys
    }

    fn folder_of(&mut self, path: &Path) -> (u64, u64) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match &self.folder {
            Some((known, device, number)) if known == folder => (*device, *number),
            _ => {
                let status = fs::metadata(folder);
                let (device, number) = status.map_or((0, 0), |status| (status.dev(), status.ino()));
                self.folder = Some((folder.to_owned(), device, number));
                (device, number)
            }
        }
    }
}
