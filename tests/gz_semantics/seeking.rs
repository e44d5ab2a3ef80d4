//! `gzseek`, `gzrewind`, `gztell` and `gzoffset`, reading and writing, compared with the system's zlib.

use crate::api::{Gz, Player, compare};
use crate::{gunzip, gzip, text};

/// Seeks to each step and records the results and the next 20 bytes.
fn seek_and_read(player: &mut Player<'_>, gz: &Gz<'_>, steps: &[(i64, i32)]) {
    for &(offset, whence) in steps {
        player.note(format!("seek {offset} {whence} = {}; {}", gz.seek(offset, whence), gz.state()));
        player.note(format!("{:?} {}", gz.read(20), gz.state()));
    }
}

/// Offset and whence: 0 is `SEEK_SET`, 1 `SEEK_CUR`; all others are rejected. The data have 150,000 bytes.
const STEPS: [(i64, i32); 24] = [
    (0, 0),
    (10, 0),
    (5, 1),
    (-3, 1),
    (-1, 0),
    (-1_000_000, 1),
    (20_000, 0),
    (19_000, 0),
    (100_000, 1),
    (0, 1),
    (10, 2),
    (10, 3),
    (10, -1),
    (149_990, 0),
    (149_999, 0),
    (150_000, 0),
    (150_001, 0),
    (1_000_000, 0),
    (-10, 1),
    (140_000, 0),
    (i64::MAX, 0),
    (3, 0),
    (i64::MIN, 1),
    (7, 1),
];

#[test]
fn seeks_go_where_zlibs_go() {
    let data = text(150_000);
    let two = [gzip(&data[..90_000]), gzip(&data[90_000..])].concat();
    for (name, bytes) in
        [("gzip", gzip(&data)), ("members", two), ("garbage", [&gzip(&data)[..], b"garbage"].concat())]
    {
        compare(|player| {
            player.create_file(name, &bytes);
            let gz = player.open(name, "rb").unwrap();
            seek_and_read(player, &gz, &STEPS);
            player.note(format!("{} {}", gz.rewind(), gz.state()));
            player.note(format!("{:?}", gz.read(30)));
            player.note(format!("{}", gz.close()));
        });
    }
}

#[test]
fn seeks_in_a_plain_file_move_the_files_position() {
    let data = text(150_000);
    compare(|player| {
        player.create_file("plain", &data);
        let gz = player.open("plain", "rb").unwrap();
        // In a plain file zlib passes the offset to lseek, whose largest depends on the file system.
        let steps: Vec<_> = STEPS.iter().copied().filter(|step| step.0.unsigned_abs() < 1 << 40).collect();
        seek_and_read(player, &gz, &steps);
        player.note(format!("{} {}", gz.rewind(), gz.state()));
        player.note(format!("{:?}", gz.read(30)));
        player.note(format!("{}", gz.close()));
    });
}

#[test]
fn seeks_add_up_before_anything_is_read() {
    let data = text(50_000);
    for (name, bytes) in [("gzip", gzip(&data)), ("plain", data.clone()), ("empty", Vec::new())] {
        compare(|player| {
            player.create_file(name, &bytes);
            let gz = player.open(name, "rb").unwrap();
            for (offset, whence) in [(1000, 1), (500, 1), (-200, 1), (-5000, 1), (300, 1), (40, 0)] {
                player.note(format!("{} {}", gz.seek(offset, whence), gz.tell()));
            }
            player.note(format!("{} {}", gz.getc(), gz.state()));
            player.note(format!("{} {} {}", gz.seek(2000, 1), gz.ungetc(65), gz.state()));
            player.note(format!("{:?} {}", gz.read(5), gz.state()));
            player.note(format!("{} {:?} {}", gz.seek(2000, 1), gz.gets(50), gz.state()));
            player.note(format!("{} {} {}", gz.seek(200_000, 1), gz.getc_macro(), gz.state()));
            player.note(format!("{} {:?} {}", gz.seek(-3, 1), gz.read(9), gz.state()));
            player.note(format!("{}", gz.close()));
        });
    }
}

#[test]
fn a_seek_past_the_end_of_a_truncated_file_stops_there() {
    let data = text(50_000);
    let member = gzip(&data);
    compare(|player| {
        player.create_file("file", &member[..3000]);
        let gz = player.open("file", "rb").unwrap();
        player.note(format!("{}", gz.seek(49_000, 0)));
        player.note(format!("{:?} eof {} {:?}", gz.read(10), gz.eof(), gz.error()));
        player.note(format!("{} {:?}", gz.seek(10, 0), gz.error()));
        // The error is not recorded here: zlib, whose first buffer holds the whole file, reports the truncation again; rigz
        // does so only when the position gets there.
        player.note(format!("{:?} {} {}", gz.read(10), gz.tell(), gz.eof()));
        player.note(format!("{}", gz.seek(49_000, 0)));
        player.note(format!("{:?} eof {} {:?}", gz.read(10), gz.eof(), gz.error()));
        player.note(format!("{}", gz.close()));
    });
}

#[test]
fn a_reader_starts_at_its_descriptors_position() {
    use std::io::{Seek, SeekFrom};
    use std::os::fd::IntoRawFd;
    let data = text(5000);
    let file = [b"a preamble of 29 bytes ending".to_vec(), gzip(&data)].concat();
    compare(|player| {
        let path = player.create_file("file", &file);
        let mut inner = std::fs::File::open(path).unwrap();
        inner.seek(SeekFrom::Start(29)).unwrap();
        let gz = Gz::adopt(player.api, inner.into_raw_fd(), "rb").unwrap();
        player.note(format!("{:?} {}", gz.read(10), gz.direct()));
        player.note(format!("{} {:?}", gz.rewind(), gz.read(10)));
        player.note(format!("{} {:?}", gz.seek(5, 0), gz.read(10)));
        player.note(format!("{}", gz.close()));
    });
}

#[test]
fn a_written_file_is_filled_with_zeros_up_to_a_seek() {
    for mode in ["wb", "wb1", "wbT", "ab"] {
        compare(|player| {
            let gz = player.open("file", mode).unwrap();
            player.note(format!("{} {}", gz.seek(10, 0), gz.state()));
            player.note(format!("{} {} {}", gz.seek(5, 1), gz.seek(-3, 1), gz.tell()));
            player.note(format!("{} {}", gz.write(b"abc"), gz.tell()));
            player.note(format!("{} {}", gz.seek(3, 0), gz.tell()));
            player.note(format!("{} {}", gz.seek(-1, 1), gz.tell()));
            player.note(format!("{} {} {}", gz.seek(100_000, 1), gz.putc(1), gz.tell()));
            player.note(format!("{} {} {}", gz.seek(20, 1), gz.printf("text"), gz.tell()));
            player.note(format!("{} {} {}", gz.seek(20, 1), gz.puts("more"), gz.tell()));
            player.note(format!("{} {} {}", gz.seek(20, 1), gz.flush(2), gz.tell()));
            if mode != "wbT" {
                player.note(format!("{} {} {}", gz.seek(20, 1), gz.set_params(3, 0), gz.tell()));
            }
            player.note(format!("{} {}", gz.seek(30, 1), gz.seek(5, 2)));
            player.note(format!("{}", gz.close()));
            player.note(format!("{:?}", gunzip(&player.scratch.path("file"))));
        });
    }
}

#[test]
fn the_offset_is_0_at_first_and_the_files_length_at_the_end() {
    let data = text(5000);
    let member = gzip(&data);
    compare(|player| {
        player.create_file("file", &member);
        let gz = player.open("file", "rb").unwrap();
        let offset = |gz: &Gz<'_>| {
            // SAFETY: the file is open.
            unsafe { (gz.api.gzoffset)(gz.file) }
        };
        player.note(format!("{}", offset(&gz)));
        gz.read_all(100);
        player.note(format!("{} of {}", offset(&gz), member.len()));
        player.note(format!("{}", gz.close()));
        let gz = player.open("file", "ab").unwrap();
        player.note(format!("{}", offset(&gz)));
        player.note(format!("{} {}", gz.write(b"abc"), offset(&gz)));
        player.note(format!("{} {}", gz.flush(4), offset(&gz) > member.len() as i64));
        player.note(format!("{}", gz.close()));
    });
}
