//! What the RFCs say about the formats and zlib's manual about a stream's parameters, and nothing about how we produce or read them.

pub mod bgzf;
pub mod deflate;
pub mod gzip;
pub mod params;
pub mod zlib;
