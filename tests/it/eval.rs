//! `countersign eval`: the sample media as an operator's own files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::media;
use crate::service::countersign;

/// Runs over the table, and reads the report.
fn evaluated(kind: &str, table: &str, more: &[&str]) -> (Value, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.tsv");
    fs::write(&path, table).expect("written");
    let root = media::path("selfie.jpg");
    let output = countersign()
        .args(["eval", kind])
        .arg(&path)
        .arg("--root")
        .arg(root.parent().expect("a folder"))
        .arg("--out")
        .arg(folder.path().join("out"))
        .args(more)
        .output()
        .expect("countersign runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report = fs::read_to_string(folder.path().join("out/report.json")).expect("a report");
    (serde_json::from_str(&report).expect("JSON"), folder)
}

/// Faces are in no notes that nobody needs any more.
fn left(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("out")).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[test]
fn pairs_of_faces_give_rates_with_their_intervals() {
    let table = "same\tfile_a\tfile_b\tkind\n\
                 1\tid_card.jpg\tselfie.jpg\tcard\n\
                 0\tother_id_card.jpg\tselfie.jpg\tcard\n\
                 0\ttext.jpg\tselfie.jpg\tcard\n\
                 0\tselfie.jpg\ttext.jpg\tcard\n";
    let (report, folder) = evaluated("faces", table, &["--by", "kind"]);
    assert_eq!(report["repeated_lines"], 1, "the same pair the other way round is the same: {report}");
    for lost in [&report["lost"], &report["groups"]["kind"]["card"]["lost"]] {
        assert_eq!(
            (&lost["genuine"]["errors"], &lost["impostor"]["errors"]),
            (&0.into(), &1.into()),
            "{lost}"
        );
    }
    let failures = &report["groups"]["kind"]["card"]["failures_to_acquire"];
    assert_eq!((&failures["errors"], &failures["of"]), (&1.into(), &4.into()), "{failures}");
    assert_eq!(
        (&report["genuine"], &report["impostor"], &report["files"]),
        (&1.into(), &1.into(), &4.into())
    );
    assert_eq!(report["reasons"].as_object().map(serde_json::Map::len), Some(1), "{report}");
    for point in [&report["at_threshold"], &report["groups"]["kind"]["card"]] {
        assert_eq!((&point["fmr"]["errors"], &point["fnmr"]["errors"]), (&0.into(), &0.into()), "{point}");
        assert!(point["fmr"]["high"].as_f64() > Some(0.5), "one comparison proves little: {point}");
    }
    assert_eq!(left(folder.path()), ["report.html", "report.json"]);
    let page = fs::read_to_string(folder.path().join("out/report.html")).expect("a page");
    assert!(
        page.contains("data:image/jpeg;base64,") && page.contains("<svg") && !page.contains("http"),
        "{page}"
    );
}

#[test]
fn no_species_of_attack_is_left_out() {
    let table = "file\tlabel\n\
                 selfie.jpg\tlive\n\
                 text.jpg\tattack/mask\n\
                 id_card.jpg\tattack/print\n";
    let (report, folder) = evaluated("spoof", table, &["--no-pictures"]);
    assert_eq!(report["at_threshold"]["bpcer"]["errors"], 0, "{report}");
    assert_eq!(report["at_threshold"]["apcer"]["print"]["of"], 1, "{report}");
    assert_eq!(report["at_threshold"]["apcer"]["mask"]["of"], 0, "{report}");
    assert_eq!(report["at_threshold"]["apnrr"]["mask"]["errors"], 1, "{report}");
    let page = fs::read_to_string(folder.path().join("out/report.html")).expect("a page");
    assert!(!page.contains("data:image"), "no face is on the page");
}

#[test]
fn a_threshold_is_not_calibrated_on_a_handful_of_pictures() {
    let table = "file\tlabel\nselfie.jpg\tlive\nid_card.jpg\tattack/print\n";
    let (report, folder) = evaluated("spoof", table, &["--no-pictures"]);
    assert_eq!(report["scores"]["attack/print"].as_array().map(Vec::len), Some(1), "{report}");
    let scores = fs::read_to_string(folder.path().join("out/scores.tsv")).expect("scores");
    assert!(scores.contains("\nid_card.jpg\tattack/print\t"), "{scores}");
    let output = countersign()
        .args(["eval", "calibrate"])
        .arg(folder.path().join("out/report.json"))
        .arg("--out")
        .arg(folder.path().join("settings.toml"))
        .output()
        .expect("countersign runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("1 attacks of the species print"), "{errors}");
    assert!(!folder.path().join("settings.toml").exists());
}

#[test]
fn a_spoken_code_is_accepted_and_other_codes_and_sounds_are_not() {
    let table = "file\tdigits\tlanguage\tspoken\tnoise\n\
                 video.mp4\t492817\ten-US\t492817\tclean\n\
                 video.mp4\t492810\ten-US\t492817\tclean\n\
                 video_music.mp4\t492817\ten-US\tnone/music\t\n\
                 video_other_speech.mp4\t492817\ten-US\tnone/other speech\t\n\
                 video_without_audio.mp4\t492817\ten-US\tnone\t\n";
    let (report, folder) = evaluated("speech", table, &["--by", "noise", "--others", "3"]);
    let rates = &report["rates"];
    assert_eq!(
        (&rates["genuine_refused"]["errors"], &rates["genuine_refused"]["of"]),
        (&0.into(), &1.into())
    );
    for (species, of) in [("one digit differs", 13), ("other digits", 6), ("music", 4), ("other speech", 4)] {
        let rate = &rates["wrong_accepted"][species];
        assert_eq!((&rate["errors"], &rate["of"]), (&0.into(), &of.into()), "{species}: {report}");
    }
    assert_eq!(rates["likeliest"]["sequence"]["of"], 2, "{report}");
    assert_eq!(report["failures_to_acquire"]["errors"], 1, "{report}");
    assert_eq!(report["groups"]["noise"]["clean"]["genuine_refused"]["of"], 1, "{report}");
    assert_eq!(left(folder.path()), ["report.html", "report.json"]);
    let settings = folder.path().join("settings.toml");
    let output = countersign()
        .args(["eval", "calibrate"])
        .arg(folder.path().join("out/report.json"))
        .arg("--out")
        .arg(&settings)
        .output()
        .expect("countersign runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("`speech`") && errors.contains("`eval faces` or `eval spoof`"), "{errors}");
    assert!(!output.status.success() && !settings.exists());
}

#[test]
fn each_attack_in_a_video_is_counted_with_the_check_that_stops_it() {
    let table = "file\tlabel\n\
                 video.mp4\tlive\n\
                 video_still.mp4\tattack/still-photo\n\
                 video_dubbed.mp4\tattack/dubbed-voice\n\
                 video_without_audio.mp4\tattack/dubbed-voice\n";
    let (report, folder) = evaluated("video", table, &[]);
    assert_eq!((&report["bpcer"]["errors"], &report["bpcer"]["of"]), (&0.into(), &1.into()), "{report}");
    for (species, check) in [("still-photo", "mouth_movement"), ("dubbed-voice", "lip_agreement")] {
        let rate = &report["apcer"][species];
        assert_eq!((&rate["errors"], &rate["of"]), (&0.into(), &1.into()), "{species}: {report}");
        assert_eq!(report["attacks"][species]["failed"][check], 1, "{species}: {report}");
    }
    assert_eq!(report["evaluation"], "video", "{report}");
    assert!(report["models"].as_array().is_some_and(|models| models.len() > 3), "{report}");
    let unused = &report["attacks"]["dubbed-voice"]["without_answer"];
    assert_eq!(unused["VIDEO_WITHOUT_AUDIO"], 1, "{report}");
    assert_eq!(left(folder.path()), ["report.html", "report.json"]);
}

#[test]
fn a_table_that_cannot_be_used_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.tsv");
    fs::write(&path, "file\tlabel\nselfie.jpg\tgenuine\n").expect("written");
    let output = countersign()
        .args(["eval", "spoof"])
        .arg(&path)
        .arg("--root")
        .arg(media::path("selfie.jpg").parent().expect("a folder"))
        .arg("--out")
        .arg(folder.path().join("out"))
        .output()
        .expect("countersign runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("line 2: `label` is `genuine`"), "{errors}");
}
