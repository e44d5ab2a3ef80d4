//! The C ABI and nothing else: the 95 functions of zlib 1.3.2, and `rigz_version`.
//!
//! Each export checks, converts, calls one function of a floor below and converts back. By family: [`deflate`], [`inflate`],
//! [`inflate_back`], [`oneshot`], [`checksum`], [`gz`], [`version`]. Which name has which symbol version: `symbols`.
//!
//! # Safety
//! For every function here: pointers are null where the zlib manual allows it, and else valid as it says; a stream is used
//! by one thread at a time.

#![allow(non_snake_case, reason = "the C names")]
#![allow(clippy::missing_safety_doc, reason = "one contract for all, in the module's head")]

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
