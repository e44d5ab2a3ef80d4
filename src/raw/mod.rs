//! The unsafe toolbox: safe faces over pointer work. Knows nothing of DEFLATE.

pub mod alloc;
pub mod load;
pub mod output;

pub use alloc::Allocator;
pub use output::Output;
