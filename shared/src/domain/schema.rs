//! How the types that are written as plain text look in the OpenAPI document; the others derive it.

use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, schema::SchemaType};
use utoipa::{PartialSchema, ToSchema};

use super::{Digits, LANGUAGES, Language, ProblemCode};

/// Text of one pattern.
pub(super) fn text(description: &str, pattern: &str, example: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some(description.trim()))
        .pattern(Some(pattern))
        .examples([example])
        .into()
}

/// One text of a list.
fn one_of(description: &str, texts: impl IntoIterator<Item = &'static str>, example: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some(description))
        .enum_values(Some(texts))
        .examples([example])
        .into()
}

impl PartialSchema for Digits {
    fn schema() -> RefOr<Schema> {
        text("Exactly six decimal digits, leading zeros kept.", "^[0-9]{6}$", "049281")
    }
}

impl ToSchema for Digits {}

impl PartialSchema for Language {
    fn schema() -> RefOr<Schema> {
        let description = "An accepted BCP-47 tag, in its canonical spelling.";
        one_of(description, LANGUAGES.iter().copied(), "th-TH")
    }
}

impl ToSchema for Language {}

impl PartialSchema for ProblemCode {
    fn schema() -> RefOr<Schema> {
        let codes = Self::ALL.iter().map(|code| code.code());
        one_of("A code of the closed list.", codes, Self::MissingField.code())
    }
}

impl ToSchema for ProblemCode {}

#[cfg(test)]
mod tests {
    use super::super::{KeyId, VerificationId};
    use super::*;

    #[test]
    fn an_identifiers_example_is_one() {
        fn example<Id: PartialSchema>() -> String {
            let schema = serde_json::to_value(Id::schema()).expect("a schema is JSON");
            assert_eq!(schema["type"], "string", "{schema}");
            schema["examples"][0].as_str().expect("text").to_owned()
        }
        assert!(example::<VerificationId>().parse::<VerificationId>().is_ok());
        assert!(example::<KeyId>().parse::<KeyId>().is_ok());
        assert!(example::<Digits>().parse::<Digits>().is_ok());
        assert!(example::<Language>().parse::<Language>().is_ok());
    }
}
