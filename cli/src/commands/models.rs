//! `countersign models`: bring the models, list them, verify every byte.

mod bars;
mod table;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use countersign_shared::config::Config;
use countersign_worker::models::{Manifest, Model, ModelFiles, Pull, State, licence_notices, notices_of};

use self::bars::Bars;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ModelsCommand {
    /// Bring the models that are missing, and verify them
    Pull {
        /// The profile whose models are wanted; the configured one when not given
        #[arg(long)]
        profile: Option<String>,
        /// Every model that is known, not only those of one profile
        #[arg(long, conflicts_with = "profile")]
        all: bool,
        /// Look here first: any file with a model's SHA-256 is taken, whatever its name
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
    },
    /// List the models that are known, with their licences
    List {
        #[arg(long)]
        json: bool,
    },
    /// Read every byte of the models and compare it with the manifest; fails when one is missing or wrong
    Verify {
        /// The profile whose models are verified; the configured one when not given
        #[arg(long)]
        profile: Option<String>,
        /// Every model that is known and there, whatever its profile
        #[arg(long, conflicts_with = "profile")]
        all: bool,
    },
}

pub(crate) async fn run(command: ModelsCommand, config: &Config) -> anyhow::Result<ExitCode> {
    let manifest = Manifest::load(&config.models.manifest)?;
    let files = ModelFiles::new(config.data.resolve(&config.models.dir));
    match command {
        ModelsCommand::Pull { profile, all, from } => {
            let wanted = wanted(&manifest, config, profile.as_deref(), all)?;
            pull(&wanted, &files, from).await
        }
        ModelsCommand::List { json } => {
            let mut out = io::stdout().lock();
            if json {
                table::json(&manifest, &files, &mut out)?;
            } else {
                table::text(&manifest, &files, &mut out)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        ModelsCommand::Verify { profile, all } => {
            let mut wanted = wanted(&manifest, config, profile.as_deref(), all)?;
            if all {
                wanted.models.retain(|model| files.look(model) != State::Missing);
            }
            verify(&wanted.models, &files)
        }
    }
}

/// What a command is about.
struct Wanted {
    models: Vec<Model>,
    notices: Vec<String>,
}

fn wanted(manifest: &Manifest, config: &Config, profile: Option<&str>, all: bool) -> anyhow::Result<Wanted> {
    if all {
        let models: Vec<Model> =
            manifest.models().iter().filter(|model| model.fits_this_machine()).cloned().collect();
        return Ok(Wanted { notices: notices_of(&models), models });
    }
    let profile = manifest.profile(profile.unwrap_or(&config.models.profile))?;
    Ok(Wanted { notices: licence_notices(&profile), models: profile.models().cloned().collect() })
}

async fn pull(wanted: &Wanted, files: &ModelFiles, from: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let models: Vec<&Model> = wanted.models.iter().collect();
    let bars = Bars::new();
    let pull = Pull { files, from: from.as_deref(), progress: &bars };
    let failed = tokio::select! {
        failed = pull.run(&models) => failed?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("failed to wait for Ctrl-C")?;
            bars.say("interrupted; what is verified or partly downloaded is kept for the next pull");
            return Ok(ExitCode::from(130));
        }
    };
    bars.finish();
    let mut out = io::stderr().lock();
    for lost in &failed {
        writeln!(out, "{} could not be had:", lost.model)?;
        for reason in &lost.reasons {
            writeln!(out, "  {reason}")?;
        }
    }
    for notice in &wanted.notices {
        writeln!(out, "{notice}")?;
    }
    let ready = models.len() - failed.len();
    writeln!(out, "{ready} of {} models are ready in {}", models.len(), files.dir().display())?;
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn verify(models: &[Model], files: &ModelFiles) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let mut sound = true;
    for model in models {
        let state = files.verify(model).with_context(|| format!("failed to read `{}`", model.file))?;
        let said = match state {
            State::Present => "ok",
            State::Missing => "MISSING",
            State::Wrong | State::Unverified => "WRONG: its bytes are not the model's",
        };
        sound &= state == State::Present;
        writeln!(out, "{}  {}  {said}", model.sha256, model.file)?;
    }
    if !sound {
        writeln!(out, "run `countersign models pull` to mend this")?;
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
