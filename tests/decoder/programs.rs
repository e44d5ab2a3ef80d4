//! Streams written by other programs.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::data::{kinds, length};
use crate::random::Random;
use crate::{FLUSHES, Pair};

/// Pipes data through a program; `None` when it is not installed.
fn filter(program: &str, arguments: &[&str], data: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().expect("piped");
    let data = data.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&data));
    let output = child.wait_with_output().expect("runs");
    assert!(writer.join().is_ok_and(|written| written.is_ok()), "{program} reads all its input");
    assert!(output.status.success(), "{program} {arguments:?}");
    Some(output.stdout)
}

/// Writes the data to a file and returns the `data.gz` that a program makes of it; `None` when it is not installed.
fn file_filter(program: &str, arguments: &[&str], data: &[u8]) -> Option<Vec<u8>> {
    let folder = std::env::temp_dir().join(format!("rigz-decoder-{}-{program}", std::process::id()));
    std::fs::create_dir_all(&folder).ok()?;
    let (from, to) = (folder.join("data"), folder.join("data.gz"));
    std::fs::write(&from, data).ok()?;
    let status = Command::new(program)
        .args(arguments)
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let packed = std::fs::read(&to);
    std::fs::remove_dir_all(&folder).ok()?;
    assert!(status.ok()?.success(), "{program}");
    packed.ok()
}

#[test]
fn streams_of_other_programs_are_decoded_as_by_zlib() {
    let mut random = Random::varied(8);
    for (name, data) in kinds(120_000) {
        let mut files = vec![
            ("pigz -9", filter("pigz", &["-9", "-b", "128", "-c"], &data)),
            ("pigz -11", filter("pigz", &["-11", "-I", "2", "-c"], &data[..8_000])),
            ("pigz -0", filter("pigz", &["-0", "-c"], &data)),
            ("igzip -0", filter("igzip", &["-0", "-c"], &data)),
            ("igzip -3", filter("igzip", &["-3", "-c"], &data)),
            ("libdeflate -1", filter("libdeflate-gzip", &["-1", "-c"], &data)),
            ("libdeflate -12", filter("libdeflate-gzip", &["-12", "-c"], &data)),
            ("zopfli", file_filter("zopfli", &["--i1", "data"], &data[..8_000])),
            ("7z", file_filter("7z", &["a", "-tgzip", "-mx=9", "data.gz", "data"], &data)),
        ];
        for level in 0..=9 {
            let mut stream = vec![0; data.len() * 2 + 1000];
            let mut len = stream.len();
            // SAFETY: both buffers have the lengths passed.
            let code = unsafe {
                libz_ng_sys::compress2(stream.as_mut_ptr(), &mut len, data.as_ptr(), data.len(), level)
            };
            assert_eq!(code, 0);
            stream.truncate(len);
            files.push(("zlib-ng", Some(stream)));
        }
        for (writer, file) in files {
            let Some(file) = file else { continue };
            for _ in 0..4 {
                let (most_in, most_out) = (1 + length(&mut random, 70_000), 1 + length(&mut random, 100_000));
                let seed = random.next();
                let mut cuts = Random::new(seed);
                // Zlib or gzip format, detected.
                let mut pair = Pair::new(47);
                let end = pair.run(
                    &file,
                    || (length(&mut cuts, most_in), length(&mut cuts, most_out), FLUSHES[cuts.below(6)]),
                    &|| format!("{name} by {writer}, seed {seed}"),
                );
                assert_eq!(end, 1, "{name} by {writer}");
                assert!(data.starts_with(&pair.output), "{name} by {writer}");
            }
        }
    }
}
