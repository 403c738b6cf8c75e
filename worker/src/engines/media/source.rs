//! Opening a container: which kinds are opened, and until when it may be read.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use countersign_shared::domain::{MediaFormat, SNIFF_BYTES};
use ffmpeg_next::codec::packet::side_data;
use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{Dictionary, Error, Packet, Rational, codec, format, media};

use super::upright::Upright;
use super::{MediaError, MediaLimits, colour};

/// Demuxers by FFmpeg's names. None of them opens other files: playlists, concatenations and image sequences are out.
const CONTAINERS: &str = "mov,matroska,avi,mpegts,mpeg,flv,ogg,asf";
/// Decoders by FFmpeg's names: what phones, browsers and cameras of the last twenty years record.
const CODECS: &str = "h264,hevc,vp8,vp9,libdav1d,libaom-av1,av1,mpeg4,msmpeg4,msmpeg4v2,h263,h263i,flv,mpeg1video,\
    mpeg2video,mjpeg,theora,wmv1,wmv2,wmv3,vc1,prores,rawvideo,aac,aac_latm,aac_fixed,mp3,mp3float,mp2,mp2float,ac3,\
    ac3_fixed,eac3,opus,libopus,vorbis,libvorbis,flac,alac,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,wmav1,wmav2,\
    wmapro,speex,libspeex,nellymoser,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,\
    pcm_f64le,pcm_f64be,pcm_u8,pcm_s8,pcm_alaw,pcm_mulaw,adpcm_ima_wav,adpcm_ima_qt,adpcm_ms,adpcm_swf";
const STREAMS_MAX: &str = "32";
/// Damaged packets in a row after which nothing good is expected.
const ERRORS_IN_A_ROW: u32 = 64;
const ERRORS_MAX: u32 = 1024;
/// Besides pictures and sound a container may interleave other tracks.
const PACKETS_PER_FRAME: u64 = 64;

/// An open container.
pub(super) struct Source {
    input: Input,
    watch: Arc<Watch>,
    packets_left: u64,
    errors: ErrorBudget,
}

/// One stream of a container.
pub(super) struct Track {
    pub(super) index: usize,
    pub(super) parameters: codec::Parameters,
    pub(super) time_base: Rational,
    /// Declared mean frames per second; 0 when unknown.
    pub(super) rate: f64,
    pub(super) upright: Upright,
}

/// Tells the library's callbacks, and the loops here, when to stop.
pub(super) struct Watch {
    started: Instant,
    allowed: Duration,
    idle_nanoseconds: AtomicU64,
    stopped: AtomicBool,
}

/// Counts what went wrong in decoding, which is forgiven for a while.
#[derive(Default)]
pub(super) struct ErrorBudget {
    in_a_row: u32,
    total: u32,
}

impl Source {
    pub(super) fn open(path: &Path, limits: &MediaLimits, watch: Arc<Watch>) -> Result<Self, MediaError> {
        prepare();
        let mut file = File::open(path)?;
        check_container(&mut file)?;
        let stream = StreamIo::from_read_seek(File::open(path)?).map_err(ours)?;
        let mut options = Dictionary::new();
        options.set("format_whitelist", CONTAINERS);
        options.set("codec_whitelist", CODECS);
        options.set("protocol_whitelist", "none");
        options.set("max_streams", STREAMS_MAX);
        let callback = Arc::clone(&watch);
        let input =
            format::input_from_stream_with_interrupt(stream, None, Some(options), move || callback.is_over())
                .map_err(|_| watch.reason().unwrap_or(MediaError::Unreadable("the container is damaged")))?;
        let source = Self {
            input,
            watch,
            packets_left: u64::from(limits.video_frames) * PACKETS_PER_FRAME,
            errors: ErrorBudget::default(),
        };
        if source.declared_duration().is_some_and(|duration| duration > limits.video_duration) {
            return Err(MediaError::TooLong);
        }
        Ok(source)
    }

    /// The stream of a kind that a player would choose; a cover picture is not a video.
    pub(super) fn best(&self, kind: media::Type) -> Option<Track> {
        let chosen = self.input.streams().best(kind)?;
        if chosen.disposition().contains(Disposition::ATTACHED_PIC) {
            return None;
        }
        let upright = chosen
            .side_data()
            .find(|data| data.kind() == side_data::Type::DisplayMatrix)
            .and_then(|data| Upright::from_display_matrix(data.data()))
            .unwrap_or(Upright::AS_STORED);
        let rate =
            [chosen.avg_frame_rate(), chosen.rate()].into_iter().map(f64::from).find(|rate| *rate > 0.0);
        Some(Track {
            index: chosen.index(),
            parameters: chosen.parameters(),
            time_base: chosen.time_base(),
            rate: rate.filter(|rate| rate.is_finite()).unwrap_or(0.0),
            upright,
        })
    }

    /// The second at which the clip's time line begins: the earlier start of picture and sound.
    pub(super) fn start_seconds(&self) -> f64 {
        [media::Type::Video, media::Type::Audio]
            .into_iter()
            .filter_map(|kind| self.input.streams().best(kind))
            // The smallest number stands for "unknown".
            .filter(|stream| stream.start_time() != i64::MIN)
            .map(|stream| stream.start_time() as f64 * f64::from(stream.time_base()))
            .filter(|seconds| seconds.is_finite())
            .reduce(f64::min)
            .unwrap_or(0.0)
    }

    /// The next packet of a stream; `None` at the end, where the rest is beyond reading.
    pub(super) fn next_packet(&mut self, index: usize) -> Result<Option<Packet>, MediaError> {
        loop {
            if let Some(reason) = self.watch.reason() {
                return Err(reason);
            }
            if self.packets_left == 0 {
                return Err(MediaError::TooLong);
            }
            self.packets_left -= 1;
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == index => {
                    self.errors.forgive();
                    return Ok(Some(packet));
                }
                // Another stream's; the watch says why the library stopped reading.
                Ok(()) | Err(Error::Exit) => {}
                Err(Error::InvalidData) if self.errors.spend() => {}
                // Every other error comes back on each further call.
                Err(_) => return Ok(None),
            }
        }
    }

    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    fn declared_duration(&self) -> Option<Duration> {
        // Microseconds; not positive when unknown.
        u64::try_from(self.input.duration()).ok().map(Duration::from_micros)
    }
}

impl Track {
    /// A decoder that refuses frames of more pixels than `pixels_max`.
    pub(super) fn decoder(
        self,
        pixels_max: u64,
        threads: usize,
    ) -> Result<codec::decoder::Opened, MediaError> {
        let unknown = MediaError::Unreadable("the stream's codec is not supported");
        let codec = codec::decoder::find(self.parameters.id()).ok_or(unknown.clone())?;
        if !CODECS.split(',').any(|name| name == codec.name()) {
            return Err(unknown);
        }
        let damaged = |_| MediaError::Unreadable("the stream's header is damaged");
        let mut context = codec::Context::from_parameters(self.parameters).map_err(damaged)?;
        context.set_threading(codec::threading::Config {
            kind: codec::threading::Type::Frame,
            count: threads,
            ..Default::default()
        });
        let mut options = Dictionary::new();
        options.set("max_pixels", &pixels_max.to_string());
        context.decoder().open_as_with(codec, options).map_err(damaged)
    }
}

impl Watch {
    pub(super) fn new(allowed: Duration) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            allowed,
            idle_nanoseconds: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        })
    }

    /// Nobody wants the result any more.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Runs what waits for others; its time does not count.
    pub(super) fn idle<T>(&self, wait: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = wait();
        let nanoseconds = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.idle_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        result
    }

    /// Why to stop now.
    pub(super) fn reason(&self) -> Option<MediaError> {
        if self.stopped.load(Ordering::Relaxed) {
            return Some(MediaError::Failed("decoding was given up".to_owned()));
        }
        let idle = Duration::from_nanos(self.idle_nanoseconds.load(Ordering::Relaxed));
        (self.started.elapsed().saturating_sub(idle) > self.allowed)
            .then_some(MediaError::Unreadable("decoding the file takes too long"))
    }

    fn is_over(&self) -> bool {
        self.reason().is_some()
    }
}

impl ErrorBudget {
    /// Takes note of one error; false when there were too many.
    pub(super) const fn spend(&mut self) -> bool {
        self.in_a_row += 1;
        self.total += 1;
        self.in_a_row <= ERRORS_IN_A_ROW && self.total <= ERRORS_MAX
    }

    /// Something good came.
    pub(super) const fn forgive(&mut self) {
        self.in_a_row = 0;
    }
}

fn check_container(file: &mut File) -> Result<(), MediaError> {
    let mut head = Vec::with_capacity(SNIFF_BYTES);
    file.take(SNIFF_BYTES as u64).read_to_end(&mut head)?;
    match MediaFormat::sniff(&head) {
        Some(format) if !format.is_image() => Ok(()),
        _ => Err(MediaError::Unsupported("the file is not a video")),
    }
}

/// Once in a process: FFmpeg's own log lines would go to standard error with what strangers wrote into their files.
fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
        colour::bound_allocations();
    });
}

fn ours(error: Error) -> MediaError {
    MediaError::Failed(error.to_string())
}
