//! Processes the files of one command line. Any free worker takes a small file.
//!
//! The main thread finds the files, passes small ones to the workers and reports results in the order
//! of the command line. It processes the other files itself, once all earlier ones are done: large
//! files, whose chunks all threads compress, and files that are not regular. So never more threads
//! than requested compress or decompress.

#![forbid(unsafe_code)]

use crate::descriptors;
use crate::file::{Input, Single};
use crate::list::List;
use crate::options::{Mode, Options};
use crate::queue::{Done, Queue};
use crate::report::Report;
use crate::say::{describe, in_file};
use crate::signals;
use rigz::pipeline::thread_limit;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Stdout, Write};
use std::os::fd::AsFd;
use std::path::Path;

/// A worker's stack. The library's own threads need 256 KiB; the rest is for the standard library's file functions.
const STACK_BYTES: usize = 512 << 10;

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    options: &'a Options,
    report: &'a Report,
    list: List,
}

impl<'a> Work<'a> {
    pub(crate) fn new(options: &'a Options, report: &'a Report) -> Self {
        Self { options, report, list: List::new(options) }
    }

    /// Processes all files of the command line.
    pub(crate) fn run(mut self) {
        let threads = thread_limit();
        let are_many = self.options.files.len() > 1 || self.options.recursive;
        let workers = (threads > 1 && are_many).then(|| {
            // Only the main thread receives signals: workers inherit the blocked mask.
            let builder = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_BYTES);
            signals::while_blocked(|| builder.build())
        });
        match workers {
            Some(Ok(pool)) => pool.in_place_scope_fifo(|scope| {
                let mut queue = Queue::new(scope, self.options, threads);
                self.do_all(&mut Some(&mut queue));
                self.drain(&mut queue);
            }),
            // If the threads cannot be created, this one does the work.
            None | Some(Err(_)) => self.do_all(&mut None),
        }
        self.list.close();
    }

    fn do_all(&mut self, queue: &mut Option<&mut Queue<'_, 'a>>) {
        if self.options.files.is_empty() {
            self.do_stdin();
        }
        for name in &self.options.files {
            if name == "-" {
                self.drain_all(queue);
                self.do_stdin();
            } else {
                self.do_path(Path::new(name), queue);
            }
        }
    }

    fn do_stdin(&mut self) {
        let options = self.options;
        if !options.force && options.mode != Mode::Compress && io::stdin().is_terminal() {
            return self.report.error(
                "compressed data not read from a terminal. Use -f to force decompression.\nFor help, type: rigz -h",
            );
        }
        let opened =
            descriptors::stdin().and_then(|stdin| stdin.as_fd().try_clone_to_owned()).map(File::from);
        match opened.and_then(|file| Ok((file.metadata()?, file))) {
            Ok((status, file)) => {
                self.do_here(|single| single.do_input(Input { path: None, file, status }));
            }
            Err(error) => self.report.error(format_args!("stdin: {}", describe(&error))),
        }
    }

    fn do_path(&mut self, path: &Path, queue: &mut Option<&mut Queue<'_, 'a>>) {
        // Links, also those to folders, are followed only if links may be processed.
        let options = self.options;
        let only_looks = matches!(options.mode, Mode::Test | Mode::List);
        let follows_links = options.force || options.to_stdout || only_looks;
        let status = fs::symlink_metadata(path);
        let status = match status {
            Ok(status) if status.is_symlink() && follows_links => fs::metadata(path),
            status => status,
        };
        if status.as_ref().is_ok_and(fs::Metadata::is_dir) && self.options.recursive {
            return self.do_folder(path, queue);
        }
        if let (Some(queue), Ok(status)) = (queue.as_deref_mut(), &status)
            && queue.takes(path, status)
        {
            while queue.is_full() || queue.clashes(path, status) {
                self.do_front(queue);
            }
            // While this thread waited, another file's processing may have removed this one; the worker reports that.
            return queue.add(path, status);
        }
        self.drain_all(queue);
        self.do_here(|single| single.do_path(path));
    }

    fn do_folder(&mut self, path: &Path, queue: &mut Option<&mut Queue<'_, 'a>>) {
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        match entries {
            // The names are read before the first file changes; otherwise a new output file could be listed as another input.
            Ok(entries) => entries.iter().for_each(|entry| self.do_path(&entry.path(), queue)),
            Err(error) => {
                self.drain_all(queue);
                self.report.error(in_file(path)(error));
            }
        }
    }

    /// Processes a file on the main thread.
    fn do_here(&mut self, work: impl FnOnce(&mut Single<'_>) -> bool) {
        let mut single = Single::new(self.options, self.report, false);
        work(&mut single);
        for (entry, totals, check) in single.listed {
            self.list.add(&entry, totals, check);
        }
    }

    fn drain_all(&mut self, queue: &mut Option<&mut Queue<'_, 'a>>) {
        if let Some(queue) = queue {
            self.drain(queue);
        }
    }

    fn drain(&mut self, queue: &mut Queue<'_, 'a>) {
        while !queue.is_empty() {
            self.do_front(queue);
        }
    }

    /// Waits for the first file in the queue, and reports its result.
    fn do_front(&mut self, queue: &mut Queue<'_, 'a>) {
        let Some((path, done)) = queue.next() else { return };
        let Done { is_done: true, report, output, listed } = done else {
            return self.do_here(|single| single.do_path(&path));
        };
        let write = |mut stdout: Stdout| stdout.write_all(&output).and_then(|()| stdout.flush());
        if let Some(Err(error)) = (!output.is_empty()).then(|| descriptors::stdout().and_then(write)) {
            return self.report.error(format_args!("stdout: {}", describe(&error)));
        }
        self.report.append(report);
        for (entry, totals, check) in listed {
            self.list.add(&entry, totals, check);
        }
    }
}
