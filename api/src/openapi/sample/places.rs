//! Which part of which example shows a schema.

use serde_json::{Value, json};

use super::{finished, page, photo_answer, spoof_answer, spoof_report, summary, video_answer, video_report};

/// A schema, an example, and where in it the schema is seen.
type Place = (&'static str, fn() -> Value, &'static str);

const PLACES: [Place; 29] = [
    ("Verification", finished, ""),
    ("VerificationSummary", summary, ""),
    ("VerificationPage", page, ""),
    ("Report", finished, "/report"),
    ("Evidence", finished, "/report/evidence"),
    ("PhotoEvidence", finished, "/report/evidence"),
    ("StillEvidence", finished, "/report/evidence/photo"),
    ("Face", finished, "/report/evidence/photo/face"),
    ("BehaviourEvidence", video_report, "/evidence/behaviour"),
    ("VideoEvidence", video_report, "/evidence"),
    ("SpeechEvidence", video_report, "/evidence/speech"),
    ("FrameSample", video_report, "/evidence/samples/0"),
    ("SpoofEvidence", spoof_report, "/evidence"),
    ("PhotoAnswer", photo_answer, ""),
    ("VideoAnswer", video_answer, ""),
    ("SpoofAnswer", spoof_answer, ""),
    ("Comparison_PhotoBreakdown", photo_answer, "/predictions"),
    ("Comparison_VideoBreakdown", video_answer, "/predictions"),
    ("SpoofPredictions", spoof_answer, "/predictions"),
    ("Outcome_PhotoBreakdown", photo_answer, "/predictions/verification"),
    ("Outcome_VideoBreakdown", video_answer, "/predictions/verification"),
    ("Outcome_SpoofBreakdown", spoof_answer, "/predictions/verification"),
    ("CardBreakdown", photo_answer, "/predictions/verification/breakdown/id_card"),
    ("SelfieBreakdown", photo_answer, "/predictions/verification/breakdown/photo"),
    ("SpoofMetadata", spoof_answer, "/predictions/metadata"),
    ("ModelInput", video_answer, "/predictions/model_input"),
    ("ModelInputVideo", video_answer, "/predictions/model_input/video"),
    ("ModelOutput", video_answer, "/predictions/model_output"),
    ("ModelParams", photo_answer, "/predictions/model_params"),
];

/// The same, where a list is on the way.
const HEARD: [(&str, &str); 3] = [
    ("Transcript", "/predictions/model_output/transcription"),
    ("TranscriptResult", "/predictions/model_output/transcription/results/0"),
    ("TranscriptAlternative", "/predictions/model_output/transcription/results/0/alternatives/0"),
];

/// Schemas of a list, and of what is in it.
const LISTS: [(&str, &str); 7] = [
    ("Page_ApiKey", "ApiKey"),
    ("Page_AuditEntry", "AuditEntry"),
    ("Page_Tenant", "Tenant"),
    ("ReviewList", "Review"),
    ("VerificationDeliveries", "WebhookDelivery"),
    ("WebhookDeliveries", "WebhookDelivery"),
    ("WebhookEndpoints", "WebhookEndpoint"),
];

/// Gives the schemas their examples.
pub(in crate::openapi) fn add(document: &mut Value) {
    let heard = HEARD.map(|(schema, place)| (schema, video_answer as fn() -> Value, place));
    for (schema, example, place) in PLACES.into_iter().chain(heard) {
        let example = example();
        let example =
            example.pointer(place).unwrap_or_else(|| panic!("no {place} for {schema}; this is a bug"));
        let described = &mut document["components"]["schemas"][schema];
        assert!(described.is_object(), "no schema {schema}; this is a bug");
        described["examples"] = json!([example]);
    }
    let schemas = &mut document["components"]["schemas"];
    for (list, item) in LISTS {
        let item = &schemas[item]["example"];
        assert!(item.is_object(), "no example for what is in {list}; this is a bug");
        let mut example = json!({ "data": [item] });
        if schemas[list]["properties"]["next_cursor"].is_object() {
            example["next_cursor"] = Value::Null;
        }
        schemas[list]["example"] = example;
    }
}
