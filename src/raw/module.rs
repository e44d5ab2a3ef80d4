//! Which file of the process a piece of code came from.

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What is looked for, and what was found.
struct Search<'a> {
    address: usize,
    is_wanted: &'a dyn Fn(&[u8]) -> bool,
    is_found: bool,
}

/// Whether the program or library that holds the code at `address` has a name, without its folder, that `is_wanted`.
///
/// Takes the loader's lock, so it is for rare use; and holds it while it looks at the name, so a library that is being unloaded does
/// no harm. `is_wanted` must not call the loader.
pub fn is_in_file(address: usize, is_wanted: impl Fn(&[u8]) -> bool) -> bool {
    let mut search = Search { address, is_wanted: &is_wanted, is_found: false };
    // SAFETY: `look_at` takes a `Search`, which lives until the call returns.
    unsafe { libc::dl_iterate_phdr(Some(look_at), (&raw mut search).cast()) };
    search.is_found
}

/// Looks at one file of the process. 1 when it holds the address, which ends the search.
unsafe extern "C" fn look_at(file: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> c_int {
    // SAFETY: the loader passes a valid description.
    let file = unsafe { &*file };
    // SAFETY: `is_in_file` passes a `Search` that nobody else uses meanwhile.
    let search = unsafe { &mut *search.cast::<Search<'_>>() };
    // SAFETY: the loader's description has so many headers.
    let headers = unsafe { std::slice::from_raw_parts(file.dlpi_phdr, usize::from(file.dlpi_phnum)) };
    let is_here = headers.iter().filter(|header| header.p_type == libc::PT_LOAD).any(|header| {
        let start = (file.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
        search.address.wrapping_sub(start) < header.p_memsz as usize
    });
    if !is_here {
        return 0;
    }
    let name = if file.dlpi_name.is_null() {
        &[][..]
    } else {
        // SAFETY: a C string, which the loader keeps while it calls this function.
        unsafe { CStr::from_ptr(file.dlpi_name) }.to_bytes()
    };
    search.is_found = if name.is_empty() {
        // The program itself has no name here, and may have been called by another than its own.
        std::fs::read_link("/proc/self/exe").is_ok_and(|path| (search.is_wanted)(base(&path)))
    } else {
        (search.is_wanted)(base(Path::new(OsStr::from_bytes(name))))
    };
    1
}

fn base(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_the_c_library_is_in_the_c_library() {
        // Not `malloc`, which a sanitizer may have replaced.
        assert!(is_in_file(libc::getppid as *const () as usize, |name| name.starts_with(b"libc")));
    }

    #[test]
    fn a_function_of_the_program_is_in_the_program() {
        let program = std::env::current_exe().expect("a program");
        assert!(is_in_file(base as *const () as usize, |name| name == base(&program)));
    }

    #[test]
    fn an_address_of_no_file_is_in_none() {
        assert!(!is_in_file(0, |_| true));
    }
}
