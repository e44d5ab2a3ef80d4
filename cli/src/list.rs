//! `-l`: sizes, ratio and name of compressed files, in gzip's columns or as JSON.
//!
//! As in gzip since 1.12, each file is decoded to find its decompressed size: a gzip trailer has only the size of its own member,
//! modulo 2^32.

#![forbid(unsafe_code)]

use crate::options::Options;
use crate::say::json_line;
use crate::transfer::Totals;
use serde_json::json;

/// The values that are known before a file is decoded.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The input's name for messages.
    pub(crate) file: String,
    /// The name of the decompressed file.
    pub(crate) name: String,
    /// The modification time in seconds since 1970-01-01 UTC: that of the header, unless it has none or the options ignore it, else
    /// the file's. `None` if the input is not a regular file.
    pub(crate) time: Option<i64>,
    /// `gzip`, `zlib` or `zip`.
    pub(crate) format: &'static str,
}

/// Prints the list, a line for each file as it is added, and sums the sizes.
#[derive(Debug)]
pub(crate) struct List {
    is_verbose: bool,
    is_json: bool,
    /// Whether the heading and the totals are printed, too. JSON never has them.
    has_heading: bool,
    has_totals: bool,
    files: u64,
    sum: Totals,
}

impl List {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            is_verbose: options.verbose,
            is_json: options.json,
            has_heading: !options.quiet,
            has_totals: !options.quiet && options.files.len() > 1,
            files: 0,
            sum: Totals::default(),
        }
    }

    /// Prints a file's line. `crc` is the CRC-32 of the decompressed data, if it was computed.
    pub(crate) fn add(&mut self, entry: &Entry, totals: Totals, crc: Option<u32>) {
        self.files += 1;
        self.sum.bytes_in += totals.bytes_in;
        self.sum.bytes_out += totals.bytes_out;
        // As in gzip, the ratio of the totals excludes the last file's header and trailer only.
        self.sum.wrap_len = totals.wrap_len;
        if self.is_json {
            let line = json!({
                "file": entry.file,
                "name": entry.name,
                "format": entry.format,
                "compressed": totals.bytes_in,
                "uncompressed": totals.bytes_out,
                "ratio_percent": percent(false, totals),
                "crc32": crc.map(|crc| format!("{crc:08x}")),
                "time": entry.time,
            });
            say!("{}", json_line(&line));
            return;
        }
        if self.files == 1 && self.has_heading {
            let verbose = if self.is_verbose { "method  crc     date  time  " } else { "" };
            say!("{verbose}         compressed        uncompressed  ratio uncompressed_name");
        }
        let mut verbose = String::new();
        if self.is_verbose {
            let time = entry.time.map_or_else(|| " ".repeat(12), local_time);
            // "defla" is gzip's name for DEFLATE.
            verbose = format!("defla {:08x} {time} ", crc.unwrap_or_default());
        }
        say!(
            "{verbose}{:>19} {:>19} {} {}",
            totals.bytes_in,
            totals.bytes_out,
            ratio(false, totals),
            entry.name
        );
    }

    /// Prints the totals, as in gzip if the command line has more than one FILE and there is plain data.
    pub(crate) fn close(&self) {
        let sum = self.sum;
        if self.has_totals && sum.bytes_out > 0 && !self.is_json {
            let verbose = if self.is_verbose { " ".repeat(28) } else { String::new() };
            say!("{verbose}{:>19} {:>19} {} (totals)", sum.bytes_in, sum.bytes_out, ratio(false, sum));
        }
    }
}

/// By how many percent the compressed data is smaller than the plain data; negative if it is larger, 0 if there is no plain data. As
/// in gzip, the header and trailer of the first member do not count. `is_compression`: `bytes_in` counts the plain data, else
/// `bytes_out` does.
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

/// The percentage as text, at least six columns wide.
pub(crate) fn ratio(is_compression: bool, totals: Totals) -> String {
    format!("{:5.1}%", percent(is_compression, totals))
}

/// A time as in gzip's list, `Nov 22 14:56`, in the user's time zone.
fn local_time(seconds: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (month, day, hour, minute) = crate::clock::local(seconds);
    let month = MONTHS.get(month).copied().unwrap_or("???");
    format!("{month} {day:2} {hour:02}:{minute:02}")
}
