//! Reading from descriptors: pipes, non-blocking reads, failing reads, and reads that a signal interrupts.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

use crate::api::{Api, Gz, compare};
use crate::reading::digest;
use crate::{gzip, text};

fn pipe() -> (OwnedFd, OwnedFd) {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader.into(), writer.into())
}

fn send(pipe: &OwnedFd, bytes: &[u8]) {
    // SAFETY: the descriptor is open and the bytes readable.
    let sent = unsafe { libc::write(pipe.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    assert_eq!(sent, bytes.len() as isize);
}

#[test]
fn a_pipe_is_read_to_its_end_and_cannot_seek_back() {
    let data = text(30_000);
    let member = gzip(&data);
    compare(|player| {
        let (reader, writer) = pipe();
        let gz = Gz::adopt(player.api, reader.into_raw_fd(), "rb").unwrap();
        send(&writer, &member);
        drop(writer);
        player.note(format!("{:?} {}", gz.read(100), gz.state()));
        player.note(format!("{} {}", gz.seek(5000, libc::SEEK_SET), gz.seek(10, libc::SEEK_SET)));
        player.note(format!("{} {}", gz.rewind(), gz.state()));
        player.note(format!("{:?} {}", digest(&gz.read_all(1000).1), gz.state()));
        // SAFETY: the file is open.
        player.note(format!("{}", unsafe { (gz.api.gzoffset)(gz.file) }));
        player.note(format!("{}", gz.close()));
    });
}

#[test]
fn opening_a_descriptor_reads_nothing_and_a_refusal_leaves_it_open() {
    compare(|player| {
        let (reader, writer) = pipe();
        let fd = reader.as_raw_fd();
        // Nothing was sent and the writer is open, so a read would never return.
        player.note(format!("{}", Gz::adopt(player.api, fd, "r+").is_some()));
        player.note(format!("{}", Gz::adopt(player.api, fd, "b").is_some()));
        player.note(format!("{}", Gz::adopt(player.api, -1, "r").is_some()));
        let gz = Gz::adopt(player.api, reader.into_raw_fd(), "r").unwrap();
        player.note(format!("{} {}", gz.state(), gz.buffer(100)));
        send(&writer, &gzip(b"abc")[..15]);
        drop(writer);
        player.note(format!("{:?} {}", gz.read(10), gz.state()));
        player.note(format!("{}", gz.close()));
        // SAFETY: `fcntl` takes any number.
        player.note(format!("closed {}", unsafe { libc::fcntl(fd, libc::F_GETFD) } == -1));
    });
}

/// New in zlib 1.3.2: in older versions the first stall was a permanent error.
#[test]
fn a_nonblocking_pipe_is_read_byte_by_byte() {
    let data = text(4000);
    let member = [gzip(&data), gzip(&data)].concat();
    let api = Api::ours();
    let (reader, writer) = pipe();
    let gz = Gz::adopt(&api, reader.into_raw_fd(), "rN").unwrap();
    let mut got = Vec::new();
    let mut stalls = 0;
    for byte in &member {
        send(&writer, std::slice::from_ref(byte));
        loop {
            let (count, bytes) = gz.read(500);
            // SAFETY: this thread's `errno`.
            let errno = unsafe { *libc::__errno_location() };
            if count <= 0 {
                assert_eq!((count, errno), (-1, libc::EAGAIN), "a stall is not the end");
                assert_eq!((gz.error().0, gz.eof()), (-1, 0));
                stalls += 1;
                break;
            }
            got.extend_from_slice(&bytes);
        }
    }
    assert_eq!(stalls, member.len());
    drop(writer);
    assert_eq!(gz.read(500).0, 0);
    assert_eq!((gz.eof(), gz.error().0), (1, 0));
    assert_eq!(got, [&data[..], &data].concat());
    assert_eq!(gz.close(), 0);
}

#[test]
fn a_stall_keeps_a_partial_line_and_a_pending_seek() {
    let api = Api::ours();
    let (reader, writer) = pipe();
    let gz = Gz::adopt(&api, reader.into_raw_fd(), "rN").unwrap();
    assert_eq!((gz.gets(100), gz.error().0), (None, -1));
    assert_eq!(gz.direct(), 1, "nothing is known yet");
    assert_eq!(gz.getc(), -1);
    send(&writer, b"plain te");
    assert_eq!(gz.gets(100), Some(b"plain te".to_vec()));
    assert_eq!((gz.gets(100), gz.eof()), (None, 0));
    send(&writer, b"xt\nmore");
    assert_eq!(gz.gets(100), Some(b"xt\n".to_vec()));
    assert_eq!(gz.getc_macro(), i32::from(b'm'));
    drop(writer);
    assert_eq!(gz.gets(100), Some(b"ore".to_vec()));
    assert_eq!((gz.gets(100), gz.eof(), gz.error().0), (None, 1, 0));
    assert_eq!(gz.close(), 0);

    let (reader, writer) = pipe();
    let gz = Gz::adopt(&api, reader.into_raw_fd(), "rN").unwrap();
    let member = gzip(&text(5000));
    assert_eq!(gz.seek(1000, libc::SEEK_CUR), 1000);
    assert_eq!((gz.read(10).0, gz.tell()), (-1, 1000));
    send(&writer, &member[..50]);
    assert_eq!((gz.read(10).0, gz.tell()), (-1, 1000));
    send(&writer, &member[50..]);
    assert_eq!(gz.read(10).1, text(5000)[1000..1010]);
    assert_eq!(gz.close(), 0);
}

#[test]
fn a_failed_read_is_reported_with_the_systems_message() {
    compare(|player| {
        let directory = player.scratch.path("directory");
        std::fs::create_dir(directory).unwrap();
        let gz = player.open("directory", "rb").unwrap();
        player.note(format!("{:?}", gz.read(10)));
        // SAFETY: this thread's `errno`.
        player.note(format!("errno {}", unsafe { *libc::__errno_location() }));
        player.note(format!("{} {}", gz.state(), gz.close()));
    });
}

/// Sends this thread a signal in 50 ms, which makes a waiting system call fail with `EINTR`.
fn interrupt_soon() -> std::thread::JoinHandle<()> {
    extern "C" fn ignore(_: c_int) {}
    // SAFETY: an empty handler, without `SA_RESTART`; all zeros is a valid `sigaction`.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(c_int) as usize;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut());
    }
    // SAFETY: always allowed.
    let this = unsafe { libc::pthread_self() };
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        // SAFETY: the thread waits for this one.
        unsafe { libc::pthread_kill(this, libc::SIGUSR1) };
    })
}

#[test]
fn a_signal_interrupts_a_waiting_read() {
    compare(|player| {
        let (reader, writer) = pipe();
        let gz = Gz::adopt(player.api, reader.into_raw_fd(), "r").unwrap();
        let interruption = interrupt_soon();
        player.note(format!("{:?}", gz.read(10)));
        interruption.join().unwrap();
        player.note(format!("{:?} {:?}", gz.error(), gz.read(1)));
        send(&writer, &gzip(b"abc"));
        drop(writer);
        gz.clear_error();
        player.note(format!("{:?} {} {}", gz.read(10), gz.state(), gz.close()));
    });
}

/// zlib loses what it had read before the signal.
#[test]
fn a_signal_loses_nothing() {
    let api = Api::ours();
    let member = gzip(b"abc");
    let (reader, writer) = pipe();
    let gz = Gz::adopt(&api, reader.into_raw_fd(), "r").unwrap();
    send(&writer, &member[..15]);
    let interruption = interrupt_soon();
    let (got, bytes) = gz.read(10);
    interruption.join().unwrap();
    assert_eq!((gz.error().0, gz.eof()), (-1, 0));
    send(&writer, &member[15..]);
    drop(writer);
    gz.clear_error();
    let (last, rest) = gz.read_all(10);
    assert_eq!(([bytes, rest].concat(), last), (b"abc".to_vec(), 0), "after {got}");
    assert_eq!(gz.close(), 0);
}
