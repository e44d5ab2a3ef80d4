//! Builds the lists of cells of the quick run and the full run.
//!
//! A cell is one operation on one corpus at one level, with all libraries or tools that support the level. The quick list has some
//! cells of every kind, so that a change in speed shows in at least one of them within two minutes; the full list has all corpora,
//! and most levels.

use crate::contender::{Contenders, LibraryPeer, REFERENCE, RIGZ, Tool};
use crate::op::{self, Op};

/// What a cell measures.
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

    /// Whether the result depends on a level. Then the compressed size is reported too.
    pub fn has_level(self) -> bool {
        match self {
            Work::Library(op) => op.has_level(),
            Work::ToolCompress => true,
            Work::ToolDecompress => false,
        }
    }
}

/// A library or tool that is measured.
#[derive(Clone, Debug)]
pub enum Contender {
    Library(LibraryPeer),
    Tool(Tool),
}

impl Contender {
    pub fn name(&self) -> &str {
        match self {
            Contender::Library(peer) => &peer.name,
            Contender::Tool(tool) => &tool.name,
        }
    }
}

/// The sections in the order of the report.
pub const SECTIONS: &[&str] =
    &["compress", "decompress", "gz files", "messages", "checksums", "threads", "processes"];

/// One comparison.
#[derive(Clone, Debug)]
pub struct Cell {
    pub section: &'static str,
    /// Index into the run's corpora.
    pub corpus: usize,
    pub work: Work,
    pub level: i32,
    /// Each with its number of threads.
    pub contenders: Vec<(Contender, usize)>,
}

/// A corpus of the run. `Cell::corpus` is an index in the list of them.
#[derive(Clone, Debug)]
pub struct Data {
    /// Its name in the tables.
    pub name: String,
    /// The name of a generated corpus, "binary" (the system's programs), or a path.
    pub source: String,
    pub bytes: usize,
    pub is_text: bool,
    /// Whether only the sections for large data (threads, whole processes) use it.
    pub large: bool,
}

const MIB: usize = 1 << 20;

impl Data {
    pub fn generated(name: &str, mib: usize, large: bool) -> Data {
        let is_text = !matches!(name, "binary" | "records" | "noise" | "zeros");
        Data { name: name.into(), source: name.into(), bytes: mib * MIB, is_text, large }
    }

    /// A file or folder that the user named.
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

/// The thread counts that are measured: 1, 2, 4, ... and the number of CPUs, which is at least 1.
pub fn thread_counts(cpus: usize) -> Vec<usize> {
    let mut counts: Vec<usize> =
        std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|&n| n < cpus).collect();
    counts.push(cpus);
    counts
}

/// Builds the list of cells for `corpora`.
pub struct Planner<'a> {
    pub contenders: &'a Contenders,
    pub corpora: &'a [Data],
    pub cpus: usize,
    pub quick: bool,
}

impl Planner<'_> {
    /// All cells of the run.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        let small: Vec<usize> = (0..self.corpora.len()).filter(|&i| !self.corpora[i].large).collect();
        let large: Vec<usize> = (0..self.corpora.len()).filter(|&i| self.corpora[i].large).collect();
        // Messages are taken from JSON lines, which programs send.
        let messages =
            small.iter().copied().find(|&i| self.corpora[i].name == "logs").or(small.first().copied());
        let gz = if self.quick { 1 } else { 6 };
        // The sections of large data come after the first corpus, so that a run that is stopped early has rows of most sections.
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
            // Only libdeflate has levels above 9. They take several times as long, so only the highest is measured.
            (false, false) => &[1, 2, 3, 4, 5, 6, 7, 8, 9, 12],
        };
        for &level in levels {
            let mut list = Vec::new();
            self.library_cell("compress", corpus, Op::Compress, level, &mut list);
            // ISA-L's levels end at 3 and cannot be compared with zlib's, so the quick run has all of them, and only some of others.
            if self.quick && matches!(level, 2 | 3) {
                list.iter_mut()
                    .for_each(|cell| cell.contenders.retain(|(contender, _)| contender.name() == "isa-l"));
            }
            cells.extend(list.into_iter().filter(|cell| !cell.contenders.is_empty()));
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

    /// Adds cells of the gz writer and reader: rigz with each number of threads, zlib and zlib-ng with one.
    fn threads(&self, corpus: usize, cells: &mut Vec<Cell>) {
        let levels: &[i32] = if self.quick { &[9] } else { &[1, 6, 9] };
        let write = levels.iter().map(|&level| (Op::GzWrite { piece: 64 << 10 }, level));
        for (op, level) in write.chain([(Op::GzRead { piece: 128 << 10 }, 0)]) {
            let mut list = Vec::new();
            self.library_cell("threads", corpus, op, level, &mut list);
            for mut cell in list {
                cell.contenders
                    .retain(|(contender, _)| matches!(contender.name(), REFERENCE | "zlib-ng" | RIGZ));
                if let Some(at) = cell.contenders.iter().position(|(contender, _)| contender.name() == RIGZ) {
                    let (ours, _) = cell.contenders.remove(at);
                    cell.contenders.extend(thread_counts(self.cpus).into_iter().map(|n| (ours.clone(), n)));
                }
                cells.push(cell);
            }
        }
    }

    /// Adds cells of whole processes.
    fn processes(&self, corpus: usize, cells: &mut Vec<Cell>) {
        let levels: &[i32] = if self.quick { &[9] } else { &[1, 6, 9] };
        let mut works: Vec<(Work, i32)> = levels.iter().map(|&level| (Work::ToolCompress, level)).collect();
        if !self.quick {
            // The highest level of igzip.
            works.push((Work::ToolCompress, 3));
        }
        works.push((Work::ToolDecompress, 0));
        for (work, level) in works {
            cells.push(self.tool_cell("processes", corpus, work, level, &thread_counts(self.cpus)));
        }
    }

    /// Adds a cell with the libraries that support `level`, each with one thread, if there is any. Those that lack the operation are
    /// left out of the tables when they run.
    pub fn library_cell(
        &self,
        section: &'static str,
        corpus: usize,
        op: Op,
        level: i32,
        cells: &mut Vec<Cell>,
    ) {
        let has = |peer: &&LibraryPeer| !op.has_level() || peer.levels.contains(&level);
        let contenders: Vec<_> = self
            .contenders
            .libraries
            .iter()
            .filter(has)
            .map(|peer| (Contender::Library(peer.clone()), 1))
            .collect();
        if !contenders.is_empty() {
            cells.push(Cell { section, corpus, work: Work::Library(op), level, contenders });
        }
    }

    /// A cell with the tools that can do this at this level, with each number of threads that they support.
    pub fn tool_cell(
        &self,
        section: &'static str,
        corpus: usize,
        work: Work,
        level: i32,
        threads: &[usize],
    ) -> Cell {
        let mut contenders = Vec::new();
        for tool in &self.contenders.tools {
            let does = match work {
                Work::ToolCompress => tool.compress.is_some() && tool.levels.contains(&level),
                _ => tool.decompress.is_some(),
            };
            if does {
                let counts = threads.iter().filter(|&&n| n == 1 || tool.threaded);
                contenders.extend(counts.map(|&n| (Contender::Tool(tool.clone()), n)));
            }
        }
        Cell { section, corpus, work, level, contenders }
    }
}

fn named(names: &[&str]) -> Vec<Op> {
    names.iter().map(|name| Op::named(name).expect("the name of an operation")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn contenders() -> Contenders {
        let library = |name: &str, levels| LibraryPeer {
            name: name.into(),
            path: PathBuf::from(name),
            levels,
            environment: Vec::new(),
        };
        Contenders {
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
    fn libraries_get_only_levels_that_they_support() {
        let (contenders, corpora) = (contenders(), full_data());
        let planner = Planner { contenders: &contenders, corpora: &corpora, cpus: 4, quick: false };
        for cell in planner.cells().iter().filter(|cell| cell.work.has_level()) {
            for (contender, _) in &cell.contenders {
                let Contender::Library(peer) = contender else { continue };
                assert!(peer.levels.contains(&cell.level), "{cell:?}");
            }
        }
    }

    #[test]
    fn the_full_run_measures_every_operation_and_rigz_up_to_level_9() {
        let (contenders, corpora) = (contenders(), full_data());
        let cells = Planner { contenders: &contenders, corpora: &corpora, cpus: 4, quick: false }.cells();
        for &(name, op) in op::ALL {
            let own: Vec<&Cell> = cells.iter().filter(|cell| cell.work == Work::Library(op)).collect();
            assert!(!own.is_empty(), "{name} is never measured");
            for cell in own.iter().filter(|cell| cell.level <= 9) {
                assert!(cell.contenders.iter().any(|(contender, _)| contender.name() == RIGZ), "{cell:?}");
            }
        }
    }
}
