//! Programs that are known to go wrong on rigz, why, and the settings with which they go right.
//! PORTING.md has the reasons at length.

#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// What is known of one program.
#[derive(Debug)]
pub(crate) struct Known {
    /// The file's name.
    program: &'static str,
    /// A word that must be among the arguments; empty if any use of the program is meant.
    argument: &'static str,
    /// A sentence for the user.
    pub(crate) reason: &'static str,
    /// Variables of the environment with which it goes right.
    pub(crate) settings: &'static [(&'static str, &'static str)],
}

/// Little is held back, and nothing is left in threads.
const AT_ONCE: &[(&str, &str)] = &[("RIGZ_THRESHOLD", "1000000000"), ("RIGZ_CHUNK", "65536")];

const KNOWN: &[Known] = &[
    Known {
        program: "fossil",
        argument: "",
        reason: "its tarballs may be cut off, because it calls deflate(Z_FINISH) once and ignores the result",
        settings: AT_ONCE,
    },
    Known {
        program: "zstd",
        argument: "--format=gzip",
        reason: "its gzip files may be cut off, because it calls deflate(Z_FINISH) once and ignores the result",
        settings: AT_ONCE,
    },
    Known {
        program: "gs",
        argument: "",
        reason: "pdfwrite chooses between JPEG and Flate by what deflate() has returned so far, which depends on threads",
        settings: &[("RIGZ_THREADS", "1")],
    },
];

/// What is known of a program that is to be run with these arguments.
pub(crate) fn with_arguments(program: &OsStr, arguments: &[OsString]) -> Option<&'static Known> {
    of(program).filter(|known| {
        known.argument.is_empty() || arguments.iter().any(|argument| argument.as_os_str() == known.argument)
    })
}

/// What is known of a program, with whatever arguments.
pub(crate) fn of(program: &OsStr) -> Option<&'static Known> {
    let name = Path::new(program).file_name()?;
    KNOWN.iter().find(|known| name == known.program)
}

impl Known {
    /// The settings as a shell has them.
    pub(crate) fn advice(&self) -> String {
        let settings: Vec<_> = self.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        settings.join(" ")
    }

    /// When it happens.
    pub(crate) fn condition(&self) -> String {
        if self.argument.is_empty() { String::new() } else { format!("with {}, ", self.argument) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_count_where_they_matter() {
        let found = |program: &str, arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
            with_arguments(OsStr::new(program), &arguments).map(|known| known.program)
        };
        assert_eq!(found("/usr/bin/fossil", &["tarball"]), Some("fossil"));
        assert_eq!(found("zstd", &["-9", "--format=gzip"]), Some("zstd"));
        assert_eq!(found("zstd", &["-9"]), None);
        assert_eq!(found("python3", &[]), None);
    }
}
