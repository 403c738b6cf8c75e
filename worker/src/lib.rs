//! Jobs in: a worker takes jobs from the queue, runs the pipeline over their media and writes the reports.
//!
//! - [`models`]: the catalogue of models, where they come from, how they are verified.
//! - [`engines`]: the only users of native libraries, each behind a trait: onnx, media (FFmpeg), speech (whisper).
//! - [`stages`]: one step of looking or listening each; they know engines' traits, and no HTTP, SQL or AMQP.
//! - [`pipeline`]: which stages run for a photo, a video, a spoof check, and what follows from them.
//! - [`intake`]: the job's life: consumer, lease, attempts.
//! - [`process`]: a worker as a process of its own.

pub mod engines;
pub mod intake;
pub mod models;
mod onnx_file;
pub mod pipeline;
pub mod process;
mod protobuf;
pub mod stages;
