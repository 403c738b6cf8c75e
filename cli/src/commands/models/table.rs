//! The list of models, for people and for programs.

use std::io::{self, Write};

use countersign_worker::models::{Manifest, Model, ModelFiles, State};
use indicatif::DecimalBytes;
use serde::Serialize;

/// One model in the JSON list.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    task: &'static str,
    file: &'a str,
    bytes: u64,
    sha256: String,
    licence: &'a str,
    commercial_use: bool,
    consequence: &'a str,
    state: State,
    profiles: Vec<&'a str>,
}

pub(super) fn json(manifest: &Manifest, files: &ModelFiles, out: &mut impl Write) -> anyhow::Result<()> {
    let rows: Vec<Row<'_>> = manifest
        .models()
        .iter()
        .map(|model| Row {
            name: &model.name,
            task: model.task.name(),
            file: &model.file,
            bytes: model.bytes,
            sha256: model.sha256.to_string(),
            licence: &model.licence.name,
            commercial_use: model.licence.commercial,
            consequence: &model.licence.consequence,
            state: files.look(model),
            profiles: manifest.profiles_of(&model.name).collect(),
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &rows)?;
    Ok(writeln!(out)?)
}

pub(super) fn text(manifest: &Manifest, files: &ModelFiles, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:28} {:15} {:>10}  {:10} {:24} PROFILES", "NAME", "TASK", "SIZE", "STATE", "LICENCE")?;
    for model in manifest.models() {
        let profiles: Vec<&str> = manifest.profiles_of(&model.name).collect();
        let line = format!(
            "{:28} {:15} {:>10}  {:10} {:24} {}",
            model.name,
            model.task.name(),
            DecimalBytes(model.bytes).to_string(),
            state(model, files),
            model.licence.name,
            profiles.join(", "),
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)?;
    for (name, models) in by_consequence(manifest) {
        writeln!(out, "{name}: {}", models.join(", "))?;
    }
    Ok(())
}

/// Each licence with its consequence, those that forbid commercial use first, and the models under it.
fn by_consequence(manifest: &Manifest) -> Vec<(String, Vec<&str>)> {
    let mut models: Vec<&Model> = manifest.models().iter().collect();
    models.sort_by_key(|model| model.licence.commercial);
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for model in models {
        let forbidden = if model.licence.commercial { "" } else { "NO COMMERCIAL USE: " };
        let name = format!("{forbidden}{} ({})", model.licence.name, model.licence.consequence);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, names)) => names.push(&model.name),
            None => groups.push((name, vec![&model.name])),
        }
    }
    groups
}

fn state(model: &Model, files: &ModelFiles) -> &'static str {
    match files.look(model) {
        State::Present => "present",
        State::Unverified => "unverified",
        State::Wrong => "WRONG",
        State::Missing if !model.fits_this_machine() => "not needed",
        State::Missing => "missing",
    }
}
