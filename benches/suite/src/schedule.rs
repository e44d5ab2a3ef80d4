//! What is measured in which run: the list of cells.
//!
//! A cell is one operation on one corpus at one level with everybody who has it. The quick list keeps one or two cells of every kind, so
//! that any change of speed shows somewhere within two minutes; the full list has all corpora and levels.

use crate::contender::{Field, LibraryPeer, REFERENCE, RIGZ, Tool};
use crate::op::{self, Op};

/// What a cell does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Library(Op),
    /// A whole process that compresses the corpus.
    ToolCompress,
    /// A whole process that decompresses it.
    ToolDecompress,
}

impl Work {
    pub fn name(self) -> &'static str {
        match self {
            Work::Library(op) => op.name(),
            Work::ToolCompress => "compress",
            Work::ToolDecompress => "decompress",
        }
    }

    /// Whether the level belongs to what is measured, and so the size.
    pub fn has_level(self) -> bool {
        match self {
            Work::Library(op) => op.has_level(),
            Work::ToolCompress => true,
            Work::ToolDecompress => false,
        }
    }
}

/// Who does it.
#[derive(Clone, Debug)]
pub enum Who {
    Library(LibraryPeer),
    Tool(Tool),
}

impl Who {
    pub fn name(&self) -> &str {
        match self {
            Who::Library(peer) => &peer.name,
            Who::Tool(tool) => &tool.name,
        }
    }
}

/// The sections in the order of the report.
pub const SECTIONS: &[&str] =
    &["compress", "decompress", "gz files", "messages", "checksums", "threads", "processes"];

/// One line of comparison.
#[derive(Clone, Debug)]
pub struct Cell {
    pub section: &'static str,
    /// Index into the run's corpora.
    pub corpus: usize,
    pub work: Work,
    pub level: i32,
    /// Each with the number of threads it is given.
    pub who: Vec<(Who, usize)>,
}

/// Which corpora a schedule needs, in the order that `Cell::corpus` counts, with their sizes.
#[derive(Clone, Debug)]
pub struct Data {
    /// What the tables call it.
    pub name: String,
    /// A generated corpus's name, "binary", or a path.
    pub source: String,
    pub bytes: usize,
    pub is_text: bool,
    /// Everything is done with it, or only the sections for large data (threads, whole processes).
    pub large: bool,
}

const MIB: usize = 1 << 20;

impl Data {
    pub fn generated(name: &str, mib: usize, large: bool) -> Data {
        let is_text = !matches!(name, "binary" | "records" | "noise" | "zeros");
        Data { name: name.into(), source: name.into(), bytes: mib * MIB, is_text, large }
    }

    /// A file or a folder.
    pub fn given(name: &str, path: &std::path::Path, bytes: usize) -> Data {
        Data { name: name.into(), source: path.display().to_string(), bytes, is_text: false, large: false }
    }
}

/// The corpora of the quick run.
pub fn quick_data() -> Vec<Data> {
    vec![
        Data::generated("text", 4, false),
        Data::generated("logs", 4, false),
        Data::generated("fastq", 4, false),
        Data::generated("binary", 4, false),
        Data::generated("text", 8, true),
    ]
}

/// The corpora of the full run.
pub fn full_data() -> Vec<Data> {
    let all = ["text", "logs", "sql", "fastq", "source", "binary", "records", "noise", "zeros"];
    let mut list: Vec<Data> = all.iter().map(|name| Data::generated(name, 8, false)).collect();
    list.extend([
        Data::generated("text", 32, true),
        Data::generated("logs", 16, true),
        Data::generated("binary", 16, true),
    ]);
    list
}

/// Thread counts worth a row: 1, 2, 4, ... and the number of CPUs.
pub fn thread_counts(cpus: usize) -> Vec<usize> {
    let mut counts: Vec<usize> =
        std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|&n| n < cpus).collect();
    counts.push(cpus);
    counts
}

/// Builds the list of cells for `corpora`.
pub struct Planner<'a> {
    pub field: &'a Field,
    pub corpora: &'a [Data],
    pub cpus: usize,
    pub quick: bool,
}

impl Planner<'_> {
    /// Quick or full, everything.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        let small: Vec<usize> = (0..self.corpora.len()).filter(|&i| !self.corpora[i].large).collect();
        let large: Vec<usize> = (0..self.corpora.len()).filter(|&i| self.corpora[i].large).collect();
        // Messages of JSON lines are the ones that programs send.
        let messages =
            small.iter().copied().find(|&i| self.corpora[i].name == "logs").or(small.first().copied());
        let gz = if self.quick { 1 } else { 6 };
        // One corpus through every section comes first, then the others: a run that is cut short has seen everything once.
        for (rank, &corpus) in small.iter().enumerate() {
            self.compression(corpus, &mut cells);
            self.decompression(corpus, &mut cells);
            if rank < gz {
                self.gz(corpus, &mut cells);
            }
            if Some(corpus) == messages || (rank == 0 && !self.quick) {
                self.messages(corpus, &mut cells);
            }
            if rank == 0 {
                for op in named(&["crc32-64k", "crc32-1k", "adler32-64k", "adler32-1k"]) {
                    self.library_cell("checksums", corpus, op, 0, &mut cells);
                }
                for &corpus in if large.is_empty() { &small } else { &large } {
                    self.threads(corpus, &mut cells);
                    self.processes(corpus, &mut cells);
                }
            }
        }
        cells
    }

    fn compression(&self, corpus: usize, cells: &mut Vec<Cell>) {
        let name = self.corpora[corpus].name.as_str();
        let extreme = matches!(name, "noise" | "zeros");
        let levels: &[i32] = match (self.quick, extreme) {
            (true, _) => &[1, 2, 3, 6, 9],
            (false, true) => &[1, 6],
            // Above 9 there is only libdeflate, at several times the cost; its end is enough for the picture.
            (false, false) => &[1, 2, 3, 4, 5, 6, 7, 8, 9, 12],
        };
        for &level in levels {
            let mut list = Vec::new();
            self.library_cell("compress", corpus, Op::Compress, level, &mut list);
            // ISA-L's levels end at 3 and mean other things than zlib's: the picture wants all of them, of the others a few.
            if self.quick && matches!(level, 2 | 3) {
                list.iter_mut().for_each(|cell| cell.who.retain(|(who, _)| who.name() == "isa-l"));
            }
            cells.extend(list.into_iter().filter(|cell| !cell.who.is_empty()));
        }
        let levels: &[i32] = if self.quick { &[6] } else { &[1, 6, 9] };
        for op in named(&["deflate-64k"]) {
            for &level in levels {
                self.library_cell("compress", corpus, op, level, cells);
            }
        }
    }

    fn decompression(&self, corpus: usize, cells: &mut Vec<Cell>) {
        for op in named(&["uncompress", "inflate-64k", "inflate-4k"]) {
            self.library_cell("decompress", corpus, op, 0, cells);
        }
    }

    fn gz(&self, corpus: usize, cells: &mut Vec<Cell>) {
        self.library_cell("gz files", corpus, Op::GzWrite { piece: 64 << 10 }, 6, cells);
        for op in named(&["gzread-128k", "gzread-4k", "gzread-cold-128k", "gzgetc", "gzseek-back"]) {
            self.library_cell("gz files", corpus, op, 0, cells);
        }
        if self.corpora[corpus].is_text {
            self.library_cell("gz files", corpus, Op::GzGets, 0, cells);
        }
    }

    fn messages(&self, corpus: usize, cells: &mut Vec<Cell>) {
        let levels: &[i32] = if self.quick { &[6] } else { &[1, 6, 9] };
        for &(_, op) in op::ALL.iter().filter(|(_, op)| matches!(op, Op::Pack { .. })) {
            for &level in levels {
                self.library_cell("messages", corpus, op, level, cells);
            }
        }
        for &(_, op) in op::ALL.iter().filter(|(_, op)| matches!(op, Op::Unpack { .. })) {
            self.library_cell("messages", corpus, op, 0, cells);
        }
    }

    /// Our writer and reader over thread counts, with the libraries that have one thread beside them.
    fn threads(&self, corpus: usize, cells: &mut Vec<Cell>) {
        let levels: &[i32] = if self.quick { &[9] } else { &[1, 6, 9] };
        let write = levels.iter().map(|&level| (Op::GzWrite { piece: 64 << 10 }, level));
        for (op, level) in write.chain([(Op::GzRead { piece: 128 << 10 }, 0)]) {
            let mut list = Vec::new();
            self.library_cell("threads", corpus, op, level, &mut list);
            for mut cell in list {
                cell.who.retain(|(who, _)| matches!(who.name(), REFERENCE | "zlib-ng" | RIGZ));
                if let Some(at) = cell.who.iter().position(|(who, _)| who.name() == RIGZ) {
                    let (ours, _) = cell.who.remove(at);
                    cell.who.extend(thread_counts(self.cpus).into_iter().map(|n| (ours.clone(), n)));
                }
                cells.push(cell);
            }
        }
    }

    /// Command lines, at one thread and at all.
    fn processes(&self, corpus: usize, cells: &mut Vec<Cell>) {
        let levels: &[i32] = if self.quick { &[9] } else { &[1, 6, 9] };
        let mut works: Vec<(Work, i32)> = levels.iter().map(|&level| (Work::ToolCompress, level)).collect();
        if !self.quick {
            // igzip's levels end here.
            works.push((Work::ToolCompress, 3));
        }
        works.push((Work::ToolDecompress, 0));
        for (work, level) in works {
            cells.push(self.tool_cell("processes", corpus, work, level, &thread_counts(self.cpus)));
        }
    }

    /// Everybody among the libraries that has `level`, each with one thread.
    pub fn library_cell(
        &self,
        section: &'static str,
        corpus: usize,
        op: Op,
        level: i32,
        cells: &mut Vec<Cell>,
    ) {
        let has = |peer: &&LibraryPeer| !op.has_level() || peer.levels.contains(&level);
        let who: Vec<_> =
            self.field.libraries.iter().filter(has).map(|peer| (Who::Library(peer.clone()), 1)).collect();
        if !who.is_empty() {
            cells.push(Cell { section, corpus, work: Work::Library(op), level, who });
        }
    }

    /// Every tool that has the direction and the level, at each of the thread counts it can use.
    pub fn tool_cell(
        &self,
        section: &'static str,
        corpus: usize,
        work: Work,
        level: i32,
        threads: &[usize],
    ) -> Cell {
        let mut who = Vec::new();
        for tool in &self.field.tools {
            let does = match work {
                Work::ToolCompress => tool.compress.is_some() && tool.levels.contains(&level),
                _ => tool.decompress.is_some(),
            };
            if does {
                let counts = threads.iter().filter(|&&n| n == 1 || tool.threaded);
                who.extend(counts.map(|&n| (Who::Tool(tool.clone()), n)));
            }
        }
        Cell { section, corpus, work, level, who }
    }
}

fn named(names: &[&str]) -> Vec<Op> {
    names.iter().filter_map(|name| Op::named(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn field() -> Field {
        let library = |name: &str, levels| LibraryPeer {
            name: name.into(),
            path: PathBuf::from(name),
            levels,
            environment: Vec::new(),
        };
        Field {
            libraries: vec![
                library("zlib", 1..=9),
                library("libdeflate", 1..=12),
                library("isa-l", 1..=3),
                library("rigz", 1..=9),
            ],
            tools: Vec::new(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn thread_counts_double_and_end_with_all_cpus() {
        assert_eq!(thread_counts(1), [1]);
        assert_eq!(thread_counts(2), [1, 2]);
        assert_eq!(thread_counts(6), [1, 2, 4, 6]);
        assert_eq!(thread_counts(8), [1, 2, 4, 8]);
    }

    #[test]
    fn nobody_is_asked_for_a_level_that_he_does_not_have() {
        let (field, corpora) = (field(), full_data());
        let planner = Planner { field: &field, corpora: &corpora, cpus: 4, quick: false };
        for cell in planner.cells().iter().filter(|cell| cell.work.has_level()) {
            for (who, _) in &cell.who {
                let Who::Library(peer) = who else { continue };
                assert!(peer.levels.contains(&cell.level), "{cell:?}");
            }
        }
    }

    #[test]
    fn every_operation_is_in_the_full_run_and_ours_is_in_each_of_its_cells_up_to_level_9() {
        let (field, corpora) = (field(), full_data());
        let cells = Planner { field: &field, corpora: &corpora, cpus: 4, quick: false }.cells();
        for &(name, op) in op::ALL {
            let own: Vec<&Cell> = cells.iter().filter(|cell| cell.work == Work::Library(op)).collect();
            assert!(!own.is_empty(), "{name} is never measured");
            for cell in own.iter().filter(|cell| cell.level <= 9) {
                assert!(cell.who.iter().any(|(who, _)| who.name() == RIGZ), "{cell:?}");
            }
        }
    }
}
