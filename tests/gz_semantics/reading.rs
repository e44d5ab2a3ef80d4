//! Reading: members, garbage, truncation, damage, pushing back.

use std::ffi::c_int;

use crate::api::{Api, Gz, Player, both, compare};
use crate::{gzip, text};

/// Request sizes below, at and above zlib's buffers and ours.
const SIZES: [usize; 8] = [1, 7, 100, 4096, 16384, 20000, 65536, 500_000];

/// Reads a file to its end in pieces of each size and records everything.
fn read_through(player: &mut Player<'_>, name: &str, bytes: &[u8]) {
    player.create_file(name, bytes);
    for size in SIZES {
        if size == 1 && bytes.len() > 20_000 {
            continue;
        }
        let gz = player.open(name, "rb").unwrap();
        let (last, data) = gz.read_all(size);
        player.note(format!("{name} by {size}: {} bytes {:?}, last {last}", data.len(), digest(&data)));
        player.note(format!("{} direct {}", gz.state(), gz.direct()));
        player.note(format!("again {:?} close {}", gz.read(1), gz.close()));
    }
}

pub(crate) fn digest(data: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn valid_files_read_alike_in_pieces_of_any_size() {
    let data = text(300_000);
    let member = gzip(&data);
    let two = [gzip(&data[..200_000]), gzip(&data[200_000..])].concat();
    let many: Vec<u8> = data.chunks(1000).flat_map(gzip).collect();
    compare(|player| {
        read_through(player, "member", &member);
        read_through(player, "two members", &two);
        read_through(player, "many members", &many);
        read_through(player, "an empty member", &gzip(b""));
        read_through(
            player,
            "a member between empty ones",
            &[gzip(b""), gzip(&data[..5000]), gzip(b"")].concat(),
        );
    });
}

#[test]
fn other_files_are_read_unchanged() {
    let data = text(100_000);
    compare(|player| {
        read_through(player, "empty", b"");
        read_through(player, "one byte", b"x");
        read_through(player, "half a magic number", b"\x1f");
        read_through(player, "half a magic number and more", b"\x1fabc");
        read_through(player, "text", &data);
        read_through(player, "text and a member", &[&data[..5000], &gzip(&data)].concat());
    });
}

#[test]
fn garbage_after_a_member_is_ignored() {
    let data = text(50_000);
    let member = gzip(&data);
    compare(|player| {
        for garbage in
            [&b"\0"[..], &[0; 100_000], b"x", b"garbage that is long enough", b"\x1f", b"\x1f\x1f\x8b"]
        {
            read_through(player, "garbage", &[&member, garbage].concat());
        }
    });
}

#[test]
fn a_header_cut_short_is_a_truncated_file() {
    compare(|player| {
        read_through(player, "magic", b"\x1f\x8b");
        read_through(player, "five bytes", b"\x1f\x8b\x08\x00\x00");
        read_through(player, "ten bytes", &gzip(b"abc")[..10]);
    });
}

/// Reads in pieces of `size`; returns the bytes and how reading ended.
fn outcome(player: &mut Player<'_>, bytes: &[u8], size: usize) -> (Vec<u8>, c_int, i32, (i32, String), i32) {
    player.create_file("file", bytes);
    let gz = player.open("file", "rb").unwrap();
    let (last, data) = gz.read_all(size);
    let (eof, error) = (gz.eof(), gz.error());
    (data, last, eof, error, gz.close())
}

#[test]
fn truncation_anywhere_returns_zlibs_bytes_and_error() {
    let data = text(700);
    let member = gzip(&data);
    for cut in 0..member.len() {
        for size in [1, 100_000] {
            let (zlib, ours) = both(|player| outcome(player, &member[..cut], size));
            assert!(
                ours.0.len() >= zlib.0.len() && data.starts_with(&ours.0) || cut < 2,
                "cut at {cut} by {size}"
            );
            assert_eq!(
                (zlib.1, zlib.2, zlib.3, zlib.4),
                (ours.1, ours.2, ours.3, ours.4),
                "cut at {cut} by {size}"
            );
        }
    }
}

/// If the last request ended exactly at the end of the data and the trailer is cut, zlib reports no error; we do.
#[test]
fn truncation_of_a_large_file_returns_at_least_zlibs_bytes() {
    let data = text(2_000_000);
    let member = gzip(&data);
    for cut in [5000, 8192, 8193, 100_000, 150_000, member.len() - 9, member.len() - 8, member.len() - 1] {
        for size in SIZES {
            if size < 100 {
                continue;
            }
            let (zlib, ours) = both(|player| outcome(player, &member[..cut], size));
            assert!(ours.0.len() >= zlib.0.len() && data.starts_with(&ours.0), "cut at {cut} by {size}");
            assert_eq!((&*ours.3.1, ours.4), ("PATH: unexpected end of file", -5), "cut at {cut} by {size}");
            if zlib.3.0 == 0 && zlib.0.len() == data.len() {
                continue;
            }
            assert_eq!(
                (zlib.1, zlib.2, zlib.3, zlib.4),
                (ours.1, ours.2, ours.3, ours.4),
                "cut at {cut} by {size}"
            );
        }
    }
}

/// zlib drops the valid bytes of the buffer or request in which it finds damage; we return them.
#[test]
fn damage_anywhere_gives_zlibs_error_after_at_least_zlibs_bytes() {
    let data = text(900);
    let member = gzip(&data);
    for place in 2..member.len() {
        for bit in [0, 3, 7] {
            let mut damaged = member.clone();
            damaged[place] ^= 1 << bit;
            let (zlib, ours) = both(|player| outcome(player, &damaged, 64));
            assert!(
                ours.0.starts_with(&zlib.0),
                "byte {place} bit {bit}: {} then {}",
                zlib.0.len(),
                ours.0.len()
            );
            assert_eq!(
                (zlib.1, zlib.2, zlib.3, zlib.4),
                (ours.1, ours.2, ours.3, ours.4),
                "byte {place} bit {bit}"
            );
        }
    }
}

#[test]
fn a_wrong_check_value_is_reported_after_every_byte() {
    let data = text(200_000);
    let mut member = gzip(&data);
    let crc = member.len() - 8;
    member[crc] ^= 1;
    for size in SIZES {
        let (zlib, ours) = both(|player| outcome(player, &member, size));
        assert_eq!(ours.0, data, "by {size}");
        assert!(zlib.0.len() <= data.len());
        assert_eq!((ours.1, ours.2, ours.4), (-1, 0, 0), "by {size}");
        assert_eq!((zlib.1, zlib.3), (ours.1, ours.3), "by {size}");
    }
}

#[test]
fn a_damaged_second_member_is_reported_after_the_whole_first() {
    let data = text(50_000);
    for (garbage, text) in [
        (&b"\x1f\x8b\x07garbage"[..], "PATH: unknown compression method"),
        (b"\x1f\x8b\x08\xff\0\0\0\0\0\0", "PATH: unknown header flags set"),
    ] {
        let file = [&gzip(&data), garbage].concat();
        for size in SIZES {
            let (zlib, ours) = both(|player| outcome(player, &file, size));
            assert_eq!(
                (ours.0.len(), ours.1, &ours.3),
                (data.len(), -1, &(-3, text.to_owned())),
                "by {size}"
            );
            assert_eq!((zlib.1, zlib.2, zlib.3, zlib.4), (ours.1, ours.2, ours.3, ours.4), "by {size}");
        }
    }
    let file = [&gzip(&data), &b"\x1f\x8b"[..]].concat();
    for size in SIZES {
        let (zlib, ours) = both(|player| outcome(player, &file, size));
        assert_eq!(zlib, ours, "by {size}");
    }
}

#[test]
fn damage_is_not_reported_before_the_reader_reaches_it() {
    let mut member = gzip(&text(10_000));
    let crc = member.len() - 8;
    member[crc] ^= 1;
    let api = Api::ours();
    let player = Player::new(&api);
    player.create_file("file", &member);
    let gz = Gz::open(&api, &player.scratch.path("file"), "rb").unwrap();
    for _ in 0..99 {
        assert_eq!(gz.read(100).0, 100);
        assert_eq!(gz.error(), (0, String::new()));
    }
    assert_eq!(gz.read(200).0, 100, "the last good bytes");
    assert_eq!(gz.error(), (-3, "PATH: incorrect data check".to_owned()));
    assert_eq!(gz.read(1).0, -1);
    assert_eq!((gz.rewind(), gz.seek(0, libc::SEEK_SET)), (-1, -1), "a serious error remains");
    gz.clear_error();
    assert_eq!(gz.rewind(), 0);
    assert_eq!(gz.read(100).0, 100);
    assert_eq!(gz.close(), 0);
}

#[test]
fn errors_remain_until_cleared() {
    let mut member = gzip(&text(100_000));
    let middle = member.len() - 8;
    member[middle] ^= 0x40;
    compare(|player| {
        player.create_file("file", &member);
        let gz = player.open("file", "rb").unwrap();
        gz.read_all(1000);
        player.note(format!("{:?} eof {}", gz.error(), gz.eof()));
        player.note(format!("{:?} {} {} {:?}", gz.read(1), gz.getc(), gz.getc_macro(), gz.gets(10)));
        player.note(format!("{} {} {}", gz.ungetc(65), gz.rewind(), gz.seek(5, libc::SEEK_SET)));
        gz.clear_error();
        player.note(format!("{:?} {:?}", gz.read(1), gz.error()));
        gz.clear_error();
        player.note(format!("{} {:?} {:?}", gz.rewind(), gz.error(), gz.read(10)));
        player.note(format!("{}", gz.close()));
    });
}

#[test]
fn requests_that_do_not_fit_an_int_are_errors() {
    let member = gzip(&text(1000));
    compare(|player| {
        player.create_file("file", &member);
        let gz = player.open("file", "rb").unwrap();
        player.note(format!("{:?}", gz.read(10)));
        let mut byte = [0u8; 1];
        // SAFETY: a refused request accesses no memory.
        let got = unsafe { (gz.api.gzread)(gz.file, byte.as_mut_ptr().cast(), u32::MAX) };
        player.note(format!("{got} {} {:?}", gz.state(), gz.read(1)));
        // SAFETY: as above; the product does not fit a `size_t`.
        let got = unsafe { (gz.api.gzfread)(byte.as_mut_ptr().cast(), usize::MAX, 2, gz.file) };
        player.note(format!("{got} {}", gz.state()));
        gz.clear_error();
        // SAFETY: as above.
        let got = unsafe { (gz.api.gzfread)(byte.as_mut_ptr().cast(), usize::MAX, 2, gz.file) };
        player.note(format!("{got} {}", gz.state()));
        player.note(format!("{}", gz.close()));
    });
}

#[test]
fn items_are_counted_whole() {
    let member = gzip(&text(1000));
    compare(|player| {
        player.create_file("file", &member);
        let gz = player.open("file", "rb").unwrap();
        let mut buffer = [0u8; 2000];
        for (size, count) in [(7, 10), (0, 5), (5, 0), (300, 2), (300, 5), (1, 1)] {
            // SAFETY: the buffer is larger than any product.
            let got = unsafe { (gz.api.gzfread)(buffer.as_mut_ptr().cast(), size, count, gz.file) };
            player.note(format!("gzfread {size} {count} = {got}; {}", gz.state()));
        }
        player.note(format!("{}", gz.close()));
    });
}

#[test]
fn bytes_lines_and_blocks_mix() {
    let data = text(60_000);
    for (name, bytes) in [("gzip", gzip(&data)), ("plain", data.clone())] {
        compare(|player| {
            player.create_file(name, &bytes);
            let gz = player.open(name, "rb").unwrap();
            for round in 0..3000usize {
                match round % 7 {
                    0 => player.note(format!("getc {}", gz.getc())),
                    1 => player.note(format!("gets {:?}", gz.gets(2 + (round % 90) as i32))),
                    2 => player.note(format!("macro {}", gz.getc_macro())),
                    3 => player.note(format!("read {:?}", gz.read(round % 50))),
                    4 => player.note(format!("ungetc {} getc {}", gz.ungetc(round as i32 % 256), gz.getc())),
                    5 => player.note(format!("gets {:?}", gz.gets(1))),
                    _ => player.note(gz.state()),
                }
            }
            player.note(format!("{} {}", gz.state(), gz.close()));
        });
    }
}

#[test]
fn lines_are_returned_whole_or_as_far_as_the_buffer_allows() {
    let long = [b"a".repeat(40_000), b"\n\n\nend without newline".to_vec()].concat();
    let member = gzip(&long);
    for len in [-1, 0, 1, 2, 10, 16384, 16385, 39_999, 40_001, 40_002, 100_000] {
        compare(|player| {
            player.create_file("file", &member);
            let gz = player.open("file", "rb").unwrap();
            for _ in 0..8 {
                let line = gz.gets(len);
                player.note(format!(
                    "{len}: {:?} {}",
                    line.map(|line| (line.len(), digest(&line))),
                    gz.state()
                ));
            }
            player.note(format!("{}", gz.close()));
        });
    }
}

/// zlib 1.2.13 writes outside its memory if a byte is pushed back directly after opening, so that call is not made there.
#[test]
fn as_many_bytes_as_the_output_buffer_holds_can_be_pushed_first() {
    let data = text(100_000);
    let api = Api::ours();
    let player = Player::new(&api);
    player.create_file("file", &gzip(&data));
    for (size, room) in [(None, 16384), (Some(100), 200), (Some(1), 16)] {
        let gz = Gz::open(&api, &player.scratch.path("file"), "rb").unwrap();
        if let Some(size) = size {
            assert_eq!(gz.buffer(size), 0);
        }
        for count in 0..room {
            assert_eq!(gz.ungetc(count % 256), count % 256);
            assert_eq!(gz.tell(), -i64::from(count) - 1);
        }
        let pushed = gz.read(room as usize).1;
        assert!(pushed.iter().rev().enumerate().all(|(count, &byte)| byte == count as u8));
        assert_eq!(gz.read(50), (50, data[..50].to_vec()), "the file itself, from its beginning");
        assert_eq!((gz.tell(), gz.close()), (50, 0));
    }
    let gz = Gz::open(&api, &player.scratch.path("file"), "rb").unwrap();
    for _ in 0..16384 {
        gz.ungetc(1);
    }
    assert_eq!(gz.ungetc(1), -1);
    assert_eq!(gz.error(), (-3, "PATH: out of room to push characters".to_owned()));
    assert_eq!(gz.close(), 0);
}

#[test]
fn pushed_bytes_are_returned_in_order_and_clear_the_end() {
    let data = text(40_000);
    for (name, bytes) in [("gzip", gzip(&data)), ("plain", data.clone())] {
        compare(|player| {
            player.create_file(name, &bytes);
            let gz = player.open(name, "rb").unwrap();
            player.note(format!("{:?} {}", gz.read(5), gz.ungetc(-1)));
            for c in [65, 66, 300, 67] {
                player.note(format!("ungetc {} {}", gz.ungetc(c), gz.state()));
            }
            player.note(format!("{:?} {}", gz.read(10), gz.state()));
            player.note(format!("{:?}", gz.gets(20)));
            gz.read_all(1000);
            player.note(gz.state());
            player.note(format!("{} {}", gz.ungetc(88), gz.state()));
            player.note(format!("{} {} {}", gz.getc_macro(), gz.getc_macro(), gz.state()));
            for round in 0..100 {
                player.note(format!("{}", gz.ungetc(round)));
            }
            player.note(format!("{:?} {}", gz.read(200), gz.state()));
            player.note(format!("{}", gz.close()));
        });
    }
}

#[test]
fn a_byte_can_be_pushed_after_any_read() {
    let data = text(400_000);
    let member = gzip(&data);
    for size in [1, 8191, 16384, 16385, 65536, 131_072, 200_000] {
        compare(|player| {
            player.create_file("file", &member);
            let gz = player.open("file", "rb").unwrap();
            while gz.read(size).0 > 0 {
                player.note(format!("{} {}", gz.ungetc(7), gz.getc()));
            }
            player.note(format!("{}", gz.close()));
        });
    }
}

#[test]
fn at_any_position_as_many_bytes_as_in_zlib_can_be_pushed() {
    let data = text(700_000);
    let member = gzip(&data);
    for (piece, count) in
        [(1000, 50), (1000, 499), (16_383, 30), (16_384, 30), (20_000, 7), (131_071, 4), (131_072, 4)]
    {
        for more in [1, 2, 5000] {
            let (zlib, ours) = both(|player| {
                player.create_file("file", &member);
                let gz = player.open("file", "rb").unwrap();
                for _ in 0..count {
                    gz.read(piece);
                }
                gz.read(more);
                let at = piece * count + more;
                let pushed = (1..=at).take_while(|&back| gz.ungetc(data[at - back].into()) >= 0).count();
                assert!(gz.error().0 == -3 || pushed == at);
                let close = gz.close();
                (pushed, close)
            });
            assert!(ours.0 >= zlib.0, "{count} times {piece} and {more}: zlib {zlib:?}, rigz {ours:?}");
        }
    }
}

#[test]
fn buffers_of_any_size_read_alike() {
    let data = text(50_000);
    for size in [8, 9, 100, 8192, 10_000, 1 << 20] {
        compare(|player| {
            player.create_file("file", &gzip(&data));
            let gz = player.open("file", "rb").unwrap();
            player.note(format!("{} {}", gz.buffer(u32::MAX), gz.buffer(size)));
            player.note(format!("{:?} {}", gz.read(10), gz.buffer(size)));
            player.note(format!("{:?} {}", digest(&gz.read_all(777).1), gz.state()));
            player.note(format!("{}", gz.close()));
        });
    }
}

#[test]
fn direct_is_known_before_the_first_read_and_fixes_the_buffer() {
    let data = text(5000);
    compare(|player| {
        for (name, bytes) in [("gzip", gzip(&data)), ("plain", data.clone()), ("empty", Vec::new())] {
            player.create_file(name, &bytes);
            let gz = player.open(name, "rb").unwrap();
            player.note(format!("{} {} {}", gz.direct(), gz.buffer(100), gz.state()));
            player.note(format!("{:?} {}", gz.read(10), gz.direct()));
            player.note(format!("{} {} {}", gz.rewind(), gz.direct(), gz.close()));
        }
    });
}

#[test]
fn a_file_that_grew_can_be_read_on_after_clearing_its_error() {
    let data = text(20_000);
    let (first, second) = (gzip(&data[..10_000]), gzip(&data[10_000..]));
    compare(|player| {
        let path = player.create_file("file", &first);
        let gz = player.open("file", "rb").unwrap();
        player.note(format!("{:?} {}", gz.read_all(700).0, gz.state()));
        std::fs::write(&path, [&first[..], &second[..50]].concat()).unwrap();
        player.note(format!("{:?} {}", gz.read(10).0, gz.state()));
        gz.clear_error();
        player.note(format!("{:?} {}", gz.read_all(100_000).0, gz.state()));
        std::fs::write(&path, [&first[..], &second].concat()).unwrap();
        gz.clear_error();
        player.note(format!("{:?} {}", gz.read_all(100_000).0, gz.state()));
        player.note(format!("{}", gz.close()));
    });
}

/// New in zlib 1.3.2.
#[test]
fn mode_capital_g_accepts_nothing_but_gzip() {
    let data = text(5000);
    let api = Api::ours();
    let player = Player::new(&api);
    for (name, bytes, count, error) in [
        ("gzip", gzip(&data), 5000, 0),
        ("plain", data.clone(), -1, -3),
        ("empty", Vec::new(), 0, -5),
        ("one byte", b"\x1f".to_vec(), 0, -5),
        ("garbage after", [gzip(&data), b"garbage".to_vec()].concat(), 5000, 0),
    ] {
        player.create_file(name, &bytes);
        let gz = Gz::open(&api, &player.scratch.path(name), "rG").unwrap();
        assert_eq!((gz.direct(), gz.read(10_000).0, gz.error().0), (0, count, error), "{name}");
        gz.close();
    }
}

#[test]
fn every_function_refuses_a_null_file() {
    compare(|player| {
        let api = player.api;
        let null = std::ptr::null_mut();
        let mut buffer = [0u8; 4];
        let to = buffer.as_mut_ptr();
        // SAFETY: every function checks for a null file first.
        let results = unsafe {
            [
                i64::from((api.gzbuffer)(null, 100)),
                i64::from((api.gzsetparams)(null, 1, 0)),
                i64::from((api.gzread)(null, to.cast(), 4)),
                (api.gzfread)(to.cast(), 1, 4, null) as i64,
                i64::from((api.gzwrite)(null, to.cast(), 4)),
                (api.gzfwrite)(to.cast(), 1, 4, null) as i64,
                i64::from((api.gzputs)(null, c"text".as_ptr())),
                i64::from((api.gzgets)(null, to.cast(), 4).is_null()),
                i64::from((api.gzputc)(null, 1)),
                i64::from((api.gzgetc)(null)),
                i64::from((api.gzgetc_)(null)),
                i64::from((api.gzungetc)(1, null)),
                i64::from((api.gzflush)(null, 0)),
                i64::from((api.gzprintf)(null, c"%d".as_ptr(), 1)),
                (api.gzseek)(null, 0, 0),
                i64::from((api.gzrewind)(null)),
                (api.gztell)(null),
                (api.gzoffset)(null),
                i64::from((api.gzeof)(null)),
                i64::from((api.gzdirect)(null)),
                i64::from((api.gzclose)(null)),
                i64::from((api.gzclose_r)(null)),
                i64::from((api.gzclose_w)(null)),
                i64::from((api.gzerror)(null, std::ptr::null_mut()).is_null()),
            ]
        };
        // SAFETY: as above.
        unsafe { (api.gzclearerr)(null) };
        player.note(format!("{results:?}"));
    });
}

#[test]
fn functions_of_the_other_direction_are_refused() {
    compare(|player| {
        player.create_file("file", &gzip(b"abc"));
        let gz = player.open("file", "rb").unwrap();
        player.note(format!("{} {} {} {}", gz.write(b"x"), gz.putc(1), gz.puts("x"), gz.printf("x")));
        player.note(format!("{} {}", gz.flush(2), gz.set_params(1, 0)));
        // SAFETY: a refused close leaves the file open.
        player.note(format!("{} {}", unsafe { (gz.api.gzclose_w)(gz.file) }, gz.state()));
        player.note(format!("{:?}", gz.read(10)));
        // SAFETY: the file is open, and not used after this.
        player.note(format!("{}", unsafe { (gz.api.gzclose_r)(gz.file) }));
        let gz = player.open("written", "wb").unwrap();
        player.note(format!("{:?} {} {} {:?}", gz.read(1), gz.getc(), gz.getc_macro(), gz.gets(5)));
        player.note(format!("{} {} {}", gz.ungetc(1), gz.rewind(), gz.state()));
        // SAFETY: a refused close leaves the file open.
        player.note(format!("{} {}", unsafe { (gz.api.gzclose_r)(gz.file) }, gz.write(b"abc")));
        // SAFETY: the file is open, and not used after this.
        player.note(format!("{}", unsafe { (gz.api.gzclose_w)(gz.file) }));
    });
}
