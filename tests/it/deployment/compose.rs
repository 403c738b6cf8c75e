//! Compose files as an engine reads them: merged, with variables filled in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

use crate::media::checkout;

/// A `${NAME}` of a compose file.
pub(super) struct Variable {
    pub(super) name: String,
    /// `${NAME:?message}`: nothing starts without it.
    pub(super) is_required: bool,
}

pub(super) struct Composition {
    pub(super) variables: Vec<Variable>,
    json: Value,
}

impl Composition {
    /// Later files change what earlier ones say.
    pub(super) fn read(files: &[&str]) -> Self {
        let mut composition = Self { variables: Vec::new(), json: Value::Null };
        for file in files {
            let json = composition.filled_in(yaml(file));
            merge(&mut composition.json, json);
        }
        composition
    }

    pub(super) fn services(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.json["services"]
            .as_object()
            .expect("services")
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn service(&self, name: &str) -> &Value {
        let service = &self.json["services"][name];
        assert!(service.is_object(), "there is no service {name}");
        service
    }

    pub(super) fn environment(&self, service: &str) -> BTreeMap<String, String> {
        let environment = self.service(service)["environment"].as_object().expect("an environment");
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        environment.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    }

    pub(super) fn volumes(&self) -> BTreeSet<String> {
        self.json["volumes"].as_object().expect("volumes").keys().cloned().collect()
    }

    fn filled_in(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.interpolated(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.filled_in(item)).collect()),
            Value::Object(members) => {
                Value::Object(members.into_iter().map(|(key, value)| (key, self.filled_in(value))).collect())
            }
            other => other,
        }
    }

    /// `${NAME:-default}`, `${NAME:?message}`, and `$$` for a dollar. Nothing else is used.
    fn interpolated(&mut self, text: &str) -> String {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                filled.push('$');
                rest = after;
                continue;
            }
            let inner = after.strip_prefix('{').and_then(|after| after.split_once('}'));
            let (inner, after) = inner.unwrap_or_else(|| panic!("a dollar that means nothing: {text}"));
            let default = inner.split_once(":-");
            let required = || inner.split_once(":?").unwrap_or_else(|| panic!("{inner} may be empty"));
            let (name, value) = default.unwrap_or_else(|| (required().0, "secret"));
            filled.push_str(value);
            self.variables.push(Variable { name: name.to_owned(), is_required: default.is_none() });
            rest = after;
        }
        filled + rest
    }
}

/// What `deploy/.env.example` sets.
pub(super) fn example() -> HashMap<String, String> {
    let text = std::fs::read_to_string(checkout().join("deploy/.env.example")).expect("the example");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("no NAME=VALUE: {line}")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Whether `.dockerignore` keeps the path out; its later lines win.
pub(super) fn ignored(path: &str) -> bool {
    let text = std::fs::read_to_string(checkout().join(".dockerignore")).expect("it can be read");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.fold(false, |ignored, line| {
        let exception = line.strip_prefix('!');
        let pattern = exception.unwrap_or(line);
        let matches = match pattern.strip_suffix(".*") {
            Some(stem) => path.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')),
            None => path == pattern || path.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('/')),
        };
        if matches { exception.is_none() } else { ignored }
    })
}

/// A YAML file, its anchors and merges resolved, as JSON. Debian's Python has Debian's python3-yaml.
fn yaml(file: &str) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let path = checkout().join(file);
    let output =
        Command::new("/usr/bin/python3").args(["-c", script]).arg(&path).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
