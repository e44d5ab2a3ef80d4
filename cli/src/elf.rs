//! Reads the facts about zlib from an ELF file: the kind of file, which libraries it needs, which
//! of zlib's functions it calls, and which copies of zlib or other DEFLATE implementations it contains.
//!
//! Nothing is run. The file is read as the loader would read it, and searched for the text that zlib
//! and similar libraries leave in programs that contain a copy.

#![forbid(unsafe_code)]

use memchr::memmem::{find, find_iter};
use object::elf;
use object::read::ReadRef;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol};
use std::collections::BTreeSet;

/// zlib's functions, from the list with which the library's exports are compared.
const EXPORTS: &str = include_str!("../../exports.txt");

/// zlib's functions that neither compress nor decompress.
const SMALL: [&str; 9] = [
    "crc32",
    "adler32",
    "zlib",
    "zError",
    "get_crc_table",
    "compressBound",
    "deflateBound",
    "deflateEnd",
    "inflateEnd",
];

/// The text that zlib's deflate.c and inftrees.c leave in every program: its beginning and the required continuation.
const BANNERS: [&[u8]; 2] = [b" deflate 1.", b" inflate 1."];
const COPYRIGHT: &[u8] = b" Copyright 1995-20";

/// Names of sources or symbols of other DEFLATE implementations, and their meanings. They are written
/// backwards, because otherwise this program would match itself.
const MARKS: &[(&[u8], &str)] =
    &[(b"_etalfedbil", "or calls libdeflate"), (b".etalf/sserpmoc", "Go's compress/flate")];
const MINIZ_OXIDE: &[u8] = b"edixo_zinim";

/// The C library's functions that start another program.
const STARTERS: [&str; 12] = [
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "execl",
    "execlp",
    "execle",
    "fexecve",
    "posix_spawn",
    "posix_spawnp",
    "system",
    "popen",
];

/// A kind of processor: its number in ELF files, its name, and Debian's name for the folder of its
/// libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    number: u16,
    pub(crate) name: &'static str,
    pub(crate) folder: &'static str,
}

const MACHINES: [Machine; 6] = [
    Machine { number: 62, name: "x86_64", folder: "x86_64-linux-gnu" },
    Machine { number: 183, name: "aarch64", folder: "aarch64-linux-gnu" },
    Machine { number: 243, name: "riscv64", folder: "riscv64-linux-gnu" },
    Machine { number: 21, name: "powerpc64", folder: "powerpc64le-linux-gnu" },
    Machine { number: 22, name: "s390x", folder: "s390x-linux-gnu" },
    Machine { number: 258, name: "loongarch64", folder: "loongarch64-linux-gnu" },
];

impl Machine {
    /// The kind that this program was built for.
    pub(crate) fn own() -> Self {
        let own = MACHINES.into_iter().find(|machine| machine.name == std::env::consts::ARCH);
        own.unwrap_or(Machine { number: 0, name: std::env::consts::ARCH, folder: "" })
    }

    fn of(number: u16) -> Option<Self> {
        MACHINES.into_iter().find(|machine| machine.number == number)
    }
}

/// The kind of file.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) machine: Machine,
    /// The program that loads it; `None` for a library or a static program.
    pub(crate) interpreter: Option<String>,
    pub(crate) is_library: bool,
}

impl Shape {
    /// Whether it runs without a loader.
    pub(crate) fn is_static(&self) -> bool {
        self.interpreter.is_none() && !self.is_library
    }

    pub(crate) fn is_for_musl(&self) -> bool {
        self.interpreter.as_ref().is_some_and(|loader| loader.contains("ld-musl"))
    }

    /// Why the loader could not preload our library, judging by the file's content.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let (musl, ours) = (self.is_for_musl(), cfg!(target_env = "musl"));
        match () {
            () if self.is_static() => Some("it is static: no loader reads LD_PRELOAD for it".into()),
            () if musl && !ours => Some("it is for musl, and this rigz is for glibc".into()),
            () if !musl && ours && !self.is_library => {
                Some("it is for glibc, and this rigz is for musl".into())
            }
            () => None,
        }
    }
}

/// The contents of an ELF file.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) shape: Shape,
    pub(crate) needed: Vec<String>,
    /// Its run paths, with `$ORIGIN` not yet replaced: `rpath` is searched before `LD_LIBRARY_PATH`, `runpath` after it.
    pub(crate) rpath: Vec<String>,
    pub(crate) runpath: Vec<String>,
    /// zlib's functions that it imports, and those that it exports.
    pub(crate) imports: BTreeSet<String>,
    pub(crate) exports: BTreeSet<String>,
    /// It may load more libraries while it runs.
    pub(crate) opens_libraries: bool,
    /// It may start other programs.
    pub(crate) starts_programs: bool,
    /// A copy of zlib itself, with its version.
    pub(crate) own_zlib: Option<String>,
    /// Other DEFLATE implementations found inside.
    pub(crate) inside: Vec<String>,
}

impl Facts {
    /// Whether it calls libdeflate for whole buffers.
    pub(crate) fn needs_libdeflate(&self) -> bool {
        self.needed.iter().any(|name| name.starts_with("libdeflate.so"))
    }
}

/// Why a file cannot be read as an ELF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    NotElf,
    /// 32 bits, or a kind of processor that rigz is not built for.
    OtherMachine,
    Damaged(String),
}

/// Whether one of zlib's functions compresses or decompresses.
pub(crate) fn is_bulk(function: &str) -> bool {
    !SMALL.iter().any(|small| function.starts_with(small))
}

/// Reads the kind of file; `data` may be a file that is read in parts.
pub(crate) fn shape<'d>(data: impl ReadRef<'d>) -> Result<Shape, Unfit> {
    match data.read_bytes_at(0, 20) {
        Ok([0x7f, b'E', b'L', b'F', 2, ..]) => {}
        Ok([0x7f, b'E', b'L', b'F', ..]) => return Err(Unfit::OtherMachine),
        _ => return Err(Unfit::NotElf),
    }
    shape_of(data, &ElfFile64::<Endianness, _>::parse(data).map_err(damaged)?)
}

fn shape_of<'d, R: ReadRef<'d>>(data: R, file: &ElfFile64<'d, Endianness, R>) -> Result<Shape, Unfit> {
    let (endian, header) = (file.endian(), file.elf_header());
    let machine = Machine::of(header.e_machine(endian).0).ok_or(Unfit::OtherMachine)?;
    let (mut interpreter, mut is_dynamic) = (None, false);
    for segment in file.elf_program_headers() {
        is_dynamic |= segment.p_type(endian) == elf::PT_DYNAMIC;
        if let Some(path) = segment.interpreter(endian, data).map_err(damaged)? {
            interpreter = Some(String::from_utf8_lossy(path).into_owned());
        }
    }
    // A static position-independent program also has a dynamic section, but with this flag.
    const PIE: u64 = 0x0800_0000;
    let table = file.elf_dynamic_table().map_err(damaged)?;
    let is_pie = table.iter().any(|entry| entry.tag == elf::DT_FLAGS_1 && entry.val & PIE != 0);
    let is_library = interpreter.is_none() && is_dynamic && !is_pie && header.e_type(endian) == elf::ET_DYN;
    Ok(Shape { machine, interpreter, is_library })
}

fn damaged(error: object::Error) -> Unfit {
    Unfit::Damaged(error.to_string())
}

/// Reads an ELF file.
pub(crate) fn read(data: &[u8]) -> Result<Facts, Unfit> {
    let shape = shape(data)?;
    let file = ElfFile64::<Endianness>::parse(data).map_err(damaged)?;
    let table = file.elf_dynamic_table().map_err(damaged)?;
    let (mut needed, mut rpath, mut runpath) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &table {
        let text =
            || table.string(entry).map(|text| String::from_utf8_lossy(text).into_owned()).map_err(damaged);
        let folders = || text().map(|text| text.split(':').map(str::to_owned).collect::<Vec<_>>());
        match entry.tag {
            elf::DT_NEEDED => needed.push(text()?),
            elf::DT_RPATH => rpath = folders()?,
            elf::DT_RUNPATH => runpath = folders()?,
            _ => {}
        }
    }
    if !runpath.is_empty() {
        // The loader's rule.
        rpath.clear();
    }
    let mut facts = Facts {
        shape,
        needed,
        rpath,
        runpath,
        imports: BTreeSet::new(),
        exports: BTreeSet::new(),
        opens_libraries: false,
        starts_programs: false,
        own_zlib: BANNERS.iter().find_map(|banner| banner_version(data, banner)),
        inside: inside(data),
    };
    facts.read_symbols(&file);
    Ok(facts)
}

impl Facts {
    fn read_symbols(&mut self, file: &ElfFile64<'_, Endianness>) {
        let zlib: BTreeSet<&str> = EXPORTS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        for symbol in file.dynamic_symbols() {
            let Ok(name) = symbol.name() else { continue };
            let name = name.split('@').next().unwrap_or(name);
            self.opens_libraries |= symbol.is_undefined() && matches!(name, "dlopen" | "dlmopen");
            self.starts_programs |= symbol.is_undefined() && STARTERS.contains(&name);
            if zlib.contains(name) {
                let names = if symbol.is_undefined() { &mut self.imports } else { &mut self.exports };
                names.insert(name.to_owned());
            }
        }
    }
}

/// The DEFLATE implementations other than zlib whose names are found.
fn inside(data: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for (mark, meaning) in MARKS {
        let mark: Vec<u8> = mark.iter().rev().copied().collect();
        if find(data, &mark).is_some() {
            found.push((*meaning).to_owned());
        }
    }
    if holds_miniz_oxide(data) {
        found.push("miniz_oxide (Rust)".to_owned());
    }
    found
}

/// Whether a Rust program contains miniz_oxide for its own use. Every Rust program contains its decoder,
/// because the standard library's backtraces read compressed sections; that copy's sources are
/// in folders of the standard library's build. A program that compresses has the encoder too.
fn holds_miniz_oxide(data: &[u8]) -> bool {
    let name: Vec<u8> = MINIZ_OXIDE.iter().rev().copied().collect();
    find_iter(data, &name).any(|at| {
        let (before, after) = (&data[at.saturating_sub(100)..at], &data[at + name.len()..]);
        let path = &after[..after.len().min(60)];
        // The path of a source in a message, such as `.../miniz_oxide-0.8.0/src/deflate/core.rs`, or a symbol's name.
        let is_encoder = find(path, b"/src/deflate/").is_some() || path.starts_with(b"7deflate");
        let is_path = path.first() == Some(&b'-') && find(path, b"/src/").is_some();
        is_encoder || (is_path && !is_of_std(before))
    })
}

/// Whether a path that ends here is one of the standard library's own build.
fn is_of_std(before: &[u8]) -> bool {
    if before.ends_with(b"/rust/deps/") {
        return true;
    }
    // Until 2024 it began with `/cargo/registry/src/` at the root, where no user's folder is.
    let Some(at) = memchr::memmem::rfind(before, b"/cargo/registry/src/") else { return false };
    !before[..at].ends_with(b"/usr/local") && before[..at].last().is_none_or(|&byte| byte != b'.')
}

/// The version in ` deflate 1.2.13 Copyright 1995-2022 Jean-loup Gailly and Mark Adler `.
fn banner_version(data: &[u8], banner: &[u8]) -> Option<String> {
    let start = find(data, banner)? + banner.len() - 2;
    let line = &data[start..(start + 80).min(data.len())];
    let end = line.iter().position(|&byte| byte == b' ')?;
    find(line, COPYRIGHT)?;
    Some(String::from_utf8_lossy(&line[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copyright_line_contains_the_version() {
        let data = b"\0\0 deflate 1.2.13 Copyright 1995-2022 Jean-loup Gailly and Mark Adler \0";
        assert_eq!(banner_version(data, BANNERS[0]).as_deref(), Some("1.2.13"));
        assert_eq!(banner_version(b" deflate 1.2.13 of no copyright", BANNERS[0]), None);
        assert_eq!(inside(&["lib", "deflate", "_alloc"].concat().into_bytes()), ["or calls libdeflate"]);
    }

    #[test]
    fn the_standard_librarys_decoder_is_ignored() {
        let name = ["miniz", "_oxide"].concat();
        for (path, expected) in [
            ("/rust/deps/NAME-0.8.8/src/inflate/core.rs", false),
            ("text/cargo/registry/src/github.com-1ecc6299db9ec823/NAME-0.5.3/src/inflate/core.rs", false),
            (
                "/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/NAME-0.8.0/src/inflate/core.rs",
                true,
            ),
            ("/usr/local/cargo/registry/src/index.crates.io-6f17/NAME-0.8.0/src/inflate/core.rs", true),
            ("/rust/deps/NAME-0.8.8/src/deflate/core.rs", true),
            ("_ZN11NAME7deflate4core17h", true),
            ("_ZN11NAME7inflate4core17h", false),
        ] {
            assert_eq!(holds_miniz_oxide(path.replace("NAME", &name).as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn this_test_program_is_read() {
        let me = std::env::current_exe().expect("a test has a path");
        let facts = read(&std::fs::read(me).expect("a program can be read")).expect("it is ELF");
        assert!(facts.needed.iter().any(|name| name == "libc.so.6"), "{facts:?}");
        assert!(facts.shape.interpreter.is_some() && !facts.shape.is_library && !facts.shape.is_static());
        assert_eq!(facts.shape.machine, Machine::own());
        assert!(facts.inside.is_empty(), "{:?}", facts.inside);
    }

    #[test]
    fn checksums_are_not_bulk() {
        assert!(
            ["deflate", "compress2", "gzwrite", "inflateBack", "deflateInit_", "gzputs"]
                .iter()
                .all(|name| is_bulk(name))
        );
        assert!(!["crc32_z", "adler32", "zlibVersion", "compressBound"].iter().any(|name| is_bulk(name)));
    }

    #[test]
    fn files_that_cannot_be_read_have_a_reason() {
        assert_eq!(read(b"#!/bin/sh").err(), Some(Unfit::NotElf));
        let mut other = vec![0; 64];
        other[..8].copy_from_slice(b"\x7fELF\x01\x01\x01\0");
        assert_eq!(read(&other).err(), Some(Unfit::OtherMachine));
        let mut short = vec![0; 20];
        short[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        assert!(matches!(read(&short).err(), Some(Unfit::Damaged(_))));
    }
}
