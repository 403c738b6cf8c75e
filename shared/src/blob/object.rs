//! stub
pub struct ObjectBlobs;
