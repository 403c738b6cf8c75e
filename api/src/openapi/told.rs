//! What receivers are told, as OpenAPI's webhooks: a request for each event, which is theirs to answer.

use countersign_shared::domain::EventType;
use serde_json::{Map, Value, json};

use super::{reference, sample};

/// The headers of Standard Webhooks: name, what it says, an example.
const HEADERS: [(&str, &str, &str); 3] = [
    (
        "webhook-id",
        "The event's name for this receiver: the same each time that it is sent again.",
        "msg_019b0f3c2a7e7d31a5c06f1e8d94b2a7",
    ),
    ("webhook-timestamp", "When it was sent, in seconds since 1970.", "1767225601"),
    (
        "webhook-signature",
        "One or more signatures of `ID.TIMESTAMP.BODY` with spaces between them, each `v1,` and the base64 of an \
         HMAC-SHA256; one must match.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
];

/// Adds the webhooks, and the schemas of what they carry.
pub(super) fn add(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    schemas["VerificationEvent"] = event(
        "A verification has come to its end.",
        &reference("VerificationSummary"),
        &sample::told(EventType::Succeeded),
    );
    schemas["EndpointEvent"] = event(
        "Something about one of the tenant's endpoints.",
        &json!({
            "type": "object",
            "required": ["endpoint", "description", "disabled_reason", "disabled_at"],
            "properties": {
                "endpoint": reference("WebhookId"),
                "description": { "type": "string" },
                "disabled_reason": { "oneOf": [reference("DisabledReason"), { "type": "null" }] },
                "disabled_at": { "type": ["string", "null"], "format": "date-time" },
            },
        }),
        &sample::told(EventType::Disabled),
    );
    let told = EventType::ALL.map(|event| (event.name().to_owned(), json!({ "post": request(event) })));
    document["webhooks"] = Value::Object(Map::from_iter(told));
}

fn event(description: &str, data: &Value, example: &Value) -> Value {
    json!({
        "type": "object",
        "description": description,
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": reference("EventType"),
            "timestamp": { "type": "string", "format": "date-time" },
            "data": data,
        },
        "examples": [example],
    })
}

fn request(event: EventType) -> Value {
    let (schema, summary) = match event {
        EventType::Succeeded => ("VerificationEvent", "A verification's job has run; its verdict is there."),
        EventType::Failed => ("VerificationEvent", "A verification's job could not run."),
        EventType::Canceled => ("VerificationEvent", "A verification was canceled."),
        EventType::Test => ("EndpointEvent", "A test that was asked for."),
        EventType::Disabled => ("EndpointEvent", "Another endpoint of the tenant was disabled."),
    };
    let headers = HEADERS.map(|(name, description, example)| {
        let schema = json!({ "type": "string" });
        json!({
            "name": name, "in": "header", "required": true,
            "description": description, "schema": schema, "example": example,
        })
    });
    json!({
        "operationId": format!("on_{}", event.name().replace('.', "_")),
        "tags": ["webhooks"],
        "summary": summary,
        "parameters": headers,
        "requestBody": {
            "required": true,
            "content": {
                "application/json": { "schema": reference(schema), "example": sample::told(event) },
            },
        },
        "responses": {
            "2XX": { "description": "It is told." },
            "410": { "description": "Nobody listens here any more: the endpoint is disabled." },
            "default": { "description": "It is sent again later." },
        },
    })
}
