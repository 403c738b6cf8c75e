use super::*;
use crate::engines::media::fixtures::{clip, limits};

/// Root mean square of a stretch in seconds.
fn loudness(samples: &[f32], from: f64, to: f64) -> f32 {
    let position = |seconds: f64| (seconds * f64::from(AUDIO_RATE)) as usize;
    let part = &samples[position(from)..position(to)];
    (part.iter().map(|sample| sample * sample).sum::<f32>() / part.len() as f32).sqrt()
}

#[test]
fn sound_of_any_codec_becomes_16_khz_mono() {
    for (name, options) in [
        ("a.mp4", "-c:a aac -ar 44100 -ac 2"),
        ("a.webm", "-c:a libopus -ar 48000"),
        ("a.mkv", "-c:a flac -ar 22050 -ac 2"),
        ("b.mkv", "-c:a libvorbis -ar 32000 -ac 2"),
        ("a.avi", "-c:a pcm_s16le -ar 8000"),
        ("a.mov", "-c:a alac -ar 48000 -ac 2"),
        ("b.mp4", "-c:a libmp3lame -ar 44100"),
        ("c.mkv", "-c:a pcm_s24le -ar 96000 -ac 6"),
    ] {
        let Some((_folder, path)) = clip(name, &format!("-f lavfi -i sine=f=440:d=2 {options}")) else {
            return;
        };
        let samples = decode_audio(&path, &limits()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let seconds = samples.len() as f64 / f64::from(AUDIO_RATE);
        assert!((seconds - 2.0).abs() < 0.1, "{name}: {seconds} s");
        assert!(samples.iter().all(|sample| sample.abs() <= 1.0), "{name}");
        assert!(loudness(&samples, 0.5, 1.5) > 0.02, "{name}");
        let crossings =
            samples[8000..24000].windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((430..=450).contains(&crossings), "{name}: {crossings} Hz");
    }
}

#[test]
fn sound_that_starts_late_is_heard_late() {
    let Some((_folder, path)) = clip(
        "a.mkv",
        "-f lavfi -i color=red:s=64x64:r=10:d=3 -itsoffset 1.5 -f lavfi -i sine=d=1 -map 0:v -map 1:a -c:v libx264 -c:a aac",
    ) else {
        return;
    };
    let samples = decode_audio(&path, &limits()).expect("sound");
    assert!(loudness(&samples, 0.0, 1.4) < 0.001);
    assert!(loudness(&samples, 1.7, 2.3) > 0.02);
}

#[test]
fn a_pause_without_packets_is_silence() {
    let Some((_folder, path)) = clip(
        "a.mkv",
        "-f lavfi -i color=red:s=64x64:r=10:d=4 -f lavfi -i sine=d=4 -map 0:v -map 1:a \
         -af aselect='lt(t,1)+gt(t,3)' -c:v libx264 -c:a pcm_s16le",
    ) else {
        return;
    };
    let samples = decode_audio(&path, &limits()).expect("sound");
    assert!(loudness(&samples, 0.2, 0.9) > 0.02);
    assert!(loudness(&samples, 1.2, 2.8) < 0.001);
    assert!(loudness(&samples, 3.2, 3.8) > 0.02);
}

#[test]
fn a_clip_without_sound_says_so() {
    let Some((_folder, path)) = clip("a.mp4", "-f lavfi -i color=red:s=64x64:r=10:d=1 -c:v libx264") else {
        return;
    };
    assert_eq!(decode_audio(&path, &limits()), Err(MediaError::WithoutAudio));
}

#[test]
fn sound_longer_than_the_limit_is_refused() {
    let Some((_folder, path)) = clip("a.mkv", "-f lavfi -i sine=d=5 -c:a flac") else { return };
    let limits = MediaLimits { video_duration: std::time::Duration::from_secs(3), ..limits() };
    assert_eq!(decode_audio(&path, &limits), Err(MediaError::TooLong));
}
