//! Verdicts on videos: the digits, the face, the containers and codecs.

use serde_json::Value;

use crate::client::{Answer, Parts};
use crate::media::DIGITS;
use crate::service::Service;

/// The names of the conditions that did not hold, in the order of the answer.
fn failed(answer: &Answer) -> Vec<String> {
    let predictions = answer.predictions();
    let breakdown = predictions["verification"]["breakdown"].as_object().expect("an object").clone();
    let failed: Vec<String> =
        breakdown.into_iter().filter(|(_, passed)| passed != true).map(|(name, _)| name).collect();
    assert_eq!(answer.passed(), failed.is_empty(), "the status is the conditions' AND: {}", answer.text);
    failed
}

fn output(answer: &Answer, name: &str) -> f64 {
    answer.predictions()["model_output"][name]
        .as_f64()
        .unwrap_or_else(|| panic!("no {name}: {}", answer.text))
}

fn input(answer: &Answer) -> Value {
    answer.predictions()["model_input"]["video"].clone()
}

#[tokio::test]
async fn the_person_on_the_card_who_says_the_digits_passes() {
    let answer = Service::shared().video("video.mp4", DIGITS).await;
    assert!(answer.passed(), "{}", answer.text);
    assert!(output(&answer, "face_distance_avg") < 0.9);
    assert!(output(&answer, "face_sameness") > 0.99 && output(&answer, "single_face_in_frames") > 0.99);
}

#[tokio::test]
async fn another_person_who_says_the_digits_is_rejected_for_the_face_alone() {
    let answer = Service::shared().video("other_video.mp4", DIGITS).await;
    assert_eq!(failed(&answer), ["video_face_to_id_face_passed"], "{}", answer.text);
    assert!(output(&answer, "face_distance_avg") > 0.9);
}

#[tokio::test]
async fn other_digits_are_rejected_for_the_digits_alone() {
    let service = Service::shared();
    for digits in ["305641", "718294", "000000", "123456"] {
        let answer = service.video("video.mp4", digits).await;
        assert_eq!(failed(&answer), ["audio_challenge_passed"], "{digits}: {}", answer.text);
        assert_eq!(answer.predictions()["model_input"]["audiochallenge"], digits);
    }
}

#[tokio::test]
async fn a_video_whose_pictures_fail_is_not_heard_if_the_operator_wishes() {
    let service = Service::start(&[("PIPELINE__FAIL_FAST", "true")]);
    let good = service.video("video.mp4", DIGITS).await;
    assert!(good.passed(), "{}", good.text);
    let other_digits = service.video("video.mp4", "305641").await;
    assert_eq!(failed(&other_digits), ["audio_challenge_passed"], "it was heard: {}", other_digits.text);

    let another = service.video("other_video.mp4", DIGITS).await;
    assert_eq!(
        failed(&another),
        ["audio_challenge_passed", "video_face_to_id_face_passed"],
        "{}",
        another.text
    );
    assert_eq!(reasons(&service, &another).await, ["not_examined", "different_person"]);
}

#[tokio::test]
async fn silence_noise_music_and_other_speech_never_pass() {
    let service = Service::shared();
    for video in ["video_silent.mp4", "video_noise.mp4", "video_music.mp4", "video_other_speech.mp4"] {
        let answer = service.video(video, DIGITS).await;
        assert_eq!(failed(&answer), ["audio_challenge_passed"], "{video}: {}", answer.text);
    }
}

/// The first reason of each check that failed.
async fn reasons(service: &Service, answer: &Answer) -> Vec<String> {
    let failed = service.failed_checks(answer).await;
    failed.iter().map(|check| check["reasons"][0].as_str().expect("a reason").to_owned()).collect()
}

/// A video that fails for nothing but its presentation, and the reasons of the checks that say so.
async fn attack(video: &str) -> Vec<String> {
    let service = Service::shared();
    let answer = service.video(video, DIGITS).await;
    assert_eq!(failed(&answer), ["not_spoof_passed"], "{video}: {}", answer.text);
    reasons(&service, &answer).await
}

#[tokio::test]
async fn a_voice_over_a_still_portrait_is_an_attack() {
    let reasons = attack("video_still.mp4").await;
    assert!(reasons.contains(&"mouth_does_not_move".to_owned()), "{reasons:?}");
}

#[tokio::test]
async fn a_voice_over_a_mouth_that_says_something_else_is_an_attack() {
    assert_eq!(attack("video_dubbed.mp4").await, ["mouth_and_sound_disagree"]);
}

#[tokio::test]
async fn a_voice_over_a_loop_is_an_attack() {
    let reasons = attack("video_loop.mp4").await;
    assert!(reasons.contains(&"video_repeats_itself".to_owned()), "{reasons:?}");
}

#[tokio::test]
async fn one_replaced_second_is_noticed() {
    let answer = Service::shared().video("video_replaced_second.mp4", DIGITS).await;
    assert!(failed(&answer).contains(&"video_face_no_change_passed".to_owned()), "{}", answer.text);
    // 30 of 126 frames show somebody else.
    let sameness = output(&answer, "face_sameness");
    assert!((0.65..0.85).contains(&sameness), "{sameness}");
}

#[tokio::test]
async fn a_video_stored_on_its_side_is_turned_upright() {
    let answer = Service::shared().video("video_rotated.mp4", DIGITS).await;
    assert!(answer.passed(), "{}", answer.text);
    assert_eq!(input(&answer), serde_json::json!({ "fps": 30, "frames": 126, "height": 640, "width": 480 }));
}

#[tokio::test]
async fn a_variable_frame_rate_is_understood() {
    let answer = Service::shared().video("video_vfr.mp4", DIGITS).await;
    assert!(answer.passed(), "{}", answer.text);
    // 94 frames in 4.2 s.
    assert_eq!(
        (&input(&answer)["frames"], &input(&answer)["fps"]),
        (&94.into(), &22.into()),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn other_containers_and_codecs_pass_like_mp4() {
    let service = Service::shared();
    for video in ["video.webm", "video_vp9.webm", "video_hevc.mov"] {
        let answer = service.video(video, DIGITS).await;
        assert!(answer.passed(), "{video}: {}", answer.text);
        assert_eq!(input(&answer)["frames"], 126, "{video}");
    }
}

#[tokio::test]
async fn unicode_digits_are_folded_and_leading_zeros_are_kept() {
    let service = Service::shared();
    let answer = service.video("video.mp4", "๔๙๒๘๑๗").await;
    assert!(answer.passed(), "{}", answer.text);
    assert_eq!(answer.predictions()["model_input"]["audiochallenge"], DIGITS);
    let answer = service.video("video.mp4", "092817").await;
    assert_eq!(answer.predictions()["model_input"]["audiochallenge"], "092817");
}

#[tokio::test]
async fn a_video_without_sound_is_refused() {
    Service::shared().video("video_without_audio.mp4", DIGITS).await.assert_error(422, "VIDEO_WITHOUT_AUDIO");
}

#[tokio::test]
async fn a_video_longer_than_the_limit_is_refused() {
    Service::shared().video("video_61_seconds.mp4", DIGITS).await.assert_error(422, "VIDEO_TOO_LONG");
}

#[tokio::test]
async fn a_damaged_video_is_refused() {
    Service::shared().video("video_truncated.mp4", DIGITS).await.assert_error(422, "MEDIA_UNREADABLE");
}

#[tokio::test]
async fn sound_without_pictures_is_refused() {
    Service::shared().video("audio_only.mp4", DIGITS).await.assert_error(415, "UNSUPPORTED_MEDIA");
}

#[tokio::test]
async fn one_workers_recogniser_hears_each_clip_afresh() {
    let service = Service::shared();
    let transcript = async |video: &str, digits: &str| {
        let answer = service.video(video, digits).await;
        answer.predictions()["model_output"]["transcription"].clone()
    };
    let fresh = transcript("video.mp4", DIGITS).await;
    for between in ["video_other_speech.mp4", "video_music.mp4"] {
        transcript(between, DIGITS).await;
        // Neither the clip before nor the code that is asked for colours what is heard.
        assert_eq!(transcript("video.mp4", "305641").await, fresh, "after {between}");
    }
}

#[tokio::test]
async fn the_language_is_checked_and_echoed() {
    let service = Service::shared();
    let parts = |language: &str| {
        let parts = Parts::new().file("id_card", "id_card.jpg").file("video", "video.mp4");
        parts.text("audiochallenge", DIGITS).text("languageCode", language)
    };
    let answer = service.verify("videoverify", parts("en-GB")).await;
    assert_eq!(answer.predictions()["model_input"]["languageCode"], "en-GB");
    service.verify("videoverify", parts("tlh-QO")).await.assert_error(400, "UNSUPPORTED_LANGUAGE");
}
