//! What the RFCs say, and nothing about how: headers and trailers of the zlib and gzip wraps.

pub mod gzip;
pub mod inflate;
pub mod zlib;
