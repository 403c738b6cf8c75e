//! The same numbers for parts of the whole: by column, in the order they were asked for, and by value.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

#[derive(Debug)]
pub(in super::super) struct Groups<T>(Vec<(String, BTreeMap<String, T>)>);

impl<T> Groups<T> {
    pub(in super::super) fn by(columns: &[String]) -> Self {
        let mut groups: Vec<(String, BTreeMap<String, T>)> = Vec::new();
        for column in columns {
            if groups.iter().all(|(known, _)| known != column) {
                groups.push((column.clone(), BTreeMap::new()));
            }
        }
        Self(groups)
    }

    /// Adds to every part that something belongs to, by its value in each column.
    pub(in super::super) fn add<'a>(
        &mut self,
        value: impl Fn(&str) -> Option<&'a str>,
        mut add: impl FnMut(&mut T),
    ) where
        T: Default,
    {
        for (column, parts) in &mut self.0 {
            let Some(value) = value(column) else { continue };
            match parts.get_mut(value) {
                Some(part) => add(part),
                None => add(parts.entry(value.to_owned()).or_default()),
            }
        }
    }

    pub(in super::super) fn map<U>(self, mut each: impl FnMut(T) -> U) -> Groups<U> {
        let mut parts = |(column, parts): (String, BTreeMap<String, T>)| {
            (column, parts.into_iter().map(|(value, part)| (value, each(part))).collect())
        };
        Groups(self.0.into_iter().map(&mut parts).collect())
    }

    pub(in super::super) fn iter(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, T>)> {
        self.0.iter().map(|(column, parts)| (column.as_str(), parts))
    }
}

/// An object by column of objects by value.
impl<T: Serialize> Serialize for Groups<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stay_in_the_order_they_were_asked_for() {
        let mut groups = Groups::<usize>::by(&["noise", "age", "noise"].map(str::to_owned));
        for (noise, age) in [("white", Some("old")), ("white", None), ("kitchen", Some("old"))] {
            groups.add(|column| if column == "noise" { Some(noise) } else { age }, |count| *count += 1);
        }
        let json = serde_json::to_string(&groups.map(|count| count * 10)).expect("JSON");
        assert_eq!(json, r#"{"noise":{"kitchen":10,"white":20},"age":{"old":20}}"#);
    }
}
