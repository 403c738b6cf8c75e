//! The error responses of every operation, from the one table of codes.

use std::collections::{BTreeMap, BTreeSet};

use countersign_shared::domain::ProblemCode;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::{headers, operations, reference};
use crate::problem::{OldBody, ProblemDetails, invites_retry};

/// The extension in which an operation lists its own codes, and the document all of them.
const CODES: &str = "x-error-codes";

/// What any operation with a key can refuse with.
const OF_KEYS: [ProblemCode; 5] = [
    ProblemCode::InvalidApiKey,
    ProblemCode::Forbidden,
    ProblemCode::RateLimited,
    ProblemCode::Internal,
    ProblemCode::Unavailable,
];

pub(super) fn add(document: &mut Value) {
    let mut seen = BTreeSet::new();
    for (path, operation) in operations(document) {
        let codes = codes(operation);
        if codes.is_empty() {
            continue;
        }
        operation[CODES] = json!(codes);
        let mut by_status = BTreeMap::<u16, Vec<ProblemCode>>::new();
        for code in &codes {
            by_status.entry(code.status()).or_default().push(*code);
        }
        for (status, codes) in by_status {
            operation["responses"][status.to_string()] = response(&codes, path.starts_with("/v1.1/"));
        }
        seen.extend(codes.iter().map(|code| code.code()));
    }
    let components = &mut document["components"];
    components["schemas"][name::<ProblemDetails>()] = json!(ProblemDetails::schema());
    components["schemas"][name::<OldBody>()] = json!(OldBody::schema());
    components["schemas"][name::<ProblemCode>()] = json!(ProblemCode::schema());
    let known = ProblemCode::ALL.iter().filter(|code| seen.contains(code.code()));
    let examples = known.map(|code| {
        (code.code().to_owned(), json!({ "summary": code.title(), "value": ProblemDetails::example(*code) }))
    });
    components["examples"] = Value::Object(examples.collect());
}

/// In the order of the table.
fn codes(operation: &Value) -> Vec<ProblemCode> {
    let own = operation.get(CODES).cloned().unwrap_or_else(|| json!([]));
    let own: Vec<ProblemCode> = serde_json::from_value(own).expect("codes of the table; this is a bug");
    let has_key = operation.get("security").is_some();
    let listed = |code: &&ProblemCode| own.contains(code) || (has_key && OF_KEYS.contains(code));
    ProblemCode::ALL.iter().filter(listed).copied().collect()
}

fn response(codes: &[ProblemCode], is_old: bool) -> Value {
    let lines: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}", code.code(), code.title())).collect();
    let mut names = vec!["X-Error-Detail"];
    if codes.iter().any(|code| invites_retry(*code)) {
        names.push("Retry-After");
    }
    if codes.contains(&ProblemCode::TimedOut) {
        names.extend(["Location", "X-Verification-Id"]);
    }
    let (content_type, schema) = if is_old {
        ("application/json", name::<OldBody>())
    } else {
        ("application/problem+json", name::<ProblemDetails>())
    };
    let examples: Map<String, Value> = codes
        .iter()
        .map(|code| {
            let example = if is_old {
                json!({ "summary": code.title(), "value": OldBody::example(*code) })
            } else {
                json!({ "$ref": format!("#/components/examples/{}", code.code()) })
            };
            (code.code().to_owned(), example)
        })
        .collect();
    let content = json!({ "schema": reference(&schema), "examples": examples });
    json!({
        "description": lines.join("\n\n"),
        "headers": headers::references(&names),
        "content": { content_type: content },
    })
}

fn name<Type: ToSchema>() -> String {
    Type::name().into_owned()
}
