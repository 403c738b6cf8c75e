//! What the generator writes in the manner of OpenAPI 3.0, in that of 3.1.

use serde_json::{Value, json};

use super::{operations, reference};

/// A part of a schema that is another schema, written out, becomes a reference to it.
pub(super) fn refer(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let written_out = |schema: &Value| schema["type"] == "object" && schema["properties"].is_object();
    let known = schemas.iter().filter(|(_, schema)| written_out(schema));
    let known: Vec<(String, Value)> = known.map(|(name, schema)| (name.clone(), schema.clone())).collect();
    for (name, schema) in schemas {
        let parts = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (_, part) in parts.into_iter().flatten() {
            let part = if part.get("items").is_some() { &mut part["items"] } else { part };
            let same = known.iter().find(|(other, schema)| other != name && schema == part);
            if let Some((other, _)) = same {
                *part = reference(other);
            }
        }
    }
}

pub(super) fn tidy(document: &mut Value) {
    for (_, operation) in operations(document) {
        tidy_body(operation);
        tidy_streams(operation);
    }
    for (_, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        if let Some(head) = methods.get_mut("head") {
            remove_bodies(head);
        }
    }
    for (_, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        tidy_schema(schema);
    }
}

/// A body that may be left out is none that may be `null`.
fn tidy_body(operation: &mut Value) {
    let content = operation.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
    for (_, media) in content.into_iter().flatten() {
        if let Some([body, null]) = media["schema"]["oneOf"].as_array().map(Vec::as_slice)
            && null["type"] == "null"
        {
            media["schema"] = body.clone();
        }
    }
}

/// A stream of events has no schema: 3.1 can't say what one event is, and the whole is no text that anybody reads at once.
fn tidy_streams(operation: &mut Value) {
    for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if let Some(stream) = response.pointer_mut("/content/text~1event-stream") {
            stream.as_object_mut().and_then(|stream| stream.remove("schema"));
        }
    }
}

/// An answer to `HEAD` has none.
fn remove_bodies(operation: &mut Value) {
    for (_, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        response.as_object_mut().and_then(|response| response.remove("content"));
    }
}

/// Its `example` becomes the first of its `examples`, as JSON Schema has it.
fn tidy_schema(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(example) = members.remove("example") {
        members.insert("examples".to_owned(), json!([example]));
    }
    // A tuple: the same said in a way that more generators of clients understand.
    if members.get("items") == Some(&Value::Bool(false))
        && let Some(length) = members.get("prefixItems").and_then(Value::as_array).map(Vec::len)
    {
        members.remove("items");
        members.extend(
            [("minItems", length), ("maxItems", length)].map(|(name, it)| (name.to_owned(), json!(it))),
        );
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
