//! Choices that are told apart by a member: each variant has that member itself, which generators of clients expect.

use serde_json::{Map, Value, json};

/// Of `oneOf` with `allOf: [a schema, its tag]` the tag goes into the schema, and a `discriminator` says what it is.
pub(super) fn spread(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let choices = schemas.iter().filter_map(|(name, schema)| Some((name.clone(), variants(schema)?)));
    for (name, variants) in choices.collect::<Vec<_>>() {
        let mut mapping = Map::new();
        let mut references = Vec::new();
        let mut tag = String::new();
        for variant in variants {
            let schema = &mut schemas[variant.schema()];
            for (member, values) in &variant.members {
                schema["properties"][member] = values.clone();
                schema["required"]
                    .as_array_mut()
                    .into_iter()
                    .for_each(|required| required.push(json!(member)));
                tag.clone_from(member);
                let value = values["enum"][0].as_str().unwrap_or_default();
                mapping.insert(value.to_owned(), json!(variant.reference));
            }
            references.push(json!({ "$ref": variant.reference }));
        }
        schemas[&name]["oneOf"] = Value::Array(references);
        schemas[&name]["discriminator"] = json!({ "propertyName": tag, "mapping": mapping });
    }
}

struct Variant {
    reference: String,
    /// The tag, with its only value.
    members: Map<String, Value>,
}

impl Variant {
    fn schema(&self) -> &str {
        self.reference.rsplit('/').next().unwrap_or_default()
    }
}

/// `None` for what is no such choice.
fn variants(schema: &Value) -> Option<Vec<Variant>> {
    let variant = |choice: &Value| {
        let [schema, tag] = choice["allOf"].as_array()?.as_slice() else { return None };
        Some(Variant {
            reference: schema["$ref"].as_str()?.to_owned(),
            members: tag["properties"].as_object()?.clone(),
        })
    };
    schema["oneOf"].as_array()?.iter().map(variant).collect()
}
