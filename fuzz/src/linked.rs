//! Looks up our C functions by name, like `dlsym`.

use std::ffi::{CStr, c_void};

/// Returns the address of one of our C functions.
pub(crate) fn symbol(name: &str) -> Result<*mut c_void, String> {
    macro_rules! find {
        ($($module:ident: $($function:ident)*;)*) => {
            match name {
                $($(stringify!($function) => rigz::capi::$module::$function as *const () as *mut c_void,)*)*
                _ => return Err(format!("no symbol {name}")),
            }
        };
    }
    Ok(find! {
        deflate: deflateInit2_ deflate deflateEnd deflateSetDictionary deflateGetDictionary deflateCopy
            deflateReset deflateResetKeep deflateParams deflateTune deflateBound deflatePending
            deflatePrime deflateSetHeader;
        inflate: inflateInit2_ inflate inflateEnd inflateSetDictionary inflateGetDictionary inflateSync
            inflateSyncPoint inflateCopy inflateReset inflateReset2 inflateResetKeep inflatePrime
            inflateMark inflateGetHeader inflateUndermine inflateValidate inflateCodesUsed;
        inflate_back: inflateBackInit_ inflateBack inflateBackEnd;
        oneshot: compress compress2 compressBound uncompress uncompress2;
        checksum: adler32 crc32;
        gz: gzopen gzdopen gzbuffer gzsetparams gzread gzfread gzwrite gzfwrite gzputs gzputc gzgets gzgetc
            gzgetc_ gzungetc gzflush gzseek gzrewind gztell gzoffset gzeof gzdirect gzclose gzclose_r
            gzclose_w gzerror gzclearerr gzprintf;
        version: rigz_version;
    })
}

/// Returns whether the dynamic linker could bind a loaded library's calls to our functions.
pub(crate) fn is_visible() -> bool {
    let names: [&CStr; 3] = [c"inflate", c"crc32", c"gzread"];
    // SAFETY: the names are C strings, which is dlsym's only precondition.
    names.iter().any(|name| !unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }.is_null())
}
