//! The v2 operations, one file each.

mod admin;
mod body;
mod cancel;
mod challenges;
mod cursor;
mod erase;
mod errors;
mod events;
mod languages;
mod list;
mod media;
mod read;
pub(crate) mod resource;
mod review;
mod reviews;
mod submit;
mod usage;
mod webhooks;

use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpMessage, HttpRequest};
use countersign_shared::domain::{MediaRole, ProblemCode, Scope, VerificationId};
use serde::de::DeserializeOwned;
use utoipa::OpenApi;

use super::resource;
use crate::auth::{self, Caller};
use crate::front::Front;
use crate::problem::Problem;

/// The longest that a client may wait in one request; proxies give up soon after.
const LONGEST_WAIT_SECONDS: u64 = 60;

/// The operations of this folder, for the document.
#[derive(OpenApi)]
#[openapi(
    paths(
        cancel::handle,
        erase::handle,
        errors::handle,
        events::handle,
        languages::handle,
        list::handle,
        media::handle,
        read::handle,
        read::head,
        review::handle,
        reviews::handle,
        submit::handle,
        usage::handle,
    ),
    components(schemas(MediaRole))
)]
struct Operations;

/// What the document says of v2.
pub(super) fn document() -> utoipa::openapi::OpenApi {
    let mut document = Operations::openapi();
    document.merge(admin::Operations::openapi());
    document.merge(challenges::Operations::openapi());
    document.merge(webhooks::Operations::openapi());
    document
}

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .configure(challenges::configure)
        .service(resource("/v2/errors").route(web::get().to(errors::handle)))
        .service(resource("/v2/languages").route(web::get().to(languages::handle)))
        .service(
            resource("/v2/verifications")
                .route(web::get().to(list::handle))
                .route(web::post().to(submit::handle)),
        )
        .service(
            resource("/v2/verifications/{id}")
                .route(web::get().to(read::handle))
                .route(web::head().to(read::head))
                .route(web::delete().to(erase::handle)),
        )
        .service(resource("/v2/verifications/{id}/events").route(web::get().to(events::handle)))
        .service(resource("/v2/verifications/{id}/media/{role}").route(web::get().to(media::handle)))
        .service(resource("/v2/verifications/{id}/review").route(web::post().to(review::handle)))
        .service(resource("/v2/verifications/{id}/reviews").route(web::get().to(reviews::handle)))
        .service(resource("/v2/verifications/{id}/cancel").route(web::post().to(cancel::handle)))
        .service(resource("/v2/usage").route(web::get().to(usage::handle)))
        .configure(admin::configure)
        .configure(webhooks::configure);
}

/// The caller, who must be named by a header.
async fn caller(front: &Front, request: &HttpRequest, scope: Scope) -> Result<Caller, Problem> {
    let caller = auth::by_header(front, request.headers(), scope).await?;
    let caller = caller.ok_or_else(|| Problem::of(ProblemCode::InvalidApiKey))?;
    if let Some(standing) = caller.standing {
        request.extensions_mut().insert(standing);
    }
    Ok(caller)
}

/// Something that is no identifier names nothing.
fn verification_id(text: &str) -> Result<VerificationId, Problem> {
    text.parse().map_err(|_| Problem::of(ProblemCode::NotFound))
}

fn query<Query: DeserializeOwned>(request: &HttpRequest) -> Result<Query, Problem> {
    let parsed = web::Query::<Query>::from_query(request.query_string());
    parsed
        .map(web::Query::into_inner)
        .map_err(|error| Problem::new(ProblemCode::InvalidField, format!("the query can't be read: {error}")))
}

fn patience(seconds: u64) -> Result<Duration, Problem> {
    if seconds > LONGEST_WAIT_SECONDS {
        let detail = format!("a request can wait for {LONGEST_WAIT_SECONDS} seconds at most");
        return Err(Problem::new(ProblemCode::InvalidField, detail));
    }
    Ok(Duration::from_secs(seconds))
}
