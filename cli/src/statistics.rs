//! The sum of what a program's streams did, from the lines that the library writes for `RIGZ_STATS`.
//!
//! Engine seconds are the time that calls of `deflate()` and `inflate()` took their callers, of all streams; CPU seconds are the
//! whole program's. What the same work would have taken without us is not known, and not guessed.

#![forbid(unsafe_code)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{self, BufRead};

/// What the streams of one kind did.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    streams: u64,
    bytes_in: u64,
    bytes_out: u64,
    chunks: u64,
    by_workers: u64,
    threads: u64,
    seconds: f64,
}

/// The sums, by operation and engine.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    sums: BTreeMap<(String, String), Sum>,
    /// Bytes that other threads decoded ahead of a file's reader; they are counted by its `inflate` too.
    read_ahead: u64,
    /// Lines that are none of the library's.
    foreign: u64,
}

impl Summary {
    /// Adds up all lines.
    pub(crate) fn read(lines: impl BufRead) -> io::Result<Self> {
        let mut summary = Self::default();
        for line in lines.split(b'\n') {
            let line = line?;
            if !line.is_empty() {
                let value = serde_json::from_slice::<Value>(&line).ok();
                if value.and_then(|value| summary.add(&value)).is_none() {
                    summary.foreign += 1;
                }
            }
        }
        Ok(summary)
    }

    fn add(&mut self, line: &Value) -> Option<()> {
        let text = |name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| line.get(name).and_then(Value::as_u64);
        let key = (text("operation")?, text("engine")?);
        // Lines without bytes of their own tell how the work of another line was done.
        self.read_ahead += number("bytes_ahead").unwrap_or(0);
        let (Some(bytes_in), Some(bytes_out)) = (number("bytes_in"), number("bytes_out")) else {
            return Some(());
        };
        let sum = self.sums.entry(key).or_default();
        sum.streams += 1;
        sum.bytes_in += bytes_in;
        sum.bytes_out += bytes_out;
        sum.chunks += number("chunks").unwrap_or(0);
        sum.by_workers += number("chunks_by_workers").unwrap_or(0);
        sum.threads = sum.threads.max(number("threads").unwrap_or(1));
        sum.seconds += line.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
        Some(())
    }

    /// For a person.
    pub(crate) fn table(&self, wall: f64, cpu: f64) -> String {
        let mut table = String::new();
        if self.sums.is_empty() {
            table += "rigz: no stream went through rigz; `rigz check` tells whether the program can use it\n";
        } else {
            _ = writeln!(
                table,
                "{:<18} {:>8} {:>15} {:>15} {:>6} {:>8} {:>7} {:>10}",
                "rigz", "streams", "bytes in", "bytes out", "ratio", "chunks", "threads", "engine s"
            );
        }
        for ((operation, engine), sum) in &self.sums {
            _ = writeln!(
                table,
                "{:<18} {:>8} {:>15} {:>15} {:>5.1}% {:>8} {:>7} {:>10.3}",
                format!("{operation} {engine}"),
                sum.streams,
                sum.bytes_in,
                sum.bytes_out,
                sum.ratio(operation),
                sum.chunks,
                sum.threads,
                sum.seconds
            );
        }
        if self.read_ahead > 0 {
            _ = writeln!(
                table,
                "{} of the inflated bytes were decoded ahead by other threads",
                self.read_ahead
            );
        }
        if self.foreign > 0 {
            _ = writeln!(table, "{} lines of the statistics were not understood", self.foreign);
        }
        _ = writeln!(table, "the whole program: {wall:.3} s, CPU {cpu:.3} s");
        table
    }

    /// The same for a program.
    pub(crate) fn json(&self, wall: f64, cpu: f64) -> String {
        let sums: Vec<_> = self
            .sums
            .iter()
            .map(|((operation, engine), sum)| {
                json!({
                    "operation": operation,
                    "engine": engine,
                    "streams": sum.streams,
                    "bytes_in": sum.bytes_in,
                    "bytes_out": sum.bytes_out,
                    "ratio_percent": sum.ratio(operation),
                    "chunks": sum.chunks,
                    "chunks_by_workers": sum.by_workers,
                    "threads": sum.threads,
                    "engine_seconds": sum.seconds,
                })
            })
            .collect();
        json!({ "streams": sums, "bytes_read_ahead": self.read_ahead, "wall_seconds": wall, "cpu_seconds": cpu }).to_string()
    }
}

impl Sum {
    /// Compressed size in percent of the plain one.
    fn ratio(&self, operation: &str) -> f64 {
        let (plain, compressed) = match operation {
            "deflate" => (self.bytes_in, self.bytes_out),
            _ => (self.bytes_out, self.bytes_in),
        };
        compressed as f64 * 100.0 / plain.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_kind_are_added_and_foreign_ones_counted() {
        let lines = concat!(
            r#"{"operation":"deflate","engine":"parallel","bytes_in":100,"bytes_out":40,"chunks":3,"threads":2,"seconds":0.5}"#,
            "\n",
            r#"{"operation":"deflate","engine":"parallel","bytes_in":100,"bytes_out":10,"chunks":4,"threads":4,"seconds":0.25}"#,
            "\n",
            r#"{"operation":"inflate","engine":"serial","bytes_in":10,"bytes_out":100,"seconds":1}"#,
            "\nnothing\n",
            r#"{"operation":"gzread","engine":"parallel","bytes_ahead":70,"hits":5}"#,
        );
        let summary = Summary::read(lines.as_bytes()).expect("memory can be read");
        let sum: Value = serde_json::from_str(&summary.json(2.0, 3.0)).expect("it is JSON");
        assert_eq!(sum["streams"][0]["bytes_in"], 200);
        assert_eq!(sum["streams"][0]["ratio_percent"], 25.0);
        assert_eq!(sum["streams"][0]["chunks"], 7);
        assert_eq!(sum["streams"][0]["threads"], 4);
        assert_eq!(sum["streams"][0]["engine_seconds"], 0.75);
        assert_eq!(sum["streams"][1]["operation"], "inflate");
        assert_eq!(sum["cpu_seconds"], 3.0);
        assert_eq!(sum["bytes_read_ahead"], 70);
        assert_eq!(sum["streams"].as_array().map(Vec::len), Some(2));
        assert!(summary.table(2.0, 3.0).contains("1 lines of the statistics were not understood"));
    }
}
