//! stub
pub struct MemoryQueue;
