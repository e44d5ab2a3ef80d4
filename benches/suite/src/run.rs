//! Runs a list of cells in rounds, in each of which every contender has a turn, until the rounds or the time are used up.
//!
//! One round goes through all cells, and in each cell through all contenders (A B C). The next round does it again. So the samples of
//! one figure are spread over the whole run, and those that are compared lie next to each other: load from elsewhere hits
//! all alike. The first round verifies results before it times them. Rounds stop where the time ends, the first one a little later; every
//! row tells how many samples it has, and what was not reached at all is counted.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::child::{Answer, Measured, Turn, library_turn, tool_turn};
use crate::corpus::Corpus;
use crate::measure::{Sample, Spread};
use crate::schedule::{Cell, Contender, SECTIONS, Work};

/// How long and how often.
pub struct Pace {
    pub rounds: usize,
    pub turn: Duration,
    /// No turn of a later round begins after this.
    pub deadline: Instant,
    /// Nor one of the first round after this.
    pub last_call: Instant,
}

/// One row of the record: contender, operation, speed, size, memory.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    pub section: String,
    pub corpus: String,
    pub corpus_bytes: u64,
    pub op: String,
    /// Empty where the operation has no level.
    pub level: Option<i32>,
    pub threads: usize,
    pub contender: String,
    pub version: String,
    pub file: PathBuf,
    pub samples: usize,
    pub cpu_ms_min: f64,
    pub cpu_ms: f64,
    pub cpu_ms_max: f64,
    pub wall_ms_min: f64,
    pub wall_ms: f64,
    pub wall_ms_max: f64,
    /// Uncompressed megabytes (10^6) a second of CPU time, of the median.
    pub mb_per_cpu_s: f64,
    /// The same of wall time.
    pub mb_per_s: f64,
    /// Microseconds of CPU a message, where there are messages.
    pub us_per_message: Option<f64>,
    /// Compressed bytes, where the operation compresses.
    pub size: Option<u64>,
    pub percent: Option<f64>,
    pub peak_kib: u64,
    /// Page faults of one call that asked for no disk; 0 for whole processes.
    pub page_faults: f64,
    pub reference: String,
    /// CPU time of the reference over this one's: above 1 is faster. Wall time in the sections about threads.
    pub speed_ratio: Option<f64>,
    /// Size over the reference's: below 1 is smaller.
    pub size_ratio: Option<f64>,
    /// What went wrong, if anything did.
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

#[derive(PartialEq)]
enum State {
    Runs,
    Lacks,
    Faulty(String),
}

/// Measures all `cells` and returns their rows with ratios to `reference`, and how many rows were not reached in time.
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
            state: State::Runs,
        }));
    }
    let bar = progress(slots.len() * pace.rounds);
    'rounds: for round in 0..pace.rounds {
        bar.set_message(format!("round {} of {}", round + 1, pace.rounds));
        for slot in &mut slots {
            if Instant::now() >= if round == 0 { pace.last_call } else { pace.deadline } {
                break 'rounds;
            }
            bar.inc(1);
            if slot.state == State::Runs {
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
    let unreached = |slot: &Slot| slot.state == State::Runs && slot.samples.is_empty();
    let mut rows: Vec<Row> = slots
        .iter()
        .filter(|slot| slot.state != State::Lacks && !unreached(slot))
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
            Answer::Lacks(_) => self.state = State::Lacks,
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

/// What rows must share to be compared.
fn key(row: &Row) -> (&str, &str, u64, &str, Option<i32>) {
    (&row.section, &row.corpus, row.corpus_bytes, &row.op, row.level)
}

/// Whether a section is about elapsed time, because threads or whole programs are what it shows.
pub fn counts_wall(section: &str) -> bool {
    matches!(section, "threads" | "processes")
}

/// Sets every row's ratios to `reference`, or in the process section, where no library stands, to its one-thread namesake on the system's zlib.
fn compare(rows: &mut [Row], reference: &str) {
    let stands_for = format!("gzpipe+{reference}");
    let is_reference = |row: &Row| {
        row.threads == 1 && row.fault.is_none() && (row.contender == reference || row.contender == stands_for)
    };
    let references: Vec<Row> = rows.iter().filter(|row| is_reference(row)).cloned().collect();
    for row in rows.iter_mut().filter(|row| row.fault.is_none()) {
        let Some(base) = references.iter().find(|base| key(base) == key(row)) else { continue };
        let (own, other) =
            if counts_wall(&row.section) { (row.wall_ms, base.wall_ms) } else { (row.cpu_ms, base.cpu_ms) };
        row.reference = base.contender.clone();
        row.speed_ratio = (own > 0.0).then(|| other / own);
        row.size_ratio = row.size.zip(base.size).map(|(own, other)| own as f64 / other as f64);
    }
}

/// Drawn on a terminal only; indicatif hides it elsewhere.
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
    fn ratios_are_to_the_reference_in_cpu_time_and_size() {
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
    fn a_faulty_row_has_no_ratio_and_is_no_reference() {
        let mut rows = [row("zlib", 1, 100.0, 100.0, 1000), row("rigz", 1, 10.0, 10.0, 10)];
        rows[0].fault = Some("wrong".into());
        compare(&mut rows, "zlib");
        assert_eq!(rows[1].speed_ratio, None);
    }
}
