//! Writing: modes, levels, flushes, formatted strings, failing and non-blocking descriptors.

use std::os::fd::{AsRawFd, IntoRawFd};

use crate::api::{Api, Gz, Player, compare};
use crate::{gunzip, gzip, noise, text};

fn errno() -> i32 {
    // SAFETY: this thread's `errno`.
    unsafe { *libc::__errno_location() }
}

#[test]
fn mode_strings_are_accepted_and_refused_alike() {
    compare(|player| {
        player.create_file("there", &gzip(b"abc"));
        for mode in [
            "",
            "b",
            "9",
            "x",
            "r",
            "rb",
            "r9",
            "rt",
            "r+",
            "+r",
            "w+",
            "a+",
            "rT",
            "Tr",
            "re",
            "rx",
            "w",
            "wb",
            "w0",
            "wb9f",
            "whR",
            "wF",
            "wT",
            "wTT",
            "we",
            "a",
            "ab6",
            "aT",
            "rw",
            "wr",
            "ra",
            "w,ccs=UTF-8",
            "wz",
        ] {
            player.create_file("file", &gzip(b"abc"));
            if let Some(gz) = player.open("file", mode) {
                player.note(format!("{} {}", gz.write(b"def"), gz.direct()));
                player.note(format!("{:?} {}", gz.read(5), gz.close()));
            }
            player.note(format!("{mode}: {:?}", gunzip(&player.scratch.path("file"))));
        }
        for mode in ["wx", "xw", "ax", "wbx9"] {
            player.note(format!("{}", player.scratch.path("there").exists()));
            let refused = player.open("there", mode).is_none();
            player.note(format!("{mode} {refused} errno {}", errno()));
            let fresh = player.open(&format!("fresh {mode}"), mode).unwrap();
            player.note(format!("{}", fresh.close()));
        }
        let missing = player.open("missing/file", "w").is_none();
        player.note(format!("{missing} errno {}", errno()));
        let missing = player.open("missing", "r").is_none();
        player.note(format!("{missing} errno {}", errno()));
    });
}

#[test]
fn null_strings_are_refused() {
    let api = Api::ours();
    // SAFETY: null is one of the values allowed.
    unsafe {
        assert!((api.gzopen)(std::ptr::null(), c"r".as_ptr()).is_null());
        assert!((api.gzopen)(c"/".as_ptr(), std::ptr::null()).is_null());
        assert!((api.gzdopen)(0, std::ptr::null()).is_null());
    }
}

#[test]
fn the_descriptor_is_closed_on_exec_when_asked() {
    let api = Api::ours();
    let player = Player::new(&api);
    for (mode, expected) in [("w", 0), ("we", libc::FD_CLOEXEC)] {
        let path = player.create_file("file", b"");
        let fd = std::fs::OpenOptions::new().write(true).open(path).unwrap().into_raw_fd();
        // SAFETY: the descriptor is open.
        unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
        let gz = Gz::adopt(&api, fd, mode).unwrap();
        // SAFETY: the descriptor is open.
        assert_eq!(unsafe { libc::fcntl(fd, libc::F_GETFD) }, expected);
        assert_eq!(gz.close(), 0);
    }
}

#[test]
fn the_output_of_every_level_and_strategy_can_be_read() {
    let data = text(300_000);
    compare(|player| {
        for mode in [
            "w", "w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9", "wf", "wh", "wR", "wF", "w9h",
            "wT",
        ] {
            let gz = player.open("file", mode).unwrap();
            player.note(format!("{} {}", gz.direct(), gz.write(&data)));
            player.note(format!("{} {}", gz.state(), gz.close()));
            let back = gunzip(&player.scratch.path("file"));
            player.note(format!("{} {}", back.len(), back == data));
        }
    });
}

#[test]
fn large_writes_of_every_shape_can_be_read() {
    let data = text(2_500_000);
    compare(|player| {
        for (mode, size) in
            [("w9", 2_500_000), ("w1", 1_000_000), ("w6", 8191), ("w6", 8192), ("w6", 8193), ("w1", 100)]
        {
            let gz = player.open("file", mode).unwrap();
            for piece in data.chunks(size) {
                assert_eq!(gz.write(piece), piece.len() as i32);
            }
            player.note(format!("{} {}", gz.tell(), gz.close()));
            player.note(format!("{}", gunzip(&player.scratch.path("file")) == data));
        }
    });
}

#[test]
fn a_file_without_writes_is_an_empty_member() {
    compare(|player| {
        for mode in ["w", "wT", "a", "aT"] {
            let gz = player.open("file", mode).unwrap();
            player.note(format!("{} {} {}", gz.write(b""), gz.puts(""), gz.close()));
            player.note(format!("{}", std::fs::metadata(player.scratch.path("file")).unwrap().len()));
        }
    });
}

#[test]
fn appending_adds_a_member() {
    compare(|player| {
        for (mode, piece) in [("w", "one "), ("a", "two "), ("a9", "three")] {
            let gz = player.open("file", mode).unwrap();
            player.note(format!("{} {}", gz.puts(piece), gz.close()));
        }
        player.note(format!("{:?}", String::from_utf8(gunzip(&player.scratch.path("file")))));
    });
}

#[test]
fn bytes_strings_blocks_and_flushes_mix() {
    let data = text(100_000);
    for buffer in [None, Some(8), Some(50), Some(100_000)] {
        compare(|player| {
            let gz = player.open("file", "wb").unwrap();
            if let Some(size) = buffer {
                player.note(format!("{}", gz.buffer(size)));
            }
            for round in 0..2000usize {
                let piece = &data[round * 37..][..round % 40];
                match round % 8 {
                    0 => player.note(format!("putc {}", gz.putc(round as i32))),
                    1 => player.note(format!("puts {}", gz.puts(std::str::from_utf8(piece).unwrap()))),
                    2 => player.note(format!("printf {}", gz.printf(std::str::from_utf8(piece).unwrap()))),
                    3 => player.note(format!("write {}", gz.write(piece))),
                    // SAFETY: the piece is readable.
                    4 => player.note(format!("fwrite {}", unsafe {
                        (gz.api.gzfwrite)(piece.as_ptr().cast(), 4, piece.len() / 4, gz.file)
                    })),
                    5 if round % 5 == 0 => player.note(format!("flush {}", gz.flush(round as i32 % 7 - 1))),
                    6 if round % 50 == 6 => {
                        player.note(format!("params {}", gz.set_params(round as i32 % 10, round as i32 % 5)));
                    }
                    _ => player.note(gz.state()),
                }
            }
            player.note(format!("{} {}", gz.state(), gz.close()));
            player.note(format!("{:?}", gunzip(&player.scratch.path("file"))));
        });
    }
}

#[test]
fn flushed_data_can_be_read_immediately() {
    let data = text(20_000);
    compare(|player| {
        for flush in [1, 2, 3, 4] {
            let gz = player.open("file", "wb").unwrap();
            let mut written = 0;
            for piece in data.chunks(3000) {
                gz.write(piece);
                written += piece.len();
                player.note(format!("{} {}", gz.flush(flush), gz.flush(flush)));
                let so_far = player.open("file", "rb").unwrap().read_all(50_000).1;
                player.note(format!("{} of {written}: {}", so_far.len(), so_far == data[..written]));
            }
            player.note(format!("{}", gz.close()));
            player.note(format!("{}", gunzip(&player.scratch.path("file")) == data));
        }
    });
}

#[test]
fn parameters_change_in_the_middle() {
    let data = text(200_000);
    compare(|player| {
        let gz = player.open("file", "w1").unwrap();
        for (round, piece) in data.chunks(9_000).enumerate() {
            player.note(format!("{}", gz.set_params([9, 0, 6, -1, 1][round % 5], round as i32 % 5)));
            player.note(format!("{}", gz.write(piece)));
            if round % 6 == 5 {
                player.note(format!("{}", gz.flush(4)));
            }
        }
        player.note(format!("{} {} {}", gz.set_params(6, 0), gz.set_params(6, 0), gz.state()));
        player.note(format!("{}", gz.close()));
        player.note(format!("{}", gunzip(&player.scratch.path("file")) == data));
    });
}

/// Not compared: zlib 1.2.13 accepts `gzsetparams` here, 1.3.1 refuses it.
#[test]
fn a_plain_file_has_no_parameters() {
    let api = Api::ours();
    let player = Player::new(&api);
    let gz = Gz::open(&api, &player.scratch.path("file"), "wT").unwrap();
    assert_eq!((gz.set_params(3, 0), gz.write(b"abc"), gz.set_params(3, 0), gz.close()), (-2, 3, -2, 0));
}

#[test]
fn invalid_parameters_have_the_same_effect_as_in_zlib() {
    compare(|player| {
        for (level, strategy) in [(10, 0), (-2, 0), (6, 5), (6, -1)] {
            let gz = player.open("before", "w").unwrap();
            player.note(format!("{} {} {}", gz.set_params(level, strategy), gz.write(b"abc"), gz.state()));
            player.note(format!("{}", gz.close()));
            let gz = player.open("after", "w").unwrap();
            player.note(format!("{} {}", gz.write(b"abc"), gz.set_params(level, strategy)));
            player.note(format!("{} {} {}", gz.write(b"def"), gz.state(), gz.close()));
            player.note(format!("{:?}", gunzip(&player.scratch.path("after"))));
        }
    });
}

#[test]
fn a_formatted_string_is_shorter_than_the_buffer() {
    for size in [None, Some(8), Some(100), Some(20_000)] {
        let limit = size.unwrap_or(8192) as usize;
        compare(|player| {
            let gz = player.open("file", "wb").unwrap();
            if let Some(size) = size {
                gz.buffer(size);
            }
            for length in [1, limit - 1, 0, limit, limit + 1, limit - 1, 3 * limit, 5, limit / 2, limit - 2] {
                let string = "x".repeat(length);
                player.note(format!("{length}: {} {}", gz.printf(&string), gz.state()));
            }
            player.note(format!("{}", gz.close()));
            player.note(format!("{}", gunzip(&player.scratch.path("file")).len()));
        });
    }
}

#[test]
fn formatted_arguments_of_all_kinds_are_written() {
    compare(|player| {
        let gz = player.open("file", "wb").unwrap();
        // SAFETY: the arguments match the format.
        let length = unsafe {
            (gz.api.gzprintf)(
                gz.file,
                c"%d %s %.3f %c %ld %x %g %5d|%-5d| %llu %e %d %d %f %f %f %f %f %f %f %s\n".as_ptr(),
                -7,
                c"string".as_ptr(),
                2.625f64,
                i32::from(b'c'),
                1i64 << 40,
                255,
                0.5f64,
                42,
                43,
                u64::MAX,
                1e100f64,
                1,
                2,
                1.0f64,
                2.0f64,
                3.0f64,
                4.0f64,
                5.0f64,
                6.0f64,
                7.0f64,
                c"end".as_ptr(),
            )
        };
        player.note(format!("{length} {}", gz.close()));
        player.note(String::from_utf8(gunzip(&player.scratch.path("file"))).unwrap());
    });
}

#[test]
fn a_full_disk_is_reported_as_zlib_reports_it() {
    let noise = noise(2_000_000);
    let full = std::path::Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    compare(|player| {
        for mode in ["w", "wT"] {
            let gz = Gz::open(player.api, full, mode).unwrap();
            player.note(format!("{} {}", gz.write(b"abc"), gz.flush(2)));
            player.note(format!("errno {} {:?}", errno(), gz.error()));
            player.note(format!(
                "{} {} {} {}",
                gz.write(b"abc"),
                gz.putc(1),
                gz.puts("abc"),
                gz.printf("abc")
            ));
            player.note(format!("{} {}", gz.flush(2), gz.seek(1000, 1)));
            player.note(format!("{} errno {}", gz.close(), errno()));
            let gz = Gz::open(player.api, full, mode).unwrap();
            // Several chunks may be in flight when the call returns; then gzclose reports the error.
            let taken = gz.write(&noise);
            assert!(taken == 0 || taken == noise.len() as i32, "{taken}");
            player.note(format!("{} errno {}", gz.close(), errno()));
            let gz = Gz::open(player.api, full, mode).unwrap();
            player.note(format!("{} {}", gz.write(b"abc"), gz.close()));
        }
    });
}

#[test]
fn a_request_that_does_not_fit_an_int_is_an_error() {
    compare(|player| {
        let gz = player.open("file", "w").unwrap();
        // SAFETY: a refused request accesses no memory.
        let written = unsafe { (gz.api.gzwrite)(gz.file, c"a".as_ptr().cast(), u32::MAX) };
        player.note(format!("{written} {}", gz.state()));
        gz.clear_error();
        // SAFETY: as above.
        let written = unsafe { (gz.api.gzfwrite)(c"a".as_ptr().cast(), usize::MAX, 3, gz.file) };
        player.note(format!("{written} {} {}", gz.state(), gz.write(b"abc")));
        gz.clear_error();
        player.note(format!("{} {}", gz.write(b"abc"), gz.close()));
        player.note(format!("{:?}", gunzip(&player.scratch.path("file"))));
    });
}

/// New in zlib 1.3.2: in older versions the first stall was a permanent error.
#[test]
fn a_nonblocking_pipe_finally_gets_everything() {
    let noise = noise(400_000);
    for (mode, size) in [("wN", 1000), ("wN", 50_000), ("wTN", 1000), ("wTN", 50_000), ("w0N", 400_000)] {
        let api = Api::ours();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let fd = std::os::fd::OwnedFd::from(writer);
        let gz = Gz::adopt(&api, fd.into_raw_fd(), mode).unwrap();
        let mut drained = Vec::new();
        let mut stalls = 0;
        let mut drain = |drained: &mut Vec<u8>| {
            use std::io::Read;
            let mut piece = vec![0; 30_000];
            let got = reader.read(&mut piece).unwrap();
            drained.extend_from_slice(&piece[..got]);
        };
        let mut rest = &noise[..];
        while !rest.is_empty() {
            let taken = gz.write(&rest[..rest.len().min(size)]);
            rest = &rest[taken as usize..];
            if gz.error().0 != 0 {
                assert_eq!((gz.error().0, errno()), (-1, libc::EAGAIN));
                stalls += 1;
                drain(&mut drained);
            }
        }
        while gz.flush(4) != 0 {
            assert_eq!(errno(), libc::EAGAIN);
            stalls += 1;
            drain(&mut drained);
        }
        let total = gz.tell();
        assert_eq!((total, gz.close()), (noise.len() as i64, 0), "{mode} by {size}");
        assert!(stalls > 2, "{mode} by {size}: the pipe was never full");
        std::io::Read::read_to_end(&mut reader, &mut drained).unwrap();
        let player = Player::new(&api);
        let path = player.create_file("drained", &drained);
        assert!(gunzip(&path) == noise, "{mode} by {size}: the data read differs");
    }
}

#[test]
fn a_formatted_string_that_does_not_fit_must_be_written_again() {
    let api = Api::ours();
    let (reader, writer) = std::io::pipe().unwrap();
    let gz = Gz::adopt(&api, std::os::fd::OwnedFd::from(writer).into_raw_fd(), "wTN").unwrap();
    assert_eq!(gz.buffer(100), 0);
    let string = "y".repeat(70);
    let mut taken = 0;
    // A pipe holds 64 KiB by default.
    let stalled = (0..5000).find_map(|_| {
        let length = gz.printf(&string);
        taken += length.max(0);
        (length < 0).then_some(length)
    });
    assert_eq!(stalled, Some(-5));
    assert_eq!(gz.error(), (-5, "PATH: stalled write on gzprintf".to_owned()));
    let mut room = [0; 40_000];
    // SAFETY: the descriptor is open and the buffer writable.
    let drained = unsafe { libc::read(reader.as_raw_fd(), room.as_mut_ptr().cast(), room.len()) };
    assert_eq!(gz.printf(&string), 70);
    taken += 70;
    assert_eq!((gz.flush(2), gz.tell(), gz.close()), (0, i64::from(taken), 0));
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut { reader }, &mut rest).unwrap();
    assert_eq!(drained as usize + rest.len(), taken as usize);
}
