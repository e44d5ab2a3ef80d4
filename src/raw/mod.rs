//! The unsafe toolbox: safe faces over pointer work. Knows nothing of DEFLATE.

pub mod alloc;
pub mod buffer;
pub(crate) mod copy;
pub(crate) mod load;
pub mod output;
pub mod process;

pub use alloc::Allocator;
pub use buffer::Buffer;
pub use output::Output;
