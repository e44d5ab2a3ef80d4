//! The C ABI and nothing else: the 95 functions of zlib 1.3.2, and `rigz_version`.
//!
//! Each export checks and converts its arguments, calls one function of a lower layer and converts the result. By
//! family: [`deflate`], [`inflate`], [`inflate_back`], [`oneshot`], [`checksum`], [`gz`], [`version`]. Each lists the
//! symbol versions of its names; `symbols` explains them.
//!
//! # Safety
//! For every function here: pointers are valid as the zlib manual says, or null where it allows that; a stream is used
//! by one thread at a time.

#![allow(non_snake_case, reason = "the C names")]
#![allow(clippy::missing_safety_doc, reason = "one contract for all, in the module's documentation")]

#[macro_use]
mod symbols;

mod boundary;
pub mod checksum;
pub mod deflate;
pub mod gz;
pub mod inflate;
pub mod inflate_back;
pub mod oneshot;
pub mod types;
pub mod version;
