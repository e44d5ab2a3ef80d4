//! The file for a result: a file with its name is always complete.
//!
//! A new file is created under its own name, which must not exist. A file that is to be overwritten stays unchanged until the new
//! one, written in the same folder, is complete; then it is replaced atomically. If an error, a full disk or a signal ends the
//! work before that, the unfinished file is removed; the input is removed last.
//!
//! A link that `-o` names stays: the file that it leads to is created or replaced.

#![forbid(unsafe_code)]

use crate::descriptors;
use crate::signals::{self, Watched};
use std::fs::{self, File, FileTimes, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::RawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A descriptor of this process.
    Descriptor(RawFd),
    /// A path that is no link. There may be no such file.
    Path(PathBuf),
}

/// The most links that are followed, as in the kernel.
const MOST_LINKS: usize = 40;

/// Follows links. The path of a descriptor such as `/dev/stdout` leads to the descriptor, not to the file that is open there.
/// Otherwise the result would overwrite or replace output that other programs wrote to that file.
pub(crate) fn follow_links(path: &Path) -> io::Result<Place> {
    let mut path = path.to_owned();
    for _ in 0..=MOST_LINKS {
        if let Some(number) = descriptors::named_by(&path) {
            return Ok(Place::Descriptor(number));
        }
        let Ok(target) = fs::read_link(&path) else { return Ok(Place::Path(path)) };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(io::Error::from_raw_os_error(libc::ELOOP))
}

/// An output file that is not complete yet.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: Arc<File>,
    /// The path while it is written.
    path: PathBuf,
    /// The final path, if it is different.
    target: Option<PathBuf>,
    watched: Option<Watched>,
    is_complete: bool,
}

impl NewFile {
    /// Creates a file at `path`; fails with [`io::ErrorKind::AlreadyExists`] if there is one, unless `replace` is set.
    /// Only the user can access it until it is complete, unless `is_open`; then the umask decides.
    pub(crate) fn create(path: &Path, replace: bool, is_open: bool) -> io::Result<Self> {
        if !replace || fs::symlink_metadata(path).is_err() {
            return Self::open(path.to_owned(), None, is_open);
        }
        // A short name, which is never too long; the number increases if an earlier process with the same id left a file.
        let beside = |number| path.with_file_name(format!(".rigz-{}-{number}", std::process::id()));
        (0..100)
            .map(|number| Self::open(beside(number), Some(path.to_owned()), is_open))
            .find(|outcome| !matches!(outcome, Err(error) if error.kind() == io::ErrorKind::AlreadyExists))
            .unwrap_or_else(|| Err(io::Error::other("no free name in its folder")))
    }

    fn open(path: PathBuf, target: Option<PathBuf>, is_open: bool) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .mode(if is_open { 0o666 } else { 0o600 })
            .custom_flags(libc::O_NOFOLLOW);
        let (file, watched) = signals::create(&options, &path)?;
        Ok(Self { file: Arc::new(file), path, target, watched, is_complete: false })
    }

    /// The file, for writing.
    pub(crate) fn handle(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Completes the file: sets owner, mode and times from `like`, if any, and the time from `modified`, if any; syncs it to
    /// disk if `sync`. Returns the error if owner, mode or times could not be set.
    pub(crate) fn complete(
        mut self,
        like: Option<&Metadata>,
        modified: Option<SystemTime>,
        sync: bool,
    ) -> io::Result<Option<io::Error>> {
        let unkept = like.and_then(|like| self.copy_attributes(like, modified).err());
        if sync {
            self.file.sync_all()?;
        }
        signals::while_blocked(|| {
            if let Some(target) = &self.target {
                fs::rename(&self.path, target)?;
            }
            self.watched.as_ref().inspect(|watched| watched.forget());
            self.is_complete = true;
            io::Result::Ok(())
        })?;
        if sync {
            sync_folder(self.target.as_ref().unwrap_or(&self.path))?;
        }
        Ok(unkept)
    }

    fn copy_attributes(&self, like: &Metadata, modified: Option<SystemTime>) -> io::Result<()> {
        let modified = modified.map_or_else(|| like.modified(), Ok)?;
        let times =
            self.file.set_times(FileTimes::new().set_accessed(like.accessed()?).set_modified(modified));
        // Only root may change the owner; for other users this failure is no error. They may still be able to set the group.
        let own = self.file.metadata()?;
        if own.gid() != like.gid() {
            _ = fchown(&self.file, None, Some(like.gid()));
        }
        if own.uid() != like.uid() {
            _ = fchown(&self.file, Some(like.uid()), None);
        }
        let is_alike = (own.uid(), own.gid()) == (like.uid(), like.gid());
        let own = if is_alike { own } else { self.file.metadata()? };
        let mut mode = like.mode() & 0o777;
        if own.gid() != like.gid() {
            // One group's permissions must not be given to another group, unless all users have them.
            mode &= 0o707 | (mode & 7) << 3;
        }
        self.file.set_permissions(Permissions::from_mode(mode))?;
        times
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_complete {
            signals::remove(&self.path, self.watched.as_ref());
        }
    }
}

/// Syncs the name of a file to disk. As in gzip, not in a folder that may be written and not read, nor in one that cannot be
/// synced.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(folder) = File::open(folder) else { return Ok(()) };
    match folder.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        outcome => outcome,
    }
}
