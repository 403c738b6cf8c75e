//! Media: images, and videos as streams of frames and sound.
