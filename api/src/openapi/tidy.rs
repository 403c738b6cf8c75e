//! What the generator writes in the manner of OpenAPI 3.0, in that of 3.1.

use serde_json::{Value, json};

use super::operations;

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
                *part = json!({ "$ref": format!("#/components/schemas/{other}") });
            }
        }
    }
}

/// A schema's `example` becomes the first of its `examples`, as JSON Schema has it. A body that may be left out is none
/// that may be `null`. An answer to `HEAD` has no body.
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
    for (_, path) in document["paths"].as_object_mut().into_iter().flatten() {
        let responses = path.pointer_mut("/head/responses").and_then(Value::as_object_mut);
        for response in responses.into_iter().flatten().filter_map(|(_, response)| response.as_object_mut()) {
            response.remove("content");
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
