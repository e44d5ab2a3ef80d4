//! `-l`: sizes, ratio and name of compressed files, in gzip's columns or as JSON.
//!
//! As in gzip since 1.12, each file is decoded to find its size: the trailer has it modulo 2^32 and for the last member only.

#![forbid(unsafe_code)]

use crate::options::Options;
use crate::transfer::Totals;
use serde_json::json;

/// The values that are known before a file is decoded.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) file: String,
    /// The name of the decompressed file.
    pub(crate) name: String,
    /// Seconds since 1970.
    pub(crate) time: Option<i64>,
    pub(crate) format: &'static str,
}

/// The list as it is printed, line by line.
#[derive(Debug)]
pub(crate) struct List {
    is_verbose: bool,
    is_json: bool,
    /// Headings and totals.
    is_framed: bool,
    lines: u64,
    sum: Totals,
}

impl List {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            is_verbose: options.verbose,
            is_json: options.json,
            is_framed: !options.quiet,
            lines: 0,
            sum: Totals::default(),
        }
    }

    pub(crate) fn add(&mut self, entry: &Entry, totals: Totals, check: Option<u32>) {
        self.lines += 1;
        self.sum.bytes_in += totals.bytes_in;
        self.sum.bytes_out += totals.bytes_out;
        self.sum.wrap_len += totals.wrap_len;
        if self.is_json {
            let line = json!({
                "file": entry.file,
                "name": entry.name,
                "format": entry.format,
                "compressed": totals.bytes_in,
                "uncompressed": totals.bytes_out,
                "ratio_percent": percent(false, totals),
                "crc32": check.map(|check| format!("{check:08x}")),
                "time": entry.time,
            });
            return say!("{line}");
        }
        if self.lines == 1 && self.is_framed {
            let more = if self.is_verbose { "method  crc     date  time  " } else { "" };
            say!("{more}         compressed        uncompressed  ratio uncompressed_name");
        }
        let mut more = String::new();
        if self.is_verbose {
            let time = entry.time.map_or_else(|| " ".repeat(12), local_time);
            more = format!("defla {:08x} {time} ", check.unwrap_or_default());
        }
        say!(
            "{more}{:>19} {:>19} {} {}",
            totals.bytes_in,
            totals.bytes_out,
            ratio(false, totals),
            entry.name
        );
    }

    /// The totals, if there was more than one file.
    pub(crate) fn close(&self) {
        if self.lines > 1 && self.is_framed && !self.is_json {
            let more = if self.is_verbose { " ".repeat(28) } else { String::new() };
            let sum = self.sum;
            say!("{more}{:>19} {:>19} {} (totals)", sum.bytes_in, sum.bytes_out, ratio(false, sum));
        }
    }
}

/// How much smaller the compressed data is, in percent, without headers and trailers, as in gzip.
pub(crate) fn percent(is_compression: bool, totals: Totals) -> f64 {
    let (plain, compressed) = match is_compression {
        true => (totals.bytes_in, totals.bytes_out),
        false => (totals.bytes_out, totals.bytes_in),
    };
    if plain == 0 {
        return 0.0;
    }
    (plain as f64 - (compressed as f64 - totals.wrap_len as f64)) * 100.0 / plain as f64
}

/// The same in six columns.
pub(crate) fn ratio(is_compression: bool, totals: Totals) -> String {
    format!("{:5.1}%", percent(is_compression, totals))
}

/// `Nov 22 14:56`, in local time.
fn local_time(seconds: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (month, day, hour, minute) = crate::clock::local(seconds);
    let month = MONTHS.get(month).copied().unwrap_or("???");
    format!("{month} {day:2} {hour:02}:{minute:02}")
}
