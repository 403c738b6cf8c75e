//! `GET /v2/verifications/{id}/reviews`: every decision of a moderator.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Review, Scope, VerificationId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{caller, verification_id};
use crate::front::Front;
use crate::problem::Problem;

/// Every decision of a moderator, the latest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ReviewList)]
struct List {
    data: Vec<Review>,
}

/// Lists every decision of a moderator, the latest first.
#[utoipa::path(
    get,
    path = "/v2/verifications/{id}/reviews",
    operation_id = "list_reviews",
    tag = "verifications",
    params(("id" = VerificationId, Path, description = "The verification.")),
    responses((status = 200, description = "All of them: a verification has 100 at most.", body = List)),
    security(("bearer" = ["verify:read"]), ("api_key" = ["verify:read"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyRead).await?;
    let id = verification_id(&id)?;
    let reviews = front.reviews.reviews(caller.tenant, id).await?;
    Ok(HttpResponse::Ok().json(List { data: reviews }))
}
