//! The few environment switches, read once.
//!
//! They are read with `secure_getenv`, so that the caller of a setuid program that links us cannot set them. An invalid value
//! counts as not set: a library has nowhere to report it. A program that links the crate may override the environment with
//! [`preset`], before anything else reads it.

use crate::raw::process::FirstMade;
use core::ffi::{CStr, c_char};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The settings of this process.
#[derive(Debug, Default)]
pub struct Config {
    /// `RIGZ_THREADS`: how many threads, the caller's included, may compress or decode; 1 means serial. Default: the number of processors
    /// that affinity and cgroup allow.
    pub threads: Option<usize>,
    /// `RIGZ_CHUNK`: bytes per chunk, at least 32 KiB, so that the markers between chunks stay within zlib's `compressBound()`.
    /// For experiments: it changes the output.
    pub chunk: Option<usize>,
    /// `RIGZ_THRESHOLD`: from this many unflushed bytes on, workers are used; for experiments.
    pub threshold: Option<usize>,
    /// `RIGZ_MEMORY`: the bound, in bytes, of all memory used for speed: chunks, results decoded ahead, tables; see `budget`.
    /// 0 means that every stream is serial.
    pub memory: Option<usize>,
    /// `RIGZ_HOLD_BACK=any`: work may be in flight between `deflate()` calls of any program, whatever output space the calls have.
    pub hold_back: bool,
    /// `RIGZ_FORMAT=bgzf`: `gzopen` writes BGZF, so that bgzip, tabix and samtools have random access to the file.
    pub bgzf: bool,
    /// `RIGZ_CHECKPOINT`: bytes of data between two checkpoints that a gzip file's reader keeps for seeking back; for experiments.
    pub checkpoint: Option<usize>,
    /// `RIGZ_LEVEL_MAP`: replaces the levels that the program requests; the only way to levels 10 to 12, which zlib's interface
    /// does not have.
    pub level_map: LevelMap,
    /// `RIGZ_STATS`: the file to which each finished stream appends one line of JSON.
    pub stats: Option<PathBuf>,
    /// `RIGZ_LOG`: the file to which each decision for or against threads appends one line.
    pub log: Option<PathBuf>,
    /// `RIGZ_TRACE`: the file to which streams, chunks and waits append events (`trace`).
    pub trace: Option<PathBuf>,
}

static CONFIG: FirstMade<Config> = FirstMade::new();

/// The settings of this process: those of [`preset`], or else the environment at the first call. While they cannot be
/// stored for lack of memory, nothing counts as set.
pub fn config() -> &'static Config {
    static UNSET: Config = Config::UNSET;
    CONFIG.get_or_make(Config::from_environment).unwrap_or(&UNSET)
}

/// Makes `config` the settings of this process. Returns false, and changes nothing, if they were already set or read.
pub fn preset(config: Config) -> bool {
    CONFIG.set(config)
}

impl Config {
    const UNSET: Self = Self {
        threads: None,
        chunk: None,
        threshold: None,
        memory: None,
        hold_back: false,
        bgzf: false,
        checkpoint: None,
        level_map: LevelMap::SAME,
        stats: None,
        log: None,
        trace: None,
    };

    /// The settings in the environment.
    pub fn from_environment() -> Self {
        Self {
            threads: number(c"RIGZ_THREADS", 1, 1024),
            chunk: number(c"RIGZ_CHUNK", 32 << 10, 64 << 20),
            threshold: number(c"RIGZ_THRESHOLD", 1, usize::MAX >> 1),
            memory: number(c"RIGZ_MEMORY", 0, usize::MAX >> 1),
            hold_back: variable(c"RIGZ_HOLD_BACK", |name| (name == c"any").then_some(())).is_some(),
            bgzf: variable(c"RIGZ_FORMAT", |name| (name == c"bgzf").then_some(())).is_some(),
            checkpoint: number(c"RIGZ_CHECKPOINT", 1 << 10, 1 << 40),
            level_map: variable(c"RIGZ_LEVEL_MAP", |text| LevelMap::parse(text.to_str().ok()?))
                .unwrap_or_default(),
            stats: file(c"RIGZ_STATS"),
            log: file(c"RIGZ_LOG"),
            trace: file(c"RIGZ_TRACE"),
        }
    }
}

/// The switches with an invalid value, which count as not set: each name with a description of valid
/// values. For a program that starts others and can report them instead of the library.
pub fn misunderstood() -> impl Iterator<Item = (&'static str, &'static str)> {
    let read = Config::from_environment();
    let map = variable(c"RIGZ_LEVEL_MAP", |text| LevelMap::parse(text.to_str().ok()?));
    let understood = [
        read.threads.is_some(),
        read.chunk.is_some(),
        read.threshold.is_some(),
        read.bgzf,
        read.checkpoint.is_some(),
        map.is_some(),
        read.stats.is_some(),
        read.memory.is_some(),
        read.log.is_some(),
        read.trace.is_some(),
        read.hold_back,
    ];
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    SWITCHES
        .into_iter()
        .zip(understood)
        .filter(move |((name, _), ok)| !ok && is_set(name))
        .map(|(switch, _)| switch)
}

/// All switches, each with a description of its valid values.
pub const SWITCHES: [(&str, &str); 11] = [
    ("RIGZ_THREADS", "a number from 1 to 1024"),
    ("RIGZ_CHUNK", "bytes from 32K to 64M"),
    ("RIGZ_THRESHOLD", "a number of bytes, such as 1M"),
    ("RIGZ_FORMAT", "bgzf"),
    ("RIGZ_CHECKPOINT", "bytes from 1K up"),
    ("RIGZ_LEVEL_MAP", "pairs such as 6=9,9=12"),
    ("RIGZ_STATS", "a path of at most 383 bytes"),
    ("RIGZ_MEMORY", "a number of bytes, such as 64M"),
    ("RIGZ_LOG", "a path of at most 383 bytes"),
    ("RIGZ_TRACE", "a path of at most 383 bytes"),
    ("RIGZ_HOLD_BACK", "any"),
];

/// The longest path that the standard library opens without a heap allocation.
const LONGEST_PATH: usize = 383;

fn file(name: &CStr) -> Option<PathBuf> {
    variable(name, |path| {
        let path = path.to_bytes();
        let mut copy = Vec::new();
        copy.try_reserve_exact(path.len()).ok()?;
        copy.extend_from_slice(path);
        (1..=LONGEST_PATH).contains(&path.len()).then(|| OsString::from_vec(copy).into())
    })
}

/// For each level that a program may request, the level that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelMap([u8; 10]);

impl Default for LevelMap {
    /// Changes no level.
    fn default() -> Self {
        Self::SAME
    }
}

impl LevelMap {
    const SAME: Self = Self([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);

    /// The level to use for `level`; returns `level` itself if a program cannot request it.
    pub fn get(&self, level: u32) -> u32 {
        self.0.get(level as usize).map_or(level, |&mapped| u32::from(mapped))
    }

    /// Parses pairs such as `6=9,9=12`: 1 to 9 before the sign, 1 to 12 after it. Each level is mapped once: the 6 above becomes
    /// 9, not 12. `None` if the text contains anything else, or maps a level twice.
    fn parse(text: &str) -> Option<Self> {
        let mut map = [None; 10];
        for pair in text.split(',') {
            let (asked, given) = pair.split_once('=')?;
            let (asked, given) = (parse(asked)?, parse(given)?);
            let place = map.get_mut(asked).filter(|_| asked > 0 && (1..=12).contains(&given))?;
            if place.replace(given as u8).is_some() {
                return None;
            }
        }
        let Self(same) = Self::SAME;
        Some(Self(std::array::from_fn(|level| map[level].unwrap_or(same[level]))))
    }
}

/// A whole number in `low..=high`, with an optional K, M or G after it.
fn number(name: &CStr, low: usize, high: usize) -> Option<usize> {
    variable(name, |text| parse(text.to_str().ok()?)).filter(|value| (low..=high).contains(value))
}

fn parse(text: &str) -> Option<usize> {
    let text = text.trim();
    let (digits, unit) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1 << 10),
        b'm' | b'M' => (&text[..text.len() - 1], 1 << 20),
        b'g' | b'G' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

unsafe extern "C" {
    /// As `getenv`, but null in a program that runs with more rights than its caller. Not declared by the libc crate.
    fn secure_getenv(name: *const c_char) -> *mut c_char;
}

/// Applies `read` to a variable's value, if it is set. The value itself is not returned: the next `setenv` may change it.
fn variable<T>(name: &CStr, read: impl FnOnce(&CStr) -> Option<T>) -> Option<T> {
    // SAFETY: `name` is a C string; the result is null or the environment's own string.
    let value = unsafe { secure_getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: not null, so it is a C string, unchanged while no thread changes the environment: every reader relies on that.
    read(unsafe { CStr::from_ptr(value) })
}

#[cfg(test)]
mod tests {
    use super::{LevelMap, parse};

    #[test]
    fn a_level_map_replaces_the_listed_levels() {
        let map = LevelMap::parse("6=9, 9 = 12").expect("a map");
        assert_eq!((0..=9).map(|level| map.get(level)).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 9, 7, 8, 12]);
        assert_eq!((map.get(10), map.get(u32::MAX)), (10, u32::MAX));
        assert_eq!(LevelMap::default().get(6), 6);
        for wrong in [
            "",
            "9",
            "9=",
            "=9",
            "9=13",
            "9=0",
            "0=9",
            "10=9",
            "9=12;6=9",
            "9=12,",
            "9=12,9=11",
            "9=-1",
            "9=1K",
        ] {
            assert_eq!(LevelMap::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn numbers_accept_k_m_and_g() {
        assert_eq!(parse("3"), Some(3));
        assert_eq!(parse(" 64K "), Some(65_536));
        assert_eq!(parse("2m"), Some(2 << 20));
        assert_eq!(parse("3G"), Some(3 << 30));
        assert_eq!(parse("99999999999G"), None);
        assert_eq!(parse(""), None);
        assert_eq!(parse("K"), None);
        assert_eq!(parse("-1"), None);
        assert_eq!(parse("99999999999999999999"), None);
    }
}
