//! What the generator writes in the manner of OpenAPI 3.0, in that of 3.1.

use serde_json::{Value, json};

use super::operations;

/// A schema's `example` becomes the first of its `examples`, as JSON Schema has it. A body that may be left out is none
/// that may be `null`.
pub(super) fn tidy(document: &mut Value) {
    for (_, operation) in operations(document) {
        let content = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
        for (_, media) in content.into_iter().flatten() {
            if let Some([body, null]) = media["schema"]["oneOf"].as_array().map(Vec::as_slice)
                && null["type"] == "null"
            {
                media["schema"] = body.clone();
            }
        }
    }
    for (_, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        tidy_schema(schema);
    }
}

fn tidy_schema(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(example) = members.remove("example") {
        members.insert("examples".to_owned(), json!([example]));
    }
    for (_, property) in members.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        tidy_schema(property);
    }
    for keyword in ["allOf", "anyOf", "oneOf", "prefixItems"] {
        members.get_mut(keyword).and_then(Value::as_array_mut).into_iter().flatten().for_each(tidy_schema);
    }
    for keyword in ["items", "additionalProperties"] {
        members.get_mut(keyword).into_iter().for_each(tidy_schema);
    }
}
