//! What one ELF file says about itself, as far as it matters for zlib: what it needs, what of zlib it calls, what of zlib it holds.
//!
//! Nothing is run. The file is read as the loader would read it, and searched for the marks that zlib and its relatives leave in
//! programs that hold a copy.

#![forbid(unsafe_code)]

use memchr::memmem::find;
use object::elf;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol};
use std::collections::BTreeSet;

/// zlib's functions, from the list that the library's exports are held to.
const EXPORTS: &str = include_str!("../../exports.txt");

/// The line that zlib's deflate.c and inftrees.c leave in every program, by its beginning and what must follow.
const BANNERS: [&[u8]; 2] = [b" deflate 1.", b" inflate 1."];
const COPYRIGHT: &[u8] = b" Copyright 1995-20";

/// Marks of other DEFLATEs, by names of their sources or symbols, and what they mean. Written backwards, or this program would find
/// itself.
const MARKS: &[(&[u8], &str)] = &[
    (b"_etalfedbil", "or calls libdeflate"),
    (b"edixo_zinim", "miniz_oxide (Rust)"),
    (b".etalf/sserpmoc", "Go's compress/flate"),
];

/// What an ELF file says.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The program that loads it; none for a library or a static program.
    pub(crate) interpreter: Option<String>,
    /// Whether a loader has anything to do with it.
    pub(crate) is_dynamic: bool,
    pub(crate) needed: Vec<String>,
    /// Where it wants its libraries searched, `$ORIGIN` not yet replaced. First the folders that go before the user's own.
    pub(crate) rpath: Vec<String>,
    pub(crate) runpath: Vec<String>,
    /// zlib's functions that it takes from elsewhere, and those that it offers.
    pub(crate) imports: BTreeSet<String>,
    pub(crate) exports: BTreeSet<String>,
    /// It may load more while it runs.
    pub(crate) opens_libraries: bool,
    /// DEFLATEs found inside.
    pub(crate) inside: Vec<String>,
}

/// Why a file is no ELF file that this machine's programs could load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    NoElf,
    OtherMachine,
    Damaged(String),
}

/// Reads an ELF file.
pub(crate) fn read(data: &[u8]) -> Result<Facts, Unfit> {
    if !data.starts_with(b"\x7fELF") {
        return Err(Unfit::NoElf);
    }
    let machine = if cfg!(target_arch = "x86_64") { elf::EM_X86_64 } else { elf::EM_AARCH64 };
    let damaged = |error: object::Error| Unfit::Damaged(error.to_string());
    if data.get(4) != Some(&2) || data.get(5) != Some(&if cfg!(target_endian = "little") { 1 } else { 2 }) {
        return Err(Unfit::OtherMachine);
    }
    let file = ElfFile64::<Endianness>::parse(data).map_err(damaged)?;
    let endian = file.endian();
    if file.elf_header().e_machine(endian) != machine {
        return Err(Unfit::OtherMachine);
    }
    let mut facts = Facts::default();
    for segment in file.elf_program_headers() {
        facts.is_dynamic |= segment.p_type(endian) == elf::PT_DYNAMIC;
        if let Some(interpreter) = segment.interpreter(endian, data).map_err(damaged)? {
            facts.interpreter = Some(String::from_utf8_lossy(interpreter).into_owned());
        }
    }
    let table = file.elf_dynamic_table().map_err(damaged)?;
    for entry in &table {
        let text =
            || table.string(entry).map(|text| String::from_utf8_lossy(text).into_owned()).map_err(damaged);
        let folders = || text().map(|text| text.split(':').map(str::to_owned).collect::<Vec<_>>());
        match entry.tag {
            elf::DT_NEEDED => facts.needed.push(text()?),
            elf::DT_RPATH => facts.rpath = folders()?,
            elf::DT_RUNPATH => facts.runpath = folders()?,
            _ => {}
        }
    }
    if !facts.runpath.is_empty() {
        // The loader's rule.
        facts.rpath.clear();
    }
    let zlib: BTreeSet<&str> = EXPORTS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for symbol in file.dynamic_symbols() {
        let Ok(name) = symbol.name() else { continue };
        let name = name.split('@').next().unwrap_or(name);
        facts.opens_libraries |= symbol.is_undefined() && matches!(name, "dlopen" | "dlmopen");
        if zlib.contains(name) {
            let names = if symbol.is_undefined() { &mut facts.imports } else { &mut facts.exports };
            names.insert(name.to_owned());
        }
    }
    facts.inside = inside(data);
    Ok(facts)
}

/// The DEFLATEs whose marks are found.
fn inside(data: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(version) = BANNERS.iter().find_map(|banner| banner_version(data, banner)) {
        found.push(format!("zlib {version} of its own"));
    }
    for (mark, meaning) in MARKS {
        let mark: Vec<u8> = mark.iter().rev().copied().collect();
        if find(data, &mark).is_some() {
            found.push((*meaning).to_owned());
        }
    }
    found
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
    fn a_copyright_line_tells_the_version() {
        let data = b"\0\0 deflate 1.2.13 Copyright 1995-2022 Jean-loup Gailly and Mark Adler \0";
        assert_eq!(inside(data), ["zlib 1.2.13 of its own"]);
        assert!(inside(b" deflate 1.2.13 of no copyright").is_empty());
        assert_eq!(inside(&["lib", "deflate", "_alloc"].concat().into_bytes()), ["or calls libdeflate"]);
    }

    #[test]
    fn this_very_program_is_understood() {
        let me = std::env::current_exe().expect("a test knows its file");
        let facts = read(&std::fs::read(me).expect("a program can be read")).expect("it is ELF");
        assert!(facts.is_dynamic && facts.needed.iter().any(|name| name == "libc.so.6"), "{facts:?}");
        assert!(facts.interpreter.is_some());
    }

    #[test]
    fn what_is_no_elf_file_is_told() {
        assert_eq!(read(b"#!/bin/sh").err(), Some(Unfit::NoElf));
        let mut other = vec![0; 64];
        other[..8].copy_from_slice(b"\x7fELF\x01\x01\x01\0");
        assert_eq!(read(&other).err(), Some(Unfit::OtherMachine));
        assert!(matches!(read(b"\x7fELF\x02\x01\x01\0").err(), Some(Unfit::Damaged(_))));
    }
}
