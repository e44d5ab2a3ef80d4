//! `RIGZ_TRACE`: a timeline of streams, chunks, threads and waits, as Trace Event Format (JSON), which
//! Perfetto and Chrome open.
//!
//! Each event is one line. It is appended by one `write` to a file that is opened for this event only, so
//! that the host has no descriptor, lock or buffer of ours between two events, and the events of
//! several threads, processes and forked children do not mix. A chunk takes a millisecond or more,
//! so three system calls for it cost little. Without the switch an event costs one check of a flag.
//!
//! The file begins with `[` and every event ends with a comma: the format allows the closing bracket
//! to be missing. After the file has reached [`MOST_BYTES`], further events are dropped.

#![forbid(unsafe_code)]

use crate::config::config;
use crate::raw::process::{monotonic, program_name, thread_id};
use crate::raw::report;
use core::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The maximum length of the file, about half a million events: viewers can still open it.
pub const MOST_BYTES: u64 = 64 << 20;

/// Shorter calls and waits are omitted: there may be one for every few bytes.
const LEAST_TIME: Duration = Duration::from_micros(50);

/// Size of the buffer for one `append`: two events of a stream with three arguments each, and a name.
const LINE_BYTES: usize = 1024;

/// Whether tracing is enabled.
pub(crate) fn is_on() -> bool {
    config().trace.is_some()
}

/// A span of time on the calling thread. Its event is written when it is dropped.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub(crate) struct Span {
    name: &'static str,
    /// None if tracing is disabled.
    began: Option<Duration>,
    least: Duration,
    arguments: Arguments,
}

/// Names and numbers that a viewer shows with an event.
pub(crate) type Arguments = [Option<(&'static str, u64)>; 3];

impl Span {
    /// Begins work that is always recorded.
    pub(crate) fn work(name: &'static str) -> Self {
        let began = is_on().then(monotonic);
        Self { name, began, least: Duration::ZERO, arguments: [None; 3] }
    }

    /// Begins a call or a wait, which is recorded only if it takes at least `LEAST_TIME`.
    pub(crate) fn call(name: &'static str) -> Self {
        Self { least: LEAST_TIME, ..Self::work(name) }
    }

    /// Adds an argument, if fewer than three were added.
    pub(crate) fn note(&mut self, name: &'static str, value: u64) {
        if let Some(place) = self.arguments.iter_mut().find(|place| place.is_none()) {
            *place = Some((name, value));
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(began) = self.began else { return };
        let took = monotonic().saturating_sub(began);
        if took >= self.least {
            let name = self.name;
            append(|line| {
                begin(line, "X", name, began)?;
                write!(line, ",\"dur\":{}", Micros(took))?;
                end(line, &self.arguments)
            });
        }
    }
}

/// Writes the begin and end events of a stream that began at `began` and ends now. Each stream has its
/// own track, since the streams of one thread may overlap without nesting.
pub(crate) fn stream(name: &'static str, began: Duration, arguments: &Arguments) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    if !is_on() {
        return;
    }
    let id = COUNT.fetch_add(1, Ordering::Relaxed);
    append(|line| {
        for (phase, time) in [("b", began), ("e", monotonic())] {
            begin(line, phase, name, time)?;
            write!(line, ",\"id2\":{{\"local\":\"{id:#x}\"}}")?;
            end(line, arguments)?;
        }
        Ok(())
    });
}

/// Names the calling thread, a worker of ours.
pub(crate) fn worker() {
    if is_on() {
        append(|line| name(line, "thread_name", "rigz worker"));
    }
}

/// Microseconds with three decimals, the unit of the format.
struct Micros(Duration);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.as_nanos();
        write!(f, "{}.{:03}", nanoseconds / 1000, nanoseconds % 1000)
    }
}

fn begin(line: &mut Line, phase: &str, name: &str, time: Duration) -> fmt::Result {
    let (process, thread) = (std::process::id(), thread_id());
    write!(
        line,
        "{{\"name\":\"{name}\",\"cat\":\"rigz\",\"ph\":\"{phase}\",\"ts\":{},\"pid\":{process},\"tid\":{thread}",
        Micros(time)
    )
}

fn end(line: &mut Line, arguments: &Arguments) -> fmt::Result {
    line.write_str(",\"args\":{")?;
    for (index, (name, value)) in arguments.iter().flatten().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(line, "{comma}\"{name}\":{value}")?;
    }
    line.write_str("}},\n")
}

/// The event that sets a process's or thread's name in the viewer.
fn name(line: &mut Line, what: &str, name: &str) -> fmt::Result {
    let (process, thread) = (std::process::id(), thread_id());
    writeln!(
        line,
        "{{\"name\":\"{what}\",\"ph\":\"M\",\"pid\":{process},\"tid\":{thread},\"args\":{{\"name\":\"{name}\"}}}},"
    )
}

/// A text buffer of fixed size, since allocation may fail. Text that does not fit is an error.
struct Line {
    bytes: [u8; LINE_BYTES],
    len: usize,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// Appends the text that `write` writes, after this process's name if that is not in the file yet. An
/// event that cannot be written is lost: the trace must not affect the host.
fn append(write: impl FnOnce(&mut Line) -> fmt::Result) {
    /// The process whose name was written last: a forked child writes its own.
    static NAMED: AtomicU32 = AtomicU32::new(0);
    let Some(path) = &config().trace else { return };
    let mut line = Line { bytes: [0; LINE_BYTES], len: 0 };
    let this = std::process::id();
    if NAMED.swap(this, Ordering::Relaxed) != this {
        let program = program_name();
        _ = name(&mut line, "process_name", if is_plain(program) { program } else { "?" });
    }
    if write(&mut line).is_err() {
        return;
    }
    report::append_to_list(path, &line.bytes[..line.len], b"[\n", MOST_BYTES);
}

/// Whether a program's name needs no escaping in JSON.
pub(crate) fn is_plain(name: &str) -> bool {
    name.len() <= 64 && name.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_of_json() {
        let mut line = Line { bytes: [0; LINE_BYTES], len: 0 };
        begin(&mut line, "X", "chunk", Duration::from_nanos(1_234_567)).expect("it fits");
        end(&mut line, &[Some(("level", 9)), None, Some(("bytes", 7))]).expect("it fits");
        let text = std::str::from_utf8(&line.bytes[..line.len]).expect("text");
        assert!(
            text.starts_with("{\"name\":\"chunk\",\"cat\":\"rigz\",\"ph\":\"X\",\"ts\":1234.567,\"pid\":")
        );
        assert!(text.ends_with(",\"args\":{\"level\":9,\"bytes\":7}},\n"), "{text}");
        assert!(line.write_str(&"x".repeat(LINE_BYTES)).is_err());
    }

    #[test]
    fn a_new_file_begins_with_a_bracket_whichever_thread_makes_it() {
        let path = std::env::temp_dir().join(format!("rigz-trace-{}", std::process::id()));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        report::append_to_list(&path, b"{},\n", b"[\n", 1 << 20);
                    }
                });
            }
        });
        let text = std::fs::read_to_string(&path).expect("one of the threads made it");
        _ = std::fs::remove_file(&path);
        assert!(text.starts_with("[\n{},\n") && text.matches('[').count() == 1);
    }
}
