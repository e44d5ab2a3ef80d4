//! The files that a program writes through the library, and that `rigz run` checks, reads or completes:
//! its log, the lines of its statistics, the events of its timeline.

#![forbid(unsafe_code)]

use crate::descriptors::check_space;
use crate::output::{Place, follow_links};
use crate::say::{in_file, shown};
use crate::statistics::Summary;
use crate::temporary::Temporary;
use rigz::raw::process::{monotonic, thread_id};
use rigz::trace::MOST_BYTES;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Fails if two of these paths lead to the same file: the program would write into one file in two formats.
pub(crate) fn refuse_same(paths: &[&PathBuf]) -> Result<(), String> {
    let place = |path: &Path| match follow_links(path) {
        Ok(Place::Path(path)) => {
            let path = std::path::absolute(path).ok()?;
            Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
        }
        _ => None,
    };
    let places: Vec<_> = paths.iter().map(|path| place(path)).collect();
    for (index, path) in paths.iter().enumerate() {
        if places[index].is_some() && places[..index].contains(&places[index]) {
            return Err(format!("{}: is named twice, for two kinds of output", shown(&path)));
        }
    }
    Ok(())
}

/// The file to which the program's streams append their lines. Errors are messages.
pub(crate) struct Statistics {
    path: PathBuf,
    file: File,
    /// The length of the file before the run.
    start: u64,
    /// Removes the file after the run, if it is temporary.
    _temporary: Option<Temporary>,
}

impl Statistics {
    /// Opens the file at `path`, to which lines are appended, or for `-` a temporary one. Lines could not be read back from a
    /// device or a pipe.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        if path == Path::new("-") {
            let temporary = Temporary::new("stats")?;
            let path = temporary.path().to_owned();
            let file = temporary.file.try_clone().map_err(in_file(&path))?;
            return Ok(Self { path, file, start: 0, _temporary: Some(temporary) });
        }
        // The program may change its folder.
        let path = std::path::absolute(path).map_err(in_file(path))?;
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(&path).map_err(in_file(&path))?;
        let status = file.metadata().map_err(in_file(&path))?;
        if !status.is_file() {
            return Err(format!(
                "{}: not a regular file; `--stats -' prints the sum without a file",
                shown(&path)
            ));
        }
        Ok(Self { path, file, start: status.len(), _temporary: None })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn sum(&mut self) -> Result<Summary, String> {
        // The program does not report that its lines could not be written.
        check_space(&self.file)
            .map_err(in_file(&self.path))
            .map_err(|error| format!("statistics: {error}"))?;
        self.file.seek(SeekFrom::Start(self.start)).map_err(in_file(&self.path))?;
        Summary::read(BufReader::new(&self.file)).map_err(in_file(&self.path))
    }
}

/// The absolute path of the file to which the program's streams append the reasons of their decisions. Fails if nothing can
/// be appended.
pub(crate) fn log(path: &Path) -> Result<PathBuf, String> {
    let path = if path == Path::new("-") { Path::new("/dev/stderr") } else { path };
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
        if path == Path::new("-") {
            return Err("--trace needs a file: a timeline cannot go to standard error".into());
        }
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
