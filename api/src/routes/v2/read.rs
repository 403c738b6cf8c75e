//! `GET` and `HEAD /v2/verifications/{id}`: a verification, at once or as soon as it is finished.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, VerificationId};
use serde::Deserialize;

use super::resource::Resource;
use super::{caller, patience, query, verification_id};
use crate::etag;
use crate::front::Front;
use crate::openapi::sample;
use crate::problem::Problem;
use crate::wait::{self, Known};

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Seconds to wait for the end, at most 60. Without it the answer comes at once.
    #[param(minimum = 0, maximum = 60, example = 30)]
    wait: Option<u64>,
}

/// Reads a verification, at once or as soon as it is finished.
///
/// With `wait` the answer comes when the verification is finished or the seconds are over, whichever is first.
#[utoipa::path(
    get,
    path = "/v2/verifications/{id}",
    operation_id = "get_verification",
    tag = "verifications",
    params(
        ("id" = VerificationId, Path, description = "The verification."),
        Query,
        (
            "If-None-Match" = Option<String>,
            Header,
            description = "The `ETag` of the answer that the client has.",
            example = "\"5f2b51ca2fdc5baa31ec02\"",
        ),
    ),
    responses(
        (
            status = 200,
            description = "As it is now.",
            body = Resource,
            headers(("ETag"), ("Cache-Control")),
            example = json!(sample::finished()),
        ),
        (
            status = 304,
            description = "It is as the client has it: `If-None-Match` named its `ETag`.",
            headers(("ETag"), ("Cache-Control")),
        ),
    ),
    security(("bearer" = ["verify:read"]), ("api_key" = ["verify:read"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField, ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyRead).await?;
    let id = verification_id(&id)?;
    let Query { wait } = query(&request)?;
    if let Some(limit) = wait.map(patience).transpose()? {
        let listener = front.signal.listen(id).await;
        if let Some(finished) =
            wait::finished(&front, caller.tenant, id, Known::Nothing, listener, limit).await?
        {
            return etag::answer(&request, &Resource::from(finished));
        }
    }
    let verification = front.verifications.verification(caller.tenant, id).await?;
    etag::answer(&request, &Resource::from(verification))
}

/// Tells whether a verification has changed: what `GET` answers, without the body.
#[utoipa::path(
    head,
    path = "/v2/verifications/{id}",
    operation_id = "probe_verification",
    tag = "verifications",
    params(
        ("id" = VerificationId, Path, description = "The verification."),
        Query,
        (
            "If-None-Match" = Option<String>,
            Header,
            description = "The `ETag` of the answer that the client has.",
            example = "\"5f2b51ca2fdc5baa31ec02\"",
        ),
    ),
    responses(
        (status = 200, description = "There is something else to read.", headers(("ETag"), ("Cache-Control"))),
        (status = 304, description = "It is as the client has it.", headers(("ETag"), ("Cache-Control"))),
    ),
    security(("bearer" = ["verify:read"]), ("api_key" = ["verify:read"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField, ProblemCode::NotFound]))),
)]
pub(super) async fn head(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    handle(front, request, id).await
}
