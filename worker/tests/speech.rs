//! The speech engine on the real model: needs `COUNTERSIGN_MODELS__DIR` (the models' folder) and `espeak-ng`.
//!
//! Skipped, and says so, where either is missing.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use countersign_shared::config::Config;
use countersign_shared::domain::SpeechEvidence;
use countersign_worker::engines::EngineError;
use countersign_worker::engines::speech::{SpeechDevice, SpeechEngine, SpeechLimits, SpeechRecogniser};
use tokio_util::sync::CancellationToken;

const MODEL: &str = "ggml-base-q8_0.bin";
const VOICE: &str = "ggml-silero-v6.2.0.bin";

#[test]
fn a_spoken_code_passes_and_shows_its_digits() {
    let Some(engine) = engine() else { return };
    for code in ["739184", "052968"] {
        let evidence = heard(engine, &speak("en-us", code), code);
        assert!(evidence.passed, "{:?} {:?} {:?}", evidence.reasons, evidence.score, evidence.margin);
        let shown = evidence.transcription.expect("digits were heard");
        assert_eq!(shown.transcript, code.chars().map(String::from).collect::<Vec<_>>().join(" "));
        assert!(shown.confidence > 0.5 && shown.confidence <= 1.0, "{}", shown.confidence);
    }
}

#[test]
fn another_code_fails() {
    let Some(engine) = engine() else { return };
    let sound = speak("en-us", "739184");
    let evidence = heard(engine, &sound, "285607");
    assert_eq!((evidence.passed, evidence.reasons), (false, vec!["other_digits".to_owned()]));
    assert!(!heard(engine, &sound, "739084").passed, "one digit differs");
}

#[test]
fn silence_and_noise_have_no_voice() {
    let Some(engine) = engine() else { return };
    let mut random = 1_u32;
    let noise: Vec<f32> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as f32 / 8_388_608.0 * 0.2 - 0.2
    })
    .take(80_000)
    .collect();
    for sound in [vec![0.0; 80_000], noise] {
        let evidence = heard(engine, &sound.into(), "739184");
        assert_eq!((evidence.passed, evidence.reasons), (false, vec!["no_voice".to_owned()]));
        assert_eq!(evidence.transcription, None);
    }
}

#[test]
fn an_empty_clip_has_no_audio() {
    let Some(engine) = engine() else { return };
    assert_eq!(heard(engine, &Arc::from([]), "739184").reasons, ["no_audio"]);
}

#[test]
fn other_speech_has_no_digits() {
    let Some(engine) = engine() else { return };
    let sound = espeak("en-us", "Good morning, my name is on the card that I am holding beside my face.");
    let evidence = heard(engine, &sound, "739184");
    assert_eq!((evidence.passed, evidence.reasons), (false, vec!["no_digits".to_owned()]));
}

#[test]
fn a_code_is_found_after_chatter_and_a_long_pause() {
    let Some(engine) = engine() else { return };
    let mut sound = espeak("en-us", "Hello, I am going to read my number to you now.").to_vec();
    sound.extend(vec![0.0; 16_000 * 4]);
    sound.extend_from_slice(&speak("en-us", "739184"));
    assert!(heard(engine, &sound.into(), "739184").passed);
}

#[test]
fn each_persons_clip_gives_what_a_fresh_engine_gives() {
    let Some(engine) = engine() else { return };
    let clips: Vec<_> = ["en-us", "en-gb", "en-us+f3", "en-gb-scotland"]
        .into_iter()
        .zip(["739184", "052968", "416730", "893527"])
        .map(|(voice, code)| (speak(voice, code), code))
        .collect();
    let shared: Vec<_> = clips.iter().map(|(sound, code)| heard(engine, sound, code)).collect();
    for ((sound, code), shared) in clips.iter().zip(shared) {
        let fresh = load().expect("the model was there before");
        assert_eq!(heard(&fresh, sound, code), shared);
    }
}

#[test]
fn a_job_that_was_given_up_is_not_heard() {
    let Some(engine) = engine() else { return };
    let cancel = CancellationToken::new();
    cancel.cancel();
    let sound = vec![0.0; 16_000].into();
    let language = "en-US".parse().expect("an accepted tag");
    let expected = "739184".parse().expect("six digits");
    let result = engine.assess(sound, language, expected, &limits(), &cancel);
    assert!(matches!(result, Err(EngineError::Cancelled)), "{result:?}");
}

#[test]
fn a_file_that_is_no_model_is_refused() {
    let nowhere = PathBuf::from("no-such-model.bin");
    assert!(matches!(
        SpeechEngine::load(&nowhere, &nowhere, SpeechDevice::Cpu, 1),
        Err(EngineError::Failed { .. })
    ));
}

fn heard(engine: &SpeechEngine, sound: &Arc<[f32]>, code: &str) -> SpeechEvidence {
    let language = "en-US".parse().expect("an accepted tag");
    let expected = code.parse().expect("six digits");
    engine
        .assess(Arc::clone(sound), language, expected, &limits(), &CancellationToken::new())
        .expect("the engine answers")
}

fn limits() -> SpeechLimits {
    SpeechLimits::from(&Config::load(None, []).expect("the defaults load").pipeline)
}

/// One engine for all tests, as one process has.
fn engine() -> Option<&'static SpeechEngine> {
    static ENGINE: OnceLock<Option<SpeechEngine>> = OnceLock::new();
    ENGINE.get_or_init(load).as_ref()
}

#[expect(clippy::disallowed_methods, reason = "only the caller of the tests knows where the models are")]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn load() -> Option<SpeechEngine> {
    let Ok(dir) = std::env::var("COUNTERSIGN_MODELS__DIR") else {
        eprintln!("SKIPPED: COUNTERSIGN_MODELS__DIR is not set");
        return None;
    };
    let (model, voice) = (PathBuf::from(&dir).join(MODEL), PathBuf::from(&dir).join(VOICE));
    if !model.exists() || !voice.exists() || Command::new("espeak-ng").arg("--version").output().is_err() {
        eprintln!("SKIPPED: {MODEL}, {VOICE} or espeak-ng is missing");
        return None;
    }
    let device = std::env::var("COUNTERSIGN_MODELS__SPEECH_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    let device = device.parse().expect("a device of this build");
    Some(SpeechEngine::load(&model, &voice, device, 1).expect("the models load"))
}

/// A code, digit by digit.
fn speak(voice: &str, code: &str) -> Arc<[f32]> {
    espeak(voice, &code.chars().map(String::from).collect::<Vec<_>>().join(", "))
}

/// Synthetic speech at 16 kHz, mono.
fn espeak(voice: &str, text: &str) -> Arc<[f32]> {
    let output = Command::new("espeak-ng")
        .args(["-v", voice, "-s", "130", "--stdout", text])
        .output()
        .expect("espeak-ng was there before");
    let wav = output.stdout;
    let rate = u32::from_le_bytes(wav[24..28].try_into().expect("a WAV header"));
    let samples: Vec<f32> = wav[44..]
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    resample(&samples, rate as f32 / 16_000.0).into()
}

/// Linear interpolation: plenty for speech that was made at 22 kHz.
fn resample(samples: &[f32], step: f32) -> Vec<f32> {
    let length = (samples.len().saturating_sub(1) as f32 / step) as usize;
    (0..length)
        .map(|index| {
            let at = index as f32 * step;
            let (before, share) = (at as usize, at.fract());
            samples[before] * (1.0 - share) + samples[before + 1] * share
        })
        .collect()
}
