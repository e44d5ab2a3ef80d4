//! The report of `rigz check` about one program, from its files: whether it can be accelerated, which
//! files call zlib, and if none does, why.

#![forbid(unsafe_code)]

use crate::elf::{self, Facts, Machine, Unfit, is_bulk};
use crate::image::Image;
use crate::known;
use crate::loader::Loader;
use crate::say::{json_line, shown};
use crate::script::Target;
use serde_json::json;
use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The report names these functions if a program calls them, and only counts the others.
const NAMED: [&str; 6] = ["deflate", "inflate", "compress", "uncompress", "gzwrite", "gzread"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Yes,
    Perhaps,
    No,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Yes => "yes",
            Verdict::Perhaps => "perhaps",
            Verdict::No => "no",
        }
    }
}

/// A file that calls zlib, and which of its functions.
#[derive(Debug)]
struct Caller {
    path: PathBuf,
    functions: BTreeSet<String>,
    /// Whole buffers go through libdeflate, which this file calls too.
    has_libdeflate: bool,
}

/// The report about one program.
#[derive(Debug)]
pub(crate) struct Finding {
    name: String,
    /// The file that was examined, such as a script's interpreter.
    file: PathBuf,
    pub(crate) verdict: Verdict,
    reasons: Vec<String>,
    callers: Vec<Caller>,
}

/// Facts collected from all libraries of a program.
#[derive(Debug, Default)]
struct Met {
    /// Files that may load more while they run.
    openers: Vec<String>,
    names: BTreeSet<String>,
}

impl Finding {
    pub(crate) fn of(name: &OsStr, image: &Image, loader: &Loader<'_>) -> Result<Self, String> {
        let target = Target::find(image, name)?;
        let mut finding = Finding {
            name: shown(&name),
            file: target.path.clone(),
            verdict: Verdict::No,
            reasons: target.steps.clone(),
            callers: Vec::new(),
        };
        match elf::read(&target.data) {
            Ok(facts) => finding.judge(facts, &target, image, loader),
            Err(unfit) => finding.reasons.push(match unfit {
                Unfit::NotElf => "it is neither an ELF file nor a script".into(),
                Unfit::OtherMachine => {
                    "it is a 32-bit program or for a processor that rigz does not support".into()
                }
                Unfit::Damaged(how) => format!("its ELF headers are damaged: {how}"),
            }),
        }
        if let Some(known) = known::of(name).filter(|_| finding.verdict != Verdict::No) {
            let (why, what) = (known.reason, known.advice());
            finding.reasons.push(format!("{why}: `rigz run` sets {what} for it"));
        }
        Ok(finding)
    }

    fn judge(&mut self, facts: Facts, target: &Target, image: &Image, loader: &Loader<'_>) {
        let shape = facts.shape.clone();
        let has_own =
            facts.own_zlib.is_some() || facts.exports.iter().any(|name| NAMED.contains(&name.as_str()));
        let starts_programs = facts.starts_programs || target.script.is_some();
        let obstacle = self.obstacle(&facts, image);
        if shape.is_library {
            self.reasons.push("it is a library: the answer applies to programs that load it".into());
        }
        let is_blocked = obstacle.is_some();
        self.reasons.extend(obstacle);
        let mut met = Met::default();
        self.walk(self.file.clone(), facts, &mut met, image, loader);
        let linked = self.callers.len();
        if !is_blocked {
            self.walk_modules(target, &mut met, image, loader);
        }
        let bulk = |caller: &Caller| caller.functions.iter().any(|name| is_bulk(name));
        let is_linked = self.callers[..linked].iter().any(|caller| bulk(caller) && !caller.has_libdeflate);
        let is_loaded = self.callers[linked..].iter().any(|caller| bulk(caller) && !caller.has_libdeflate);
        let is_aside = self.callers.iter().any(|caller| bulk(caller) && caller.has_libdeflate);
        self.verdict = match () {
            () if is_blocked => Verdict::No,
            () if is_linked || (is_loaded && target.script.is_none()) => Verdict::Yes,
            () if is_loaded => {
                self.reasons.push("it is not known whether the script loads that module".into());
                Verdict::Perhaps
            }
            () if is_aside => Verdict::Perhaps,
            () if has_own => Verdict::No,
            () if starts_programs => {
                self.reasons.push("it may start other programs: children inherit the preload".into());
                Verdict::Perhaps
            }
            () if !met.openers.is_empty() => {
                let openers = met.openers.join(" and ");
                self.reasons.push(format!(
                    "nothing it needs calls libz.so.1, but {openers} may load a library that does"
                ));
                Verdict::Perhaps
            }
            () if !self.callers.is_empty() => {
                self.reasons.push("nothing in it compresses or decompresses with libz.so.1".into());
                Verdict::No
            }
            () => {
                self.reasons.push("neither it nor a library it needs calls libz.so.1".into());
                Verdict::No
            }
        };
    }

    /// Why the loader would not preload anything.
    fn obstacle(&self, facts: &Facts, image: &Image) -> Option<String> {
        let machine = facts.shape.machine;
        if image.is_here() && machine != Machine::own() {
            return Some(format!("it is for {}, and this machine is {}", machine.name, Machine::own().name));
        }
        facts.shape.obstacle().or_else(|| privileges(&image.outside(&self.file)?))
    }

    /// Examines the modules that an interpreter loads while it runs.
    fn walk_modules(&mut self, target: &Target, met: &mut Met, image: &Image, loader: &Loader<'_>) {
        for module in target.modules(image) {
            let facts = image.read(&module).ok().and_then(|data| elf::read(&data).ok());
            if let Some(facts) = facts {
                self.walk(module, facts, met, image, loader);
            }
        }
    }

    /// Examines a file and all libraries it needs, each once.
    fn walk(&mut self, start: PathBuf, facts: Facts, met: &mut Met, image: &Image, loader: &Loader<'_>) {
        let program_rpath = facts.rpath.clone();
        let mut queue = VecDeque::from([(start.clone(), facts)]);
        while let Some((path, facts)) = queue.pop_front() {
            if facts.opens_libraries {
                met.openers.push(shown(&path));
            }
            self.note_inside(&path, &facts);
            if !facts.imports.is_empty() && facts.needed.iter().any(|name| name == "libz.so.1") {
                let has_libdeflate = facts.needs_libdeflate();
                if has_libdeflate {
                    let path = shown(&path);
                    self.reasons.push(format!(
                        "{path} also calls libdeflate, which does most of the work and is not replaced"
                    ));
                }
                self.callers.push(Caller {
                    path: path.clone(),
                    functions: facts.imports.clone(),
                    has_libdeflate,
                });
            }
            for name in &facts.needed {
                if name.starts_with("libz.so") || !met.names.insert(name.clone()) {
                    continue;
                }
                if name.starts_with("libz-ng.so") {
                    self.reasons
                        .push(format!("{} calls zlib-ng by zlib-ng's own function names", shown(&path)));
                }
                let rpath = if path == start { &facts.rpath } else { &program_rpath };
                let Some(found) = loader.find(name, &path, facts.shape.machine, rpath, &facts.runpath) else {
                    // If the loader would not find a module's library, the program may already have loaded it.
                    if start == self.file {
                        self.reasons.push(format!("{name}, which {} needs, is not found", shown(&path)));
                    }
                    continue;
                };
                if let Some(facts) = image.read(&found).ok().and_then(|data| elf::read(&data).ok()) {
                    queue.push_back((found, facts));
                }
            }
        }
    }

    /// Reports other DEFLATE code in a file, which is not replaced.
    fn note_inside(&mut self, path: &Path, facts: &Facts) {
        let own = facts.own_zlib.iter().map(|version| format!("its own zlib {version}"));
        // libdeflate, and a library that needs it, are reported with the calls of zlib.
        let is_libdeflate =
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"libdeflate.so"));
        let is_reported = facts.needs_libdeflate()
            || (is_libdeflate && self.callers.iter().any(|caller| caller.has_libdeflate));
        let others = facts.inside.iter().filter(|_| !is_reported).cloned();
        for inside in own.chain(others) {
            self.reasons.push(format!("{} contains {inside}, which is not replaced", shown(&path)));
        }
        if path == self.file && facts.exports.iter().any(|name| NAMED.contains(&name.as_str())) {
            self.reasons.push(format!(
                "{} exports zlib's functions itself: they take precedence over a preloaded library",
                shown(&path)
            ));
        }
    }

    pub(crate) fn text(&self, is_verbose: bool) -> String {
        let mut text = format!("{}: {}\n", self.name, self.verdict.word());
        for caller in &self.callers {
            let count = caller.functions.len();
            let bulk: Vec<_> = NAMED.into_iter().filter(|name| caller.functions.contains(*name)).collect();
            let bulk = if bulk.is_empty() { String::new() } else { format!(", such as {}", bulk.join(", ")) };
            _ = writeln!(text, "    {} calls {count} functions of libz.so.1{bulk}", shown(&caller.path));
            if is_verbose {
                let names: Vec<_> = caller.functions.iter().map(String::as_str).collect();
                _ = writeln!(text, "        {}", names.join(" "));
            }
        }
        for reason in &self.reasons {
            _ = writeln!(text, "    {reason}");
        }
        text
    }

    pub(crate) fn json(&self) -> String {
        let callers: Vec<_> = self
            .callers
            .iter()
            .map(|caller| json!({ "file": shown(&caller.path), "functions": caller.functions }))
            .collect();
        json_line(&json!({
            "program": self.name,
            "file": shown(&self.file),
            "accelerated": self.verdict.word(),
            "callers": callers,
            "reasons": self.reasons,
        }))
    }
}

/// Why the loader ignores `LD_PRELOAD` for a file with elevated privileges.
fn privileges(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).map_or(0, |status| status.mode());
    if mode & 0o6000 != 0 {
        return Some("it is setuid or setgid: the loader ignores LD_PRELOAD".into());
    }
    crate::signals::has_capabilities(path)
        .then(|| "it has file capabilities: the loader ignores LD_PRELOAD".into())
}
