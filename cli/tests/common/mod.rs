//! Temporary folders, commands to run in them, and the state of the files they leave.

#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

#[path = "../../../src/random.rs"]
pub(crate) mod random;

pub(crate) mod programs;

use random::Random;

pub(crate) const RIGZ: &str = env!("CARGO_BIN_EXE_rigz");

/// A temporary folder, removed when dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, data: &[u8]) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, data).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.join(name)).is_ok()
    }

    /// Names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub(crate) fn rigz<S: AsRef<OsStr>>(&self, words: &[S]) -> Output {
        run(command(RIGZ, &self.0).args(words), b"")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// A command in a folder, without the environment variables that affect it.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env("LC_ALL", "C");
    for name in [
        "GZIP",
        "PIGZ",
        "LD_PRELOAD",
        "RIGZ_THREADS",
        "RIGZ_STATS",
        "RIGZ_LOG",
        "RIGZ_TRACE",
        "RIGZ_PRELOAD_FILE",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end with `input` on stdin.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program may end without reading everything.
        _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// Runs a reference program, which must succeed, on `input`.
pub(crate) fn judge(program: &str, words: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run(command(program, Path::new("/")).args(words), input);
    assert!(output.status.success(), "{program} {words:?}: {}", text(&output.stderr));
    output.stdout
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The state of one file after a program has run.
#[derive(PartialEq, Eq)]
pub(crate) struct FileState {
    kind: char,
    mode: u32,
    links: u64,
    modified: i64,
    /// The contents; of a gzip file, decompressed.
    data: Vec<u8>,
    /// Of a gzip file: flags, time and name; otherwise empty.
    header: Vec<u8>,
}

impl std::fmt::Debug for FileState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, mode, links, modified, data, header } = self;
        write!(f, "{kind}{mode:o} {links} links {modified} {} bytes {header:?}", data.len())
    }
}

/// The state of all files in a folder, by relative path.
pub(crate) fn states_in(folder: &Path) -> BTreeMap<String, FileState> {
    let mut all = BTreeMap::new();
    collect(folder, folder, &mut all);
    all
}

fn collect(root: &Path, folder: &Path, all: &mut BTreeMap<String, FileState>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let status = fs::symlink_metadata(&path).unwrap();
        let kind = match status.file_type() {
            kind if kind.is_dir() => 'd',
            kind if kind.is_symlink() => 'l',
            kind if kind.is_fifo() => 'p',
            _ => '-',
        };
        let bytes = if kind == '-' { fs::read(&path).unwrap() } else { Vec::new() };
        let (data, header) = split(bytes);
        let name = path.strip_prefix(root).unwrap().display().to_string();
        // Not compared: a folder's time changes with the files in it; links and pipes have their creation time.
        let modified = if kind == '-' { status.mtime() } else { 0 };
        let links = if kind == 'd' { 0 } else { status.nlink() };
        all.insert(name, FileState { kind, mode: status.mode(), links, modified, data, header });
        if kind == 'd' {
            collect(root, &path, all);
        }
    }
}

/// The contents of a valid gzip file, and the part of its header that does not depend on the program; the
/// bytes of any other file.
pub(crate) fn split(bytes: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return (bytes, Vec::new());
    }
    let plain = run(Command::new("gzip").arg("-dc"), &bytes);
    if plain.status.code() != Some(0) {
        return (bytes, Vec::new());
    }
    let mut header = bytes[3..8].to_vec();
    if bytes[3] & 8 != 0 {
        header.extend(bytes[10..].iter().take_while(|&&byte| byte != 0));
    }
    (plain.stdout, header)
}

/// Random words that compress about as well as text.
pub(crate) fn prose(len: usize) -> Vec<u8> {
    let words: [&[u8]; 12] = [
        b"the ",
        b"chunk ",
        b"of a ",
        b"stream ",
        b"is ",
        b"a job ",
        b"for any ",
        b"thread\n",
        b"that comes, ",
        b"window ",
        b"member ",
        b"and so on. ",
    ];
    let mut random = Random::new(7);
    let mut data = Vec::with_capacity(len + 16);
    while data.len() < len {
        data.extend_from_slice(random.pick(&words));
        if random.below(16) == 0 {
            data.extend_from_slice((random.next() >> 20).to_string().as_bytes());
        }
    }
    data.truncate(len);
    data
}
