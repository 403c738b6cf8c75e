//! JSON as its keys in order and its types: what a client of the documented responses can rely on.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// A number with a decimal point is no integer, whatever its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Null,
    Boolean,
    Integer,
    Float,
    Text,
    List(Vec<Shape>),
    /// In the order of the text.
    Object(Vec<(String, Shape)>),
}

impl Shape {
    pub(crate) fn of(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
    }

    /// The member at a path such as `predictions.verification`.
    pub(crate) fn at(&mut self, path: &str) -> &mut Self {
        path.split('.').fold(self, |shape, name| match shape {
            Self::Object(members) => {
                let member = members.iter_mut().find(|(key, _)| key == name);
                &mut member.unwrap_or_else(|| panic!("no {name} of {path}")).1
            }
            other => panic!("{name} of {path} is in {other:?}"),
        })
    }

    /// Whether the keys of every object are in alphabetical order.
    pub(crate) fn is_alphabetical(&self) -> bool {
        match self {
            Self::List(items) => items.iter().all(Self::is_alphabetical),
            Self::Object(members) => {
                members.is_sorted_by(|(left, _), (right, _)| left < right)
                    && members.iter().all(|(_, shape)| shape.is_alphabetical())
            }
            _ => true,
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Boolean)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Integer)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Integer)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Float)
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Shape::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Shape, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Shape::Object(members))
    }
}
