//! The pipeline's ring and jobs on the library's pool. The encoder, too slow for loom, is replaced.

mod encoder;
#[path = "../../src/pipeline/job.rs"]
mod job;
#[cfg(test)]
mod models;
#[path = "../../src/pipeline/ring.rs"]
mod ring;
