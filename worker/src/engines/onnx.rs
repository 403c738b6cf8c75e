//! ONNX models: a session on its own thread each, fed through a bounded channel.
