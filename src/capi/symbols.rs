//! Symbol versions: which export belongs to which of zlib's 16 version nodes.
//!
//! A program linked against zlib asks the loader for `crc32_z@ZLIB_1.2.9`, not for `crc32_z`. rustc writes a version script of its own, so
//! ours (`build/link.rs`) can only name the nodes; which symbol is in which is said by assembler directives. They must stand in the
//! object file that defines the function, so each family's module says it for its own. `cdylib/tests/exports.rs` compares the result,
//! because a lost version is silent. Functions of zlib's first releases have no version.

/// Puts each of the module's functions in its node.
macro_rules! versions {
    ($($node:literal: $($name:ident)*;)*) => {
        $($(
            #[cfg(all(not(test), rigz_versions))]
            core::arch::global_asm!(concat!(".symver ", stringify!($name), ", ", stringify!($name), "@@@", $node));
        )*)*
    };
}
