//! Finds the contenders: libraries with zlib's API, measured call by call, and tools, run as whole processes.
//!
//! A contender that this machine lacks is omitted and reported. rigz runs with RIGZ_THREADS=1 where it is compared with single-threaded
//! libraries, and with each thread count in the threads section.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The contender that ratios are relative to, unless the command line names another.
pub const REFERENCE: &str = "zlib";
/// Our library.
pub const RIGZ: &str = "rigz";

/// A shared library that exports zlib's API.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LibraryPeer {
    pub name: String,
    pub path: PathBuf,
    pub levels: RangeInclusive<i32>,
    /// Environment variables of its turns.
    #[serde(default)]
    pub environment: Vec<(String, String)>,
}

/// A command that compresses or decompresses a file to stdout. `{level}`, `{threads}` and `{file}` are filled in.
#[derive(Clone, Debug)]
pub struct Tool {
    pub name: String,
    pub compress: Option<Vec<String>>,
    pub decompress: Option<Vec<String>>,
    pub levels: RangeInclusive<i32>,
    /// Whether it takes a thread count; if not, it runs only in rows with one thread.
    pub threaded: bool,
    /// Environment variables; `{threads}` is filled in.
    pub environment: Vec<(String, String)>,
    pub version: String,
}

/// The contenders that were found, and a line for each that was not.
pub struct Contenders {
    pub libraries: Vec<LibraryPeer>,
    pub tools: Vec<Tool>,
    pub missing: Vec<String>,
}

/// Looks for all contenders. `rigz` is our library's file; `peers` is the folder in which scripts/bench builds the others.
pub fn find(rigz: Option<&Path>, peers: &Path) -> Contenders {
    let mut found = Contenders { libraries: Vec::new(), tools: Vec::new(), missing: Vec::new() };
    let built = |name: &str| peers.join(name);
    let rigz = rigz.map(Path::to_owned);
    for (name, path, levels) in [
        (REFERENCE, Some(PathBuf::from("libz.so.1")), 1..=9),
        ("zlib-ng", Some(built("libz_ng.so")), 1..=9),
        ("zlib-rs", Some(built("libz_rs.so")), 1..=9),
        ("libdeflate", Some(built("libdeflate_z.so")), 1..=12),
        ("isa-l", Some(built("libisal_z.so")), 1..=3),
        (RIGZ, rigz.clone(), 1..=9),
    ] {
        match path.as_deref().map(crate::zlib::Library::open) {
            Some(Ok(library)) => match library.file() {
                Some(path) => found.libraries.push(LibraryPeer {
                    name: name.into(),
                    path,
                    levels,
                    environment: Vec::new(),
                }),
                None => found.missing.push(format!("{name}: does not export crc32")),
            },
            Some(Err(failure)) => found.missing.push(format!("{name}: {failure}")),
            None => found.missing.push(format!("{name}: not built")),
        }
    }
    let gzpipe = built("gzpipe").display().to_string();
    let preload = |path: &Path| {
        vec![("LD_PRELOAD".into(), path.display().to_string()), ("RIGZ_THREADS".into(), "{threads}".into())]
    };
    let mut tools = vec![
        tool("gzip", "gzip -c -{level} {file}", "gzip -dc {file}", 1..=9, false),
        tool("pigz", "pigz -c -{level} -p {threads} {file}", "pigz -dc -p {threads} {file}", 1..=9, true),
        tool(
            "libdeflate-gzip",
            "libdeflate-gzip -c -{level} {file}",
            "libdeflate-gunzip -c {file}",
            1..=12,
            false,
        ),
        tool("igzip", "igzip -c -{level} -T {threads} {file}", "igzip -dc {file}", 1..=3, true),
        tool(
            "crabz",
            "crabz -Q -l {level} -p {threads} {file}",
            "crabz -Q -d -p {threads} {file}",
            1..=9,
            true,
        ),
        tool("gzippy", "gzippy -c -{level} -p{threads} {file}", "gzippy -dc -p{threads} {file}", 1..=9, true),
        tool("rapidgzip", "", "rapidgzip -d -c -P {threads} {file}", 0..=0, true),
        tool(
            "gzpipe+zlib",
            &format!("{gzpipe} -{{level}} {{file}}"),
            &format!("{gzpipe} -d {{file}}"),
            1..=9,
            false,
        ),
    ];
    if let Some(path) = found.libraries.iter().find(|l| l.name == RIGZ).map(|l| l.path.clone()) {
        let mut ours = tool(
            "gzpipe+rigz",
            &format!("{gzpipe} -{{level}} {{file}}"),
            &format!("{gzpipe} -d {{file}}"),
            1..=9,
            true,
        );
        ours.environment = preload(&path);
        tools.push(ours);
    }
    for mut tool in tools {
        match identify(&tool, peers) {
            Ok(version) => {
                tool.version = version;
                found.tools.push(tool);
            }
            Err(why) => found.missing.push(format!("{}: {why}", tool.name)),
        }
    }
    found
}

fn tool(name: &str, compress: &str, decompress: &str, levels: RangeInclusive<i32>, threaded: bool) -> Tool {
    let words = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        (!words.is_empty()).then_some(words)
    };
    Tool {
        name: name.into(),
        compress: words(compress),
        decompress: words(decompress),
        levels,
        threaded,
        environment: Vec::new(),
        version: String::new(),
    }
}

impl Tool {
    /// Returns the command for one run, or `None` if the tool lacks this direction.
    pub fn command(&self, compress: bool, level: i32, threads: usize, file: &Path) -> Option<Command> {
        let words = if compress { self.compress.as_ref()? } else { self.decompress.as_ref()? };
        let fill = |word: &String| {
            word.replace("{level}", &level.to_string())
                .replace("{threads}", &threads.to_string())
                .replace("{file}", &file.display().to_string())
        };
        let mut filled = words.iter().map(fill);
        let mut command = Command::new(filled.next()?);
        command.args(filled);
        clean(&mut command);
        command.envs(self.environment.iter().map(|(name, value)| (name, fill(value))));
        Some(command)
    }
}

/// Removes environment variables that would change which library a child loads or how that library works.
pub fn clean(command: &mut Command) {
    for (name, _) in std::env::vars() {
        if name.starts_with("RIGZ_") || name.starts_with("LD_") || matches!(name.as_str(), "GZIP" | "PIGZ") {
            command.env_remove(name);
        }
    }
}

/// Returns a tool's version. For gzpipe that includes the file that its calls reach, so that an LD_PRELOAD without effect is detected.
fn identify(tool: &Tool, peers: &Path) -> Result<String, String> {
    let program = tool.decompress.as_ref().and_then(|words| words.first()).ok_or("no command")?;
    let version_option =
        if program.ends_with("gzpipe") || program.starts_with("libdeflate") || program == "igzip" {
            "-V"
        } else {
            "--version"
        };
    let mut command = Command::new(program);
    clean(&mut command);
    command.arg(version_option).envs(tool.environment.iter().map(|(n, v)| (n, v.replace("{threads}", "1"))));
    let output = command.output().map_err(|_| format!("{program} is not installed"))?;
    let text = [output.stdout, output.stderr].concat();
    let line = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned();
    if tool.environment.iter().any(|(name, value)| name == "LD_PRELOAD" && !line.ends_with(value.as_str())) {
        return Err(format!("under LD_PRELOAD the calls reach another library ({line})"));
    }
    Ok(line.replace(&format!("{}/", peers.display()), ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_only_decompresses_has_no_command_to_compress() {
        let reader = tool("reader", "", "reader -d {file}", 0..=0, false);
        assert!(reader.command(true, 6, 1, Path::new("f")).is_none());
        let command = reader.command(false, 6, 1, Path::new("f")).unwrap();
        assert_eq!(format!("{command:?}").matches("\"f\"").count(), 1);
    }

    #[test]
    fn level_threads_and_file_are_filled_in() {
        let pigz = tool("pigz", "pigz -{level} -p {threads} {file}", "", 1..=9, true);
        let command = pigz.command(true, 9, 4, Path::new("/tmp/x")).unwrap();
        let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        assert_eq!(arguments, ["-9", "-p", "4", "/tmp/x"]);
    }
}
