//! The rooms of the workspace depend on each other one way, and a front end links no native engine.

use std::collections::{BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

use crate::media::checkout;

/// Which crates each crate reaches, transitively, by dependencies that are linked into it (not for tests or builds).
struct Reach(HashMap<String, BTreeSet<String>>);

impl Reach {
    fn of_the_workspace() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--offline", "--all-features"])
            .current_dir(checkout())
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo's metadata is JSON");

        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let names: HashMap<String, String> = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let is_linked =
            |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let direct: HashMap<String, Vec<String>> = list(&metadata["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let linked =
                    list(&node["deps"]).into_iter().filter(is_linked).map(|dep| text(&dep["pkg"])).collect();
                (text(&node["id"]), linked)
            })
            .collect();
        let members = list(&metadata["workspace_members"]);
        Self(
            members
                .iter()
                .map(|id| (names[&text(id)].clone(), reached(&text(id), &direct, &names)))
                .collect(),
        )
    }

    fn assert_never(&self, from: &str, to: &[&str]) {
        let reached = &self.0[from];
        let forbidden: Vec<_> = to.iter().filter(|name| reached.contains(**name)).collect();
        assert!(forbidden.is_empty(), "{from} depends on {forbidden:?}");
    }
}

fn reached(
    from: &str,
    direct: &HashMap<String, Vec<String>>,
    names: &HashMap<String, String>,
) -> BTreeSet<String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(id) = open.pop() {
        for dependency in &direct[&id] {
            if seen.insert(dependency.clone()) {
                open.push(dependency.clone());
            }
        }
    }
    seen.iter().map(|id| names[id].clone()).collect()
}

const ENGINES: [&str; 3] = ["ort", "ffmpeg-next", "whisper-rs"];

#[test]
fn the_front_end_knows_no_worker_and_links_no_engine() {
    let reach = Reach::of_the_workspace();
    reach.assert_never("countersign-api", &["countersign-worker", "countersign"]);
    reach.assert_never("countersign-api", &ENGINES);
}

#[test]
fn the_worker_knows_no_front_end_and_speaks_no_http_server() {
    Reach::of_the_workspace()
        .assert_never("countersign-worker", &["countersign-api", "actix-web", "countersign"]);
}

#[test]
fn the_shared_vocabulary_knows_neither() {
    let reach = Reach::of_the_workspace();
    reach.assert_never(
        "countersign-shared",
        &["countersign-api", "countersign-worker", "countersign", "actix-web"],
    );
    reach.assert_never("countersign-shared", &ENGINES);
}

#[test]
fn the_command_line_links_both_so_the_rule_can_see() {
    let reach = Reach::of_the_workspace();
    for name in ["countersign-api", "countersign-worker", "actix-web", "ort", "ffmpeg-next", "whisper-rs"] {
        assert!(reach.0["countersign"].contains(name), "{name}");
    }
}
