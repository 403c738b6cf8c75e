//! stub
pub struct MemorySignal;
