//! The files to read: data of several kinds, compressed by every available encoder.

use crate::random::Random;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of this process, removed when the value is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rigz-read-ahead-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Words and numbers in lines; compresses to about a third, in blocks of ordinary size.
pub(crate) fn text(len: usize) -> Vec<u8> {
    let mut random = Random::new(len as u64);
    let words: Vec<Vec<u8>> = (0..2000)
        .map(|_| {
            (0..2 + random.below(8))
                .map(|_| b'a' + (random.below(26) * random.below(26) / 26) as u8)
                .collect()
        })
        .collect();
    let mut data = Vec::with_capacity(len + 32);
    while data.len() < len {
        match random.below(20) {
            0 => data.extend_from_slice(format!("{}\n", random.below(1 << 20)).as_bytes()),
            1 => data.push(b'\n'),
            _ => {
                data.extend_from_slice(&words[random.below(2000) * random.below(2000) / 2000]);
                data.push(b' ');
            }
        }
    }
    data.truncate(len);
    data
}

/// Data of each kind.
pub(crate) fn kinds(len: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut random = Random::new(7);
    let noise = random.bytes(len);
    let records: Vec<u8> = (0..len as u32 / 16)
        .flat_map(|n| {
            [n, n.wrapping_mul(0x9E37_79B9) & 0x00ff_ffff, n / 100, 0xffff_0000].map(u32::to_le_bytes)
        })
        .flatten()
        .collect();
    let mut mixed = text(len / 4);
    mixed.extend_from_slice(&noise[..len / 4]);
    mixed.extend_from_slice(&vec![0; len / 4]);
    mixed.extend_from_slice(&text(len / 4));
    vec![
        ("text", text(len)),
        ("records", records),
        ("mixed", mixed),
        ("noise", noise),
        ("zeros", vec![0; len]),
    ]
}

/// The output of `command` for `data`; `None` if it is not installed or fails.
fn pipe(mut command: Command, data: &[u8]) -> Option<Vec<u8>> {
    use std::io::{Read, Write};
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    let mut stdout = child.stdout.take()?;
    let mut bytes = Vec::new();
    let told = std::thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(data));
        let read = stdout.read_to_end(&mut bytes);
        writer.join().unwrap().is_ok() && read.is_ok()
    });
    (child.wait().ok()?.success() && told).then_some(bytes)
}

fn tool(name: &str, arguments: &[&str], data: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(name);
    command.args(arguments);
    pipe(command, data)
}

/// Members of 60 KB in BGZF format: each header has its member's length.
fn bgzf(data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for part in data.chunks(60_000) {
        let member = ours(part, 6);
        let body = &member[10..];
        file.extend_from_slice(&[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0]);
        file.extend_from_slice(&(body.len() as u16 + 17).to_le_bytes());
        file.extend_from_slice(body);
    }
    file
}

/// A member by our own encoder: the header without fields, chunks with sync markers between them when there are several.
fn ours(data: &[u8], level: u32) -> Vec<u8> {
    use rigz::raw::{Allocator, Output};
    use rigz::stream::deflate::{Config, DeflateStream};
    let level = rigz::stream::Level::new(level).unwrap();
    let config = Config { level, window_bits: 31, mem_level: 8, strategy: rigz::stream::Strategy::Default };
    let mut stream = DeflateStream::new(config, Allocator::SYSTEM).unwrap();
    let mut bytes = vec![0; data.len() + data.len() / 8 + 1000];
    let mut output = Output::new(&mut bytes);
    let mut input = data;
    while stream.deflate(&mut input, &mut output, rigz::stream::Flush::Finish)
        != Ok(rigz::error::Status::StreamEnd)
    {}
    let len = output.written();
    bytes.truncate(len);
    bytes
}

/// `data` compressed by each available encoder.
pub(crate) fn encoders(data: &[u8], scratch: &Scratch) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("markers".to_owned(), ours(data, 6)), ("bgzf".to_owned(), bgzf(data))];
    files.push(("members".to_owned(), data.chunks(300_000).flat_map(|part| ours(part, 6)).collect()));
    for level in [1, 2, 3, 6, 9] {
        files.push((format!("zlib-ng {level}"), gzip(data, level)));
    }
    let plain = scratch.file("plain", data);
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let tools: [(&str, &[&str]); 9] = [
        ("gzip", &["-1"]),
        ("gzip", &["-6"]),
        ("gzip", &["-9"]),
        ("pigz", &["-9"]),
        ("pigz", &["-p2", "-i"]),
        ("igzip", &["-0"]),
        ("igzip", &["-3"]),
        ("bgzip", &["-c"]),
        ("libdeflate-gzip", &["-12"]),
    ];
    for (name, arguments) in tools {
        let mut arguments = arguments.to_vec();
        let file = path(&plain);
        if name == "libdeflate-gzip" || name == "igzip" {
            arguments.extend(["-c", &file]);
        }
        if let Some(bytes) = tool(name, &arguments, data) {
            files.push((format!("{name} {arguments:?}"), bytes));
        }
    }
    // Slow encoders get only a part.
    let part = scratch.file("part", &data[..data.len().min(300_000)]);
    if let Some(bytes) = tool("zopfli", &["-c", "--i1", &path(&part)], b"") {
        files.push(("zopfli".to_owned(), bytes));
    }
    if let Some(bytes) = tool("7z", &["a", "-tgzip", "-mx=5", "-so", "x.gz", &path(&part)], b"") {
        files.push(("7z".to_owned(), bytes));
    }
    files
}

/// A gzip member by zlib-ng.
pub(crate) fn gzip(data: &[u8], level: i32) -> Vec<u8> {
    let mut deflated = vec![0; data.len() + data.len() / 8 + 1000];
    let mut len = deflated.len();
    // SAFETY: both buffers have the lengths passed.
    let code =
        unsafe { libz_ng_sys::compress2(deflated.as_mut_ptr(), &mut len, data.as_ptr(), data.len(), level) };
    assert_eq!(code, 0);
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    member.extend_from_slice(&deflated[2..len - 4]);
    member.extend_from_slice(&rigz::format::gzip::trailer(crc32fast::hash(data), data.len() as u64));
    member
}
