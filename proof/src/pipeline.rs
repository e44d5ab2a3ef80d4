//! The pipeline's ring and jobs on the library's own pool, with a stand-in for the encoder, which is too slow for loom.

mod encoder;
#[path = "../../src/pipeline/job.rs"]
mod job;
#[cfg(test)]
mod models;
#[path = "../../src/pipeline/ring.rs"]
mod ring;
