//! Which file of the process a function came from.

use std::ffi::{CStr, c_void};

/// The name, without its folder, of the program or library that holds the code at `address`; empty when that is unknown.
///
/// Takes the loader's lock, so it is for rare use.
pub fn file_of(address: usize) -> &'static [u8] {
    // SAFETY: all-zero is a valid value of this struct of pointers.
    let mut found: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: any address may be asked for, and the result is ours.
    if unsafe { libc::dladdr(address as *const c_void, &mut found) } == 0 || found.dli_fname.is_null() {
        return &[];
    }
    // SAFETY: the loader keeps the name as long as the file is mapped. Who calls for a function that it can call at any time
    // keeps the file mapped for longer than it looks at the name.
    let path = unsafe { CStr::from_ptr(found.dli_fname) }.to_bytes();
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_of_the_c_library_is_in_the_c_library() {
        assert!(file_of(libc::malloc as *const () as usize).starts_with(b"libc"));
        assert!(file_of(0).is_empty());
    }
}
