//! Tables for the terminal and for report.md.
//!
//! `long` returns one line per row, with times, speed, size and memory. `summary` returns one table per section and operation, with a
//! line for each corpus and level and a column for each contender and number of threads. `markdown` returns report.md: the
//! circumstances of the run, the contenders and corpora, the summary, the faults (wrong results, crashes) and the charts.
//!
//! Ratios compare with the reference: speed above 1 is faster, size below 1 is smaller. The last line of a summary's table has the
//! geometric means of each contender's ratios, each with its number of rows, because means over different rows must not be compared.

use std::fmt::Write;

use crate::record::{Circumstances, Record};
use crate::run::{Row, uses_wall_time};

/// Returns one line for every row, with a heading where the section, operation, corpus or level changes.
pub fn long(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut last = String::new();
    for row in rows {
        let heading = format!("{}; MB/s and speed ratio by {} time", subject(row), clock(row));
        if heading != last {
            let _ = writeln!(
                out,
                "\n{heading}\n  {:<16} {:>3} {:>28} {:>28} {:>8} {:>11} {:>7} {:>11} {:>10} {:>9} {:>7}",
                "",
                "thr",
                "CPU ms min/median/max",
                "wall ms min/median/max",
                "MB/s",
                "bytes",
                "%",
                "speed ratio",
                "size ratio",
                "peak KiB",
                "samples"
            );
            last = heading;
        }
        let _ = match &row.fault {
            Some(fault) => writeln!(out, "  {:<16} {:>3} FAULT: {fault}", row.contender, row.threads),
            None => writeln!(
                out,
                "  {:<16} {:>3} {:>28} {:>28} {:>8.1} {:>11} {:>7} {:>11} {:>10} {:>9} {:>7}",
                row.contender,
                row.threads,
                spread(row.cpu_ms_min, row.cpu_ms, row.cpu_ms_max),
                spread(row.wall_ms_min, row.wall_ms, row.wall_ms_max),
                megabytes_per_second(row),
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

/// Returns a row's description: section, operation, corpus and its size, level.
fn subject(row: &Row) -> String {
    let level = optional(row.level, |l| format!(", level {l}"));
    let megabytes = row.corpus_bytes as f64 / 1e6;
    format!("{}: {} on {} ({megabytes:.1} MB){level}", row.section, row.op, row.corpus)
}

/// The clock that a row's speed is measured by.
fn clock(row: &Row) -> &'static str {
    if uses_wall_time(&row.section) { "wall" } else { "CPU" }
}

fn megabytes_per_second(row: &Row) -> f64 {
    if uses_wall_time(&row.section) { row.mb_per_s } else { row.mb_per_cpu_s }
}

/// Milliseconds as `min/median/max`.
fn spread(min: f64, median: f64, max: f64) -> String {
    let digits = if median >= 100.0 { 1 } else { 3 };
    format!("{min:.digits$}/{median:.digits$}/{max:.digits$}")
}

/// The value as text, empty if there is none.
fn optional<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map(show).unwrap_or_default()
}

/// Returns report.md; `pictures` are the names of files in the same folder.
pub fn markdown(record: &Record, pictures: &[String]) -> String {
    let Circumstances { date, commit, command, cpu, cpus, kernel, load_before, load_after } =
        &record.circumstances;
    let mut out = format!(
        "# Benchmark of {date}\n\nCommit {commit}; {cpu}, {cpus} CPUs; {kernel}; load {load_before:.2} before, \
         {load_after:.2} after.\n\nCommand: `{command}`\n\n"
    );
    for line in &record.missing {
        let _ = writeln!(out, "- Missing: {line}");
    }
    out.push_str("\n| contender | version | file |\n|---|---|---|\n");
    let mut listed = Vec::new();
    for row in &record.rows {
        if !listed.contains(&&row.contender) && row.fault.is_none() {
            listed.push(&row.contender);
            let _ = writeln!(out, "| {} | {} | {} |", row.contender, row.version, row.file.display());
        }
    }
    out.push_str("\n| corpus | bytes | crc32 |\n|---|---|---|\n");
    for corpus in &record.corpora {
        let _ = writeln!(out, "| {} | {} | {:08x} |", corpus.name, corpus.bytes, corpus.crc32);
    }
    out.push_str(&summary(&record.rows));
    let faults: Vec<(&Row, &String)> =
        record.rows.iter().filter_map(|row| Some((row, row.fault.as_ref()?))).collect();
    if !faults.is_empty() {
        out.push_str("\n## Faults\n\n");
        for (row, fault) in faults {
            let _ = writeln!(out, "- {}, {} threads, {}: {fault}", row.contender, row.threads, subject(row));
        }
    }
    if !pictures.is_empty() {
        out.push_str("\n## Pictures\n\n");
        for picture in pictures {
            let _ = writeln!(out, "![{picture}]({picture})\n");
        }
    }
    out
}

/// Returns one table per section and operation, of the rows without a fault.
pub fn summary(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut done: Vec<(&str, &str)> = Vec::new();
    for row in rows {
        let table = (row.section.as_str(), row.op.as_str());
        if done.contains(&table) {
            continue;
        }
        if !done.iter().any(|(section, _)| *section == table.0) {
            let _ = write!(out, "\n## {}\n", capitalized(table.0));
        }
        done.push(table);
        let own: Vec<&Row> = rows
            .iter()
            .filter(|r| (r.section.as_str(), r.op.as_str()) == table && r.fault.is_none())
            .collect();
        if !own.is_empty() {
            write_table(&own, &mut out);
        }
    }
    out
}

/// Identifies a line of a table: corpus, its size, level.
type Line<'a> = (&'a str, u64, Option<i32>);

/// Writes the table of `rows`, which have one section and operation and no fault.
fn write_table(rows: &[&Row], out: &mut String) {
    let first = rows[0];
    let unit = match first.us_per_message {
        Some(_) => "µs of CPU time per message".to_owned(),
        None => format!("MB/s by {} time", clock(first)),
    };
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
            let has_other_threads =
                rows.iter().any(|other| other.contender == row.contender && other.threads != row.threads);
            let title = if has_other_threads {
                format!("{} ×{}", row.contender, row.threads)
            } else {
                row.contender.clone()
            };
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
        let sizes = if rows.iter().any(|row| row.size_ratio.is_some()) { ", size" } else { "" };
        let _ = write!(out, "| *mean ratio to {reference}: speed{sizes} (rows)* |");
        for (_, name, threads) in &columns {
            let own: Vec<&&Row> =
                rows.iter().filter(|row| row.contender == *name && row.threads == *threads).collect();
            let speed = geometric_mean(own.iter().filter_map(|row| row.speed_ratio));
            let size = geometric_mean(own.iter().filter_map(|row| row.size_ratio));
            let _ = write!(
                out,
                " {} |",
                optional(speed, |(mean, n)| {
                    let size = optional(size, |(mean, _)| format!(", {mean:.3}"));
                    format!("*{mean:.2}x{size} ({n})*")
                })
            );
        }
        out.push('\n');
    }
}

/// The text of a table's cell: the speed and, if known, the size in percent.
fn cell(row: &Row) -> String {
    let figure = match row.us_per_message {
        Some(us) => format!("{us:.2}"),
        None if megabytes_per_second(row) >= 100.0 => format!("{:.0}", megabytes_per_second(row)),
        None => format!("{:.1}", megabytes_per_second(row)),
    };
    match row.percent {
        Some(percent) => format!("{figure}, {percent:.2} %"),
        None => figure,
    }
}

/// Returns the geometric mean of the positive figures and their number; `None` if there are none.
pub fn geometric_mean(figures: impl Iterator<Item = f64>) -> Option<(f64, usize)> {
    let (sum, n) = figures.filter(|&f| f > 0.0).fold((0.0, 0), |(sum, n), f| (sum + f.ln(), n + 1));
    (n > 0).then(|| ((sum / n as f64).exp(), n))
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(contender: &str, corpus: &str, mb_per_cpu_s: f64, speed_ratio: f64) -> Row {
        Row {
            section: "compress".into(),
            op: "compress2".into(),
            corpus: corpus.into(),
            level: Some(6),
            contender: contender.into(),
            threads: 1,
            mb_per_cpu_s,
            percent: Some(25.0),
            reference: "zlib".into(),
            speed_ratio: Some(speed_ratio),
            size_ratio: Some(1.0),
            ..Row::default()
        }
    }

    #[test]
    fn the_summary_has_contenders_side_by_side_and_empty_cells_for_missing_rows() {
        let rows =
            [row("zlib", "text", 50.0, 1.0), row("rigz", "text", 200.0, 4.0), row("zlib", "logs", 60.0, 1.0)];
        let table = summary(&rows);
        assert!(table.contains("| | zlib | rigz |\n"), "{table}");
        assert!(table.contains("| text -6 | 50.0, 25.00 % | 200, 25.00 % |\n"), "{table}");
        assert!(table.contains("| logs -6 | 60.0, 25.00 % |  |\n"), "{table}");
    }

    #[test]
    fn the_last_line_has_means_and_their_numbers_of_rows() {
        let rows =
            [row("zlib", "text", 50.0, 1.0), row("rigz", "text", 200.0, 4.0), row("zlib", "logs", 60.0, 1.0)];
        let line = "| *mean ratio to zlib: speed, size (rows)* | *1.00x, 1.000 (2)* | *4.00x, 1.000 (1)* |\n";
        assert!(summary(&rows).ends_with(line), "{}", summary(&rows));
    }

    #[test]
    fn a_fault_is_printed_and_not_averaged() {
        let mut rows =
            [row("zlib", "text", 50.0, 1.0), row("rigz", "text", 200.0, 4.0), row("rigz", "logs", 90.0, 2.0)];
        rows[1].fault = Some("died of signal 11".into());
        assert!(long(&rows).contains("FAULT: died of signal 11"));
        let table = summary(&rows);
        assert!(table.contains("*2.00x, 1.000 (1)*"), "{table}");
        assert!(!table.contains("200"), "{table}");
    }

    #[test]
    fn the_report_lists_what_is_missing_the_faults_and_the_pictures() {
        let mut faulty = row("rigz", "text", 200.0, 4.0);
        faulty.fault = Some("died of signal 11".into());
        let record = Record {
            circumstances: Circumstances::now(std::path::Path::new("/")),
            corpora: Vec::new(),
            missing: vec!["crabz".into(), "gzippy".into()],
            rows: vec![row("zlib", "text", 50.0, 1.0), faulty],
        };
        let report = markdown(&record, &["one.svg".into(), "two.svg".into()]);
        assert!(report.contains("\n\n- Missing: crabz\n- Missing: gzippy\n\n"), "{report}");
        let fault = report.split_once("## Faults\n\n- ").map(|(_, rest)| rest).expect("a fault");
        assert!(fault.starts_with("rigz, 1 threads, compress"), "{fault}");
        assert!(fault.contains(": died of signal 11\n"), "{fault}");
        assert!(report.contains("![one.svg](one.svg)\n\n![two.svg](two.svg)\n"), "{report}");
    }

    #[test]
    fn the_geometric_mean_of_2_and_8_is_4() {
        let (mean, n) = geometric_mean([2.0, 8.0].into_iter()).unwrap();
        assert!((mean - 4.0).abs() < 1e-12);
        assert_eq!(n, 2);
    }
}
