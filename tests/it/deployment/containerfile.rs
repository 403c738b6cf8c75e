//! The Dockerfile, read: its stages, what each instruction says, what a stage inherits.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::media::checkout;

/// The stages that are images of ours.
pub(super) const TARGETS: [&str; 5] = ["api", "worker-cpu", "worker-openvino", "worker-cuda", "tools"];

pub(super) struct Containerfile {
    /// Of the arguments before the first stage.
    arguments: HashMap<String, String>,
    stages: Vec<Stage>,
}

struct Stage {
    name: String,
    base: String,
    /// Keyword and the rest, continuation lines joined.
    instructions: Vec<(String, String)>,
}

impl Containerfile {
    pub(super) fn read() -> Self {
        let text = std::fs::read_to_string(checkout().join("deploy/Dockerfile")).expect("the Dockerfile");
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let text = lines.join("\n").replace("\\\n", " ");
        let mut read = Self { arguments: HashMap::new(), stages: Vec::new() };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (keyword, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no instruction: {line}"));
            let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
            match (keyword, read.stages.last_mut()) {
                ("ARG", None) => {
                    let (name, value) = rest.split_once('=').expect("NAME=VALUE");
                    read.arguments.insert(format!("${{{name}}}"), value.to_owned());
                }
                ("FROM", _) => {
                    let (base, name) =
                        rest.split_once(" AS ").unwrap_or_else(|| panic!("a stage without a name: {rest}"));
                    let base = read.arguments.get(base).map_or(base, String::as_str).to_owned();
                    read.stages.push(Stage { name: name.to_owned(), base, instructions: Vec::new() });
                }
                (_, Some(stage)) => stage.instructions.push((keyword.to_owned(), rest)),
                (_, None) => panic!("{keyword} before the first stage"),
            }
        }
        read
    }

    pub(super) fn stages(&self) -> impl Iterator<Item = &str> {
        self.stages.iter().map(|stage| stage.name.as_str())
    }

    pub(super) fn has_stage(&self, name: &str) -> bool {
        self.stages().any(|stage| stage == name)
    }

    /// The images from elsewhere that stages begin with.
    pub(super) fn bases(&self) -> BTreeSet<&str> {
        self.stages.iter().map(|stage| stage.base.as_str()).filter(|base| !self.has_stage(base)).collect()
    }

    /// The last instruction of that kind that the image has, its own or inherited from another stage.
    pub(super) fn last(&self, stage: &str, keyword: &str) -> Option<String> {
        self.inherited(stage).into_iter().rfind(|(word, _)| word == keyword).map(|(_, rest)| rest)
    }

    /// What the image sets.
    pub(super) fn environment(&self, stage: &str) -> BTreeMap<String, String> {
        self.inherited(stage)
            .iter()
            .filter(|(keyword, _)| keyword == "ENV")
            .flat_map(|(_, rest)| rest.split(' '))
            .map(|pair| pair.split_once('=').unwrap_or_else(|| panic!("no NAME=VALUE: {pair}")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// What the stage installs with `apt-get install`.
    pub(super) fn packages(&self, stage: &str) -> Vec<String> {
        let runs = self.inherited(stage).into_iter().filter(|(keyword, _)| keyword == "RUN");
        let installs = runs.filter_map(|(_, rest)| Some(rest.split_once("apt-get install")?.1.to_owned()));
        let words = installs.flat_map(|list| {
            let list = list.split("&&").next().unwrap_or_default().to_owned();
            list.split(' ')
                .filter(|word| !word.is_empty() && !word.starts_with('-'))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        words.collect()
    }

    /// What `COPY` takes from the checkout.
    pub(super) fn sources_from_the_checkout(&self) -> Vec<String> {
        let copies =
            self.instructions().filter(|(keyword, rest)| keyword == "COPY" && !rest.starts_with("--from="));
        copies
            .flat_map(|(_, rest)| {
                let words: Vec<_> = rest.split(' ').collect();
                words[..words.len() - 1].iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Every stage that `COPY --from` names comes before, and so does every stage that another begins with.
    pub(super) fn assert_stages_are_known(&self) {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for stage in &self.stages {
            let from = stage.instructions.iter().filter_map(|(_, rest)| rest.strip_prefix("--from="));
            for name in from.map(|rest| rest.split(' ').next().unwrap_or_default()) {
                assert!(known.contains(name), "{} copies from {name}", stage.name);
            }
            assert!(
                stage.base.contains(':') || known.contains(&*stage.base),
                "{} is from {}",
                stage.name,
                stage.base
            );
            assert!(known.insert(&stage.name), "{} twice", stage.name);
        }
        for target in TARGETS {
            assert!(known.contains(target), "{target}");
        }
    }

    fn instructions(&self) -> impl Iterator<Item = &(String, String)> {
        self.stages.iter().flat_map(|stage| &stage.instructions)
    }

    fn inherited(&self, name: &str) -> Vec<(String, String)> {
        let Some(stage) = self.stages.iter().find(|stage| stage.name == name) else { return Vec::new() };
        let mut instructions = self.inherited(&stage.base);
        instructions.extend(stage.instructions.iter().cloned());
        instructions
    }
}
