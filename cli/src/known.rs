//! Programs with known problems under rigz, the reasons, and the settings that avoid them. PORTING.md
//! describes the reasons in detail.

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::path::Path;

/// One program's problem.
#[derive(Debug)]
pub(crate) struct Known {
    /// The file's name.
    program: &'static str,
    /// A sentence for the user.
    pub(crate) reason: &'static str,
    /// Environment variables that avoid the problem.
    pub(crate) settings: &'static [(&'static str, &'static str)],
}

const KNOWN: &[Known] = &[Known {
    program: "gs",
    reason: "pdfwrite chooses between JPEG and Flate by what deflate() has returned so far, which depends on threads",
    settings: &[("RIGZ_THREADS", "1")],
}];

/// The program's known problem, if any.
pub(crate) fn of(program: &OsStr) -> Option<&'static Known> {
    let name = Path::new(program).file_name()?;
    KNOWN.iter().find(|known| name == known.program)
}

impl Known {
    /// The settings in shell syntax.
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
