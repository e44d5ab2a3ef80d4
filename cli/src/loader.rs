//! Finds the file that the loader would use for a library's name (ld.so(8)): run paths, `LD_LIBRARY_PATH`,
//! `/etc/ld.so.cache`, the usual folders.
//!
//! Hardware-specific folders of the cache are searched in the cache's order, as by the loader.

#![forbid(unsafe_code)]

use crate::elf::{self, Machine};
use crate::image::Image;
use object::ReadCache;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The search for libraries of one image.
#[derive(Debug)]
pub(crate) struct Loader<'a> {
    image: &'a Image,
    user: Vec<PathBuf>,
    /// From names to files, in the cache's order.
    cache: BTreeMap<String, Vec<PathBuf>>,
}

const CACHE_MAGIC: &[u8] = b"glibc-ld.so.cache1.1";

impl<'a> Loader<'a> {
    pub(crate) fn new(image: &'a Image) -> Self {
        let user = std::env::var_os("LD_LIBRARY_PATH").filter(|_| image.is_here());
        let cache = image.read(Path::new("/etc/ld.so.cache")).ok();
        Self {
            image,
            user: user
                .iter()
                .flat_map(std::env::split_paths)
                .filter(|path| !path.as_os_str().is_empty())
                .collect(),
            cache: cache.and_then(|data| parse_cache(&data)).unwrap_or_default(),
        }
    }

    /// The file for `name`, which `origin`, a file for this machine with these run paths, needs.
    pub(crate) fn find(
        &self,
        name: &str,
        origin: &Path,
        machine: Machine,
        rpath: &[String],
        runpath: &[String],
    ) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|path| self.image.is_file(path));
        }
        let folder = origin.parent().unwrap_or(Path::new("/")).display().to_string();
        let expand =
            |path: &String| PathBuf::from(path.replace("${ORIGIN}", &folder).replace("$ORIGIN", &folder));
        let before =
            rpath.iter().map(expand).chain(self.user.iter().cloned()).chain(runpath.iter().map(expand));
        let cached = self.cache.get(name).into_iter().flatten().cloned();
        let usual = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"].iter().map(PathBuf::from);
        let folder = machine.folder;
        let usual = usual.chain([Path::new("/lib").join(folder), Path::new("/usr/lib").join(folder)]);
        before
            .map(|folder| folder.join(name))
            .chain(cached)
            .chain(usual.map(|folder| folder.join(name)))
            .find(|path| self.is_for(path, machine))
    }

    /// Whether the file is for this machine: the loader skips others.
    fn is_for(&self, path: &Path, machine: Machine) -> bool {
        let file = self.image.outside(path).and_then(|path| File::open(path).ok());
        file.is_some_and(|file| elf::shape(&ReadCache::new(file)).is_ok_and(|shape| shape.machine == machine))
    }
}

/// The cache as glibc has written it since 2.32 or so: a header of 48 bytes, then entries of 24, each with the offsets of
/// a name and of a path.
fn parse_cache(data: &[u8]) -> Option<BTreeMap<String, Vec<PathBuf>>> {
    let number = |at: usize| Some(u32::from_ne_bytes(data.get(at..at + 4)?.try_into().ok()?) as usize);
    let text = |at: usize| {
        let rest = data.get(at..)?;
        Some(String::from_utf8_lossy(&rest[..rest.iter().position(|&byte| byte == 0)?]).into_owned())
    };
    if !data.starts_with(CACHE_MAGIC) {
        return None;
    }
    let mut cache = BTreeMap::<_, Vec<_>>::new();
    for index in 0..number(20)? {
        let entry = 48 + 24 * index;
        cache.entry(text(number(entry + 4)?)?).or_default().push(PathBuf::from(text(number(entry + 8)?)?));
    }
    Some(cache)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_is_found() {
        let image = Image::new(None);
        let loader = Loader::new(&image);
        let found = loader.find("libc.so.6", Path::new("/bin/true"), Machine::own(), &[], &[]);
        assert!(found.is_some_and(|path| path.ends_with("libc.so.6")));
    }

    #[test]
    fn a_cache_is_read_and_a_damaged_one_ignored() {
        let mut data = CACHE_MAGIC.to_vec();
        data.extend_from_slice(&1u32.to_ne_bytes());
        data.resize(48, 0);
        for number in [0u32, 72, 80, 0, 0, 0] {
            data.extend_from_slice(&number.to_ne_bytes());
        }
        data.extend_from_slice(b"liba.so\0/x/liba.so\0");
        let cache = parse_cache(&data).expect("the cache is valid");
        assert_eq!(cache["liba.so"], [PathBuf::from("/x/liba.so")]);
        assert!(parse_cache(&data[..data.len() - 1]).is_none());
        assert!(parse_cache(b"something else").is_none());
    }
}
