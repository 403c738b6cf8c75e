//! The examples, made from the types themselves: what they show, the service answers.

mod report;

use countersign_shared::domain::{
    Action, Actor, AuditEntry, AuditId, AuditLine, Failure, KeyId, Kind, Priority, ProblemCode,
    REQUEST_VERSION, Report, Request, State, Summary, TenantId, Timestamp, Verification, VerificationId,
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::routes::v1_1::view::view;
use crate::routes::v2::resource::Resource;

const CREATED_AT: i64 = 1_767_225_600_250;

/// Schemas that are seen within larger examples: the schema, the example, and where in it.
const PLACES: [(&str, fn() -> Value, &str); 28] = [
    ("Verification", finished, ""),
    ("VerificationSummary", summary, ""),
    ("VerificationPage", page, ""),
    ("Report", finished, "/report"),
    ("Evidence", finished, "/report/evidence"),
    ("PhotoEvidence", finished, "/report/evidence"),
    ("StillEvidence", finished, "/report/evidence/photo"),
    ("Face", finished, "/report/evidence/photo/face"),
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
const LISTS: [(&str, &str); 6] = [
    ("Page_ApiKey", "ApiKey"),
    ("Page_AuditEntry", "AuditEntry"),
    ("Page_Tenant", "Tenant"),
    ("ReviewList", "Review"),
    ("WebhookDeliveries", "WebhookDelivery"),
    ("WebhookEndpoints", "WebhookEndpoint"),
];

/// Gives the schemas their examples.
pub(super) fn add(document: &mut Value) {
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

pub(crate) fn queued() -> Value {
    shown(Resource::from(verification(State::Queued)))
}

pub(crate) fn finished() -> Value {
    shown(Resource::from(succeeded()))
}

pub(crate) fn canceled() -> Value {
    let finished_at = Some(Timestamp::from_millis(CREATED_AT + 900));
    shown(Resource::from(Verification { finished_at, ..verification(State::Canceled) }))
}

pub(crate) fn page() -> Value {
    let error = Some(Failure::new(ProblemCode::MediaUnreadable, "the file in `photo` can't be decoded"));
    let failed = Verification { error, report: None, state: State::Failed, ..succeeded() };
    let data = [succeeded(), failed].map(|verification| shown(Summary::from(&verification)));
    json!({ "data": data, "next_cursor": "AYzJ2F0Y9Z0BAZsPPCp-fTGlwG8ejZSypw", "unreadable": [] })
}

pub(crate) fn events() -> String {
    let event = |id: &str, verification: &Verification| {
        format!("id: {id}\nevent: state\ndata: {}\n\n", shown(Summary::from(verification)))
    };
    let last = event("2.end", &succeeded());
    format!("retry: 2000\n\n{}{last}", event("1", &verification(State::Queued)))
}

pub(crate) fn audit_lines() -> String {
    let details = json!({ "kind": "photo", "state": "succeeded", "attempts": 1 });
    let entry = AuditEntry {
        id: AuditId::from_uuid(ID),
        tenant: Some(TenantId::from_uuid(ID)),
        actor: Actor::Key(KeyId::from_uuid(ID)),
        action: Action::VerificationErased.name().to_owned(),
        resource: Some(id().to_string()),
        details: details.as_object().cloned().unwrap_or_default(),
    };
    format!("{}\n", shown(AuditLine::from(entry)))
}

pub(crate) fn photo_answer() -> Value {
    shown(view(&report::photo(), None))
}

pub(crate) fn video_answer() -> Value {
    shown(view(&report::video(), None))
}

pub(crate) fn spoof_answer() -> Value {
    shown(view(&report::spoof(), None))
}

fn summary() -> Value {
    shown(Summary::from(&succeeded()))
}

fn video_report() -> Value {
    shown(report::video())
}

fn spoof_report() -> Value {
    shown(report::spoof())
}

fn succeeded() -> Verification {
    let report: Report = report::photo();
    Verification {
        attempts: 1,
        started_at: Some(report.started_at),
        finished_at: Some(report.ended_at),
        report: Some(report),
        ..verification(State::Succeeded)
    }
}

fn verification(state: State) -> Verification {
    let metadata = json!({ "order": "A-1042" });
    let request = Request {
        version: REQUEST_VERSION,
        kind: Kind::Photo,
        priority: Priority::Interactive,
        media: Vec::new(),
        challenge: None,
        language: None,
        named_challenge: None,
        webhook_url: None,
        metadata: metadata.as_object().cloned(),
    };
    Verification {
        id: id(),
        tenant: TenantId::from_uuid(Uuid::nil()),
        request,
        state,
        attempts: 0,
        created_at: Timestamp::from_millis(CREATED_AT),
        started_at: None,
        finished_at: None,
        report: None,
        error: None,
        review: None,
    }
}

const ID: Uuid = Uuid::from_u128(0x019b_0f3c_2a7e_7d31_a5c0_6f1e_8d94_b2a7);

const fn id() -> VerificationId {
    VerificationId::from_uuid(ID)
}

fn shown(what: impl Serialize) -> Value {
    serde_json::to_value(what).expect("what is answered serialises; this is a bug")
}
