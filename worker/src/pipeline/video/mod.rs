//! A video verification: the card as a still, one pass over the frames, and the speech beside it.

mod behaviour;
mod checks;
mod gestures;
mod identity;
mod liveness;
mod run;
mod watch;

pub use run::VideoPipeline;
