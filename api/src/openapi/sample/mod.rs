//! The examples, made from the types themselves: what they show, the service answers.

mod places;
mod report;

use countersign_shared::domain::{
    Action, Actor, AuditEntry, AuditId, AuditLine, DisabledReason, Event, EventData, EventType, Failure,
    KeyId, Kind, Priority, ProblemCode, REQUEST_VERSION, Report, Request, State, Summary, TenantId,
    Timestamp, Verification, VerificationId, WebhookId,
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) use self::places::add;
use crate::routes::v1_1::view::view;
use crate::routes::v2::resource::Resource;

const CREATED_AT: i64 = 1_767_225_600_250;
const ENDED_AT: i64 = CREATED_AT + 1144;

pub(crate) fn queued() -> Value {
    shown(Resource::from(verification(State::Queued)))
}

pub(crate) fn finished() -> Value {
    shown(Resource::from(succeeded()))
}

pub(crate) fn canceled() -> Value {
    shown(Resource::from(ended_early()))
}

pub(crate) fn page() -> Value {
    let data = [succeeded(), failed()].map(|verification| shown(Summary::from(&verification)));
    json!({ "data": data, "next_cursor": "AYzJ2F0Y9Z0BAZsPPCp-fTGlwG8ejZSypw", "unreadable": [] })
}

pub(crate) fn events() -> String {
    let event = |id: &str, verification: &Verification| {
        format!("id: {id}\nevent: state\ndata: {}\n\n", shown(Summary::from(verification)))
    };
    let last = event("2.end", &succeeded());
    format!("retry: 2000\n\n{}{last}", event("1", &verification(State::Queued)))
}

/// The body of that event.
pub(super) fn told(event: EventType) -> Value {
    let now = Timestamp::from_millis(ENDED_AT);
    let endpoint = |disabled: Option<DisabledReason>| EventData::Endpoint {
        endpoint: WebhookId::from_uuid(ID),
        description: "orders".to_owned(),
        disabled_reason: disabled,
        disabled_at: disabled.map(|_| now.to_string()),
    };
    let data = match event {
        EventType::Succeeded => EventData::Verification(Summary::from(&succeeded())),
        EventType::Failed => EventData::Verification(Summary::from(&failed())),
        EventType::Canceled => EventData::Verification(Summary::from(&ended_early())),
        EventType::Test => endpoint(None),
        EventType::Disabled => endpoint(Some(DisabledReason::Failing)),
    };
    shown(Event { r#type: event, timestamp: now.to_string(), data })
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

fn ended_early() -> Verification {
    let finished_at = Some(Timestamp::from_millis(ENDED_AT));
    Verification { finished_at, ..verification(State::Canceled) }
}

fn failed() -> Verification {
    let error = Some(Failure::new(ProblemCode::MediaUnreadable, "the file in `photo` can't be decoded"));
    Verification { error, report: None, state: State::Failed, ..succeeded() }
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
