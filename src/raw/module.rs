//! Which file of the process contains a piece of code: `stream::policy` recognises programs by it.

use std::ffi::{CStr, c_void};

/// Whether `is_wanted` accepts the file name, without its folder, of the program or library that contains the code at `address`.
///
/// Allocates nothing. Takes the loader's lock, so call it rarely. It uses `dladdr`, whose lock `fork` reinitialises in the child,
/// unlike that of `dl_iterate_phdr`.
#[cold]
pub fn is_in_file(address: usize, is_wanted: impl Fn(&[u8]) -> bool) -> bool {
    let Some(found) = description(address) else { return false };
    // SAFETY: getauxval has no preconditions.
    let headers = unsafe { libc::getauxval(libc::AT_PHDR) } as usize;
    let program = description(headers).map(|program| program.dli_fbase);
    if program == Some(found.dli_fbase) {
        // The loader reports the name by which the program was called, which may not be its file name.
        return is_wanted(base(program_path(&mut [0; PATH_MAX])));
    }
    // SAFETY: a C string, which the loader keeps as long as the file is mapped. The caller asks about code on its call stack,
    // so the file stays mapped during this call.
    is_wanted(base(unsafe { CStr::from_ptr(found.dli_fname) }.to_bytes()))
}

/// Room for the program's path. A longer path counts as unknown.
const PATH_MAX: usize = 512;

/// The loader's description of the file that contains `address`. Its name is not null.
fn description(address: usize) -> Option<libc::Dl_info> {
    // SAFETY: all-zero is a valid value of this struct of pointers.
    let mut found: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: `dladdr` accepts any address, and `found` is writable.
    let is_found = unsafe { libc::dladdr(address as *const c_void, &mut found) } != 0;
    (is_found && !found.dli_fname.is_null()).then_some(found)
}

/// The path of the running program; empty when it is unknown or does not fit.
fn program_path(room: &mut [u8; PATH_MAX]) -> &[u8] {
    // SAFETY: the path is a C string, and `room` has `room.len()` bytes.
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
