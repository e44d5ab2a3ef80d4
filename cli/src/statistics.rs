//! The sums over a program's streams, from the lines that the library writes for `RIGZ_STATS`.
//!
//! Engine seconds are the time that the callers of all streams spent in `deflate()`, `inflate()` and
//! `inflateBack()`; a stream's CPU seconds are those of its calls and of the workers that helped. The
//! time that the same work would have taken without rigz is not known, and not estimated.

#![forbid(unsafe_code)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::{self, BufRead};

/// The streams of a sum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    program: String,
    operation: String,
    engine: String,
}

/// The sum over the streams of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    streams: u64,
    bytes_in: u64,
    bytes_out: u64,
    chunks: u64,
    by_workers: u64,
    threads: u64,
    /// The lowest and the highest level.
    levels: Option<(u64, u64)>,
    seconds: f64,
    cpu: f64,
}

/// The sums of one run, of all programs that were started.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    sums: BTreeMap<Key, Sum>,
    /// Bytes that other threads decoded ahead of a file's reader; they are counted by its `inflate` too.
    read_ahead: u64,
    /// Lines that the library did not write.
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
        let seconds = |name: &str| line.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        let (program, operation, engine) =
            (text("program").unwrap_or("?".into()), text("operation")?, text("engine")?);
        if let Some(bytes) = number("bytes_ahead") {
            self.read_ahead += bytes;
            // Data that workers decoded belongs to the stream of the file's reader.
            let reader = Key { program, operation: "inflate".into(), engine: "serial".into() };
            self.sums.entry(reader).or_default().cpu += seconds("worker_seconds");
            return Some(());
        }
        let (Some(bytes_in), Some(bytes_out)) = (number("bytes_in"), number("bytes_out")) else {
            return Some(());
        };
        let sum = self.sums.entry(Key { program, operation, engine }).or_default();
        sum.streams += 1;
        sum.bytes_in += bytes_in;
        sum.bytes_out += bytes_out;
        sum.chunks += number("chunks").unwrap_or(0);
        sum.by_workers += number("chunks_by_workers").unwrap_or(0);
        sum.threads = sum.threads.max(number("threads").unwrap_or(1));
        sum.seconds += seconds("seconds");
        sum.cpu += seconds("cpu_seconds");
        if let Some(level) = number("level") {
            let (low, high) = sum.levels.unwrap_or((level, level));
            sum.levels = Some((low.min(level), high.max(level)));
        }
        Some(())
    }

    /// The sums that have streams.
    fn known(&self) -> impl Iterator<Item = (&Key, &Sum)> {
        self.sums.iter().filter(|(_, sum)| sum.streams > 0)
    }

    /// A sentence for each program and operation.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let sentence = |(key, sum): (&Key, &Sum)| {
            let (Key { program, operation, engine }, Sum { streams, bytes_in, bytes_out, .. }) = (key, sum);
            format!(
                "{program}: {streams} {operation} streams ({engine}), {bytes_in} bytes in, {bytes_out} out"
            )
        };
        self.known().map(sentence).collect()
    }

    /// The sums as a table for people.
    pub(crate) fn table(&self, wall: f64, cpu: f64) -> String {
        let mut table = String::new();
        if self.known().next().is_none() {
            table += "rigz: no stream used rigz; `rigz check` reports whether the program can use it\n";
        } else {
            _ = writeln!(
                table,
                "{:<16} {:<18} {:>5} {:>8} {:>15} {:>15} {:>6} {:>8} {:>7} {:>9} {:>9}",
                "rigz",
                "",
                "level",
                "streams",
                "bytes in",
                "bytes out",
                "ratio",
                "chunks",
                "threads",
                "engine s",
                "CPU s"
            );
        }
        for (key, sum) in self.known() {
            _ = writeln!(
                table,
                "{:<16} {:<18} {:>5} {:>8} {:>15} {:>15} {:>5.1}% {:>8} {:>7} {:>9.3} {:>9.3}",
                key.program,
                format!("{} {}", key.operation, key.engine),
                sum.levels(),
                sum.streams,
                sum.bytes_in,
                sum.bytes_out,
                sum.ratio(&key.operation),
                sum.chunks,
                sum.threads,
                sum.seconds,
                sum.cpu,
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
            _ = writeln!(table, "{} lines of the statistics could not be read", self.foreign);
        }
        _ = writeln!(table, "the whole program: {wall:.3} s, CPU {cpu:.3} s");
        table
    }

    /// The sums as JSON for programs.
    pub(crate) fn json(&self, wall: f64, cpu: f64) -> String {
        let sums: Vec<_> = self
            .known()
            .map(|(key, sum)| {
                json!({
                    "program": key.program,
                    "operation": key.operation,
                    "engine": key.engine,
                    "level": sum.levels.map(|(_, high)| high),
                    "streams": sum.streams,
                    "bytes_in": sum.bytes_in,
                    "bytes_out": sum.bytes_out,
                    "ratio_percent": sum.ratio(&key.operation),
                    "chunks": sum.chunks,
                    "chunks_by_workers": sum.by_workers,
                    "threads": sum.threads,
                    "engine_seconds": sum.seconds,
                    "cpu_seconds": sum.cpu,
                })
            })
            .collect();
        json!({
            "streams": sums,
            "bytes_read_ahead": self.read_ahead,
            "wall_seconds": wall,
            "cpu_seconds": cpu,
        })
        .to_string()
    }
}

impl Sum {
    /// Compressed bytes in percent of plain ones.
    fn ratio(&self, operation: &str) -> f64 {
        let (plain, compressed) = match operation {
            "deflate" => (self.bytes_in, self.bytes_out),
            _ => (self.bytes_out, self.bytes_in),
        };
        compressed as f64 * 100.0 / plain.max(1) as f64
    }

    fn levels(&self) -> String {
        match self.levels {
            None => String::new(),
            Some((low, high)) if low == high => low.to_string(),
            Some((low, high)) => format!("{low}-{high}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_kind_are_added_and_foreign_ones_counted() {
        let lines = concat!(
            r#"{"operation":"deflate","engine":"parallel","program":"a","level":9,"bytes_in":100,"bytes_out":40,"chunks":3,"threads":2,"seconds":0.5,"cpu_seconds":0.75}"#,
            "\n",
            r#"{"operation":"deflate","engine":"parallel","program":"a","level":1,"bytes_in":100,"bytes_out":10,"chunks":4,"threads":4,"seconds":0.25,"cpu_seconds":0.5}"#,
            "\n",
            r#"{"operation":"inflate","engine":"serial","program":"b","bytes_in":10,"bytes_out":100,"seconds":1}"#,
            "\nnothing\n",
            r#"{"operation":"gzread","engine":"parallel","program":"b","bytes_ahead":70,"hits":5}"#,
        );
        let summary = Summary::read(lines.as_bytes()).expect("memory can be read");
        let sum: Value = serde_json::from_str(&summary.json(2.0, 3.0)).expect("it is JSON");
        assert_eq!(sum["streams"][0]["bytes_in"], 200);
        assert_eq!(sum["streams"][0]["ratio_percent"], 25.0);
        assert_eq!(sum["streams"][0]["chunks"], 7);
        assert_eq!(sum["streams"][0]["threads"], 4);
        assert_eq!(sum["streams"][0]["engine_seconds"], 0.75);
        assert_eq!(sum["streams"][0]["cpu_seconds"], 1.25);
        assert_eq!(sum["streams"][0]["program"], "a");
        assert_eq!(sum["streams"][1]["operation"], "inflate");
        assert_eq!(sum["cpu_seconds"], 3.0);
        assert_eq!(sum["bytes_read_ahead"], 70);
        assert_eq!(sum["streams"].as_array().map(Vec::len), Some(2));
        let table = summary.table(2.0, 3.0);
        assert!(
            table.contains("1 lines of the statistics could not be read") && table.contains(" 1-9 "),
            "{table}"
        );
    }
}
