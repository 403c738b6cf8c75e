//! Files whose first bytes are right and whose rest is noise: the front door looks no further.

/// A JPEG of that many bytes.
pub(crate) fn jpeg(bytes: usize) -> Vec<u8> {
    with_head(b"\xFF\xD8\xFF\xE0\0\x10JFIF\0", bytes)
}

/// An MP4 of that many bytes.
pub(crate) fn mp4(bytes: usize) -> Vec<u8> {
    with_head(b"\0\0\0\x18ftypmp42\0\0\0\0", bytes)
}

/// Noise that holds line breaks and dashes, which a multipart reader must not mistake for a boundary.
fn with_head(head: &[u8], bytes: usize) -> Vec<u8> {
    let noise = b"\r\n--\r\r\n-\n----Countersign\r\n".iter().copied().cycle();
    let mut file: Vec<u8> = head.iter().copied().chain(noise).take(bytes).collect();
    // Every file is another one.
    if let Some(last) = file.last_mut() {
        *last = bytes as u8;
    }
    file
}
