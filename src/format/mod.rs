//! The formats as the RFCs define them and the stream parameters as zlib's manual defines them; no encoding or decoding here.

pub mod bgzf;
pub mod deflate;
pub mod gzip;
pub mod params;
pub mod zlib;
