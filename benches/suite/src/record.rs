//! Stores a run: its rows, and the machine and commit that they were measured on.
//!
//! A run writes one folder, `benches/record/DATE-COMMIT-KIND/`: run.json (everything), rows.csv (only the rows), report.md (the tables)
//! and the pictures. Paths in the repository are written relative to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::corpus::Corpus;
use crate::run::Row;

/// Where and when the run took place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Circumstances {
    pub date: String,
    pub commit: String,
    pub command: String,
    pub cpu: String,
    pub cpus: usize,
    pub kernel: String,
    /// One-minute load averages before and after. Above 1 before the run means that other programs were running.
    pub load_before: f64,
    pub load_after: f64,
}

/// A whole run, as written to run.json.
#[derive(Serialize, Deserialize)]
pub struct Record {
    pub circumstances: Circumstances,
    pub corpora: Vec<Corpus>,
    pub missing: Vec<String>,
    pub rows: Vec<Row>,
}

impl Circumstances {
    /// Call this before the first measurement. `root` is the repository.
    pub fn now(root: &Path) -> Circumstances {
        let dirty = !first_line(git(root).args(["status", "--porcelain", "--untracked-files=no"])).is_empty();
        let commit = first_line(git(root).args(["rev-parse", "--short=10", "HEAD"]));
        let mut words: Vec<String> = std::env::args().skip(1).collect();
        for word in &mut words {
            let inside = Path::new(word.as_str()).strip_prefix(root).map(|path| path.display().to_string());
            if let Ok(path) = inside {
                *word = if path.is_empty() { ".".into() } else { path };
            }
        }
        Circumstances {
            date: first_line(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"])),
            commit: if dirty { format!("{commit}-dirty") } else { commit },
            command: format!("suite {}", words.join(" ")),
            cpu: cpu_model(),
            cpus: cpus(),
            kernel: first_line(Command::new("uname").args(["-srm"])),
            load_before: load(),
            load_after: 0.0,
        }
    }
}

impl Record {
    /// Stores the final load and makes paths relative to `root`.
    pub fn finish(&mut self, root: &Path) {
        self.circumstances.load_after = load();
        let shorten = |path: &mut PathBuf| {
            if let Ok(rest) = path.strip_prefix(root) {
                *path = rest.to_owned();
            }
        };
        self.rows.iter_mut().for_each(|row| shorten(&mut row.file));
        self.corpora.iter_mut().for_each(|corpus| {
            corpus.path = corpus.path.file_name().map(PathBuf::from).unwrap_or_default();
        });
        let prefix = format!("{}/", root.display());
        self.missing.iter_mut().for_each(|line| *line = line.replace(&prefix, ""));
        self.rows.iter_mut().for_each(|row| row.version = row.version.replace(&prefix, ""));
    }

    /// `DATE-COMMIT-KIND`.
    pub fn folder_name(&self, kind: &str) -> String {
        let day = self.circumstances.date.split('T').next().unwrap_or("undated");
        format!("{day}-{}-{kind}", self.circumstances.commit)
    }

    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        fs::write(folder.join("run.json"), json)?;
        write_csv(&self.rows, fs::File::create(folder.join("rows.csv"))?)
    }
}

pub fn write_csv(rows: &[Row], to: impl io::Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(to);
    for row in rows {
        writer.serialize(Rounded::of(row))?;
    }
    writer.flush()
}

/// A row with its figures rounded to four decimals, for readability.
#[derive(Serialize)]
#[serde(transparent)]
struct Rounded(Row);

impl Rounded {
    fn of(row: &Row) -> Rounded {
        let mut row = row.clone();
        let round = |figure: &mut f64| *figure = (*figure * 1e4).round() / 1e4;
        for figure in [
            &mut row.cpu_ms_min,
            &mut row.cpu_ms,
            &mut row.cpu_ms_max,
            &mut row.wall_ms_min,
            &mut row.wall_ms,
            &mut row.wall_ms_max,
            &mut row.mb_per_cpu_s,
            &mut row.mb_per_s,
            &mut row.page_faults,
        ] {
            round(figure);
        }
        for figure in [&mut row.us_per_message, &mut row.percent, &mut row.speed_ratio, &mut row.size_ratio] {
            figure.iter_mut().for_each(round);
        }
        Rounded(row)
    }
}

/// CPUs that this process may run on.
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn cpu_model() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    // Virtual machines often hide the marketing name; family and model still identify the core.
    match (field("model name"), field("cpu family"), field("model\t")) {
        (Some(name), Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        (Some(name), ..) => name,
        _ => std::env::consts::ARCH.to_owned(),
    }
}

fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

fn git(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root);
    command
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_has_a_heading_and_one_line_per_row_with_empty_cells_for_missing_values() {
        let row = Row {
            contender: "a,b \"c\"".into(),
            cpu_ms: 1.234_567_89,
            size: Some(42),
            level: None,
            ..Row::default()
        };
        let mut out = Vec::new();
        write_csv(&[row], &mut out).unwrap();
        let mut reader = csv::Reader::from_reader(out.as_slice());
        let headings = reader.headers().unwrap().clone();
        let lines: Vec<csv::StringRecord> = reader.records().map(|line| line.unwrap()).collect();
        let cell = |name: &str| lines[0][headings.iter().position(|h| h == name).unwrap()].to_owned();
        assert_eq!(lines.len(), 1);
        assert_eq!(cell("contender"), "a,b \"c\"");
        assert_eq!(cell("cpu_ms"), "1.2346");
        assert_eq!(cell("size"), "42");
        assert_eq!(cell("level"), "");
        assert_eq!(cell("fault"), "");
    }

    #[test]
    fn a_written_record_can_be_read_back() {
        let record = Record {
            circumstances: Circumstances::now(Path::new("/")),
            corpora: Vec::new(),
            missing: vec!["peer: not built".into()],
            rows: vec![Row { op: "compress2".into(), ..Row::default() }],
        };
        let folder = std::env::temp_dir().join(format!("rigz-bench-record-{}", std::process::id()));
        record.write(&folder).unwrap();
        let again: Record = serde_json::from_slice(&fs::read(folder.join("run.json")).unwrap()).unwrap();
        assert_eq!(again.rows[0].op, "compress2");
        assert_eq!(again.missing, record.missing);
        fs::remove_dir_all(folder).unwrap();
    }
}
