//! Test data: the files of a folder, and generated data.

use std::path::Path;

use rigz::inflate::{End, decode};
use rigz::raw::Output;

/// The number of bytes used of each file, at most, to keep the run short.
const MAX_FILE: usize = 6 << 20;

/// Returns the names and contents of the files in `folder` (none if it does not exist) and of the generated data.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut data = if bytes.starts_with(b"PK\x03\x04") { unzip_first(&bytes) } else { bytes };
        data.truncate(MAX_FILE);
        files.push((name, data));
    }
    files.extend(generated());
    files
}

/// Returns the first file of a zip archive, which must be compressed with DEFLATE. Reads its sizes from the central directory,
/// since the local header may lack them.
fn unzip_first(zip: &[u8]) -> Vec<u8> {
    let u16_at = |at: usize| usize::from(u16::from_le_bytes([zip[at], zip[at + 1]]));
    let u32_at = |at: usize| u16_at(at) | u16_at(at + 2) << 16;
    let end =
        zip.windows(4).rposition(|window| window == b"PK\x05\x06").expect("an end of central directory");
    let entry = u32_at(end + 16);
    let (packed, size, local) = (u32_at(entry + 20), u32_at(entry + 24), u32_at(entry + 42));
    let start = local + 30 + u16_at(local + 26) + u16_at(local + 28);
    let mut data = vec![0; size];
    let decoded = decode(&zip[start..start + packed], &mut Output::new(&mut data));
    assert_eq!((decoded.end, decoded.produced), (End::Complete, size));
    data
}

/// Generates log lines, and random DNA letters.
fn generated() -> Vec<(String, Vec<u8>)> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut logs = String::new();
    while logs.len() < 4 << 20 {
        let (a, b, c) = (random(), random(), random());
        let (day, hour, minute, second) = (a % 28 + 1, a >> 8 & 15, a >> 16 & 31, a >> 24 & 31);
        let level = ["info", "info", "info", "warn", "error"][(b % 5) as usize];
        let kind = ["users", "items", "orders"][(c % 3) as usize];
        let (id, item, ms) = (b >> 32 & 0xffff, c >> 16 & 0xfff, c >> 40 & 0x1ff);
        logs += &format!(
            "{{\"time\":\"2026-01-{day:02}T{hour:02}:{minute:02}:{second:02}Z\",\"level\":\"{level}\","
        );
        logs += &format!("\"id\":{id},\"path\":\"/api/v1/{kind}/{item}\",\"ms\":{ms}}}\n");
    }
    let bases = (0..4 << 20).map(|_| b"ACGT"[(random() >> 20 & 3) as usize]).collect();
    vec![("logs".into(), logs.into_bytes()), ("bases".into(), bases)]
}
