//! The response headers, each described once.

use serde_json::{Map, Value, json};

use super::operations;

/// Every header that a response can be said to have: its name, what it says, an example.
pub(super) const ALL: [(&str, &str, &str); 7] = [
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
    ("Preference-Applied", "The preference of `Prefer` that was honoured.", "wait=30"),
    ("ETag", "The content's version, for `If-None-Match`.", "\"5f2b51ca2fdc5baa31ec02e002f69aec\""),
];

/// Puts the headers among the components, and their references where responses name them.
pub(super) fn add(document: &mut Value) {
    let described = ALL.map(|(name, description, example)| {
        let schema = json!({ "type": "string" });
        (name.to_owned(), json!({ "description": description, "schema": schema, "example": example }))
    });
    document["components"]["headers"] = Value::Object(Map::from_iter(described));
    for (_, operation) in operations(document) {
        for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
            let named = response["headers"].as_object().into_iter().flat_map(Map::keys);
            let names: Vec<&str> = named.map(String::as_str).chain(["X-Request-Id"]).collect();
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
