//! Tables for the terminal and for report.md.
//!
//! `long` returns one line per row with all figures. `summary` returns one table per operation with a column for each contender. The last
//! line of a table is the geometric mean of each contender's ratios to the reference, with the number of rows, because means over
//! different rows must not be compared.

use std::fmt::Write;

use crate::record::{Circumstances, Record};
use crate::run::{Row, uses_wall_time};

/// Returns one line for every row.
pub fn long(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut last = String::new();
    for row in rows {
        let heading = heading(row);
        if heading != last {
            let _ = writeln!(
                out,
                "\n{heading}\n  {:<16} {:>3} {:>28} {:>28} {:>8} {:>11} {:>7} {:>7} {:>7} {:>9} {:>4}",
                "",
                "thr",
                "CPU ms min/median/max",
                "wall ms min/median/max",
                "MB/s",
                "size",
                "%",
                "speed",
                "size",
                "peak KiB",
                "n"
            );
            last = heading;
        }
        let _ = match &row.fault {
            Some(fault) => writeln!(out, "  {:<16} {:>3} FAULT: {fault}", row.contender, row.threads),
            None => writeln!(
                out,
                "  {:<16} {:>3} {:>28} {:>28} {:>8.1} {:>11} {:>7} {:>7} {:>7} {:>9} {:>4}",
                row.contender,
                row.threads,
                spread(row.cpu_ms_min, row.cpu_ms, row.cpu_ms_max),
                spread(row.wall_ms_min, row.wall_ms, row.wall_ms_max),
                speed(row),
                optional(row.size, |n| n.to_string()),
                optional(row.percent, |p| format!("{p:.2}")),
                optional(row.speed_ratio, |r| format!("{r:.2}x")),
                optional(row.size_ratio, |r| format!("{r:.3}")),
                row.peak_kib,
                row.samples,
            ),
        };
    }
    out
}

fn heading(row: &Row) -> String {
    let level = optional(row.level, |l| format!(", level {l}"));
    let clock = if uses_wall_time(&row.section) { "wall" } else { "CPU" };
    format!(
        "{}: {} on {} ({:.1} MB){level}; MB/s and speed by {clock} time",
        row.section,
        row.op,
        row.corpus,
        row.corpus_bytes as f64 / 1e6
    )
}

fn speed(row: &Row) -> f64 {
    if uses_wall_time(&row.section) { row.mb_per_s } else { row.mb_per_cpu_s }
}

fn spread(min: f64, median: f64, max: f64) -> String {
    let digits = if median >= 100.0 { 1 } else { 3 };
    format!("{min:.digits$}/{median:.digits$}/{max:.digits$}")
}

fn optional<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map(show).unwrap_or_default()
}

/// Returns the whole report in Markdown.
pub fn markdown(record: &Record, pictures: &[String]) -> String {
    let Circumstances { date, commit, command, cpu, cpus, kernel, load_before, load_after } =
        &record.circumstances;
    let mut out = format!(
        "# Benchmark of {date}\n\nCommit {commit}; {cpu}, {cpus} CPUs; {kernel}; load {load_before:.2} before, \
         {load_after:.2} after.\nCommand: `{command}`\n\n"
    );
    for line in &record.missing {
        let _ = writeln!(out, "Missing: {line}");
    }
    out.push_str("\n| contender | version | file |\n|---|---|---|\n");
    let mut seen = Vec::new();
    for row in &record.rows {
        if !seen.contains(&&row.contender) && row.fault.is_none() {
            seen.push(&row.contender);
            let _ = writeln!(out, "| {} | {} | {} |", row.contender, row.version, row.file.display());
        }
    }
    out.push_str("\n| corpus | bytes | crc32 |\n|---|---|---|\n");
    for corpus in &record.corpora {
        let _ = writeln!(out, "| {} | {} | {:08x} |", corpus.name, corpus.bytes, corpus.crc32);
    }
    out.push_str(&summary(&record.rows));
    let faults: Vec<&Row> = record.rows.iter().filter(|row| row.fault.is_some()).collect();
    if !faults.is_empty() {
        out.push_str("\n## Faults\n\n");
        for row in faults {
            let _ = writeln!(
                out,
                "- {} {}: {}",
                row.contender,
                heading(row),
                optional(row.fault.as_ref(), |f| f.clone())
            );
        }
    }
    if !pictures.is_empty() {
        out.push_str("\n## Pictures\n\n");
        for picture in pictures {
            let _ = writeln!(out, "![{picture}]({picture})");
        }
    }
    out
}

/// Returns one table per section and operation.
pub fn summary(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut done: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        let table = (row.section.as_str(), row.op.as_str());
        if done.contains(&table) {
            continue;
        }
        if !done.iter().any(|(section, _)| *section == table.0) {
            let _ = write!(out, "\n## {}\n", capital(table.0));
        }
        done.push(table);
        let own: Vec<&Row> = rows
            .iter()
            .filter(|r| (r.section.as_str(), r.op.as_str()) == table && r.fault.is_none())
            .collect();
        if !own.is_empty() {
            one_table(&own, &mut out);
        }
    }
    out
}

/// Identifies a line of a table: corpus, its size, level.
type Line<'a> = (&'a str, u64, Option<i32>);

fn one_table(rows: &[&Row], out: &mut String) {
    let first = rows[0];
    let messages = first.us_per_message.is_some();
    let clock = if uses_wall_time(&first.section) { "wall" } else { "CPU" };
    let unit =
        if messages { "µs of CPU time per message".to_owned() } else { format!("MB/s by {clock} time") };
    let with_size = rows.iter().any(|row| row.percent.is_some());
    let _ = write!(
        out,
        "\n**{}**: {unit}{}\n\n",
        first.op,
        if with_size { ", compressed size in % of the input" } else { "" }
    );
    let mut columns: Vec<(String, &str, usize)> = Vec::new();
    let mut lines: Vec<(String, Line)> = Vec::new();
    for row in rows {
        if !columns.iter().any(|(_, name, threads)| *name == row.contender && *threads == row.threads) {
            let many =
                rows.iter().any(|other| other.contender == row.contender && other.threads != row.threads);
            let title =
                if many { format!("{} ×{}", row.contender, row.threads) } else { row.contender.clone() };
            columns.push((title, &row.contender, row.threads));
        }
        let key = (row.corpus.as_str(), row.corpus_bytes, row.level);
        if !lines.iter().any(|(_, k)| *k == key) {
            let level = optional(row.level, |l| format!(" -{l}"));
            lines.push((format!("{}{level}", row.corpus), key));
        }
    }
    let _ = writeln!(
        out,
        "| |{}|",
        columns.iter().map(|(title, ..)| format!(" {title} ")).collect::<Vec<_>>().join("|")
    );
    let _ = writeln!(out, "|---|{}", "---:|".repeat(columns.len()));
    for (title, key) in &lines {
        let _ = write!(out, "| {title} |");
        for (_, name, threads) in &columns {
            let found = rows.iter().find(|row| {
                (row.corpus.as_str(), row.corpus_bytes, row.level) == *key
                    && row.contender == *name
                    && row.threads == *threads
            });
            let _ = write!(out, " {} |", optional(found, |row| cell(row)));
        }
        out.push('\n');
    }
    let reference = rows.iter().map(|row| row.reference.as_str()).find(|name| !name.is_empty());
    if let Some(reference) = reference {
        let _ = write!(out, "| *mean ratio to {reference}* |");
        for (_, name, threads) in &columns {
            let own: Vec<&&Row> =
                rows.iter().filter(|row| row.contender == *name && row.threads == *threads).collect();
            let speed = geometric_mean(own.iter().filter_map(|row| row.speed_ratio));
            let size = geometric_mean(own.iter().filter_map(|row| row.size_ratio));
            let _ = write!(
                out,
                " {}{} |",
                optional(speed, |(mean, n)| format!("*{mean:.2}x of {n}*")),
                optional(size, |(mean, _)| format!(", *{mean:.3}*"))
            );
        }
        out.push('\n');
    }
}

fn cell(row: &Row) -> String {
    let figure = match row.us_per_message {
        Some(us) => format!("{us:.2}"),
        None if speed(row) >= 100.0 => format!("{:.0}", speed(row)),
        None => format!("{:.1}", speed(row)),
    };
    match row.percent {
        Some(percent) => format!("{figure}, {percent:.2} %"),
        None => figure,
    }
}

/// Returns the mean of the positive figures, and how many there are.
pub fn geometric_mean(figures: impl Iterator<Item = f64>) -> Option<(f64, usize)> {
    let (sum, n) = figures.filter(|&f| f > 0.0).fold((0.0, 0), |(sum, n), f| (sum + f.ln(), n + 1));
    (n > 0).then(|| ((sum / n as f64).exp(), n))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(contender: &str, corpus: &str, mb: f64, ratio: f64) -> Row {
        Row {
            section: "compress".into(),
            op: "compress2".into(),
            corpus: corpus.into(),
            level: Some(6),
            contender: contender.into(),
            threads: 1,
            mb_per_cpu_s: mb,
            percent: Some(25.0),
            reference: "zlib".into(),
            speed_ratio: Some(ratio),
            size_ratio: Some(1.0),
            ..Row::default()
        }
    }

    #[test]
    fn the_summary_has_contenders_side_by_side_and_empty_cells_for_missing_rows() {
        let rows =
            [row("zlib", "text", 50.0, 1.0), row("rigz", "text", 200.0, 4.0), row("zlib", "logs", 60.0, 1.0)];
        let table = summary(&rows);
        assert!(table.contains("| text -6 | 50.0, 25.00 % | 200, 25.00 % |"), "{table}");
        assert!(table.contains("| logs -6 | 60.0, 25.00 % |  |"), "{table}");
        assert!(table.contains("*1.00x of 2*"), "{table}");
        assert!(table.contains("*4.00x of 1*"), "{table}");
    }

    #[test]
    fn a_fault_is_printed_and_not_averaged() {
        let mut rows = [row("zlib", "text", 50.0, 1.0), row("rigz", "text", 200.0, 4.0)];
        rows[1].fault = Some("died of signal 11".into());
        assert!(long(&rows).contains("FAULT: died of signal 11"));
        assert!(!summary(&rows).contains("rigz"));
    }

    #[test]
    fn the_geometric_mean_of_2_and_8_is_4() {
        let (mean, n) = geometric_mean([2.0, 8.0].into_iter()).unwrap();
        assert!((mean - 4.0).abs() < 1e-12);
        assert_eq!(n, 2);
    }
}
