//! Definitions of the formats: zlib (RFC 1950), DEFLATE (RFC 1951), gzip (RFC 1952) and BGZF (the SAM specification); and of the
//! stream parameters, as zlib's manual lists them. Encoding and decoding are elsewhere.

pub mod bgzf;
pub mod deflate;
pub mod gzip;
pub mod params;
pub mod zlib;
