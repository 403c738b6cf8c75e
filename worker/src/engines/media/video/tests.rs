use std::time::Duration;

use super::*;
use crate::engines::media::fixtures::{clip, limits};

/// Red on top, blue below, 3 s at 30 frames a second.
const HALVES: &str = "-f lavfi -i color=red:s=320x120:r=30:d=3 -f lavfi -i color=blue:s=320x120:r=30:d=3 \
    -filter_complex [0][1]vstack -pix_fmt yuv420p";

struct Seen {
    info: VideoInfo,
    /// Seconds, and the colours near the top and the bottom of the picture.
    frames: Vec<(f64, [u8; 3], [u8; 3])>,
    size: (u32, u32),
}

fn read(path: &Path, limits: &MediaLimits) -> Result<Seen, MediaError> {
    let mut reader = VideoReader::open(path, limits)?;
    let mut frames = Vec::new();
    let mut size = (0, 0);
    while let Some(frame) = reader.next_frame()? {
        assert_eq!(frame.index as usize, frames.len());
        let picture = &frame.picture;
        size = (picture.width(), picture.height());
        let (middle, bottom) = (size.0 / 2, size.1 - 8);
        frames.push((frame.seconds, picture.pixel(middle, 8), picture.pixel(middle, bottom)));
    }
    let info = reader.info().expect("known after the last frame");
    Ok(Seen { info, frames, size })
}

fn is_red([red, green, blue]: [u8; 3]) -> bool {
    red > 200 && green < 50 && blue < 50
}

fn is_blue([red, green, blue]: [u8; 3]) -> bool {
    red < 50 && green < 50 && blue > 200
}

#[test]
fn common_containers_and_codecs_give_every_frame_in_order() {
    for (name, codec) in [
        ("a.mp4", "-c:v libx264"),
        ("faststart.mp4", "-c:v libx264 -movflags +faststart"),
        ("fragmented.mp4", "-c:v libx264 -movflags +frag_keyframe+empty_moov"),
        ("a.mov", "-c:v mpeg4"),
        ("ten_bit.mkv", "-c:v libx264 -pix_fmt yuv420p10le"),
        ("full_range.mp4", "-c:v libx264 -pix_fmt yuvj420p"),
        ("hevc.mp4", "-c:v libx265 -x265-params log-level=none"),
        ("a.webm", "-c:v libvpx -deadline realtime"),
        ("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"),
        ("a.avi", "-c:v mjpeg"),
        ("a.3gp", "-c:v h263 -s 352x288"),
        ("a.ts", "-c:v libx264"),
        ("a.mpg", "-c:v mpeg2video"),
    ] {
        let Some((_folder, path)) = clip(name, &format!("{HALVES} {codec}")) else { return };
        let seen = read(&path, &limits()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((seen.info.frames, seen.info.fps), (90, 30), "{name}");
        assert!((seen.info.duration_seconds - 3.0).abs() < 0.05, "{name}: {}", seen.info.duration_seconds);
        assert!(seen.frames.iter().all(|(_, top, bottom)| is_red(*top) && is_blue(*bottom)), "{name}");
        assert!(seen.frames.windows(2).all(|pair| pair[0].0 < pair[1].0), "{name}");
    }
}

#[test]
fn av1_is_decoded() {
    let Some((_folder, path)) = clip("a.webm", &format!("{HALVES} -frames:v 5 -c:v libsvtav1 -preset 12"))
    else {
        return;
    };
    assert_eq!(read(&path, &limits()).expect("a video").info.frames, 5);
}

#[test]
fn a_rotated_video_is_turned_upright() {
    let Some((folder, path)) = clip("a.mp4", &format!("{HALVES} -c:v libx264")) else { return };
    for (degrees, size) in [(90, (240, 320)), (180, (320, 240)), (270, (240, 320))] {
        let arguments = format!("-display_rotation {degrees} -i {} -c copy", path.display());
        // The option is newer than some programs: the older way is metadata.
        let arguments = if supports_display_rotation() {
            arguments
        } else {
            format!("-i {} -c copy -metadata:s:v rotate={}", path.display(), (360 - degrees) % 360)
        };
        let Some((_folder, rotated)) = clip("rotated.mp4", &arguments) else { return };
        let seen = read(&rotated, &limits()).expect("a video");
        assert_eq!((seen.info.width, seen.info.height), size, "{degrees}");
        assert_eq!(seen.size, size, "{degrees}");
        let (_, top, bottom) = seen.frames[5];
        match degrees {
            180 => assert!(is_blue(top) && is_red(bottom)),
            // Side by side now: the middle is the border, so neither end is plain.
            _ => assert!(!(is_red(top) && is_blue(bottom)), "{degrees}"),
        }
    }
    drop(folder);
}

fn supports_display_rotation() -> bool {
    std::process::Command::new("ffmpeg")
        .args(["-hide_banner", "-h", "full"])
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("display_rotation"))
}

#[test]
fn a_variable_rate_keeps_each_frames_time() {
    let select =
        "-f lavfi -i testsrc=s=320x240:r=30:d=3 -vf select='lt(t,1)+not(mod(n,3))' -vsync vfr -c:v libx264";
    let Some((_folder, path)) = clip("a.mp4", select) else { return };
    let seen = read(&path, &limits()).expect("a video");
    assert_eq!((seen.info.frames, seen.info.fps), (50, 17));
    assert!((seen.frames[49].0 - 2.9).abs() < 0.05, "{}", seen.frames[49].0);
}

#[test]
fn large_frames_are_reduced_and_their_own_size_reported() {
    let Some((_folder, path)) =
        clip("a.mp4", "-f lavfi -i testsrc=s=1918x1078:r=5:d=1 -c:v libx264 -pix_fmt yuv420p")
    else {
        return;
    };
    let seen = read(&path, &limits()).expect("a video");
    assert_eq!((seen.info.width, seen.info.height), (1918, 1078));
    assert_eq!(seen.size, (960, 540));
}

#[test]
fn a_change_of_size_in_mid_stream_is_followed() {
    let Some((folder, small)) = clip("a.ts", "-f lavfi -i color=red:s=320x240:r=10:d=1 -c:v mpeg2video")
    else {
        return;
    };
    let Some((_large, large)) = clip("b.ts", "-f lavfi -i color=red:s=640x480:r=10:d=1 -c:v mpeg2video")
    else {
        return;
    };
    let both = [std::fs::read(&small).expect("bytes"), std::fs::read(&large).expect("bytes")].concat();
    let joined = folder.path().join("joined.ts");
    std::fs::write(&joined, both).expect("written");
    let seen = read(&joined, &limits()).expect("a video");
    assert_eq!((seen.info.width, seen.info.height), (320, 240));
    assert_eq!(seen.size, (640, 480));
    assert!(seen.info.frames >= 18, "{}", seen.info.frames);
}

#[test]
fn limits_are_kept() {
    let Some((_folder, path)) = clip("a.mp4", &format!("{HALVES} -c:v libx264")) else { return };
    let refused = |limits: MediaLimits| read(&path, &limits).err();
    assert_eq!(
        refused(MediaLimits { video_duration: Duration::from_secs(2), ..limits() }),
        Some(MediaError::TooLong)
    );
    assert_eq!(refused(MediaLimits { video_frames: 89, ..limits() }), Some(MediaError::TooLong));
    assert!(refused(MediaLimits { video_pixels: 1000, ..limits() }).is_some());
    assert!(matches!(
        refused(MediaLimits { decode_time: Duration::ZERO, ..limits() }),
        Some(MediaError::Unreadable(_))
    ));
    assert_eq!(refused(limits()), None);
}

#[test]
fn what_has_no_picture_is_refused() {
    let Some((_folder, path)) = clip("a.mp4", "-f lavfi -i sine=d=1 -c:a aac") else { return };
    assert!(matches!(read(&path, &limits()).err(), Some(MediaError::Unsupported(_))));
}

#[test]
fn a_playlist_opens_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for text in ["#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "ffconcat version 1.0\nfile /etc/passwd\n"] {
        let path = folder.path().join("list.mp4");
        std::fs::write(&path, text).expect("written");
        assert!(matches!(read(&path, &limits()).err(), Some(MediaError::Unsupported(_))));
    }
}

#[test]
fn a_reader_that_is_dropped_early_ends_its_thread() {
    let Some((_folder, path)) = clip("a.mp4", &format!("{HALVES} -c:v libx264")) else { return };
    let mut reader = VideoReader::open(&path, &limits()).expect("a reader");
    reader.next_frame().expect("a frame");
    let watch = Arc::downgrade(&reader.watch);
    drop(reader);
    let gone = (0..200).any(|_| {
        thread::sleep(Duration::from_millis(10));
        watch.strong_count() == 0
    });
    assert!(gone);
}
