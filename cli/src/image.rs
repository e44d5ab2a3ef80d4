//! The file system in which programs are examined: this machine's, or an image in a folder, as
//! given by `--root`. Paths are those inside; absolute links of an image stay inside.

#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Where programs are searched for in an image, which has no environment.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Links that are followed before a path counts as a loop.
const MOST_LINKS: usize = 40;

#[derive(Debug)]
pub(crate) struct Image {
    /// `None` for this machine.
    root: Option<PathBuf>,
}

impl Image {
    pub(crate) fn new(root: Option<PathBuf>) -> Self {
        Self { root }
    }

    /// Whether it is this machine, whose environment counts.
    pub(crate) fn is_here(&self) -> bool {
        self.root.is_none()
    }

    /// The path without links; `None` if there is no such file.
    pub(crate) fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let Some(root) = &self.root else { return path.canonicalize().ok() };
        let mut links = 0;
        let mut todo: Vec<OsString> = parts(path);
        let mut done = PathBuf::from("/");
        while let Some(part) = todo.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&part);
            let outside = inside(root, &next);
            let status = fs::symlink_metadata(&outside).ok()?;
            if !status.is_symlink() {
                done = next;
                continue;
            }
            links += 1;
            let target = fs::read_link(&outside).ok().filter(|_| links <= MOST_LINKS)?;
            if target.is_absolute() {
                done = PathBuf::from("/");
            }
            todo.extend(parts(&target));
        }
        Some(done)
    }

    /// The file's path on this machine.
    pub(crate) fn outside(&self, path: &Path) -> Option<PathBuf> {
        match &self.root {
            None => Some(path.to_owned()),
            Some(root) => Some(inside(root, &self.resolve(path)?)),
        }
    }

    pub(crate) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(self.outside(path).ok_or(io::ErrorKind::NotFound)?)
    }

    pub(crate) fn status(&self, path: &Path) -> Option<Metadata> {
        fs::metadata(self.outside(path)?).ok()
    }

    pub(crate) fn is_file(&self, path: &Path) -> bool {
        self.status(path).is_some_and(|status| status.is_file())
    }

    /// The file of a program: the name itself if it has a slash, otherwise from `PATH`.
    pub(crate) fn program(&self, name: &OsStr) -> Option<PathBuf> {
        if name.as_bytes().contains(&b'/') {
            return Some(PathBuf::from(name)).filter(|path| self.is_file(path));
        }
        self.programs(name).into_iter().next()
    }

    /// All programs of a name in `PATH`, in its order.
    pub(crate) fn programs(&self, name: &OsStr) -> Vec<PathBuf> {
        let path = std::env::var_os("PATH").filter(|_| self.is_here()).unwrap_or(USUAL_PATH.into());
        let is_program = |path: &PathBuf| {
            self.status(path).is_some_and(|status| status.is_file() && status.mode() & 0o111 != 0)
        };
        std::env::split_paths(&path).map(|folder| folder.join(name)).filter(is_program).collect()
    }

    /// Files that match a pattern in which `*` is any text within a name, sorted.
    pub(crate) fn matches(&self, folder: &Path, pattern: &str) -> Vec<PathBuf> {
        let mut found = vec![folder.to_owned()];
        for part in pattern.split('/') {
            found = found.iter().flat_map(|folder| self.match_part(folder, part)).collect();
        }
        found
    }

    fn match_part(&self, folder: &Path, part: &str) -> Vec<PathBuf> {
        let Some((start, end)) = part.split_once('*') else {
            return Some(folder.join(part)).filter(|path| self.status(path).is_some()).into_iter().collect();
        };
        let Some(Ok(entries)) = self.outside(folder).map(fs::read_dir) else { return Vec::new() };
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
        let mut names: Vec<_> = names
            .filter(|name| {
                let name = name.as_bytes();
                name.len() >= start.len() + end.len()
                    && name.starts_with(start.as_bytes())
                    && name.ends_with(end.as_bytes())
            })
            .collect();
        names.sort();
        names.into_iter().map(|name| folder.join(name)).collect()
    }
}

/// A path's names, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    });
    names.collect()
}

fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_of_an_image_stay_inside() {
        let root = std::env::temp_dir().join(format!("rigz-image-{}", std::process::id()));
        fs::create_dir_all(root.join("usr/bin")).expect("a folder");
        fs::write(root.join("usr/bin/tool-1"), b"here").expect("a file");
        for (target, link) in [
            ("/usr/bin/tool-1", "usr/bin/tool"),
            ("usr/bin", "bin"),
            ("../../../../bin/tool", "usr/up"),
            ("loop", "loop"),
        ] {
            symlink(target, root.join(link)).expect("a link");
        }
        let image = Image::new(Some(root.clone()));
        let real = |path: &str| image.resolve(Path::new(path));
        for path in ["/bin/tool", "/usr/up", "bin/../bin/tool"] {
            assert_eq!(real(path), Some(PathBuf::from("/usr/bin/tool-1")), "{path}");
        }
        assert_eq!((real("/loop"), real("/etc/passwd")), (None, None));
        assert_eq!(image.read(Path::new("/bin/tool")).ok().as_deref(), Some(&b"here"[..]));
        assert_eq!(image.matches(Path::new("/"), "*/bin/tool-*"), [PathBuf::from("/usr/bin/tool-1")]);
        _ = fs::remove_dir_all(root);
    }
}
