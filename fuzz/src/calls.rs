//! Runs the testers of `tests/sequences`. Bytes of the fuzzer's input, the *script*, make their choices.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::random::Rng;
use crate::run::{Setup, Trace, Verdict, judge_path};
use crate::streams::Compressed;
use crate::zlib::Zlib;
use crate::{gz_read, gz_write, linked, split};

/// The dictionary for every hostile stream. Both libraries must reject it for a stream that needs another.
pub const DICTIONARY: &[u8] =
    b"the stream of window and chunk a to member in literal is match that offset block";

/// The decoded length that the testers assume for a hostile stream.
const ASSUMED_LEN: usize = 3000;

/// Window bits that a hostile stream may have been written with.
const WINDOW_BITS: [i32; 8] = [15, 31, -15, 15, 31, -15, 9, -9];

/// Returns the first byte of a script that chooses `window_bits` from [`WINDOW_BITS`].
pub fn script_for(window_bits: i32) -> u8 {
    WINDOW_BITS.iter().position(|&bits| bits == window_bits).expect("one of WINDOW_BITS") as u8
}

/// Returns both libraries. The length from which threads are used, and the chunks, are so small that ordinary inputs reach its edge cases.
pub(crate) fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        for (name, value) in [("RIGZ_THRESHOLD", "65536"), ("RIGZ_CHUNK", "32768"), ("RIGZ_THREADS", "3")] {
            // SAFETY: no input has run yet, so this is the only thread.
            unsafe { std::env::set_var(name, value) };
        }
        assert!(!linked::is_visible(), "the system's zlib could call our functions instead of its own");
        let judge = Zlib::open(&judge_path()).expect("the system has a libz.so.1");
        assert!(!judge.is_rigz, "the judge must be the system's zlib");
        let ours = Zlib::of(linked::symbol).expect("every function is linked in");
        assert!(ours.is_rigz, "the tested library must be rigz");
        Setup { judge, ours, large_every: 0, ours_is_zlib: false, folder: folder() }
    })
}

/// Makes a temporary folder for this process, in /dev/shm if it exists. It is removed at exit.
fn folder() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    let parent = if shared.is_dir() { shared } else { std::env::temp_dir() };
    let folder = parent.join(format!("rigz-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    static AT_EXIT: OnceLock<PathBuf> = OnceLock::new();
    AT_EXIT.get_or_init(|| folder.clone());
    extern "C" fn remove() {
        if let Some(folder) = AT_EXIT.get() {
            // A leftover temporary folder is harmless.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
    // SAFETY: `remove` uses nothing that is destroyed before exit handlers run.
    unsafe { libc::atexit(remove) };
    folder
}

/// Runs a tester. If it fails, runs it again with the trace on, and panics with the verdict and the calls.
pub(crate) fn run_tester(run: impl Fn(&mut Trace) -> Verdict) {
    if let Err(message) = run(&mut Trace::off()) {
        let mut trace = Trace::on();
        let second = run(&mut trace);
        panic!("{message}\n{}second run: {second:?}", trace.shortened());
    }
}

fn made(content: &[u8], rng: &mut Rng) -> Compressed {
    let window_bits = rng.pick(&WINDOW_BITS);
    Compressed {
        bytes: content.to_vec(),
        window_bits,
        dictionary: DICTIONARY.to_vec(),
        input_len: ASSUMED_LEN,
    }
}

/// Content: a compressed stream. Script: window bits, then the calls.
pub fn inflate(input: &[u8]) {
    let (content, script) = split(input);
    run_tester(|trace| {
        let mut rng = Rng::scripted(script);
        let made = made(content, &mut rng);
        crate::inflate::sequence(setup(), &made, &mut rng, trace)
    });
}

/// Content: a raw stream. Script: window bits, then the sizes that the callbacks pass.
pub fn inflate_back(input: &[u8]) {
    let (content, script) = split(input);
    run_tester(|trace| {
        let mut rng = Rng::scripted(script);
        let made = made(content, &mut rng);
        crate::inflate_back::inflate_back(setup(), &made, &mut rng, trace)
    });
}

/// The whole input is the script.
pub fn deflate(input: &[u8]) {
    run_tester(|trace| crate::deflate::all_but_large(setup(), &mut Rng::scripted(input), trace));
}

/// Content: a file to read. Script: whether to read it or write another file, then the calls.
pub fn gz(input: &[u8]) {
    let (content, script) = split(input);
    run_tester(|trace| {
        let mut rng = Rng::scripted(script);
        match rng.below(4) {
            0 => gz_write::run(setup(), 100_000, &mut rng, trace),
            _ => gz_read::read(setup(), content, "hostile", &mut rng, trace),
        }
    });
}
