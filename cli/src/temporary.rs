//! Temporary files, which are removed when they are dropped, and if a signal or an error of output ends the command.

#![forbid(unsafe_code)]

use crate::say::{in_file, shown};
use crate::signals::{self, Watched};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A temporary file.
#[derive(Debug)]
pub(crate) struct Temporary {
    pub(crate) file: File,
    path: PathBuf,
    watched: Option<Watched>,
}

impl Temporary {
    /// Creates a file in the folder for temporary files, for reading and appending. The error is a message.
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        let id = std::process::id();
        let folder = std::env::temp_dir();
        // A number that an earlier process with the same id used may be taken.
        let mut paths = (0..1000).map(|number| folder.join(format!("rigz-{name}-{id}-{number}")));
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true).mode(0o600);
        let create = |path: PathBuf| match signals::create(&options, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
            Err(error) => Some(Err(in_file(&path)(error))),
            Ok((file, watched)) => Some(Ok(Self { file, path, watched })),
        };
        paths.find_map(create).unwrap_or_else(|| Err(format!("{}: no free name in it", shown(&folder))))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file again, at its start.
    pub(crate) fn open(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(&self.path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        signals::remove(&self.path, self.watched.as_ref());
    }
}
