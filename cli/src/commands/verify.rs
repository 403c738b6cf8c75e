//! `countersign verify`: one verification of local files, without a server. Prints the v1.1 JSON.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use countersign_shared::blob::BlobKey;
use countersign_shared::config::Config;
use countersign_shared::domain::{
    Digits, Kind, Language, Media, MediaFormat, MediaRole, Priority, REQUEST_VERSION, Report, Request,
    SNIFF_BYTES, Verdict, VerificationId,
};
use countersign_worker::pipeline::load::VerificationPipeline;
use countersign_worker::pipeline::{Job, Pipeline, PipelineError};
use tokio_util::sync::CancellationToken;

use super::say;

#[derive(Args)]
pub(crate) struct VerifyArguments {
    #[command(subcommand)]
    subject: Subject,
    /// Indent the JSON.
    #[arg(long, global = true)]
    pretty: bool,
    /// Print the full report, every number that the verdict rests on, in place of the v1.1 JSON.
    #[arg(long, global = true)]
    report: bool,
}

#[derive(Subcommand)]
enum Subject {
    /// A selfie photo against an ID card.
    Photo {
        #[arg(long)]
        id_card: PathBuf,
        #[arg(long)]
        photo: PathBuf,
    },
    /// A selfie video with six spoken digits against an ID card.
    Video {
        #[arg(long)]
        id_card: PathBuf,
        #[arg(long)]
        video: PathBuf,
        /// The six digits that are to be spoken.
        #[arg(long, alias = "audiochallenge")]
        digits: Digits,
        /// The language they are spoken in, such as `en-US`.
        #[arg(long, default_value = "en-US")]
        language: Language,
    },
    /// One photo for signs of a presentation attack.
    Spoof {
        #[arg(long)]
        photo: PathBuf,
    },
}

pub(crate) async fn run(arguments: VerifyArguments, config: &Config) -> anyhow::Result<ExitCode> {
    let job = job(&arguments.subject, config)?;
    let language = job.request.language;
    let config = config.clone();
    // The pipeline blocks: it runs on a thread of its own, as in the worker.
    let report = tokio::task::spawn_blocking(move || -> anyhow::Result<Report> {
        let pipeline = VerificationPipeline::load(&config).context("failed to load the models")?;
        pipeline.run(&job).map_err(|error| match error {
            PipelineError::Permanent(failure) => anyhow::anyhow!("{failure}"),
            other => anyhow::Error::new(other),
        })
    })
    .await
    .context("the pipeline panicked")??;
    let json = if arguments.report {
        serde_json::to_value(&report)?
    } else {
        serde_json::to_value(countersign_api::v1_1::view(&report, language.map(|language| language.tag())))?
    };
    say(&if arguments.pretty { serde_json::to_string_pretty(&json)? } else { json.to_string() });
    Ok(if report.verdict == Verdict::Passed { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn job(subject: &Subject, config: &Config) -> anyhow::Result<Job> {
    let (kind, paths, spoken): (_, Vec<(MediaRole, &Path)>, _) = match subject {
        Subject::Photo { id_card, photo } => {
            (Kind::Photo, vec![(MediaRole::IdCard, id_card), (MediaRole::Photo, photo)], None)
        }
        Subject::Video { id_card, video, digits, language } => {
            let spoken = Some((*digits, *language));
            (Kind::Video, vec![(MediaRole::IdCard, id_card), (MediaRole::Video, video)], spoken)
        }
        Subject::Spoof { photo } => (Kind::Spoof, vec![(MediaRole::Photo, photo)], None),
    };
    let id = VerificationId::new();
    let mut media = Vec::new();
    let mut files = HashMap::new();
    for (role, path) in paths {
        media.push(describe(id, role, path, config)?);
        files.insert(role, path.to_owned());
    }
    let request = Request {
        version: REQUEST_VERSION,
        kind,
        priority: Priority::Interactive,
        media,
        challenge: spoken.map(|(digits, _)| digits),
        language: spoken.map(|(_, language)| language),
        metadata: None,
        webhook_url: None,
        named_challenge: None,
    };
    Ok(Job { request, files, cancelled: CancellationToken::new() })
}

/// The same limits and the same look at the first bytes as an upload gets.
fn describe(id: VerificationId, role: MediaRole, path: &Path, config: &Config) -> anyhow::Result<Media> {
    let open = || format!("failed to read the {role} file {}", path.display());
    let file = std::fs::File::open(path).with_context(open)?;
    let bytes = file.metadata().with_context(open)?.len();
    let limit = match role {
        MediaRole::Video => config.limits.video_bytes,
        MediaRole::IdCard | MediaRole::Photo => config.limits.image_bytes,
    };
    anyhow::ensure!(bytes <= limit.as_u64(), "MEDIA_TOO_LARGE: the {role} file has more than {limit}");
    let mut head = Vec::with_capacity(SNIFF_BYTES);
    file.take(SNIFF_BYTES as u64).read_to_end(&mut head).with_context(open)?;
    let format = MediaFormat::sniff(&head).filter(|format| role.accepts(*format));
    let format =
        format.with_context(|| format!("UNSUPPORTED_MEDIA: the {role} file is of no accepted format"))?;
    Ok(Media { role, format, key: BlobKey::new(id, role), bytes, sha256: String::new() })
}
