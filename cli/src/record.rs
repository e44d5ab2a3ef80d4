//! The files that a program writes through the library, and that `rigz run` checks, reads or completes:
//! its log, the lines of its statistics, the events of its timeline.

#![forbid(unsafe_code)]

use crate::statistics::Summary;
use rigz::raw::process::{monotonic, thread_id};
use rigz::trace::MOST_BYTES;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

fn in_file(path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

/// The file to which the program's streams append their lines. Errors are messages.
pub(crate) struct Statistics {
    path: PathBuf,
    file: File,
    /// The length of the file before the run.
    start: u64,
    is_kept: bool,
}

impl Statistics {
    /// Opens the file at `path`, to which lines are appended, or for `-` a temporary one. Lines could not be read back from a
    /// device or a pipe.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let is_kept = path != Path::new("-");
        let path = match is_kept {
            // The program may change its folder.
            true => std::path::absolute(path).map_err(in_file(path))?,
            false => std::env::temp_dir().join(format!("rigz-stats-{}", std::process::id())),
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(is_kept).create_new(!is_kept);
        let file = options.open(&path).map_err(in_file(&path))?;
        let status = file.metadata().map_err(in_file(&path))?;
        if !status.is_file() {
            return Err(format!(
                "{}: not a regular file; `--stats -' prints the sum without a file",
                path.display()
            ));
        }
        Ok(Self { path, file, start: status.len(), is_kept })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn sum(&mut self) -> Result<Summary, String> {
        self.file.seek(SeekFrom::Start(self.start)).map_err(in_file(&self.path))?;
        Summary::read(BufReader::new(&self.file)).map_err(in_file(&self.path))
    }
}

impl Drop for Statistics {
    fn drop(&mut self) {
        if !self.is_kept {
            _ = fs::remove_file(&self.path);
        }
    }
}

/// The absolute path of the file to which the program's streams append the reasons of their decisions. Fails if nothing can
/// be appended.
pub(crate) fn log(path: &Path) -> Result<PathBuf, String> {
    // The program may change its folder.
    let path = std::path::absolute(path).map_err(in_file(path))?;
    // A pipe's reader would see the end of the data when this process closes it.
    let is_special = fs::metadata(&path).is_ok_and(|status| !status.is_file() && !status.is_dir());
    if !is_special {
        OpenOptions::new().append(true).create(true).open(&path).map_err(in_file(&path))?;
    }
    Ok(path)
}

/// The file to which the program's threads append their events.
pub(crate) struct Timeline {
    path: PathBuf,
    file: File,
}

impl Timeline {
    /// Creates an empty file, replacing an existing one. Errors are messages.
    pub(crate) fn create(path: &Path) -> Result<Self, String> {
        let path = std::path::absolute(path).map_err(in_file(path))?;
        let mut options = OpenOptions::new();
        File::create(&path).map_err(in_file(&path))?;
        let mut file = options.append(true).open(&path).map_err(in_file(&path))?;
        file.write_all(b"[\n").map_err(in_file(&path))?;
        Ok(Self { path, file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Closes the list of events, since some readers require it. Returns whether all events fit.
    pub(crate) fn complete(mut self) -> Result<bool, String> {
        let (process, thread) = (std::process::id(), thread_id());
        let time = monotonic().as_micros();
        let last = format!(
            "{{\"name\":\"end\",\"cat\":\"rigz\",\"ph\":\"i\",\"s\":\"g\",\"ts\":{time},\"pid\":{process},\"tid\":{thread}}}\n]\n"
        );
        let len = self.file.metadata().map_err(in_file(&self.path))?.len();
        self.file.write_all(last.as_bytes()).map_err(in_file(&self.path))?;
        Ok(len < MOST_BYTES)
    }
}
