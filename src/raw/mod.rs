//! The unsafe toolbox: safe interfaces over pointers, foreign allocators, threads and processes. Independent of DEFLATE, except for
//! the copy of a match (`copy`).

pub mod alloc;
pub mod buffer;
pub(crate) mod copy;
pub mod epoch;
pub(crate) mod fault;
pub mod file;
pub mod load;
pub mod module;
pub mod output;
pub mod placed;
pub mod process;
pub(crate) mod report;
pub mod search;
pub(crate) mod shared;
pub mod table;
pub(crate) mod thread;

pub use alloc::Allocator;
pub use buffer::Buffer;
pub use file::SharedFile;
pub use output::Output;
pub use placed::{Placed, Zeroed};
pub use search::find_byte;
pub use table::Table;
