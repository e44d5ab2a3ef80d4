//! Symbol versions: assign each export to one of zlib's 16 version nodes.
//!
//! A program linked against zlib asks the loader for `crc32_z@ZLIB_1.2.9`, not for `crc32_z`. rustc writes its own
//! version script, so ours (`build/link.rs`) can only name the nodes; assembler directives assign the symbols to them.
//! The directives must be in the object file that defines the function, so each family's module has its own.
//! `cdylib/tests/exports.rs` checks the result, because a lost version causes no error. Functions of zlib's first
//! releases have no version.

/// Assigns each of the module's functions to its node.
macro_rules! versions {
    ($($node:literal: $($name:ident)*;)*) => {
        $($(
            #[cfg(all(not(test), rigz_versions))]
            core::arch::global_asm!(concat!(".symver ", stringify!($name), ", ", stringify!($name), "@@@", $node));
        )*)*
    };
}
