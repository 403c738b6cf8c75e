//! The operations on webhooks, one file each: a tenant's endpoints, and what was sent to them.

mod about;
mod change;
mod create;
mod delete;
mod deliveries;
mod delivery;
mod endpoint;
mod list;
mod read;
mod redeliver;
mod rotate;
mod rotate_tenant_secret;
mod test;

use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use countersign_shared::domain::{EventType, ProblemCode, WebhookUrl};
use utoipa::OpenApi;

use super::resource;
use crate::front::Front;
use crate::problem::Problem;

const LONGEST_DESCRIPTION: usize = 200;

/// How long the secret before the current one signs too, when nobody says.
const USUAL_OVERLAP_SECONDS: u64 = 24 * 60 * 60;
const LONGEST_OVERLAP_SECONDS: u64 = 7 * 24 * 60 * 60;

/// The operations of this folder, for the document.
#[derive(OpenApi)]
#[openapi(paths(
    about::handle,
    change::handle,
    create::handle,
    delete::handle,
    deliveries::handle,
    list::handle,
    read::handle,
    redeliver::handle,
    rotate::handle,
    rotate_tenant_secret::handle,
    test::handle,
))]
pub(super) struct Operations;

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            resource("/v2/webhooks").route(web::get().to(list::handle)).route(web::post().to(create::handle)),
        )
        // Before the path of an endpoint, which it would be one of.
        .service(resource("/v2/webhooks/secret/rotate").route(web::post().to(rotate_tenant_secret::handle)))
        .service(
            resource("/v2/webhooks/{id}")
                .route(web::get().to(read::handle))
                .route(web::patch().to(change::handle))
                .route(web::delete().to(delete::handle)),
        )
        .service(resource("/v2/webhooks/{id}/rotate").route(web::post().to(rotate::handle)))
        .service(resource("/v2/webhooks/{id}/test").route(web::post().to(test::handle)))
        .service(resource("/v2/webhooks/{id}/deliveries").route(web::get().to(deliveries::handle)))
        .service(resource("/v2/verifications/{id}/deliveries").route(web::get().to(about::handle)))
        .service(
            resource("/v2/webhooks/{id}/deliveries/{delivery}/redeliver")
                .route(web::post().to(redeliver::handle)),
        );
}

/// A URL that events may be sent to, as far as can be said before its host's name is resolved.
pub(super) fn webhook_url(front: &Front, field: &str, text: &str) -> Result<WebhookUrl, Problem> {
    let refused = |reason: &dyn std::fmt::Display| invalid(format!("`{field}` {reason}"));
    let url: WebhookUrl = text.parse().map_err(|reason| refused(&reason))?;
    front.targets.check(&url).map_err(|reason| refused(&reason))?;
    Ok(url)
}

fn description(text: String) -> Result<String, Problem> {
    // PostgreSQL keeps every character but this one.
    if text.len() > LONGEST_DESCRIPTION || text.contains('\0') {
        let detail = format!("`description` must be at most {LONGEST_DESCRIPTION} bytes, none of them zero");
        return Err(invalid(detail));
    }
    Ok(text)
}

/// Each once; none means every one.
fn events(mut events: Vec<EventType>) -> Vec<EventType> {
    events.sort_by_key(|event| event.name());
    events.dedup();
    events
}

fn overlap(seconds: Option<u64>) -> Result<Duration, Problem> {
    let seconds = seconds.unwrap_or(USUAL_OVERLAP_SECONDS);
    if seconds > LONGEST_OVERLAP_SECONDS {
        return Err(invalid(format!("`overlap` must be at most {LONGEST_OVERLAP_SECONDS} seconds")));
    }
    Ok(Duration::from_secs(seconds))
}

/// Something that is no identifier names nothing.
fn named<Id: std::str::FromStr>(text: &str) -> Result<Id, Problem> {
    text.parse().map_err(|_| Problem::of(ProblemCode::NotFound))
}

fn invalid(detail: String) -> Problem {
    Problem::new(ProblemCode::InvalidField, detail)
}
