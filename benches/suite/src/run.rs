//! Runs a list of cells (a corpus, an operation, a level and its contenders) in rounds, until all rounds are done or the time is up.
//!
//! In a round, each contender of each cell has one turn: A B C, A B C, ... So a contender's samples are spread over the whole run, and
//! samples that are compared are taken close together: other load on the machine affects all contenders alike. In the first round, each
//! operation's result is verified before the operation is timed. The first round has a later time limit of its own.
//!
//! A row states its number of samples. A contender that had no turn in time gets no row and is only counted; one that does not support
//! the operation gets no row; one that fails keeps its row, with the fault.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::child::{Answer, Measured, Turn, library_turn, tool_turn};
use crate::corpus::Corpus;
use crate::measure::{Sample, Spread};
use crate::schedule::{Cell, Contender, SECTIONS, Work};

/// The number of rounds and the time limits.
pub struct Pace {
    pub rounds: usize,
    /// The time for one turn.
    pub turn: Duration,
    /// No turn begins after this, except in the first round.
    pub deadline: Instant,
    /// No turn of the first round begins after this.
    pub first_deadline: Instant,
}

/// One row of the record: contender, operation, speed, size, memory.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    pub section: String,
    pub corpus: String,
    pub corpus_bytes: u64,
    pub op: String,
    /// `None` if the operation has no level.
    pub level: Option<i32>,
    pub threads: usize,
    pub contender: String,
    pub version: String,
    pub file: PathBuf,
    pub samples: usize,
    /// CPU time of one sample in milliseconds: minimum, median (`cpu_ms`), maximum.
    pub cpu_ms_min: f64,
    pub cpu_ms: f64,
    pub cpu_ms_max: f64,
    /// The same of wall time.
    pub wall_ms_min: f64,
    pub wall_ms: f64,
    pub wall_ms_max: f64,
    /// Uncompressed megabytes (10^6 bytes) per second of CPU time, by the median.
    pub mb_per_cpu_s: f64,
    /// The same per second of wall time.
    pub mb_per_s: f64,
    /// Microseconds of CPU time per message; `None` unless the operation processes many small messages.
    pub us_per_message: Option<f64>,
    /// Compressed bytes; `None` if the operation decompresses.
    pub size: Option<u64>,
    /// `size` in percent of the uncompressed bytes.
    pub percent: Option<f64>,
    /// Peak memory: the maximum over all turns.
    pub peak_kib: u64,
    /// Minor page faults (served without disk access) of one call, in the last turn; 0 for whole processes.
    pub page_faults: f64,
    /// The contender that the ratios compare with; empty if there is none.
    pub reference: String,
    /// CPU time (wall time if `uses_wall_time`) of the reference divided by this row's: above 1 is faster.
    pub speed_ratio: Option<f64>,
    /// Size divided by the reference's: below 1 is smaller.
    pub size_ratio: Option<f64>,
    /// The error, if the result is wrong or the contender failed.
    pub fault: Option<String>,
}

struct Slot {
    cell: usize,
    contender: Contender,
    threads: usize,
    samples: Vec<Sample>,
    last: Measured,
    size: u64,
    state: State,
}

/// Whether a contender still takes turns, and why not.
#[derive(PartialEq)]
enum State {
    Active,
    Unsupported,
    Faulty(String),
}

/// Measures `cells` within the limits of `pace`. Returns their rows with ratios to `reference`, and the number of rows not measured in time.
pub fn run(
    cells: &[Cell],
    corpora: &[Corpus],
    pace: &Pace,
    scratch: &std::path::Path,
    reference: &str,
) -> (Vec<Row>, usize) {
    let mut slots: Vec<Slot> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        slots.extend(cell.contenders.iter().map(|(contender, threads)| Slot {
            cell: index,
            contender: contender.clone(),
            threads: *threads,
            samples: Vec::new(),
            last: Measured::default(),
            size: 0,
            state: State::Active,
        }));
    }
    let bar = progress(slots.len() * pace.rounds);
    'rounds: for round in 0..pace.rounds {
        bar.set_message(format!("round {} of {}", round + 1, pace.rounds));
        for slot in &mut slots {
            let limit = if round == 0 { pace.first_deadline } else { pace.deadline };
            if Instant::now() >= limit {
                break 'rounds;
            }
            bar.inc(1);
            if slot.state == State::Active {
                let cell = &cells[slot.cell];
                bar.set_prefix(format!(
                    "{} {} {}",
                    corpora[cell.corpus].name,
                    cell.work.name(),
                    slot.contender.name()
                ));
                slot.take_turn(cell, &corpora[cell.corpus], pace.turn, round == 0, scratch);
            }
        }
    }
    bar.finish_and_clear();
    let unreached = |slot: &Slot| slot.state == State::Active && slot.samples.is_empty();
    let mut rows: Vec<Row> = slots
        .iter()
        .filter(|slot| slot.state != State::Unsupported && !unreached(slot))
        .map(|slot| slot.row(&cells[slot.cell], &corpora[cells[slot.cell].corpus]))
        .collect();
    rows.sort_by_key(|row| SECTIONS.iter().position(|section| *section == row.section));
    compare(&mut rows, reference);
    (rows, slots.iter().filter(|slot| unreached(slot)).count())
}

impl Slot {
    fn take_turn(
        &mut self,
        cell: &Cell,
        corpus: &Corpus,
        budget: Duration,
        verify: bool,
        scratch: &std::path::Path,
    ) {
        let turn = Turn { corpus, level: cell.level, threads: self.threads, budget, verify, scratch };
        let answer = match (&self.contender, cell.work) {
            (Contender::Library(peer), Work::Library(op)) => library_turn(peer, op, &turn),
            (Contender::Tool(tool), work) => tool_turn(tool, work == Work::ToolCompress, &turn),
            (Contender::Library(_), _) => Answer::Lacks("whole processes".into()),
        };
        match answer {
            Answer::Measured(mut measured) => {
                self.samples.append(&mut measured.samples);
                self.size = self.size.max(measured.size);
                measured.peak_kib = measured.peak_kib.max(self.last.peak_kib);
                self.last = measured;
            }
            Answer::Lacks(_) => self.state = State::Unsupported,
            Answer::Wrong(what) => self.state = State::Faulty(what),
        }
    }

    fn row(&self, cell: &Cell, corpus: &Corpus) -> Row {
        let spread = |of: fn(&Sample) -> f64| {
            let nothing = Spread { min: 0.0, median: 0.0, max: 0.0 };
            Spread::of(self.samples.iter().map(|s| of(s) * 1e3)).unwrap_or(nothing)
        };
        let (cpu, wall) = (spread(|s| s.cpu), spread(|s| s.wall));
        let megabytes = self.last.bytes as f64 / 1e6;
        let per_second = |ms: f64| if ms > 0.0 { megabytes / (ms / 1e3) } else { 0.0 };
        let size = cell.work.has_level().then_some(self.size).filter(|&n| n > 0);
        Row {
            section: cell.section.into(),
            corpus: corpus.name.clone(),
            corpus_bytes: corpus.bytes,
            op: cell.work.name().into(),
            level: cell.work.has_level().then_some(cell.level),
            threads: self.threads,
            contender: self.contender.name().into(),
            version: self.last.version.clone(),
            file: self.last.file.clone(),
            samples: self.samples.len(),
            cpu_ms_min: cpu.min,
            cpu_ms: cpu.median,
            cpu_ms_max: cpu.max,
            wall_ms_min: wall.min,
            wall_ms: wall.median,
            wall_ms_max: wall.max,
            mb_per_cpu_s: per_second(cpu.median),
            mb_per_s: per_second(wall.median),
            us_per_message: (self.last.messages > 0).then(|| cpu.median * 1e3 / self.last.messages as f64),
            size,
            percent: size.map(|n| n as f64 * 100.0 / self.last.bytes.max(1) as f64),
            peak_kib: self.last.peak_kib,
            page_faults: self.last.page_faults,
            fault: match &self.state {
                State::Faulty(what) => Some(what.clone()),
                _ => None,
            },
            ..Row::default()
        }
    }
}

/// Rows are compared only if their keys are equal. The number of threads is not part of the key: a reference has one thread.
fn key(row: &Row) -> (&str, &str, u64, &str, Option<i32>) {
    (&row.section, &row.corpus, row.corpus_bytes, &row.op, row.level)
}

/// Whether a section compares wall time instead of CPU time: those of threads and whole processes.
pub fn uses_wall_time(section: &str) -> bool {
    matches!(section, "threads" | "processes")
}

/// Sets the ratios of every row to the reference: `reference` itself or, for whole processes, `gzpipe+<reference>`, the program gzpipe
/// that uses this library. Only rows with one thread are references.
fn compare(rows: &mut [Row], reference: &str) {
    let reference_tool = format!("gzpipe+{reference}");
    let is_reference = |row: &Row| {
        row.threads == 1
            && row.fault.is_none()
            && (row.contender == reference || row.contender == reference_tool)
    };
    let references: Vec<Row> = rows.iter().filter(|row| is_reference(row)).cloned().collect();
    for row in rows.iter_mut().filter(|row| row.fault.is_none()) {
        let Some(base) = references.iter().find(|base| key(base) == key(row)) else { continue };
        let (own, other) = if uses_wall_time(&row.section) {
            (row.wall_ms, base.wall_ms)
        } else {
            (row.cpu_ms, base.cpu_ms)
        };
        row.reference = base.contender.clone();
        row.speed_ratio = (own > 0.0).then(|| other / own);
        row.size_ratio = row.size.zip(base.size).map(|(own, other)| own as f64 / other as f64);
    }
}

/// A progress bar; indicatif draws it only on a terminal.
fn progress(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {elapsed}  {msg}  {prefix}") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(contender: &str, threads: usize, cpu_ms: f64, wall_ms: f64, size: u64) -> Row {
        Row {
            section: "compress".into(),
            contender: contender.into(),
            threads,
            cpu_ms,
            wall_ms,
            size: Some(size),
            ..Row::default()
        }
    }

    #[test]
    fn ratios_compare_cpu_time_and_size_with_the_reference() {
        let mut rows = [row("zlib", 1, 100.0, 110.0, 1000), row("rigz", 1, 25.0, 200.0, 900)];
        compare(&mut rows, "zlib");
        assert_eq!(rows[1].speed_ratio, Some(4.0));
        assert_eq!(rows[1].size_ratio, Some(0.9));
        assert_eq!(rows[0].speed_ratio, Some(1.0));
    }

    #[test]
    fn the_thread_section_compares_elapsed_time() {
        let mut rows = [row("zlib", 1, 100.0, 100.0, 1000), row("rigz", 4, 100.0, 25.0, 1000)];
        rows.iter_mut().for_each(|row| row.section = "threads".into());
        compare(&mut rows, "zlib");
        assert_eq!(rows[1].speed_ratio, Some(4.0));
    }

    #[test]
    fn a_faulty_row_has_no_ratio_and_is_not_a_reference() {
        let mut rows = [row("zlib", 1, 100.0, 100.0, 1000), row("rigz", 1, 10.0, 10.0, 10)];
        rows[0].fault = Some("wrong".into());
        compare(&mut rows, "zlib");
        assert_eq!(rows[1].speed_ratio, None);

        let mut rows = [row("zlib", 1, 100.0, 100.0, 1000), row("rigz", 1, 10.0, 10.0, 10)];
        rows[1].fault = Some("wrong".into());
        compare(&mut rows, "zlib");
        assert_eq!((rows[1].speed_ratio, rows[1].size_ratio), (None, None));
    }
}
