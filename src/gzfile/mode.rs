//! The mode string of `gzopen` and `gzdopen`: `"rb"`, `"wb9"`, `"ab1h"`, `"wxe"`, `"rN"`.
//!
//! Letters may come in any order; of two that contradict each other the last one wins. Unknown letters are ignored, as
//! in zlib: programs pass the modes they would pass to `fopen`. Only these are refused: `+` (a file cannot be read and
//! written at once), a string without `r`, `w` or `a`, a transparent read (`rT`) and a forced gzip write (`wG`).

#![forbid(unsafe_code)]

use crate::stream::Strategy;

/// How the file is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// `r`: decode from the descriptor's current position.
    Read,
    /// `w`: truncate and encode.
    Write,
    /// `a`: append another member.
    Append,
}

/// The format of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// A gzip file; when reading, the first bytes decide whether it is one.
    Default,
    /// `T`, writing only: the bytes as they are.
    Plain,
    /// `G`, reading only: gzip, regardless of the first bytes.
    Gzip,
}

/// A parsed mode string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) access: Access,
    /// `0` to `9`, or -1 for the default.
    pub(super) level: i32,
    pub(super) strategy: Strategy,
    pub(super) framing: Framing,
    /// `x`: the file must not exist.
    pub(super) exclusive: bool,
    /// `e`: programs started by this one do not inherit the descriptor.
    pub(super) close_on_exec: bool,
    /// `N`: reads and writes fail with `EAGAIN` where they would wait.
    pub(super) non_blocking: bool,
}

impl Mode {
    /// Reads a mode string; `None` where zlib refuses it.
    pub(super) fn parse(letters: &[u8]) -> Option<Self> {
        let mut access = None;
        let mut mode = Self {
            access: Access::Read,
            level: -1,
            strategy: Strategy::Default,
            framing: Framing::Default,
            exclusive: false,
            close_on_exec: false,
            non_blocking: false,
        };
        for &letter in letters {
            match letter {
                b'0'..=b'9' => mode.level = i32::from(letter - b'0'),
                b'r' => access = Some(Access::Read),
                b'w' => access = Some(Access::Write),
                b'a' => access = Some(Access::Append),
                b'+' => return None,
                b'e' => mode.close_on_exec = true,
                b'x' => mode.exclusive = true,
                b'f' => mode.strategy = Strategy::Filtered,
                b'h' => mode.strategy = Strategy::HuffmanOnly,
                b'R' => mode.strategy = Strategy::Rle,
                b'F' => mode.strategy = Strategy::Fixed,
                b'T' => mode.framing = Framing::Plain,
                b'G' => mode.framing = Framing::Gzip,
                b'N' => mode.non_blocking = true,
                _ => {}
            }
        }
        mode.access = access?;
        let refused = match mode.access {
            Access::Read => Framing::Plain,
            Access::Write | Access::Append => Framing::Gzip,
        };
        (mode.framing != refused).then_some(mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(letters: &str) -> Mode {
        Mode::parse(letters.as_bytes()).unwrap()
    }

    #[test]
    fn letters_come_in_any_order() {
        assert_eq!(parsed("9hbw"), parsed("wb9h"));
        assert_eq!(parsed("wb9h").level, 9);
        assert_eq!(parsed("wb9h").strategy, Strategy::HuffmanOnly);
    }

    #[test]
    fn the_last_of_contradicting_letters_wins() {
        assert_eq!(parsed("rw1a").access, Access::Append);
        assert_eq!(parsed("w19").level, 9);
        assert_eq!(parsed("wfR").strategy, Strategy::Rle);
        assert_eq!(parsed("wGT").framing, Framing::Plain);
        assert_eq!(parsed("rTG").framing, Framing::Gzip);
    }

    #[test]
    fn unknown_letters_are_ignored() {
        assert_eq!(parsed("rbtz,"), parsed("r"));
    }

    #[test]
    fn zlibs_refusals_are_ours() {
        for refused in ["", "b9", "r+", "+r", "w+b", "rT", "wG", "aG", "rGT", "wTG"] {
            assert_eq!(Mode::parse(refused.as_bytes()), None, "{refused}");
        }
    }

    #[test]
    fn flags_of_open_are_kept() {
        let mode = parsed("wxeN");
        assert!(mode.exclusive && mode.close_on_exec && mode.non_blocking);
        let mode = parsed("w");
        assert!(!mode.exclusive && !mode.close_on_exec && !mode.non_blocking);
    }
}
