//! Programs that are known to go wrong on rigz, why, and the settings with which they go right.
//! PORTING.md has the reasons at length.

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::path::Path;

/// What is known of one program.
#[derive(Debug)]
pub(crate) struct Known {
    /// The file's name.
    program: &'static str,
    /// A sentence for the user.
    pub(crate) reason: &'static str,
    /// Variables of the environment with which it goes right.
    pub(crate) settings: &'static [(&'static str, &'static str)],
}

const KNOWN: &[Known] = &[Known {
    program: "gs",
    reason: "pdfwrite chooses between JPEG and Flate by what deflate() has returned so far, which depends on threads",
    settings: &[("RIGZ_THREADS", "1")],
}];

/// What is known of a program.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_file_name() {
        let found = |program: &str| of(OsStr::new(program)).map(|known| known.program);
        assert_eq!(found("/usr/bin/gs"), Some("gs"));
        assert_eq!(found("python3"), None);
    }
}
