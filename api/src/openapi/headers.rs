//! The response headers, each described once.

use serde_json::{Map, Value, json};

use super::operations;

/// Every header that a response can be said to have: its name, what it says, an example.
pub(super) const ALL: [(&str, &str, &str); 15] = [
    (
        "X-Request-Id",
        "The request's name in the logs: the one that the client sent in `X-Request-Id`, if it is at most 128 letters, \
         digits, `-`, `_` and `.`, else a fresh one.",
        "019b0f3c2a7e7d31a5c06f1e8d94b2a7",
    ),
    (
        "X-Verification-Id",
        "The verification that the request has made; absent before it is accepted.",
        "ver_019b0f3c2a7e7d31a5c06f1e8d94b2a7",
    ),
    ("X-Error-Detail", "One sentence for a person: what was wrong.", "the field `photo` is missing"),
    (
        "Location",
        "Where the verification can be read.",
        "/v2/verifications/ver_019b0f3c2a7e7d31a5c06f1e8d94b2a7",
    ),
    ("Retry-After", "Seconds after which to come back.", "5"),
    ("RateLimit-Limit", "How many requests may come at once; absent without a rate limit.", "60"),
    ("RateLimit-Remaining", "How many of them are left.", "57"),
    ("RateLimit-Reset", "Seconds after which all of them are there again.", "1"),
    ("Preference-Applied", "The preference of `Prefer` that was honoured.", "wait=30"),
    ("Idempotent-Replayed", "`true`: the answer was given before to this `Idempotency-Key`.", "true"),
    ("Cache-Control", "Whether the answer may be kept, and by whom.", "private, no-cache"),
    ("Accept-Ranges", "The unit of a `Range`.", "bytes"),
    ("Content-Range", "Which bytes these are, and of how many.", "bytes 0-1023/48211"),
    (
        "Content-Disposition",
        "A name for the file.",
        "attachment; filename=\"ver_019b0f3c2a7e7d31a5c06f1e8d94b2a7-photo.jpg\"",
    ),
    ("ETag", "The content's version, for `If-None-Match`.", "\"5f2b51ca2fdc5baa31ec02e002f69aec\""),
];

/// What every answer to a key says.
const OF_LIMITS: [&str; 4] = ["X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];

/// Puts the headers among the components, and their references where responses name them.
pub(super) fn add(document: &mut Value) {
    let described = ALL.map(|(name, description, example)| {
        let schema = json!({ "type": "string" });
        (name.to_owned(), json!({ "description": description, "schema": schema, "example": example }))
    });
    document["components"]["headers"] = Value::Object(Map::from_iter(described));
    for (path, operation) in operations(document) {
        let is_limited = path.starts_with("/v2/") && operation.get("security").is_some();
        let everywhere: &[&str] = if is_limited { &OF_LIMITS } else { &["X-Request-Id"] };
        for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            let named = response["headers"].as_object().into_iter().flat_map(Map::keys);
            let names: Vec<&str> = named.map(String::as_str).chain(everywhere.iter().copied()).collect();
            response["headers"] = references(&names);
        }
    }
}

pub(super) fn references(names: &[&str]) -> Value {
    let reference = |name: &&str| {
        assert!(ALL.iter().any(|(known, ..)| known == name), "{name} is not described; this is a bug");
        ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))
    };
    Value::Object(names.iter().map(reference).collect())
}
