//! The unsafe toolbox: safe faces over pointer work. Knows nothing of DEFLATE.

pub mod alloc;
pub mod buffer;
pub(crate) mod copy;
pub mod load;
pub mod output;
pub mod process;
pub mod search;

pub use alloc::Allocator;
pub use buffer::Buffer;
pub use output::Output;
pub use search::find_byte;
