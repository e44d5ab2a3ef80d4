//! What the RFCs say about the formats, and nothing about how we produce or read them.

pub mod bgzf;
pub mod deflate;
pub mod gzip;
pub mod zlib;
