//! Test data: makes each corpus and stores it, plain and compressed, for the measuring processes.
//!
//! A corpus is generated once into a cache folder, in a file named with the seed and the size. Next to it are a .gz and a .zz file,
//! written by the system's zlib at level 6, which every decoder reads. `binary` does not depend on the seed: it consists of this
//! system's programs and so differs between machines. The record has each corpus's checksum, so that two runs can be compared.

pub mod generate;
mod rng;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::zlib::{self, FINISH, Failure, GZIP, Library, Result, STREAM_END, Stream};

pub type Generator = fn(u64, usize) -> Vec<u8>;

/// The corpora that are generated from a seed.
pub const GENERATED: &[(&str, Generator)] = &[
    ("text", generate::text),
    ("logs", generate::logs),
    ("sql", generate::sql),
    ("fastq", generate::fastq),
    ("source", generate::source),
    ("records", generate::records),
    ("noise", generate::noise),
    ("zeros", generate::zeros),
];

const SEED: u64 = 1;

/// One corpus on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Corpus {
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
    pub crc32: u32,
}

impl Corpus {
    pub fn gzip_path(&self) -> PathBuf {
        with_suffix(&self.path, "gz")
    }

    pub fn zlib_path(&self) -> PathBuf {
        with_suffix(&self.path, "zz")
    }
}

fn with_suffix(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// Makes, or finds in `cache`, the corpus `name` of at most `len` bytes. `source` is the name of a generated corpus, `binary`, or the
/// path of a file or folder. Of a folder, takes the first bytes of every file, equally many of each.
pub fn make(name: &str, source: &str, len: usize, cache: &Path) -> Result<Corpus> {
    let generator = GENERATED.iter().find(|(known, _)| *known == source);
    let path = cache.join(format!("{name}-{SEED}-{len}.bin"));
    let plain = match (fs::read(&path), generator) {
        // A cached file is current only if its content depends on the seed alone.
        (Ok(plain), Some(_)) if plain.len() == len => plain,
        _ => {
            let given = Path::new(source);
            let plain = if let Some((_, generate)) = generator {
                generate(SEED, len)
            } else if source == "binary" {
                programs(len)
            } else if given.is_dir() {
                folder(given, len)?
            } else {
                let mut plain = read_maybe_zipped(given)?;
                plain.truncate(len);
                plain
            };
            write(&path, &plain)?;
            plain
        }
    };
    if plain.is_empty() {
        return Err(Failure::Lacks(format!("any data in {source}")));
    }
    let judge = zlib::judge()?;
    let corpus = Corpus {
        name: name.to_owned(),
        bytes: plain.len() as u64,
        crc32: judge.checksum(c"crc32")?(0, &plain) as u32,
        path,
    };
    let packed = pack(&judge, &plain, &corpus.gzip_path())?;
    write(&corpus.zlib_path(), &packed)?;
    Ok(corpus)
}

/// Writes `plain` to a .gz file and returns it in zlib format, both compressed by `library` at level 6.
pub fn pack(library: &Library, plain: &[u8], gzip_path: &Path) -> Result<Vec<u8>> {
    let mut out = vec![0; library.compress_bound(plain.len())? + 64];
    let mut stream = Stream::deflate(library, 6, GZIP)?;
    let step = stream.step(plain, &mut out, FINISH);
    if step.code != STREAM_END {
        return Err(Failure::Wrong(format!("deflate returned {}", step.code)));
    }
    write(gzip_path, &out[..step.produced])?;
    let n = library.compressor()?.run(plain, &mut out, 6)?;
    out.truncate(n);
    Ok(out)
}

/// The first MiB of each of this system's larger programs, sorted by name.
fn programs(len: usize) -> Vec<u8> {
    const HEAD: usize = 1 << 20;
    let mut names: Vec<PathBuf> = ["/usr/bin", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    names.sort();
    let mut out = Vec::new();
    for name in names {
        let real = fs::symlink_metadata(&name).is_ok_and(|m| m.is_file() && m.len() >= 64 << 10);
        if let (true, Ok(mut file)) = (real, fs::read(&name))
            && file.starts_with(b"\x7fELF")
        {
            file.truncate(HEAD);
            out.extend_from_slice(&file);
        }
        if out.len() >= len {
            break;
        }
    }
    out.truncate(len);
    out
}

/// The files directly in `folder`, sorted by name.
pub fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|e| Failure::Lacks(format!("{}: {e}", folder.display())))?;
    let mut names: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|p| p.is_file()).collect();
    names.sort();
    Ok(names)
}

fn folder(path: &Path, len: usize) -> Result<Vec<u8>> {
    let names = files_of(path)?;
    let share = len / names.len().max(1);
    let mut out = Vec::new();
    for name in names {
        let mut plain = read_maybe_zipped(&name)?;
        plain.truncate(share);
        out.extend_from_slice(&plain);
    }
    Ok(out)
}

fn read_maybe_zipped(path: &Path) -> Result<Vec<u8>> {
    let failed = |what: &dyn std::fmt::Display| Failure::Lacks(format!("{}: {what}", path.display()));
    if path.extension().is_some_and(|e| e == "zip") {
        let unzip = Command::new("unzip").arg("-p").arg(path).output().map_err(|e| failed(&e))?;
        if !unzip.status.success() {
            return Err(failed(&"unzip could not read it"));
        }
        return Ok(unzip.stdout);
    }
    fs::read(path).map_err(|e| failed(&e))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|e| Failure::Wrong(format!("{}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_corpus_has_equal_shares_of_its_files() {
        let folder = std::env::temp_dir().join(format!("rigz-bench-corpus-{}", std::process::id()));
        let (given, cache) = (folder.join("given"), folder.join("cache"));
        fs::create_dir_all(&given).unwrap();
        fs::create_dir_all(&cache).unwrap();
        fs::write(given.join("a.txt"), "a".repeat(50)).unwrap();
        fs::write(given.join("b.txt"), "b".repeat(50)).unwrap();
        let corpus = make("given", given.to_str().unwrap(), 60, &cache).unwrap();
        assert_eq!(fs::read(&corpus.path).unwrap(), ["a".repeat(30), "b".repeat(30)].concat().into_bytes());
        assert_eq!(corpus.name, "given");
        crate::op::judge_gzip(&fs::read(corpus.gzip_path()).unwrap(), &fs::read(&corpus.path).unwrap())
            .unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_missing_corpus_is_an_error() {
        assert!(make("none", "/no/such/corpus", 10, &std::env::temp_dir()).is_err());
    }
}
