//! The pipeline's ring and jobs, with stand-ins for what loom cannot run: the pool's threads and the encoder.

mod encoder;
#[path = "../../src/pipeline/handover.rs"]
mod handover;
#[path = "../../src/pipeline/job.rs"]
mod job;
#[cfg(test)]
mod models;
mod pool;
#[path = "../../src/pipeline/ring.rs"]
mod ring;
mod sync;
