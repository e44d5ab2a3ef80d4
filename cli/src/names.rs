//! The names of results: gzip's suffixes, on bytes, since a file name need not be valid text.

#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Suffixes of compressed files, besides the selected suffix. `.taz` and `.tgz` mean `.tar.gz`.
const KNOWN: [&[u8]; 10] = [b".gz", b".z", b".taz", b".tgz", b"-gz", b"-z", b"_z", b".zz", b"-zz", b"_zz"];

/// Suffixes that are tried, in this order, if there is no file with the given name.
const TRIED: [&str; 4] = [".gz", ".z", "-z", ".zz"];

/// The suffix of a compressed file at the end of `path`, without regard to case. There must be a name before it.
pub(crate) fn suffix_of<'a>(path: &'a Path, usual: &OsStr) -> Option<&'a OsStr> {
    let name = path.as_os_str().as_bytes();
    std::iter::once(usual.as_bytes()).chain(KNOWN).find_map(|suffix| {
        let (stem, end) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
        let is_one = end.eq_ignore_ascii_case(suffix) && !matches!(stem.last(), None | Some(b'/'));
        is_one.then(|| OsStr::from_bytes(end))
    })
}

/// The same for a file to decompress, which may also be a zip file.
pub(crate) fn packed_suffix_of<'a>(path: &'a Path, usual: &OsStr) -> Option<&'a OsStr> {
    suffix_of(path, usual).or_else(|| suffix_of(path, OsStr::new(".zip")))
}

/// Shortens a name that is too long with its suffix, as gzip does: removes the last byte of the last
/// part between dots that has more than three bytes, so that extensions stay; if there is none, of the
/// last with more than two, then one. `None` if nothing can be removed.
pub(crate) fn shorter(name: &[u8]) -> Option<Vec<u8>> {
    let parts: Vec<&[u8]> = name.split(|&byte| byte == b'.').collect();
    for least in [4, 3, 2] {
        if let Some(index) = parts.iter().rposition(|part| part.len() >= least) {
            let mut parts = parts.clone();
            parts[index] = &parts[index][..parts[index].len() - 1];
            return Some(parts.join(&b'.'));
        }
    }
    // All parts have one byte: removes the last.
    let dot = name.iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 1)?;
    Some(name[..if dot + 1 == name.len() { dot - 1 } else { dot }].to_vec())
}

/// The name of the compressed file.
pub(crate) fn compressed(path: &Path, suffix: &OsStr) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The name of the file that was compressed: without its suffix, `.tar` instead of `.tgz`.
pub(crate) fn plain(path: &Path, suffix: &OsStr) -> PathBuf {
    let name = path.as_os_str().as_bytes();
    let mut stem = name[..name.len() - suffix.len()].to_vec();
    if [&b".tgz"[..], b".taz"].iter().any(|short| suffix.as_bytes().eq_ignore_ascii_case(short)) {
        stem.extend_from_slice(b".tar");
    }
    PathBuf::from(OsString::from_vec(stem))
}

/// Possible paths of a compressed file whose plain name was given.
pub(crate) fn candidates(path: &Path, usual: &OsStr) -> Vec<PathBuf> {
    let mut suffixes = vec![usual];
    suffixes.extend(TRIED.iter().map(OsStr::new).filter(|suffix| *suffix != usual));
    suffixes.into_iter().map(|suffix| compressed(path, suffix)).collect()
}

/// The name stored in a header, in the compressed file's folder. Only its last part is used, so that no header can choose the
/// folder; an invalid name is refused.
pub(crate) fn stored(path: &Path, stored: &[u8]) -> Option<PathBuf> {
    let name = stored.rsplit(|&byte| byte == b'/').next()?;
    let is_name = !matches!(name, b"" | b"." | b"..");
    is_name.then(|| path.with_file_name(OsStr::from_bytes(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain_of(name: &str) -> Option<PathBuf> {
        let path = Path::new(name);
        suffix_of(path, OsStr::new(".gz")).map(|suffix| plain(path, suffix))
    }

    #[test]
    fn suffixes_are_gzips() {
        for (name, expected) in [
            ("a.gz", "a"),
            ("a.GZ", "a"),
            ("d/b.tgz", "d/b.tar"),
            ("b.taz", "b.tar"),
            ("c-z", "c"),
            ("c_z", "c"),
            ("c.zz", "c"),
            ("a.gz.gz", "a.gz"),
        ] {
            assert_eq!(plain_of(name), Some(PathBuf::from(expected)), "{name}");
        }
        for name in ["a", ".gz", "d/.gz", "agz", "", "a.gzip"] {
            assert_eq!(plain_of(name), None, "{name}");
        }
    }

    #[test]
    fn names_are_shortened_as_gzip_does() {
        for (name, expected) in [
            ("aaaaaa", Some("aaaaa")),
            ("aaaaaa.txt", Some("aaaaa.txt")),
            ("aaaaaa.b.txt.long.c", Some("aaaaaa.b.txt.lon.c")),
            ("ab.ab.x", Some("ab.a.x")),
            ("a.a.a", Some("a.a")),
            ("abcde..", Some("abcd..")),
            ("a", None),
        ] {
            let shorter = shorter(name.as_bytes());
            assert_eq!(shorter.as_deref(), expected.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn the_selected_suffix_is_recognized() {
        assert_eq!(suffix_of(Path::new("a.foo"), OsStr::new(".foo")), Some(OsStr::new(".foo")));
        assert_eq!(candidates(Path::new("a"), OsStr::new(".foo"))[0], Path::new("a.foo"));
    }

    #[test]
    fn a_stored_name_stays_in_its_folder() {
        let stored = |name: &str| stored(Path::new("d/x.gz"), name.as_bytes());
        assert_eq!(stored("name"), Some(PathBuf::from("d/name")));
        assert_eq!(stored("/etc/passwd"), Some(PathBuf::from("d/passwd")));
        assert_eq!(stored("../../up"), Some(PathBuf::from("d/up")));
        for none in ["", "..", "a/..", "a/"] {
            assert_eq!(stored(none), None, "{none}");
        }
    }
}
