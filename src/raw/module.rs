//! Finds the program or shared library that contains a code address. By its file name, `stream::policy` recognises the code that
//! creates a stream.

use std::ffi::{CStr, c_void};

/// Whether `address` is in a program or library whose file name, without the folder, `is_wanted` accepts.
///
/// That file must not be unloaded during the call. Allocates nothing. Takes the loader's lock, so call it rarely. It uses `dladdr`,
/// because glibc's `fork` reinitialises the lock of that function in the child, but not the lock of `dl_iterate_phdr`.
#[cold]
pub fn is_in_file(address: usize, is_wanted: impl Fn(&[u8]) -> bool) -> bool {
    let Some(found) = description(address) else { return false };
    // SAFETY: getauxval has no preconditions.
    let headers = unsafe { libc::getauxval(libc::AT_PHDR) } as usize;
    let program = description(headers).map(|program| program.dli_fbase);
    if program == Some(found.dli_fbase) {
        // The loader reports the name by which the program was called, which may not be its file name.
        return is_wanted(file_name(program_path(&mut [0; PATH_ROOM])));
    }
    // SAFETY: a C string, which the loader keeps as long as the file is mapped. The file contains the code that created a stream,
    // and a program that compresses with this stream does not unload the file at the same time.
    is_wanted(file_name(unsafe { CStr::from_ptr(found.dli_fname) }.to_bytes()))
}

/// Bytes for the program's path. A path of this length or longer counts as unknown.
const PATH_ROOM: usize = 512;

/// The loader's description of the file that contains `address`. Its name is not null.
fn description(address: usize) -> Option<libc::Dl_info> {
    // SAFETY: all-zero is a valid value of this struct of pointers.
    let mut found: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: `dladdr` accepts any address, and `found` is writable.
    let is_found = unsafe { libc::dladdr(address as *const c_void, &mut found) } != 0;
    (is_found && !found.dli_fname.is_null()).then_some(found)
}

/// The path of the running program; empty when it is unknown or does not fit.
fn program_path(room: &mut [u8; PATH_ROOM]) -> &[u8] {
    // SAFETY: the link's name is a C string, and `room` has `room.len()` bytes.
    let len = unsafe { libc::readlink(c"/proc/self/exe".as_ptr(), room.as_mut_ptr().cast(), room.len()) };
    match usize::try_from(len) {
        Ok(len) if len < room.len() => &room[..len],
        _ => &[],
    }
}

/// The last component of a path.
fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    #[cfg_attr(miri, ignore = "miri has no dladdr")]
    fn a_function_of_the_c_library_is_in_the_c_library() {
        // `getppid`, because a sanitizer replaces functions such as `malloc` by its own.
        let address = libc::getppid as *const () as usize;
        assert!(is_in_file(address, |name| name.starts_with(b"libc")));
        assert!(!is_in_file(address, |name| !name.starts_with(b"libc")));
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no dladdr")]
    fn a_function_of_the_program_is_in_the_program() {
        let program = std::env::current_exe().expect("a program");
        let expected = file_name(program.as_os_str().as_bytes());
        assert!(is_in_file(file_name as *const () as usize, |name| name == expected));
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no dladdr")]
    fn a_null_address_is_in_no_file() {
        assert!(!is_in_file(0, |_| true));
    }
}
