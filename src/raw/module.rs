//! Which file of the process a piece of code came from.

use std::ffi::{CStr, c_void};

/// Whether the program or library that holds the code at `address` has a name, without its folder, that `is_wanted`.
///
/// Allocates nothing. Takes the loader's lock, so it is for rare use: the lock of `dladdr`, which `fork` makes anew in the child,
/// unlike that of `dl_iterate_phdr`.
#[cold]
pub fn is_in_file(address: usize, is_wanted: impl Fn(&[u8]) -> bool) -> bool {
    let Some(found) = description(address) else { return false };
    // SAFETY: getauxval has no preconditions.
    let headers = unsafe { libc::getauxval(libc::AT_PHDR) } as usize;
    let program = description(headers).map(|program| program.dli_fbase);
    if program == Some(found.dli_fbase) {
        // The loader names the program as it was called, which may be by another name than its own.
        return is_wanted(base(program_path(&mut [0; PATH_MAX])));
    }
    // SAFETY: a C string, which the loader keeps as long as the file is mapped. Who asks about code that it is called by keeps
    // the file mapped for longer than this looks at the name.
    is_wanted(base(unsafe { CStr::from_ptr(found.dli_fname) }.to_bytes()))
}

/// Bytes of a path that are looked at. A program with a longer one is as good as unknown.
const PATH_MAX: usize = 512;

/// What the loader knows of the file that holds `address`. Its name is not null.
fn description(address: usize) -> Option<libc::Dl_info> {
    // SAFETY: all-zero is a valid value of this struct of pointers.
    let mut found: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: any address may be asked for, and the result is ours.
    let is_found = unsafe { libc::dladdr(address as *const c_void, &mut found) } != 0;
    (is_found && !found.dli_fname.is_null()).then_some(found)
}

/// The path of the running program; empty when it is unknown or does not fit.
fn program_path(room: &mut [u8; PATH_MAX]) -> &[u8] {
    // SAFETY: the path is a C string, and `room` has as many bytes as are named.
    let len = unsafe { libc::readlink(c"/proc/self/exe".as_ptr(), room.as_mut_ptr().cast(), room.len()) };
    match usize::try_from(len) {
        Ok(len) if len < room.len() => &room[..len],
        _ => &[],
    }
}

/// The last part of a path.
fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_function_of_the_c_library_is_in_the_c_library() {
        // Not `malloc`, which a sanitizer may have replaced.
        assert!(is_in_file(libc::getppid as *const () as usize, |name| name.starts_with(b"libc")));
    }

    #[test]
    fn a_function_of_the_program_is_in_the_program() {
        let program = std::env::current_exe().expect("a program");
        assert!(is_in_file(base as *const () as usize, |name| name == base(program.as_os_str().as_bytes())));
    }

    #[test]
    fn an_address_of_no_file_is_in_none() {
        assert!(!is_in_file(0, |_| true));
    }
}
