//! Speech: voice activity and the scoring of digits, with whisper.cpp.
